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

    After ``trip`` attempts in a row that all end in infrastructure, no further run of the round is begun: the
    provider is down, and what is left waits for the next round.
    """

    attempts: int = 1
    backoff: tuple[float, ...] = (20, 60, 180)
    trip: int = 8
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    def pause(self, finished: int) -> float:
        """Seconds to wait when ``finished`` rounds have been made, at least one."""
        return self.backoff[min(finished, len(self.backoff)) - 1] if self.backoff else 0


def code_of(fault: str) -> str:
    """The code that a fault's sentence begins with."""
    return fault.partition(":")[0]


def worth_retrying(outcome: RunOutcome) -> bool:
    """Whether another attempt could end otherwise: infrastructure ended this one, by a fault that may pass."""
    code = code_of(outcome.fault)
    return outcome.status == "INFRA" and code not in LASTING and not code.startswith("BUDGET")


class Breaker:
    """Counts attempts in a row that infrastructure ended."""

    __slots__ = ("_failed", "_trip", "fault")

    def __init__(self, trip: int) -> None:
        self._trip = trip
        self._failed = 0
        self.fault = ""

    @property
    def open(self) -> bool:
        """Whether so many attempts failed in a row that no other is worth beginning."""
        return self._failed >= self._trip

    def saw(self, outcome: RunOutcome) -> None:
        """Takes note of how an attempt ended; a budget's refusal says nothing about the provider."""
        if worth_retrying(outcome):
            self._failed += 1
            self.fault = outcome.fault
        elif outcome.status != "INFRA":
            self._failed = 0

    def close(self) -> None:
        """A new round begins."""
        self._failed = 0
