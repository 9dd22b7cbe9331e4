"""The breaker: a provider that is down is left alone, and no single pack can make it look down."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fractions import Fraction

from clawbench.outcome import RunOutcome, Status
from clawbench.retrying import Breaker, Retrying, may_pass


def ended(status: Status, fault: str = "") -> RunOutcome:
    none = Fraction(0)
    return RunOutcome(0, status, fault, "", (), None, (), 0, 0, 0, 0, none, none)


DOWN = ended("INFRA", "MODEL_SERVER: HTTP 500")
DONE = ended("COMPLETED")


def opened_by(breaker: Breaker, *attempts: tuple[str, RunOutcome | None]) -> bool:
    async def play() -> bool:
        for pack, outcome in attempts:
            breaker.began()
            breaker.left(pack, outcome)
        return await breaker.open()

    return asyncio.run(play())


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    assert not opened_by(Breaker(3), *[("a", DOWN)] * 2)
    assert opened_by(Breaker(3), *[("a", DOWN)] * 3)
    assert not opened_by(Breaker(3), ("a", DOWN), ("a", DOWN), ("a", DONE), ("a", DOWN))
    assert not opened_by(Breaker(3), *[("a", ended("PACK_FAULT", "REFUSAL: no"))] * 5)


def test_what_says_nothing_about_the_provider_does_not_count() -> None:
    for outcome in (ended("INFRA", "BUDGET_BENCH: spent"), ended("INFRA", "INTERNAL: a bug"), None):
        assert not opened_by(Breaker(2), *[("a", outcome)] * 5)


def test_the_failures_must_be_of_several_packs() -> None:
    assert not opened_by(Breaker(3, packs=2), *[("a", DOWN)] * 9)
    assert opened_by(Breaker(3, packs=2), *[("a", DOWN)] * 3, ("b", DOWN))


def test_a_new_round_closes_it() -> None:
    breaker = Breaker(2)
    assert opened_by(breaker, *[("a", DOWN)] * 2)
    breaker.close()
    assert not opened_by(breaker)


def test_it_waits_for_those_under_way_and_believes_the_one_that_completes() -> None:
    async def play(last: RunOutcome) -> bool:
        breaker = Breaker(2)
        breaker.began()  # slow
        for _ in range(3):
            breaker.began()
            breaker.left("a", DOWN)
        asked = asyncio.create_task(breaker.open())
        await asyncio.sleep(0)
        assert not asked.done()
        breaker.left("b", last)
        return await asked

    assert asyncio.run(play(DOWN))
    assert not asyncio.run(play(DONE))


def test_which_faults_may_pass() -> None:
    assert may_pass("MODEL_OVERLOADED: HTTP 529")
    assert not may_pass("MODEL_AUTH: HTTP 401")
    assert not may_pass("BUDGET_RUN: spent")


def test_pauses_end_with_the_last_one() -> None:
    retrying = Retrying(attempts=5)
    assert [retrying.pause(n) for n in range(1, 5)] == [20, 60, 180, 180]
    assert replace(retrying, backoff=()).pause(1) == 0
