"""A tournament on one machine: a chain and a forge in this process, packs as miners, epochs on a simulated clock.

Keys, block hashes, times and git dates derive from the first epoch and the packs' names, so that the same packs give
the same bytes again; only seal.json (a signature is randomised) and times.jsonl (a clock's) differ.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .archive import Archive
from .chain.keys import derived_key
from .chain.local import LocalChain, LocalNetwork, Rules
from .chain.protocol import OnChain
from .commitment import submission_text
from .decision import Decision, Inputs, competing, decision
from .entry import Outcome
from .epoch import first_block, plan
from .errors import ChainUnavailable, ClawbenchError, InvalidInput, Problem
from .evaluation import Evaluation, settings
from .manifest import ModelIdentity
from .plan import EpochPlan
from .protocol import Parameters, library
from .record import Epoch, write_record
from .repository import forge_host
from .rounds import Seams, evaluated
from .snapshot import Snapshot, snapshot

if TYPE_CHECKING:
    from clawbench.bench import Watch
    from clawbench.models.protocol import Model
    from clawbench.pack import Pack

    from .forge import ForgeServer

NETUID = 11
_FETCHES = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pack that takes part, under the name that people read."""

    name: str
    pack: Pack


@dataclass(frozen=True, slots=True)
class Played:
    """One epoch that was played: all that a leaderboard shows. ``names`` are by hotkey."""

    plan: EpochPlan
    inputs: Inputs
    evaluations: tuple[Evaluation, ...]
    decision: Decision
    names: Mapping[str, str]
    record: Path
    manifest: str


def candidates(places: Sequence[Path]) -> tuple[list[Candidate], list[Problem]]:
    """The packs at ``places``, each under a name of its own; and what was no pack, with the reason."""
    from clawbench.pack import load_pack

    found: list[Candidate] = []
    skipped: list[Problem] = []
    for place in places:
        if place.name == "README.md":  # for people: no pack has it
            skipped.append(Problem("PACK_README", str(place), "is for people, not for an agent"))
            continue
        try:
            pack = load_pack(place)
        except ClawbenchError as error:
            skipped.append(Problem(error.code, str(place), error.problems[0].message))
            continue
        taken = {candidate.name for candidate in found}
        name = next(name for name in _names(pack.name) if name not in taken)
        found.append(Candidate(name, pack))
    return found, skipped


def _names(name: str) -> Any:
    yield name
    number = 1
    while True:
        number += 1
        yield f"{name}-{number}"


