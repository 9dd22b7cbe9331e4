"""``python -m tests.simulation.days FOLDER EPOCHS KEPT LINES``: a validator lives through so many epochs of 16 packs.

Virtual time and a model of no latency; the ledger, the runs, the evidence and the records are real files. The forge
never answers twice with the same bytes, and every miner commits anew every sixth epoch. Prints a line of JSON per
epoch: what the process and its folder hold when the record is sealed.
"""

from __future__ import annotations

import gc
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import orjson

from clawbench.models.protocol import Reply, Request, ToolCall, Usage
from clawbench.pack import Pack
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
from trajectoryrl.retention import Retention
from trajectoryrl.submission import Verifier
from trajectoryrl.validator import Choices, Ports, validated

from .packs import pack_of_miner
from .timing import START_MS, VirtualClock, lived

PACKS = 16
ANEW = 6
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
        policy = f"# Policy of miner {number}\n\n- Rule {number}: ask before you send.\n"
        found.append((key, pack_of_miner(str(key.ss58_address), f"miner-{number}", policy)))
    return found


class World:
    """A chain, and a forge with a repository per miner; ``commits`` is how often each miner has committed."""

    def __init__(self, now_ms: Any) -> None:
        self.packs = _packs()
        self.commits = [0] * PACKS
        self.answers = 0
        genesis = START_MS - 100 * RULES.seconds_per_block * 1000
        owner = str(derived_key("days:owner").ss58_address)
        self.rules = Rules(genesis="days", genesis_ms=genesis, clock="wall", owner=owner)
        self.network = LocalNetwork(None, self.rules, now_ms=now_ms)
        self.network.register(owner)
        self.network.register(str(derived_key("days:validator").ss58_address), stake=10**12, permit=True)
        for number, (key, _) in enumerate(self.packs):
            self.network.register(str(key.ss58_address))
            self.commit(number)

    def commit(self, number: int) -> None:
        """A miner submits its pack, in a commit of its own."""
        key, pack = self.packs[number]
        self.commits[number] += 1
        text = submission_text(f"miner-{number}/pack", self.commits_of(number)[-1], pack.sha256)
        nonce = self.network.nonce(str(key.ss58_address))
        signature = bytes(key.sign(commit_message(self.rules, text, nonce)))
        self.network.commit(str(key.ss58_address), text, nonce, signature)

    def commits_of(self, number: int) -> list[str]:
        """The newest commits of a miner's repository."""
        made = self.commits[number]
        return [f"{one:020x}{number:020x}" for one in range(max(1, made - 4), made + 1)]

    def forge(self, request: httpx.Request) -> httpx.Response:
        """The forge's API; the size of a repository is another one each time."""
        _, _, owner, repository, *rest = request.url.path.split("/")
        number = int(owner.removeprefix("miner-"))
        self.answers += 1
        said: Any = {"id": number, "full_name": f"{owner}/{repository}", "default_branch": "main", "private": False}
        said["size"] = 10**9 + self.answers
        if rest:
            row = {"ref": "refs/heads/main", "timestamp": "2026-01-01T00:10:00Z"}
            said = [{"after": commit, **row} for commit in self.commits_of(number)]
        return httpx.Response(200, stream=httpx.ByteStream(orjson.dumps(said)))


def _held(folder: Path, world: World, ledger: Ledger) -> dict[str, int]:
    """What this process holds: resident pages in KB, descriptors, and bytes and files in each part of its folder."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    held = {
        "commits": sum(world.commits),
        "rss_kb": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        "descriptors": len(os.listdir("/proc/self/fd")),
        "database": math.prod(ledger._all(f"pragma {name}")[0][0] for name in ("page_count", "page_size")),
        "journal": (folder / "ledger.db-wal").stat().st_size,
    }
    for part in ("evidence/facts", "evidence/responses", "publish", "records", "runs"):
        files = [path for path in (folder / part).rglob("*") if path.is_file()]
        held[part] = sum(path.stat().st_size for path in files)
        held[f"{part} files"] = len(files)
        held[f"{part} entries"] = len(list((folder / part).iterdir()))
    return held


async def _days(folder: Path, epochs: int, keep: Retention) -> None:
    clock = VirtualClock()
    world = World(clock.now_ms)
    chain = ReachedChain(LocalChain(world.network, derived_key("days:validator")))

    async def fetched(host: Host, name: str, commit: str, **_: Any) -> bytes:
        return world.packs[int(commit[20:], 16)][1].canonical

    def tell(event: str, **fields: Any) -> None:
        if event == "weights":
            assert fields["block"] is not None, fields
        if event == "record":
            print(orjson.dumps({"epoch": fields["epoch"], **_held(folder, world, ledger)}).decode(), flush=True)
            for number in range(fields["epoch"] % ANEW, PACKS, ANEW):
                world.commit(number)

    real = httpx.AsyncClient

    def client(**_: Any) -> httpx.AsyncClient:
        return real(transport=httpx.MockTransport(world.forge))

    with (
        Ledger(folder / "ledger.db", inline=True) as ledger,
        mock.patch("trajectoryrl.submission.fetched", fetched),
        mock.patch("httpx.AsyncClient", client),
        mock.patch("os.sync"),
    ):
        archive = Archive(folder / "evidence")
        witness = Witness(HOST, archive, clock=clock)
        runs = Runs(Quick(), RULES, library(), folder / "runs", ledger, clock)
        records = Records(
            Quick(), RULES, folder / "records", folder / "runs", archive, chain, ledger, folder / "publish", keep
        )
        verifier = Verifier(chain, HOST, witness, RULES)
        choices = Choices(poll_seconds=600)
        await validated(Ports(chain, ledger, clock, verifier, runs, records, tell), RULES, choices, epochs=epochs)
        await witness.close()
    world.network.close()


if __name__ == "__main__":
    place, *counts = sys.argv[1:]
    count, whole, lines = map(int, counts)
    lived(_days(Path(place), count, Retention(whole, lines)))
