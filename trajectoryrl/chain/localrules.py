"""What a local network is made with, what its transactions sign, and what they may say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ..errors import InvalidInput
from .weights import as_u16

Clock = Literal["wall", "instant", "hand"]

MAX_TEXT = 384
"""Bytes of a commitment, as on Bittensor."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a network is made with, for ever.

    ``genesis`` is any text: with the height it decides every block's hash. ``genesis_ms`` is block 0's time,
    ``block_ms`` the distance of two. ``finality_lag`` blocks lie between the newest and the newest finalized one;
    ``rate_limit`` between two weights of a hotkey; after ``activity_cutoff`` without weights a neuron is inactive.
    ``kept`` is how many blocks back state can be read, ``None`` for all. ``min_version_key`` refuses older weights.
    """

    netuid: int = 11
    genesis: str = "trajectoryrl-local"
    genesis_ms: int = 1_767_225_600_000
    block_ms: int = 12_000
    clock: Clock = "hand"
    finality_lag: int = 0
    rate_limit: int = 100
    activity_cutoff: int = 5000
    kept: int | None = None
    min_version_key: int = 0
    owner: str | None = None


def commit_message(rules: Rules, text: str, nonce: int) -> bytes:
    """What a commitment signs."""
    return f"{rules.genesis}:{rules.netuid}:{nonce}:commit:{text}".encode()


def weights_message(rules: Rules, weights: Mapping[int, int], version_key: int, nonce: int) -> bytes:
    """What weights sign."""
    rows = ",".join(f"{uid}={weight}" for uid, weight in sorted(weights.items()))
    return f"{rules.genesis}:{rules.netuid}:{nonce}:weights:{version_key}:{rows}".encode()


def register_message(rules: Rules, hotkey: str, coldkey: str) -> bytes:
    """What a registration from outside signs."""
    return f"{rules.genesis}:{rules.netuid}:register:{hotkey}:{coldkey}".encode()


def check_text(text: str) -> None:
    """Raises InvalidInput (``COMMITMENT_SIZE``) for a text that is no commitment."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if not 1 <= size <= MAX_TEXT or not text.isprintable():
        said = f"a commitment is 1 to {MAX_TEXT} bytes of printable text, not {size}"
        raise InvalidInput.of("COMMITMENT_SIZE", said)


def check_weights(weights: Mapping[int, int]) -> None:
    """Raises InvalidInput for weights that are no u16 by uid, or all zero."""
    if not any(weights.values()):
        raise InvalidInput.of("WEIGHTS_EMPTY", "there is no weight to set")
    pairs = weights.items()
    if not all(type(uid) is int and type(w) is int and 0 <= uid <= 65_535 and 0 <= w <= 65_535 for uid, w in pairs):
        raise InvalidInput.of("WEIGHTS_INVALID", "weights are whole numbers from 0 to 65535 by uid")


def u16_of(weights: Mapping[int, Fraction]) -> dict[int, int]:
    """Shares as they go on chain.

    Raises InvalidInput unless they are not negative and sum to 1.
    """
    rows = as_u16(weights)
    if not rows:
        raise InvalidInput.of("WEIGHTS_EMPTY", "there is no weight to set")
    if sum(weights.values()) != 1 or min(weights.values()) < 0:
        raise InvalidInput.of("WEIGHTS_INVALID", "weights are shares that sum to 1")
    return rows
