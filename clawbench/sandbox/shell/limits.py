"""How much one call of the shell may do, counted in characters and commands and never in seconds.

Two machines of different speed must stop the same command at the same place, so nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from clawbench.sandbox.state import Line

MAX_COMMAND = 32 * 1024
"""UTF-8 bytes of one command text."""

MAX_DEPTH = 20
"""Groups, loops, substitutions and ``${X:-…}`` inside each other."""

MAX_COMMANDS = 256
"""Simple commands written in one text, and run by one call."""

MAX_LOOPS = 1024
"""Turns of all loops of one call."""

MAX_OUTPUT = 30_000
"""Characters handed to the agent, the truncation mark included."""

MAX_STREAM = 1024 * 1024
"""Characters of one pipe, file, substitution or expanded word."""

MAX_LINES = 20_000
"""Lines of one stream, fields of one split."""

MAX_WORK = 6_000_000
"""Characters that all commands of one call move, with what patterns cost on top."""

LINE_COST = 8
"""What a line costs on top of its characters, in the same units."""

MATCH_COST = 100
"""What one replacement of sed, or one piece of ``grep -o``, costs."""

MAX_JQ = 64
"""Runs of jq in one call."""

TRUNCATED = "[output truncated]"


class Exhausted(Exception):
    """A bound was reached: the call ends here, what was done and printed before stays."""


def grown(characters: int) -> None:
    """Refuses a text, still being made, that has become longer than a stream may be."""
    if characters > MAX_STREAM:
        raise Exhausted("sh: stopped: more than 1 MiB in one stream")


class Meter:
    """What is left of one call's allowance."""

    __slots__ = ("commands", "jq", "loops", "work")

    def __init__(self) -> None:
        self.commands = MAX_COMMANDS
        self.loops = MAX_LOOPS
        self.work = MAX_WORK
        self.jq = MAX_JQ

    def command(self) -> None:
        """Counts one simple command."""
        self.commands -= 1
        if self.commands < 0:
            raise Exhausted(f"sh: stopped: more than {MAX_COMMANDS} commands in one call")

    def loop(self) -> None:
        """Counts one turn of a loop."""
        self.loops -= 1
        if self.loops < 0:
            raise Exhausted(f"sh: stopped: more than {MAX_LOOPS} turns of loops in one call")

    def jq_run(self) -> None:
        """Counts one run of jq."""
        self.jq -= 1
        if self.jq < 0:
            raise Exhausted(f"sh: stopped: more than {MAX_JQ} runs of jq in one call")

    def spend(self, units: int) -> None:
        """Counts work that grows with the size of text; one unit is about a character moved."""
        self.work -= units
        if self.work < 0:
            raise Exhausted("sh: stopped: this command moves too much text")

    def size(self, characters: int) -> None:
        """Counts a text, and refuses it if it is longer than a stream may be."""
        grown(characters)
        self.spend(characters)

    def lines(self, lines: Sequence[Line]) -> int:
        """Counts lines that pass through a stream; returns their characters, newlines included."""
        count = len(lines)
        if count > MAX_LINES:
            raise Exhausted(f"sh: stopped: more than {MAX_LINES} lines in one stream")
        characters = sum([len(line.text) for line in lines]) + count
        grown(characters)
        self.spend(characters + LINE_COST * count)
        return characters
