"""The runs of an epoch, in rounds: what infrastructure ended is made again, and held against a control.

After a round in which the provider failed on some runs, a run of another content that had completed is made once more:
the control. If it completes, the provider answers, and what failed before it failed alone. A run that has failed alone
as often as the protocol says is the pack's fault (:func:`trajectoryrl.evaluation.provoked`); if no control completes,
the provider is down, and no new weights follow.

Everything is read from the folder of the runs: a validator that was killed goes on in the round that it had come to.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from clawbench.keeping import Keeping

from .durable import file_kept
from .entry import Entry
from .errors import Infrastructure
from .evaluation import (
    Attempt,
    AttemptKey,
    Control,
    Evaluation,
    ScenarioVerdict,
    Setting,
    contents,
    evaluation,
    of_provider,
    stages_of,
    verdict_of,
)
from .faults import reach
from .plan import EpochPlan
from .protocol import Parameters

if TYPE_CHECKING:
    from clawbench.bench import Admission, Bench, Executor, StageOutcome, Unit, Watch
    from clawbench.models.protocol import Model
    from clawbench.pack import Pack
    from clawbench.stage import Stage

_AT_ONCE = 32
_TRIP, _TRIP_PACKS = 8, 8  # a provider is down when so many attempts in a row fail, of so many packs
_CANDIDATES = 4
_FAILED = re.compile(r"failed-run-(\d+)-(\d+)\.jsonl")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The evaluations of an epoch, in their order; ``keep`` is why no new weights may follow from them, or nothing."""

    evaluations: tuple[Evaluation, ...]
    keep: str = ""


@dataclass(frozen=True, slots=True)
class Seams:
    """How runs are made: who runs them, who watches, how one waits, what may refuse to begin one, how they are kept.

    ``closed`` says that the epoch has its award: what is there is voted on, and nothing is made any more; what was not
    begun then has the fault that ``admission`` says.
    ``done`` is called with each evaluation once: when it is decided, or at the end.
    """

    executor: Executor | None = None
    watch: Watch | None = None
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    admission: Admission | None = None
    keeping: Keeping = field(default_factory=Keeping)
    closed: bool = False
    done: Callable[[Evaluation], None] = lambda evaluation: None


async def evaluated(
    entries: Iterable[Entry],
    plan: EpochPlan,
    made: Sequence[Setting],
    model: Model,
    parameters: Parameters,
    folder: Path,
    seams: Seams | None = None,
) -> Evaluated:
    """Every distinct content through ``made``, the epoch's scenarios.

    Runs are kept in ``folder`` and taken up again from there. Memory grows with what is voted, not with what ran.
    """
    rounds = _Rounds(contents(entries, plan.beacon or ""), plan, made, model, parameters, folder, seams or Seams())
    return await rounds.result()


