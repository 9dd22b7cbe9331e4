"""Many episodes: stages run N times, voted, written to one folder, and taken up again where they stopped.

A bench's folder holds ``blobs/`` (texts that runs share), ``PACK/SCENARIO/run-K.jsonl``, attempts that infrastructure
ended as ``failed-run-K-N.jsonl``, runs found torn as
``broken-run-K-N.jsonl``, and ``times.jsonl`` (what was measured by a clock, kept apart from the runs).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import orjson

from .episode import run_episode
from .errors import Infrastructure, InvalidInput, TrajectoryInvalid
from .executor import AsyncioExecutor, Executor, Unit, Work
from .keeping import Keeping, folder_synced
from .models.protocol import Model, closed
from .outcome import RunOutcome
from .penalties import safety_penalty
from .prices import Price
from .rescore import outcome_of, recorded_outcome
from .retrying import Breaker, Retrying, worth_retrying
from .rubric import Voted, decided, vote
from .stage import Stage
from .trajectory import BlobStore, TrajectoryWriter, read_ends, read_trajectory, recorded_in

__all__ = [
    "Admission",
    "AsyncioExecutor",
    "Bench",
    "Executor",
    "StageOutcome",
    "Unit",
    "Watch",
    "Work",
    "failed_attempt",
    "weighted_mean",
]

# What a power cut can leave under a run's name; any other fault of a record is told, not mended.
_TORN = frozenset({"TRAJECTORY_EMPTY", "TRAJECTORY_JSON", "TRAJECTORY_RECORD", "TRAJECTORY_ORDER"})


@dataclass(frozen=True, slots=True, repr=False)  # asyncio writes out a task's result when it ends: keep that short
class StageOutcome:
    """A stage after its runs: what was voted, from which runs, and which were skipped as decided.

    ``voted`` is ``None`` while a vote is undecided for want of runs that completed (INFRA, or interrupted).
    """

    stage: Stage
    model: Model
    runs: tuple[RunOutcome, ...]
    voted: Voted | None
    asked: int
    price: Price | None = None

    @property
    def skipped(self) -> int:
        """Runs that were not made because they could not change a vote."""
        return self.asked - len(self.runs)

    @property
    def score(self) -> Fraction:
        """The voted score, 0 when undecided."""
        return self.voted.tally.score if self.voted is not None else Fraction(0)

    @property
    def cost(self) -> Fraction:
        """The mean cost penalty of the runs that voted; reported only."""
        voting = [run.cost for run in self.runs if run.results]
        return sum(voting, Fraction(0)) / len(voting) if voting else Fraction(0)

    @property
    def safety(self) -> Fraction:
        """The safety penalty of the vote; reported only."""
        return safety_penalty(self.voted.results) if self.voted is not None else Fraction(0)

    def paid(self, *runs: RunOutcome) -> Fraction | None:
        """Micro-dollars that ``runs`` (all of the stage's by default) cost; ``None`` if the price is not known."""
        if self.price is None:
            return None
        return sum((self.price.of(run.usage) for run in runs or self.runs), Fraction(0))

    @property
    def infra(self) -> tuple[RunOutcome, ...]:
        """The runs that infrastructure ended."""
        return tuple(run for run in self.runs if run.status == "INFRA")


@dataclass(frozen=True, slots=True)
class Watch:
    """Callbacks for whoever shows progress; all optional.

    ``waits`` is told of how many runs, why, and for how many seconds, before they are tried again. ``broken`` is told
    where a run that was found torn is kept from now on, and why it is made again.
    """

    begun: Callable[[Unit], None] = lambda unit: None
    ended: Callable[[Unit, RunOutcome, bool], None] = lambda unit, outcome, reused: None
    waits: Callable[[int, str, float], None] = lambda runs, fault, seconds: None
    broken: Callable[[Path, str], None] = lambda kept, why: None


class Admission(Protocol):
    """What may keep a run from being begun: a budget."""

    async def admitted(self, unit: Unit) -> str:
        """The fault for which the run is not begun, or ``""``; once begun, it is to be :meth:`left`."""
        ...

    def left(self, unit: Unit, outcome: RunOutcome | None) -> None:
        """The run has ended, with ``outcome`` if it came to one."""
        ...


@dataclass(slots=True)
class Bench:
    """A folder of runs, and how they are made.

    ``early`` skips runs that can no longer change a vote. ``runs`` is odd. ``only_failed`` begins no run but those
    whose last attempt was ended by infrastructure, ``most_failed`` none of which more attempts than that were.
    ``price`` is the model's, if known: it is reported, no more. ``keeping`` says whether runs survive a power cut;
    ``trusting`` takes the verdicts of whole runs as they were recorded, and no effects, where others judge again.
    """

    folder: Path
    model: Model
    runs: int = 3
    early: bool = False
    executor: Executor = field(default_factory=AsyncioExecutor)
    watch: Watch = field(default_factory=Watch)
    retrying: Retrying = field(default_factory=Retrying)
    only_failed: bool = False
    most_failed: int | None = None
    trusting: bool = False
    admission: Admission | None = None
    price: Price | None = None
    keeping: Keeping = field(default_factory=Keeping)
    blobs: BlobStore = field(init=False)
    _times: int = field(init=False, default=-1)
    _shared: dict[object, RunOutcome] = field(init=False, default_factory=dict)
    _starts: dict[int, dict[str, Any]] = field(init=False, default_factory=dict)
    _making: dict[str, asyncio.Future[RunOutcome]] = field(init=False, default_factory=dict)
    _breaker: Breaker = field(init=False)

    def __post_init__(self) -> None:
        if self.runs < 1 or self.runs % 2 == 0:
            raise InvalidInput.of("RUNS_EVEN", f"a vote needs an odd number of runs, not {self.runs}", "--runs")
        self.blobs = BlobStore(self.folder / "blobs", self.keeping)
        self._breaker = Breaker(self.retrying.trip, self.retrying.packs)

    async def results(self, stages: Sequence[Stage]) -> list[StageOutcome]:
        """Runs every stage and votes; finished runs found in the folder are taken as they are."""
        self._shared.clear()
        self._starts.clear()
        outcomes: dict[str, dict[int, RunOutcome]] = {stage.name: {} for stage in stages}
        self._breaker.packs = min(self.retrying.packs, len({stage.pack.sha256 for stage in stages}))
        if len(outcomes) < len(stages):
            raise InvalidInput.of("STAGE_TWICE", "a pack stands twice on one scenario: their runs share a folder")
        try:
            self._make_folders(stages)
            self._times = os.open(self.folder / "times.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            said = f"runs cannot be kept here: {error.strerror}; choose another --out"
            raise InvalidInput.of("OUT_UNUSABLE", said, str(error.filename or self.folder)) from None
        try:
            for wave in self._waves():
                open_stages = [s for s in stages if not (self.early and self._decided(s, outcomes[s.name]))]
                units = [Unit(stage, index) for stage in open_stages for index in wave if self._wanted(stage, index)]
                await self._rounds(units, outcomes)
        finally:
            os.close(self._times)
            await closed(self.model)
        return [self._voted(stage, outcomes[stage.name]) for stage in stages]

    def _make_folders(self, stages: Sequence[Stage]) -> None:
        """A folder for the runs of each stage. Raises OSError."""
        made = [folder for stage in stages if not (folder := self.folder / stage.name).exists()]
        for folder in made:
            folder.mkdir(parents=True, exist_ok=True)
        if self.keeping.durable and made:
            for above in sorted({folder.parent for folder in made} | {self.folder, self.folder.parent}):
                folder_synced(above)
        self.keeping.at("folders")

    async def _rounds(self, units: Sequence[Unit], outcomes: dict[str, dict[int, RunOutcome]]) -> None:
        """Makes ``units``; those that infrastructure ended are made again together, after a pause."""
        for finished in range(self.retrying.attempts):
            if finished:
                pause = self.retrying.pause(finished)
                fault = outcomes[units[0].stage.name][units[0].index].fault
                self.watch.waits(len(units), fault, pause)
                await self.retrying.sleep(pause)
                self._breaker.close()
            async for unit, outcome in self.executor.run(units, self._work):
                outcomes[unit.stage.name][unit.index] = self._lean(outcome)
            units = [
                unit
                for unit in units
                if worth_retrying(outcomes[unit.stage.name][unit.index])
                and not (self.early and self._decided(unit.stage, outcomes[unit.stage.name]))
            ]
            if not units:
                return

    def _wanted(self, stage: Stage, index: int) -> bool:
        """Whether the run is asked for: all are, unless only failed ones are, or it failed too often.

        A whole one always is: it costs nothing."""
        if not self.only_failed and self.most_failed is None:
            return True
        path = self.folder / stage.name / f"run-{index}.jsonl"
        if path.exists() or _zst(path).exists():
            return True
        if self.only_failed and not failed_attempt(path, 1).exists():
            return False
        return self.most_failed is None or not failed_attempt(path, self.most_failed + 1).exists()

    def _lean(self, outcome: RunOutcome) -> RunOutcome:
        """The outcome without its answer, which is on disk, sharing what an earlier run had equal: a bench's memory
        grows with what its runs differ in."""
        first = self._shared.setdefault((outcome.results, outcome.effects), outcome)
        return replace(outcome, answer="", results=first.results, effects=first.effects, tally=first.tally)

    def _waves(self) -> list[list[int]]:
        """Run indices in the order they are made; early stopping looks at the votes between waves."""
        if not self.early:
            return [list(range(self.runs))]
        majority = self.runs // 2 + 1
        return [list(range(majority)), *([index] for index in range(majority, self.runs))]

    def _decided(self, stage: Stage, runs: dict[int, RunOutcome]) -> bool:
        votes = [run.results for _, run in sorted(runs.items()) if run.results]
        return bool(votes) and decided(stage.rubric, votes, self.runs)

    def _voted(self, stage: Stage, runs: dict[int, RunOutcome]) -> StageOutcome:
        ordered = tuple(run for _, run in sorted(runs.items()))
        votes = [run.results for run in ordered if run.results]
        settled = len(votes) == self.runs or (votes and decided(stage.rubric, votes, self.runs))
        return StageOutcome(
            stage, self.model, ordered, vote(stage.rubric, votes, self.runs) if settled else None, self.runs, self.price
        )

    async def _work(self, unit: Unit) -> RunOutcome:
        """The outcome of ``unit``; asked for twice at a time, it is made once."""
        key = unit.key
        made = self._making.get(key)
        if made is not None:
            return await asyncio.shield(made)
        made = self._making[key] = asyncio.get_running_loop().create_future()
        try:
            outcome = await self._made(unit)
        except OSError as error:  # a full disk ends the bench, not the votes: the same command goes on
            said = f"a run cannot be written: {error.strerror}; whole runs are kept"
            raise Infrastructure.of("OUT_WRITE", said, str(self.folder)) from error
        else:
            made.set_result(outcome)
            return outcome
        finally:
            made.cancel()  # whoever waited for what failed ends with it
            del self._making[key]

    async def _made(self, unit: Unit) -> RunOutcome:
        path = self.folder / unit.stage.name / f"run-{unit.index}.jsonl"
        kept = self._kept(unit, path)
        if kept is not None:
            if self.admission is not None:
                self.admission.left(unit, kept)
            self.watch.ended(unit, kept, True)
            return kept
        if await self._breaker.open():
            return _not_begun(
                unit, f"PROVIDER_DOWN: not begun, for the attempts before it failed: {self._breaker.fault}"
            )
        outcome: RunOutcome | None = None
        fault = await self.admission.admitted(unit) if self.admission is not None else ""
        if fault:
            outcome = _not_begun(unit, fault)
            self.watch.ended(unit, outcome, False)
            return outcome
        self._breaker.began()
        try:
            outcome = await self._attempt(unit, path)
        finally:
            self._breaker.left(unit.stage.pack.sha256, outcome)
            if self.admission is not None:
                self.admission.left(unit, outcome)
        self.watch.ended(unit, outcome, False)
        return outcome

    async def _attempt(self, unit: Unit, path: Path) -> RunOutcome:
        """One run, written to ``path``, or kept beside it if infrastructure ended it."""
        self.watch.begun(unit)
        began = time.monotonic_ns()
        start = self._start(unit)
        with TrajectoryWriter(path, self.keeping) as writer:
            outcome = await run_episode(unit.stage, unit.index, self.model, start, writer.append)
            failed = _next_failed(path) if outcome.status == "INFRA" else None
            if self.keeping.durable:  # a slow disk holds up this run only
                await asyncio.to_thread(writer.finish, failed)
            else:
                writer.finish(failed)
        self._record_time(unit, outcome, time.monotonic_ns() - began)
        return outcome

    def _start(self, unit: Unit) -> dict[str, Any]:
        """The payload of the run's first line; what a stage's runs share in it is made once."""
        shared = self._starts.get(id(unit.stage))
        if shared is None:
            shared = self._starts[id(unit.stage)] = unit.stage.start(self.model, self.blobs)
        return unit.stage.started(shared, unit.index)

    def _kept(self, unit: Unit, path: Path) -> RunOutcome | None:
        """The outcome of a finished run of the same unit, or ``None``; another bench's run is an error."""
        for name in (path, _zst(path)):
            if not name.exists():
                continue
            try:
                run = read_ends(name) if self.trusting else read_trajectory(name)
            except TrajectoryInvalid as error:
                if error.code not in _TORN:
                    raise
                self._put_aside(name, error.code)
                continue
            with recorded_in(name):
                expected = (unit.stage.unit(unit.index), self.model.name, self.model.version)
                model = run.start["model"]
                sampling = unit.stage.sampling
                same = (run.start["unit"], model["name"], model["version"]) == expected and run.start["sampling"] == {
                    "temperature": sampling.temperature,
                    "max_tokens": sampling.max_tokens,
                }
                if not same:
                    raise InvalidInput.of(
                        "OUT_HOLDS_ANOTHER_BENCH",
                        "this run was made from another pack, scenario, seed or model; choose another --out",
                        str(name),
                    )
                if not run.whole:
                    self._put_aside(name, "TRAJECTORY_TORN")
                    continue
                known = recorded_outcome(run, unit.stage.rubric) if self.trusting else None
                if known is not None:
                    return known
                run = read_trajectory(name) if self.trusting else run
                return outcome_of(run, unit.stage.rubric, unit.stage.scenario.baseline)
        return None

    def _put_aside(self, path: Path, why: str) -> None:
        """Keeps a torn run out of the way of the one made in its place; it is no attempt, and no record tells of it."""
        number = 1
        run, _, ending = path.name.partition(".")
        while (kept := path.with_name(f"broken-{run}-{number}.{ending}")).exists():
            number += 1
        self.keeping.at("aside.before")
        os.replace(path, kept)
        self.keeping.at("aside.after")
        self.watch.broken(kept, why)

    def _record_time(self, unit: Unit, outcome: RunOutcome, nanoseconds: int) -> None:
        record = {
            "unit": unit.stage.unit(unit.index),
            "status": outcome.status,
            "elapsed_us": nanoseconds // 1000,
        }
        os.write(self._times, orjson.dumps(record) + b"\n")


def failed_attempt(path: Path, number: int) -> Path:
    """Where attempt ``number`` (from 1) of the run that belongs at ``path`` is kept if infrastructure ended it."""
    return path.with_name(f"failed-{path.stem}-{number}.jsonl")


def _next_failed(path: Path) -> Path:
    """Where the next attempt of the run that belongs at ``path`` is kept if infrastructure ends it."""
    attempt = 1
    while (kept := failed_attempt(path, attempt)).exists():
        attempt += 1
    return kept


def _zst(path: Path) -> Path:
    return path.with_name(path.name + ".zst")


def _not_begun(unit: Unit, fault: str) -> RunOutcome:
    """A run that was not even tried, for want of something that is no fault of the pack."""
    none = Fraction(0)
    return RunOutcome(unit.index, "INFRA", fault, "", (), None, (), 0, 0, 0, 0, none, none)


def weighted_mean(outcomes: Sequence[StageOutcome]) -> Fraction:
    """The mean score of stages by their scenarios' weights; 0 if a critical check failed in any, or there are none."""
    total = sum((outcome.stage.scenario.weight for outcome in outcomes), Fraction(0))
    if not total or any(outcome.voted and outcome.voted.tally.critical for outcome in outcomes):
        return Fraction(0)
    return sum((outcome.score * outcome.stage.scenario.weight for outcome in outcomes), Fraction(0)) / total
