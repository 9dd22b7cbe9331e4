"""A world from a seed: a chain, miners of every kind, and what goes wrong for whom and when."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

from clawbench.draws import digest, draw
from clawbench.likeness import content_hash, likeness
from clawbench.pack import Pack, pack_from_text
from trajectoryrl.chain.protocol import Block, Metagraph, Neuron, OnChain, WeightsSet
from trajectoryrl.chain.weights import as_u16
from trajectoryrl.commitment import submission_of, submission_text
from trajectoryrl.decision import Inputs
from trajectoryrl.entry import Entry, Outcome, Pending, Rejection
from trajectoryrl.errors import ChainRefused, ChainUnavailable
from trajectoryrl.evaluation import Evaluation
from trajectoryrl.ledger import Ledger
from trajectoryrl.manifest import canonical
from trajectoryrl.outcomes import award_json, outcome_json
from trajectoryrl.plan import EpochPlan, ScenarioScore
from trajectoryrl.protocol import Parameters, parameters_of, shipped
from trajectoryrl.scoring import pack_score
from trajectoryrl.snapshot import Snapshot
from trajectoryrl.validator import Choices, Ports, validated

from .timing import START_MS, VirtualClock

NETUID = 11
BLOCK_SECONDS = 12
RULES: Parameters = parameters_of({**shipped().as_dict(), "blocks_per_epoch": 60, "verify_blocks": 12})
OWNER = "owner"


class Killed(BaseException):
    """The process is gone: nothing more of it runs."""


@dataclass
class Luck:
    """Draws that depend on the world's seed and on how often each kind was asked for."""

    seed: str
    asked: Counter[str] = field(default_factory=Counter)

    def draw(self, label: str, n: int) -> int:
        self.asked[label] += 1
        return draw(self.seed, f"{label}:{self.asked[label]}", n)

    def strikes(self, label: str, percent: int) -> bool:
        return self.draw(label, 100) < percent


@dataclass(frozen=True)
class Miner:
    """One of the field: ``kind`` is honest, copier, hostile, broken, flaky or absent; ``merit`` its true score."""

    hotkey: str
    kind: str
    pack: Pack
    merit: Fraction
    committed: int


@dataclass
class Truth:
    """What is so, whoever looks: blocks by time, registrations, commitments, weights that landed."""

    seed: int
    validators: int
    epochs: int
    miners: list[Miner] = field(default_factory=list)
    landed: list[tuple[str, int, Mapping[int, int]]] = field(default_factory=list)
    told: dict[str, OnChain] = field(default_factory=dict)

    def __post_init__(self) -> None:
        luck = Luck(f"world:{self.seed}")
        kinds = ("honest", "honest", "honest", "copier", "hostile", "broken", "flaky", "absent")
        count = 4 + luck.draw("miners", 10)
        for number in range(count):
            kind = kinds[luck.draw("kind", len(kinds))] if number else "honest"
            author = luck.draw("author", max(1, number))
            text = f"# Policy {author if kind == 'copier' else f'own {number}'}\nAsk before you send.\n"
            pack = pack_from_text(text, f"pack-{number}")
            merit = Fraction(luck.draw("merit", 21), 20)
            self.miners.append(Miner(f"miner-{number}", kind, pack, merit, 5 + luck.draw("when", 80)))

    @property
    def names(self) -> list[str]:
        return [OWNER, *(f"validator-{n}" for n in range(self.validators)), *(m.hotkey for m in self.miners)]

    def head(self) -> int:
        return 60 + int(asyncio.get_running_loop().time()) // BLOCK_SECONDS

    def block(self, number: int) -> Block:
        return Block(number, sha256(f"{self.seed}:{number}".encode()).hexdigest(), self.time_ms(number))

    def time_ms(self, number: int) -> int:
        return START_MS + (number - 60) * BLOCK_SECONDS * 1000

    def metagraph(self, number: int) -> Metagraph:
        neurons = tuple(
            Neuron(uid, name, f"cold-{name}", permit=name.startswith("validator"))
            for uid, name in enumerate(self.names)
        )
        return Metagraph(NETUID, number, neurons, OWNER)

    def commitments(self, number: int) -> dict[str, OnChain]:
        found = {
            miner.hotkey: OnChain(miner.hotkey, _text(miner), miner.committed)
            for miner in self.miners
            if miner.committed <= number and miner.kind != "absent"
        }
        return {**found, **self.told}

    def last_weights(self, hotkey: str) -> WeightsSet | None:
        own = [(block, weights) for who, block, weights in self.landed if who == hotkey]
        return WeightsSet(*own[-1]) if own else None

    def merit_of(self, content: str, scenario: str) -> Fraction:
        """What this content is worth on a scenario: the same for whoever runs it."""
        author = next(miner for miner in self.miners if content_hash(miner.pack) == content)
        spread = Fraction(draw(digest(self.seed, content), scenario, 5) - 2, 40)
        return max(Fraction(0), min(Fraction(1), author.merit + spread))


