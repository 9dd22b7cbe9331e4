"""What stays on a validator's disk: the newest epochs, a line of earlier ones, and what must never go."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from trajectoryrl.archive import Archive
from trajectoryrl.chain.protocol import Block, Metagraph, Neuron, OnChain
from trajectoryrl.commitment import submission_text
from trajectoryrl.github import bound_name
from trajectoryrl.ledger import Ledger, RunRow
from trajectoryrl.ledgerview import epoch_view
from trajectoryrl.protocol import shipped
from trajectoryrl.records import _copied
from trajectoryrl.retention import Retention, forgotten
from trajectoryrl.snapshot import Snapshot, snapshot_json
from trajectoryrl.validator import _previous_winner, _unfinished

from .ledgers import made_ledger

KEEP, LINES = 3, 4
COMMIT = f"{7:040x}"


async def ended(ledger: Ledger, number: int, *, winner: str | None = "5Alice", neurons: int = 256) -> None:
    """An epoch that ended: with weights of its own if it had a winner."""
    first = Block(number * 1200, f"{number:064x}", 1000 * number)
    graph = tuple(Neuron(uid, f"5Miner{uid:042}", f"5Cold{uid:043}", 0, False, True, 0) for uid in range(neurons))
    said = OnChain("5Miner", submission_text("Owner/pack", COMMIT, "ab" * 32), 5)
    await ledger.epoch(number, snapshot_json(Snapshot(number, first, Metagraph(11, 1, graph, "o"), {"5Miner": said})))
    await ledger.submission(number, "5Miner", {"kind": "rejection", "evidence": [f"{number:064x}"]})
    await ledger.run(RunRow(number, "c", "inbox", 0, 0, "COMPLETED", "", "t", 1, 0))
    await ledger.verdict(number, "c", {"exact": "1"})
    award = {"winner": winner, "keep_previous": winner is None, "keep": "", "weights": {"5Alice": "1"}}
    await ledger.award(number, {**award, "trace": ["x" * 900], "why": {"5Alice": "wins"}, "places": []})
    if winner is not None:
        await ledger.weights(number, 0, "PLANNED", {"weights": {"1": 65535}, "version_key": 1})
        for attempt in range(5):
            await ledger.weights(number, attempt, "SUBMITTED", {"head": attempt})
        await ledger.weights(number, 4, "CONFIRMED", {"block": number * 1200 + 9})
    await ledger.record(number, f"{number:064x}", f"/records/epoch-{number}")


async def lived(ledger: Ledger, epochs: range, **how: Any) -> None:
    """Epochs that ended, each followed by what retention does."""
    for number in epochs:
        await ended(ledger, number, **how)
        await ledger.forget(KEEP, LINES)


def size_of(ledger: Ledger) -> int:
    """The database's bytes, free pages included."""
    ledger._writes.execute("pragma wal_checkpoint(truncate)")
    return ledger.path.stat().st_size


def test_of_older_epochs_a_line_is_kept_and_then_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        asyncio.run(lived(ledger, range(1, 21)))
        assert ledger.epochs() == list(range(14, 21))
        for number in range(18, 21):
            assert "graph" in (ledger.inputs_of(number) or {})
            assert len(ledger.runs_of(number)) == len(ledger.verdicts_of(number)) == 1
            assert len(ledger.weights_of(number)) == 7
        for number in range(14, 18):
            assert ledger.inputs_of(number) == {"first_block": number * 1200, "submissions": 1}
            assert ledger.award_of(number) == {"winner": "5Alice", "keep_previous": False, "weights": {"5Alice": "1"}}
            assert [row.state for row in ledger.weights_of(number)] == ["PLANNED", "CONFIRMED"]
            assert ledger.record_of(number) == (f"{number:064x}", "")
            assert (ledger.runs_of(number), ledger.verdicts_of(number), ledger.submissions_of(number)) == ([], {}, {})
        view = epoch_view(ledger, 15, shipped())
        assert (view.state, view.first_block, view.submitted, view.winner) == ("recorded", 18000, 1, "5Alice")
        assert (view.weights, view.forgotten) == ("set in block 18009", True)


