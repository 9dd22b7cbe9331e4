"""The epoch loop: from an epoch's first finalized block to weights and a sealed record.

Every step writes what it found to the ledger before the next begins, and begins by asking the ledger what is there.
So a validator that is killed anywhere goes on with the same epoch, and ends it with the same result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

from clawbench.draws import digest
from clawbench.pack import Pack

from .chain.protocol import Chain, OnChain
from .clock import Clock
from .entry import Entry, Outcome, Pending
from .epoch import epoch_of, first_block, plan
from .errors import ChainUnavailable
from .ledger import Ledger
from .order import in_order, without_duplicates
from .outcomes import (
    Verdict,
    award_json,
    award_of,
    outcome_json,
    outcome_of,
    verdict_json,
    verdict_of,
)
from .plan import Award, EpochPlan
from .protocol import Parameters
from .scoring import pack_score
from .snapshot import Snapshot, snapshot, snapshot_json, snapshot_of
from .tournament import Contender, award
from .weighing import Weighed, kept_fresh, weighed

Log = Callable[..., None]
Ended = Callable[[str, Verdict], Awaitable[None]]


class Verify(Protocol):
    """Decides one submission. Whatever it raises is PENDING: a fault of ours is nobody's."""

    async def __call__(self, inputs: Snapshot, said: OnChain) -> Outcome: ...


class Evaluate(Protocol):
    """Runs the contents that are not judged yet, in their order, and tells ``ended`` each verdict that is final.

    Returns the verdicts of contents that stayed undecided, and a sentence if no new weights may follow from this
    (the budget, the provider's breaker).
    """

    async def __call__(
        self, plan: EpochPlan, packs: Mapping[str, Pack], ended: Ended
    ) -> tuple[Mapping[str, Verdict], str]: ...


class Seal(Protocol):
    """Leaves an epoch's record; returns the manifest's sha256 and where it stands. The same inputs, the same bytes."""

    async def __call__(self, ended: EpochEnd) -> tuple[str, str]: ...


@dataclass(frozen=True, slots=True)
class Choices:
    """What the operator chose. ``forbidden`` is why no weights may be set here, or nothing."""

    forbidden: str = ""
    verify_at_once: int = 16
    verify_again_seconds: float = 60.0
    poll_seconds: float = 12.0
    cutoff_blocks: int = 5000
    keep_epochs: int = 24
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


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """An epoch, decided: what its record is made of."""

    inputs: Snapshot
    plan: EpochPlan
    parameters: Parameters
    outcomes: Mapping[str, Outcome]
    verdicts: Mapping[str, Verdict]
    award: Award


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
    inputs = await _inputs(ports, parameters, number)
    if inputs is None:
        return False
    epoch_plan = plan(inputs.graph.netuid, number, inputs.first.hash, parameters)
    outcomes = await _outcomes(ports, parameters, choices, inputs)
    if outcomes is None:
        return False
    entries = in_order((outcome for outcome in outcomes.values() if isinstance(outcome, Entry)), inputs.first.hash)
    owned, duplicates = without_duplicates(entries)
    decided: dict[str, Outcome] = {**outcomes, **{one.hotkey: one for one in duplicates}}
    verdicts, keep = await _verdicts(ports, epoch_plan, owned)
    found = ledger.award_of(number)
    if found is None:
        result = _award(ledger, parameters, inputs, owned, verdicts, keep)
        await ledger.award(number, award_json(result))
        found = ledger.award_of(number)
        assert found is not None
    result = award_of(found)
    ports.log("award", epoch=number, winner=result.winner, why=result.trace[-1])
    stood = await _weights(ports, parameters, choices, inputs, result)
    ports.log("weights", epoch=number, block=stood.block, why=stood.why)
    if ledger.record_of(number) is None:
        manifest, place = await ports.seal(EpochEnd(inputs, epoch_plan, parameters, decided, verdicts, result))
        await ledger.record(number, manifest, place)
        ports.log("record", epoch=number, manifest=manifest, place=place)
    await _told(ports, choices, number)
    return True


def _unfinished(ledger: Ledger) -> list[int]:
    """Epochs that were begun, not skipped, and left no record."""
    return [
        number
        for number in ledger.epochs()
        if ledger.record_of(number) is None and "skipped" not in (ledger.inputs_of(number) or {})
    ]


async def _next(ports: Ports, parameters: Parameters, choices: Choices) -> int:
    """Waits for the first final block of an epoch that was not begun; keeps earlier weights fresh meanwhile."""
    while True:
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
            known = ports.ledger.inputs_of(number)
        except ChainUnavailable as failed:
            ports.log("chain_unavailable", code=failed.code, message=failed.problems[0].message)
            await ports.clock.sleep(parameters.seconds_per_block)
    return None if "skipped" in known else snapshot_of(known)


