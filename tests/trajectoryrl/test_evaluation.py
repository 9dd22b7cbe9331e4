"""Every content once, in an order nobody chose, and early votes change nothing."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawbench.check import Check
from clawbench.draws import digest
from clawbench.errors import ModelUnavailable
from clawbench.models import Reply, Request
from clawbench.models.offline import OfflineModel
from clawbench.rubric import CheckResult, Rubric, decided, vote
from tests.golden import KEY, LIBRARY, at_once, hotkey_of, inputs, parameters, sign
from trajectoryrl.audit import audited
from trajectoryrl.decision import competing, decision
from trajectoryrl.entry import Entry
from trajectoryrl.epoch import plan
from trajectoryrl.evaluation import Evaluation, Setting, contents, settings
from trajectoryrl.manifest import ModelIdentity
from trajectoryrl.plan import EpochPlan
from trajectoryrl.record import Epoch, write_record
from trajectoryrl.rounds import Seams, evaluated

SHARED = parameters()
PLAN = plan(11, 4, sha256(b"golden:4").hexdigest(), SHARED)


class Counting(OfflineModel):
    """The offline model; counts the runs that were begun, by pack."""

    def __init__(self, broken: bool = False) -> None:
        super().__init__()
        self.begun: Counter[str] = Counter()
        self.broken = broken

    async def reply(self, request: Request) -> Reply:
        if request.turn == 0:
            self.begun[request.unit.partition(":")[0]] += 1
        if self.broken:
            raise ModelUnavailable.of("MODEL_UNAVAILABLE", "no answer")
        return await super().reply(request)


@pytest.fixture(scope="module")
def made() -> tuple[Setting, ...]:
    return settings(PLAN, LIBRARY)


def entries(made: EpochPlan = PLAN) -> tuple[Entry, ...]:
    return inputs(made)[0].entries


def run(chosen: tuple[Entry, ...], model: Counting, made: tuple[Setting, ...], folder: Path) -> list[Evaluation]:
    return list(asyncio.run(evaluated(chosen, PLAN, made, model, SHARED, folder, Seams(sleep=at_once))).evaluations)


def test_a_content_that_many_bring_is_run_once(made: tuple[Setting, ...], tmp_path: Path) -> None:
    careful = next(entry for entry in entries() if entry.hotkey == hotkey_of("careful"))
    copies = tuple(dataclasses.replace(careful, uid=uid) for uid in range(5))
    model = Counting()
    found = run(copies, model, made, tmp_path)
    assert [row.content for row in found] == [careful.content]
    assert sum(model.begun.values()) <= SHARED.runs * len(PLAN.scenarios)
    assert list(model.begun) == [careful.pack.sha256[:16]]


def test_contents_go_in_the_order_of_their_draw(made: tuple[Setting, ...], tmp_path: Path) -> None:
    chosen = competing(inputs(PLAN)[0], PLAN)[0]
    found = run(chosen, Counting(), made, tmp_path)
    assert len(found) == 4
    ranks = [digest(row.content, PLAN.beacon) for row in found]
    assert all(one < other for one, other in pairwise(ranks))
    again = run(chosen[::-1], Counting(), made, tmp_path / "again")
    assert [(row.content, row.score) for row in again] == [(row.content, row.score) for row in found]


def test_the_pack_that_runs_for_a_content_is_the_one_of_least_hash() -> None:
    one, other, *_ = entries()
    shared = [dataclasses.replace(one, content="c" * 64), dataclasses.replace(other, content="c" * 64)]
    least = min(one.pack.sha256, other.pack.sha256)
    assert [pack.sha256 for pack in contents(shared, "b").values()] == [least]
    assert [pack.sha256 for pack in contents(shared[::-1], "b").values()] == [least]


def test_a_provider_that_is_down_leaves_an_entry_undecided_and_never_0(
    made: tuple[Setting, ...], tmp_path: Path
) -> None:
    given = inputs(PLAN)[0]
    found = run(competing(given, PLAN)[0], Counting(broken=True), made, tmp_path)
    assert [(row.score, row.cause) for row in found] == [(None, "MODEL_UNAVAILABLE")] * 4
    assert all(attempt.status == "INFRA" for row in found for verdict in row.scenarios for attempt in verdict.attempts)
    assert any(attempt.place is None for row in found for verdict in row.scenarios for attempt in verdict.attempts), (
        "a provider that is down is left alone"
    )
    model = Counting()
    epoch = Epoch(
        str(KEY.ss58_address), None, ModelIdentity.of(model), SHARED, PLAN, given, tuple(found), inputs(PLAN)[1]
    )
    asyncio.run(write_record(epoch, tmp_path / "epoch-4", sign))
    assert audited(tmp_path / "epoch-4", scenarios=LIBRARY).problems == ()
    award = decision(given, PLAN, found, SHARED).award
    assert award.winner is None
    assert all("undecided" in said for said in award.why.values())


@given(
    st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=3, max_size=7).filter(lambda runs: len(runs) % 2)
)
def test_an_early_decision_never_changes_a_vote(runs: list[list[bool]]) -> None:
    rubric = _rubric()
    judged = [_results(rubric, run) for run in runs]
    whole = vote(rubric, judged, len(runs))
    for made in range(1, len(runs) + 1):
        if decided(rubric, judged[:made], len(runs)):
            early = vote(rubric, judged[:made], len(runs))
            assert [result.passed for result in early.results] == [result.passed for result in whole.results]
            assert early.tally == whole.tally


@cache
def _rubric() -> Rubric:
    return settings(PLAN, LIBRARY)[0].rubric


def _results(rubric: Rubric, passes: list[bool]) -> list[CheckResult]:
    def result(check: Check, passed: bool) -> CheckResult:
        return CheckResult(check.id, check.type, check.category, check.points, passed, None, "", check.severity)

    return [result(check, passes[i % len(passes)]) for i, check in enumerate(rubric.checks)]
