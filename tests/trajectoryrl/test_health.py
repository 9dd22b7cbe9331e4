"""/health: an evaluation that goes on is well, one that hangs is not, and each phase has its own patience."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from trajectoryrl.health import LIMITS, Health, health_served

PAGE = Path(__file__).parent.parent.parent / "docs" / "validators.md"


class Clock:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now

    def passes(self, seconds: int) -> None:
        self.now += seconds * 1000


def said(health: Health) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(health.body())
    return found


PLAYED = {
    "starting": [],
    "waiting": ["started"],
    "verifying": ["started", "waiting", "epoch_begun"],
    "evaluating": ["started", "waiting", "epoch_begun", "submission", "evaluating"],
    "weighing": ["epoch_resumed", "evaluating", "award"],
    "sealing": ["epoch_resumed", "evaluating", "award", "weights"],
}


@pytest.mark.parametrize("phase", LIMITS)
def test_each_phase_has_its_patience(phase: str) -> None:
    clock = Clock()
    health = Health(clock)
    for event in PLAYED[phase]:
        health.note(event, epoch=7)
    clock.passes(LIMITS[phase])
    assert health.well
    assert (said(health)["phase"], said(health)["progress_age_ms"]) == (phase, LIMITS[phase] * 1000)
    clock.passes(1)
    assert not health.well
    health.beat()
    assert not health.well, "that the loop turns is no progress"
    health.moved("chain_answered")
    assert health.well
    assert said(health)["progress"] == "chain_answered"


def test_a_long_evaluation_is_well_as_long_as_runs_end() -> None:
    clock = Clock()
    health = Health(clock)
    health.note("evaluating", epoch=7)
    for _ in range(100):
        clock.passes(180)
        health.moved("run_ended")
        assert health.well
    assert said(health)["phase_age_ms"] == 100 * 180_000
    clock.passes(1201)
    assert not health.well


def test_waiting_for_an_epoch_is_well_while_the_chain_answers() -> None:
    clock = Clock()
    health = Health(clock)
    health.note("waiting")
    for _ in range(1000):
        clock.passes(4)
        health.moved("chain_answered")
    assert health.well
    for _ in range(151):
        clock.passes(4)
        health.note("chain_unavailable", code="CHAIN_TIMEOUT")
    assert not health.well, "that the chain does not answer is said, and is no progress"
    assert said(health)["events"]["chain_unavailable"]["code"] == "CHAIN_TIMEOUT"


def test_what_is_told_is_bounded() -> None:
    health = Health(Clock())
    health.note("award", winner="x" * 1000)
    assert len(health.body()) < 800


def test_it_is_served_with_the_status_that_watchers_look_at() -> None:
    async def play() -> None:
        clock = Clock()
        health = Health(clock)
        server = await health_served(health, 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{url}/health")).status_code == 200
            clock.passes(601)
            answer = await client.get(f"{url}/health")
            assert (answer.status_code, answer.json()["well"], answer.json()["limit_seconds"]) == (503, False, 600)
            assert (await client.get(f"{url}/other")).status_code == 404
        server.close()

    asyncio.run(play())


def test_the_operators_page_has_the_limits() -> None:
    rows = dict(re.findall(r"^\| `([a-z]+)` \| ([0-9]+) s \|", PAGE.read_text(), re.MULTILINE))
    assert {phase: int(seconds) for phase, seconds in rows.items()} == LIMITS
