"""Exact binomial arithmetic over repeated runs: how reliable a pack is, and how many runs would settle a check."""

from __future__ import annotations

from fractions import Fraction
from math import comb

MOST = 999
"""Beyond this many further runs a check is as good as even."""


def pass_hat(passed: int, runs: int, k: int) -> Fraction:
    """pass^k: the chance that ``k`` runs, drawn from the ``runs`` that were made, all passed: C(c,k) / C(n,k).

    Raises ValueError unless 1 <= k <= runs.
    """
    if not 1 <= k <= runs:
        raise ValueError(f"pass^{k} of {runs} runs")
    return Fraction(comb(passed, k), comb(runs, k))


def vote_passes(share: Fraction, runs: int) -> Fraction:
    """The chance that more than half of ``runs`` independent runs pass, each with probability ``share``."""
    least = runs // 2 + 1
    return sum((comb(runs, k) * share**k * (1 - share) ** (runs - k) for k in range(least, runs + 1)), Fraction(0))


def chance_at_least(passed: int, runs: int) -> Fraction:
    """The chance of ``passed`` or more of ``runs`` when each falls either way like a coin."""
    return Fraction(sum(comb(runs, k) for k in range(passed, runs + 1)), 2**runs)


def settled(passed: int, runs: int) -> bool:
    """Whether a coin would fall so far to one side, either side, in at most 5 % of such series."""
    ahead = max(passed, runs - passed)
    if (2 * ahead - runs) ** 2 < 3 * runs:
        return False  # less than 1.73 deviations: far from it, and not worth adding up
    return 2 * chance_at_least(ahead, runs) <= Fraction(1, 20)


def runs_to_settle(passed: int, runs: int) -> int | None:
    """How many more runs settle a check if they go on like those so far; ``None`` if not even 999 would.

    The total stays odd, since runs vote.
    """
    if settled(passed, runs):
        return 0
    ahead = max(passed, runs - passed)
    for more in range(1, MOST + 1):
        total = runs + more
        if total % 2 and settled(ahead * total // runs, total):
            return more
    return None
