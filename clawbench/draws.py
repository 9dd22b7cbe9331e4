"""Hash draws: the only source of chance in anything that validators must agree on.

Every input is UTF-8 text, its fields joined by ``:``; every hash is 64 lower-case hex digits.
docs/protocol.md carries test vectors that another language can reproduce.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


def digest(*fields: object) -> str:
    """The sha256 of the fields joined by ``:``, as 64 lower-case hex digits."""
    return sha256(":".join(map(str, fields)).encode()).hexdigest()


def draw(seed: str, label: str, n: int) -> int:
    """One of ``0 .. n-1``: ``int(sha256("{seed}:{label}"), 16) % n``.

    Raises ``ValueError`` if ``n`` is not positive.
    """
    if n < 1:
        raise ValueError(f"a draw needs at least one choice, not {n}")
    return int(digest(seed, label), 16) % n


def shuffled(seed: str, label: str, names: Iterable[str]) -> list[str]:
    """The names in the order of ``sha256("{seed}:{label}:{name}")``."""
    return sorted(names, key=lambda name: (digest(seed, label, name), name))


def local_seed(name: str | int) -> str:
    """The epoch seed, and beacon, of ``clawbench run --seed NAME``: ``sha256("local-{NAME}")``."""
    return sha256(f"local-{name}".encode()).hexdigest()


def fact_seed(epoch_seed: str, beacon: str, scenario: str) -> str:
    """The seed of a scenario's facts: ``sha256("{epoch_seed}:{beacon}:{scenario}")``."""
    return digest(epoch_seed, beacon, scenario)


def run_seed(epoch_seed: str, run_index: int) -> int:
    """``seed_int * 1000 + run_index``, where ``seed_int`` is the epoch seed's first 8 hex digits."""
    return int(epoch_seed[:8], 16) * 1000 + run_index
