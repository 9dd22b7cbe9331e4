"""The values an epoch is made of: its plan, and the scores that come out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class EpochPlan:
    """What an epoch will ask: known from its number alone, except what the beacon decides.

    ``seed`` and ``beacon`` are 64 hex digits (``beacon`` the hash of the epoch's first block, ``None`` before it
    exists). ``identity`` has the six drawn dimensions. ``scenarios`` are names in the order of their draw;
    ``fact_seeds`` by scenario, empty without beacon; ``run_seeds`` by run index.
    """

    netuid: int
    number: int
    first_block: int
    seed: str
    beacon: str | None
    identity: Mapping[str, str]
    scenarios: tuple[str, ...]
    fact_seeds: Mapping[str, str]
    run_seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ScenarioScore:
    """One scenario's voted score of one content; ``critical`` names the critical checks that failed the vote."""

    scenario: str
    weight: Fraction
    score: Fraction
    critical: tuple[str, ...] = ()
    cost: Fraction = Fraction(0)
    safety: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class PackScore:
    """A content's score over an epoch's scenarios.

    ``exact`` is clamp(mean − ρ·variance), ``steps`` that on the grid q as a whole number of steps; ``trace`` are
    sentences that explain it.
    """

    content: str
    scenarios: tuple[ScenarioScore, ...]
    mean: Fraction
    variance: Fraction
    exact: Fraction
    steps: int
    critical: tuple[str, ...]
    trace: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Award:
    """Who gets what: ``weights`` by hotkey (the owner's included when it burns), summing to 1 or empty.

    ``winner`` is the champion's hotkey or ``None``; ``places`` the hotkeys of first, second, third place;
    ``champions`` everyone who was champion on the way, in Order; ``active`` counts active miners, and ``bootstrap``
    says that they were fewer than the threshold. ``keep_previous`` says that no new weights are set. ``trace`` are
    sentences for a layman; ``why`` one per hotkey.
    """

    winner: str | None
    places: tuple[str, ...]
    weights: Mapping[str, Fraction]
    keep_previous: bool
    trace: tuple[str, ...]
    why: Mapping[str, str]
    champions: tuple[str, ...] = ()
    active: int = 0
    bootstrap: bool = False
