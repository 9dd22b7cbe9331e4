"""What an epoch will cost, before anything of it is spent: calls, tokens, dollars.

A run's size is measured by playing each scenario once with the offline model and the pack ``careful``, which does all
of the work; runs of the real model, once a ledger has some, take its place. What a run may cost at most follows from
the protocol's limits.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import InvalidInput
from .protocol import Parameters

if TYPE_CHECKING:
    from clawbench.prices import Price

    from .ledger import Ledger, RunRow
    from .settings import Settings

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Size:
    """What is asked of a model: calls, tokens that it reads, tokens that it writes."""

    calls: Fraction = Fraction(0)
    read: Fraction = Fraction(0)
    written: Fraction = Fraction(0)

    def plus(self, other: Size) -> Size:
        """The sum."""
        return Size(self.calls + other.calls, self.read + other.read, self.written + other.written)

    def times(self, factor: Fraction | int) -> Size:
        """So many times that."""
        return Size(self.calls * factor, self.read * factor, self.written * factor)

    @property
    def tokens(self) -> Fraction:
        """Read and written."""
        return self.read + self.written

    def micro(self, price: Price) -> Fraction:
        """Micro-dollars, if nothing comes from the provider's cache."""
        return self.read * price.input + self.written * price.output


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run of each scenario takes, and how many runs of real models that is known from (0: the offline one)."""

    sizes: Mapping[str, Size]
    parameters: Parameters
    measured: int = 0

    def pack(self, scenarios: Iterable[str] | None = None) -> Size:
        """What one pack takes in an epoch of ``scenarios``; by default of those that take most."""
        names = scenarios
        if names is None:
            largest = sorted(self.sizes, key=lambda name: (-self.sizes[name].tokens, name))
            names = largest[: self.parameters.scenarios_per_epoch]
        total = Size()
        for name in names:
            total = total.plus(self.sizes[name])
        return total.times(self.parameters.runs)

    def most(self) -> Size:
        """What one pack can take in an epoch at most, by the protocol's limits; attempts that fail come on top."""
        given = self.parameters
        runs = given.scenarios_per_epoch * given.runs
        written = min(given.max_completion_tokens, given.max_total_tokens)
        read = given.max_total_tokens - written
        return Size(Fraction(given.max_turns), Fraction(read), Fraction(written)).times(runs)

    @property
    def epochs_a_day(self) -> Fraction:
        """How many epochs begin in 24 hours."""
        return Fraction(_DAY, self.parameters.blocks_per_epoch * self.parameters.seconds_per_block)


async def forecast(parameters: Parameters, library: Path, runs: Sequence[RunRow] = ()) -> Forecast:
    """The forecast for the scenarios in ``library``; ``runs`` are completed ones of the model in question."""
    offline = await _played(parameters, library)
    seen: dict[str, list[int]] = {}
    for row in runs:
        if row.status == "COMPLETED" and row.tokens > 0 and row.scenario in offline:
            seen.setdefault(row.scenario, []).append(row.tokens)
    sizes = {
        name: size.times(Fraction(sum(seen[name]), len(seen[name])) / size.tokens) if name in seen else size
        for name, size in offline.items()
    }
    return Forecast(sizes, parameters, sum(map(len, seen.values())))


async def _played(parameters: Parameters, library: Path) -> dict[str, Size]:
    """Every scenario of the pool once, with the offline model."""
    from clawbench.bench import Bench
    from clawbench.models.offline import OfflineModel
    from clawbench.pack import load_pack

    from .epoch import plan
    from .evaluation import settings, stages_of

    made = replace(plan(0, 0, sha256(b"forecast").hexdigest(), parameters), scenarios=tuple(parameters.scenario_pool))
    stages = stages_of(load_pack(library / "packs" / "careful"), made, settings(made, library), parameters)
    with tempfile.TemporaryDirectory(prefix="trajectoryrl-forecast-") as folder:
        outcomes = await Bench(folder=Path(folder), model=OfflineModel(), runs=1).results(stages)
        return {
            outcome.stage.scenario.name: Size(*map(Fraction, (run.turns, run.prompt_tokens, run.completion_tokens)))
            for outcome in outcomes
            for run in outcome.runs
        }


def newest_runs(ledger: Ledger, epochs: int = 6) -> list[RunRow]:
    """The runs of a ledger's newest epochs."""
    return [row for number in ledger.epochs()[-epochs:] for row in ledger.runs_of(number)]


def price_named(model: str) -> Price | None:
    """The price of the model of this name; nothing for one that no provider answers, ``None`` if it is not known."""
    from clawbench.prices import FREE, load_prices

    return FREE if model == "offline" or model.startswith("replay:") else load_prices().named(model)


def most_packs(settings: Settings, known: Forecast, price: Price | None) -> int | None:
    """How many packs an epoch's budget pays for; ``None`` without a budget. Raises InvalidInput."""
    most: list[int] = []
    each = known.pack()
    if settings.budget_tokens:
        most.append(int(settings.budget_tokens // each.tokens))
    micro = budget_micro(settings.budget_usd)
    if micro is not None:
        if price is None:
            said = "the price of the model is not known: give a budget in tokens"
            raise InvalidInput.of("PRICE_UNKNOWN", said, "--budget.usd")
        cost = each.micro(price)
        if cost:
            most.append(int(micro // cost))
    return min(most, default=None)


def budget_micro(text: str) -> Fraction | None:
    """``budget_usd`` in micro-dollars; ``None`` for no budget. Raises InvalidInput."""
    if not text:
        return None
    try:
        amount = Decimal(text) if len(text) <= 20 and text.isascii() else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or not 0 <= amount <= 10**9:
        raise InvalidInput.of("SETTING", f"is an amount in dollars like 12.50, not {text[:40]!r}", "--budget.usd")
    return Fraction(amount) * 1_000_000