def _text(miner: Miner) -> str:
    if miner.kind == "hostile":
        return "trl1:\x1b[2J" + "x" * 300
    return submission_text(f"{miner.hotkey}/pack", sha256(miner.hotkey.encode()).hexdigest()[:40], miner.pack.sha256)


@dataclass
class SimulatedChain:
    """The chain as one validator sees it: with outages, refusals, and answers that get lost."""

    truth: Truth
    hotkey: str
    luck: Luck
    trouble: int
    netuid: int = NETUID
    public: bool = False

    async def _wire(self, label: str) -> None:
        await asyncio.sleep(self.luck.draw(f"{label}:ms", 900) / 1000)
        if self.luck.strikes(label, self.trouble):
            await asyncio.sleep(self.luck.draw(f"{label}:late", 30))
            raise ChainUnavailable.of("CHAIN_TIMEOUT", "no answer in time")

    async def head(self) -> int:
        await self._wire("head")
        return self.truth.head()

    async def finalized(self) -> int:
        await self._wire("finalized")
        return self.truth.head() - 2

    async def block(self, number: int) -> Block:
        await self._wire("block")
        return self.truth.block(number)

    async def metagraph(self, block: int) -> Metagraph:
        await self._wire("metagraph")
        return self.truth.metagraph(block)

    async def commitments(self, block: int) -> Mapping[str, OnChain]:
        await self._wire("commitments")
        return self.truth.commitments(block)

    async def commit(self, text: str) -> int:
        await self._wire("commit")
        self.truth.told[self.hotkey] = OnChain(self.hotkey, text, self.truth.head())
        return self.truth.head()

    async def set_weights(self, weights: Mapping[int, Fraction], version_key: int) -> int:
        await self._wire("set")
        if self.luck.strikes("refused", self.trouble):
            raise ChainRefused.of("CHAIN_RATE_LIMITED", "too fast")
        block = self.truth.head() + 1
        self.truth.landed.append((self.hotkey, block, as_u16(weights)))
        await asyncio.sleep(BLOCK_SECONDS)
        if self.luck.strikes("answer lost", self.trouble * 2):
            raise ChainUnavailable.of("CHAIN_UNREACHABLE", "the connection dropped while it was in flight")
        return block

    async def weights(self, hotkey: str) -> WeightsSet | None:
        await self._wire("weights")
        return self.truth.last_weights(hotkey)

    async def sign(self, message: bytes) -> bytes:
        return b"\0" * 64

    async def close(self) -> None:
        pass