async def _outcomes(
    ports: Ports, parameters: Parameters, choices: Choices, inputs: Snapshot
) -> dict[str, Outcome] | None:
    """What every submission came to when all are decided or the window closes: the rest is PENDING.

    ``None`` if not one could be looked at in time.
    """
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
            never = Pending(hotkey, "VERIFY_WINDOW", "it could not be verified before the window closed")
            pending = last.get(hotkey, never)
            await ports.ledger.submission(number, hotkey, outcome_json(pending))
            known[hotkey] = pending
    return known


async def _guarded(ports: Ports, inputs: Snapshot, said: OnChain) -> Outcome:
    """One submission's outcome; a bug or an outage of ours is PENDING and stops nobody else."""
    try:
        return await ports.verify(inputs, said)
    except Exception as why:
        ports.log("verify_failed", hotkey=said.hotkey, error=repr(why)[:300])
        return Pending(said.hotkey, "VERIFY_FAILED", f"verification failed here: {type(why).__name__}")


async def _closing(ports: Ports, parameters: Parameters, inputs: Snapshot) -> None:
    """Returns when the verification window closes, by the chain or, if that is silent, by the clock."""
    last_block = inputs.first.number + parameters.verify_blocks
    window_ms = parameters.verify_blocks * parameters.seconds_per_block * 1000
    while ports.clock.now_ms() < inputs.first.time_ms + 2 * window_ms:
        try:
            if await ports.chain.head() >= last_block:
                return
        except ChainUnavailable:
            pass
        await ports.clock.sleep(parameters.seconds_per_block)


async def _verdicts(ports: Ports, epoch_plan: EpochPlan, owned: tuple[Entry, ...]) -> tuple[dict[str, Verdict], str]:
    """Every distinct content's verdict, and why no weights may follow, if so."""
    number = epoch_plan.number
    assert epoch_plan.beacon is not None
    known = {content: verdict_of(value) for content, value in ports.ledger.verdicts_of(number).items()}
    packs = {entry.content: entry.pack for entry in owned}
    order = sorted(packs, key=lambda content: digest(content, epoch_plan.beacon))
    missing = {content: packs[content] for content in order if content not in known}
    if not missing or ports.ledger.award_of(number) is not None:
        return known, ""

    async def ended(content: str, verdict: Verdict) -> None:
        await ports.ledger.verdict(number, content, verdict_json(verdict))
        known[content] = verdict
        ports.log("evaluated", epoch=number, content=content[:16], cause=verdict.cause)

    undecided, keep = await ports.evaluate(epoch_plan, missing, ended)
    for content, verdict in sorted(undecided.items()):
        await ended(content, verdict)
    return known, keep


def _award(
    ledger: Ledger,
    parameters: Parameters,
    inputs: Snapshot,
    owned: tuple[Entry, ...],
    verdicts: Mapping[str, Verdict],
    keep: str,
) -> Award:
    contenders = []
    for entry in owned:
        verdict = verdicts.get(entry.content)
        if verdict is None or verdict.cause:
            cause = verdict.cause if verdict is not None else "NOT_EVALUATED"
            contenders.append(Contender(entry, None, cause))
        else:
            contenders.append(Contender(entry, pack_score(entry.content, verdict.scenarios, parameters)))
    owner = inputs.graph.by_hotkey(inputs.graph.owner)
    earlier = (ledger.award_of(number) for number in reversed(ledger.epochs()) if number < inputs.epoch)
    previous = next((past["winner"] for past in earlier if past and not past["keep_previous"]), None)
    return award(contenders, inputs.first.hash, parameters, owner.hotkey if owner else None, previous, keep)


async def _weights(ports: Ports, parameters: Parameters, choices: Choices, inputs: Snapshot, result: Award) -> Weighed:
    """Sets the weights of an award, once; or says why not."""
    if result.keep_previous or not result.weights:
        return Weighed(None, "the previous weights stay")
    if choices.forbidden:
        return Weighed(None, choices.forbidden)
    if any(number > inputs.epoch and ports.ledger.award_of(number) for number in ports.ledger.epochs()):
        return Weighed(None, "a later epoch has its award already")
    shares = {
        neuron.uid: share
        for hotkey, share in result.weights.items()
        if (neuron := inputs.graph.by_hotkey(hotkey)) is not None
    }
    return await weighed(
        inputs.epoch,
        shares,
        parameters.version_key,
        chain=ports.chain,
        ledger=ports.ledger,
        clock=ports.clock,
        until_block=first_block(inputs.epoch + 2, parameters),
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


async def _told(ports: Ports, choices: Choices, number: int) -> None:
    """Commits where this epoch's record is, unless the chain says so already; trouble is said and left."""
    kept = ports.ledger.record_of(number)
    if not choices.record_url or kept is None or ports.chain.hotkey is None:
        return
    from .commitment import record_text

    text = record_text(f"{choices.record_url.rstrip('/')}/{number}", kept[0])
    try:
        standing = (await ports.chain.commitments(await ports.chain.head())).get(ports.chain.hotkey)
        if standing is None or standing.text != text:
            await ports.chain.commit(text)
    except ChainUnavailable as failed:
        ports.log("record_not_told", epoch=number, code=failed.code, message=failed.problems[0].message)
