"""The epoch loop: from an epoch's first finalized block to weights and a sealed record.

Every step writes what it found to the ledger before the next begins, and begins by asking the ledger what is there.
So a validator that is killed anywhere goes on with the same epoch, and ends it with the same result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol

from .chain.protocol import Chain, OnChain
from .clock import Clock
from .commitment import record_text, submission_of
from .decision import Decision, Inputs, competing, decision
from .entry import Entry, Outcome, Pending, Rejection
from .epoch import epoch_of, first_block, plan
from .errors import ChainUnavailable, CommitmentInvalid
from .evaluation import Evaluation
from .ledger import Ledger
from .outcomes import award_json, outcome_json, outcome_of
from .plan import EpochPlan
from .protocol import Parameters
from .snapshot import Snapshot, snapshot, snapshot_json, snapshot_of
from .weighing import Weighed, kept_fresh, weighed

Log = Callable[..., None]


class Verify(Protocol):
    """Decides one submission. Whatever it raises is PENDING: a fault of ours is nobody's."""

    async def __call__(self, inputs: Snapshot, said: OnChain) -> Outcome: ...


class Evaluate(Protocol):
    """Runs every distinct content of the entries through the epoch; what was run before is not run again.

    Returns the evaluations, and a sentence if no new weights may follow from them (the budget, the breaker).
    """

    async def __call__(self, plan: EpochPlan, entries: Sequence[Entry]) -> tuple[Sequence[Evaluation], str]: ...


class Seal(Protocol):
    """Leaves an epoch's record; returns the manifest's sha256 and where it stands. The same inputs, the same bytes."""

    async def __call__(
        self, plan: EpochPlan, inputs: Inputs, evaluations: Sequence[Evaluation], previous: str | None
    ) -> tuple[str, str]: ...


