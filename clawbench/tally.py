"""From verdicts to points: gate, severity, score. Integers and fractions only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import ceil, lcm
from typing import NamedTuple, Protocol

from .check import EVIDENCE, Check
from .evidence import EvidenceIndex
from .verdict import printable


class CheckResult(NamedTuple):
    """What one check says about one run.

    ``points`` is what it is worth; ``earned_tenths`` is ``None`` unless the check earns parts of them, in
    tenths of a point.
    """

    id: str
    type: str
    category: str
    points: int | Fraction
    passed: bool
    earned_tenths: int | None
    reason: str
    severity: str | None = None


class Judged(Protocol):
    """What counts of a result, of one run or voted."""

    @property
    def passed(self) -> bool: ...
    @property
    def earned_tenths(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Gate:
    """All other categories count only if ``category`` earns at least the share ``at_least`` of its points."""

    category: str
    at_least: Fraction


def _inputs(check: Check) -> int:
    return check.reads | (EVIDENCE if check.evidence else 0)


@dataclass(frozen=True, slots=True)
class Rubric:
    """The compiled checks of one scenario in one world.

    ``compat`` marks a public scenario, judged as the public scorer does. The fields that aren't arguments are
    made once: points as integers in units of ``1/unit`` point, so that a tally is integer arithmetic; indices
    of all checks, of those that count whatever the gate says, and of the critical ones; what opens the gate.
    """

    checks: tuple[Check, ...]
    gate: Gate | None = None
    compat: bool = False
    unit: int = field(init=False)
    worth: tuple[int, ...] = field(init=False)
    possible: int = field(init=False)
    order: range = field(init=False)
    ungated: tuple[int, ...] = field(init=False)
    needed: int = field(init=False)
    critical: tuple[int, ...] = field(init=False)
    evidence: EvidenceIndex = field(init=False)
    _concerned: tuple[tuple[int, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = any(check.type == "tool_count_score" for check in self.checks)
        unit = lcm(10 if parts else 1, *(Fraction(check.points).denominator for check in self.checks))
        worth = tuple(int(check.points * unit) for check in self.checks)
        gate = self.gate
        ungated = tuple(i for i, check in enumerate(self.checks) if gate is None or check.category == gate.category)
        share_needed = gate.at_least if gate is not None else Fraction(0)
        for name, value in {
            "unit": unit,
            "worth": worth,
            "possible": sum(worth),
            "order": range(len(self.checks)),
            "ungated": ungated,
            "needed": ceil(share_needed * sum(worth[i] for i in ungated)),
            "critical": tuple(i for i, check in enumerate(self.checks) if check.severity == "critical"),
            "_concerned": tuple(
                tuple(i for i, check in enumerate(self.checks) if _inputs(check) & changed)
                for changed in range(2 * EVIDENCE)
            ),
            "evidence": EvidenceIndex.of(check.evidence for check in self.checks),
        }.items():
            object.__setattr__(self, name, value)

    def earned(self, index: int, passed: bool, tenths: int | None) -> int:
        """What check ``index`` earned before the gate, in units."""
        if tenths is not None:
            return tenths * self.unit // 10
        return self.worth[index] if passed else 0

    def opens(self, earned: Sequence[int]) -> bool:
        """Whether these earnings reach the gate; true without one."""
        return self.gate is None or sum([earned[i] for i in self.ungated]) >= self.needed

    def concerned(self, changed: int) -> Sequence[int]:
        """The indices of the checks whose verdict depends on what ``changed``."""
        return self._concerned[changed]


@dataclass(frozen=True, slots=True)
class CategoryTally:
    """One category: points earned before the gate, points possible, and whether it counted."""

    earned: Fraction
    possible: Fraction
    passed: int
    failed: int
    counted: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """What a set of verdicts is worth.

    ``earned`` counts after the gate and is 0 with a critical failure; ``critical`` names those checks.
    ``gate_reached`` is ``None`` without a gate. ``score`` is ``earned / possible``, 0 if nothing is possible.
    """

    earned: Fraction
    possible: Fraction
    by_category: Mapping[str, CategoryTally]
    gate_reached: bool | None
    gate_text: str
    critical: tuple[str, ...]
    score: Fraction


def tally(rubric: Rubric, results: Sequence[Judged]) -> Tally:
    """Adds up ``results``, which stand in the order of the rubric's checks."""
    unit = rubric.unit
    earned = [rubric.earned(i, result.passed, result.earned_tenths) for i, result in enumerate(results)]
    opened = rubric.opens(earned)
    sums: dict[str, list[int]] = {}
    for check, result, worth, gain in zip(rubric.checks, results, rubric.worth, earned, strict=True):
        row = sums.setdefault(check.category, [0, 0, 0, 0])
        row[0] += gain
        row[1] += worth
        row[2 if result.passed else 3] += 1
    critical = tuple([rubric.checks[i].id for i in rubric.critical if not results[i].passed])
    counting = 0 if critical else counted_points(rubric, earned, opened)
    return Tally(
        earned=_points(counting, unit),
        possible=_points(rubric.possible, unit),
        by_category={
            name: CategoryTally(
                _points(gain, unit),
                _points(worth, unit),
                passed,
                failed,
                opened or rubric.gate is None or name == rubric.gate.category,
            )
            for name, (gain, worth, passed, failed) in sums.items()
        },
        gate_reached=opened if rubric.gate is not None else None,
        gate_text=_gate_text(rubric, sums, opened),
        critical=critical,
        score=share(counting, rubric.possible),
    )


def counted_points(rubric: Rubric, earned: Sequence[int], opened: bool) -> int:
    """What counts of ``earned``: all of it, or below the gate only the gate's own category."""
    if opened:
        return sum(earned)
    return sum([earned[i] for i in rubric.ungated])


@lru_cache(maxsize=8192)
def _points(units: int, unit: int) -> Fraction:
    return Fraction(units, unit)


@lru_cache(maxsize=8192)
def share(earned: int, possible: int) -> Fraction:
    """``earned / possible``; 0 if nothing is possible."""
    return Fraction(earned, possible) if possible > 0 else Fraction(0)


def _gate_text(rubric: Rubric, sums: Mapping[str, Sequence[int]], opened: bool) -> str:
    if rubric.gate is None:
        return ""
    earned, possible, _, _ = sums.get(rubric.gate.category, (0, 0, 0, 0))
    said = "gate reached" if opened else "gate not reached"
    return f"{said}: {_shown(earned, rubric.unit)} of {_shown(possible, rubric.unit)}"


def _shown(units: int, unit: int) -> str:
    return str(units) if unit == 1 else number(Fraction(units, unit))


def number(points: int | Fraction) -> str:
    """Points as people read them: ``4``, ``2.5``; a fraction that no short decimal is stays one."""
    value = Fraction(points)
    tenfold = value * 1000
    if value.denominator == 1 or tenfold.denominator != 1:
        return str(value)
    whole, rest = divmod(abs(int(tenfold)), 1000)
    return f"{'-' if value < 0 else ''}{whole}.{rest:03d}".rstrip("0")


def failed_results(rubric: Rubric, reason: str) -> tuple[CheckResult, ...]:
    """Every check as failed: how a run votes that ended in a fault of its pack."""
    said = printable(reason)
    return tuple(
        CheckResult(
            check.id,
            check.type,
            check.category,
            check.points,
            False,
            0 if check.type == "tool_count_score" else None,
            said,
            check.severity,
        )
        for check in rubric.checks
    )
