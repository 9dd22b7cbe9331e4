"""Whole validators in worlds of trouble: ``WHOLE_EPOCHS`` of them, each world from one seed that a failure prints."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clawbench.likeness import content_hash

from .outside import FAILURES, GITHUB_FAULTS, UNFETCHED, Scripted
from .timing import lived
from .verdicts import audit_wrongs, manifests_below, manifests_of, wrongs
from .whole import QUIET, RULES, Dangers, WholeLife, WholeTruth, whole_world

EPOCHS = 5
WORLDS = int(os.environ.get("WHOLE_EPOCHS", "10000" if os.environ.get("SOAK") else "10")) // EPOCHS


def world_of(seed: int, folder: Path) -> tuple[WholeTruth, list[WholeLife]]:
    """The world of a seed, lived through: its dangers are the seed's, too."""
    dangers = Dangers(trouble=seed * 7 % 23, kill=(0, 400, 1500)[seed % 3], disk=(0, 300, 60)[seed // 3 % 3])
    return lived_in(seed, folder, dangers)


def lived_in(seed: int, folder: Path, dangers: Dangers, *, epochs: int = EPOCHS) -> tuple[WholeTruth, list[WholeLife]]:
    """The same with the dangers given."""
    truth = WholeTruth(seed, validators=2 + seed % 2, epochs=epochs)
    try:
        return truth, lived(whole_world(truth, folder, dangers))
    except BaseException as error:
        error.add_note(f"seed={seed}")
        raise


@pytest.mark.parametrize("seed", range(1, WORLDS + 1))
def test_a_whole_world_ends_as_it_should(seed: int, tmp_path: Path) -> None:
    truth, lives = world_of(seed, tmp_path)
    found = list(wrongs(truth, lives))
    audited = lives[seed % len(lives)]
    found += audit_wrongs(audited, sorted(manifests_of(audited))[seed % 2 :: 2])
    assert not found, f"seed={seed}: " + "\n".join(found)


def test_every_fault_of_the_table_is_met(tmp_path: Path) -> None:
    truth, lives = lived_in(29, tmp_path, Dangers(trouble=25, kill=500, disk=120))
    assert list(wrongs(truth, lives)) == []
    met = {what for life in lives for what in (*life.met, *life.deaths)}
    assert {f"GitHub: {kind}" for kind in ("301", *GITHUB_FAULTS)} <= met
    assert {f"git: {code}" for code in UNFETCHED} <= met
    assert {f"model: {failure.code}" for failure in FAILURES} | {"model: never answers"} <= met
    assert {"kill", "power cut", "LEDGER_WRITE", "OUT_WRITE"} <= met


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    dangers = Dangers(trouble=12, kill=600, disk=200)
    sealed = []
    for name in ("first", "again"):
        _, lives = lived_in(77, tmp_path / name, dangers, epochs=3)
        sealed.append((manifests_below(tmp_path / name), [life.deaths for life in lives]))
    assert sealed[0] == sealed[1]
    assert sealed[0][0]
    assert any(sealed[0][1]), "nobody died"


@pytest.mark.parametrize("hangs", [False, True], ids=["fails", "never answers"])
def test_a_quiet_world_seals_every_epoch_alike_whoever_provokes_errors(
    hangs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scripted, "hangs", hangs)
    truth, lives = lived_in(5, tmp_path, QUIET)
    assert {"provoker", "refuser", "thief"} <= {miner.kind for miner in truth.miners}
    assert list(wrongs(truth, lives)) == []
    told = [[found["award"] for found in manifests_of(life).values()] for life in lives]
    assert len(told[0]) >= EPOCHS
    assert all(awards == told[0] for awards in told)
    for life in lives:
        weighed = [block // RULES.blocks_per_epoch for who, block, _ in truth.landed if who == life.hotkey]
        assert weighed == sorted(set(weighed))
        assert set(range(1, EPOCHS + 1)) <= set(weighed)
    provokers = {content_hash(miner.pack) for miner in truth.miners if miner.kind == "provoker"}
    rows = [row for found in manifests_of(lives[0]).values() for row in found["evaluations"]]
    mine = [row for row in rows if row["content"] in provokers]
    assert mine
    for row in mine:
        faults = [attempt["fault"] for verdict in row["scenarios"] for attempt in verdict["attempts"]]
        assert row["score"]["exact"] == "0"
        assert {fault.partition(":")[0] for fault in faults} == {"LIMIT_SECONDS" if hangs else "MODEL_SERVER"}
