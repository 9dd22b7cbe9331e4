"""Many recorded runs, judged again on all cores; each world is rendered once per process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from .errors import TrajectoryInvalid
from .library import scenario_path
from .penalties import Baseline
from .rescore import outcome_of, same_verdicts
from .rubric import CheckResult, Rubric, rubric_for
from .scenario import Scenario, load_scenario, render_world
from .trajectory import Trajectory, read_trajectory

_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Rescored:
    """One recorded run, judged again. ``same`` says that every recorded byte of its verdicts came out again."""

    path: Path
    scenario: str
    pack: str
    index: int
    status: str
    score: Fraction
    recorded: str | None
    same: bool
    world_same: bool
    results: tuple[CheckResult, ...]


def rescored(
    paths: Sequence[Path], scenario: Path | None = None, processes: int | None = None
) -> Iterator[Rescored]:
    """Judges the runs at ``paths`` in their order, against ``scenario`` or the one they name.

    Raises TrajectoryInvalid, or ScenarioInvalid when a run's scenario cannot be found.
    """
    processes = min(processes or os.cpu_count() or 1, max(1, len(paths) // _CHUNK))
    if processes == 1:
        for path in paths:
            yield _rescored(path, scenario)
        return
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    with ProcessPoolExecutor(processes) as pool:
        for results in pool.map(_rescored_chunk, chunks, [scenario] * len(chunks)):
            yield from results


def _rescored_chunk(paths: Sequence[Path], scenario: Path | None) -> list[Rescored]:
    return [_rescored(path, scenario) for path in paths]


def _rescored(path: Path, scenario: Path | None) -> Rescored:
    run = read_trajectory(path)
    if not run.whole:
        raise TrajectoryInvalid.of(
            "TRAJECTORY_UNFINISHED", "the run never ended: there is nothing to score", str(path)
        )
    rubric, world, baseline = _rubric_of(run, scenario)
    outcome = outcome_of(run, rubric, baseline)
    assert run.end is not None
    return Rescored(
        path=path,
        scenario=run.start["scenario"]["name"],
        pack=run.start["pack"]["name"],
        index=run.start["index"],
        status=run.end["status"],
        score=outcome.score,
        recorded=run.end["score"],
        same=same_verdicts(run, outcome),
        world_same=world == run.start["world"],
        results=outcome.results,
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
