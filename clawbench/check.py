"""What a check is: its parameters, how it reads a transcript, and the registry of types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

from .claims import Act
from .evidence import Requirement
from .exclusive import Claim
from .patterns import Pattern
from .transcript import CallRecord, Transcript, public_text
from .verdict import Verdict, printable

ANSWER, CALLS, EFFECTS, EVIDENCE = 1, 2, 4, 8

_Item = TypeVar("_Item")
_UNSEEN: tuple[int, int | None] = (0, None)


@dataclass(frozen=True, slots=True)
class Check:
    """One compiled check.

    ``points`` is what it is worth, ``reads`` which parts of a transcript its verdict depends on (ANSWER,
    CALLS, EFFECTS), ``settled_by`` the verdict that nothing later in a run can change. The others are the
    parameters of its type: ``tools``/``tool`` names, ``pattern``, ``shown`` the pattern as reasons print it,
    ``minimum``/``maximum``, ``before``/``after``, ``effects`` globs with ``to``, ``before_turn`` which reply of
    the user ends what is looked at, ``claims`` what is exclusive, ``acts`` of what the answer may say only what was
    done. ``whose`` calls are meant is ``tool`` in words.
    """

    id: str
    type: str
    category: str
    points: int | Fraction
    judge: CheckFunction
    reads: int
    settled_by: bool | None = None
    severity: str | None = None
    tools: tuple[Any, ...] = ()
    tool: Any = None
    pattern: Pattern | None = None
    shown: str = ""
    minimum: Any = None
    maximum: Any = None
    before: Any = None
    after: Any = None
    effects: tuple[str, ...] = ()
    to: Pattern | None = None
    before_turn: int | None = None
    evidence: Requirement = ()
    claims: tuple[Claim, ...] = ()
    acts: tuple[Act, ...] = ()
    whose: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "whose", printable(str(self.tool), 40) if self.tool else "any tool")


class Context:
    """How one transcript is read, and what earlier looks at it found: calls and effects are scanned once."""

    __slots__ = ("_scans", "compat", "transcript")

    def __init__(self, transcript: Transcript, compat: bool) -> None:
        self.transcript = transcript
        self.compat = compat
        self._scans: dict[str, tuple[int, int | None]] = {}

    def answer(self, before_turn: int | None = None) -> str | bytes:
        """What patterns search in the answer: bytes for RE2, the untouched text for public scenarios."""
        transcript = self.transcript
        return transcript.response if self.compat else transcript.answer_before(before_turn).raw

    def subject(self, text: str) -> str | bytes:
        """``text`` as this scenario's engine takes it."""
        return text if self.compat else text.encode("utf-8", "replace")

    def response_text(self, call: CallRecord) -> str:
        """What ``tool_response_*`` match: the text handed over; in public scenarios its compact JSON."""
        return public_text(call.result) if self.compat else call.body

    def first(self, check: Check, items: Sequence[_Item], matches: Callable[[_Item], object]) -> int | None:
        """The index of the first of ``items`` that matches; none of them is looked at twice."""
        start, found = self._scans.get(check.id, _UNSEEN)
        end = len(items)
        if found is None and start < end:
            for index in range(start, end):
                if matches(items[index]):
                    found = index
                    break
            self._scans[check.id] = (end, found)
        return found


CheckFunction = Callable[[Check, Transcript, Context], Verdict]


class CheckType(NamedTuple):
    """A registered check type: its function, what that reads, and the verdict that stays once it is given."""

    judge: CheckFunction
    reads: int
    settled_by: bool | None = None


CHECK_TYPES: dict[str, CheckType] = {}


def check_type(name: str, reads: int, settled_by: bool | None = None) -> Callable[[CheckFunction], CheckFunction]:
    """Registers a function as the meaning of ``type: name``."""

    def registered(function: CheckFunction) -> CheckFunction:
        CHECK_TYPES[name] = CheckType(function, reads, settled_by)
        return function

    return registered
