"""From a block to an epoch's plan: pure, so that every validator, miner and auditor computes the same one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

from clawbench import draws
from clawbench.identity import identity

from .errors import InvalidInput
from .plan import EpochPlan
from .protocol import Parameters

_HASH = re.compile(r"[0-9a-f]{64}")
_LAST_BLOCK = 2**32 - 1
_DIMENSIONS = {
    "date": "DATE",
    "name": "USER_NAME",
    "role": "USER_ROLE",
    "company": "COMPANY",
    "department": "DEPARTMENT",
    "timezone": "TIMEZONE",
}


def epoch_of(block: int, parameters: Parameters) -> int:
    """The number of the epoch that ``block`` lies in.

    Raises InvalidInput (``BLOCK``) for a height that is no u32.
    """
    if not 0 <= block <= _LAST_BLOCK:
        raise InvalidInput.of("BLOCK", "a block's height is a u32", str(block)[:80])
    return block // parameters.blocks_per_epoch


def first_block(number: int, parameters: Parameters) -> int:
    """The height of an epoch's first block."""
    return number * parameters.blocks_per_epoch


def epoch_seed(netuid: int, number: int) -> str:
    """``sha256("trajectoryrl-{netuid}-epoch-{number}")``, 64 hex digits."""
    return sha256(f"trajectoryrl-{netuid}-epoch-{number}".encode()).hexdigest()


def plan(netuid: int, number: int, beacon: str | None, parameters: Parameters) -> EpochPlan:
    """The plan of epoch ``number``; ``beacon`` is the hash of its first block, ``None`` before there is one.

    Raises InvalidInput for a number that no block can have (``EPOCH``), a netuid that is no u16 (``NETUID``), and a
    beacon that is not 64 lower-case hex digits (``BEACON``).
    """
    if not 0 <= number <= _LAST_BLOCK // parameters.blocks_per_epoch:
        said = "an epoch's number is 0 or more, and its first block a u32"
        raise InvalidInput.of("EPOCH", said, str(number)[:80])
    if not 0 <= netuid <= 65_535:
        raise InvalidInput.of("NETUID", "a netuid is 0 to 65535", str(netuid))
    if beacon is not None and not _HASH.fullmatch(beacon):
        raise InvalidInput.of("BEACON", "a beacon is a block's hash: 64 lower-case hex digits, no 0x", beacon[:80])
    seed = epoch_seed(netuid, number)
    scenarios = tuple(draws.shuffled(seed, "scenarios", parameters.scenario_pool)[: parameters.scenarios_per_epoch])
    facts = {name: draws.fact_seed(seed, beacon, name) for name in scenarios} if beacon is not None else {}
    return EpochPlan(
        netuid=netuid,
        number=number,
        first_block=first_block(number, parameters),
        seed=seed,
        beacon=beacon,
        identity=_persona(seed),
        scenarios=scenarios,
        fact_seeds=facts,
        run_seeds=tuple(draws.run_seed(seed, index) for index in range(parameters.runs)),
    )


def _persona(seed: str) -> Mapping[str, str]:
    values = identity(seed).values
    return {dimension: values[name] for dimension, name in _DIMENSIONS.items()}
