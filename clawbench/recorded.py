"""The runs in a bench's folder, as they were recorded: by scenario, pack and run, with their verdicts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .errors import TrajectoryInvalid
from .models.protocol import Usage
from .trajectory import Trajectory, read_trajectory, recorded_in, trajectory_paths


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One whole run: where it stands, what it was of, and how it was judged when it was made.

    ``checks`` are id → (passed, reason); ``score`` is ``None`` for a run without verdicts.
    """

    path: Path
    scenario: str
    pack: str
    version: str
    sha256: str
    index: int
    model: str
    simulated: bool
    status: str
    success: bool
    score: Fraction | None
    checks: Mapping[str, tuple[bool, str]]
    usage: Usage
    turns: int
    tool_calls: int


def recorded_runs(place: Path) -> list[RecordedRun]:
    """Every whole run at ``place`` (a file or folder), in the order of scenario, pack and run.

    Raises TrajectoryInvalid if there is none, or one cannot be read.
    """
    found = [_summary(path) for path in trajectory_paths([place])]
    if not found:
        raise TrajectoryInvalid.of("RUNS_NONE", "no whole run is in this folder", str(place))
    return sorted(found, key=lambda run: (run.scenario, run.pack, run.sha256, run.index, str(run.path)))


def one_run(place: Path) -> Trajectory:
    """The run at ``place``; raises TrajectoryInvalid if a folder holds none, or several to choose from."""
    paths = list(trajectory_paths([place]))
    if len(paths) == 1:
        return read_trajectory(paths[0])
    if not paths:
        raise TrajectoryInvalid.of("RUNS_NONE", "no whole run is in this folder", str(place))
    said = f"{len(paths)} runs are in this folder: name one, such as {paths[0]}"
    raise TrajectoryInvalid.of("RUNS_SEVERAL", said, str(place))


_FRACTION = re.compile(r"\d{1,60}(/0{0,60}[1-9]\d{0,60})?", re.ASCII)
_NEVER_ENDED: Mapping[str, Any] = {"status": "INTERRUPTED", "score": None, "checks": [], "usage": [], "critical": []}


def _summary(path: Path) -> RecordedRun:
    run = read_trajectory(path)
    with recorded_in(path):
        start: Mapping[str, Any] = run.start
        end: Mapping[str, Any] = run.end or {
            "status": "INTERRUPTED",
            "score": None,
            "checks": [],
            "usage": [],
            "critical": [],
        }
        score = None if end["score"] is None else exact(end["score"])
        gate = str(end.get("gate", ""))
        return RecordedRun(
            path=path,
            scenario=str(start["scenario"]["name"]),
            pack=str(start["pack"]["name"]),
            version=str(start["pack"]["version"]),
            sha256=str(start["pack"]["sha256"]),
            index=int(start["index"]),
            model=str(start["model"]["name"]),
            simulated=bool(start["model"]["simulated"]),
            status=str(end["status"]),
            success=end["status"] == "COMPLETED" and not end["critical"] and "not reached" not in gate,
            score=score,
            checks={str(check["id"]): (bool(check["passed"]), str(check["reason"])) for check in end["checks"]},
            usage=Usage(*map(int, end["usage"])),
            turns=int(end.get("turns", len(run.steps))),
            tool_calls=int(end.get("tool_calls", 0)),
        )


def exact(text: object) -> Fraction:
    """A recorded fraction; raises ValueError for text that is none, or that would take for ever to read."""
    if not isinstance(text, str) or not _FRACTION.fullmatch(text):
        raise ValueError(f"{str(text)[:40]!r} is no fraction")
    return Fraction(text)


def by_stage(runs: Sequence[RecordedRun]) -> dict[tuple[str, str], list[RecordedRun]]:
    """The runs of each scenario and pack; packs that share a name carry the beginning of their hash."""
    hashes: dict[str, set[str]] = {}
    for run in runs:
        hashes.setdefault(run.pack, set()).add(run.sha256)
    found: dict[tuple[str, str], list[RecordedRun]] = {}
    for run in runs:
        label = run.pack if len(hashes[run.pack]) == 1 else f"{run.pack}-{run.sha256[:8]}"
        found.setdefault((run.scenario, label), []).append(run)
    return found
