"""A power cut takes what was not synced, and nothing that somebody was told of."""

from __future__ import annotations

import asyncio
import errno
import shutil
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from unittest import mock

import pytest

from clawbench.errors import Infrastructure
from clawbench.keeping import Keeping
from clawbench.models.protocol import Reply, Request
from clawbench.models.script import ScriptModel
from clawbench.trajectory import TrajectoryWriter, read_trajectory
from tests.golden import GOLDEN
from tests.stages import says, tiny_stage
from trajectoryrl.archive import Archive
from trajectoryrl.errors import LedgerUnusable, RecordInvalid
from trajectoryrl.ledger import Ledger
from trajectoryrl.record import _times
from trajectoryrl.records import _copied
from trajectoryrl.rounds import _written

from .disk import DISK, Disk, LedgerImage, watched
from .world import Luck

LUCKS = range(24)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    (tmp_path / "disk").mkdir()
    found = Disk(tmp_path / "disk", Luck("disk"))
    DISK.set(found)
    with watched():
        yield found
    DISK.set(None)


def cuts(disk: Disk, kept: Path) -> Iterator[None]:
    """The folder after a power cut, for one luck after the other."""
    shutil.copytree(disk.root, kept)
    synced, renamed = dict(disk.synced), dict(disk.renamed)
    for number in LUCKS:
        disk.luck = Luck(f"cut:{number}")
        disk.renamed = dict(renamed)
        disk.cut()
        yield
        shutil.rmtree(disk.root)
        shutil.copytree(kept, disk.root)
        disk.synced = dict(synced)


def test_what_was_never_synced_comes_out_in_every_way(disk: Disk, tmp_path: Path) -> None:
    (disk.root / "file").write_bytes(b"12345678" * 8)
    seen: Counter[str] = Counter()
    for _ in cuts(disk, tmp_path / "kept"):
        path = disk.root / "file"
        body = path.read_bytes() if path.exists() else None
        seen["none" if body is None else "whole" if body == b"12345678" * 8 else "torn" if body else "empty"] += 1
    assert set(seen) == {"none", "whole", "torn", "empty"}


def test_evidence_that_was_kept_survives(disk: Disk, tmp_path: Path) -> None:
    archive = Archive(disk.root / "evidence")
    name = archive.keep(b"what the host said")
    archive.establish("push", "7:abc", {"ms": 5})
    archive.replace("seen", "7", {"id": 1})
    archive.replace("seen", "7", {"id": 2})
    for _ in cuts(disk, tmp_path / "kept"):
        assert archive.response(name) == b"what the host said"
        assert archive.fact("push", "7:abc") == {"about": "7:abc", "ms": 5}
        assert archive.fact("seen", "7") == {"about": "7", "id": 2}


def test_a_published_record_is_whole_or_not_there(disk: Disk, tmp_path: Path) -> None:
    source, to = GOLDEN / "epoch-4", disk.root / "publish" / "epoch-4"
    _copied(source, to)
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    for _ in cuts(disk, tmp_path / "kept"):
        assert all((to / name).read_bytes() == (source / name).read_bytes() for name in files)


def test_a_record_that_cannot_be_published_ends_in_a_code(disk: Disk) -> None:
    disk.every = 1
    seen: Counter[str] = Counter()
    for number in range(20):
        try:
            _copied(GOLDEN / "epoch-4", disk.root / "publish" / f"epoch-{number}")
        except RecordInvalid as error:
            seen[error.code] += 1
    assert seen["RECORD_WRITE"]


def test_an_attempt_that_is_kept_is_whole(disk: Disk, tmp_path: Path) -> None:
    from clawbench.bench import Bench

    class Down(ScriptModel):
        async def reply(self, request: Request) -> Reply:
            raise Infrastructure.of("MODEL_SERVER", "it is down")

    bench = Bench(disk.root / "runs", Down([]), runs=1, keeping=Keeping(durable=True))
    asyncio.run(bench.results([tiny_stage()]))
    (attempt,) = (disk.root / "runs").rglob("failed-run-0-1.jsonl")
    for _ in cuts(disk, tmp_path / "kept"):
        assert not attempt.exists() or read_trajectory(attempt).whole


