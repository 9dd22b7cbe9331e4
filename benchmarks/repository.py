"""An honest repository from the forge, fetched and verified; and 256 submissions, sixteen at a time."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from clawbench.pack import Pack, pack_of
from trajectoryrl.archive import Archive
from trajectoryrl.chain.keys import derived_key
from trajectoryrl.entry import Commitment, Entry
from trajectoryrl.fetchcache import FetchCache
from trajectoryrl.forge import Forge, ForgeServer
from trajectoryrl.github import Witness
from trajectoryrl.gitprocess import isolation
from trajectoryrl.protocol import shipped
from trajectoryrl.repository import fetched, forge_host
from trajectoryrl.submission import Verifier

SUBMISSIONS = 256
AT_ONCE = 16
_NOON = 1_780_000_000_000


def repository() -> dict[str, Any]:
    """Milliseconds of one fetch, by what is asked for, and of a whole verification; all on one machine."""
    with tempfile.TemporaryDirectory(prefix="trajectoryrl-bench-") as place:
        folder = Path(place)
        with ForgeServer(Forge(folder / "forge", lambda: _NOON)) as server:
            older = _pushed(server, folder / "older", 0, more=1)
            newest = _pushed(server, folder / "newest", 1)
            cache = FetchCache(folder / "cache")
            host = forge_host(server.url, public_network=False)

            async def measured() -> dict[str, Any]:
                async with asyncio.timeout(300):
                    return {
                        "fetch_ms": await _median(lambda: fetched(host, newest.repository, newest.commit)),
                        "fetch_older_commit_ms": await _median(lambda: fetched(host, older.repository, older.commit)),
                        "fetch_cached_ms": await _median(
                            lambda: fetched(host, newest.repository, newest.commit, cache=cache)
                        ),
                        "fetch_and_verify_ms": await _verified(server, folder / "archive", newest),
                    }

            found = asyncio.run(measured())
        return {**found, "required_ms": 250, "isolation": isolation()}


def submissions() -> dict[str, Any]:
    """Seconds to verify 256 submissions, each in a repository of its own, by the forge's API and git.

    ``cpu_seconds`` are the forge's, too; half of them is what two idle cores would take.
    """
    with tempfile.TemporaryDirectory(prefix="trajectoryrl-bench-") as place:
        folder = Path(place)
        with ForgeServer(Forge(folder / "forge", lambda: _NOON)) as server:
            commitments = [_pushed(server, folder / f"work-{number}", number) for number in range(SUBMISSIONS)]

            async def verified(cache: FetchCache, archive: Path) -> float:
                witness = Witness(forge_host(server.url, public_network=False), Archive(archive))
                verifier = _verifier(server, witness, cache)
                room = asyncio.Semaphore(AT_ONCE)

                async def one(commitment: Commitment) -> bool:
                    async with room:
                        return isinstance(await _judged(verifier, commitment), Entry)

                try:
                    began = time.perf_counter()
                    good = await asyncio.gather(*map(one, commitments))
                    seconds = time.perf_counter() - began
                finally:
                    await witness.close()
                assert all(good), f"{good.count(False)} of the submissions were not verified"
                return seconds

            cache = FetchCache(folder / "cache")
            before = os.times()
            first = asyncio.run(verified(cache, folder / "archive"))
            cpu = sum(os.times()[:4]) - sum(before[:4])
            again = asyncio.run(verified(cache, folder / "archive"))
        return {
            "submissions": SUBMISSIONS,
            "at_once": AT_ONCE,
            "seconds": round(first, 1),
            "cpu_seconds": round(cpu, 1),
            "next_epoch_seconds": round(again, 1),
            "required_seconds": 20,
            "isolation": isolation(),
        }


async def _median(ask: Callable[[], Awaitable[Any]], rounds: int = 11) -> float:
    times = []
    await ask()
    for _ in range(rounds):
        began = time.perf_counter()
        await ask()
        times.append(time.perf_counter() - began)
    return round(1000 * statistics.median(times), 1)


async def _verified(server: ForgeServer, archive: Path, commitment: Commitment) -> float:
    witness = Witness(forge_host(server.url, public_network=False), Archive(archive))
    verifier = _verifier(server, witness, None)
    try:
        return await _median(lambda: _judged(verifier, commitment))
    finally:
        await witness.close()


def _verifier(server: ForgeServer, witness: Witness, cache: FetchCache | None) -> Verifier:
    host = forge_host(server.url, public_network=False)
    return Verifier(None, host, witness, shipped(), cache=cache)  # type: ignore[arg-type]  # nobody asks the chain


async def _judged(verifier: Verifier, commitment: Commitment) -> Any:
    return await verifier.judged(commitment, 0, "cold", _NOON + 60_000, _NOON + 7 * 3_600_000)


def _pushed(server: ForgeServer, work: Path, number: int, more: int = 0) -> Commitment:
    """A pack of this number in a repository of its own, under ``more`` later commits."""
    hotkey = str(derived_key(f"benchmark:{number}").ss58_address)
    pack = _pack(number, hotkey)
    work.mkdir()
    (work / "pack.json").write_text(json.dumps(json.loads(pack.canonical)))
    name = f"miner-{number}/pack"
    _git(work, "init", "-q", "-b", "main")
    _git(work, "add", "-A")
    _git(work, "commit", "-qm", "pack")
    commit = _git(work, "rev-parse", "HEAD")
    _git(work, "push", "-q", f"{server.url}/{name}.git", "main")
    for later in range(more):
        _git(work, "commit", "-qm", f"later {later}", "--allow-empty")
        _git(work, "push", "-q", f"{server.url}/{name}.git", "main")
    return Commitment(hotkey, name, commit, pack.sha256, 5)


def _pack(number: int, hotkey: str) -> Pack:
    rules = "\n".join(f"- Rule {number}.{rule}: draft first, send nothing without asking." for rule in range(80))
    return pack_of(
        {
            "schema_version": 1,
            "files": {"AGENTS.md": f"# Policy of miner {number}\n\n{rules}\n"},
            "tool_policy": {"deny": ["admin_*", "shell"]},
            "metadata": {
                "pack_name": f"miner-{number}",
                "pack_version": "1.0.0",
                "target_suite": "clawbench_v1",
                "hotkey": hotkey,
            },
        }
    )


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=m", "-c", "user.email=m@x", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
