"""The journal: every fact once, durable when said, and there after a kill."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from trajectoryrl.errors import LedgerUnusable
from trajectoryrl.ledger import Ledger, RunRow


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def _row(run: int, *, attempt: int = 0, status: str = "COMPLETED", epoch: int = 7, content: str = "c") -> RunRow:
    return RunRow(epoch, content, "inbox", run, attempt, status, "", f"{run:064x}", 1200, 35)


def test_every_fact_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    async def write(ledger: Ledger) -> None:
        await ledger.epoch(7, {"block": 8400, "beacon": "ab"})
        await ledger.submission(7, "hot", {"code": "DUPLICATE"})
        await ledger.run(_row(0))
        await ledger.verdict(7, "c", {"exact": "9/10"})
        await ledger.award(7, {"winner": "hot"})
        await ledger.weights(7, 0, "PLANNED", {"1": 65535})
        await ledger.record(7, "f" * 64, "records/7")

    with Ledger(tmp_path / "ledger.db") as ledger:
        _run(write(ledger))
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert ledger.epochs() == [7]
        assert ledger.inputs_of(7) == {"block": 8400, "beacon": "ab"}
        assert ledger.submissions_of(7) == {"hot": {"code": "DUPLICATE"}}
        assert ledger.runs_of(7) == [_row(0)]
        assert ledger.verdicts_of(7) == {"c": {"exact": "9/10"}}
        assert ledger.award_of(7) == {"winner": "hot"}
        assert [(row.state, row.at) for row in ledger.weights_of(7)] == [("PLANNED", {"1": 65535})]
        assert ledger.record_of(7) == ("f" * 64, "records/7")
        assert (ledger.inputs_of(8), ledger.award_of(8), ledger.record_of(8)) == (None, None, None)


def test_a_fact_written_again_changes_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        _run(ledger.award(7, {"winner": "first"}))
        _run(ledger.award(7, {"winner": "second"}))
        _run(ledger.run(_row(0)))
        _run(ledger.run(_row(0, status="INFRA")))
        assert ledger.award_of(7) == {"winner": "first"}
        assert [row.status for row in ledger.runs_of(7)] == ["COMPLETED"]


def test_what_infrastructure_broke_is_kept_and_not_finished(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        _run(ledger.run(_row(0, status="INFRA")))
        _run(ledger.run(_row(0, attempt=1)))
        _run(ledger.run(_row(1, status="INFRA")))
        _run(ledger.run(_row(2, status="PACK_FAULT")))
        assert ledger.finished(7) == {("c", "inbox", 0), ("c", "inbox", 2)}
        assert [(row.run, row.attempt) for row in ledger.runs_of(7, "c")] == [(0, 0), (0, 1), (1, 0), (2, 0)]


def test_weights_are_told_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        for attempt, state in ((0, "PLANNED"), (0, "SUBMITTED"), (1, "PLANNED"), (1, "CONFIRMED"), (1, "SUBMITTED")):
            _run(ledger.weights(7, attempt, state, {}))  # type: ignore[arg-type]
        told = [(row.attempt, row.state) for row in ledger.weights_of(7)]
        assert told == [(0, "PLANNED"), (0, "SUBMITTED"), (1, "PLANNED"), (1, "SUBMITTED"), (1, "CONFIRMED")]


def test_a_second_validator_in_the_same_folder_is_refused_and_readers_are_not(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        _run(ledger.award(1, {}))
        with pytest.raises(LedgerUnusable) as raised:
            Ledger(tmp_path / "ledger.db")
        assert raised.value.code == "LEDGER_LOCKED"
        reader = Ledger(tmp_path / "ledger.db", read_only=True)
        assert reader.award_of(1) == {}
        reader.close()


def test_a_file_that_is_no_ledger_or_of_another_version_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to look like something" * 40)
    with pytest.raises(LedgerUnusable):
        Ledger(tmp_path / "text.db")
    with pytest.raises(LedgerUnusable):
        Ledger(tmp_path / "missing.db", read_only=True)
    with Ledger(tmp_path / "old.db") as ledger:
        ledger._writes.execute("pragma user_version=99")
    with pytest.raises(LedgerUnusable) as raised:
        Ledger(tmp_path / "old.db")
    assert raised.value.code == "LEDGER_SCHEMA"


def test_many_facts_at_once_are_all_durable(tmp_path: Path) -> None:
    async def write(ledger: Ledger) -> None:
        await asyncio.gather(*(ledger.run(_row(number)) for number in range(2000)))

    with Ledger(tmp_path / "ledger.db") as ledger:
        _run(write(ledger))
        assert len(ledger.finished(7)) == 2000


_CHILD = """
import asyncio, sys
from trajectoryrl.ledger import Ledger, RunRow

async def main():
    ledger = Ledger(sys.argv[1])
    for number in range(100000):
        await ledger.run(RunRow(1, "c", "s", number, 0, "COMPLETED", "", "t", 0, 0))
        print(number, flush=True)

asyncio.run(main())
"""


def test_what_was_said_to_be_durable_is_there_after_a_kill(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(place)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = -1
    for line in child.stdout:
        said = int(line)
        if said >= 60:
            os.kill(child.pid, signal.SIGKILL)
            break
    said = max([said, *map(int, child.stdout.read().split("\n")[:-1])])
    child.stdout.close()
    child.wait()
    with Ledger(place) as ledger:
        there = {run for _, _, run in ledger.finished(1)}
    assert there >= set(range(said + 1))
    assert there == set(range(len(there)))
