"""The files a command sees: the workspace, and what redirections wrote; never the host's disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from clawbench.sandbox.index import file_ref
from clawbench.sandbox.state import Line, State

from .command import Output
from .limits import MAX_STREAM, Exhausted
from .streams import Call, Unended, made, records_of
from .words import HOME

MAX_FILES = 64
"""Files that redirections may leave behind in one run."""


def located(path: str, variables: Mapping[str, str]) -> str:
    """The absolute form of a path: ``/workspace/AGENTS.md``."""
    whole = path if path.startswith("/") else f"{variables.get('PWD', HOME)}/{path}"
    steps: list[str] = []
    for step in whole.split("/"):
        if step == "..":
            del steps[-1:]
        elif step and step != ".":
            steps.append(step)
    return "/" + "/".join(steps)


def key_of(path: str, variables: Mapping[str, str]) -> str:
    """How the state names a path: relative to the workspace inside it, absolute elsewhere."""
    whole = located(path, variables)
    return whole[len(HOME) + 1 :] if whole.startswith(HOME + "/") else whole


def refs_of(state: State, key: str) -> tuple[str, ...]:
    """The records that a workspace file is; none if the agent or its pack wrote it."""
    text = state.files.get(key)
    if text is None or text not in (state.world.memory.get(key), state.world.workspace.get(key)):
        return ()
    return (file_ref(key),)


def contents(state: State, key: str) -> Sequence[Line] | None:
    """A file's lines, the agent's own version first, not to be changed; None if there is no such file."""
    own = state.scratch.get(key)
    if own is not None:
        return own
    text = state.files.get(key)
    if text is None:
        return None
    return _lines(text, refs_of(state, key))


@lru_cache(maxsize=64)
def _lines(text: str, refs: tuple[str, ...]) -> list[Line]:
    parts = text.split("\n")
    if parts[-1]:
        return Unended([Line(part, refs) for part in parts])
    return [Line(part, refs) for part in parts[:-1]]


def names(state: State) -> list[str]:
    """Every file's key, in order."""
    return sorted({*state.files, *state.scratch})


def listing(state: State, whole: str) -> dict[str, bool] | None:
    """The entries of a directory, true for those that are directories; None if it isn't one."""
    inside = whole.rstrip("/") + "/"
    entries: dict[str, bool] = {}
    for name in names(state):
        path = name if name.startswith("/") else f"{HOME}/{name}"
        if path.startswith(inside):
            first, slash, _ = path[len(inside) :].partition("/")
            entries[first] = entries.get(first, False) or bool(slash)
    if whole == "/":
        entries |= {HOME[1:]: True, "tmp": True}
    return entries if entries or whole in (HOME, "/tmp", "/") else None


def is_directory(state: State, path: str, variables: Mapping[str, str]) -> bool:
    """Whether a path is a directory."""
    return listing(state, located(path, variables)) is not None


def complaint(state: State, path: str, variables: Mapping[str, str]) -> str:
    """Why a path could not be read, as the system would say it."""
    return "Is a directory" if is_directory(state, path, variables) else "No such file or directory"


def read(call: Call, paths: Sequence[str]) -> tuple[list[tuple[str, Sequence[Line]]], list[str]]:
    """The named files, ``-`` or no name being standard input, and complaints about those missing."""
    if not paths:
        return [("-", call.stdin or ())], []
    found: list[tuple[str, Sequence[Line]]] = []
    errors: list[str] = []
    for path in paths:
        if path in ("-", "/dev/stdin"):
            found.append((path, call.stdin or ()))
            continue
        lines: Sequence[Line] | None = () if path == "/dev/null" else contents(call.state, key_of(path, call.variables))
        if lines is None:
            errors.append(f"{call.argv[0]}: {path}: {complaint(call.state, path, call.variables)}")
        else:
            call.meter.lines(lines)
            found.append((path, lines))
    return found, errors


def together(streams: Sequence[tuple[str, Sequence[Line]]]) -> Sequence[Line]:
    """Several streams one after the other."""
    if len(streams) == 1:
        return streams[0][1]
    lines: list[Line] = []
    ended = True
    for _, stream in streams:
        if stream and not ended:
            last = lines.pop()
            lines.append(made(last.text + stream[0].text, records_of((last, stream[0]))))
            lines += stream[1:]
        else:
            lines += stream
        if stream:
            ended = not isinstance(stream, Unended)
    return lines if ended else Unended(lines)


