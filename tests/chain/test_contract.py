"""The adapter of the real SDK holds the contract of every chain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from bittensor.keyfiles import Keypair

from tests.trajectoryrl.chain_contract import CONTRACT, Stand
from trajectoryrl.chain.bittensor import BittensorChain

from .server import Node
from .subtensor import Subtensor

NETUID = 11
VALIDATOR, MINER, STRANGER = (Keypair.create_from_uri(f"//{name}") for name in ("Validator", "Miner", "Stranger"))


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
def test_contract(promise: Callable[[Stand], Awaitable[None]]) -> None:
    async def play() -> None:
        subtensor = Subtensor(genesis=promise.__name__)
        subtensor.add_subnet(NETUID, owner=MINER.ss58_address, rate_limit=100)
        subtensor.register(NETUID, VALIDATOR.ss58_address, VALIDATOR.ss58_address, stake=10**12, permit=True)
        subtensor.register(NETUID, MINER.ss58_address, MINER.ss58_address)
        subtensor.seal(3)

        async def advance(blocks: int) -> None:
            subtensor.seal(blocks)

        async with Node(subtensor) as node:
            options: dict[str, Any] = {"read_seconds": 3, "write_seconds": 5, "block_seconds": 0.02}
            clients = [
                BittensorChain(node.url, NETUID, key, fallbacks=[], archives=[], **options)
                for key in (VALIDATOR, MINER, STRANGER, None)
            ]
            try:
                await promise(Stand(*clients, advance))
            finally:
                for client in clients:
                    await client.close()

    asyncio.run(play())
    assert promise in CONTRACT
