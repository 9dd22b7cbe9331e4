"""What a miner is told before committing: whose entry could stand before a push that lost its age."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from clawbench.errors import PackRejected
from trajectoryrl.chain.protocol import Block, Metagraph, Neuron, OnChain
from trajectoryrl.commitment import submission_text
from trajectoryrl.entry import Commitment, Entry, Outcome, Rejection
from trajectoryrl.miner import Published, checked, overtaken_by, owned_pack
from trajectoryrl.protocol import shipped
from trajectoryrl.snapshot import Snapshot

from .entries import entry

RULES = shipped()
MINUTE = 60_000
NOW = 100 * RULES.epoch_ms
TEXT = submission_text("a/b", "a" * 40, "b" * 64)


class Chain:
    """Commitments, and blocks of a minute, the newest of which is now."""

    def __init__(self, said: Mapping[str, OnChain]) -> None:
        self.said = said

    async def head(self) -> int:
        return 1000

    async def commitments(self, block: int) -> Mapping[str, OnChain]:
        assert block == 1000
        return self.said

    async def block(self, number: int) -> Block:
        return Block(number, "0" * 64, NOW - (1000 - number) * MINUTE)


def overtaken(mine: Entry, said: Mapping[str, OnChain]) -> tuple[str, ...] | None:
    return asyncio.run(overtaken_by(Chain(said), mine, RULES, NOW))  # type: ignore[arg-type]


def pushed(minutes_ago: int) -> Entry:
    return replace(entry("me"), push_ms=NOW - minutes_ago * MINUTE)


def test_a_push_counts_whole_until_ten_minutes_before_an_epoch() -> None:
    assert overtaken(pushed(230), {}) is None
    assert overtaken(pushed(231), {}) == ()
    assert overtaken(replace(entry("me"), push_ms=None), {}) is None


def test_who_committed_since_the_push_is_named_and_nobody_else() -> None:
    said = {
        "later": OnChain("later", TEXT, 750),
        "earlier": OnChain("earlier", TEXT, 600),
        "me": OnChain("me", TEXT, 800),
        "validator": OnChain("validator", "trr1:x", 800),
        "broken": OnChain("broken", "trl1:broken", 800),
    }
    assert overtaken(pushed(300), said) == ("later",)


class Verifier:
    """Finds every submission in order; remembers what it was asked."""

    parameters = RULES

    def __init__(self) -> None:
        self.asked: list[tuple[int, str, int, int]] = []

    async def judged(self, said: Commitment, uid: int, coldkey: str, committed_ms: int, epoch_ms: int) -> Outcome:
        self.asked.append((uid, coldkey, committed_ms, epoch_ms))
        return replace(entry("me"), uid=uid, commitment=said)


def test_a_check_is_the_validators_own_and_needs_a_registration_last_of_all() -> None:
    graph = Metagraph(11, 7, (Neuron(3, "me", "cold"),))
    snap = Snapshot(0, Block(7, "0" * 64, NOW), graph, {})
    made = Published("a/b", "a" * 40, "b" * 64)
    verifier = Verifier()
    found = asyncio.run(checked(verifier, snap, made, "me", NOW))  # type: ignore[arg-type]
    assert isinstance(found, Entry)
    assert found.commitment == Commitment("me", "a/b", "a" * 40, "b" * 64, 7)
    stranger = asyncio.run(checked(verifier, snap, made, "stranger", NOW))  # type: ignore[arg-type]
    assert isinstance(stranger, Rejection)
    assert stranger.code == "NOT_REGISTERED"
    later = NOW + RULES.push_unknown_seconds * 1000
    assert verifier.asked == [(3, "cold", NOW, later), (0, "stranger", NOW, later)]


def test_the_hotkey_is_written_into_the_pack_and_only_an_address(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "packs" / "baseline"
    hotkey = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
    assert owned_pack(folder, hotkey).hotkey == hotkey
    with pytest.raises(PackRejected):
        owned_pack(folder, "nobody")
