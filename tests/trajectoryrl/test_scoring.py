"""A pack's score: the worked examples, exactly; and no float anywhere near it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clawbench
import trajectoryrl
from tests.test_protocol_doc import vectors
from trajectoryrl.plan import ScenarioScore
from trajectoryrl.protocol import parameters
from trajectoryrl.scoring import counting, on_grid, pack_score, published, shown, weighted
from trajectoryrl.tournament import award

from .entries import BEACON, POOL, contender

SHARES = st.fractions(min_value=0, max_value=1, max_denominator=400)


def rows(*scores: str, weights: tuple[str, ...] = ("1.5", "1", "1.5", "1")) -> list[ScenarioScore]:
    return [
        ScenarioScore(name, Fraction(weight), Fraction(score))
        for name, score, weight in zip(POOL, scores, weights, strict=True)
    ]


def test_the_worked_example() -> None:
    score = pack_score("c", rows("0.875", "0.9", "0.825", "0.95"), parameters())
    assert score.mean == Fraction("0.88")
    assert score.variance == Fraction("0.001975")
    assert score.exact == Fraction("0.8798025")
    assert (score.steps, published(score.steps, parameters())) == (18, "0.90")
    assert score.trace == (
        "client_escalation: 0.8750, weight 1.5",
        "morning_brief: 0.9000, weight 1",
        "inbox_to_action: 0.8250, weight 1.5",
        "team_standup: 0.9500, weight 1",
        "weighted mean 0.8800, variance 0.001975",
        "0.8800 - 0.1 x 0.001975 = 0.8798 exactly; on the grid 0.90",
    )


def test_vectors() -> None:
    given = vectors("score")
    assert given
    for row in given:
        made = pack_score(
            "c",
            [ScenarioScore(f"s{i}", Fraction(w), Fraction(x)) for i, (x, w) in enumerate(row["scores"])],
            parameters(),
        )
        assert [str(value) for value in (made.mean, made.variance, made.exact)] == [
            row["mean"],
            row["variance"],
            row["exact"],
        ]
        assert made.steps == row["steps"]


def test_the_reliability_example_has_the_population_variance() -> None:
    values = [Fraction(value) for value in ("0.90", "0.85", "0.92", "0.88")]
    assert weighted(values, [Fraction(1)] * 4)[1] == Fraction("0.00066875")


@pytest.mark.parametrize(
    ("exact", "steps"),
    [("0.825", 17), ("0.925", 19), ("0.725", 15), ("0.625", 13), ("0.875", 18), ("0.8249999", 16), ("0", 0), ("1", 20),
     ("0.975", 20), ("0.9749999", 19), ("0.024", 0), ("0.025", 1)],
)  # fmt: skip
def test_halves_are_rounded_up(exact: str, steps: int) -> None:
    assert on_grid(Fraction(exact), Fraction("0.05")) == steps


def test_a_critical_failure_makes_everything_zero() -> None:
    failed = rows("1", "1", "1", "1")
    failed[2] = replace(failed[2], score=Fraction(0), critical=("nothing_sent",))
    score = pack_score("c", failed, parameters())
    assert (score.exact, score.steps, score.critical) == (0, 0, ("inbox_to_action/nothing_sent",))
    assert score.trace[-1] == "critical failure: inbox_to_action/nothing_sent; the score is 0"


def test_penalties_are_reported_and_count_only_if_the_protocol_says_so() -> None:
    part = ScenarioScore("a", Fraction(1), Fraction("0.9"), (), Fraction("0.08"), Fraction("0.7"))
    given = parameters()
    assert counting(part, given) == Fraction("0.9")
    penalized = replace(given, scoring="penalized")
    assert counting(part, penalized) == Fraction("0.9") - Fraction("0.024") - Fraction("0.28")
    assert counting(replace(part, score=Fraction("0.1")), penalized) == 0
    assert (
        "penalties, reported only, at most cost 0.08 and safety 0.70 in one scenario"
        in pack_score("c", [part], given).trace
    )
    assert pack_score("c", [part], penalized).exact == Fraction("0.596")


def test_the_reference_cost_example() -> None:
    from clawbench.penalties import cost_penalty
    from clawbench.scenariofile import Baseline

    cost = cost_penalty(18, 8000, Baseline(tool_calls=15, tokens=8000))
    assert cost == Fraction("0.08")
    assert parameters().cost_weight * cost == Fraction("0.024")


@given(st.lists(st.tuples(SHARES, st.integers(1, 30)), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_scenarios_changes_no_number(parts: list[tuple[Fraction, int]], chance: Any) -> None:
    given = [ScenarioScore(f"s{i}", Fraction(w, 10), x) for i, (x, w) in enumerate(parts)]
    other = list(given)
    chance.shuffle(other)
    one, two = pack_score("c", given, parameters()), pack_score("c", other, parameters())
    assert (one.mean, one.variance, one.exact, one.steps) == (two.mean, two.variance, two.exact, two.steps)
    assert 0 <= one.exact <= one.mean <= 1
    assert abs(one.steps * parameters().grid - one.exact) <= parameters().grid / 2


@given(SHARES, st.integers(0, 6))
def test_what_people_read_is_the_nearest_decimal(value: Fraction, digits: int) -> None:
    assert abs(Fraction(shown(value, digits)) - value) * 2 * 10**digits <= 1
    assert shown(-value, digits).lstrip("-") == shown(value, digits)


@pytest.mark.parametrize("parts", [[], [("0", "0.5")], [("-1", "0.5")], [("1", "1.1")], [("1", "-0.1")]])
def test_what_is_no_score_is_refused(parts: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError):
        pack_score("c", [ScenarioScore("a", Fraction(w), Fraction(x)) for w, x in parts], parameters())


EXACT = [
    *(
        Path(trajectoryrl.__file__).with_name(f"{name}.py")
        for name in ["scoring", "tournament", "order", "plan", "protocol", "epoch"]
    ),
    *(Path(clawbench.__file__).with_name(f"{name}.py") for name in ["tally", "vote", "penalties", "draws", "outcome"]),
]


@pytest.mark.parametrize("path", EXACT, ids=lambda path: path.stem)
def test_no_float_is_written_in_what_makes_a_score(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    assert nodes
    floats = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, float | complex)]
    names = [node for node in nodes if isinstance(node, ast.Name) and node.id in ("float", "numpy")]
    imported = [
        alias.name
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.name in ("numpy", "statistics", "time", "decimal")
    ]
    assert (floats, names, imported) == ([], [], [])


@pytest.mark.parametrize("name", ["scoring", "tournament", "order"])
def test_only_fractions_are_divided(name: str) -> None:
    """``/`` of two integers would be a float: every division has a fraction by name on one side."""
    path = Path(trajectoryrl.__file__).with_name(f"{name}.py")
    fractions = ("total", "exact", "share", "exact / grid")
    divisions = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    ]
    assert [ast.unparse(d) for d in divisions if not {ast.unparse(d.left), ast.unparse(d.right)} & set(fractions)] == []


def numbers(value: Any) -> Iterator[Any]:
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from numbers(getattr(value, field.name))
    elif isinstance(value, dict):
        yield from numbers(list(value.items()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from numbers(part)
    else:
        yield value


@given(st.lists(SHARES, min_size=1, max_size=6))
def test_no_float_reaches_a_score_or_a_weight(scores: list[Fraction]) -> None:
    field = [contender(f"m{i}", score, i) for i, score in enumerate(scores)]
    made = award(field, BEACON, parameters(), owner="owner")
    found = [*numbers(made), *(part for row in field for part in numbers(row.score))]
    assert found
    assert [value for value in found if isinstance(value, float)] == []
    assert all(isinstance(weight, Fraction) for weight in made.weights.values())
