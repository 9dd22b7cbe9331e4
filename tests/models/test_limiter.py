"""The limiter: how many calls a provider is given at a time."""

from __future__ import annotations

import asyncio

import pytest

from clawbench.models import limiter as module
from clawbench.models.limiter import Limiter


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def second(limiter: Limiter, clock: Clock, passed: int, refused: int) -> None:
    """A second in which so many calls passed and were refused."""
    for _ in range(refused):
        limiter.refused()
    clock.now += 1.0
    for _ in range(passed):
        limiter.passed()


def test_refusals_cut_by_half_their_share_once_a_second(clock: Clock) -> None:
    limiter = Limiter()
    for _ in range(100):
        limiter.enter()
    second(limiter, clock, passed=1, refused=99)
    assert limiter.limit == 51
    for _ in range(50):
        limiter.refused()
    assert limiter.limit == 51
    second(limiter, clock, passed=200, refused=0)
    assert 25 <= limiter.limit < 51


def test_a_limit_never_falls_below_one_and_grows_again(clock: Clock) -> None:
    limiter = Limiter(4)
    limiter.enter()
    for _ in range(10):
        second(limiter, clock, passed=1, refused=9)
    assert limiter.limit == 1
    second(limiter, clock, passed=1 + 2 + 3, refused=0)
    assert limiter.limit == 4


def test_a_mild_storm_does_not_stop_the_flow(clock: Clock) -> None:
    limiter = Limiter()
    for _ in range(50):
        limiter.enter()
    for _ in range(60):
        second(limiter, clock, passed=8 * limiter.limit, refused=2 * limiter.limit)
    assert limiter.limit >= 20


def test_calls_wait_in_order_and_a_cancelled_one_takes_no_place() -> None:
    async def run() -> list[int]:
        limiter = Limiter(1)
        order: list[int] = []

        async def call(number: int) -> None:
            await limiter.turn()
            order.append(number)
            await asyncio.sleep(0)
            limiter.leave()

        tasks = [asyncio.create_task(call(number)) for number in range(5)]
        await asyncio.sleep(0)
        assert (limiter.in_flight, limiter.waiting) == (1, 4)
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (limiter.in_flight, limiter.waiting) == (0, 0)
        return order

    assert asyncio.run(run()) == [0, 1, 3, 4]


def test_a_place_given_to_a_call_that_ends_is_passed_on() -> None:
    async def run() -> int:
        limiter = Limiter(1)
        limiter.enter()
        waiting = asyncio.create_task(limiter.turn())
        await asyncio.sleep(0)
        limiter.leave()  # gives the place
        waiting.cancel()  # before it could be taken
        await asyncio.gather(waiting, return_exceptions=True)
        return limiter.in_flight

    assert asyncio.run(run()) == 0
