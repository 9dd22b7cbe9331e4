"""Words to arguments: what stands behind ``$``, split into fields where it wasn't quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable

from . import arithmetic
from .limits import MAX_LINES, Exhausted, Meter
from .streams import records_of_words, sourced
from .syntax import Arithmetic, Parameter, Part, Script, Substitution, Text, Word

_FIELDS = re.compile(r"[^ \t\n]+")


class Unusable(Exception):
    """A word has no value: a division by zero, a variable unset under ``set -u``."""


class Expander:
    """Expands words against variables; a shell adds what ``$(…)`` needs. ``strict`` is ``set -u``."""

    __slots__ = ("meter", "status", "strict", "variables")

    def __init__(self, variables: dict[str, str], meter: Meter) -> None:
        self.variables = variables
        self.meter = meter
        self.status = 0
        self.strict = False

    def substitute(self, script: Script) -> str:
        """The output of ``$(script)``; words alone can run nothing."""
        raise Unusable("$(…) has no meaning here")

    def arguments(self, words: Iterable[Word]) -> list[str]:
        """The fields that the words expand to."""
        fields: list[str] = []
        for word in words:
            if isinstance(word, str):
                fields.append(word)
            else:
                fields += self.fields(word)
            if len(fields) > MAX_LINES:
                raise Exhausted(f"sh: stopped: more than {MAX_LINES} words in one command")
        return fields

    def text(self, word: Word) -> str:
        """The word as one text, never split: a value, a file's name, a here-document."""
        if isinstance(word, str):
            return word
        values = [self.value(part) for part in word]
        return self.joined(values)

    def joined(self, values: list[str]) -> str:
        """The texts as one, with the records of all of them."""
        if len(values) == 1:
            return values[0]
        self.meter.size(sum(map(len, values)))
        return sourced("".join(values), records_of_words(values))

    def fields(self, word: tuple[Part, ...]) -> list[str]:
        """One word's fields: unquoted values are split at blanks, empty ones vanish."""
        done: list[str] = []
        pending: list[str] | None = None
        for part in word:
            value = self.value(part)
            if isinstance(part, Text) or part.quoted:
                if part.quoted or value:
                    pending = (
                        [*(pending or []), value]
                        if pending is None or len(pending) < 64
                        else [self.joined(pending), value]
                    )
                continue
            records = records_of_words((value,))
            pieces = [sourced(piece, records) for piece in _FIELDS.findall(value)]
            if len(pieces) > MAX_LINES:
                raise Exhausted(f"sh: stopped: more than {MAX_LINES} words in one command")
            if pending is not None and value[:1] in (" ", "\t", "\n"):
                done.append(self.joined(pending))
                pending = None
            for number, piece in enumerate(pieces):
                if number and pending is not None:
                    done.append(self.joined(pending))
                    pending = None
                pending = [*(pending or []), piece]
            if pieces and pending is not None and value[-1:] in (" ", "\t", "\n"):
                done.append(self.joined(pending))
                pending = None
        if pending is not None:
            done.append(self.joined(pending))
        return done

    def value(self, part: Part) -> str:
        """What one part of a word stands for."""
        if isinstance(part, Text):
            return part.text
        if isinstance(part, Parameter):
            return self.parameter(part)
        if isinstance(part, Substitution):
            return self.substitute(part.script)
        assert isinstance(part, Arithmetic)
        number = arithmetic.value(part.tokens, self.variables)
        if number is None:
            raise Unusable("division by zero, or not a number, in $((…))")
        return str(number)

    def parameter(self, part: Parameter) -> str:
        """The value of ``$NAME`` and its ``${NAME…}`` forms."""
        current = self.variable(part.name)
        if part.operator == "#":
            return str(len(current or ""))
        if part.operator == ":":
            return self.slice(current or "", part)
        if part.operator:
            absent = current is None or (part.operator[0] == ":" and not current)
            if part.operator[-1] == "+":
                return "" if absent else self.text(part.word)
            return self.text(part.word) if absent else current or ""
        if current is None and self.strict and part.name not in "@*":
            raise Unusable(f"{part.name}: unbound variable")
        if current:
            self.meter.size(len(current))
        return current or ""

    def slice(self, current: str, part: Parameter) -> str:
        """``${NAME:start:length}``."""
        match = re.fullmatch(r" *(-?[0-9]{1,9})(?::([0-9]{1,9}))?", self.text(part.word))
        if match is None:
            raise Unusable(f"{part.name}: bad substitution")
        start = int(match[1])
        if start < 0:
            start = max(0, len(current) + start)
        end = start + int(match[2]) if match[2] else len(current)
        return sourced(current[start:end], records_of_words((current,)))

    def variable(self, name: str) -> str | None:
        """A variable's value, or None if it has none."""
        if name == "?":
            return str(self.status)
        if name in ("0", "#", "$", "!", "-"):
            return {"0": "sh", "#": "0", "$": "1", "!": "", "-": ""}[name]
        return self.variables.get(name)
