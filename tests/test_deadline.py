"""The run's clock: what it counts, and what it does not."""

from __future__ import annotations

import asyncio

import pytest

from clawbench.deadline import Deadline


def test_a_body_that_waits_for_itself_is_ended() -> None:
    async def run() -> None:
        async with Deadline(0.01):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_paused_time_does_not_count() -> None:
    async def run() -> float:
        async with Deadline(0.05) as deadline:
            with deadline.paused():
                await asyncio.sleep(0.15)
        return deadline.forgiven

    assert asyncio.run(run()) >= 0.14


def test_forgiven_time_is_there_again_and_the_rest_is_not() -> None:
    async def run() -> None:
        async with Deadline(0.05) as deadline:
            deadline.forgive(0.1)
            await asyncio.sleep(0.1)
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_pausing_after_the_end_changes_nothing() -> None:
    async def run() -> str:
        try:
            async with Deadline(0.01) as deadline:
                try:
                    await asyncio.Event().wait()
                finally:
                    with deadline.paused():
                        deadline.forgive(10)
        except TimeoutError:
            return f"ended, forgiven {deadline.forgiven:g}"
        return "went on"

    assert asyncio.run(run()) == "ended, forgiven 0"
