"""Text on its way between commands, and the records it came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clawbench.sandbox.state import Line

from .command import Invocation
from .limits import MAX_LINES, Exhausted, Meter, grown


class Sourced(str):
    """The text of a word or variable that came out of records: ``$(himalaya message read 4)``."""

    __slots__ = ("records",)
    records: tuple[str, ...]


class Unended(list[Line]):
    """Lines of which the last has no newline yet: what comes next on the stream continues it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Call(Invocation):
    """An invocation of one of the shell's own commands, which also counts what it costs."""

    meter: Meter = None  # type: ignore[assignment]


def sourced(text: str, records: tuple[str, ...]) -> str:
    """The text, remembering its records if it has any."""
    if not records:
        return text
    word = Sourced(text)
    word.records = records
    return word


def records_of_words(words: Iterable[str]) -> tuple[str, ...]:
    """The records that the words came out of, in order of first appearance."""
    found = [word.records for word in words if isinstance(word, Sourced)]
    return tuple(dict.fromkeys(ref for records in found for ref in records)) if found else ()


def records_of(lines: Iterable[Line], words: Iterable[str] = ()) -> tuple[str, ...]:
    """The union of the records of the lines, then of the words, in order of first appearance."""
    seen: dict[str, None] = {}
    last: tuple[str, ...] = ()
    for line in lines:
        if line.records is not last:
            last = line.records
            for ref in last:
                seen[ref] = None
    for ref in records_of_words(words):
        seen[ref] = None
    return tuple(seen)


def made(text: str, records: tuple[str, ...] = ()) -> Line:
    """A line that a command made; derived if it was made out of records."""
    return Line(text, records, True) if records else Line(text)


def lines_of(text: str, records: tuple[str, ...] = ()) -> list[Line]:
    """Text a command wrote, as lines; :class:`Unended` if it doesn't end with a newline."""
    if not text:
        return []
    if text.count("\n") > MAX_LINES:
        raise Exhausted(f"sh: stopped: more than {MAX_LINES} lines in one stream")
    parts = text.split("\n")
    if parts[-1]:
        return Unended([made(part, records) for part in parts])
    return [made(part, records) for part in parts[:-1]]


def text_of(lines: Sequence[Line]) -> str:
    """What a stream reads as, its last newline included unless it is unended."""
    text = "\n".join([line.text for line in lines])
    return text if not lines or isinstance(lines, Unended) else text + "\n"


def like(lines: Sequence[Line], new: list[Line]) -> list[Line]:
    """The new lines, unended if the old ones were."""
    return Unended(new) if isinstance(lines, Unended) else new


class Source:
    """What stands on a command's standard input; several commands of a group read on from one another."""

    __slots__ = ("at", "lines")

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.at = 0

    def rest(self) -> Sequence[Line]:
        """Everything not read yet; afterwards nothing is left."""
        at, self.at = self.at, len(self.lines)
        if not at:
            return self.lines
        return like(self.lines, list(self.lines[at:]))

    def line(self) -> Line | None:
        """The next line, or None at the end."""
        if self.at >= len(self.lines):
            return None
        self.at += 1
        return self.lines[self.at - 1]


class Sink:
    """Where output goes: a pipe, a file, or what the agent sees."""

    __slots__ = ("ended", "lines", "meter", "size")

    def __init__(self, meter: Meter, lines: list[Line] | None = None) -> None:
        self.lines: list[Line] = [] if lines is None else lines
        self.meter = meter
        self.ended = True
        self.size = 0

    def write(self, lines: Sequence[Line]) -> None:
        """Adds lines; raises :class:`Exhausted` beyond the bounds of a stream."""
        if not lines:
            return
        self.size += self.meter.lines(lines)
        grown(self.size)
        if len(self.lines) + len(lines) > MAX_LINES:
            raise Exhausted(f"sh: stopped: more than {MAX_LINES} lines in one stream")
        if self.ended:
            self.lines.extend(lines)
        else:
            self.lines[-1] = _joined(self.lines[-1], lines[0])
            self.lines.extend(lines[1:])
        self.ended = not isinstance(lines, Unended)

    def written(self) -> Sequence[Line]:
        """All lines so far, as the next command's input."""
        return self.lines if self.ended else Unended(self.lines)


class Nowhere(Sink):
    """``/dev/null``."""

    __slots__ = ()

    def write(self, lines: Sequence[Line]) -> None:
        """Forgets the lines."""


def _joined(first: Line, second: Line) -> Line:
    if not first.text:
        return second
    if not second.text:
        return first
    return made(first.text + second.text, records_of((first, second)))
