"""Many recorded runs, judged again on all cores; each world is rendered once per process."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .errors import TrajectoryInvalid
from .library import scenario_path
from .penalties import Baseline
from .rescore import outcome_of, same_verdicts
from .rubric import Rubric, rubric_for
from .scenario import Scenario, load_scenario, render_world
from .trajectory import Trajectory, read_trajectory, recorded_in

_CHUNK = 64


class Rescored(NamedTuple):
    """One recorded run, judged again; small, since it travels between processes.

    ``score`` and ``recorded`` are fractions as text, now and then. ``same`` says that every recorded byte of its
    verdicts came out again, ``world_same`` that its world did; ``passed`` names the checks that pass.
    """

    path: str
    scenario: str
    pack: str
    run: int
    status: str
    score: str
    recorded: str | None
    same: bool
    world_same: bool
    passed: tuple[str, ...]


def rescored(paths: Sequence[Path], scenario: Path | None = None, processes: int | None = None) -> Iterator[Rescored]:
    """Judges the runs at ``paths`` in their order, against ``scenario`` or the one they name.

    Raises TrajectoryInvalid, or ScenarioInvalid when a run's scenario cannot be found.
    """
    processes = min(processes or os.cpu_count() or 1, max(1, len(paths) // _CHUNK))
    names = [str(path) for path in paths]
    if processes == 1:
        for name in names:
            yield _rescored(name, scenario)
        return
    chunks = [names[start : start + _CHUNK] for start in range(0, len(names), _CHUNK)]
    with ProcessPoolExecutor(processes, initializer=collect_rarely) as pool:
        for rows in pool.map(_rescored_chunk, chunks, [scenario] * len(chunks)):
            yield from rows


def collect_rarely() -> None:
    """Decoding makes many objects and no cycles: looking for some after every 700 is time lost."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _rescored_chunk(names: Sequence[str], scenario: Path | None) -> list[Rescored]:
    return [_rescored(name, scenario) for name in names]


def _rescored(name: str, scenario: Path | None) -> Rescored:
    run = read_trajectory(Path(name))
    if run.end is None:
        raise TrajectoryInvalid.of("TRAJECTORY_UNFINISHED", "the run never ended: there is nothing to score", name)
    with recorded_in(name):
        rubric, world, baseline = rubric_of(run, scenario)
        outcome = outcome_of(run, rubric, baseline)
        return Rescored(
            path=name,
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


def rubric_of(run: Trajectory, scenario: Path | None = None) -> tuple[Rubric, str, Baseline | None]:
    """The rubric that ``run`` names, or ``scenario``'s, in the world of its seeds; that world's hash; a baseline."""
    seed: Mapping[str, str] = run.start["seed"]
    context = tuple(sorted(run.start["user_context"].items()))
    place = scenario if scenario is not None else _named(run.start["scenario"]["name"])
    return rubric_at(place, seed["epoch"], seed["beacon"], context)


def _named(name: str) -> Path:
    """The scenario of this name; a record may name one, and no path."""
    if not name.replace("_", "").replace("-", "").isalnum():
        raise ValueError(f"{name[:80]!r} is no scenario's name")
    return scenario_path(name)


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