def opened(state: State, path: str, variables: Mapping[str, str], append: bool) -> list[Line] | str:
    """The list that output redirected to a path is added to, or why it cannot be."""
    whole, key = located(path, variables), key_of(path, variables)
    if not path or listing(state, whole) is not None:
        return "Is a directory" if path else "No such file or directory"
    if not whole.startswith((HOME + "/", "/tmp/")) or len(whole) > 255:
        return "Permission denied"
    if key not in state.scratch and len(state.scratch) >= MAX_FILES:
        return "No space left on device"
    lines = list(contents(state, key) or ()) if append else []
    if sum(sum(len(line.text) + 1 for line in file) for file in state.scratch.values()) > MAX_STREAM:
        raise Exhausted("sh: stopped: no space left on device")
    state.scratch[key] = lines
    return lines


def settle(state: State) -> None:
    """Lets derived lines in the agent's files forget their records when the call that made them ends.

    What a call's own text says proves nothing in that call; a file must not carry it into the next one:
    ``echo "a guess $(himalaya message read 4)" > f``, then ``cat f``. Lines that were passed on keep theirs.
    """
    for lines in state.scratch.values():
        for at, line in enumerate(lines):
            if line.derived and line.records:
                lines[at] = Line(line.text)


def ls(call: Call) -> Output:
    """``ls [-1aAlRhtr] [PATH…]``."""
    flags = {
        letter for word in call.argv[1:] if word[:1] == "-" and len(word) > 1 and word[1] != "-" for letter in word[1:]
    }
    unknown = sorted(flags - set("1aAlRhtrFpdCSg"))
    if unknown:
        return Output(exit=2, errors=(f"ls: invalid option -- '{unknown[0]}'",))
    paths = [word for word in call.argv[1:] if word[:1] != "-" or word == "-"] or ["."]
    files: list[tuple[str, bool]] = []
    folders: list[tuple[str, str]] = []
    errors: list[str] = []
    for path in paths:
        whole = located(path, call.variables)
        if contents(call.state, key_of(path, call.variables)) is not None:
            files.append((path, False))
        elif listing(call.state, whole) is None:
            errors.append(f"ls: cannot access '{path}': No such file or directory")
        elif "d" in flags:
            files.append((path, True))
        else:
            folders.append((path, whole))
    out = [_entry(call, name, located(name, call.variables), folder, flags) for name, folder in files]
    headed = len(paths) > 1 or "R" in flags
    while folders:
        path, whole = folders.pop(0)
        entries = listing(call.state, whole) or {}
        shown = sorted(name for name in entries if not name.startswith(".") or flags & {"a", "A"})
        if "r" in flags:
            shown.reverse()
        if headed:
            out += ([made("")] if out else []) + [made(f"{path}:")]
        if "l" in flags:
            out.append(made(f"total {len(shown)}"))
        if "a" in flags:
            out += [_entry(call, dots, whole, True, flags) for dots in (".", "..")]
        out += [_entry(call, name, f"{whole.rstrip('/')}/{name}", entries[name], flags) for name in shown]
        if "R" in flags:
            folders[:0] = [
                (f"{path.rstrip('/')}/{name}", f"{whole.rstrip('/')}/{name}") for name in shown if entries[name]
            ]
        call.meter.spend(20 * len(shown))
    return Output(out, 2 if errors else 0, errors)


def _entry(call: Call, name: str, whole: str, folder: bool, flags: set[str]) -> Line:
    shown = name + "/" if folder and flags & {"F", "p"} else name
    if "l" not in flags:
        return made(shown)
    lines = [] if folder else contents(call.state, key_of(whole, {})) or []
    size = 4096 if folder else sum(len(line.text.encode("utf-8", "replace")) + 1 for line in lines)
    day = call.state.world.now
    month = "JanFebMarAprMayJunJulAugSepOctNovDec"[3 * day.month - 3 : 3 * day.month]
    mode = "drwxr-xr-x" if folder else "-rw-r--r--"
    return made(f"{mode} 1 agent agent {size:6d} {month} {day.day:2d} 00:00 {shown}")