def test_what_it_takes_to_go_on_is_kept_however_old_it_is(tmp_path: Path) -> None:
    async def live(ledger: Ledger) -> None:
        await lived(ledger, range(1, 3))
        await lived(ledger, range(3, 40), winner=None)
        for number in range(40, 60):
            await ledger.epoch(number, {"skipped": "joined late"})
            await ledger.forget(KEEP, LINES)

    with Ledger(tmp_path / "ledger.db") as ledger:
        asyncio.run(live(ledger))
        assert ledger.epochs() == [2, 39, *range(53, 60)]
        assert _previous_winner(ledger, 60) == "5Alice"
        assert [(row.state, row.at) for row in ledger.weights_of(2)] == [
            ("PLANNED", {"weights": {"1": 65535}, "version_key": 1}),
            ("CONFIRMED", {"block": 2409}),
        ]
        assert ledger.record_of(39) == (f"{39:064x}", "")
        assert _unfinished(ledger) == []


def test_an_epoch_that_has_not_ended_stays_whole(tmp_path: Path) -> None:
    async def live(ledger: Ledger) -> None:
        await ledger.epoch(1, {"graph": {}, "first": {"number": 1}, "submitted": []})
        await ledger.submission(1, "5Miner", {"evidence": []})
        await ledger.run(RunRow(1, "c", "inbox", 0, 0, "COMPLETED", "", "t", 1, 0))
        await ledger.award(1, {"winner": None, "keep_previous": True, "weights": {}, "trace": []})
        await lived(ledger, range(2, 30))

    with Ledger(tmp_path / "ledger.db") as ledger:
        asyncio.run(live(ledger))
        assert _unfinished(ledger) == [1]
        assert "graph" in (ledger.inputs_of(1) or {})
        assert len(ledger.runs_of(1)) == len(ledger.submissions_of(1)) == 1
        assert "trace" in (ledger.award_of(1) or {})