def test_a_line_that_the_disk_takes_in_part_is_an_error(disk: Disk) -> None:
    with (
        TrajectoryWriter(disk.root / "run-0.jsonl") as writer,
        mock.patch.object(disk, "operated", return_value=errno.ENOSPC),
        pytest.raises(OSError, match="No space"),
    ):
        writer.append({"type": "episode_start"})


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_ends_a_bench_and_is_no_failed_attempt(fault: int, disk: Disk) -> None:
    from clawbench.bench import Bench

    stage, left = tiny_stage(), 0

    def operated() -> int:
        nonlocal left
        left -= 1
        return fault if left == 0 else 0

    seen: Counter[str] = Counter()
    for number in range(1, 12):
        shutil.rmtree(disk.root / "runs", ignore_errors=True)
        left = number
        with mock.patch.object(disk, "operated", operated):
            try:
                asyncio.run(Bench(disk.root / "runs", ScriptModel([says("nothing")]), runs=1).results([stage]))
                seen["ended"] += 1
            except Infrastructure as error:
                seen[error.code] += 1
        assert not list(disk.root.rglob("failed-run-*")), f"operation {number}"
    assert seen["OUT_WRITE"] > 4
    assert seen["ended"]


def test_evidence_on_a_full_disk_ends_in_a_code(disk: Disk) -> None:
    disk.every = 1
    archive, seen = Archive(disk.root / "evidence"), Counter[str]()
    for number in range(40):
        try:
            assert archive.response(archive.keep(b"%d" % number)) == b"%d" % number
        except LedgerUnusable as error:
            seen[error.code] += 1
            assert archive.response(sha256(b"%d" % number).hexdigest()) is None
    assert seen["ARCHIVE_WRITE"]


def test_a_control_that_was_written_stands_or_ends_in_a_code(disk: Disk, tmp_path: Path) -> None:
    place = disk.root / "0.json"
    _written(place, b"[1]")
    for _ in cuts(disk, tmp_path / "kept"):
        assert place.read_bytes() == b"[1]"
    disk.every, seen = 1, Counter[str]()
    for number in range(20):
        try:
            _written(disk.root / f"{number}.json", b"[2]")
        except Infrastructure as error:
            seen[error.code] += 1
    assert set(seen) == {"OUT_WRITE"}


def test_a_torn_line_of_times_is_in_no_record(tmp_path: Path) -> None:
    path = tmp_path / "times.jsonl"
    lines = [b'{"unit":"a","status":"COMPLETED","elapsed_us":12}\n', b'{"unit":"b","status":"INFRA","elapsed_us":3}\n']
    path.write_bytes(lines[0] + lines[1][:20] + lines[0] + bytes(9) + b"\n" + lines[1] + lines[1][:-3])
    assert _times(path) == lines[0] + lines[1]
    assert _times(tmp_path / "none") == b""


@pytest.mark.parametrize("acknowledged", [True, False])
def test_a_ledger_keeps_what_was_acknowledged(acknowledged: bool, tmp_path: Path) -> None:
    image = LedgerImage(tmp_path)
    left: Counter[tuple[int, ...]] = Counter()
    for number in LUCKS:
        with Ledger(tmp_path / "ledger.db", inline=True) as ledger:
            asyncio.run(ledger.epoch(10 * number, {"n": 1}))
            told = image.told()
            asyncio.run(ledger.epoch(10 * number + 1, {"n": 2}))
            image.taken(image.told() if acknowledged else told)
            asyncio.run(ledger.epoch(10 * number + 2, {"n": 3}))
        image.restored(Luck(f"cut:{number}"), power=True)
        with Ledger(tmp_path / "ledger.db", inline=True) as ledger:
            left[tuple(epoch % 10 for epoch in ledger.epochs() if epoch >= 10 * number)] += 1
    assert set(left) <= ({(0, 1)} if acknowledged else {(0,), (0, 1)})
    assert acknowledged or (0,) in left
