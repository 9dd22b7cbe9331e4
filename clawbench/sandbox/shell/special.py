"""The commands that change the shell itself: its variables, its directory, its flow."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import files
from .streams import Sink, Source, lines_of, sourced
from .words import HOME

if TYPE_CHECKING:
    from .run import Shell

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Leave(Exception):
    """``exit``, or a failure under ``set -e``: ends the shell, or the subshell it happens in."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class LoopLeft(Exception):
    """``break`` or ``continue``: leaves loops, ``levels`` of them."""

    def __init__(self, levels: int, on: bool) -> None:
        super().__init__(levels)
        self.levels = levels
        self.on = on


@dataclass(frozen=True, slots=True)
class Streams:
    """Where a command reads and writes. A loop's own input, ``feed``, is for ``read`` alone."""

    stdin: Source | None
    out: Sink
    err: Sink
    feed: Source | None = None


def _complain(streams: Streams, message: str, status: int = 1) -> int:
    streams.err.write(lines_of(message[:400] + "\n"))
    return status


def cd(shell: Shell, argv: Sequence[str], streams: Streams) -> int:
    """``cd [DIRECTORY]``: only directories of the workspace exist."""
    path = argv[1] if len(argv) > 1 else HOME
    if len(argv) > 2 or path == "-":
        return _complain(streams, "sh: cd: too many arguments" if len(argv) > 2 else "sh: cd: -: not supported")
    if not files.is_directory(shell.state, path, shell.variables):
        known = files.contents(shell.state, files.key_of(path, shell.variables)) is not None
        return _complain(streams, f"sh: cd: {path}: {'Not a directory' if known else 'No such file or directory'}")
    shell.variables["PWD"] = files.located(path, shell.variables)
    return 0


def export(shell: Shell, argv: Sequence[str], streams: Streams) -> int:
    """``export NAME[=VALUE]…``, and ``readonly``, which here is the same."""
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        if not _NAME.fullmatch(name):
            return _complain(streams, f"sh: {argv[0]}: `{word}': not a valid identifier")
        if equals:
            shell.variables[name] = sourced(value, getattr(word, "records", ()))
    return 0


def unset(shell: Shell, argv: Sequence[str], streams: Streams) -> int:
    """``unset NAME…``."""
    for name in argv[1:]:
        shell.variables.pop(name, None)
    return 0


def read(shell: Shell, argv: Sequence[str], streams: Streams) -> int:
    """``read [-r] [NAME…]``: one line into variables, split as ``IFS`` or at blanks."""
    names = [word for word in argv[1:] if word != "-r"]
    if not all(_NAME.fullmatch(name) for name in names):
        return _complain(streams, "sh: read: only -r and names are supported", 2)
    source = streams.stdin or streams.feed
    line = source.line() if source else None
    records = line.records if line else ()
    rest = line.text if line else ""
    names = names or ["REPLY"]
    separator = shell.variables.get("IFS", " \t\n")
    blank = not separator or separator.isspace()
    for name in names[:-1]:
        if blank:
            value, _, rest = (
                rest.lstrip().partition(" ") if "\t" not in rest else rest.replace("\t", " ").lstrip().partition(" ")
            )
        else:
            value, _, rest = rest.partition(separator[0])
        shell.variables[name] = sourced(value, records)
    shell.variables[names[-1]] = sourced(rest.strip() if blank and separator else rest, records)
    return 0 if line else 1


def leave(shell: Shell, argv: Sequence[str], streams: Streams) -> int:
    """``exit [STATUS]``."""
    text = argv[1] if len(argv) > 1 else str(shell.status)
    raise Leave(int(text) & 255 if re.fullmatch(r"[0-9]{1,9}", text) else 2)


def set_flags(shell: Shell, argv: Sequence[str], streams: Streams) -> int:
    """``set -e -u -x -o pipefail`` and their ``+`` forms; ``-x`` prints nothing here."""
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        on = word[:1] == "-"
        if word[:1] not in ("-", "+") or set(word[1:]) - set("euxo"):
            return _complain(streams, f"sh: set: {word}: not supported", 2)
        shell.errexit = on if "e" in word else shell.errexit
        shell.strict = on if "u" in word else shell.strict
        if "o" in word[1:]:
            option = words.pop(0) if words else ""
            if option == "pipefail":
                shell.pipefail = on
            elif option == "errexit":
                shell.errexit = on
            elif option == "nounset":
                shell.strict = on
            else:
                return _complain(streams, f"sh: set: -o {option}: not supported", 2)
    return 0


def leave_loop(shell: Shell, argv: Sequence[str], streams: Streams) -> int:
    """``break [N]`` and ``continue [N]``."""
    text = argv[1] if len(argv) > 1 else "1"
    raise LoopLeft(int(text) if re.fullmatch(r"[1-9][0-9]{0,2}", text) else 1, argv[0] == "continue")


SPECIAL: dict[str, Callable[[Shell, Sequence[str], Streams], int]] = {
    "break": leave_loop,
    "cd": cd,
    "continue": leave_loop,
    "exit": leave,
    "export": export,
    "read": read,
    "readonly": export,
    "set": set_flags,
    "unset": unset,
}
