"""One small epoch of a whole validator, which forgets the one before: a chain in a file, a forge, git itself.

A power cut before it has left a torn run, and the model's provider fails once. Everything that the world outside
remembers is in files too, so that a process may die anywhere and another go on.
"""

from __future__ import annotations

import asyncio
import io
import os
import selectors
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import orjson
import structlog

from clawbench.errors import ModelUnavailable
from clawbench.models.offline import OfflineModel
from clawbench.models.protocol import Reply, Request
from clawbench.pack import Pack, load_pack, pack_of
from clawbench.stage import Stage
from trajectoryrl import faults
from trajectoryrl.archive import Archive
from trajectoryrl.chain.keys import derived_key
from trajectoryrl.chain.local import LocalChain, LocalNetwork, Rules
from trajectoryrl.chain.localrules import commit_message
from trajectoryrl.chain.protocol import Block, Metagraph
from trajectoryrl.commitment import submission_text
from trajectoryrl.epoch import plan as epoch_plan
from trajectoryrl.evaluation import settings, stages_of
from trajectoryrl.fetchcache import FetchCache
from trajectoryrl.forge import Forge, ForgeServer
from trajectoryrl.github import Witness
from trajectoryrl.ledger import Ledger
from trajectoryrl.logs import configure
from trajectoryrl.operating import scratch_emptied
from trajectoryrl.outcomes import award_json
from trajectoryrl.plan import Award, EpochPlan
from trajectoryrl.ports import Runs
from trajectoryrl.protocol import Parameters, library, parameters_of, shipped
from trajectoryrl.reached import ReachedChain
from trajectoryrl.records import Records
from trajectoryrl.repository import Host, fetched
from trajectoryrl.retention import Retention
from trajectoryrl.snapshot import Snapshot, snapshot_json
from trajectoryrl.submission import Verifier
from trajectoryrl.validator import Choices, Ports, validated

from ..simulation.timing import Selector, VirtualClock, VirtualLoop
from ..trajectoryrl.bare import Bare

BEFORE, EPOCH, LONG, GENESIS_MS, BLOCK_MS = 0, 1, 600, 1_767_225_600_000, 12_000
RULES: Parameters = parameters_of({**shipped().as_dict(), "blocks_per_epoch": LONG, "scenarios_per_epoch": 1})
NAMES = ("careful", "reckless")
LIFE_BLOCKS = 60
FAILING = 1
_REPLIES: dict[tuple[str, str], Reply] = {}
FORGE = "TESTS_FAULTS_FORGE"
"""The variable with the URL of a forge that another process serves."""


class Patient(Selector):
    """Time stands still while git runs; ``threads`` gives those a moment, too, before time passes."""

    def __init__(self, threads: bool) -> None:
        super().__init__()
        self.threads = threads
        self.children = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        if not self.threads and not self.children:
            return super().select(timeout)
        ready = selectors.SelectSelector.select(self, 0 if timeout == 0 else 0.05)
        if not ready and timeout is not None and not self.children:
            self.passed += max(0.0, timeout)
        return ready


class Clock(VirtualClock):
    """Virtual time that goes on, some blocks later, where an earlier process saw it last."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._seen = folder / "now"
        last = int(self._seen.read_text()) if self._seen.exists() else GENESIS_MS + LONG * EPOCH * BLOCK_MS
        self._began = last + 3 * BLOCK_MS
        self._written = 0

    def now_ms(self) -> int:
        now = self._began + int(asyncio.get_running_loop().time() * 1000)
        if now != self._written:
            self._seen.write_text(str(now))
            self._written = now
        return now


@cache
def packs() -> dict[str, Pack]:
    """The packs that compete, by their miner's hotkey."""
    found = {}
    for name in NAMES:
        hotkey = str(derived_key(f"faults:{name}").ss58_address)
        value = orjson.loads(load_pack(library() / "packs" / name).canonical)
        found[hotkey] = pack_of({**value, "metadata": {**value["metadata"], "hotkey": hotkey}}, name)
    return found


def _forge(request: httpx.Request) -> httpx.Response:
    """The forge's API: every miner has a repository, pushed once, long ago."""
    _, _, owner, repository, *rest = request.url.path.split("/")
    number = int(owner.removeprefix("miner-"))
    if not rest:
        said = {"id": number, "full_name": f"{owner}/{repository}", "default_branch": "main", "private": False}
        return _streamed(said)
    if rest == ["activity"]:
        row = {"after": commits()[number], "ref": "refs/heads/main", "timestamp": "2026-01-01T00:10:00Z"}
        return _streamed([row])
    return httpx.Response(404, stream=httpx.ByteStream(b"{}"))


def _streamed(said: object) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(orjson.dumps(said)))


_real_client, _real_settings = httpx.AsyncClient, settings


def _client(**_: Any) -> httpx.AsyncClient:
    return _real_client(transport=httpx.MockTransport(_forge))


_made_once: dict[int, Any] = {}


