"""A miner whose repository hangs, raises or never decides delays nobody's weights."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from trajectoryrl.chain.protocol import OnChain
from trajectoryrl.entry import Outcome, Pending
from trajectoryrl.ledger import Ledger
from trajectoryrl.outcomes import outcome_of
from trajectoryrl.snapshot import Snapshot

from . import world
from .timing import lived
from .world import RULES, Life, Truth, lived_through


@pytest.mark.parametrize("how", ["hangs", "raises", "never decides"])
def test_weights_are_set_in_the_same_epoch(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[int] = set()

    class Provoked(Life):
        async def verify(self, inputs: Snapshot, said: OnChain) -> Outcome:
            if said.hotkey != provoker:
                return await super().verify(inputs, said)
            asked.add(inputs.epoch)
            if how == "hangs":
                await asyncio.sleep(10**9)
            if how == "raises":
                raise MemoryError(how)
            return Pending(said.hotkey, "GITHUB_UNAVAILABLE", how)

    monkeypatch.setattr(world, "Life", Provoked)
    truth = Truth(1001, validators=1, epochs=3)
    provoker = next(one.hotkey for one in truth.miners if one.kind == "honest" and one.committed < 60)
    (life,) = lived(lived_through(truth, tmp_path, 0, 0))
    weighed = {block // RULES.blocks_per_epoch for _, block, _ in truth.landed}
    assert weighed >= {1, 2, 3} <= asked
    with Ledger(life.folder / "ledger.db", inline=True) as ledger:
        outcomes = [outcome_of(ledger.submissions_of(number)[provoker]) for number in (1, 2, 3)]
    for outcome in outcomes:  # an auditor reads the commitment again from the chain
        assert isinstance(outcome, Pending)
        assert how == "never decides" or outcome.commitment is not None