@dataclass(slots=True)
class _Rounds:
    """The state of an epoch's evaluation.

    ``outcomes`` are those of open contents, ``controls`` go by the content that was made again, and ``answered`` says
    whether the provider answered when it was last asked.
    """

    packs: Mapping[str, Pack]
    plan: EpochPlan
    made: Sequence[Setting]
    model: Model
    parameters: Parameters
    folder: Path
    seams: Seams
    open: list[str] = field(init=False)
    outcomes: dict[str, dict[str, StageOutcome]] = field(init=False)
    found: dict[str, Evaluation] = field(init=False, default_factory=dict)
    controls: list[tuple[str, Control]] = field(init=False, default_factory=list)
    covered: set[AttemptKey] = field(init=False, default_factory=set)
    answered: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        self.open = list(self.packs)
        self.outcomes = {content: {} for content in self.packs}

    async def result(self) -> Evaluated:
        """All rounds."""
        await self._earlier_controls()
        if self.seams.closed:
            await self._round(self.parameters.infra_attempts - 1)
        for number in range(0 if self.seams.closed else self.parameters.infra_attempts):
            known = {key for key, _ in self._failures()}
            begun = await self._round(number)
            failed = [
                key
                for key, _ in self._failures()
                if key not in self.covered and (key[3] == number or (known and key not in known))
            ]
            if failed:
                self.answered = await self._control(failed, anew=begun)
                self._judge(self.open)
            if not self.open or number + 1 == self.parameters.infra_attempts or not self._worth_another():
                break
            if begun or failed:
                pause, faults = self._pause(number), self._faults()
                if self.seams.watch is not None:
                    self.seams.watch.waits(len(faults), faults[0], pause)
                await self.seams.sleep(pause)
        for content in self.open:
            self.seams.done(self.found[content])
        return Evaluated(tuple(self._with_controls(self.found[content]) for content in self.packs), self._keep())

    async def _round(self, number: int) -> bool:
        """Every open content once more, as far as its runs failed at most ``number`` times; whether any was begun."""
        from clawbench.bench import Watch

        told = self.seams.watch or Watch()
        begun = 0

        def count(unit: Unit) -> None:
            nonlocal begun
            begun += 1
            told.begun(unit)

        bench = self._bench(replace(told, begun=count), number)
        waiting = self.open
        for start in range(0, len(waiting), _AT_ONCE):
            batch = waiting[start : start + _AT_ONCE]
            stages = [(content, stage) for content in batch for stage in self._stages(content)]
            for (content, stage), outcome in zip(
                stages, await bench.results([stage for _, stage in stages]), strict=True
            ):
                self.outcomes[content][stage.scenario.name] = outcome
            self._judge(batch)
        return begun > 0

    def _stages(self, content: str) -> list[Stage]:
        """A content on every scenario whose vote is open."""
        known = self.found.get(content)
        decided = {row.scenario for row in known.scenarios if row.score is not None} if known is not None else ()
        stages = stages_of(self.packs[content], self.plan, self.made, self.parameters)
        return [stage for stage in stages if stage.scenario.name not in decided]

    def _bench(self, watch: Watch, number: int) -> Bench:
        """The bench of a round. A provider that has just answered is not given up: what fails now may be one pack's."""
        from clawbench.bench import AsyncioExecutor, Bench
        from clawbench.retrying import Retrying

        breaks = number == 0 or not self.answered
        return Bench(
            folder=self.folder,
            model=self.model,
            runs=self.parameters.runs,
            early=True,
            executor=self.seams.executor or AsyncioExecutor(8),
            watch=watch,
            retrying=Retrying(trip=_TRIP if breaks else None, packs=_TRIP_PACKS),
            most_failed=number,
            trusting=True,
            admission=self.seams.admission,
            keeping=self.seams.keeping,
        )

    def _judge(self, among: Iterable[str]) -> None:
        """Votes on what has run so far; what is decided is no longer open."""
        for content in list(among):
            verdicts = [self._verdict(content, outcome) for outcome in self.outcomes[content].values()]
            found = self.found[content] = evaluation(content, self.packs[content].sha256, verdicts, self.parameters)
            if found.score is not None:
                self.open = [other for other in self.open if other != content]
                del self.outcomes[content]
                self.seams.done(found)

    def _verdict(self, content: str, outcome: StageOutcome) -> ScenarioVerdict:
        scenario = outcome.stage.scenario
        mine = {(run, number) for what, name, run, number in self.covered if (what, name) == (content, scenario.name)}
        attempts = _attempts(outcome, self.folder / outcome.stage.name)
        return verdict_of(scenario, outcome.stage.rubric, outcome.runs, attempts, self.parameters, mine)

    def _failures(self) -> Iterator[tuple[AttemptKey, str]]:
        """The newest attempt at every open run that infrastructure ended, if the provider did, and its fault."""
        for content in self.open:
            found = self.found.get(content)
            for verdict in found.scenarios if found is not None else ():
                newest = {attempt.run: attempt for attempt in verdict.attempts}
                for run, attempt in sorted(newest.items()):
                    if attempt.status == "INFRA" and attempt.place is not None and of_provider(attempt.fault):
                        yield (content, verdict.scenario, run, attempt.number), attempt.fault

    # controls

    async def _control(self, failed: Sequence[AttemptKey], *, anew: bool) -> bool:
        """Makes runs of other contents again until one stands after each of ``failed``; whether any completed.

        ``anew``: what an earlier life made of this control began too early to count.
        """
        number = len(list((self.folder / "controls").glob("*.json")))
        if anew:
            shutil.rmtree(self.folder / "controls" / str(number), ignore_errors=True)
        left = list(failed)
        kept: list[dict[str, Any]] = []
        for content, scenario in self._candidates():
            after = [key for key in left if key[0] != content]
            if not after:
                continue
            if await self._completes(number, content, scenario):
                kept.append({"content": content, "scenario": scenario, "after": after})
                left = [key for key in left if key[0] == content]
            if not left:
                break
        if kept:
            _written(self.folder / "controls" / f"{number}.json", orjson.dumps(kept))
            self._take(number, kept)
        return bool(kept)

    def _candidates(self) -> list[tuple[str, str]]:
        """Contents whose first run completed on a scenario; those that nothing failed on come first."""
        found = []
        for content in sorted(self.packs, key=lambda one: one in self.open):
            verdicts = self.found[content].scenarios if content in self.found else ()
            names = [
                verdict.scenario
                for verdict in verdicts
                if any(attempt.run == 0 and attempt.status == "COMPLETED" for attempt in verdict.attempts)
            ]
            found += [(content, name) for name in names[:1]]
        return found[:_CANDIDATES]

    async def _completes(self, number: int, content: str, scenario: str) -> bool:
        """Whether the content's first run on ``scenario`` completes once more; one that is kept is not made again."""
        from clawbench.bench import Bench

        stage = next(
            stage
            for stage in stages_of(self.packs[content], self.plan, self.made, self.parameters)
            if stage.scenario.name == scenario
        )
        bench = Bench(
            folder=self.folder / "controls" / str(number), model=self.model, runs=1, keeping=self.seams.keeping
        )
        (outcome,) = await bench.results([stage])
        return all(run.status == "COMPLETED" for run in outcome.runs)

    async def _earlier_controls(self) -> None:
        """Takes up the controls that an earlier life of this epoch made."""
        number = 0
        while (place := self.folder / "controls" / f"{number}.json").exists():
            for row in _controls_at(place):
                if row["content"] in self.packs and await self._completes(number, row["content"], row["scenario"]):
                    self._take(number, [row])
            number += 1

    def _take(self, number: int, kept: Iterable[dict[str, Any]]) -> None:
        for row in kept:
            content, scenario = row["content"], row["scenario"]
            after: tuple[AttemptKey, ...] = tuple(row["after"])
            pack = self.packs[content]
            place = self.folder / "controls" / str(number) / f"{pack.name}-{pack.sha256[:8]}/{scenario}" / "run-0.jsonl"
            self.controls.append((content, Control(scenario, Attempt(0, number, "COMPLETED", "", place), after)))
            self.covered.update(after)

    def _with_controls(self, found: Evaluation) -> Evaluation:
        """``found`` with its content's controls, each numbered as one more attempt at the run."""
        rows: list[Control] = []
        for content, control in self.controls:
            if content == found.content:
                verdict = next(row for row in found.scenarios if row.scenario == control.scenario)
                made = sum(attempt.run == control.attempt.run for attempt in verdict.attempts)
                made += sum(row.scenario == control.scenario for row in rows)
                rows.append(replace(control, attempt=replace(control.attempt, number=made)))
        return replace(found, controls=tuple(rows)) if rows else found

    # what follows

    def _faults(self) -> list[str]:
        """Why infrastructure ended the newest attempt at each run that votes wait for."""
        rows = [row for content in self.open for row in self.found[content].scenarios if row.score is None]
        newest = [{attempt.run: attempt for attempt in row.attempts} for row in rows]
        return [attempt.fault for runs in newest for attempt in runs.values() if attempt.status == "INFRA"]

    def _worth_another(self) -> bool:
        """Whether another round can end otherwise: not for a bug of ours, nor for a key that never worked."""
        from clawbench.retrying import may_pass

        return any(may_pass(fault) or (self.answered and of_provider(fault)) for fault in self._faults())

    def _pause(self, number: int) -> int:
        waits = self.parameters.infra_retry_seconds
        return waits[min(number, len(waits) - 1)] if waits else 0

    def _keep(self) -> str:
        """Why no new weights may follow from the evaluations, if so."""
        runs = [run for content in self.open for outcome in self.outcomes[content].values() for run in outcome.runs]
        if any(run.fault.startswith("BUDGET") for run in runs):
            return "the budget was spent before every pack had been evaluated"
        if self.open and not self.answered:
            return f"the model's provider did not answer ({self.found[self.open[0]].cause})"
        if self.open and len(self.open) == len(self.packs):
            return f"no pack could be evaluated ({self.found[self.open[0]].cause})"
        return ""