def _settings(plan: EpochPlan, place: Path) -> Any:
    """An epoch's scenarios are the same in every life."""
    if plan.number not in _made_once:
        _made_once[plan.number] = _real_settings(plan, place)
    return _made_once[plan.number]


class Remembering(ForgeServer):
    """A forge whose git answers each question once: what is asked again is answered from memory."""

    def __init__(self, forge: Forge) -> None:
        super().__init__(forge)
        given: Any = self._server.RequestHandlerClass
        known: dict[tuple[object, ...], bytes] = {}

        def backend(self: Any, kept: Any, service: str, query: str, body: bytes) -> bytes:
            key = (kept.id, service, query, body, self.headers.get("Git-Protocol"))
            if key not in known:
                known[key] = given._backend(self, kept, service, query, body)
            return known[key]

        self._server.RequestHandlerClass = type("Handler", (given,), {"_backend": backend})


@contextmanager
def forge() -> Iterator[str]:
    """The URL of a forge that has every pack, pushed long ago; inside, every life fetches from it."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Forge(folder, lambda: GENESIS_MS)
        for number, pack in enumerate(packs().values()):
            made = Bare(kept.git_folder(kept.created(f"miner-{number}/pack").id)).honest(pack.canonical)
            assert made == commits()[number]
        with Remembering(kept) as server, mock.patch.dict(os.environ, {FORGE: server.url}):
            yield server.url


@cache
def commits() -> list[str]:
    """The commit of each miner's pack."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "objects").mkdir()
        return [Bare(Path(folder)).honest(pack.canonical) for pack in packs().values()]


async def _fetched(*words: Any, **options: Any) -> bytes:
    """The real fetch, while time stands still."""
    loop: Any = asyncio.get_running_loop()
    loop._virtual.children += 1
    try:
        return await fetched(*words, **options)
    finally:
        loop._virtual.children -= 1


@dataclass
class Noted:
    """The offline model; what it was asked is appended to a file. It fails one run until that is on disk."""

    path: Path
    model: OfflineModel
    runs: Path

    name = "offline"
    simulated = True
    provider = ""

    @property
    def version(self) -> str:
        return self.model.version

    @property
    def settings(self) -> Any:
        return self.model.settings

    async def reply(self, request: Request) -> Reply:
        with self.path.open("ab") as file:
            file.write(request.unit.encode() + b"\n")
        if request.unit == failing_unit() and not any(self.runs.rglob(f"failed-run-{FAILING}-1.jsonl")):
            raise ModelUnavailable.of("MODEL_UNAVAILABLE", "the provider failed once", self.name)
        key = (request.unit, request.context)
        if key not in _REPLIES:
            _REPLIES[key] = await self.model.reply(request)
        return _REPLIES[key]


@cache
def _stages() -> dict[str, Stage]:
    """Each pack on the epoch's scenario, by its miner's name."""
    netuid = Rules().netuid
    plan = epoch_plan(netuid, EPOCH, sha256(f"faults:{EPOCH * LONG}".encode()).hexdigest(), RULES)
    made = _settings(plan, library())
    return {name: stages_of(pack, plan, made, RULES)[0] for name, pack in zip(NAMES, packs().values(), strict=True)}


@cache
def failing_unit() -> str:
    """The run that fails until its failure is on disk."""
    return str(_stages()[NAMES[0]].unit(FAILING))


def network_in(folder: Path, clock: Callable[[], int]) -> LocalNetwork:
    """The chain as it stands in ``folder``; a new one has everybody registered and every pack committed."""
    path = folder / "chain.db"
    if not path.exists():
        torn = folder / "runs" / str(EPOCH) / _stages()[NAMES[1]].name / "run-0.jsonl"
        torn.parent.mkdir(parents=True)
        torn.touch()
        path.write_bytes(_born())
    return LocalNetwork(path, now_ms=clock)


