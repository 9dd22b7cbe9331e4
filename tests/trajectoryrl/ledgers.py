"""A ledger as a validator leaves it, made by hand: a winner, a runner-up, a duplicate, a rejection, a pending one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from clawbench.likeness import content_hash, likeness
from clawbench.pack import load_pack
from trajectoryrl.chain.protocol import Block, Metagraph, Neuron, OnChain
from trajectoryrl.entry import Entry, Outcome, Pending, Rejection
from trajectoryrl.ledger import Ledger, RunRow
from trajectoryrl.outcomes import award_json, outcome_json
from trajectoryrl.plan import Award
from trajectoryrl.snapshot import Snapshot, snapshot_json

from .entries import entry

PACKS = Path(__file__).parent.parent.parent / "packs"
FIRST = 120
HOTKEYS = ("5Alice", "5Bobby", "5Copier", "5Dora", "5Eve")
EVIL = "rejected: \x1b[2J\x1b[31mowned\u202e " + "x" * 300


def outcomes() -> dict[str, Outcome]:
    """What each hotkey's submission came to."""

    def entered(name: str, pack: str, hour: int) -> Entry:
        found = load_pack(PACKS / pack)
        return replace(
            entry(name, hour), pack=found, content=content_hash(found), likeness=likeness(found), uid=hour + 1
        )

    return {
        "5Alice": entered("5Alice", "careful", 0),
        "5Bobby": entered("5Bobby", "baseline", 1),
        "5Copier": entered("5Copier", "careful", 2),
        "5Dora": Rejection("5Dora", "HASH_MISMATCH", EVIL),
        "5Eve": Pending("5Eve", "GIT_TIMEOUT", "the forge did not answer in time"),
    }


def snap(epoch: int) -> Snapshot:
    """The chain as of the epoch's first block."""
    first = Block(epoch * FIRST, f"{epoch:064x}", 1000 * epoch)
    neurons = tuple(Neuron(uid, name, f"cold-{name}", 0, False, True, 0) for uid, name in enumerate(HOTKEYS, 1))
    said = {name: OnChain(name, "trl1:x", 5) for name in HOTKEYS}
    return Snapshot(epoch, first, Metagraph(11, first.number, neurons, "5Owner"), said)


async def filled(ledger: Ledger) -> None:
    """Epoch 1 skipped, 2 recorded with its weights set, 3 decided, 4 being verified."""
    made = outcomes()
    alice, bobby = made["5Alice"], made["5Bobby"]
    assert isinstance(alice, Entry)
    assert isinstance(bobby, Entry)
    await ledger.epoch(1, {"skipped": "joined 90 blocks after the epoch began, the window is 15"})
    given = Award(
        "5Alice", ("5Alice", "5Bobby"), {"5Alice": Fraction(7, 9), "5Bobby": Fraction(2, 9)}, False,
        ("5Alice wins with 1.00",), {"5Alice": "wins", "5Bobby": "place 2 gets 22.2%"}, ("5Alice",), 2, True,
    )  # fmt: skip
    for number in (2, 3, 4):
        await ledger.epoch(number, snapshot_json(snap(number)))
    for number in (2, 3):
        for hotkey, outcome in made.items():
            await ledger.submission(number, hotkey, outcome_json(outcome))
        for run in range(2):
            for content in (alice.content, bobby.content):
                await ledger.run(RunRow(number, content, "inbox", run, 0, "COMPLETED", "", f"run-{run}.jsonl", 1200, 0))
        fault = f"OVERLOADED: {EVIL}"
        await ledger.run(RunRow(number, bobby.content, "inbox", 2, 0, "INFRA", fault, "failed-run-2-0.jsonl", 0, 0))
        good = {"cause": "", "exact": "39/40", "scenarios": {"inbox": "1"}, "trace": ["inbox: 1.0000, weight 1"]}
        await ledger.verdict(number, alice.content, good)
        await ledger.verdict(number, bobby.content, {**good, "exact": "3/10", "scenarios": {"inbox": "3/10"}})
        await ledger.award(number, {**award_json(given), "keep": ""})
        await ledger.weights(number, 0, "PLANNED", {"weights": {"1": 65535}, "version_key": 1})
        await ledger.weights(number, 0, "SUBMITTED", {"head": 250})
    await ledger.weights(2, 0, "CONFIRMED", {"block": 252})
    await ledger.record(2, "ab" * 32, "records/epoch-2")
    await ledger.submission(4, "5Alice", outcome_json(alice))


def made_ledger(folder: Path) -> Path:
    """Writes it under ``folder`` as ``--state`` would have it; returns the file."""
    place = folder / "11-5Validator" / "ledger.db"
    with Ledger(place) as ledger:
        asyncio.run(filled(ledger))
    return place
