"""Small texts that every view shares."""

from __future__ import annotations

import re
from fractions import Fraction

from ..errors import Problem
from ..verdict import printable

__all__ = ["PATTERN", "decimal", "printable", "shown_problem", "votes_text"]

PATTERN = re.compile("the answer does not match /.*")
"""The part of a reason that only who wrote the scenario can read."""


def shown_problem(problem: Problem) -> str:
    """A problem on one line: where, what, and its stable code."""
    return printable(str(problem), 600)


def decimal(value: Fraction, places: int = 2) -> str:
    """A non-negative fraction as decimal text, rounded half up."""
    scale = 10**places
    steps = (2 * value.numerator * scale + value.denominator) // (2 * value.denominator)
    whole, rest = divmod(steps, scale)
    return f"{whole}.{rest:0{places}d}" if places else str(whole)


def votes_text(votes: tuple[bool, ...], runs: int) -> str:
    """``✓✓✗``, with ``·`` for runs that were skipped because the vote was decided."""
    return "".join("✓" if vote else "✗" for vote in votes) + "·" * (runs - len(votes))
