"""The adapter with the real SDK, over a websocket, against a chain that checks every signature."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any

import pytest
from bittensor.keyfiles import Keypair

from trajectoryrl.chain.bittensor import BittensorChain
from trajectoryrl.errors import ChainRefused, ChainUnavailable, InvalidInput

from .server import Node
from .subtensor import Subtensor

NETUID = 11
VALIDATOR = Keypair.create_from_uri("//Validator")
MINERS = [Keypair.create_from_uri(f"//Miner{number}") for number in range(3)]


def _subtensor(name: str, **rules: Any) -> Subtensor:
    chain = Subtensor(genesis=name)
    rules.setdefault("rate_limit", 5)
    chain.add_subnet(NETUID, owner=MINERS[2].ss58_address, **rules)
    chain.register(NETUID, VALIDATOR.ss58_address, VALIDATOR.ss58_address, stake=5 * 10**12, permit=True)
    for miner in MINERS:
        chain.register(NETUID, miner.ss58_address, MINERS[0].ss58_address)
    chain.seal(10)
    return chain


@asynccontextmanager
async def _client(node: Node, key: Any = VALIDATOR, **options: Any) -> AsyncIterator[BittensorChain]:
    options = {"read_seconds": 3, "write_seconds": 5, "block_seconds": 0.02, "fallbacks": [], "archives": [], **options}
    chain = BittensorChain(node.url, NETUID, key, **options)
    try:
        yield chain
    finally:
        await chain.close()


def test_reads_are_pinned_to_a_block() -> None:
    async def play() -> None:
        subtensor = _subtensor("reads", tempo=20)
        async with Node(subtensor) as node, _client(node, MINERS[0]) as chain:
            before = await chain.head()
            subtensor.register(NETUID, "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", VALIDATOR.ss58_address)
            assert await chain.commit("first") == before + 1
            assert await chain.commit("second") == before + 2
            assert (await chain.commitments(before + 1))[MINERS[0].ss58_address].text == "first"
            latest = (await chain.commitments(before + 2))[MINERS[0].ss58_address]
            assert (latest.text, latest.block) == ("second", before + 2)
            assert await chain.commitments(before) == {}
            graph = await chain.metagraph(before)
            assert [neuron.hotkey for neuron in graph.neurons] == [key.ss58_address for key in (VALIDATOR, *MINERS)]
            assert len((await chain.metagraph(before + 1)).neurons) == 5
            assert graph.owner == MINERS[2].ss58_address
            first = graph.neurons[0]
            assert (first.stake, first.permit, first.active) == (5 * 10**12, True, True)

    asyncio.run(play())


def test_a_block_has_the_hash_and_time_that_the_chain_gave_it() -> None:
    async def play() -> None:
        subtensor = _subtensor("blocks")
        async with Node(subtensor) as node, _client(node) as chain:
            block = await chain.block(3)
            assert block.hash == subtensor.blocks[3].hash.removeprefix("0x")
            assert block.time_ms == subtensor.time_ms(3)
            with pytest.raises(ChainUnavailable) as raised:
                await chain.block(999)
            assert raised.value.code in {"CHAIN_NO_BLOCK", "CHAIN_UNREACHABLE"}

    asyncio.run(play())


def test_only_final_blocks_are_called_final_and_a_fork_replaces_the_others() -> None:
    async def play() -> None:
        subtensor = _subtensor("forks")
        subtensor.lag = 3
        async with Node(subtensor) as node, _client(node) as chain:
            final, head = await chain.finalized(), await chain.head()
            assert head - final == 3
            was_final, was_head = await chain.block(final), await chain.block(head)
            subtensor.fork(3)
            assert await chain.block(final) == was_final
            assert (await chain.block(head)).hash != was_head.hash

    asyncio.run(play())


def test_weights_arrive_as_signed_and_decoded() -> None:
    async def play() -> None:
        subtensor = _subtensor("weights", version_key=7)
        async with Node(subtensor) as node, _client(node) as chain:
            assert await chain.weights(VALIDATOR.ss58_address) is None
            block = await chain.set_weights({1: Fraction(7, 10), 2: Fraction(2, 10), 3: Fraction(1, 10)}, 7)
            sent = subtensor.submitted[-1]
            assert (sent.signer, sent.block, sent.error) == (VALIDATOR.ss58_address, block, None)
            assert sent.args["version_key"] == 7
            assert dict(zip(sent.args["dests"], sent.args["weights"], strict=True)) == {1: 65535, 2: 18724, 3: 9362}
            kept = await chain.weights(VALIDATOR.ss58_address)
            assert kept is not None
            assert (kept.block, kept.weights) == (block, {1: 65535, 2: 18724, 3: 9362})

    asyncio.run(play())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("NeuronNoValidatorPermit", "CHAIN_REFUSED"),
        ("NotEnoughStakeToSetWeights", "CHAIN_REFUSED"),
        ("IncorrectWeightVersionKey", "CHAIN_REFUSED"),
    ],
)
def test_a_refusal_of_the_chain_is_said_and_not_tried_again(error: str, code: str) -> None:
    async def play() -> None:
        subtensor = _subtensor(error)
        subtensor.fail_next = ("SubtensorModule", error)
        async with Node(subtensor) as node, _client(node) as chain:
            with pytest.raises(ChainRefused, match=error) as raised:
                await chain.set_weights({1: Fraction(1)}, 0)
            assert raised.value.code == code
            assert len(subtensor.submitted) == 1

    asyncio.run(play())


def test_the_rate_limit_is_seen_before_anything_is_sent() -> None:
    async def play() -> None:
        subtensor = _subtensor("rate")
        async with Node(subtensor) as node, _client(node) as chain:
            await chain.set_weights({1: Fraction(1)}, 0)
            with pytest.raises(ChainRefused) as raised:
                await chain.set_weights({2: Fraction(1)}, 0)
            assert raised.value.code == "CHAIN_RATE_LIMITED"
            assert len(subtensor.submitted) == 1

    asyncio.run(play())


def test_a_write_whose_answer_is_lost_is_found_on_chain_and_not_repeated() -> None:
    async def play() -> None:
        subtensor = _subtensor("lost")
        async with Node(subtensor) as node, _client(node) as chain:
            node.faults.drop_after["author_submitAndWatchExtrinsic"] = 1
            block = await chain.set_weights({1: Fraction(1)}, 0)
            assert [sent.block for sent in subtensor.submitted] == [block]
        async with Node(subtensor) as node, _client(node, MINERS[1]) as chain:
            node.faults.drop_after["author_submitAndWatchExtrinsic"] = 1
            block = await chain.commit("only once")
            assert [sent.block for sent in subtensor.submitted][1:] == [block]

    asyncio.run(play())


def test_a_write_that_never_arrived_is_an_error_and_was_sent_once() -> None:
    async def play() -> None:
        subtensor = _subtensor("never")
        async with Node(subtensor) as node, _client(node) as chain:
            node.faults.drop["author_submitAndWatchExtrinsic"] = -1
            with pytest.raises(ChainUnavailable) as raised:
                await chain.set_weights({1: Fraction(1)}, 0)
            assert not isinstance(raised.value, ChainRefused)
            assert node.asked["author_submitAndWatchExtrinsic"] == 1
            assert subtensor.submitted == []

    asyncio.run(play())


def test_a_read_survives_a_dropped_socket_and_ends_when_nobody_answers() -> None:
    async def play() -> None:
        subtensor = _subtensor("drops")
        async with Node(subtensor) as node, _client(node, read_seconds=0.4) as chain:
            head = await chain.head()
            node.faults.drop["chain_getHeader"] = 1
            assert await chain.head() == head
            node.faults.stall["*"] = -1
            with pytest.raises(ChainUnavailable) as raised:
                await chain.head()
            assert raised.value.code == "CHAIN_TIMEOUT"
            node.faults.stall.clear()
            assert await chain.head() == head

    asyncio.run(play())


def test_another_endpoint_takes_over_and_an_archive_answers_for_pruned_state() -> None:
    async def play() -> None:
        subtensor = _subtensor("endpoints")
        kept = _subtensor("endpoints")
        async with Node(subtensor) as node, Node(kept) as second, _client(node, fallbacks=[second.url]) as chain:
            assert await chain.head() == 10
            await node.__aexit__()
            assert await chain.head() == 10
            assert second.asked["chain_getHeader"]
        subtensor.pruned_before = 8
        async with Node(subtensor) as node, Node(kept) as archive:
            async with _client(node) as chain:
                with pytest.raises(ChainUnavailable) as raised:
                    await chain.metagraph(5)
                assert raised.value.code == "CHAIN_PRUNED"
            async with _client(node, archives=[archive.url]) as chain:
                assert len((await chain.metagraph(5)).neurons) == 4

    asyncio.run(play())


def test_an_endpoint_that_limits_us_is_unavailable_not_a_crash() -> None:
    async def play() -> None:
        subtensor = _subtensor("limits")
        async with Node(subtensor) as node, _client(node) as chain:
            node.faults.limited = -1
            with pytest.raises(ChainUnavailable):
                await chain.head()

    asyncio.run(play())


def test_under_commit_reveal_the_sdk_commits_and_the_update_is_seen() -> None:
    async def play() -> None:
        subtensor = _subtensor("reveal", commit_reveal=True)
        async with Node(subtensor) as node, _client(node) as chain:
            block = await chain.set_weights({1: Fraction(1)}, 3)
            assert subtensor.submitted[-1].function == "commit_timelocked_mechanism_weights"
            kept = await chain.weights(VALIDATOR.ss58_address)
            assert kept is not None
            assert (kept.block, kept.weights) == (block, {})

    asyncio.run(play())


def test_the_client_that_sets_weights_can_neither_spend_nor_send_raw_calls() -> None:
    import bittensor

    async def play() -> None:
        subtensor = _subtensor("policy")
        subtensor.add_subnet(12)
        subtensor.register(12, VALIDATOR.ss58_address, VALIDATOR.ss58_address, permit=True)
        subtensor.seal()
        async with Node(subtensor) as node, _client(node) as chain:
            await chain.head()
            client = await chain._connected()
            register = bittensor.calls.SubtensorModule.burned_register(netuid=NETUID, hotkey=VALIDATOR.ss58_address)
            with pytest.raises(bittensor.PolicyError):
                await client.submit_call(register, VALIDATOR)
            with pytest.raises(bittensor.PolicyError):
                await client.execute(bittensor.SetWeights(netuid=12, weights={1: 1}), VALIDATOR)
            assert subtensor.submitted == []

    asyncio.run(play())


def test_a_signature_of_another_key_is_refused_by_the_chain() -> None:
    class Impostor:
        """Claims the validator's address, signs with a miner's key."""

        crypto_type = VALIDATOR.crypto_type
        ss58_address = VALIDATOR.ss58_address
        public_key = VALIDATOR.public_key

        def sign(self, message: bytes) -> bytes:
            return MINERS[0].sign(message)

    async def play() -> None:
        subtensor = _subtensor("impostor")
        async with Node(subtensor) as node, _client(node, Impostor()) as chain:
            with pytest.raises(ChainUnavailable):
                await chain.set_weights({1: Fraction(1)}, 0)
            assert subtensor.submitted == []

    asyncio.run(play())


@pytest.mark.parametrize("text", ["", "x" * 385])
def test_a_commitment_has_its_size(text: str) -> None:
    chain = BittensorChain("ws://127.0.0.1:1", NETUID, VALIDATOR)
    with pytest.raises(InvalidInput) as raised:
        asyncio.run(chain.commit(text))
    assert raised.value.code == "COMMITMENT_SIZE"


def test_a_long_commitment_is_read_back_whole() -> None:
    async def play() -> None:
        subtensor = _subtensor("long")
        text = "trl1:" + "abcdefg/" * 47
        async with Node(subtensor) as node, _client(node, MINERS[0]) as chain:
            block = await chain.commit(text)
            assert (await chain.commitments(block))[MINERS[0].ss58_address].text == text

    asyncio.run(play())


def test_without_a_key_nothing_is_signed_and_an_unknown_subnet_is_said() -> None:
    async def play() -> None:
        subtensor = _subtensor("nobody")
        async with Node(subtensor) as node, _client(node, None) as chain:
            with pytest.raises(InvalidInput) as raised:
                await chain.set_weights({1: Fraction(1)}, 0)
            assert raised.value.code == "HOTKEY_NEEDED"
            chain.netuid = 99
            with pytest.raises(InvalidInput) as raised:
                await chain.metagraph(await chain.head())
            assert raised.value.code == "NETUID_UNKNOWN"

    asyncio.run(play())


@pytest.mark.parametrize(
    ("network", "public"),
    [("finney", True), ("test", True), ("wss://node.example:443", True), ("local", False), ("ws://127.0.0.1:9", False)],
)
def test_every_network_but_this_machine_is_public(network: str, public: bool) -> None:
    assert BittensorChain(network, NETUID).public is public
