"""What every adapter of the Chain protocol must do, as coroutines that take a :class:`Stand`.

An adapter's tests make a stand, on which ``validator`` (with a permit) has uid 0 and ``miner`` uid 1, and run
:data:`CONTRACT` on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fractions import Fraction

import pytest

from trajectoryrl.chain import Chain
from trajectoryrl.chain.keys import verified
from trajectoryrl.errors import ChainRefused, ChainUnavailable, ClawbenchError, InvalidInput


@dataclass(frozen=True, slots=True)
class Stand:
    """Three clients of one network, and what makes a number of further blocks."""

    validator: Chain
    miner: Chain
    stranger: Chain
    reader: Chain
    advance: Callable[[int], Awaitable[None]]


async def blocks_are_counted_hashed_and_timed(stand: Stand) -> None:
    await stand.advance(2)
    head, finalized = await stand.reader.head(), await stand.reader.finalized()
    assert head >= 2
    assert 0 <= finalized <= head
    one, two = await stand.reader.block(head - 1), await stand.reader.block(head)
    assert (one.number, two.number) == (head - 1, head)
    assert one.hash != two.hash
    assert all(len(block.hash) == 64 and set(block.hash) <= set("0123456789abcdef") for block in (one, two))
    assert two.time_ms > one.time_ms > 1_500_000_000_000
    assert await stand.validator.block(head) == two
    with pytest.raises(ChainUnavailable) as caught:
        await stand.reader.block(head + 1000)
    assert caught.value.code == "CHAIN_NO_BLOCK"


async def the_metagraph_says_who_is_there(stand: Stand) -> None:
    await stand.advance(1)
    head = await stand.reader.head()
    graph = await stand.reader.metagraph(head)
    assert (graph.netuid, graph.block) == (stand.reader.netuid, head)
    assert [neuron.uid for neuron in graph.neurons] == list(range(len(graph.neurons)))
    validator, miner = graph.by_hotkey(stand.validator.hotkey), graph.by_hotkey(stand.miner.hotkey)
    assert validator is not None
    assert miner is not None
    assert (validator.uid, validator.permit, miner.uid, miner.permit) == (0, True, 1, False)
    assert validator.stake > 0
    assert graph.by_hotkey(stand.stranger.hotkey) is None
    assert graph.by_hotkey(None) is None


async def a_commitment_stands_from_its_block_on(stand: Stand) -> None:
    await stand.advance(1)
    before = await stand.miner.head()
    first = await stand.miner.commit("trl1:a/b:first")
    await stand.advance(1)
    second = await stand.miner.commit("trl1:a/b:" + "x" * 300)
    await stand.advance(1)
    hotkey = stand.miner.hotkey
    assert hotkey is not None
    assert before < first < second <= await stand.reader.head()
    assert hotkey not in await stand.reader.commitments(before)
    kept = (await stand.reader.commitments(first))[hotkey]
    assert (kept.hotkey, kept.text, kept.block) == (hotkey, "trl1:a/b:first", first)
    assert (await stand.reader.commitments(second))[hotkey].text.endswith("xxx")
    assert (await stand.reader.commitments(second - 1))[hotkey].text == "trl1:a/b:first"


async def what_is_no_commitment_is_refused(stand: Stand) -> None:
    for text in ("", "x" * 385, "é" * 193):
        with pytest.raises(InvalidInput) as caught:
            await stand.miner.commit(text)
        assert caught.value.code == "COMMITMENT_SIZE"
    with pytest.raises(ChainRefused):
        await stand.stranger.commit("trl1:a/b:c")
    with pytest.raises(InvalidInput) as caught:
        await stand.reader.commit("trl1:a/b:c")
    assert caught.value.code == "HOTKEY_NEEDED"


async def weights_are_scaled_kept_and_limited(stand: Stand) -> None:
    await stand.advance(1)
    hotkey = stand.validator.hotkey
    assert hotkey is not None
    assert await stand.reader.weights(hotkey) is None
    block = await stand.validator.set_weights({0: Fraction(1, 4), 1: Fraction(3, 4)}, 7)
    await stand.advance(1)
    found = await stand.reader.weights(hotkey)
    assert found is not None
    assert (found.block, dict(found.weights)) == (block, {0: 21_845, 1: 65_535})
    neuron = (await stand.reader.metagraph(await stand.reader.head())).by_hotkey(hotkey)
    assert neuron is not None
    assert neuron.last_update == block
    with pytest.raises(ChainRefused):
        await stand.validator.set_weights({1: Fraction(1)}, 7)
    await stand.advance(200)
    again = await stand.validator.set_weights({1: Fraction(1)}, 7)
    await stand.advance(1)
    found = await stand.reader.weights(hotkey)
    assert found is not None
    assert again > block
    assert (found.block, dict(found.weights)) == (again, {1: 65_535})


async def weights_that_mean_nothing_are_refused(stand: Stand) -> None:
    with pytest.raises(InvalidInput) as caught:
        await stand.validator.set_weights({}, 7)
    assert caught.value.code == "WEIGHTS_EMPTY"
    for chain, weights in (
        (stand.miner, {0: Fraction(1)}),
        (stand.stranger, {0: Fraction(1)}),
        (stand.reader, {0: Fraction(1)}),
        (stand.validator, {999: Fraction(1)}),
    ):
        with pytest.raises(ClawbenchError):
            await chain.set_weights(weights, 7)


async def signatures_are_sr25519_by_the_hotkey(stand: Stand) -> None:
    signature = await stand.validator.sign(b"a record")
    hotkey = stand.validator.hotkey
    assert hotkey is not None
    assert verified(hotkey, b"a record", signature)
    assert not verified(hotkey, b"another", signature)
    assert not verified(str(stand.miner.hotkey), b"a record", signature)
    assert not verified(hotkey, b"a record", signature[:-1])
    assert not verified("nobody", b"a record", signature)
    with pytest.raises(InvalidInput):
        await stand.reader.sign(b"a record")
    assert stand.reader.hotkey is None


CONTRACT: tuple[Callable[[Stand], Awaitable[None]], ...] = (
    blocks_are_counted_hashed_and_timed,
    the_metagraph_says_who_is_there,
    a_commitment_stands_from_its_block_on,
    what_is_no_commitment_is_refused,
    weights_are_scaled_kept_and_limited,
    weights_that_mean_nothing_are_refused,
    signatures_are_sr25519_by_the_hotkey,
)
