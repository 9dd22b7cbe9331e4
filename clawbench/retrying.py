"""When a run that infrastructure ended is made again, and when a provider is left alone for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .outcome import RunOutcome

LASTING = frozenset(
    {
        "INTERNAL",
        "MODEL_AUTH",
        "MODEL_NOT_FOUND",
        "MODEL_REJECTED",
        "REPLAY_DIVERGED",
        "REPLAY_MISS",
        "SCRIPT_ENDED",
    }
)
"""Codes of faults that the same attempt would meet again at once."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """How often a run is tried, and how many seconds pass before each further round of attempts.

    After ``trip`` attempts in a row that all end in infrastructure, of at least ``packs`` packs (of all, if there are
    fewer), no further run of the round is begun: the provider is down, and what is left waits for the next round.
    ``None`` never gives a provider up.
    """

    attempts: int = 1
    backoff: tuple[float, ...] = (20, 60, 180)
    trip: int | None = 8
    packs: int = 1
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    def pause(self, finished: int) -> float:
        """Seconds to wait when ``finished`` rounds have been made, at least one."""
        return self.backoff[min(finished, len(self.backoff)) - 1] if self.backoff else 0


def code_of(fault: str) -> str:
    """The code that a fault's sentence begins with."""
    return fault.partition(":")[0]


def may_pass(fault: str) -> bool:
    """Whether a fault of infrastructure may be gone at the next attempt."""
    code = code_of(fault)
    return code not in LASTING and not code.startswith("BUDGET")


def worth_retrying(outcome: RunOutcome) -> bool:
    """Whether another attempt could end otherwise: infrastructure ended this one, by a fault that may pass."""
    return outcome.status == "INFRA" and may_pass(outcome.fault)


class Breaker:
    """Counts attempts in a row that infrastructure ended, and the packs they were of.

    While attempts are under way that may still complete, it is not open: a pack that makes the provider fail at once
    cannot shut out those that take their time.
    """

    __slots__ = ("_failed", "_news", "_packs", "_trip", "_under_way", "fault", "packs")

    def __init__(self, trip: int | None, packs: int = 1) -> None:
        self._trip = trip
        self.packs = packs
        self._failed = 0
        self._packs: set[str] = set()
        self._under_way = 0
        self._news: asyncio.Event | None = None
        self.fault = ""

    @property
    def _doubtful(self) -> bool:
        return self._trip is not None and self._failed >= self._trip and len(self._packs) >= self.packs

    async def open(self) -> bool:
        """Whether so many attempts failed in a row that no other is worth beginning; waits for those under way."""
        while self._doubtful and self._under_way:
            if self._news is None:
                self._news = asyncio.Event()
            await self._news.wait()
        return self._doubtful

    def began(self) -> None:
        """An attempt is under way, until it is :meth:`left`."""
        self._under_way += 1

    def left(self, pack: str, outcome: RunOutcome | None) -> None:
        """Takes note of how an attempt at a run of ``pack`` ended; ``None`` if it was broken off.

        A budget's refusal says nothing about the provider, nor does a bug of ours.
        """
        self._under_way -= 1
        if outcome is not None and worth_retrying(outcome):
            self._failed += 1
            self._packs.add(pack)
            self.fault = outcome.fault
        elif outcome is not None and outcome.status != "INFRA":
            self.close()
        if self._news is not None:
            self._news.set()
            self._news = None

    def close(self) -> None:
        """A new round begins."""
        self._failed = 0
        self._packs.clear()
