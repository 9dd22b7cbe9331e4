"""Mail as it lies in folders: finding it, writing it, moving it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..world import Record, World
from .moments import moment_of
from .state import MAX_WRITTEN, State

INBOX, DRAFTS, SENT, TRASH = "INBOX", "Drafts", "Sent", "Trash"
STANDARD_FOLDERS = (INBOX, DRAFTS, SENT, TRASH, "Archive", "Spam")
_ALIASES = {
    "draft": DRAFTS,
    "sent mail": SENT,
    "sent items": SENT,
    "deleted": TRASH,
    "bin": TRASH,
    "junk": "Spam",
}
_HEADER = re.compile(r"([A-Za-z][A-Za-z-]{0,40}):[ \t]*(.*)\Z", re.ASCII)
_MAX_RECIPIENTS = 100
_MAX_ADDRESS = 320
_MAX_SUBJECT = 998
_FIRST_HEADERS = frozenset(
    ("to", "cc", "bcc", "from", "subject", "date", "reply-to", "in-reply-to", "message-id", "content-type")
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that the agent wrote. Addresses are as written, one per element."""

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""
    body: str = ""

    @property
    def recipients(self) -> str:
        """Everybody it goes to, joined by ``, ``."""
        return ", ".join((*self.to, *self.cc, *self.bcc))

    @property
    def text(self) -> str:
        """Subject, blank line, body: the text of its effect."""
        return f"{self.subject}\n\n{self.body}"

    def with_header(self, name: str, value: str) -> Letter:
        """The letter with one header set; other headers make no difference."""
        name, value = name.strip().lower(), value.strip()[:MAX_WRITTEN]
        if name == "to":
            return replace(self, to=(*self.to, *addresses(value))[:_MAX_RECIPIENTS])
        if name == "cc":
            return replace(self, cc=(*self.cc, *addresses(value))[:_MAX_RECIPIENTS])
        if name == "bcc":
            return replace(self, bcc=(*self.bcc, *addresses(value))[:_MAX_RECIPIENTS])
        if name == "subject":
            return replace(self, subject=value[:_MAX_SUBJECT])
        return self


def addresses(text: str) -> tuple[str, ...]:
    """The addresses in a header's value, separated by commas or semicolons outside quotes."""
    parts = re.findall(r'(?:"[^"]*"|[^,;"])+', text)
    return tuple(part.strip()[:_MAX_ADDRESS] for part in parts if part.strip())[:_MAX_RECIPIENTS]


def read_letter(text: str) -> Letter:
    """A raw message: headers, a blank line, the body. Text without headers is all body."""
    rows = text.replace("\r\n", "\n").strip("\n").split("\n")
    if not has_headers(rows[0]):
        return Letter(body="\n".join(rows))
    letter = Letter()
    name = value = ""
    at = 0
    while at < len(rows):
        row = rows[at]
        found = _HEADER.match(row)
        if found:
            letter = letter.with_header(name, value)
            name, value = found[1], found[2]
        elif row[:1] in (" ", "\t") and row.strip():
            value += " " + row.strip()
        else:
            break
        at += 1
    # the blank line that ends the headers may be missing
    body = rows[at:] if at < len(rows) and rows[at].strip() else rows[at + 1 :]
    return replace(letter.with_header(name, value), body="\n".join(body))


def has_headers(row: str) -> bool:
    """Whether a message's first line begins a block of headers; ``Update: fixed`` is prose."""
    found = _HEADER.match(row)
    return found is not None and found[1].lower() in _FIRST_HEADERS


def listed(value: Any) -> tuple[str, ...]:
    """A record's ``to`` or ``cc``: a text or a list of texts."""
    if isinstance(value, str):
        return addresses(value)
    return tuple(str(one) for one in value) if isinstance(value, (list, tuple)) else ()


def identifier(record: Record) -> str:
    """A record's id as text."""
    return str(record.data.get("id", ""))


def find(records: Sequence[Record], name: str) -> Record | None:
    """The record whose id is ``name``, letter case aside."""
    for record in records:
        if str(record.data.get("id", "")) == name:
            return record
    name = name.lower()
    return next((record for record in records if identifier(record).lower() == name), None)


