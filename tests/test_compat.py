from __future__ import annotations

import json
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench.compat import PUBLIC_TYPES, public_rubric, public_score, rounded
from clawbench.episodes import given_transcript, parsed_episode, score_episode
from clawbench.errors import ScenarioInvalid
from clawbench.progress import Progress, judge
from clawbench.tally import tally

from .hand_made import world_of

# The oracle: the documented semantics of the public format, as plainly as they can be written down.


def text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, dict) else str(value)


def oracle(check: dict[str, Any], episode: dict[str, Any]) -> tuple[bool, float]:
    """Whether a check passes and what it earns."""
    kind = check["type"]
    raw = episode.get("tool_calls_raw", [])
    counts = episode.get("tool_calls_by_type", {})
    response = episode.get("response", "")
    names = check["tools"] if "tools" in check else check.get("tool", [])
    names = names if isinstance(names, list) else [names]
    count = counts.get(check["tool"], 0) if check.get("tool") else episode.get("tool_calls_total", 0)
    flags = re.DOTALL | (re.IGNORECASE if check.get("case_insensitive", True) else 0)
    points = check.get("points", 1)

    def matches(text: str) -> bool:
        return re.search(check["pattern"], text, flags) is not None

    def some_call(key: str, default: Any) -> bool:
        calls = [call for call in raw if not check.get("tool") or call["tool"] == check["tool"]]
        return any(matches(text_of(call.get(key, default))) for call in calls)

    order = [call["tool"] for call in raw]
    if kind == "tool_count_score":
        low, high = check["min"], check["max"]
        share = 1.0 if count <= low else 0.0 if count >= high else (high - count) / (high - low)
        return round(points * share, 1) > 0, round(points * share, 1)
    passed = {
        "tool_called": lambda: all(name in counts for name in names),
        "tool_not_called": lambda: not any(name in counts for name in names),
        "tool_arg_contains": lambda: some_call("args", {}),
        "tool_arg_excludes": lambda: not some_call("args", {}),
        "tool_response_contains": lambda: some_call("response", ""),
        "tool_response_excludes": lambda: not some_call("response", ""),
        "tool_count_max": lambda: count <= check["max"],
        "tool_count_min": lambda: count >= check["min"],
        "tool_called_before": lambda: (
            check["after"] not in order
            or (check["before"] in order and order.index(check["before"]) < order.index(check["after"]))
        ),
        "response_contains": lambda: matches(response),
        "response_excludes": lambda: not matches(response),
        "response_length_max": lambda: len(response) <= check["max"],
    }.get(kind, lambda: False)()
    return passed, points if passed else 0


def oracle_score(checks: list[dict[str, Any]], episode: dict[str, Any]) -> float:
    earned = sum(oracle(check, episode)[1] for check in checks)
    possible = sum(check.get("points", 1) for check in checks)
    return round(earned / possible, 4) if possible > 0 else 0.0


TOOLS = st.sampled_from(["exec", "slack", "read", "memory_get"])
WORDS = st.sampled_from(["fix", "FIX", "ſ", "merged\nnow", 'say "hi"', "é", "٣ open", "", "back\\slash", "\ud800"])
PATTERNS = st.sampled_from(
    [
        "fix",
        "FIX",
        "^fix",
        "now$",
        "merged.now",
        "s",
        r"\d",
        r"\w+ open",
        '"',
        "é",
        "(?=.*fix)",
        r"(.)\1",
        r"\\",
        "",
    ]
)
ARGS = st.one_of(
    WORDS, st.none(), st.lists(WORDS, max_size=2), st.dictionaries(st.sampled_from(["command", "fix"]), WORDS)
)
CALLS = st.lists(st.fixed_dictionaries({"tool": TOOLS}, optional={"args": ARGS, "response": ARGS}), max_size=5)
COUNTS = st.dictionaries(TOOLS, st.integers(0, 5), max_size=3)
EPISODES = st.fixed_dictionaries(
    {},
    optional={
        "response": st.lists(WORDS, max_size=4).map(" ".join),
        "tool_calls_raw": CALLS,
        "tool_calls_by_type": COUNTS,
        "tool_calls_total": st.integers(0, 9),
    },
)
POINTS = st.one_of(st.integers(0, 6), st.sampled_from([0.5, 2.5, 1.25, 0.1, 0.35]))
BOUNDS = st.tuples(st.integers(0, 4), st.integers(1, 6)).filter(lambda pair: pair[0] < pair[1])


@st.composite
def checks(draw: st.DrawFn) -> dict[str, Any]:
    low, high = draw(BOUNDS)
    check: dict[str, Any] = {"type": draw(st.sampled_from([*sorted(PUBLIC_TYPES), "made_up"]))}
    check |= {"pattern": draw(PATTERNS), "min": low, "max": high, "before": draw(TOOLS), "after": draw(TOOLS)}
    check["points"] = draw(POINTS)
    if draw(st.booleans()):
        check["case_insensitive"] = draw(st.booleans())
    if draw(st.booleans()):
        check["tool"] = draw(TOOLS)
    if check["type"] in ("tool_called", "tool_not_called") and draw(st.booleans()):
        check["tools"] = draw(st.lists(TOOLS, max_size=3))
    return check


