"""Many episodes: stages run N times, voted, written to one folder, and taken up again where they stopped.

A bench's folder holds ``bench.json`` (what was asked for), ``blobs/`` (texts that runs share),
``PACK/SCENARIO/run-K.jsonl`` and ``times.jsonl`` (what was measured by a clock, kept apart from the runs).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import orjson

from .episode import run_episode
from .errors import Infrastructure, InvalidInput
from .models.protocol import Model, closed
from .outcome import RunOutcome
from .penalties import safety_penalty
from .rescore import outcome_of
from .rubric import Voted, decided, vote
from .stage import Stage
from .trajectory import BlobStore, TrajectoryWriter, read_trajectory, recorded_in


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

    @property
    def infra(self) -> tuple[RunOutcome, ...]:
        """The runs that infrastructure ended."""
        return tuple(run for run in self.runs if run.status == "INFRA")


@dataclass(frozen=True, slots=True)
class Unit:
    """One run to be made: a stage and an index."""

    stage: Stage
    index: int


Work = Callable[[Unit], Awaitable[RunOutcome]]


class Executor(Protocol):
    """What runs units: keyed, in any order, as many at a time as it likes. Results are idempotent by unit."""

    def run(self, units: Sequence[Unit], work: Work) -> AsyncIterator[tuple[Unit, RunOutcome]]: ...


@dataclass(frozen=True, slots=True)
class AsyncioExecutor:
    """At most ``concurrency`` units at a time, in this process."""

    concurrency: int = 4

    async def run(self, units: Sequence[Unit], work: Work) -> AsyncIterator[tuple[Unit, RunOutcome]]:
        """Yields each unit with its outcome as it ends."""
        waiting = iter(units)
        done: asyncio.Queue[tuple[Unit, RunOutcome] | BaseException] = asyncio.Queue()

        async def worker() -> None:
            try:
                for unit in waiting:
                    done.put_nowait((unit, await work(unit)))
                    await asyncio.sleep(0)  # a model that never waits must still let progress and Ctrl-C through
            except BaseException as error:
                done.put_nowait(error)
                raise

        workers = [asyncio.create_task(worker()) for _ in range(min(self.concurrency, len(units)))]
        try:
            for _ in units:
                item = await done.get()
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Watch:
    """Callbacks for whoever shows progress; all optional."""

    begun: Callable[[Unit], None] = lambda unit: None
    ended: Callable[[Unit, RunOutcome, bool], None] = lambda unit, outcome, reused: None


@dataclass(slots=True)
class Bench:
    """A folder of runs, and how they are made.

    ``early`` skips runs that can no longer change a vote. ``runs`` is odd.
    """

    folder: Path
    model: Model
    runs: int = 3
    early: bool = False
    executor: Executor = field(default_factory=AsyncioExecutor)
    watch: Watch = field(default_factory=Watch)
    blobs: BlobStore = field(init=False)
    _times: int = field(init=False, default=-1)
    _shared: dict[object, RunOutcome] = field(init=False, default_factory=dict)
    _starts: dict[int, dict[str, Any]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.runs < 1 or self.runs % 2 == 0:
            raise InvalidInput.of("RUNS_EVEN", f"a vote needs an odd number of runs, not {self.runs}", "--runs")
        self.blobs = BlobStore(self.folder / "blobs")

    async def results(self, stages: Sequence[Stage]) -> list[StageOutcome]:
        """Runs every stage and votes; finished runs found in the folder are taken as they are."""
        self._shared.clear()
        self._starts.clear()
        outcomes: dict[int, dict[int, RunOutcome]] = {number: {} for number in range(len(stages))}
        numbers = {id(stage): number for number, stage in enumerate(stages)}
        try:
            for stage in stages:
                (self.folder / stage.name).mkdir(parents=True, exist_ok=True)
            self._times = os.open(self.folder / "times.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            said = f"runs cannot be kept here: {error.strerror}; choose another --out"
            raise InvalidInput.of("OUT_UNUSABLE", said, str(error.filename or self.folder)) from None
        try:
            for wave in self._waves():
                units = [
                    Unit(stage, index)
                    for number, stage in enumerate(stages)
                    if not (self.early and self._decided(stage, outcomes[number]))
                    for index in wave
                ]
                async for unit, outcome in self.executor.run(units, self._work):
                    outcomes[numbers[id(unit.stage)]][unit.index] = self._lean(outcome)
        finally:
            os.close(self._times)
            await closed(self.model)
        return [self._voted(stage, outcomes[number]) for number, stage in enumerate(stages)]

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
            stage, self.model, ordered, vote(stage.rubric, votes, self.runs) if settled else None, self.runs
        )

    async def _work(self, unit: Unit) -> RunOutcome:
        try:
            return await self._made(unit)
        except OSError as error:  # a full disk ends the bench, not the votes: the same command goes on
            said = f"a run cannot be written: {error.strerror}; whole runs are kept"
            raise Infrastructure.of("OUT_WRITE", said, str(self.folder)) from error

    async def _made(self, unit: Unit) -> RunOutcome:
        path = self.folder / unit.stage.name / f"run-{unit.index}.jsonl"
        kept = self._kept(unit, path)
        if kept is not None:
            self.watch.ended(unit, kept, True)
            return kept
        self.watch.begun(unit)
        began = time.monotonic_ns()
        start = self._start(unit)
        with TrajectoryWriter(path) as writer:
            outcome = await run_episode(unit.stage, unit.index, self.model, start, writer.append)
            if outcome.status != "INFRA":
                writer.finish()
        if outcome.status == "INFRA":
            _keep_failed(path)
        self._record_time(unit, outcome, time.monotonic_ns() - began)
        self.watch.ended(unit, outcome, False)
        return outcome

    def _start(self, unit: Unit) -> dict[str, Any]:
        """The payload of the run's first line; what a stage's runs share in it is made once."""
        shared = self._starts.get(id(unit.stage))
        if shared is None:
            shared = self._starts[id(unit.stage)] = unit.stage.start(self.model, self.blobs)
        return unit.stage.started(shared, unit.index)

    def _kept(self, unit: Unit, path: Path) -> RunOutcome | None:
        """The outcome of a finished run of the same unit, or ``None``; another bench's run is an error."""
        for name in (path, path.with_name(path.name + ".zst")):
            if not name.exists():
                continue
            run = read_trajectory(name)
            if not run.whole:
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
                return outcome_of(run, unit.stage.rubric, unit.stage.scenario.baseline)
        return None

    def _record_time(self, unit: Unit, outcome: RunOutcome, nanoseconds: int) -> None:
        record = {
            "unit": unit.stage.unit(unit.index),
            "status": outcome.status,
            "elapsed_us": nanoseconds // 1000,
        }
        os.write(self._times, orjson.dumps(record) + b"\n")


def _keep_failed(path: Path) -> None:
    """Keeps the record of a run that infrastructure ended under a name of its own."""
    part = path.with_name(path.name + ".part")
    attempt = 1
    while (kept := path.with_name(f"failed-{path.stem}-{attempt}.jsonl")).exists():
        attempt += 1
    os.replace(part, kept)


def weighted_mean(outcomes: Sequence[StageOutcome]) -> Fraction:
    """The mean score of stages by their scenarios' weights; 0 if a critical check failed in any, or there are none."""
    total = sum((outcome.stage.scenario.weight for outcome in outcomes), Fraction(0))
    if not total or any(outcome.voted and outcome.voted.tally.critical for outcome in outcomes):
        return Fraction(0)
    return sum((outcome.score * outcome.stage.scenario.weight for outcome in outcomes), Fraction(0)) / total