@cache
def _born() -> bytes:
    """The file of a new chain."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chain.db"
        _made(path)
        return path.read_bytes()


def _made(path: Path) -> None:
    owner = str(derived_key("faults:owner").ss58_address)
    rules = Rules(genesis="faults", genesis_ms=GENESIS_MS, block_ms=BLOCK_MS, clock="wall", owner=owner)
    network = LocalNetwork(path, rules, now_ms=lambda: GENESIS_MS + 100 * BLOCK_MS)
    network.register(owner)
    network.register(str(derived_key("faults:validator").ss58_address), stake=10**12, permit=True)
    for number, (hotkey, pack) in enumerate(packs().items()):
        network.register(hotkey)
        text = submission_text(f"miner-{number}/pack", commits()[number], pack.sha256)
        key = derived_key(f"faults:{NAMES[number]}")
        network.commit(hotkey, text, 0, bytes(key.sign(commit_message(rules, text, 0))))
    network.close()


async def _past(ledger: Ledger) -> None:
    """Has the validator live through the epoch before, of which no weights came; no fault is near."""
    hook = faults._hook
    faults.arm(None)
    first = Block(LONG * BEFORE, "ab" * 32, GENESIS_MS)
    await ledger.epoch(BEFORE, snapshot_json(Snapshot(BEFORE, first, Metagraph(11, first.number, (), ""), {})))
    await ledger.submission(BEFORE, "5Gone", {"kind": "pending", "evidence": []})
    stays = Award(None, (), {}, True, ("nobody competes",), {}, (), 0, False)
    await ledger.award(BEFORE, {**award_json(stays), "keep": ""})
    await ledger.record(BEFORE, "cd" * 32, "gone")
    faults.arm(hook)


def live(folder: Path, *, threads: bool = False) -> None:
    """A validator lives in ``folder`` for some blocks; then it is stopped.

    ``threads`` lets the ledger have its writer, for which virtual time then waits.
    """
    loop = VirtualLoop(Patient(threads))
    try:
        loop.run_until_complete(_life(folder, Clock(folder), threads))
    finally:
        left_over = asyncio.all_tasks(loop)
        for task in left_over:
            task.cancel()
        if left_over:
            loop.run_until_complete(asyncio.wait(left_over))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _life(folder: Path, clock: Clock, threads: bool) -> None:
    network = network_in(folder, clock.now_ms)
    sink = configure("info", str(folder / "log.jsonl"), io.StringIO())
    assert sink is not None
    log = structlog.get_logger().info
    host = Host(os.environ[FORGE], "https://api.forge.example", public=False)
    chain = ReachedChain(LocalChain(network, derived_key("faults:validator")))
    try:
        with (
            Ledger(folder / "ledger.db", inline=not threads) as ledger,
            mock.patch("trajectoryrl.submission.fetched", _fetched),
            mock.patch("trajectoryrl.ports.settings", _settings),
            mock.patch("os.sync"),  # a process dies here, not a disk
            mock.patch("os.fsync"),
        ):
            if not ledger.epochs():
                await _past(ledger)
            archive = Archive(folder / "evidence")
            with mock.patch("httpx.AsyncClient", _client):
                witness = Witness(host, archive, clock=clock)
            model = Noted(folder / "asked", OfflineModel(), folder / "runs")
            runs = Runs(model, RULES, library(), folder / "runs", ledger, clock, tell=log)
            places = (folder / "records", folder / "runs")
            records = Records(model, RULES, *places, archive, chain, ledger, folder / "publish", Retention(1))
            scratch = folder / "scratch"
            scratch_emptied(scratch)
            cache = FetchCache(folder / "fetched", most_files=1)
            verifier = Verifier(chain, host, witness, RULES, scratch=scratch, cache=cache)
            choices = Choices(poll_seconds=120, record_url="https://records.example")
            work = asyncio.ensure_future(
                validated(Ports(chain, ledger, clock, verifier, runs, records, log), RULES, choices)
            )
            await asyncio.wait({work}, timeout=LIFE_BLOCKS * BLOCK_MS / 1000)
            if work.done():
                work.result()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await witness.close()
    finally:
        network.close()
        sink.close()
        structlog.reset_defaults()


@dataclass(frozen=True)
class Left:
    """What an epoch leaves behind, as the world sees it."""

    manifest: bytes
    published: bytes
    weights: int
    told: int
    runs: frozenset[str]
    past: str


def left(folder: Path) -> Left:
    """What the lives in ``folder`` came to. Raises whatever is missing."""
    network = LocalNetwork(folder / "chain.db", now_ms=lambda: GENESIS_MS + LONG * 2 * BLOCK_MS)
    hotkey = str(derived_key("faults:validator").ss58_address)
    counts = [
        network._db.execute(f"select count(*) from {table} where hotkey = ?", (hotkey,)).fetchone()[0]
        for table in ("weights", "commitments")
    ]
    network.close()
    name = f"epoch-{EPOCH}"
    with Ledger(folder / "ledger.db", read_only=True) as ledger:
        record = ledger.record_of(EPOCH)
        assert record is not None
        body = (Path(record[1]) / "manifest.json").read_bytes()
        assert sha256(body).hexdigest() == record[0]
        states = [row.state for row in ledger.weights_of(EPOCH)]
        assert states[-1] == "CONFIRMED"
        past = [ledger.inputs_of(BEFORE), ledger.award_of(BEFORE), ledger.record_of(BEFORE)]
        assert ledger.submissions_of(BEFORE) == {}
    published = (folder / "publish" / name / "manifest.json").read_bytes()
    return Left(body, published, counts[0], counts[1], frozenset(Counter(asked(folder))), str(past))


def asked(folder: Path) -> list[str]:
    """The run of each reply that the model was asked for, so far."""
    path = folder / "asked"
    return path.read_text().splitlines() if path.exists() else []


def whole_runs(folder: Path, *, controls: bool = False) -> set[str]:
    """The runs that are whole on disk; or those that were made once more as a control, and are whole."""
    found = set()
    for path in (folder / "runs" / str(EPOCH)).rglob("run-*.jsonl"):
        if ("controls" in path.parts) is not controls:
            continue
        lines = path.read_bytes().splitlines()
        if lines:
            found.add(str(orjson.loads(lines[0])["clawbench"]["unit"]))
    return found
