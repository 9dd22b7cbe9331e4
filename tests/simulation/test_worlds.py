"""Worlds of trouble: validators with the same evidence never disagree, and nobody's fault is another's."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from clawbench.likeness import content_hash
from trajectoryrl.ledger import Ledger

from .timing import lived
from .world import RULES, Life, Truth, lived_through

EPOCHS = 5
WORLDS = int(os.environ.get("SIMULATED_EPOCHS", "50")) // EPOCHS


def _world(seed: int, folder: Path, trouble: int, kill: int) -> tuple[Truth, list[Life]]:
    truth = Truth(seed, validators=3, epochs=EPOCHS)
    return truth, lived(lived_through(truth, folder, trouble, kill))


@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_world_of_trouble_ends_as_it_should(seed: int, tmp_path: Path) -> None:
    truth, lives = _world(seed, tmp_path, trouble=(seed * 7) % 25, kill=seed % 4)
    said = f"world {seed}"
    for epoch in range(1, EPOCHS + 1):
        by_evidence: dict[str, set[str | None]] = {}
        for life in lives:
            if epoch in life.seen:
                by_evidence.setdefault(life.seen[epoch], set()).add(life.winners[epoch])
        assert all(len(winners) == 1 for winners in by_evidence.values()), f"{said}: winners diverge in epoch {epoch}"
    for life in lives:
        _no_epoch_was_weighed_twice(truth, life, said)
        _no_honest_pack_was_zeroed(truth, life, said)
        repeated = [key for key, count in life.ran.items() if count > 1]
        assert not repeated, f"{said}: runs were repeated"


def _no_epoch_was_weighed_twice(truth: Truth, life: Life, said: str) -> None:
    landed = [block for who, block, _ in truth.landed if who == life.hotkey]
    with Ledger(life.folder / "ledger.db", inline=True) as ledger:
        planned = [number for number in ledger.epochs() if ledger.weights_of(number)]
        rows = [row for number in planned for row in ledger.weights_of(number)]
    confirmed = [row.at["block"] for row in rows if row.state == "CONFIRMED"]
    assert len(landed) <= len(planned), f"{said}: {life.hotkey} set weights {len(landed)} times for epochs {planned}"
    assert confirmed == sorted(set(confirmed)), f"{said}: {life.hotkey} took one update for two epochs'"
    assert set(confirmed) <= set(landed), f"{said}: {life.hotkey} confirmed weights that never landed"


def _no_honest_pack_was_zeroed(truth: Truth, life: Life, said: str) -> None:
    for epoch, body in life.sealed.items():
        record = orjson.loads(body)
        for miner in truth.miners:
            outcome = next((one for one in record["outcomes"] if _hotkey(one) == miner.hotkey), None)
            if miner.kind != "honest" or outcome is None:
                continue
            assert outcome["kind"] in ("entry", "pending"), f"{said}: {miner.hotkey} rejected in epoch {epoch}"
            score = record["scores"].get(content_hash(miner.pack))
            if outcome["kind"] == "entry" and score is not None and miner.merit > 0:
                assert score != "0", f"{said}: {miner.hotkey} zeroed in epoch {epoch}"


def _hotkey(outcome: dict[str, object]) -> object:
    commitment = outcome.get("commitment")
    return outcome.get("hotkey") or (commitment["hotkey"] if isinstance(commitment, dict) else None)


def test_a_quiet_world_seals_every_epoch_and_weighs_each_once(tmp_path: Path) -> None:
    truth, lives = _world(1001, tmp_path, trouble=0, kill=0)
    for life in lives:
        assert sorted(life.sealed)[:EPOCHS] == list(range(1, EPOCHS + 1))
        assert life.sealed == {number: lives[0].sealed[number] for number in life.sealed}
        weighed = [block // RULES.blocks_per_epoch for who, block, _ in truth.landed if who == life.hotkey]
        assert weighed == sorted(set(weighed))
        assert set(range(1, EPOCHS + 1)) <= set(weighed)


def test_the_same_seed_is_the_same_world(tmp_path: Path) -> None:
    first = _world(7, tmp_path / "a", trouble=15, kill=2)
    again = _world(7, tmp_path / "b", trouble=15, kill=2)
    assert first[0].landed == again[0].landed
    assert [life.sealed for life in first[1]] == [life.sealed for life in again[1]]