@dataclass
class Life:
    """One validator through all its deaths: what it knew when, and what it sealed."""

    truth: Truth
    number: int
    folder: Path
    luck: Luck
    trouble: int
    kill: int
    sealed: dict[int, bytes] = field(default_factory=dict)
    seen: dict[int, str] = field(default_factory=dict)
    winners: dict[int, str | None] = field(default_factory=dict)
    kills: int = 0
    ran: Counter[tuple[int, str]] = field(default_factory=Counter)

    @property
    def hotkey(self) -> str:
        return f"validator-{self.number}"

    def _may_die(self, where: str) -> None:
        if self.luck.strikes(f"kill:{where}", self.kill):
            self.kills += 1
            raise Killed

    async def verify(self, inputs: Snapshot, said: OnChain) -> Outcome:
        """The host, with its outages; a hostile text and a broken pack are rejected, a bug of ours is raised."""
        self._may_die("verify")
        await asyncio.sleep(1 + self.luck.draw("verify", 20))
        if self.luck.strikes("bug", self.trouble):
            raise KeyError("a bug of ours")
        try:
            commitment = submission_of(said.text, said.hotkey, said.block)
        except ValueError as why:
            return Rejection(said.hotkey, "COMMITMENT_FORMAT", str(why)[:100])
        miner = next(one for one in self.truth.miners if one.hotkey == said.hotkey)
        flaky = 90 if miner.kind == "flaky" else self.trouble
        if self.luck.strikes(f"host:{miner.hotkey}", flaky):
            return Pending(said.hotkey, "GITHUB_UNAVAILABLE", "status 502", commitment)
        if miner.kind == "broken":
            return Rejection(said.hotkey, "HASH_MISMATCH", "another hash", commitment)
        neuron = inputs.graph.by_hotkey(said.hotkey)
        assert neuron is not None
        when = self.truth.time_ms(said.block)
        return Entry(
            neuron.uid,
            neuron.coldkey,
            commitment,
            miner.pack,
            content_hash(miner.pack),
            likeness(miner.pack),
            when - 5000,
            when - 5000,
        )

    async def evaluate(self, plan: EpochPlan, entries: Sequence[Entry]) -> tuple[Sequence[Evaluation], str]:
        """The model, with outages that leave contents undecided, and runs that are kept on this machine's disk."""
        found = []
        for entry in entries:
            self._may_die("evaluate")
            await asyncio.sleep(1 + self.luck.draw("run", 15))
            kept = self.folder / f"{plan.number}-{entry.content}"
            if not kept.exists():
                self.ran[plan.number, entry.content] += 1
                outage = self.luck.strikes("provider", self.trouble // 2)
                kept.write_text("INFRA" if outage else "COMPLETED")
            if kept.read_text() == "INFRA":
                found.append(Evaluation(entry.content, entry.pack.sha256, (), None, "MODEL_TIMEOUT"))
                continue
            rows = tuple(
                ScenarioScore(name, Fraction(1), self.truth.merit_of(entry.content, name)) for name in plan.scenarios
            )
            found.append(Evaluation(entry.content, entry.pack.sha256, (), pack_score(entry.content, rows, RULES)))
        return found, ""

    async def seal(
        self, plan: EpochPlan, inputs: Inputs, evaluations: Sequence[Evaluation], previous: str | None
    ) -> tuple[str, str]:
        from trajectoryrl.decision import decision

        decided = decision(inputs, plan, evaluations, RULES)
        scores = {one.content: str(one.score.exact) if one.score else one.cause for one in evaluations}
        body = canonical(
            {
                "epoch": plan.number,
                "outcomes": [outcome_json(outcome) for outcome in inputs.outcomes],
                "scores": scores,
                "award": award_json(decided.award),
                "keep": inputs.keep,
            }
        )
        if plan.number in self.sealed:
            assert self.sealed[plan.number] == body, "a record was made again with other bytes"
        self.sealed[plan.number] = body
        said = {outcome.hotkey: type(outcome).__name__ for outcome in inputs.outcomes}
        undecided = sorted(content for content, score in scores.items() if not score[0].isdigit())
        self.seen[plan.number] = str([sorted(said.items()), undecided, inputs.previous, inputs.keep])
        self.winners[plan.number] = decided.award.winner
        self._may_die("seal")
        return sha256(body).hexdigest(), str(plan.number)

    async def live(self) -> None:
        """Runs, dies and is started again until the world ends."""
        clock = VirtualClock(skew_ms=(self.luck.draw("skew", 5) - 2) * 86_400_000 // 2)
        while True:
            chain = SimulatedChain(self.truth, self.hotkey, self.luck, self.trouble)
            with Ledger(self.folder / "ledger.db", inline=True) as ledger:
                ports = Ports(chain, ledger, clock, self.verify, self.evaluate, self.seal, self._log)
                choices = Choices(verify_again_seconds=20, poll_seconds=6, record_url="https://records.example")
                with suppress(Killed):
                    await validated(ports, RULES, choices)
            await asyncio.sleep(5 + self.luck.draw("down", 240))

    def _log(self, event: str, **fields: Any) -> None:
        if event in ("award", "weights", "epoch_skipped", "record"):
            self._may_die(f"log:{event}")


async def lived_through(truth: Truth, folder: Path, trouble: int, kill: int) -> list[Life]:
    """Lets every validator live until the world's epochs are over; then they are all stopped."""
    lives = []
    for number in range(truth.validators):
        place = folder / str(number)
        place.mkdir(parents=True)
        lives.append(Life(truth, number, place, Luck(f"life:{truth.seed}:{number}"), trouble, kill))
    tasks = [asyncio.create_task(life.live()) for life in lives]
    ending = asyncio.create_task(asyncio.sleep((truth.epochs + 1) * RULES.blocks_per_epoch * BLOCK_SECONDS))
    done, _ = await asyncio.wait({*tasks, ending}, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done - {ending}:
        task.result()
    return lives
