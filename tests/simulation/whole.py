"""Whole worlds: everything of a validator is real but the outermost things, and those fail as the seed says.

Real are verification, runs, votes, award, weights, ledger, record, publishing and retention, on real files. Faked are
clock, chain, GitHub, git, the model and what a disk keeps (``outside.py``, ``disk.py``).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import orjson

from clawbench.pack import Pack
from clawbench.trajectory import PART
from trajectoryrl import faults
from trajectoryrl.archive import Archive
from trajectoryrl.chain.keys import derived_key
from trajectoryrl.chain.protocol import Metagraph, Neuron, OnChain, WeightsSet
from trajectoryrl.chain.weights import as_u16
from trajectoryrl.commitment import RECORD, record_of, submission_text
from trajectoryrl.errors import ChainRefused, ChainUnavailable, ClawbenchError
from trajectoryrl.evaluation import settings
from trajectoryrl.fetchcache import FetchCache
from trajectoryrl.github import Witness
from trajectoryrl.ledger import Ledger
from trajectoryrl.plan import EpochPlan
from trajectoryrl.ports import Runs
from trajectoryrl.protocol import Parameters, parameters_of, scenario_set_hash, shipped
from trajectoryrl.reached import ReachedChain
from trajectoryrl.records import Records
from trajectoryrl.repository import GITHUB
from trajectoryrl.submission import Verifier
from trajectoryrl.validator import Choices, Ports, validated

from .disk import DISK, Disk, LedgerImage, watched
from .outside import GitHub, Repository, Scripted
from .packs import pack_of_miner
from .timing import START_MS, VirtualClock
from .world import BLOCK_SECONDS, Killed, Luck, Miner, SimulatedChain, Truth

LIBRARY = Path(__file__).parent / "library"
POOL = ["pier", "quay"]
LONG = 100
RULES: Parameters = parameters_of(
    {
        **shipped().as_dict(),
        "blocks_per_epoch": LONG,
        "verify_blocks": 12,
        "scenario_pool": POOL,
        "scenarios_per_epoch": 1,
        "scenario_set": scenario_set_hash(tuple(POOL), LIBRARY),
        "run_seconds": 20,
        "infra_retry_seconds": [5, 15, 40],
    }
)
KINDS = ("honest", "honest", "honest", "copier", "hostile", "broken", "flaky", "absent", "late", "thief")
KINDS_OF_PACKS = {"provoker": "provoke", "reckless": "berth crane tide post", "refuser": "berth crane tide refuse"}
REPORTS = ("berth", "crane", "tide", "berth crane", "berth tide", "crane tide", "berth crane tide")
ENDINGS = {"LEDGER_WRITE", "ARCHIVE_WRITE", "RECORD_WRITE", "OUT_WRITE", "OUT_UNUSABLE"}
"""What a process may end with when its disk fails."""
_DISK_POINTS = {"archive.write.part", "record.trajectories", "record.packs", "record.evidence", "record.manifest"}


LIFE: ContextVar[WholeLife | None] = ContextVar("life", default=None)
"""The validator whose code is running."""


@cache
def address(name: str) -> str:
    """The ss58 address of whoever is called so."""
    return str(key_of(name).ss58_address)


@cache
def key_of(name: str) -> Any:
    """The same one's key."""
    return derived_key(f"whole:{name}")


@cache
def pack_for(hotkey: str, report: str, number: int) -> Pack:
    """A pack that reports these things; ``number`` is the author's, so that authors differ."""
    return pack_of_miner(hotkey, f"pack-{number}", f"# Policy of author {number}\n\nReport: {report}\n")