@settings(deadline=None)
@given(st.lists(checks(), min_size=1, max_size=6), EPISODES)
def test_public_scenarios_score_as_the_format_says(rubric: list[dict[str, Any]], episode: dict[str, Any]) -> None:
    rubric = [{"id": f"c{number}", **check} for number, check in enumerate(rubric)]
    compiled = public_rubric(rubric)
    line = json.dumps(episode)
    read = parsed_episode(line)
    transcript = given_transcript(read)
    results = judge(compiled, transcript)
    expected = [oracle(check, episode) for check in rubric]
    assert [result.passed for result in results] == [passed for passed, _ in expected]
    assert public_score(compiled, results) == oracle_score(rubric, episode)
    output = score_episode(compiled, world_of(), read)
    assert output["points"] == [sum(e for _, e in expected), sum(check["points"] for check in rubric)]
    assert output["passed"] == [c["id"] for c, (passed, _) in zip(rubric, expected, strict=True) if passed]
    assert output["score"] == oracle_score(rubric, episode)
    assert Progress(compiled, transcript).after_step()[0] == tally(compiled, results).score


def one(check: dict[str, Any], **episode: Any) -> bool:
    compiled = public_rubric([{"id": "c", **check}])
    return judge(compiled, given_transcript(parsed_episode(json.dumps(episode))))[0].passed


def test_public_text_is_not_normalised() -> None:
    assert not one({"type": "response_contains", "pattern": "fix"}, response="\N{FULLWIDTH LATIN SMALL LETTER F}ix")
    assert one({"type": "response_contains", "pattern": "end"}, response="x" * 50_000 + "end")
    assert one({"type": "response_contains", "pattern": "(?=.*Jo)(?=.*Sa)"}, response="Sam and Jo")


def test_responses_of_calls_are_matched_as_compact_json() -> None:
    call = {"tool": "exec", "args": {}, "response": {"aggregated": "a\nb"}}
    assert one({"type": "tool_response_contains", "pattern": r'"aggregated": "a\\nb"'}, tool_calls_raw=[call])
    assert not one({"type": "tool_response_contains", "pattern": "a\nb"}, tool_calls_raw=[call])


def test_given_counts_are_believed() -> None:
    assert one({"type": "tool_called", "tool": "slack"}, tool_calls_by_type={"slack": 0})
    assert not one({"type": "tool_called", "tool": "slack"}, tool_calls_raw=[{"tool": "slack"}])
    assert one({"type": "tool_count_min", "min": 3}, tool_calls_total=3)


def test_an_unknown_type_fails_and_its_points_count() -> None:
    compiled = public_rubric([{"id": "a", "type": "llm_judge", "points": 3}, {"id": "b", "type": "tool_called"}])
    results = judge(compiled, given_transcript(parsed_episode("{}")))
    assert [result.passed for result in results] == [False, True]
    assert public_score(compiled, results) == 0.25
    assert results[0].reason == "unknown check type: llm_judge"
    assert results[0].category == "other"


def test_decimal_points_mean_what_is_written() -> None:
    compiled = public_rubric([{"id": "a", "type": "tool_called", "points": Decimal("2.5")}])
    assert compiled.checks[0].points == Fraction(5, 2)
    assert tally(compiled, judge(compiled, given_transcript(parsed_episode("{}")))).earned == Fraction(5, 2)


@pytest.mark.parametrize("kind", sorted(PUBLIC_TYPES - {"tool_called", "tool_not_called"}))
def test_a_missing_parameter_is_an_error_with_a_place(kind: str) -> None:
    with pytest.raises(ScenarioInvalid, match=r"scoring.checks\[1\]") as caught:
        public_rubric([{"id": "a", "type": "tool_called"}, {"id": "b", "type": kind}])
    assert caught.value.code == "CHECK_PARAMETER"


@pytest.mark.parametrize(
    ("check", "code"),
    [
        ({"type": "response_contains", "pattern": "("}, "PATTERN"),
        ({"type": "response_contains", "pattern": 3}, "CHECK_PARAMETER"),
        ({"type": "tool_count_max", "max": "3"}, "CHECK_PARAMETER"),
        ({"type": "tool_count_max", "max": float("nan")}, "CHECK_PARAMETER"),
        ({"type": "tool_count_max", "max": 3, "tool": ["a"]}, "CHECK_PARAMETER"),
        ({"type": "tool_called", "tools": 3}, "CHECK_PARAMETER"),
        ({"type": "tool_called", "points": "many"}, "CHECK_PARAMETER"),
    ],
)
def test_what_the_public_scorer_cannot_judge_is_refused(check: dict[str, Any], code: str) -> None:
    with pytest.raises(ScenarioInvalid) as caught:
        public_rubric([{"id": "a", **check}])
    assert caught.value.code == code


def test_a_rubric_without_checks_has_no_score() -> None:
    empty = public_rubric([])
    assert score_episode(empty, world_of(), parsed_episode("{}")) == {
        "score": None,
        "points": [0, 0],
        "passed": [],
    }
    worthless = public_rubric([{"id": "a", "type": "tool_called", "points": 0}])
    assert public_score(worthless, judge(worthless, given_transcript(parsed_episode("{}")))) == 0.0


def test_our_scores_are_rounded_half_to_even_before_they_are_floats() -> None:
    assert rounded(Fraction(1, 160)) == 0.0062
    assert rounded(Fraction(3, 160)) == 0.0188
    assert rounded(Fraction(2, 3)) == 0.6667


def test_a_pattern_that_python_warns_about_is_taken_as_it_is() -> None:
    assert one({"type": "response_contains", "pattern": "[[x]"}, response="a [ b")
