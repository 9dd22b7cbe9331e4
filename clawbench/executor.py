"""The seam through which every episode is run: keyed units in, outcomes out, in any order.

A :class:`Unit` is named by its key; whoever does the work holds no state that another worker would need, and doing a
unit twice gives the first result again. So an executor may shuffle, repeat, or send units to other machines.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .outcome import RunOutcome
from .stage import Stage


@dataclass(frozen=True, slots=True)
class Unit:
    """One run to be made: a stage and an index."""

    stage: Stage
    index: int

    @property
    def key(self) -> str:
        """Text that names the run: its place, and what it is made from."""
        return f"{self.stage.name}:{self.stage.unit(self.index)}"


Work = Callable[[Unit], Awaitable[RunOutcome]]


class Executor(Protocol):
    """What runs units: keyed, in any order, as many at a time as it likes. Results are idempotent by unit."""

    def run(self, units: Sequence[Unit], work: Work) -> AsyncIterator[tuple[Unit, RunOutcome]]: ...


@dataclass(frozen=True, slots=True)
class AsyncioExecutor:
    """At most ``concurrency`` units at a time, in this process."""

    concurrency: int = 4

    async def run(self, units: Sequence[Unit], work: Work) -> AsyncIterator[tuple[Unit, RunOutcome]]:
        """Yields each unit with its outcome as it ends."""
        waiting = iter(units)
        done: asyncio.Queue[tuple[Unit, RunOutcome] | BaseException] = asyncio.Queue()

        async def worker() -> None:
            try:
                for unit in waiting:
                    done.put_nowait((unit, await work(unit)))
                    await asyncio.sleep(0)  # a model that never waits must still let progress and Ctrl-C through
            except BaseException as error:
                done.put_nowait(error)
                raise

        workers = [asyncio.create_task(worker()) for _ in range(min(self.concurrency, len(units)))]
        try:
            for _ in units:
                item = await done.get()
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