def _attempts(outcome: StageOutcome, place: Path) -> list[Attempt]:
    """Every attempt at the runs of a stage, as its folder has them; a run that was not even begun has its fault."""
    failed: dict[int, list[tuple[int, Path]]] = {}
    for path in place.glob("failed-run-*.jsonl"):
        named = _FAILED.fullmatch(path.name)
        if named:
            failed.setdefault(int(named[1]), []).append((int(named[2]), path))
    ended = {run.index: run for run in outcome.runs}
    attempts = []
    for index in sorted(ended.keys() | failed.keys()):
        run = ended.get(index)
        earlier = [(fault, path) for _, path in sorted(failed.get(index, ())) if (fault := _fault_in(path))]
        attempts += [Attempt(index, n, "INFRA", fault, path) for n, (fault, path) in enumerate(earlier)]
        if run is not None and run.status != "INFRA":
            attempts.append(Attempt(index, len(earlier), run.status, run.fault, place / f"run-{index}.jsonl"))
        elif run is not None and not earlier:  # the provider was known to be down
            attempts.append(Attempt(index, 0, "INFRA", run.fault, None))
    return attempts


def _fault_in(path: Path) -> str:
    """Why infrastructure ended the attempt whose trajectory stands at ``path``; nothing if a power cut tore it."""
    from clawbench.errors import TrajectoryInvalid
    from clawbench.trajectory import read_trajectory

    try:
        end = read_trajectory(path).end
    except TrajectoryInvalid:
        return ""
    return str(end["fault"]) if end else ""


def _controls_at(place: Path) -> list[dict[str, Any]]:
    """The controls that are written at ``place``; none if it was damaged: then nobody is blamed by them."""
    try:
        return [
            {
                "content": str(row["content"]),
                "scenario": str(row["scenario"]),
                "after": [(str(what), str(name), int(run), int(n)) for what, name, run, n in row["after"]],
            }
            for row in orjson.loads(place.read_bytes())
        ]
    except (ValueError, KeyError, TypeError):
        return []


def _written(place: Path, body: bytes) -> None:
    """``body`` at ``place``, durable, whole or not at all. Raises Infrastructure (``OUT_WRITE``)."""
    reach("control.before")
    try:
        file_kept(place, body, lambda: reach("control.part"))
    except OSError as why:
        said = f"a control cannot be written: {why.strerror}; whole runs are kept"
        raise Infrastructure.of("OUT_WRITE", said, str(place)) from why
    reach("control.after")
