"""Whatever the last thing was that a validator did: started again, it ends the epoch with the same bytes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from trajectoryrl import faults
from trajectoryrl.faults import POINTS, VARIABLE, Crash, crash_at

from .reference import Left, asked, left, live, whole_runs

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


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Left, Counter[str]]:
    """What the epoch leaves when nothing happens, and how often each point was reached."""
    reached: Counter[str] = Counter()
    faults.arm(lambda name: reached.update([name]))
    folder = tmp_path_factory.mktemp("undisturbed")
    live(folder)
    return left(folder), reached


def test_the_reference_epoch_reaches_every_point(undisturbed: tuple[Left, Counter[str]]) -> None:
    what, reached = undisturbed
    assert set(reached) == set(POINTS)
    assert (what.weights, what.told, len(what.runs)) == (1, 1, 6)
    assert what.published == what.manifest


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_changes_nothing(point: str, undisturbed: tuple[Left, Counter[str]], tmp_path: Path) -> None:
    expected, reached = undisturbed
    for occurrence in sorted({1, reached[point]}):
        folder = tmp_path / str(occurrence)
        folder.mkdir()
        faults.arm(crash_at(point, occurrence))
        with pytest.raises(Crash):
            live(folder)
        faults.arm(None)
        _ends_the_same(folder, expected)


def _ends_the_same(folder: Path, expected: Left, *, by: object = live) -> None:
    finished, before = whole_runs(folder), len(asked(folder))
    assert callable(by)
    by(folder)
    again = finished & set(asked(folder)[before:])
    assert not again, "runs that were whole were made again"
    assert left(folder) == expected


def _child(folder: Path, fault: str = "") -> int:
    """The exit status of a life in a process of its own."""
    environment = {**os.environ, VARIABLE: fault}
    words = [sys.executable, "-m", "tests.faults.child", str(folder)]
    place = Path(__file__).parent.parent.parent
    return subprocess.run(words, env=environment, cwd=place, check=False, timeout=120).returncode


@pytest.mark.parametrize("point", POINTS if os.environ.get("SOAK") else KILLED)
def test_a_killed_process_goes_on(point: str, undisturbed: tuple[Left, Counter[str]], tmp_path: Path) -> None:
    expected, reached = undisturbed
    middle = (reached[point] + 1) // 2
    assert _child(tmp_path, f"{point}:{middle}:kill") == -signal.SIGKILL
    _ends_the_same(tmp_path, expected)


def test_the_environment_asks_for_a_crash_by_name(tmp_path: Path) -> None:
    assert _child(tmp_path, "no.such.point:1:kill") == 0
    assert left(tmp_path).weights == 1


def test_the_documentation_has_every_point() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `([a-z]+)\.` \| ([^|]+) \|", text, re.MULTILINE)
    assert {f"{family}.{name}" for family, names in rows for name in re.findall(r"`([a-z._]+)`", names)} == set(POINTS)