@dataclass
class WholeTruth(Truth):
    """What is so in a whole world. ``calm`` says that from now on nothing fails any more."""

    calm: bool = False
    repositories: dict[str, Repository] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    records: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        luck = Luck(f"whole:{self.seed}")
        kinds = (*KINDS, *KINDS_OF_PACKS)
        for number in range(3 + luck.draw("miners", 6)):
            kind = kinds[luck.draw("kind", len(kinds))] if number else "honest"
            report = KINDS_OF_PACKS.get(kind, REPORTS[luck.draw("report", len(REPORTS))])
            hotkey, author = address(f"miner-{number}"), number
            if kind == "copier":
                author = luck.draw("author", number)
                report = next(line for line in self._policy(author).splitlines() if "Report" in line)[8:]
            pack = pack_for(hotkey, report, author)
            self.miners.append(Miner(hotkey, kind, pack, Fraction(len(report.split())), 5 + luck.draw("when", 150)))
            self._published(self.miners[-1], number, luck)

    def _policy(self, number: int) -> str:
        return self.miners[number].pack.files["AGENTS.md"]

    def _published(self, miner: Miner, number: int, luck: Luck) -> None:
        """The miner's repository, and what it says of it on chain."""
        name, commit = f"miner-{number}/pack", sha256(f"{self.seed}:{number}".encode()).hexdigest()[:40]
        pushed = self.time_ms(miner.committed) - 5000 - luck.draw("pushed", 900) * 1000
        if miner.kind == "late":
            pushed = self.time_ms(miner.committed) + 600_000
        file = b'{"schema_version": 1' if miner.kind == "broken" else miner.pack.canonical
        self.repositories[name] = Repository(number + 1, name, commit, file, pushed, miner.kind == "flaky")
        text = submission_text(name, commit, miner.pack.sha256)
        if miner.kind == "hostile":
            text = "trl1:\x1b[2J" + "x" * 300
        if miner.kind == "thief":
            text = self.texts[self.miners[0].hotkey]
        self.texts[miner.hotkey] = text

    @property
    def names(self) -> list[str]:
        mine = [address("owner"), *(address(f"validator-{n}") for n in range(self.validators))]
        return [*mine, *(miner.hotkey for miner in self.miners)]

    def head(self) -> int:
        return LONG + int(asyncio.get_running_loop().time()) // BLOCK_SECONDS

    def time_ms(self, number: int) -> int:
        return START_MS + (number - LONG) * BLOCK_SECONDS * 1000

    def metagraph(self, number: int) -> Metagraph:
        neurons = tuple(
            Neuron(uid, name, name, permit=0 < uid <= self.validators) for uid, name in enumerate(self.names)
        )
        return Metagraph(11, number, neurons, address("owner"))

    def commitments(self, number: int) -> dict[str, OnChain]:
        found = {
            miner.hotkey: OnChain(miner.hotkey, self.texts[miner.hotkey], miner.committed)
            for miner in self.miners
            if miner.committed <= number and miner.kind != "absent"
        }
        return {**found, **{name: said for name, said in self.told.items() if said.block <= number}}

    def last_weights(self, hotkey: str) -> WeightsSet | None:
        head = self.head()
        own = [(block, weights) for who, block, weights in self.landed if who == hotkey and block <= head + 1]
        return WeightsSet(*own[-1]) if own else None

    def told_of(self, hotkey: str, text: str) -> None:
        """A record is told of; told of again, it is the same."""
        url, manifest = record_of(text)
        kept = self.records.setdefault((hotkey, url), manifest)
        assert kept == manifest, f"{hotkey} told of {url} twice, and it was not the same"


@dataclass
class WholeChain(SimulatedChain):
    """The chain with heads that lag, weights that land late, and real signatures."""

    key: Any = None

    async def head(self) -> int:
        found = await super().head()
        return found - self.luck.draw("stale", 4) if self.luck.strikes("stale", self.trouble) else found

    async def finalized(self) -> int:
        return await super().finalized() - self.luck.draw("finality", 3)

    async def commit(self, text: str) -> int:
        block = await super().commit(text)
        assert text.startswith(RECORD)
        assert isinstance(self.truth, WholeTruth)
        self.truth.told_of(self.hotkey, text)
        return block

    async def set_weights(self, weights: Mapping[int, Fraction], version_key: int) -> int:
        if not self.luck.strikes("lands late", self.trouble):
            return await super().set_weights(weights, version_key)
        await self._wire("set")
        if self.luck.strikes("refused", self.trouble):
            raise ChainRefused.of("CHAIN_RATE_LIMITED", "too fast")
        block = self.truth.head() + 1 + self.luck.draw("late by", 12)
        self.truth.landed.append((self.hotkey, block, as_u16(weights)))
        await asyncio.sleep(BLOCK_SECONDS)
        raise ChainUnavailable.of("CHAIN_UNREACHABLE", "the connection dropped while it was in flight")

    async def sign(self, message: bytes) -> bytes:
        return bytes(self.key.sign(message))


@dataclass(frozen=True)
class Dangers:
    """What may happen in a world: percents of trouble outside, points between deaths, disk operations between faults.

    ``kill`` and ``disk`` are means, 0 for never; ``power`` is the percentage of deaths that are power cuts.
    """

    trouble: int = 0
    kill: int = 0
    disk: int = 0
    power: int = 50


QUIET = Dangers()


