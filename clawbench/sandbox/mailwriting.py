"""What ``himalaya`` changes: drafts, sent mail, folders, flags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..world import Record
from . import mailbox
from .lines import Line, plain_text, text_lines
from .mailbox import Letter
from .mailreading import body_ref, envelope_ref, found_mails, headers_of
from .options import Options, shown
from .shell.command import Invocation, Output, failure
from .state import MAX_WRITTEN, State

_FLAGS = (
    "seen",
    "unseen",
    "answered",
    "flagged",
    "deleted",
    "draft",
    "important",
    "starred",
    "urgent",
    "read",
    "unread",
)


def _letter(invocation: Invocation, options: Options, words: Sequence[str]) -> Letter:
    """The letter on a command line: raw text from the arguments or else standard input, then the options."""
    text = ("\n" if words and mailbox.has_headers(words[0]) else " ").join(words)
    if not text.strip() and invocation.stdin is not None:
        text = plain_text(invocation.stdin)
    letter = mailbox.read_letter(text) if text.strip() else Letter()
    for header in options.all("header"):
        name, colon, value = header.partition(":")
        if colon:
            letter = letter.with_header(name, value)
    for name in ("to", "cc", "bcc"):
        for value in options.all(name):
            letter = letter.with_header(name, value)
    subject = options.last("subject") or options.last("size")  # "-s" is a page size only where mails are listed
    if subject:
        letter = letter.with_header("subject", subject)
    if options.values.get("body"):
        letter = replace(letter, body=options.last("body"))
    return letter


def _drafted(state: State, letter: Letter, template: Sequence[Line] | None) -> Output:
    if len(letter.body) > MAX_WRITTEN:
        return failure(f"himalaya: nothing was written: a body has at most {MAX_WRITTEN} characters")
    if letter == Letter():
        if template is not None:
            return Output(tuple(template))
        return failure("himalaya: nothing was written: give headers with -H 'To: …' and a body, or raw text")
    record = mailbox.save_draft(state, letter)
    if record is None:
        return failure(state.refusal())
    notice = f"Draft saved: {mailbox.identifier(record)}"
    if template is None:
        return Output((Line(notice),))
    # the template is what a pipe into "template send" reads, so the notice stands beside it
    return Output(tuple(template), errors=(notice,))


def _sent(state: State, letter: Letter, draft: Record | None = None) -> Output:
    if len(letter.body) > MAX_WRITTEN:
        return failure(f"himalaya: nothing was sent: a body has at most {MAX_WRITTEN} characters")
    if not letter.recipients:
        return failure("himalaya: nothing was sent: the message names no recipient (To:, Cc: or Bcc:)")
    record = mailbox.send(state, letter, draft)
    if record is None:
        return failure(state.refusal())
    return Output((Line(f"Message sent to {letter.recipients}: {mailbox.identifier(record)}"),))


def _template(letter: Letter, quoted: Sequence[Line] = ()) -> list[Line]:
    head = [("To", ", ".join(letter.to)), ("Cc", ", ".join(letter.cc)), ("Bcc", ", ".join(letter.bcc))]
    lines = [Line(f"{name}: {value}") for name, value in head if value or name == "To"]
    body = text_lines(letter.body)
    return [*lines, Line(f"Subject: {letter.subject}"), Line(""), *body, *quoted]


def write_draft(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    return _drafted(invocation.state, _letter(invocation, options, words), None)


def write_template(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    letter = _letter(invocation, options, words)
    return _drafted(invocation.state, letter, _template(letter))


def send_message(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    state = invocation.state
    draft = mailbox.find(state.mails, words[0]) if len(words) == 1 else None
    if draft is not None:
        if mailbox.folder_of(draft) != mailbox.DRAFTS:
            return failure(f"himalaya: message {shown(words[0])} is not a draft")
        words = ()
        invocation = replace(invocation, stdin=None)
    letter = _letter(invocation, options, words)
    if draft is not None:
        stored = mailbox.letter_of(draft)
        letter = replace(
            stored,
            to=(*stored.to, *letter.to),
            cc=(*stored.cc, *letter.cc),
            bcc=(*stored.bcc, *letter.bcc),
            subject=letter.subject or stored.subject,
            body=letter.body or stored.body,
        )
    if "draft" in options.flags:
        return _drafted(state, letter, None)
    return _sent(state, letter, draft)


def answering(forward: bool, template: bool) -> Callable[[Invocation, Options, Sequence[str]], Output]:
    """``reply`` and ``forward``: as a template they become a draft, else they are sent."""

    def run(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
        state = invocation.state
        verb = "forward" if forward else "reply"
        if not words:
            return failure(f"himalaya: {verb} needs the id of a message", 2)
        original = mailbox.find(state.mails, words[0])
        if original is None:
            return failure(f"himalaya: cannot find message {shown(words[0])}")
        written = _letter(invocation, options, words[1:])
        subject = str(original.data.get("subject", ""))
        prefix = "Fwd: " if forward else "Re: "
        if not written.subject:
            written = replace(written, subject=subject if subject[: len(prefix)] == prefix else prefix + subject)
        if not forward:
            written = replace(written, to=(str(original.data.get("sender", "")), *written.to))
            if "all" in options.flags:
                me = mailbox.own_address(state)
                others = (*mailbox.listed(original.data.get("to")), *mailbox.listed(original.data.get("cc")))
                written = replace(written, cc=(*written.cc, *(one for one in others if me not in one)))
        quoted = _quoted(original, forward)
        if template or "draft" in options.flags:
            shown_letter = _template(written, [Line(""), *quoted]) if template else None
            return _drafted(state, replace(written, body=_with(written.body, quoted)), shown_letter)
        if not forward and not written.body.strip():
            return failure(
                "himalaya: nothing was sent: the reply has no body. Give one as an argument or on standard"
                f" input, or prepare a draft with: himalaya template reply {words[0][:40]}"
            )
        if forward:
            written = replace(written, body=_with(written.body, quoted))
        return _sent(state, written)

    return run


def _quoted(original: Record, forward: bool) -> list[Line]:
    sender = str(original.data.get("sender", ""))
    body = text_lines(str(original.data.get("body", "")), body_ref(original))
    if forward:
        head = [Line(f"{name}: {value}", envelope_ref(original)) for name, value in headers_of(original)]
        return [Line("-------- Forwarded message --------"), *head, Line(""), *body]
    intro = Line(f"On {original.data.get('received_ts', '')}, {sender} wrote:", envelope_ref(original))
    return [intro, *(Line("> " + line.text, line.records) for line in body)]


def _with(body: str, quoted: Sequence[Line]) -> str:
    return f"{body}\n\n{plain_text(quoted)}" if body else plain_text(quoted)


def delete_messages(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    mails = found_mails(invocation.state, words)
    if isinstance(mails, str):
        return failure(mails)
    if not mails:
        return failure("himalaya: message delete needs the id of a message", 2)
    for mail in mails:
        if not mailbox.delete(invocation.state, mail):
            return failure(invocation.state.refusal())
    return Output((Line(f"Deleted: {_ids(mails)}"),))


def moving(copy: bool) -> Callable[[Invocation, Options, Sequence[str]], Output]:
    def run(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
        state = invocation.state
        known = dict.fromkeys(word for word in words if mailbox.find(state.mails, word) is not None)
        names = [word for word in words if word not in known] or list(options.all("target"))
        verb = "copy" if copy else "move"
        if not known or len(names) != 1:
            return failure(f"himalaya: usage: himalaya message {verb} FOLDER ID…; no message was found or no folder")
        folder = mailbox.folder_named(state, names[0])
        if folder is None:
            return failure(f"himalaya: no folder {shown(names[0])}; there are {', '.join(mailbox.folders(state))}")
        mails = found_mails(state, list(known))
        for mail in mails:
            if not isinstance(mail, str) and not mailbox.move(state, mail, folder, copy):
                return failure(state.refusal())
        return Output((Line(f"{'Copied' if copy else 'Moved'} to {folder}: {', '.join(known)}"),))

    return run


def flagging(change: str) -> Callable[[Invocation, Options, Sequence[str]], Output]:
    def run(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
        state = invocation.state
        known = dict.fromkeys(word for word in words if mailbox.find(state.mails, word) is not None)
        flags = [word.lower().lstrip("\\") for word in words if word not in known]
        flags += [flag.lower() for flag in options.all("flag")]
        unknown = [flag for flag in flags if flag not in _FLAGS]
        if not known or not flags or unknown:
            wrong = f"no flag {shown(unknown[0])}; " if unknown else ""
            return failure(f"himalaya: {wrong}usage: himalaya flag {change} ID… FLAG…, flags: {', '.join(_FLAGS)}")
        mails = found_mails(state, list(known))
        for mail in [] if isinstance(mails, str) else mails:
            given = mail.data.get("labels")
            labels = [str(label) for label in given] if isinstance(given, (list, tuple)) else []
            if change == "set":
                labels = flags
            elif change == "add":
                labels = [*labels, *(flag for flag in flags if flag not in labels)]
            else:
                labels = [label for label in labels if label.lower() not in flags]
            if not mailbox.set_flags(state, mail, labels, f"{change} {' '.join(flags)}"):
                return failure(state.refusal())
        return Output((Line(f"Flags of {', '.join(known)}: {change} {' '.join(flags)}"),))

    return run


def _ids(mails: Sequence[Record]) -> str:
    return ", ".join(mailbox.identifier(mail) for mail in mails)
