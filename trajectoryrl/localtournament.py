"""A tournament on one machine: a chain and a forge in this process, packs as miners, epochs on a simulated clock.

Keys, block hashes, times and git dates derive from the first epoch and the packs' names, so that the same packs give
the same bytes again; only seal.json (a signature is randomised) and times.jsonl (a clock's) differ.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .chain.keys import derived_key
from .chain.local import LocalChain, LocalNetwork, Rules
from .chain.protocol import OnChain
from .decision import Decision, Inputs, competing, decision
from .entry import Commitment, Entry, Outcome, Rejection
from .epoch import first_block, plan
from .errors import ClawbenchError, InvalidInput, Problem
from .evaluation import Evaluation, evaluated, settings
from .manifest import ModelIdentity
from .plan import EpochPlan
from .protocol import Parameters, library
from .record import Epoch, write_record

if TYPE_CHECKING:
    from clawbench.bench import Watch
    from clawbench.models.protocol import Model
    from clawbench.pack import Pack

NETUID = 11
_SECOND = 1000


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
    """The network, and who plays on it. ``folder`` gets a record per epoch."""

    players: Sequence[Candidate]
    first: int
    model: Model
    parameters: Parameters
    folder: Path
    watch: Watch | None = None
    done: Callable[[Evaluation], None] = lambda evaluation: None
    network: LocalNetwork = field(init=False)
    _keys: dict[str, Any] = field(init=False, default_factory=dict)
    _validator: LocalChain = field(init=False)
    _packs: dict[str, Pack] = field(init=False, default_factory=dict)
    _previous: tuple[str | None, str | None] = field(init=False, default=(None, None))

    def __post_init__(self) -> None:
        if self.first < 1:
            raise InvalidInput.of("EPOCH", "the first epoch that can be played is 1: packs are committed before it")
        seed = f"tournament:{self.first}"
        owner, validator = derived_key(f"{seed}:owner"), derived_key(f"{seed}:validator")
        self.network = LocalNetwork(
            rules=Rules(
                netuid=NETUID,
                genesis=f"trajectoryrl-{seed}",
                block_ms=self.parameters.seconds_per_block * _SECOND,
                owner=str(owner.ss58_address),
            )
        )
        self.network.advance_to(first_block(self.first - 1, self.parameters))
        self.network.register(str(owner.ss58_address))
        self.network.register(str(validator.ss58_address), stake=10**12, permit=True)
        self._validator = LocalChain(self.network, validator)
        for player in self.players:
            key = derived_key(f"{seed}:miner:{player.name}")
            self._keys[player.name] = key
            self.network.register(str(key.ss58_address))

    async def publish(self) -> None:
        """Every player pushes its pack and commits it, one after the other in the order given."""
        for player in self.players:
            self.network.advance(2)
            key = self._keys[player.name]
            pack = _written_for(player.pack, str(key.ss58_address))
            self._packs[str(key.ss58_address)] = pack
            text = f"trl1:local/{player.name}:{pack.sha256}"
            await LocalChain(self.network, key).commit(text[:384])

    async def play(self, number: int) -> Played:
        """Plays epoch ``number``: inputs, verification, evaluation, award, weights, record."""
        start = first_block(number, self.parameters)
        self.network.advance_to(start)
        block = await self._validator.block(start)
        made = plan(NETUID, number, block.hash, self.parameters)
        committed = await self._validator.commitments(start)
        outcomes = [await self._verified(found) for found in committed.values()]
        names = {str(key.ss58_address): name for name, key in self._keys.items()}
        inputs = Inputs(
            block=block,
            metagraph=await self._validator.metagraph(start),
            commitments=committed,
            outcomes=tuple(outcomes),
            names=names,
            previous=self._previous[0],
        )
        work = Path(tempfile.mkdtemp(prefix="trajectoryrl-"))
        try:
            evaluations = await evaluated(
                competing(inputs, made)[0],
                made,
                settings(made, library()),
                self.model,
                self.parameters,
                work,
                watch=self.watch,
                done=self.done,
            )
            decided = decision(inputs, made, evaluations, self.parameters)
            record = self.folder / f"epoch-{number}"
            self.folder.mkdir(parents=True, exist_ok=True)
            digest = await write_record(
                Epoch(
                    validator=str(self._validator.hotkey),
                    previous=self._previous[1],
                    model=ModelIdentity(self.model.name, self.model.version, self.model.simulated),
                    parameters=self.parameters,
                    plan=made,
                    inputs=inputs,
                    evaluations=tuple(evaluations),
                    evidence={},
                    times=work / "times.jsonl",
                ),
                record,
                self._validator.sign,
            )
        finally:
            shutil.rmtree(work, ignore_errors=True)
        if decided.weights:
            await self._validator.set_weights(decided.weights, self.parameters.version_key)
        winner = self._previous[0] if decided.award.keep_previous else decided.award.winner
        self._previous = (winner, digest)
        return Played(made, inputs, tuple(evaluations), decided, names, record, digest)

    def name_of(self, pack_hash: str) -> str:
        """The name of the player whose submitted pack has this hash."""
        names = {str(key.ss58_address): name for name, key in self._keys.items()}
        return next((names[hotkey] for hotkey, pack in self._packs.items() if pack.sha256 == pack_hash), pack_hash[:12])

    async def _verified(self, found: OnChain) -> Outcome:
        from clawbench.likeness import content_hash, likeness

        pack = self._packs.get(found.hotkey)
        neuron = self.network.registered(found.hotkey)
        if pack is None or neuron is None:
            return Rejection(found.hotkey, "PACK_MISSING", "there is no pack")
        commitment = Commitment(found.hotkey, "local/pack", "0" * 40, pack.sha256, found.block)
        time = self.network.block(found.block).time_ms
        return Entry(
            neuron.uid, neuron.coldkey, commitment, pack, content_hash(pack), likeness(pack), time - 1000, time - 1000
        )


def _written_for(pack: Pack, hotkey: str) -> Pack:
    """``pack`` as its miner submits it: with the hotkey in its metadata."""
    from clawbench.pack import pack_of

    value = json.loads(pack.canonical)
    return pack_of({**value, "metadata": {**value["metadata"], "hotkey": hotkey}}, pack.name)
