"""``python -m tests.simulation.days FOLDER EPOCHS KEPT``: a validator lives through so many epochs of 16 packs.

Virtual time and a model of no latency; the ledger, the runs, the evidence and the records are real files. Prints a
line of JSON per epoch: what the process and its folder hold when the record is sealed.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import orjson

from clawbench.models.protocol import Reply, Request, ToolCall, Usage
from clawbench.pack import Pack, pack_of
from trajectoryrl.archive import Archive
from trajectoryrl.chain.keys import derived_key
from trajectoryrl.chain.local import LocalChain, LocalNetwork, Rules
from trajectoryrl.chain.localrules import commit_message
from trajectoryrl.commitment import submission_text
from trajectoryrl.github import Witness
from trajectoryrl.ledger import Ledger
from trajectoryrl.ports import Runs
from trajectoryrl.protocol import Parameters, library, shipped
from trajectoryrl.reached import ReachedChain
from trajectoryrl.records import Records
from trajectoryrl.repository import Host
from trajectoryrl.submission import Verifier
from trajectoryrl.validator import Choices, Ports, validated

from .timing import START_MS, VirtualClock, lived

PACKS = 16
RULES: Parameters = shipped()
HOST = Host("https://forge.example", "https://api.forge.example")


class Quick:
    """Looks once and answers; every third run sends a mail, so that votes differ."""

    name = "quick"
    version = "1"
    simulated = True
    provider = ""
    settings: Mapping[str, str] = {}

    async def reply(self, request: Request) -> Reply:
        if request.turn == 0:
            command = "himalaya envelope list --page-size 5"
            if request.unit.endswith(":1"):
                command = "himalaya message send 'To: a@b.example\nSubject: s\n\nhello'"
            arguments = orjson.dumps({"command": command}).decode()
            return Reply(calls=(ToolCall("c", "exec", arguments),), usage=Usage(900, 40), finish="calls")
        return Reply(text="1. Nothing was sent.\n", usage=Usage(2600, 90))


def _packs() -> list[tuple[Any, Pack]]:
    found = []
    for number in range(PACKS):
        key = derived_key(f"days:{number}")
        value = {
            "schema_version": 1,
            "files": {"AGENTS.md": f"# Policy of miner {number}\n\n- Rule {number}: ask before you send.\n"},
            "tool_policy": {"deny": ["admin_*", "shell"]},
            "metadata": {
                "pack_name": f"miner-{number}",
                "pack_version": "1.0.0",
                "target_suite": "clawbench_v1",
                "hotkey": str(key.ss58_address),
            },
        }
        found.append((key, pack_of(value)))
    return found


def _network(packs: list[tuple[Any, Pack]], now_ms: Any) -> LocalNetwork:
    genesis = START_MS - 100 * RULES.seconds_per_block * 1000
    owner = str(derived_key("days:owner").ss58_address)
    rules = Rules(genesis="days", genesis_ms=genesis, clock="wall", owner=owner)
    network = LocalNetwork(None, rules, now_ms=now_ms)
    network.register(owner)
    network.register(str(derived_key("days:validator").ss58_address), stake=10**12, permit=True)
    for number, (key, pack) in enumerate(packs):
        hotkey = str(key.ss58_address)
        network.register(hotkey)
        text = submission_text(f"miner-{number}/pack", f"{number:040x}", pack.sha256)
        network.commit(hotkey, text, 0, bytes(key.sign(commit_message(rules, text, 0))))
    return network


def _forge(request: httpx.Request) -> httpx.Response:
    _, _, owner, repository, *rest = request.url.path.split("/")
    number = int(owner.removeprefix("miner-"))
    said: Any = {"id": number, "full_name": f"{owner}/{repository}", "default_branch": "main", "private": False}
    if rest:
        said = [{"after": f"{number:040x}", "ref": "refs/heads/main", "timestamp": "2026-01-01T00:10:00Z"}]
    return httpx.Response(200, stream=httpx.ByteStream(orjson.dumps(said)))


def _held(folder: Path) -> dict[str, int]:
    """What this process holds: resident pages in KB, descriptors, bytes of the database and of everything."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        "rss_kb": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        "descriptors": len(os.listdir("/proc/self/fd")),
        "database": sum(path.stat().st_size for path in folder.glob("ledger.db*")),
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
    }


async def _days(folder: Path, epochs: int, kept: int) -> None:
    clock = VirtualClock()
    packs = _packs()
    network = _network(packs, clock.now_ms)
    chain = ReachedChain(LocalChain(network, derived_key("days:validator")))

    async def fetched(host: Host, name: str, commit: str, **_: Any) -> bytes:
        return packs[int(commit, 16)][1].canonical

    def tell(event: str, **fields: Any) -> None:
        if event == "weights":
            assert fields["block"] is not None, fields
        if event == "record":
            print(orjson.dumps({"epoch": fields["epoch"], **_held(folder)}).decode(), flush=True)

    real = httpx.AsyncClient

    def client(**_: Any) -> httpx.AsyncClient:
        return real(transport=httpx.MockTransport(_forge))

    with (
        Ledger(folder / "ledger.db", inline=True) as ledger,
        mock.patch("trajectoryrl.submission.fetched", fetched),
        mock.patch("httpx.AsyncClient", client),
        mock.patch("os.sync"),
    ):
        archive = Archive(folder / "evidence")
        witness = Witness(HOST, archive, clock=clock)
        runs = Runs(Quick(), RULES, library(), folder / "runs", ledger, clock)
        records = Records(Quick(), RULES, folder / "records", folder / "runs", archive, chain, ledger, keep_epochs=kept)
        choices = Choices(poll_seconds=600, keep_epochs=kept)
        verifier = Verifier(chain, HOST, witness, RULES)
        await validated(Ports(chain, ledger, clock, verifier, runs, records, tell), RULES, choices, epochs=epochs)
        await witness.close()
    network.close()


if __name__ == "__main__":
    place, count, keep = sys.argv[1:]
    lived(_days(Path(place), int(count), int(keep)))
