"""The majority vote over N odd runs, check by check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from .tally import CheckResult, Rubric, Tally, tally


class VotedResult(NamedTuple):
    """One check after the vote.

    ``votes`` stand in the order of the runs; ``reason`` is what most runs on the winning side gave.
    """

    id: str
    type: str
    category: str
    points: int | Fraction
    passed: bool
    earned_tenths: int | None
    reason: str
    severity: str | None
    votes: tuple[bool, ...]


class Voted(NamedTuple):
    """All checks after the vote, and what they are worth."""

    results: tuple[VotedResult, ...]
    tally: Tally


def vote(rubric: Rubric, runs: Sequence[Sequence[CheckResult]], n: int | None = None) -> Voted:
    """A check passes if more than half of ``n`` runs pass it; parts of points are their median.

    ``runs`` may be fewer than ``n`` once the vote is decided. The outcome does not depend on their order.
    """
    n = len(runs) if n is None else n
    results = tuple(_voted(check, n) for check in zip(*runs, strict=True))
    return Voted(results, tally(rubric, results))


def decided(rubric: Rubric, runs_so_far: Sequence[Sequence[CheckResult]], n: int) -> bool:
    """Whether no run that is still to come, of ``n`` in all, can change any vote."""
    left = n - len(runs_so_far)
    if left <= 0:
        return True
    for index, check in enumerate(rubric.checks):
        results = [run[index] for run in runs_so_far]
        if check.type == "tool_count_score":
            earned = [result.earned_tenths or 0 for result in results]
            full = round(Fraction(check.points * 10))
            if _median(earned + [0] * left) != _median(earned + [full] * left):
                return False
        else:
            passed = sum([result.passed for result in results])
            if not (2 * passed > n or 2 * (len(results) - passed) > n):
                return False
    return True


def _voted(results: Sequence[CheckResult], n: int) -> VotedResult:
    first = results[0]
    votes = tuple([result.passed for result in results])
    tenths = None
    if first.earned_tenths is not None:
        tenths = _median([result.earned_tenths or 0 for result in results] + [0] * (n - len(results)))
        passed = tenths > 0
    else:
        passed = 2 * sum(votes) > n
    return VotedResult(
        first.id,
        first.type,
        first.category,
        first.points,
        passed,
        tenths,
        _representative(results, passed),
        first.severity,
        votes,
    )


def _representative(results: Sequence[CheckResult], passed: bool) -> str:
    reasons = Counter(result.reason for result in results if result.passed == passed)
    return min(reasons.items(), key=lambda item: (-item[1], item[0]))[0] if reasons else results[0].reason


def _median(values: list[int]) -> int:
    return sorted(values)[len(values) // 2]
