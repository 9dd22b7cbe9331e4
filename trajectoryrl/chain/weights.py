"""Weights as the chain keeps them: whole numbers, the largest share being 65,535."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

LARGEST = 65_535


def as_u16(shares: Mapping[int, Fraction]) -> dict[int, int]:
    """Shares by uid, scaled so that the largest is 65,535 and rounded half up; zeros are left out."""
    largest = max(shares.values(), default=Fraction(0))
    if largest <= 0:
        return {}
    scaled = {uid: int(share * LARGEST / largest + Fraction(1, 2)) for uid, share in sorted(shares.items())}
    return {uid: weight for uid, weight in scaled.items() if weight > 0}