def test_the_database_uses_freed_pages_again(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        asyncio.run(lived(ledger, range(1, 30)))
        size = size_of(ledger)
        asyncio.run(lived(ledger, range(30, 90)))
        assert size_of(ledger) == size


def test_a_line_is_less_than_half_a_kilobyte(tmp_path: Path) -> None:
    async def live(ledger: Ledger, epochs: range) -> int:
        for number in epochs:
            await ended(ledger, number)
            await ledger.forget(KEEP)
        return size_of(ledger)

    with Ledger(tmp_path / "ledger.db") as ledger:
        before = asyncio.run(live(ledger, range(1, 60)))
        assert (asyncio.run(live(ledger, range(60, 160))) - before) / 100 < 512


def test_a_ledger_that_kept_every_epochs_inputs_shrinks_in_place(tmp_path: Path) -> None:
    async def live(ledger: Ledger) -> None:
        for number in range(1, 30):
            await ended(ledger, number)
        await ledger.forget(KEEP, LINES)

    with Ledger(tmp_path / "ledger.db") as ledger:
        asyncio.run(live(ledger))
        assert ledger.epochs() == list(range(23, 30))
        assert sum("graph" in (ledger.inputs_of(number) or {}) for number in ledger.epochs()) == KEEP
        (free,) = ledger._all("pragma freelist_count")[0]
        (pages,) = ledger._all("pragma page_count")[0]
        assert free > pages // 2


def test_runs_go_with_the_next_record_and_records_after_so_many(tmp_path: Path) -> None:
    place = made_ledger(tmp_path)
    for number in range(1, 31):
        (tmp_path / "runs" / str(number)).mkdir(parents=True)
        for folder in ("records", "published"):
            (tmp_path / folder / f"epoch-{number}" / "evidence").mkdir(parents=True)
    for name in ("mine", "epoch-x", ".epoch-1.gone", "epoch-2.part"):
        (tmp_path / "published" / name).mkdir()

    async def forget(keep: int) -> None:
        with Ledger(place) as ledger:
            await forgotten(
                Retention(keep), 30, ledger=ledger, archive=Archive(tmp_path / "evidence"), runs=tmp_path / "runs",
                records=(tmp_path / "records", tmp_path / "published", tmp_path / "missing"),
            )  # fmt: skip

    asyncio.run(forget(24))
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["30"]
    newest = {f"epoch-{number}" for number in range(7, 31)}
    assert {path.name for path in (tmp_path / "records").iterdir()} == newest
    assert {path.name for path in (tmp_path / "published").iterdir()} == {"mine", "epoch-x"} | newest
    asyncio.run(forget(1))
    # Until the chain is told of the newest record, it names the one before.
    assert {path.name for path in (tmp_path / "records").iterdir()} == {"epoch-29", "epoch-30"}


def test_a_copy_that_was_torn_is_made_again(tmp_path: Path) -> None:
    source, to = tmp_path / "epoch-1", tmp_path / "published" / "epoch-1"
    for name in ("packs", "evidence", "trajectories"):
        (source / name).mkdir(parents=True)
    (source / "manifest.json").write_bytes(b"{}")
    torn = to.with_name("epoch-1.part")
    torn.mkdir(parents=True)
    (torn / "half").write_bytes(b"")
    _copied(source, to)
    assert sorted(path.name for path in to.iterdir()) == ["evidence", "manifest.json", "packs", "trajectories"]
    assert [path.name for path in to.parent.iterdir()] == ["epoch-1"]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """What the forge said about a commit that stands on chain, and about one that nobody names any more."""
    found = Archive(tmp_path / "evidence")
    for who, repository, commit in (("5Miner", "owner/pack", COMMIT), ("5Gone", "gone/pack", f"{8:040x}")):
        about = bound_name(who, repository)
        shown, row, file = (found.keep(f"{who} {what}".encode()) for what in ("shown", "row", "file"))
        latest = found.keep(f"{who} latest".encode())
        found.establish("repository", about, {"id": 1})
        found.establish("gone", about, {"ms": 1})
        found.replace("seen", about, {"id": 1, "evidence": [latest]})
        found.establish("push", f"1:{commit}", {"ms": 1, "evidence": [shown, row]})
        found.establish("file", f"1:{commit}", {"sha256": file, "committer": [1]})
        found.keep(f"{who} in passing".encode())
    return found


def responses(archive: Archive) -> set[bytes]:
    """The bodies that are kept."""
    return {path.read_bytes() for path in archive.folder.glob("responses/*/*")}


def test_who_came_first_is_never_forgotten_and_what_nothing_names_is(archive: Archive, tmp_path: Path) -> None:
    async def forget(ledger: Ledger) -> None:
        await ended(ledger, 5)
        archive.keep(b"named by a submission")
        name = archive.keep(b"named by another")
        await ledger.submission(5, "5Bobby", {"evidence": [name]})
        await forgotten(Retention(KEEP), 5, ledger=ledger, archive=archive, runs=tmp_path / "runs", records=())

    (archive.folder / "responses" / "aa").mkdir(parents=True, exist_ok=True)
    (archive.folder / "responses" / "aa" / "torn.1.part").write_bytes(b"x")
    (archive.folder / "facts" / "push" / "torn.1.part").write_bytes(b"x")
    with Ledger(tmp_path / "ledger.db") as ledger:
        asyncio.run(forget(ledger))
    kinds = ("repository", "push", "seen", "gone", "file")
    kept = {kind: sorted(fact["about"] for fact in archive.facts(kind)) for kind in kinds}
    standing = bound_name("5Miner", "Owner/pack")
    assert kept["repository"] == sorted([standing, bound_name("5Gone", "gone/pack")])
    assert kept["push"] == sorted([f"1:{COMMIT}", f"1:{8:040x}"])
    assert kept["seen"] == kept["gone"] == [standing]
    assert kept["file"] == [f"1:{COMMIT}"]
    proof = {b"5Miner shown", b"5Miner row", b"5Gone shown", b"5Gone row"}
    assert responses(archive) == proof | {b"5Miner latest", b"5Miner file", b"named by another"}
    assert not list(archive.folder.rglob("*.part"))


def test_a_fact_that_cannot_be_read_stops_nothing(archive: Archive) -> None:
    place = next(archive.folder.glob("facts/push/*.json"))
    place.write_bytes(b"{")
    assert len(list(archive.facts("push"))) == 1
    archive.keep_only({orjson.loads(b'"none"')})
    assert responses(archive) == set()
