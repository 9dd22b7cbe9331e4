"""Whatever the last thing was that a validator did: started again, it ends the epoch with the same bytes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from trajectoryrl import faults
from trajectoryrl.faults import POINTS, VARIABLE, Crash, crash_at

from .reference import FAILING, Left, asked, forge, left, live, whole_runs

KILLED = (
    "archive.write.part",
    "chain.commit.after",
    "chain.set_weights.after",
    "ledger.awards.after",
    "ledger.commit",
    "ledger.weights.after",
    "model.reply.after",
    "publish.copy.part",
    "record.renamed",
    "run.ended",
)
"""Where `make test` kills a process; `make soak` does it everywhere."""


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    faults.arm(None)
    yield
    faults.arm(None)


@pytest.fixture(scope="module", autouse=True)
def _forge() -> Iterator[None]:
    with forge():
        yield


@dataclass(frozen=True)
class Undisturbed:
    """What the epoch leaves when nothing happens, and how often each point was reached.

    ``told`` are the events that were logged. ``verified`` is the epoch as it stood when all was verified and no run
    begun; ``later`` is what is reached only after that.
    """

    left: Left
    reached: Counter[str]
    told: frozenset[str]
    verified: Path
    later: frozenset[str]

    def begun(self, point: str, folder: Path) -> None:
        """Makes ``folder`` an epoch before ``point``: nothing is fetched again for what comes long after it."""
        if point in self.later:
            shutil.copytree(self.verified, folder)
        else:
            folder.mkdir()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder, verified = tmp_path_factory.mktemp("undisturbed"), tmp_path_factory.mktemp("copies") / "verified"
    reached: Counter[str] = Counter()
    earlier: set[str] = set()

    def hook(name: str) -> None:
        if name == "bench.folders" and not reached[name]:
            shutil.copytree(folder, verified)
            earlier.update(reached)
        reached[name] += 1

    faults.arm(hook)
    live(folder)
    told = frozenset(orjson.loads(line)["event"] for line in (folder / "log.jsonl").read_bytes().splitlines())
    return Undisturbed(left(folder), reached, told, verified, frozenset(set(reached) - earlier))


def test_the_reference_epoch_reaches_every_point(undisturbed: Undisturbed) -> None:
    what = undisturbed.left
    assert set(undisturbed.reached) == set(POINTS)
    assert (what.weights, what.told, len(what.runs)) == (1, 2, 6)
    line = "{'first_block': 0, 'submissions': 0}, {'keep_previous': True, 'weights': {}, 'winner': None}"
    assert what.past == f"[{line}, ('{'cd' * 32}', '')]"
    assert what.published == what.manifest
    assert {"run_torn", "run_ended", "model_answered", "evaluating", "waiting"} <= undisturbed.told
    (failed,) = [
        attempt
        for row in orjson.loads(what.manifest)["evaluations"]
        for scenario in row["scenarios"]
        for attempt in scenario["attempts"]
        if attempt["status"] == "INFRA"
    ]
    assert (failed["run"], failed["attempt"]) == (FAILING, 0)


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_changes_nothing(point: str, undisturbed: Undisturbed, tmp_path: Path) -> None:
    for occurrence in sorted({1, undisturbed.reached[point]}):
        folder = tmp_path / str(occurrence)
        undisturbed.begun(point, folder)
        faults.arm(crash_at(point, occurrence))
        with pytest.raises(Crash):
            live(folder)
        faults.arm(None)
        _ends_the_same(folder, undisturbed.left)


def _ends_the_same(folder: Path, expected: Left, *, by: object = live) -> None:
    finished, controls, before = whole_runs(folder), whole_runs(folder, controls=True), len(asked(folder))
    assert callable(by)
    by(folder)
    controlled = whole_runs(folder, controls=True) - controls  # which is asking for a whole run once more
    again = (finished - controlled) & set(asked(folder)[before:])
    assert not again, "runs that were whole were made again"
    assert left(folder) == expected


def _child(folder: Path, fault: str = "") -> int:
    """The exit status of a life in a process of its own."""
    environment = {**os.environ, VARIABLE: fault}
    words = [sys.executable, "-m", "tests.faults.child", str(folder)]
    place = Path(__file__).parent.parent.parent
    return subprocess.run(words, env=environment, cwd=place, check=False, timeout=120).returncode


@pytest.mark.parametrize("point", POINTS if os.environ.get("SOAK") else KILLED)
def test_a_killed_process_goes_on(point: str, undisturbed: Undisturbed, tmp_path: Path) -> None:
    middle = (undisturbed.reached[point] + 1) // 2
    assert _child(tmp_path, f"{point}:{middle}:kill") == -signal.SIGKILL
    _ends_the_same(tmp_path, undisturbed.left)


def test_the_environment_asks_for_a_crash_by_name(tmp_path: Path) -> None:
    assert _child(tmp_path, "no.such.point:1:kill") == 0
    assert left(tmp_path).weights == 1


def test_the_documentation_has_every_point() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `([a-z]+)\.` \| ([^|]+) \|", text, re.MULTILINE)
    assert {f"{family}.{name}" for family, names in rows for name in re.findall(r"`([a-z._]+)`", names)} == set(POINTS)
