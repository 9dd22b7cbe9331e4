"""The validator's real outside: an epoch's runs on a model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import orjson

from .clock import Clock
from .entry import Entry
from .evaluation import Attempt, Evaluation, contents, settings
from .faults import reach
from .ledger import Ledger, RunRow
from .plan import EpochPlan
from .protocol import Parameters
from .reached import ReachedModel
from .rounds import Seams, evaluated

if TYPE_CHECKING:
    from clawbench.bench import Admission, Unit, Watch
    from clawbench.budget import Budget
    from clawbench.models.protocol import Model, Usage
    from clawbench.outcome import RunOutcome
    from clawbench.prices import Price


@dataclass(frozen=True, slots=True)
class Runs:
    """Evaluates an epoch's entries on a model; runs stand in ``folder`` until the epoch is sealed.

    What infrastructure broke is run again after the protocol's waits, until the epoch has its award. ``most_contents``
    is how many distinct contents the operator's budget pays for by forecast: an epoch of more is not begun, and no new
    weights follow from it. ``budget`` is what it may really spend: nothing is begun beyond it, and no new weights
    follow from what is missing. ``price`` turns tokens into dollars, if it is known. ``tell`` is told
    ``model_answered``, ``run_ended``, ``run_torn`` for a run that a power cut tore and that is made again,
    ``evaluated`` for each content once, and ``runs_wait`` before runs that infrastructure ended are made again.
    """

    model: Model
    parameters: Parameters
    library: Path
    folder: Path
    ledger: Ledger
    clock: Clock
    concurrency: int = 16
    most_contents: int | None = None
    tell: Callable[..., None] = lambda event, **fields: None
    budget: Budget | None = None
    price: Price | None = None

    async def __call__(self, plan: EpochPlan, entries: Sequence[Entry]) -> tuple[Sequence[Evaluation], str]:
        """The evaluations of all distinct contents, and why no weights may follow, if so."""
        from clawbench.bench import AsyncioExecutor
        from clawbench.keeping import Keeping

        assert plan.beacon is not None
        awarded = self.ledger.award_of(plan.number) is not None
        distinct = len(contents(entries, plan.beacon))
        if self.most_contents is not None and distinct > self.most_contents:
            paid = f"{self.most_contents} {'pack' if self.most_contents == 1 else 'packs'}"
            return (), f"the budget pays for {paid}, and there are {distinct}"
        if not distinct:
            return (), ""
        place = self.folder / str(plan.number)
        model, admission = self._metered(place)
        seams = Seams(
            executor=AsyncioExecutor(self.concurrency),
            watch=_watch(self.tell),
            sleep=self.clock.sleep,
            admission=_Ended(self.ledger.runs_of(plan.number)) if awarded else admission,
            keeping=Keeping(durable=True, at=lambda step: reach(f"bench.{step}")),
            closed=awarded,
            done=self._tell_of,
        )
        made = settings(plan, self.library)
        found = await evaluated(entries, plan, made, model, self.parameters, place, seams)
        await self._written_down(plan.number, found.evaluations)
        return found.evaluations, found.keep

    def _tell_of(self, evaluation: Evaluation) -> None:
        """Tells of a content that is decided, or was left undecided at the end."""
        score = str(evaluation.score.exact) if evaluation.score is not None else None
        self.tell("evaluated", content=evaluation.content, score=score, cause=evaluation.cause)

    def _metered(self, place: Path) -> tuple[Model, Admission | None]:
        """The model, and what keeps runs within the budget; what an earlier life of the epoch has spent counts."""
        from clawbench.budget import Budgets
        from clawbench.budget import Ledger as Accounts
        from clawbench.models.metered import MeteredModel, journalled

        model = ReachedModel(self.model, self.tell)
        if not self.budget:
            return model, None
        journal = place / "calls.jsonl"
        accounts = Accounts(Budgets(bench=self.budget), self.price, journalled(journal))
        return MeteredModel(model, accounts, journal), accounts

    async def _written_down(self, number: int, found: Sequence[Evaluation]) -> None:
        made = await asyncio.to_thread(_made, found)
        rows = [
            RunRow(
                number,
                content,
                scenario,
                attempt.run,
                attempt.number,
                attempt.status,
                attempt.fault[:200],
                made[attempt.place].sha256,
                made[attempt.place].usage.prompt + made[attempt.place].usage.completion,
                round(self.price.of(made[attempt.place].usage)) if self.price is not None else 0,
            )
            for content, scenario, attempt in _attempts(found)
        ]
        await asyncio.gather(*(self.ledger.run(row) for row in rows))
        for evaluation in found:
            score = evaluation.score
            said = {
                "cause": evaluation.cause,
                "exact": str(score.exact) if score is not None else None,
                "scenarios": {row.scenario: str(row.score.score) for row in evaluation.scenarios if row.score},
                "trace": [*_blamed(evaluation), *(score.trace if score is not None else ())],
            }
            await self.ledger.verdict(number, evaluation.content, said)


def _blamed(evaluation: Evaluation) -> Iterator[str]:
    """Which runs count as failed because the provider failed on them alone."""
    for row in evaluation.scenarios:
        if row.provoked:
            runs = f"{'run' if len(row.provoked) == 1 else 'runs'} {', '.join(map(str, row.provoked))}"
            fault = next(attempt.fault for attempt in reversed(row.attempts) if attempt.run == row.provoked[-1])
            yield (
                f"{row.scenario}: {runs} counted as failed: the provider failed on every attempt, while runs of other "
                f"packs completed after each ({fault[:120]})"
            )


class _Ended:
    """Admits no run: the epoch has its award, which a provider that answers again must not contradict."""

    def __init__(self, rows: Sequence[RunRow]) -> None:
        self._faults = {(row.content, row.scenario, row.run): row.fault for row in rows}

    async def admitted(self, unit: Unit) -> str:
        """Why the run was not begun when it was time."""
        from clawbench.likeness import content_hash

        key = (content_hash(unit.stage.pack), unit.stage.scenario.name, unit.index)
        return self._faults.get(key) or "AWARDED: not begun, for the epoch has its award"

    def left(self, unit: Unit, outcome: RunOutcome | None) -> None:
        """Nothing is counted."""


def _watch(tell: Callable[..., None]) -> Watch:
    """Reaches the points of runs, and tells of those that ended, and of those that were found torn."""
    from clawbench.bench import Watch

    def ended(unit: Unit, outcome: RunOutcome, reused: bool) -> None:
        reach("run.ended")
        tell("run_ended", run=f"{unit.stage.name}/{unit.index}", status=outcome.status, reused=reused)

    def broken(kept: Path, why: str) -> None:
        tell("run_torn", place=str(kept), why=why)

    def waits(runs: int, fault: str, seconds: float) -> None:
        tell("runs_wait", runs=runs, why=fault[:200], seconds=seconds)

    return Watch(begun=lambda unit: reach("run.begun"), ended=ended, waits=waits, broken=broken)


def _attempts(found: Sequence[Evaluation]) -> Iterator[tuple[str, str, Attempt]]:
    """Every attempt with its content and scenario, controls included."""
    for evaluation in found:
        for verdict in evaluation.scenarios:
            yield from ((evaluation.content, verdict.scenario, attempt) for attempt in verdict.attempts)
        yield from ((evaluation.content, control.scenario, control.attempt) for control in evaluation.controls)


class _Made(NamedTuple):
    """What an attempt left: the name of its trajectory in the record, and what it took by the model's count."""

    sha256: str
    usage: Usage


def _made(found: Sequence[Evaluation]) -> dict[Path | None, _Made]:
    """What every attempt left, by the place of its trajectory."""
    return {place: _made_at(place) for place in {attempt.place for _, _, attempt in _attempts(found)}}


def _made_at(place: Path | None) -> _Made:
    from clawbench.models.protocol import Usage
    from clawbench.trajectory import PAYLOAD

    try:
        body = place.read_bytes() if place is not None else b""
    except OSError:
        body = b""
    name = sha256(body).hexdigest() if body else ""
    try:
        last = body.rstrip(b"\n").rpartition(b"\n")[2]
        return _Made(name, Usage(*map(int, orjson.loads(last)[PAYLOAD]["usage"])))
    except (ValueError, KeyError, TypeError):
        return _Made(name, Usage())
