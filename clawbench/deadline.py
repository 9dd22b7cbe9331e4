"""A run's time limit, on a clock that stands still while the run waits for what is not its own doing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType


class Deadline:
    """``async with Deadline(seconds)``: raises TimeoutError once the body has used that many seconds.

    Rate-limit waits and retries are not used time: inside :meth:`paused` the clock stands still, and what a failed
    attempt took is taken back by :meth:`forgive`. ``forgiven`` is the sum of both, in seconds.
    """

    __slots__ = ("_loop", "_timeout", "forgiven")

    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._loop = asyncio.get_running_loop()
        self.forgiven = 0.0

    async def __aenter__(self) -> Deadline:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._timeout.__aexit__(kind, error, trace)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The time until the body ends doesn't count."""
        when, began = self._timeout.when(), self._loop.time()
        if when is None or self._timeout.expired():
            yield
            return
        self._timeout.reschedule(None)
        try:
            yield
        finally:
            passed = self._loop.time() - began
            self.forgiven += passed
            self._timeout.reschedule(when + passed)

    def forgive(self, seconds: float) -> None:
        """Takes back ``seconds`` that were counted."""
        when = self._timeout.when()
        if when is not None and not self._timeout.expired():
            self.forgiven += seconds
            self._timeout.reschedule(when + seconds)
