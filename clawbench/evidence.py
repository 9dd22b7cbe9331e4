"""Evidence: which facts the tool calls of a run have really shown the agent, and from which records.

A value counts for a record if a line that the record brought into a call's body contains it, as a whole word.
A line made by a command (jq, printf …) counts only for a value that its record holds and that the call's own
arguments don't: what the agent typed itself proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .transcript import CallRecord

MAX_ALTERNATIVES = 64
_SQUEEZED_AT_LEAST = 5


@dataclass(frozen=True, slots=True)
class Witness:
    """One fact that must have been shown by at least one of ``refs``.

    ``spellings`` are the exact texts of the value; ``held`` those of ``refs`` whose own record contains it.
    """

    fact: str
    refs: tuple[str, ...]
    spellings: tuple[str, ...]
    held: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.fact} from {' or '.join(self.refs)}"


Requirement = tuple[tuple[Witness, ...], ...]
"""Alternatives, each of which needs all its witnesses; ``()`` requires nothing."""

Named = tuple[str, tuple[str, ...]]
"""A fact and the records that may show it, as a scenario names them."""


def named_alternatives(spec: object) -> tuple[tuple[Named, ...], ...]:
    """What ``evidence:`` says, as alternatives of which each is a list of facts with their records.

    A mapping ``{fact: [refs]}`` and a list are all required; ``any:`` holds alternatives.
    Raises ValueError, saying what is allowed, if ``spec`` is none of these.
    """
    if isinstance(spec, Mapping):
        parts = [
            tuple(alternative for item in _items(value) for alternative in named_alternatives(item))
            if name == "any"
            else (((str(name), _refs(name, value)),),)
            for name, value in spec.items()
        ]
    elif isinstance(spec, Sequence) and not isinstance(spec, str):
        parts = [named_alternatives(item) for item in spec]
    else:
        raise ValueError("evidence is a mapping of facts to lists of records, a list of such mappings, or any:")
    found = [
        tuple(pair for alternative in chosen for pair in alternative)
        for chosen in islice(product(*parts), MAX_ALTERNATIVES + 1)
    ]
    if len(found) > MAX_ALTERNATIVES:
        raise ValueError(f"evidence has more than {MAX_ALTERNATIVES} alternatives")
    if any(not alternative for alternative in found) or not found:
        raise ValueError("evidence names no fact")
    return tuple(found)


def _items(value: object) -> Sequence[object]:
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return value
    raise ValueError("any: is a list of alternatives")


def _refs(name: object, value: object) -> tuple[str, ...]:
    refs = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Sequence) else ()
    if not refs or not all(isinstance(ref, str) and ref for ref in refs):
        raise ValueError(f"evidence of {name} is a list of records such as mail/analysis")
    return tuple(map(str, refs))


@dataclass(frozen=True, slots=True)
class EvidenceIndex:
    """The pairs of fact and record that a rubric asks about, by record."""

    wanted: Mapping[str, tuple[Witness, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, requirements: Iterable[Requirement]) -> EvidenceIndex:
        """All pairs that ``requirements`` name, each once."""
        wanted: dict[str, dict[str, Witness]] = {}
        for requirement in requirements:
            for witness in (witness for alternative in requirement for witness in alternative):
                for ref in witness.refs:
                    wanted.setdefault(ref, {})[witness.fact] = witness
        return cls({ref: tuple(by_fact.values()) for ref, by_fact in wanted.items()})


class EvidenceLog:
    """Which of an index's pairs a run has seen, and in which call first; reads each call once."""

    __slots__ = ("_consumed", "_wanted", "seen")

    def __init__(self, index: EvidenceIndex) -> None:
        self._wanted = index.wanted
        self._consumed = 0
        self.seen: dict[tuple[str, str], int] = {}

    def read(self, calls: Sequence[CallRecord]) -> bool:
        """Looks at the calls that are new; true if they showed something new."""
        before = len(self.seen)
        if self._wanted:
            for number in range(self._consumed, len(calls)):
                self._consume(calls[number], number)
        self._consumed = len(calls)
        return len(self.seen) > before

    def sources(self, requirement: Requirement) -> str | None:
        """What met a requirement: ``culprit seen in mail/analysis (call 3)``; ``None`` if nothing did."""
        seen = self.seen
        for alternative in requirement:
            said = []
            for witness in alternative:
                fact = witness.fact
                for ref in witness.refs:
                    call = seen.get((fact, ref))
                    if call is not None:
                        said.append(f"{fact} seen in {ref} (call {call + 1})")
                        break
                else:
                    break
            else:
                return ", ".join(said)
        return None

    def missing(self, requirement: Requirement) -> str:
        """What the alternative that needs least still lacks."""
        lacking = [[w for w in alternative if not self._shown(w)] for alternative in requirement]
        least: list[Witness] = min(lacking, key=len, default=[])
        return ", ".join(map(str, least))

    def _shown(self, witness: Witness) -> bool:
        return any((witness.fact, ref) in self.seen for ref in witness.refs)

    def _consume(self, call: CallRecord, number: int) -> None:
        wanted, seen = self._wanted, self.seen
        for span in call.spans:
            for ref in span.records:
                for witness in wanted.get(ref, ()):
                    if (witness.fact, ref) in seen:
                        continue
                    if span.derived and (ref not in witness.held or typed(witness.spellings, call.arguments)):
                        continue
                    if contains(call.body, witness.spellings, span.start, span.count):
                        seen[witness.fact, ref] = number


