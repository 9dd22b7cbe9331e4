"""Setting an epoch's weights once, whatever happens in between.

``PLANNED`` is written before anything is sent, ``SUBMITTED`` right before the chain is asked, ``CONFIRMED`` when the
chain shows it. Who finds ``SUBMITTED`` without ``CONFIRMED`` asks the chain what became of it, and sends again only
when the extrinsic can no longer land.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .chain.protocol import Chain
from .chain.weights import as_u16
from .clock import Clock
from .errors import ChainRefused, ChainUnavailable
from .ledger import Ledger, WeightsRow

ERA_BLOCKS = 20
"""Blocks after which an extrinsic that did not land never will: its era, and some for finality."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """How the weights of an epoch stand: ``block`` where they landed, else ``why`` they did not."""

    block: int | None
    why: str = ""


async def weighed(
    epoch: int,
    shares: Mapping[int, Fraction],
    version_key: int,
    *,
    chain: Chain,
    ledger: Ledger,
    clock: Clock,
    until_block: int,
    seconds_per_block: float,
) -> Weighed:
    """Sets ``shares`` (by uid) for ``epoch`` unless they are set already; gives up at ``until_block``.

    Waits out rate limits and outages. What the chain refuses for good (registration, permit, version key) is tried
    again every few blocks until then: an operator can mend it.
    """
    rows = ledger.weights_of(epoch)
    confirmed = next((row for row in rows if row.state == "CONFIRMED"), None)
    if confirmed is not None:
        return Weighed(int(confirmed.at["block"]))
    hotkey = chain.hotkey
    assert hotkey is not None
    attempt = rows[-1].attempt if rows else 0
    if not rows:
        planned = {"weights": {str(uid): weight for uid, weight in as_u16(shares).items()}, "version_key": version_key}
        await ledger.weights(epoch, 0, "PLANNED", planned)
    submitted = rows[-1] if rows and rows[-1].state == "SUBMITTED" else None
    why = "no answer from the chain"
    while True:
        try:
            head = await chain.head()
            if submitted is not None:
                block = await _landed(chain, hotkey, submitted)
                if block is not None:
                    await ledger.weights(epoch, submitted.attempt, "CONFIRMED", {"block": block})
                    return Weighed(block)
                if head > int(submitted.at["head"]) + ERA_BLOCKS:
                    attempt, submitted = submitted.attempt + 1, None
            if submitted is None:
                if head >= until_block:
                    return Weighed(None, why)
                at: dict[str, Any] = {"head": head}
                await ledger.weights(epoch, attempt, "SUBMITTED", at)
                submitted = WeightsRow(epoch, attempt, "SUBMITTED", at)
                block = await chain.set_weights(shares, version_key)
                await ledger.weights(epoch, attempt, "CONFIRMED", {"block": block})
                return Weighed(block)
        except ChainRefused as refused:  # it is not on chain, and was not sent or failed there
            why = refused.problems[0].message
            attempt, submitted = (submitted.attempt if submitted else attempt) + 1, None
            if head >= until_block:
                return Weighed(None, why)
            await clock.sleep(seconds_per_block * 2)
            continue
        except ChainUnavailable as failed:
            why = failed.problems[0].message
        await clock.sleep(seconds_per_block)


async def _landed(chain: Chain, hotkey: str, submitted: WeightsRow) -> int | None:
    """The block of this hotkey's last update, if it is later than the head at which we submitted."""
    now = await chain.weights(hotkey)
    return now.block if now is not None and now.block > int(submitted.at["head"]) else None


async def kept_fresh(
    chain: Chain, shares: Mapping[int, Fraction], version_key: int, *, cutoff_blocks: int
) -> int | None:
    """Sets earlier weights again when the last update is older than half the activity cutoff; the block if it did."""
    hotkey = chain.hotkey
    if hotkey is None or not shares:
        return None
    now = await chain.weights(hotkey)
    if now is None or await chain.head() - now.block <= cutoff_blocks // 2:
        return None
    return await chain.set_weights(shares, version_key)
