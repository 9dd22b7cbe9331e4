"""What stays on a validator's disk: the newest epochs, their runs, and what must never go."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

from trajectoryrl.ledger import Ledger
from trajectoryrl.records import Records

from .ledgers import made_ledger


def test_runs_go_with_the_next_record_and_records_after_so_many_epochs(tmp_path: Path) -> None:
    place = made_ledger(tmp_path)
    for number in range(1, 31):
        (tmp_path / "runs" / str(number)).mkdir(parents=True)
        (tmp_path / "records" / f"epoch-{number}").mkdir(parents=True)
        (tmp_path / "published" / f"epoch-{number}").mkdir(parents=True)
    (tmp_path / "records" / "mine").mkdir()
    with Ledger(place) as ledger:
        nothing = cast(Any, None)
        records = Records(
            nothing, nothing, tmp_path / "records", tmp_path / "runs", nothing, nothing, ledger,
            tmp_path / "published", 24,
        )  # fmt: skip
        asyncio.run(records._forget(27))
        assert ledger.runs_of(2) == []
        assert ledger.submissions_of(2) == {}
        assert len(ledger.submissions_of(3)) == 5
        assert ledger.award_of(2) is not None
        assert ledger.record_of(2) is not None
        assert [row.state for row in ledger.weights_of(2)] == ["PLANNED", "SUBMITTED", "CONFIRMED"]
    assert {int(path.name) for path in (tmp_path / "runs").iterdir()} == set(range(27, 31))
    kept = {path.name for path in (tmp_path / "records").iterdir()}
    assert kept == {"mine", *(f"epoch-{number}" for number in range(3, 31))}
    assert len(list((tmp_path / "published").iterdir())) == 30


def test_the_ledger_uses_freed_pages_again(tmp_path: Path) -> None:
    place = made_ledger(tmp_path)

    async def lives(ledger: Ledger, epochs: range) -> int:
        for number in epochs:
            for miner in range(8):
                await ledger.submission(number, f"5M{miner}", {"pack": "x" * 8000})
            await ledger.forget_before(number - 3)
        ledger._writes.execute("pragma wal_checkpoint(truncate)")
        return place.stat().st_size

    with Ledger(place) as ledger:
        size = asyncio.run(lives(ledger, range(10, 30)))
        assert asyncio.run(lives(ledger, range(30, 90))) == size
