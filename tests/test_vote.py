from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench.rubric import CheckResult, Rubric, decided, failed_results, vote

from .hand_made import rubric_of

NAMES = ("a", "b", "few")
RUBRIC = rubric_of(
    {"id": "a", "type": "response_contains", "pattern": "a", "points": 2},
    {"id": "b", "type": "response_contains", "pattern": "b", "points": 3, "severity": "critical"},
    {"id": "few", "type": "tool_count_score", "min": 1, "max": 9, "points": 4, "category": "efficiency"},
)
OUTCOME = st.tuples(st.booleans(), st.booleans(), st.integers(0, 40))
RUNS = st.sampled_from([1, 3, 5]).flatmap(lambda n: st.lists(OUTCOME, min_size=n, max_size=n))


def run(outcome: tuple[bool, bool, int], rubric: Rubric = RUBRIC) -> tuple[CheckResult, ...]:
    *passed, tenths = outcome
    verdicts = [*((p, None) for p in passed), (tenths > 0, tenths)]
    return tuple(
        CheckResult(c.id, c.type, c.category, c.points, p, t, f"{c.id} {p} {t}", c.severity)
        for c, (p, t) in zip(rubric.checks, verdicts, strict=True)
    )


def test_more_than_half_decide() -> None:
    voted = vote(RUBRIC, [run((True, True, 40)), run((False, True, 12)), run((False, True, 20))])
    assert [result.passed for result in voted.results] == [False, True, True]
    assert [result.votes for result in voted.results] == [(True, False, False), (True,) * 3, (True,) * 3]
    assert voted.results[2].earned_tenths == 20
    assert voted.tally.earned == 5
    assert voted.tally.score == Fraction(5, 9)


def test_the_reason_is_one_of_the_winning_side() -> None:
    voted = vote(RUBRIC, [run((True, True, 3)), run((False, True, 3)), run((False, True, 5))])
    assert voted.results[0].reason == "a False None"
    assert voted.results[2].reason == "few True 3"


def test_a_run_that_ended_in_a_fault_votes_against_everything() -> None:
    fault = failed_results(RUBRIC, "LIMIT_TURNS")
    voted = vote(RUBRIC, [run((True, True, 40)), fault, fault])
    assert voted.tally.critical == ("b",)
    assert voted.tally.score == 0
    assert vote(RUBRIC, [run((True, True, 40)), run((True, True, 40)), fault]).tally.score == 1


@settings(deadline=None)
@given(RUNS, st.randoms(use_true_random=False))
def test_the_order_of_runs_means_nothing(outcomes: list[tuple[bool, bool, int]], shuffler: object) -> None:
    runs = [run(outcome) for outcome in outcomes]
    voted = vote(RUBRIC, runs)
    shuffler.shuffle(runs)  # type: ignore[attr-defined]
    again = vote(RUBRIC, runs)
    assert again.tally == voted.tally
    assert [r._replace(votes=()) for r in again.results] == [r._replace(votes=()) for r in voted.results]
    assert [sorted(r.votes) for r in again.results] == [sorted(r.votes) for r in voted.results]


@settings(deadline=None)
@given(RUNS)
def test_a_vote_is_the_majority_and_the_median(outcomes: list[tuple[bool, bool, int]]) -> None:
    voted = vote(RUBRIC, [run(outcome) for outcome in outcomes])
    for column, result in enumerate(voted.results[:2]):
        assert result.passed is (sum(outcome[column] for outcome in outcomes) * 2 > len(outcomes))
    assert voted.results[2].earned_tenths == sorted(o[2] for o in outcomes)[len(outcomes) // 2]


EXTREMES = [(True, True, 40), (False, False, 0), (True, False, 40), (False, True, 0)]


@settings(deadline=None)
@given(st.lists(OUTCOME, max_size=4), st.sampled_from([3, 5]))
def test_decided_means_that_nothing_to_come_matters(outcomes: list[tuple[bool, bool, int]], n: int) -> None:
    runs = [run(outcome) for outcome in outcomes[:n]]
    left = n - len(runs)
    endings = {
        tuple((r.passed, r.earned_tenths) for r in vote(RUBRIC, [*runs, *[run(end)] * left]).results)
        for end in EXTREMES
    }
    assert decided(RUBRIC, runs, n) is (len(endings) == 1)
    if decided(RUBRIC, runs, n) and runs:
        early = vote(RUBRIC, runs, n)
        assert tuple((r.passed, r.earned_tenths) for r in early.results) in endings


@pytest.mark.parametrize(
    ("outcomes", "n", "expected"),
    [
        ([], 1, False),
        ([], 0, True),
        ([(True, True, 40)], 3, False),
        ([(True, True, 40)] * 2, 3, True),
        ([(True, True, 40), (True, True, 20)], 3, False),
        ([(False, False, 0)] * 2, 3, True),
        ([(True, True, 40), (False, True, 40)], 3, False),
    ],
)
def test_when_a_vote_is_decided(outcomes: list[tuple[bool, bool, int]], n: int, expected: bool) -> None:
    assert decided(RUBRIC, [run(outcome) for outcome in outcomes], n) is expected
