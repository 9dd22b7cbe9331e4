"""The plan of an epoch, by the vectors of docs/protocol.md."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from clawbench import draws
from tests.test_protocol_doc import vectors
from trajectoryrl.chain.local import LocalNetwork, Rules
from trajectoryrl.chain.localserver import LocalServer
from trajectoryrl.cli import cli
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
    [
        (11, -1, None, "EPOCH"),
        (11, 2**32 // 1200 + 1, None, "EPOCH"),
        (70_000, 1, None, "NETUID"),
        (-1, 1, None, "NETUID"),
        (11, 1, "0xab", "BEACON"),
    ],
)
def test_what_is_no_epoch_is_refused(netuid: int, number: int, beacon: str | None, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(netuid, number, beacon, parameters())
    assert caught.value.code == code


def test_an_epoch_ends_one_block_before_the_next() -> None:
    assert [epoch_of(block, parameters()) for block in (0, 1199, 1200, 2399, 2400)] == [0, 0, 1, 1, 2]
    with pytest.raises(InvalidInput):
        epoch_of(-1, parameters())


def shown(*words: str) -> Result:
    return CliRunner().invoke(cli, ["epoch", "show", *words])


def test_show_prints_what_is_known_before_the_beacon_and_after() -> None:
    before = shown("--block", "6000000")
    assert before.exit_code == 0, before.output
    assert max(map(len, before.output.splitlines())) <= 80
    assert "epoch 5000 of subnet 11, blocks 6000000 to 6001199" in before.output
    assert before.output.count("facts are not drawn yet") == 4
    assert "drawn from the hash of block 6000000" in shown("--epoch", "5000", "--facts").output
    after = shown("--epoch", "5000", "--beacon", "0x" + "AB" * 32, "--facts")
    assert after.exit_code == 0, after.output
    assert max(map(len, after.output.splitlines())) <= 100
    assert after.output.count("fact seed") == 4
    assert "culprit" in after.output


def test_show_as_json_is_the_plan() -> None:
    for row in vectors("epoch"):
        words = ("--block", str(row["block"]), "--netuid", str(row["netuid"]), "--beacon", row["beacon"], "--json")
        said = json.loads(shown(*words).output)
        assert {name: said[name] for name in row if name in said} == {
            name: value for name, value in row.items() if name != "block"
        }


def test_show_reads_the_beacon_of_a_finalized_block_only() -> None:
    network = LocalNetwork(None, replace(Rules(), netuid=7, finality_lag=5))
    network.advance_to(2402)
    server = LocalServer(network)
    try:
        current = json.loads(shown("--chain", server.url, "--json").output)
        assert (current["netuid"], current["epoch"], current["beacon"]) == (7, 2, None)
        network.advance_to(2405)
        current = json.loads(shown("--chain", server.url, "--json").output)
        assert current["beacon"] == network.hash_of(2400)
        assert json.loads(shown("--chain", server.url, "--epoch", "1", "--json").output)["beacon"] is not None
        assert json.loads(shown("--chain", server.url, "--block", "3600", "--json").output)["beacon"] is None
    finally:
        server.close()


@pytest.mark.parametrize(
    "words",
    [(), ("--block", "1", "--epoch", "1"), ("--epoch", "1", "--beacon", "ff"), ("--epoch", "9" * 30),
     ("--epoch", "1", "--chain", "local:/none"), ("--epoch", "1", "--chain", "finney", "--beacon", "ff" * 32)],
)  # fmt: skip
def test_show_refuses_what_names_no_epoch(words: tuple[str, ...]) -> None:
    result = shown(*words)
    assert isinstance(result.exception, InvalidInput)
