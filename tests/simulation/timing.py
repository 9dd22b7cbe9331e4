"""A loop whose clock jumps to the next thing that is due: hours pass in milliseconds, always in the same order."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
START_MS = 1_780_000_000_000


class Selector(selectors.SelectSelector):
    """Never waits: time passes instead."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for something that never comes")
        self.passed += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time."""

    def __init__(self, selector: Selector | None = None) -> None:
        self._virtual = selector or Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.passed

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """What would be a thread's work is done at once: no time passes meanwhile."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except BaseException as why:
            done.set_exception(why)
        return done


class VirtualClock:
    """The loop's time as a process sees it; ``skew_ms`` is how far this machine's clock is off."""

    def __init__(self, skew_ms: int = 0) -> None:
        self.skew_ms = skew_ms

    def now_ms(self) -> int:
        return START_MS + int(asyncio.get_running_loop().time() * 1000) + self.skew_ms

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def lived(work: Coroutine[Any, Any, T]) -> T:
    """Runs ``work`` to its end in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
