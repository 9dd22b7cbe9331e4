"""How many calls a provider is given at a time: adapted to what it takes, shared by all runs of this process."""

from __future__ import annotations

import asyncio
import time
from collections import deque

CEILING = 1024
_WINDOW = 1.0  # seconds between two cuts: the calls in flight at a cut must not cut again


class Limiter:
    """Additive increase, multiplicative decrease.

    A second in which the provider said "slower" cuts the limit, or what was ever in flight, by half the share of calls
    that it refused; a limit's worth of good replies raises it by one. ``in_flight`` calls are with the provider,
    ``waiting`` wait for their turn, ``sleeping`` wait because they were told to; ``rate_limit_waits`` and ``waited``
    (seconds) add up.
    """

    def __init__(self, limit: int = CEILING) -> None:
        self.limit = limit
        self.in_flight = 0
        self.sleeping = 0
        self.rate_limit_waits = 0
        self.waited = 0.0
        self.calls = 0
        self.retries = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._began = 0.0
        self._peak = 0
        self._passed = 0
        self._limited = 0
        self._credit = 0

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return len(self._queue)

    @property
    def free(self) -> bool:
        """Whether a call may go at once."""
        return self.in_flight < self.limit and not self._queue

    def enter(self) -> None:
        """Takes a place that is :attr:`free`."""
        self.calls += 1
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)

    async def turn(self) -> None:
        """Waits until a place is free and takes it."""
        if self.free:
            self.enter()
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(mine)
        try:
            await mine
        except BaseException:
            if mine.done() and not mine.cancelled():  # the place was given in the moment of the end: pass it on
                self.leave()
            elif mine in self._queue:
                self._queue.remove(mine)
            raise

    def leave(self) -> None:
        """Gives the place back."""
        self.in_flight -= 1
        self._admit()

    def passed(self) -> None:
        """A call was answered."""
        self._passed += 1
        self._credit += 1
        if self._limited:
            self._cut()
        elif self._credit >= self.limit and self.limit < CEILING:
            self._credit = 0
            self.limit += 1
            self._admit()

    def refused(self) -> None:
        """A call was told to come more slowly."""
        if not self._limited:
            self._began = time.monotonic()
        self._limited += 1
        self._cut()

    def _cut(self) -> None:
        now = time.monotonic()
        if now - self._began < _WINDOW:
            return
        refused = self._limited / (self._passed + self._limited)
        self.limit = max(1, int(min(self.limit, self._peak) * (1 - refused / 2) + 0.5))
        self._passed = self._limited = self._credit = 0

    def _admit(self) -> None:
        while self._queue and self.in_flight < self.limit:
            first = self._queue.popleft()
            if not first.done():
                self.enter()
                first.set_result(None)


_LIMITERS: dict[str, Limiter] = {}


def limiter_of(provider: str) -> Limiter:
    """The one limiter of a provider in this process."""
    return _LIMITERS.setdefault(provider, Limiter())