@dataclass(frozen=True, slots=True)
class Choices:
    """What the operator chose. ``forbidden`` is why no weights may be set here, or nothing."""

    forbidden: str = ""
    verify_at_once: int = 16
    verify_again_seconds: float = 60.0
    poll_seconds: float = 12.0
    cutoff_blocks: int = 5000
    record_url: str = ""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside: a simulation brings its own."""

    chain: Chain
    ledger: Ledger
    clock: Clock
    verify: Verify
    evaluate: Evaluate
    seal: Seal
    log: Log = field(default=lambda event, **fields: None)


async def validated(ports: Ports, parameters: Parameters, choices: Choices, *, epochs: int | None = None) -> None:
    """Lives through ``epochs`` epochs, or until cancelled; an unfinished one comes first.

    Raises LedgerUnusable only: everything else is waited out, or said and left behind.
    """
    done = 0
    for number in _unfinished(ports.ledger):
        ports.log("epoch_resumed", epoch=number)
        await epoch_ended(ports, parameters, choices, number)
        done += 1
    while epochs is None or done < epochs:
        number = await _next(ports, parameters, choices)
        if await epoch_ended(ports, parameters, choices, number):
            done += 1


async def epoch_ended(ports: Ports, parameters: Parameters, choices: Choices, number: int) -> bool:
    """Takes one epoch from wherever it stands to its end; false if it had to be skipped."""
    ledger = ports.ledger
    snap = await _inputs(ports, parameters, number)
    if snap is None:
        return False
    epoch_plan = plan(snap.graph.netuid, number, snap.first.hash, parameters)
    outcomes = await _outcomes(ports, parameters, choices, snap)
    inputs = Inputs(
        block=snap.first,
        metagraph=snap.graph,
        commitments=snap.submitted,
        outcomes=tuple(outcome for _, outcome in sorted(outcomes.items())),
        previous=_previous_winner(ledger, number),
    )
    kept = ledger.award_of(number)
    ports.log("evaluating", epoch=number, submissions=len(outcomes))
    evaluations, keep = await ports.evaluate(epoch_plan, competing(inputs, epoch_plan)[0])
    keep = keep or _nothing_seen(outcomes)
    inputs = replace(inputs, keep=keep if kept is None else kept["keep"])
    decided = decision(inputs, epoch_plan, evaluations, parameters)
    await ledger.award(number, {**award_json(decided.award), "keep": inputs.keep})
    ports.log("award", epoch=number, winner=decided.award.winner, why=decided.award.trace[-1])
    stood = await _weights(ports, parameters, choices, number, decided)
    ports.log("weights", epoch=number, block=stood.block, why=stood.why)
    if ledger.record_of(number) is None:
        earlier = (ledger.record_of(past) for past in reversed(ledger.epochs()) if past < number)
        previous = next((record[0] for record in earlier if record is not None), None)
        manifest, place = await ports.seal(epoch_plan, inputs, evaluations, previous)
        await ledger.record(number, manifest, place)
        ports.log("record", epoch=number, manifest=manifest, place=place)
    await _told(ports, choices, number)
    return True


def _nothing_seen(outcomes: Mapping[str, Outcome]) -> str:
    """Why weights stay when not one submission could be decided: that says something of us, not of them."""
    undecided = bool(outcomes) and all(isinstance(outcome, Pending) for outcome in outcomes.values())
    return "no submission could be verified here in time" if undecided else ""


def _previous_winner(ledger: Ledger, number: int) -> str | None:
    """Whom the last weights before this epoch went to."""
    earlier = (ledger.award_of(past) for past in reversed(ledger.epochs()) if past < number)
    return next((past["winner"] for past in earlier if past and not past["keep_previous"]), None)


def _unfinished(ledger: Ledger) -> list[int]:
    """Epochs that were begun, not skipped, and left no record."""
    return [
        number
        for number in ledger.epochs()
        if ledger.record_of(number) is None and "skipped" not in (ledger.inputs_of(number) or {})
    ]


async def _next(ports: Ports, parameters: Parameters, choices: Choices) -> int:
    """Waits for the first final block of an epoch that was not begun.

    Meanwhile earlier weights are kept fresh, and the last record is told of if it could not be before.
    """
    recorded = next((number for number in reversed(ports.ledger.epochs()) if ports.ledger.record_of(number)), None)
    told = recorded is None
    ports.log("waiting")
    while True:
        told = told or (recorded is not None and await _told(ports, choices, recorded))
        try:
            number = epoch_of(await ports.chain.finalized(), parameters)
            if ports.ledger.inputs_of(number) is None:
                return number
            await _fresh(ports, parameters, choices)
        except ChainUnavailable as failed:
            ports.log("chain_unavailable", code=failed.code, message=failed.problems[0].message)
        await ports.clock.sleep(choices.poll_seconds)


async def _inputs(ports: Ports, parameters: Parameters, number: int) -> Snapshot | None:
    """The epoch's inputs, read once; ``None`` if it is too late to read them, which is said and kept."""
    known = ports.ledger.inputs_of(number)
    first = first_block(number, parameters)
    while known is None:
        try:
            head = await ports.chain.head()
            if head > first + parameters.verify_blocks:
                late = f"joined {head - first} blocks after the epoch began, the window is {parameters.verify_blocks}"
                await ports.ledger.epoch(number, {"skipped": late})
                ports.log("epoch_skipped", epoch=number, why=late)
                return None
            await ports.ledger.epoch(number, snapshot_json(await snapshot(ports.chain, number, first)))
            ports.log("epoch_begun", epoch=number, block=first)
            known = ports.ledger.inputs_of(number)
        except ChainUnavailable as failed:
            ports.log("chain_unavailable", code=failed.code, message=failed.problems[0].message)
            await ports.clock.sleep(parameters.seconds_per_block)
    return None if "skipped" in known else snapshot_of(known)


async def _outcomes(ports: Ports, parameters: Parameters, choices: Choices, inputs: Snapshot) -> dict[str, Outcome]:
    """What every submission came to when all are decided or the window closes: the rest is PENDING."""
    number = inputs.epoch
    known = {hotkey: outcome_of(value) for hotkey, value in ports.ledger.submissions_of(number).items()}
    missing = [hotkey for hotkey in inputs.submitted if hotkey not in known]
    if not missing:
        return known
    closing = asyncio.create_task(_closing(ports, parameters, inputs))
    await asyncio.sleep(0)
    slots = asyncio.Semaphore(choices.verify_at_once)
    last: dict[str, Pending] = {}

    async def decide(hotkey: str) -> None:
        said = inputs.submitted[hotkey]
        while True:
            async with slots:
                outcome = await _guarded(ports, inputs, said)
            if not isinstance(outcome, Pending):
                await ports.ledger.submission(number, hotkey, outcome_json(outcome))
                known[hotkey] = outcome
                code = "ENTRY" if isinstance(outcome, Entry) else outcome.code
                ports.log("submission", epoch=number, hotkey=hotkey, code=code)
                return
            last[hotkey] = outcome
            await ports.clock.sleep(choices.verify_again_seconds)

    tasks = {hotkey: asyncio.create_task(decide(hotkey)) for hotkey in missing}
    everyone = asyncio.gather(*tasks.values())
    try:
        either: set[asyncio.Future[Any]] = {everyone, closing}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if everyone.done():
            everyone.result()
    finally:
        closing.cancel()
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(closing, everyone, *tasks.values(), return_exceptions=True)
    for hotkey in missing:
        if hotkey not in known:
            said = "it could not be verified before the window closed"
            pending = last.get(hotkey) or _undecided(inputs.submitted[hotkey], "VERIFY_WINDOW", said)
            await ports.ledger.submission(number, hotkey, outcome_json(pending))
            known[hotkey] = pending
    return known


