"""Many recorded runs, judged again on all cores; each world is rendered once per process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .errors import TrajectoryInvalid
from .library import scenario_path
from .penalties import Baseline
from .rescore import outcome_of, same_verdicts
from .rubric import Rubric, rubric_for
from .scenario import Scenario, load_scenario, render_world
from .trajectory import Trajectory, read_trajectory

_CHUNK = 64


class Verdict(NamedTuple):
    """What judging one run again gave; small, since it travels between processes."""

    scenario: str
    pack: str
    run: int
    status: str
    score: str
    recorded: str | None
    same: bool
    world_same: bool
    passed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rescored:
    """One recorded run, judged again.

    ``same`` says that every recorded byte of its verdicts came out again, ``world_same`` that its world did;
    ``passed`` names the checks that pass, ``recorded`` is the score that the run recorded.
    """

    path: Path
    scenario: str
    pack: str
    index: int
    status: str
    score: Fraction
    recorded: Fraction | None
    same: bool
    world_same: bool
    passed: tuple[str, ...]

    @classmethod
    def of(cls, path: Path, verdict: Verdict) -> Rescored:
        """``verdict`` on the run at ``path``."""
        recorded = None if verdict.recorded is None else Fraction(verdict.recorded)
        return cls(path, *verdict[:4], Fraction(verdict.score), recorded, *verdict[6:])


def rescored(paths: Sequence[Path], scenario: Path | None = None, processes: int | None = None) -> Iterator[Rescored]:
    """Judges the runs at ``paths`` in their order, against ``scenario`` or the one they name.

    Raises TrajectoryInvalid, or ScenarioInvalid when a run's scenario cannot be found.
    """
    processes = min(processes or os.cpu_count() or 1, max(1, len(paths) // _CHUNK))
    if processes == 1:
        for path in paths:
            yield Rescored.of(path, _verdict(path, scenario))
        return
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    names = [[str(path) for path in chunk] for chunk in chunks]
    with ProcessPoolExecutor(processes) as pool:
        for chunk, verdicts in zip(chunks, pool.map(_verdicts, names, [scenario] * len(chunks)), strict=True):
            for path, verdict in zip(chunk, verdicts, strict=True):
                yield Rescored.of(path, verdict)


def _verdicts(paths: Sequence[str], scenario: Path | None) -> list[Verdict]:
    return [_verdict(Path(path), scenario) for path in paths]


def _verdict(path: Path, scenario: Path | None) -> Verdict:
    run = read_trajectory(path)
    if run.end is None:
        raise TrajectoryInvalid.of("TRAJECTORY_UNFINISHED", "the run never ended: there is nothing to score", str(path))
    rubric, world, baseline = _rubric_of(run, scenario)
    outcome = outcome_of(run, rubric, baseline)
    return Verdict(
        scenario=run.start["scenario"]["name"],
        pack=run.start["pack"]["name"],
        run=run.start["index"],
        status=run.end["status"],
        score=str(outcome.score),
        recorded=run.end["score"],
        same=same_verdicts(run, outcome),
        world_same=world == run.start["world"],
        passed=tuple([result.id for result in outcome.results if result.passed]),
    )


def _rubric_of(run: Trajectory, scenario: Path | None) -> tuple[Rubric, str, Baseline | None]:
    seed: Mapping[str, str] = run.start["seed"]
    context = tuple(sorted(run.start["user_context"].items()))
    place = scenario if scenario is not None else scenario_path(run.start["scenario"]["name"])
    return rubric_at(place, seed["epoch"], seed["beacon"], context)


@lru_cache(maxsize=32)
def rubric_at(
    path: Path, epoch_seed: str, beacon: str, user_context: tuple[tuple[str, str], ...]
) -> tuple[Rubric, str, Baseline | None]:
    """The rubric of the scenario at ``path`` in the world of these seeds, that world's hash, and its baseline."""
    scenario = _loaded(path)
    world = render_world(scenario, epoch_seed, beacon, dict(user_context))
    return rubric_for(scenario, world), world.sha256, scenario.baseline


@lru_cache(maxsize=32)
def _loaded(path: Path) -> Scenario:
    return load_scenario(path)
