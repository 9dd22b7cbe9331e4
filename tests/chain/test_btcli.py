"""The stock command line of the SDK takes the chain for one, and shows what our adapter wrote."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

from bittensor.keyfiles import Keypair

from trajectoryrl.chain.bittensor import BittensorChain

from .server import Node
from .subtensor import Subtensor

KEY = Keypair.create_from_uri("//Validator")
BTCLI = Path(sys.executable).parent / "btcli"


async def _queried(node: Node, home: Path, *words: str) -> Any:
    environment = {**os.environ, "HOME": str(home), "NO_COLOR": "1"}
    child = await asyncio.create_subprocess_exec(
        str(BTCLI),
        "query",
        *words,
        *("--netuid", "11", "--network", node.url, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    out, err = await child.communicate()
    assert child.returncode == 0, err.decode()
    return json.loads(out)


def test_btcli_shows_neurons_commitments_and_weights(tmp_path: Path) -> None:
    async def play() -> None:
        subtensor = Subtensor(genesis="btcli")
        subtensor.add_subnet(11)
        subtensor.register(11, KEY.ss58_address, KEY.ss58_address, stake=10**12, permit=True)
        subtensor.seal(3)
        async with Node(subtensor) as node:
            chain = BittensorChain(node.url, 11, KEY, fallbacks=[], archives=[], block_seconds=0.02)
            await chain.commit("trl1:seen/by-btcli")
            await chain.set_weights({0: Fraction(1)}, 7)
            await chain.close()
            graph, said, weights = await asyncio.gather(
                _queried(node, tmp_path, "metagraph"),
                _queried(node, tmp_path, "commitments"),
                _queried(node, tmp_path, "weights"),
            )
        assert KEY.ss58_address in json.dumps(graph)
        assert (graph["netuid"], graph["block"]) == (11, subtensor.head)
        assert "trl1:seen/by-btcli" in json.dumps(said)
        assert weights == {"0": {"0": 1.0}}

    asyncio.run(play())