async def _guarded(ports: Ports, inputs: Snapshot, said: OnChain) -> Outcome:
    """One submission's outcome; a bug or an outage of ours is PENDING and stops nobody else."""
    try:
        return await ports.verify(inputs, said)
    except Exception as why:
        ports.log("verify_failed", hotkey=said.hotkey, error=repr(why)[:300])
        return _undecided(said, "VERIFY_FAILED", f"verification failed here: {type(why).__name__}")


def _undecided(said: OnChain, code: str, message: str) -> Outcome:
    """A submission that nothing could be said of here; one whose text says nothing is decided without that."""
    try:
        return Pending(said.hotkey, code, message, submission_of(said.text, said.hotkey, said.block))
    except CommitmentInvalid as error:
        return Rejection(said.hotkey, error.code, error.problems[0].message)


async def _closing(ports: Ports, parameters: Parameters, inputs: Snapshot) -> None:
    """Returns when the verification window closes, by the chain or, if that stays silent, after as long a time.

    What this machine's clock shows decides nothing: it may be wrong by days.
    """
    last_block = inputs.first.number + parameters.verify_blocks
    window_ms = parameters.verify_blocks * parameters.seconds_per_block * 1000
    began = ports.clock.now_ms()
    while ports.clock.now_ms() < began + 2 * window_ms:
        try:
            if await ports.chain.head() >= last_block:
                return
        except ChainUnavailable:
            pass
        await ports.clock.sleep(parameters.seconds_per_block)


async def _weights(ports: Ports, parameters: Parameters, choices: Choices, number: int, decided: Decision) -> Weighed:
    """Sets the weights of a decision, once; or says why not."""
    if decided.award.keep_previous or not decided.weights:
        return Weighed(None, "the previous weights stay")
    if choices.forbidden:
        return Weighed(None, choices.forbidden)
    if any(later > number and ports.ledger.award_of(later) for later in ports.ledger.epochs()):
        return Weighed(None, "a later epoch has its award already")
    return await weighed(
        number,
        decided.weights,
        parameters.version_key,
        chain=ports.chain,
        ledger=ports.ledger,
        clock=ports.clock,
        until_block=first_block(number + 2, parameters),
        seconds_per_block=parameters.seconds_per_block,
    )


async def _fresh(ports: Ports, parameters: Parameters, choices: Choices) -> None:
    """Sets the newest confirmed weights again before the chain calls us inactive."""
    for number in reversed(ports.ledger.epochs()):
        rows = ports.ledger.weights_of(number)
        if any(row.state == "CONFIRMED" for row in rows) and not choices.forbidden:
            planned: Mapping[str, Any] = rows[0].at
            shares = {int(uid): Fraction(weight) for uid, weight in planned["weights"].items()}
            block = await kept_fresh(ports.chain, shares, parameters.version_key, cutoff_blocks=choices.cutoff_blocks)
            if block is not None:
                ports.log("weights_kept_fresh", epoch=number, block=block)
            return


async def _told(ports: Ports, choices: Choices, number: int) -> bool:
    """Commits where this epoch's record is, unless the chain says so already; false if that is to be tried again."""
    kept = ports.ledger.record_of(number)
    if not choices.record_url or kept is None or ports.chain.hotkey is None:
        return True
    text = record_text(f"{choices.record_url.rstrip('/')}/epoch-{number}", kept[0])
    try:
        standing = (await ports.chain.commitments(await ports.chain.head())).get(ports.chain.hotkey)
        if standing is None or standing.text != text:
            await ports.chain.commit(text)
    except ChainUnavailable as failed:
        ports.log("record_not_told", epoch=number, code=failed.code, message=failed.problems[0].message)
        return False
    return True