@dataclass
class WholeLife:
    """One validator through all its deaths. ``wrong`` are sentences of what should never have been.

    ``deaths`` counts how its processes ended, ``met`` what failed outside.
    """

    truth: WholeTruth
    number: int
    folder: Path
    luck: Luck
    dangers: Dangers
    wrong: list[str] = field(default_factory=list)
    deaths: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    finished: set[str] = field(default_factory=set)
    dead: bool = False
    _left: int = 0

    def __post_init__(self) -> None:
        self.disk = Disk(self.folder, self.luck, self.dangers.disk, begun=self._begun)
        self.image = LedgerImage(self.folder)
        self._told = (0, b"")

    @property
    def name(self) -> str:
        return f"validator-{self.number}"

    @property
    def hotkey(self) -> str:
        return address(self.name)

    def reached(self, point: str) -> None:
        """A point of the code is reached: here the process may die, or its disk fail. Raises Killed."""
        if self.dead:
            raise Killed
        if point == "ledger.commit":
            if number := self.disk.operated():
                raise sqlite3.OperationalError(f"disk I/O error {number}")
        elif point in _DISK_POINTS:
            self.disk.strike()
        if point.startswith("ledger.") and point.endswith(".before"):
            self._told = self.image.told()
        if self._left > 0:
            self._left -= 1
            if self._left == 0:
                self._die(point)

    def _die(self, point: str) -> None:
        if not (point.startswith("ledger.") and point.endswith(".after")):  # else nobody was told of the last commit
            self._told = self.image.told()
        self.image.taken(self._told)
        self.dead = self.disk.dead = True
        raise Killed

    def calmed(self) -> None:
        """Nothing goes wrong from here on."""
        self.dangers = QUIET
        self.disk.every = self._left = 0

    async def live(self) -> None:
        """Lives, dies and is started again until the world ends. Raises what no validator may end with."""
        LIFE.set(self)
        DISK.set(self.disk)
        clock = VirtualClock(skew_ms=(self.luck.draw("skew", 5) - 2) * 86_400_000 // 2)
        while True:
            self.dead = self.disk.dead = False
            self._left = 1 + self.luck.draw("dies", 2 * self.dangers.kill) if self.dangers.kill else 0
            struck = self.disk.struck
            try:
                await self._process(clock)
            except Killed:
                pass
            except ClawbenchError as error:
                if error.code not in ENDINGS or self.disk.struck == struck:
                    raise
                self.deaths[error.code] += 1
            if self.dead:
                self._started_again()
            await asyncio.sleep(5 + self.luck.draw("down", 240 if self.dangers.kill else 10))

    def _started_again(self) -> None:
        power = self.luck.strikes("power", self.dangers.power)
        self.deaths["power cut" if power else "kill"] += 1
        self.image.restored(self.luck, power=power)
        if power:
            self.disk.cut()
        self.finished = {str(path) for path in (self.folder / "runs").rglob("run-*.jsonl") if _ended(path)}

    def _begun(self, path: str) -> None:
        if path.removesuffix(PART) in self.finished:
            self.wrong.append(f"{self.name} made {path} again, which was whole")

    async def _process(self, clock: VirtualClock) -> None:
        """One process, as ``operating.py`` wires it."""
        luck, trouble, state = self.luck, self.dangers.trouble, self.folder
        chain = ReachedChain(WholeChain(self.truth, self.hotkey, luck, trouble, key=key_of(self.name)))
        os.sync()
        self.github = GitHub(self.truth.repositories, luck, trouble, self.met)
        with Ledger(state / "ledger.db", inline=True) as ledger:
            archive = Archive(state / "evidence")
            with mock.patch("httpx.AsyncClient", self.github.client(httpx.AsyncClient)):
                witness = Witness(GITHUB, archive, clock=clock)
            model = Scripted(luck, trouble, self.met)
            runs = Runs(model, RULES, LIBRARY, state / "runs", ledger, clock)
            places = (state / "records", state / "runs")
            records = Records(model, RULES, *places, archive, chain, ledger, state / "publish")
            cache = FetchCache(state / "fetched")
            verifier = Verifier(chain, GITHUB, witness, RULES, scratch=state / "scratch", cache=cache)
            choices = Choices(verify_again_seconds=20, poll_seconds=30, record_url=f"https://{self.name}.example")
            try:
                await validated(Ports(chain, ledger, clock, verifier, runs, records), RULES, choices)
            finally:
                await witness.close()


def _ended(path: Path) -> bool:
    last = path.read_bytes().rpartition(b"\n")[0].rpartition(b"\n")[2]
    with suppress(orjson.JSONDecodeError):
        return bool(orjson.loads(last)["type"] == "episode_end")
    return False


_made_once: dict[tuple[int, str | None], Any] = {}


def _settings(plan: EpochPlan, place: Path) -> Any:
    """An epoch's scenarios are the same for everybody."""
    key = (plan.number, plan.beacon)
    if key not in _made_once:
        _made_once.clear()
        _made_once[key] = settings(plan, place)
    return _made_once[key]


async def _fetched(
    host: Any, name: str, commit: str, path: str, limits: Any, scratch: Any, known: Any, dated: Any
) -> bytes:
    life = LIFE.get()
    assert life is not None
    return await life.github.fetched(name, known, dated)


def _reached(point: str) -> None:
    life = LIFE.get()
    if life is not None:
        life.reached(point)


@contextmanager
def _faked() -> Iterator[None]:
    faults.arm(_reached)
    try:
        with (
            watched(),
            mock.patch("trajectoryrl.repository._fetched", _fetched),
            mock.patch("trajectoryrl.ports.settings", _settings),
        ):
            yield
    finally:
        faults.arm(None)


async def whole_world(truth: WholeTruth, folder: Path, dangers: Dangers) -> list[WholeLife]:
    """Lets every validator live through the world's epochs with all dangers, and through another without."""
    lives = []
    for number in range(truth.validators):
        place = folder / str(number)
        place.mkdir(parents=True)
        lives.append(WholeLife(truth, number, place, Luck(f"whole:{truth.seed}:{number}"), dangers))
    with _faked():
        tasks = [asyncio.create_task(life.live()) for life in lives]
        for seconds, calm in ((truth.epochs, False), (1.5, True)):
            if calm:
                for life in lives:
                    life.calmed()
            await asyncio.wait(tasks, timeout=seconds * LONG * BLOCK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
    return lives
