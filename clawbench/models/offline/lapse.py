"""Lapses: what makes one run differ from the next, drawn from the seed and the name of a decision."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from clawbench.draws import draw

PER_UNIT = 500  # chance of a lapse per decision at temperature 1, in 1/10,000; at 0.7 it is 3.5 %


@dataclass(frozen=True, slots=True)
class Attention:
    """How attentive one run is. Equal seeds and temperatures lapse at the same decisions."""

    seed: int
    per_10_000: int

    @classmethod
    def at(cls, seed: int, temperature: str) -> Attention:
        """The attention at a temperature: no lapse at 0 or below, nor for text that is no number."""
        try:
            value = Decimal(temperature)
        except InvalidOperation:
            value = Decimal(0)
        return cls(seed, int(min(value, Decimal(10)) * PER_UNIT) if value.is_finite() and value > 0 else 0)

    def slips(self, decision: str) -> bool:
        """Whether this decision is one that the run gets wrong by inattention."""
        label = f"lapse:{decision}".encode("utf-8", "replace").decode()
        return self.per_10_000 > 0 and draw(str(self.seed), label, 10_000) < self.per_10_000
