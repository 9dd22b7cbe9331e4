"""What the subnet needs of a chain, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its height, its hash (64 lower-case hex digits), its time in integer milliseconds since 1970."""

    number: int
    hash: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class Neuron:
    """One registration; ``stake`` in the smallest unit (rao), ``last_update`` the block of its last weights."""

    uid: int
    hotkey: str
    coldkey: str
    stake: int = 0
    permit: bool = False
    active: bool = True
    last_update: int = 0


@dataclass(frozen=True, slots=True)
class Metagraph:
    """Who is registered at ``block``, by uid; ``owner`` is the subnet owner's hotkey if known."""

    netuid: int
    block: int
    neurons: tuple[Neuron, ...]
    owner: str | None = None

    def by_hotkey(self, hotkey: str | None) -> Neuron | None:
        """The neuron of ``hotkey``, or ``None``."""
        return next((neuron for neuron in self.neurons if neuron.hotkey == hotkey), None)


@dataclass(frozen=True, slots=True)
class OnChain:
    """A hotkey's latest commitment as it stands on chain: its text, and the block it was made in."""

    hotkey: str
    text: str
    block: int


@dataclass(frozen=True, slots=True)
class WeightsSet:
    """The weights a validator's hotkey last set: uid to share of u16 (65,535 is the largest), and in which block."""

    block: int
    weights: Mapping[int, int]


class Chain(Protocol):
    """A chain as a validator and a miner see it. Every call is bounded in time.

    Reads at a block are pinned to that block's state. Raises :class:`~trajectoryrl.errors.ChainUnavailable`.
    ``public`` marks a network with other people's money: simulated models and changed parameters set no weights there.
    """

    @property
    def netuid(self) -> int: ...
    @property
    def public(self) -> bool: ...
    @property
    def hotkey(self) -> str | None:
        """The ss58 address of the key that this client signs with, if it has one."""
        ...

    async def head(self) -> int:
        """The height of the newest block."""
        ...

    async def finalized(self) -> int:
        """The height of the newest finalized block."""
        ...

    async def block(self, number: int) -> Block: ...
    async def metagraph(self, block: int) -> Metagraph: ...

    async def commitments(self, block: int) -> Mapping[str, OnChain]:
        """Every hotkey's latest commitment as of ``block``."""
        ...

    async def commit(self, text: str) -> int:
        """Commits ``text`` for this client's hotkey; returns the block. A fate unknown is read again, not retried."""
        ...

    async def set_weights(self, weights: Mapping[int, Fraction], version_key: int) -> int:
        """Sets this hotkey's weights (uid to share, summing to 1); returns the block."""
        ...

    async def weights(self, hotkey: str) -> WeightsSet | None:
        """What ``hotkey`` last set, or ``None``."""
        ...

    async def sign(self, message: bytes) -> bytes:
        """The sr25519 signature of ``message`` by this client's hotkey."""
        ...

    async def close(self) -> None: ...
