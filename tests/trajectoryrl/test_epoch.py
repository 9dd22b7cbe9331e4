"""The plan of an epoch, by the vectors of docs/protocol.md."""

from __future__ import annotations

import pytest

from clawbench import draws
from tests.test_protocol_doc import vectors
from trajectoryrl.epoch import epoch_of, plan
from trajectoryrl.errors import InvalidInput
from trajectoryrl.protocol import parameters


def test_vectors() -> None:
    rows = vectors("epoch")
    assert rows
    for row in rows:
        number = epoch_of(row["block"], parameters())
        made = plan(row["netuid"], number, row["beacon"], parameters())
        assert (made.number, made.first_block, made.seed) == (row["epoch"], row["first_block"], row["seed"])
        assert dict(made.identity) == row["identity"]
        assert list(made.scenarios) == row["scenarios"]
        assert dict(made.fact_seeds) == row["fact_seeds"]
        assert list(made.run_seeds) == row["run_seeds"]


def test_without_a_beacon_everything_but_the_facts_is_known() -> None:
    before = plan(11, 7, None, parameters())
    after = plan(11, 7, draws.local_seed("beacon"), parameters())
    assert before.fact_seeds == {}
    assert tuple(after.fact_seeds) == after.scenarios == before.scenarios
    assert (before.seed, before.identity, before.run_seeds) == (after.seed, after.identity, after.run_seeds)
    assert len(set(after.fact_seeds.values())) == 4


def test_every_scenario_is_left_out_sometimes() -> None:
    pool = set(parameters().scenario_pool)
    left_out = {name for number in range(60) for name in pool - set(plan(11, number, None, parameters()).scenarios)}
    assert left_out == pool


@pytest.mark.parametrize(
    ("netuid", "number", "beacon", "code"),
    [(11, -1, None, "EPOCH"), (70_000, 1, None, "NETUID"), (-1, 1, None, "NETUID"), (11, 1, "0xab", "BEACON")],
)
def test_what_is_no_epoch_is_refused(netuid: int, number: int, beacon: str | None, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(netuid, number, beacon, parameters())
    assert caught.value.code == code


def test_an_epoch_ends_one_block_before_the_next() -> None:
    assert [epoch_of(block, parameters()) for block in (0, 1199, 1200, 2399, 2400)] == [0, 0, 1, 1, 2]
    with pytest.raises(InvalidInput):
        epoch_of(-1, parameters())
