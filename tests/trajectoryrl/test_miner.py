"""What a miner is told before committing: whose entry could stand before a push that lost its age."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from clawbench.errors import PackRejected
from trajectoryrl.chain.protocol import Block, OnChain
from trajectoryrl.commitment import submission_text
from trajectoryrl.entry import Entry
from trajectoryrl.miner import overtaken_by, owned_pack
from trajectoryrl.protocol import shipped

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


def test_the_hotkey_is_written_into_the_pack_and_only_an_address(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "packs" / "baseline"
    hotkey = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
    assert owned_pack(folder, hotkey).hotkey == hotkey
    with pytest.raises(PackRejected):
        owned_pack(folder, "nobody")