def folder_of(record: Record) -> str:
    """The folder a mail lies in."""
    return str(record.data.get("folder") or INBOX)


def folders(state: State) -> list[str]:
    """Every folder there is: the standard ones, then those of the world."""
    names = dict.fromkeys(STANDARD_FOLDERS)
    names.update(dict.fromkeys(folder_of(record) for record in state.mails))
    return list(names)


def folder_named(state: State, name: str) -> str | None:
    """The folder that goes by ``name``, letter case and ``[Gmail]/`` aside."""
    wanted = name.strip().lower().removeprefix("[gmail]/")
    wanted = _ALIASES.get(wanted, wanted).lower()
    return next((folder for folder in folders(state) if folder.lower() == wanted), None)


def sort_key(record: Record, world: World) -> tuple[int, str]:
    """Orders mails by time of arrival, equal times and unreadable ones in file order."""
    moment = moment_of(str(record.data.get("received_ts", "")), world.now)
    return (int(moment.at.timestamp()), "") if moment else (0, "")


def own_address(state: State) -> str:
    """The user's address, as far as the world tells it."""
    identity = state.world.identity
    return identity.get("USER_EMAIL") or identity.get("USER_HANDLE") or "me"


def save_draft(state: State, letter: Letter) -> Record | None:
    """Puts ``letter`` into Drafts; None if that was not allowed."""
    if not state.attempt("mail.draft", letter.recipients, letter.text):
        return None
    record = _written(state, letter, "draft", DRAFTS)
    state.mails.append(record)
    return record


def send(state: State, letter: Letter, draft: Record | None = None) -> Record | None:
    """Sends ``letter``; a draft that it came from is gone then. None if that was not allowed."""
    if not state.attempt("mail.send", letter.recipients, letter.text):
        return None
    if draft is not None:
        state.mails.remove(draft)
    record = _written(state, letter, "sent", SENT)
    state.mails.append(record)
    return record


def letter_of(record: Record) -> Letter:
    """A mail of the mailbox as a letter, such as a draft that is to be sent."""
    data = record.data
    return Letter(
        to=listed(data.get("to")),
        cc=listed(data.get("cc")),
        bcc=listed(data.get("bcc")),
        subject=str(data.get("subject", "")),
        body=str(data.get("body", "")),
    )


def delete(state: State, record: Record) -> bool:
    """Moves a mail to Trash, or for good if it lies there; false if that was not allowed."""
    if not state.attempt("mail.delete", _named(record)):
        return False
    if folder_of(record) == TRASH:
        state.mails.remove(record)
    else:
        _put(state, record, folder=TRASH)
    return True


def move(state: State, record: Record, folder: str, copy: bool = False) -> bool:
    """Moves or copies a mail into ``folder``; false if that was not allowed."""
    if not state.attempt("mail.move", _named(record), f"{'copy' if copy else 'move'} to {folder}"):
        return False
    if copy:
        twin = f"copy_{state.next_number()}"
        state.mails.append(Record(record.ref, {**record.data, "id": twin, "folder": folder}))
    else:
        _put(state, record, folder=folder)
    return True


def set_flags(state: State, record: Record, labels: list[str], change: str) -> bool:
    """Gives a mail these labels; ``change`` says how. False if that was not allowed."""
    if not state.attempt("mail.flag", _named(record), change):
        return False
    _put(state, record, labels=labels)
    return True


def _named(record: Record) -> str:
    return f"{identifier(record)} {record.data.get('subject', '')}".strip()


def _put(state: State, record: Record, **changes: Any) -> None:
    # where a mail lies and its flags are not text of the agent's own: the mail keeps its name for evidence
    state.mails[state.mails.index(record)] = Record(record.ref, {**record.data, **changes})


def _written(state: State, letter: Letter, prefix: str, folder: str) -> Record:
    return Record(
        None,
        {
            "id": f"{prefix}_{state.next_number()}",
            "sender": own_address(state),
            "to": list(letter.to),
            "cc": list(letter.cc),
            "bcc": list(letter.bcc),
            "subject": letter.subject,
            "body": letter.body,
            "received_ts": state.world.now.isoformat(),
            "labels": ["draft"] if folder == DRAFTS else ["seen"],
            "folder": folder,
        },
    )
