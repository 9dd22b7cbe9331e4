"""What a bench would take before anything is spent: calls, tokens, dollars, and what they are estimated from."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .episode import run_episode
from .models.offline import OfflineModel
from .models.protocol import Usage
from .outcome import RunOutcome
from .prices import Price
from .recorded import RecordedRun
from .stage import Stage


@dataclass(frozen=True, slots=True)
class Estimate:
    """One stage: runs that are still to be made, and what one takes.

    ``calls`` of the model and ``usage`` are of one run, ``worst`` of the dearest one that was recorded. ``source`` says
    what they come from.
    """

    stage: Stage
    runs: int
    calls: Fraction
    read: Fraction
    written: Fraction
    worst: Usage
    source: str

    def tokens(self) -> Fraction:
        """Tokens of all runs."""
        return self.runs * (self.read + self.written)

    def micro(self, price: Price) -> Fraction:
        """Micro-dollars of all runs, none of them read from a provider's cache."""
        return self.runs * (self.read * price.input + self.written * price.output)

    def at_most(self, price: Price) -> Fraction:
        """Micro-dollars if every run were like the dearest one."""
        return self.runs * price.of(Usage(self.worst.prompt, self.worst.completion))


class _Nowhere:
    """A place for texts that nobody will read again."""

    def put(self, text: bytes) -> str:
        return ""


def estimated(stages: Sequence[Stage], runs: Mapping[str, int], recorded: Sequence[RecordedRun]) -> list[Estimate]:
    """An estimate per stage; ``runs`` says by a stage's name how many are to be made.

    Recorded runs of the same pack count, else those of the scenario, else one run of the offline model, raised to what
    the scenario calls usual.
    """
    found = []
    for stage in stages:
        of_scenario = [run for run in recorded if run.scenario == stage.scenario.name and run.turns]
        of_pack = [run for run in of_scenario if run.sha256 == stage.pack.sha256]
        if of_pack:
            found.append(_from_recorded(stage, runs[stage.name], of_pack, "recorded runs of this pack"))
        elif of_scenario:
            found.append(_from_recorded(stage, runs[stage.name], of_scenario, "recorded runs of other packs"))
        else:
            found.append(_from_offline(stage, runs[stage.name]))
    return found


def _from_recorded(stage: Stage, runs: int, recorded: Sequence[RecordedRun], source: str) -> Estimate:
    count = len(recorded)
    dearest = max(recorded, key=lambda run: (run.usage.prompt + run.usage.completion, run.index))
    return Estimate(
        stage,
        runs,
        Fraction(sum(run.turns for run in recorded), count),
        Fraction(sum(run.usage.prompt for run in recorded), count),
        Fraction(sum(run.usage.completion for run in recorded), count),
        dearest.usage,
        f"{count} {source}" + (" (simulated)" if any(run.simulated for run in recorded) else ""),
    )


def _from_offline(stage: Stage, runs: int) -> Estimate:
    outcome = asyncio.run(_offline_run(stage))
    usage, source = (
        Usage(outcome.prompt_tokens, outcome.completion_tokens),
        "an offline run (simulated: a real model may take more)",
    )
    usual = stage.scenario.baseline.tokens if stage.scenario.baseline is not None else 0
    taken = usage.prompt + usage.completion
    if taken < usual:  # in the proportion of the offline run
        written = usual * usage.completion // taken if taken else usual // 10
        usage, source = Usage(usual - written, written), "the scenario's baseline"
    return Estimate(
        stage, runs, Fraction(outcome.turns), Fraction(usage.prompt), Fraction(usage.completion), usage, source
    )


async def _offline_run(stage: Stage) -> RunOutcome:
    model = OfflineModel()
    lines: list[Any] = []
    start = stage.started(stage.start(model, _Nowhere()), 0)  # type: ignore[arg-type]
    return await run_episode(stage, 0, model, start, lines.append)