@dataclass(slots=True)
class LocalTournament:
    """The network, and who plays on it; a context manager. ``folder`` gets a record per epoch."""

    players: Sequence[Candidate]
    first: int
    model: Model
    parameters: Parameters
    folder: Path
    watch: Watch | None = None
    done: Callable[[Evaluation], None] = lambda evaluation: None
    network: LocalNetwork = field(init=False)
    names: dict[str, str] = field(init=False, default_factory=dict)
    _keys: dict[str, Any] = field(init=False, default_factory=dict)
    _validator: LocalChain = field(init=False)
    _packs: dict[str, str] = field(init=False, default_factory=dict)
    _previous: tuple[str | None, str | None] = field(init=False, default=(None, None))
    _scratch: Path = field(init=False)
    _server: ForgeServer = field(init=False)

    def __post_init__(self) -> None:
        if self.first < 1:
            raise InvalidInput.of("EPOCH", "the first epoch that can be played is 1: packs are committed before it")
        seed = f"tournament:{self.first}"
        owner, validator = derived_key(f"{seed}:owner"), derived_key(f"{seed}:validator")
        self.network = LocalNetwork(
            rules=Rules(
                netuid=NETUID,
                genesis=f"trajectoryrl-{seed}",
                block_ms=self.parameters.seconds_per_block * 1000,
                owner=str(owner.ss58_address),
            )
        )
        self.network.advance_to(first_block(self.first, self.parameters) - 2 * len(self.players) - 2)
        self.network.register(str(owner.ss58_address))
        self.network.register(str(validator.ss58_address), stake=10**12, permit=True)
        self._validator = LocalChain(self.network, validator)
        for player in self.players:
            key = derived_key(f"{seed}:miner:{player.name}")
            self._keys[player.name] = key
            self.names[str(key.ss58_address)] = player.name
            self.network.register(str(key.ss58_address))

    def __enter__(self) -> LocalTournament:
        from .forge import Forge, ForgeServer

        self._scratch = Path(tempfile.mkdtemp(prefix="trajectoryrl-"))
        self._server = ForgeServer(Forge(self._scratch / "forge", self.now_ms))
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()
        self.network.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def now_ms(self) -> int:
        """The simulated time: that of the newest block."""
        return self.network.block(self.network.head()).time_ms

    async def sleep(self, seconds: float) -> None:
        """Nobody waits for a simulated clock."""

    def name_of(self, pack_hash: str) -> str:
        """The name of the player whose submitted pack has this hash."""
        return self._packs.get(pack_hash, pack_hash[:12])

    async def publish(self) -> None:
        """Every player pushes its pack and commits it on chain, one after the other in the order given."""
        for number, player in enumerate(self.players):
            self.network.advance(2)
            key = self._keys[player.name]
            pack = _written_for(player.pack, str(key.ss58_address))
            self._packs[pack.sha256] = player.name
            repository = f"miner-{number}/pack"
            place = self._scratch / f"miner-{number}"
            url = f"{self._server.url}/{repository}.git"
            commit = await asyncio.to_thread(_pushed, place, url, pack.canonical, self.now_ms() // 1000)
            text = submission_text(repository, commit, pack.sha256)
            await LocalChain(self.network, key).commit(text)

    async def play(self, number: int) -> Played:
        """Plays epoch ``number``: inputs, verification, evaluation, award, weights, record."""
        start = first_block(number, self.parameters)
        self.network.advance_to(start)
        read = await snapshot(self._validator, number, start)
        made = plan(NETUID, number, read.first.hash, self.parameters)
        archive = Archive(self._scratch / "archive")
        inputs = Inputs(
            block=read.first,
            metagraph=read.graph,
            commitments=read.submitted,
            outcomes=await self._verified(read, archive),
            names=self.names,
            previous=self._previous[0],
        )
        work = self._scratch / f"epoch-{number}"
        entries = competing(inputs, made)[0]
        seams = Seams(watch=self.watch, done=self.done)
        found = await evaluated(entries, made, settings(made, library()), self.model, self.parameters, work, seams)
        evaluations = found.evaluations
        inputs = replace(inputs, keep=found.keep)
        decided = decision(inputs, made, evaluations, self.parameters)
        record = self.folder / f"epoch-{number}"
        epoch = Epoch(
            validator=str(self._validator.hotkey),
            previous=self._previous[1],
            model=ModelIdentity.of(self.model),
            parameters=self.parameters,
            plan=made,
            inputs=inputs,
            evaluations=evaluations,
            evidence={
                name: body
                for outcome in inputs.outcomes
                for name in outcome.evidence
                if (body := archive.response(name)) is not None
            },
            times=work / "times.jsonl",
        )
        digest = await write_record(epoch, record, self._validator.sign)
        shutil.rmtree(work, ignore_errors=True)
        if decided.weights:
            await self._validator.set_weights(decided.weights, self.parameters.version_key)
        winner = self._previous[0] if decided.award.keep_previous else decided.award.winner
        self._previous = (winner, digest)
        return Played(made, inputs, evaluations, decided, self.names, record, digest)

    async def _verified(self, read: Snapshot, archive: Archive) -> tuple[Outcome, ...]:
        """What every submission comes to, verified as anyone's: fetched by git, its push witnessed by the forge."""
        from .github import Witness
        from .submission import Verifier

        host = forge_host(self._server.url, public_network=False)
        witness = Witness(host, archive, clock=self)
        verifier = Verifier(self._validator, host, witness, self.parameters, scratch=self._scratch)
        slots = asyncio.Semaphore(_FETCHES)

        async def verified(said: OnChain) -> Outcome:
            async with slots:
                return await verifier(read, said)

        try:
            return tuple(await asyncio.gather(*(verified(said) for said in read.submitted.values())))
        finally:
            await witness.close()


def _pushed(place: Path, url: str, pack: bytes, seconds: int) -> str:
    """Pushes ``pack`` as pack.json from a new repository at ``place``; returns the commit.

    Everything that git would take from the machine or its clock is given, so that the commit is the same anywhere.
    """
    place.mkdir(parents=True)
    (place / "pack.json").write_bytes(pack)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(place),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        **{f"GIT_{who}_NAME": "miner" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "miner@localhost" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_DATE": f"{seconds} +0000" for who in ("AUTHOR", "COMMITTER")},
    }

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=place, env=environment, capture_output=True, timeout=60, check=False)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()[-300:]
            raise ChainUnavailable.of("GIT", f"git {words[0]} failed: {said}")
        return done.stdout.decode().strip()

    git("init", "-q", "--template=", "--initial-branch=main")
    git("add", "pack.json")
    git("commit", "-q", "--no-gpg-sign", "-m", "The pack")
    git("push", "-q", url, "HEAD:refs/heads/main")
    return git("rev-parse", "HEAD")


def _written_for(pack: Pack, hotkey: str) -> Pack:
    """``pack`` as its miner submits it: with the hotkey in its metadata."""
    from clawbench.pack import pack_of

    value = json.loads(pack.canonical)
    return pack_of({**value, "metadata": {**value["metadata"], "hotkey": hotkey}}, pack.name)
