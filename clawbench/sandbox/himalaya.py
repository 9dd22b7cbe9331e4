"""The mail program: ``himalaya``, as its users and language models spell it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from .lines import text_lines
from .mailreading import (
    list_accounts,
    list_attachments,
    list_envelopes,
    list_folders,
    read_messages,
    search_envelopes,
)
from .mailwriting import (
    answering,
    delete_messages,
    flagging,
    moving,
    send_message,
    write_draft,
    write_template,
)
from .options import Grammar, Options, shown, spellings
from .shell.command import Invocation, Output, failure

_GRAMMAR = Grammar(
    valued=spellings(
        account="-a --account",
        config="-c --config",
        output="-o --output",
        folder="-f --folder",
        target="--to-folder --target",
        size="-s --page-size --limit --max -n",
        page="-p --page",
        query="-q --query",
        width="-w --max-width",
        header="-H --header",
        to="-t --to",
        cc="--cc",
        bcc="--bcc",
        sender="--from",
        subject="--subject",
        body="-b --body --message",
        flag="--flag",
        directory="-d --downloads-dir --dir",
    ),
    flags=spellings(
        all="-A --all",
        draft="--draft --save",
        preview="--preview",
        bare="--no-headers",
        unread="--unread --unseen",
        quiet="--quiet --debug --trace",
        help="-h --help",
    ),
)

_GROUPS = {
    "envelope": ("list", "search"),
    "envelopes": ("list", "search"),
    "folder": ("list",),
    "folders": ("list",),
    "mailbox": ("list",),
    "account": ("list",),
    "message": ("read", "write", "draft", "save", "send", "reply", "forward", "delete", "move", "copy"),
    "messages": ("read", "delete", "move", "copy"),
    "template": ("write", "draft", "save", "send", "reply", "forward"),
    "flag": ("add", "remove", "set"),
    "attachment": ("download",),
}
_SHORT = {
    "list": "envelope list",
    "search": "envelope search",
    "read": "message read",
    "write": "message write",
    "draft": "message draft",
    "save": "message save",
    "send": "message send",
    "reply": "message reply",
    "forward": "message forward",
    "delete": "message delete",
    "move": "message move",
    "copy": "message copy",
}


def himalaya(invocation: Invocation) -> Output:
    """Runs one ``himalaya`` command line."""
    options = _GRAMMAR.parse(invocation.argv[1:])
    if isinstance(options, str):
        return failure(f"himalaya: {options}", 2)
    words = options.words
    if len(words) > 1 and not _is_command(words[0]) and _is_command(words[1]):
        words = words[1:]  # an account's name
    if not words or "help" in options.flags:
        return Output(tuple(text_lines(_usage())))
    group, rest = words[0].lower(), words[1:]
    if group in _GROUPS:
        verb = rest[0].lower() if rest else "list"
        if verb not in _GROUPS[group]:
            given = shown(rest[0]) if rest else "nothing"
            return failure(f"himalaya {group}: expected {', '.join(_GROUPS[group])}, not {given}", 2)
        command, rest = f"{group} {verb}", rest[1:]
    elif group in _SHORT:
        command = _SHORT[group]
    else:
        return Output(exit=2, errors=(f"himalaya: unknown command {shown(words[0])}", *_usage().split("\n")))
    return _COMMANDS[command](invocation, options, rest)


def _is_command(word: str) -> bool:
    return word.lower() in _GROUPS or word.lower() in _SHORT


@lru_cache(maxsize=1)
def _usage() -> str:
    rows = [f"  himalaya {group} {' | '.join(verbs)}" for group, verbs in _GROUPS.items() if group[-1] != "s"]
    return "\n".join(["usage: himalaya [--folder F] [--page-size N] [-o json|plain] COMMAND", *rows])


_COMMANDS: dict[str, Callable[[Invocation, Options, Sequence[str]], Output]] = {
    "envelope list": list_envelopes,
    "envelope search": search_envelopes,
    "envelopes list": list_envelopes,
    "envelopes search": search_envelopes,
    "folder list": list_folders,
    "folders list": list_folders,
    "mailbox list": list_folders,
    "account list": list_accounts,
    "message read": read_messages,
    "messages read": read_messages,
    "message write": write_draft,
    "message draft": write_draft,
    "message save": write_draft,
    "message send": send_message,
    "message reply": answering(forward=False, template=False),
    "message forward": answering(forward=True, template=False),
    "message delete": delete_messages,
    "messages delete": delete_messages,
    "message move": moving(copy=False),
    "messages move": moving(copy=False),
    "message copy": moving(copy=True),
    "messages copy": moving(copy=True),
    "template write": write_template,
    "template draft": write_template,
    "template save": write_draft,
    "template send": send_message,
    "template reply": answering(forward=False, template=True),
    "template forward": answering(forward=True, template=True),
    "flag add": flagging("add"),
    "flag remove": flagging("remove"),
    "flag set": flagging("set"),
    "attachment download": list_attachments,
}
