"""What a validator waits for: reading the chain, and making facts durable."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any


def chain_snapshot(neurons: int = 256, rounds: int = 5) -> dict[str, Any]:
    """Seconds to read the metagraph and every commitment at a block: the real SDK, over a websocket, on loopback."""
    return asyncio.run(_chain_snapshot(neurons, rounds))


async def _chain_snapshot(neurons: int, rounds: int) -> dict[str, Any]:
    folder = tempfile.mkdtemp(prefix="trajectoryrl-bench-")
    os.environ["BITTENSOR_RUNTIME_CACHE_DIR"] = folder
    os.environ["BTCLI_TOKEN_SYMBOLS_CACHE"] = str(Path(folder) / "symbols.json")
    from bittensor.keyfiles import Keypair

    from tests.chain.server import Node
    from tests.chain.subtensor import Subtensor
    from trajectoryrl.chain.bittensor import BittensorChain

    chain = Subtensor(genesis="bench")
    chain.add_subnet(11)
    text = b"trl1:" + b"x" * 120
    for number in range(neurons):
        key = Keypair.create_from_uri(f"//{number}")
        chain.register(11, key.ss58_address, key.ss58_address)
        info = {"fields": [{f"Raw{len(text)}": text}]}
        chain.put("Commitments", "CommitmentOf", (11, key.ss58_address), {"deposit": 0, "block": 1, "info": info})
    chain.seal(3)
    async with Node(chain) as node:
        client = BittensorChain(node.url, 11, fallbacks=[], archives=[])
        begun = time.perf_counter()
        await client.head()
        connected = time.perf_counter() - begun
        seconds = []
        for _ in range(rounds):
            begun = time.perf_counter()
            graph = await client.metagraph(2)
            found = await client.commitments(2)
            seconds.append(time.perf_counter() - begun)
            assert (len(graph.neurons), len(found)) == (neurons, neurons)
        await client.close()
    middle = sorted(seconds)[rounds // 2]
    return {"connect_s": connected, "snapshot_s": middle, "neurons": neurons, "required": {"snapshot_s": 1.0}}


def ledger_inserts(rows: int = 20_000, at_once: int = 64) -> dict[str, Any]:
    """Durable run rows a second, ``at_once`` runs ending together, and seconds until a restart knows what is there."""
    from trajectoryrl.ledger import Ledger, RunRow

    async def write(ledger: Ledger) -> float:
        numbers = iter(range(rows))

        async def worker() -> None:
            for number in numbers:
                row = RunRow(1, f"{number % 256:064x}", f"s{number % 4}", number, 0, "COMPLETED", "", "t", 9, 9)
                await ledger.run(row)

        begun = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(at_once)))
        return time.perf_counter() - begun

    with tempfile.TemporaryDirectory(prefix="trajectoryrl-bench-") as folder:
        with Ledger(Path(folder) / "ledger.db") as ledger:
            seconds = asyncio.run(write(ledger))
        begun = time.perf_counter()
        with Ledger(Path(folder) / "ledger.db") as ledger:
            assert len(ledger.finished(1)) == rows
        resumed = time.perf_counter() - begun
    return {"rows_per_s": rows / seconds, "reopened_s": resumed, "rows": rows, "required": {"rows_per_s": 2000}}