def contains(text: str, spellings: tuple[str, ...], first: int = 0, count: int | None = None) -> bool:
    """Whether one of ``spellings`` stands in ``text``, not as part of a longer word or number.

    With ``count``, only lines ``first .. first+count-1`` are meant.
    """
    for spelling in _written(spellings):
        at = text.find(spelling)
        while at >= 0:
            if _starts(text, at) and _ends(text, at + len(spelling)):
                if count is None:
                    return True
                line = text.count("\n", 0, at)
                if line >= first + count:
                    break
                if line >= first:
                    return True
            at = text.find(spelling, at + 1)
    return False


@lru_cache(maxsize=4096)
def _written(spellings: tuple[str, ...]) -> tuple[str, ...]:
    """The spellings, and how JSON writes those that are not ASCII."""
    escaped = (json.dumps(spelling)[1:-1] for spelling in spellings)
    return tuple(dict.fromkeys(text for text in (*spellings, *escaped) if text))


def _starts(text: str, at: int) -> bool:
    """Whether a word may begin at ``at``.

    After a letter or digit only if that ends an escape (``\\n``) or is the ``T`` of a timestamp.
    """
    if at == 0 or not (text[at].isalnum() and text[at - 1].isalnum()):
        return True
    before = text[at - 1]
    if before in "nrt" and at >= 2 and text[at - 2] == "\\":
        return True
    return before == "T" and at >= 2 and text[at - 2].isdigit() and text[at].isdigit()


def _ends(text: str, at: int) -> bool:
    """Whether a word may end before ``at``; before a letter only if that is a timestamp's ``T`` or ``Z``."""
    if at >= len(text) or not (text[at - 1].isalnum() and text[at].isalnum()):
        return True
    after = text[at : at + 2]
    if not text[at - 1].isdigit():
        return False
    return (after[0] == "T" and after[1:].isdigit()) or (after[0] == "Z" and not after[1:].isalnum())


def typed(spellings: tuple[str, ...], arguments: Any) -> bool:
    """Whether a value stands in what the agent typed, also cut into pieces: ``printf '%s%s' v3.1 2.4``."""
    text = "\n".join(_texts(arguments)).casefold()
    squeezed = ""
    for spelling in spellings:
        folded = spelling.casefold()
        if folded in text:
            return True
        word = _squeezed(folded)
        if len(word) >= _SQUEEZED_AT_LEAST:
            squeezed = squeezed or _squeezed(text)
            if word in squeezed:
                return True
    return False


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _texts(value: Any) -> Iterator[str]:
    """Every text and number in a JSON value, names included."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif item is not None:
            yield str(item)
