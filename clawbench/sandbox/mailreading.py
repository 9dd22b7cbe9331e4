"""What ``himalaya`` prints: envelopes, messages, folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..world import Record, World
from . import mailbox
from .lines import Fragment, Line, array_lines, fragment, text_lines
from .mailquery import MailQuery, QueryError, flags_of, mail_query, text_of
from .options import Options, shown
from .shell.command import Invocation, Output, failure
from .state import State


def list_envelopes(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    state = invocation.state
    folder = mailbox.folder_named(state, options.last("folder", mailbox.INBOX))
    if folder is None:
        known = ", ".join(mailbox.folders(state))
        return failure(f"himalaya: no folder {shown(options.last('folder'))}; there are {known}")
    try:
        query = _query((*words, *options.all("query")), options, state)
        size = _count(options.last("size", "0"), "page size")
        page = _count(options.last("page", "1"), "page")
    except QueryError as error:
        return failure(f"himalaya: {error}")
    found = [mail for mail in state.mails if mailbox.folder_of(mail) == folder and query.matches(mail)]
    found = _ordered(found, query, state)
    if size:
        found = found[size * max(page - 1, 0) :][:size]
    return Output(tuple(_envelopes(found, options.last("output", "json"), state)))


def search_envelopes(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    if not words and not options.values:
        return failure("himalaya: search needs something to search for", 2)
    return list_envelopes(invocation, options, words)


def _query(words: Sequence[str], options: Options, state: State) -> MailQuery:
    extra = [("subject", text) for text in options.all("subject")]
    extra += [("from", text) for text in options.all("sender")]
    extra += [("to", text) for text in options.all("to")]
    extra += [("body", text) for text in options.all("body")]
    extra += [("flag", text) for text in options.all("flag")]
    if "unread" in options.flags:
        extra.append(("flag", "unseen"))
    base = mail_query(words, state.world.now)
    if not extra:
        return base
    more = [mail_query(pair, state.world.now).matches for pair in extra]
    return replace(base, matches=lambda mail: base.matches(mail) and all(one(mail) for one in more))


def _ordered(mails: list[Record], query: MailQuery, state: State) -> list[Record]:
    """Newest first unless the query says otherwise; public scenarios keep their file's order."""
    once = state.index.once
    if not query.order:
        if state.world.compat:
            return mails
        return sorted(mails, key=lambda mail: once(mail, mailbox.sort_key), reverse=True)
    for name, descending in reversed(query.order):
        if name == "date":
            mails = sorted(mails, key=lambda mail: once(mail, mailbox.sort_key), reverse=descending)
        else:
            mails = sorted(mails, key=lambda mail, name=name: text_of(mail, name), reverse=descending)  # type: ignore[misc]
    return mails


def _count(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 6:
        raise QueryError(f"{what} is a whole number, not {shown(text)}")
    return int(text)


def envelope_ref(record: Record) -> tuple[str, ...]:
    """How evidence names a mail's headers: ``mail/KEY`` gives ``envelope/KEY``."""
    return () if record.ref is None else ("envelope/" + record.ref.removeprefix("mail/"),)


def body_ref(record: Record) -> tuple[str, ...]:
    """How evidence names a mail's body."""
    return () if record.ref is None else (record.ref,)


def _envelope(record: Record, world: World) -> Fragment:
    data = record.data
    labels = data.get("labels")
    entry = {
        "id": data.get("id"),
        "sender": data.get("sender"),
        "subject": data.get("subject"),
        "date": data.get("received_ts"),
        "flags": list(labels) if isinstance(labels, (list, tuple)) else [],
    }
    return fragment(entry, envelope_ref(record), 2)


def _envelopes(mails: Sequence[Record], output: str, state: State) -> list[Line]:
    if output not in ("plain", "table", "text"):
        return array_lines(state.index.once(mail, _envelope) for mail in mails)
    rows = [("ID", "FLAGS", "SUBJECT", "FROM", "DATE")]
    for mail in mails:
        data = mail.data
        mark = ("*" if "unseen" in flags_of(mail) else " ") + ("!" if data.get("is_urgent") else " ")
        cells = (data.get("id"), mark, data.get("subject"), data.get("sender"), data.get("received_ts"))
        rows.append(tuple(" ".join(str(cell or "").split()) for cell in cells))  # type: ignore[arg-type]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    refs = [(), *map(envelope_ref, mails)]
    return [
        Line("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |", ref)
        for row, ref in zip(rows, refs, strict=True)
    ]


def read_messages(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    if not words:
        return failure("himalaya: message read needs the id of a message", 2)
    mails = found_mails(invocation.state, words)
    if isinstance(mails, str):
        return failure(mails)
    once = invocation.state.index.once
    lines: list[Line] = []
    for mail in mails:
        if options.last("output") == "json":
            lines += once(mail, _message_json)
            continue
        if lines:
            lines.append(Line(""))
        lines += once(mail, _body_lines if "bare" in options.flags else _message)
    return Output(tuple(lines))


def headers_of(record: Record) -> list[tuple[str, str]]:
    data = record.data
    given = [
        ("From", str(data.get("sender", ""))),
        ("To", ", ".join(mailbox.listed(data.get("to")))),
        ("Cc", ", ".join(mailbox.listed(data.get("cc")))),
        ("Bcc", ", ".join(mailbox.listed(data.get("bcc")))),
        ("Subject", str(data.get("subject", ""))),
        ("Date", str(data.get("received_ts", ""))),
    ]
    return [(name, " ".join(value.split())) for name, value in given if value]


def _body_lines(record: Record, world: World) -> Fragment:
    return tuple(text_lines(str(record.data.get("body", "")), body_ref(record)))


def _message(record: Record, world: World) -> Fragment:
    envelope = envelope_ref(record)
    head = [Line(f"{name}: {value}", envelope) for name, value in headers_of(record)]
    return (*head, Line(""), *_body_lines(record, world))


def _message_json(record: Record, world: World) -> Fragment:
    entry = {name.lower(): value for name, value in headers_of(record)}
    lines = fragment({**entry, "body": str(record.data.get("body", ""))}, envelope_ref(record))
    return (*lines[:-2], Line(lines[-2].text, body_ref(record)), lines[-1])


def list_folders(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    state = invocation.state
    counts = dict.fromkeys(mailbox.folders(state), 0)
    for mail in state.mails:
        counts[mailbox.folder_of(mail)] += 1
    if options.last("output") in ("plain", "table", "text"):
        return Output(tuple(Line(f"{name}\t{count}") for name, count in counts.items()))
    return Output(
        tuple(array_lines(fragment({"name": name, "messages": count}, (), 2) for name, count in counts.items()))
    )


def list_accounts(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    entry = {"name": "default", "email": mailbox.own_address(invocation.state), "default": True}
    return Output(tuple(array_lines([fragment(entry, (), 2)])))


def list_attachments(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    mails = found_mails(invocation.state, words)
    if isinstance(mails, str):
        return failure(mails)
    return Output((Line("no attachments found"),))


def found_mails(state: State, names: Sequence[str]) -> list[Record] | str:
    """The mails with these ids (each may be a comma-separated list), or why not."""
    mails: list[Record] = []
    for name in (part for word in names for part in word.split(",") if part):
        mail = mailbox.find(state.mails, name)
        if mail is None:
            return f"himalaya: cannot find message {shown(name)}"
        if not any(mail is one for one in mails):
            mails.append(mail)
    return mails
