from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench.evidence import contains, named_alternatives, typed
from clawbench.sandbox.result import Span, ToolResult
from clawbench.transcript import Transcript

from .hand_made import RELEASE, STATUS, fact, output, run_of, verdict_of, world_of

BODY = "The export broke\nin v3.12.4, the cursor\nthanks"
WORLD = world_of(
    {"analysis": BODY, "other": "nothing of note", "noise": "v3.12.4 is what we ship"},
    culprit=fact("culprit", RELEASE, "v3.12.4"),
    status=fact("status", STATUS, "blocked"),
)
READ = {"command": "himalaya message read 1000"}
SAYS = "It was v3.12.4."


def judged(*calls: Any, evidence: Any = None) -> bool:
    check = {
        "type": "response_contains",
        "pattern": "{{culprit}}",
        "evidence": evidence or {"culprit": ["mail/analysis"]},
    }
    return verdict_of(check, run_of(*calls, answer=SAYS), WORLD).passed


def mail(ref: str, text: str = BODY, derived: bool = False) -> ToolResult:
    return output(f"From: a\n\n{text}", Span(0, 1, (f"envelope/{ref}",)), Span(2, 3, (f"mail/{ref}",), derived))


def test_a_body_that_was_read_is_evidence() -> None:
    assert judged(("exec", READ, mail("analysis")))


def test_the_reason_names_record_and_call() -> None:
    check = {
        "type": "response_contains",
        "pattern": "{{culprit}}",
        "evidence": {"culprit": ["mail/analysis"]},
    }
    verdict = verdict_of(check, run_of(("read", {}), ("exec", READ, mail("analysis")), answer=SAYS), WORLD)
    assert verdict.reason == "the answer says 'v3.12.4' on line 1; culprit seen in mail/analysis (call 2)"
    missing = verdict_of(check, run_of(answer=SAYS), WORLD)
    assert missing.reason.startswith("no tool result showed culprit from mail/analysis; the answer says")


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param([], id="no call"),
        pytest.param([("exec", READ, mail("other"))], id="another record"),
        pytest.param([("exec", READ, mail("analysis", "head of it only"))], id="cut off before the value"),
        pytest.param([("exec", {"command": "echo v3.12.4"}, output("v3.12.4"))], id="echo without a record"),
        pytest.param(
            [("exec", READ, output(f"Subject: v3.12.4\n\n{BODY[:16]}", Span(0, 1, ("envelope/analysis",))))],
            id="only the envelope",
        ),
        pytest.param(
            [("exec", READ, output("v3.12.4\nThe export broke", Span(1, 1, ("mail/analysis",))))],
            id="a line that is not the record's",
        ),
        pytest.param(
            [
                (
                    "exec",
                    {"command": "himalaya message read 1000 | jq -R '\"v3.12.4\"'"},
                    mail("analysis", derived=True),
                )
            ],
            id="a literal in jq",
        ),
        pytest.param(
            [
                (
                    "exec",
                    {"command": "printf '%s%s' v3.1 2.4 < mail"},
                    mail("analysis", "v3.12.4", derived=True),
                )
            ],
            id="printf out of pieces",
        ),
        pytest.param(
            [("exec", {"command": "x"}, mail("other", "v3.12.4", derived=True))],
            id="a value that the record does not hold",
        ),
        pytest.param([("exec", READ, mail("analysis", "v3.12.40 and 13.12.4"))], id="inside longer numbers"),
        pytest.param([("exec", READ, output(BODY, Span(0, 3, ())))], id="written by the agent"),
        pytest.param([("exec", READ, output(BODY, Span(2, 10**9, ("mail/analysis",))))], id="a span past the end"),
    ],
)
def test_what_is_no_evidence(calls: list[Any]) -> None:
    assert not judged(*calls)
    evidence = {"culprit": ["mail/analysis", "envelope/other", "mail/other"]}
    if calls and "mail/other" not in str(calls):
        assert not judged(*calls, evidence=evidence)


def test_a_derived_line_counts_for_what_its_record_holds() -> None:
    call = (
        "exec",
        {"command": "himalaya message read 1000 | cut -c4-"},
        mail("analysis", "v3.12.4", derived=True),
    )
    assert judged(call)


def test_a_passed_line_counts_though_the_value_was_searched_for() -> None:
    assert judged(("exec", {"command": "himalaya message read 1000 | grep v3.12.4"}, mail("analysis")))


def test_results_in_json_are_read_line_by_line() -> None:
    result = ToolResult(True, {"ok": True, "messages": [{"text": "a\nv3.12.4"}]}, (Span(4, 1, ("mail/analysis",)),))
    assert judged(("slack", {}, result))


BOTH = [{"culprit": ["mail/analysis"]}, {"culprit": ["mail/noise"]}]
EITHER = {"any": [{"culprit": ["mail/noise"]}, {"status": ["mail/other"]}]}
ONE, TWO = ("exec", READ, mail("analysis")), ("exec", READ, mail("noise"))
THREE = ("exec", READ, mail("other", "still blocked"))


@pytest.mark.parametrize(
    ("evidence", "calls", "passed"),
    [
        (BOTH, [ONE], False),
        (BOTH, [ONE, TWO], True),
        (EITHER, [ONE], False),
        (EITHER, [TWO], True),
        (EITHER, [THREE], True),
        ({"culprit": ["mail/analysis"], "status": ["mail/other"]}, [ONE], False),
        ({"culprit": ["mail/analysis"], "status": ["mail/other"]}, [THREE, ONE], True),
        ({"culprit": ["mail/analysis", "mail/noise"]}, [TWO], True),
        ({"culprit": "mail/noise"}, [TWO], True),
    ],
)
def test_lists_are_all_required_and_any_makes_alternatives(evidence: Any, calls: list[Any], passed: bool) -> None:
    assert judged(*calls, evidence=evidence) is passed


def test_alternatives_multiply_out() -> None:
    spec = [{"a": ["x"]}, {"any": [{"b": ["y"]}, {"c": ["z"], "d": ["z"]}]}]
    assert named_alternatives(spec) == (
        (("a", ("x",)), ("b", ("y",))),
        (("a", ("x",)), ("c", ("z",)), ("d", ("z",))),
    )


@pytest.mark.parametrize(
    "spec", [{}, [], "culprit", 3, {"a": []}, {"a": [3]}, {"any": []}, {"any": "x"}, [{"any": [{}]}], [None]]
)
def test_evidence_that_names_nothing_is_an_error(spec: Any) -> None:
    with pytest.raises(ValueError, match=r"evidence|any:"):
        named_alternatives(spec)


def test_too_many_alternatives_are_an_error() -> None:
    with pytest.raises(ValueError, match="more than 64"):
        named_alternatives([{"any": [{"a": ["x"]}, {"b": ["x"]}]}] * 20)


@pytest.mark.parametrize(
    ("text", "spelling", "found"),
    [
        ("PR #356.", "356", True),
        ("PR356", "356", False),
        ("1356", "356", False),
        ("3567", "356", False),
        ("13567 and 356", "356", True),
        (r'"text": "first\n356 is it"', "356", True),
        (r'"text": "first\t356\n"', "356", True),
        ("2026-03-12T14:30:00-05:00", "14:30", True),
        ("2026-03-12T14:30:00-05:00", "2026-03-12", True),
        ("at 14:30Z", "14:30", True),
        ("12026-03-12", "2026-03-12", False),
        ("12:30 pm", "2:30 pm", False),
        ("for $240,000.", "$240,000", True),
        ("for $240,0001", "$240,000", False),
        ("US$240,000", "$240,000", True),
        ("Zoë Krämer", "Zoë Krämer", True),
        (r"Zo\u00eb Kr\u00e4mer", "Zoë Krämer", True),
        ("Zoë Krämers", "Zoë Krämer", False),
        ("", "356", False),
    ],
)
def test_values_are_whole_words(text: str, spelling: str, found: bool) -> None:
    assert contains(text, (spelling,)) is found


def test_only_the_lines_that_are_meant_are_looked_at() -> None:
    text = "356\nno\n356\nno"
    assert [contains(text, ("356",), first, 1) for first in range(5)] == [True, False, True, False, False]
    assert contains(text, ("356",), 1, 9)
    assert not contains(text, ("356",), 3, 9)
    assert not contains(text, ("",))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"command": "echo V3.12.4"}, True),
        ({"command": "printf '%s%s' 'v3.1' '2.4'"}, True),
        ({"command": 'jq \'"v3." + "12.4"\''}, True),
        ({"a": ["x", {"v3.12.4": None}]}, True),
        ({"command": "jq '.items[3]' | head -n 12"}, False),
        ("v3.12.4", True),
        (None, False),
        ({"count": 3}, False),
    ],
)
def test_what_the_agent_typed(arguments: Any, said: bool) -> None:
    assert typed(("v3.12.4",), arguments) is said


def test_short_numbers_are_not_pieced_together() -> None:
    assert not typed(("356",), {"command": "head -n 35 | tail -n 6"})
    assert typed(("356",), {"command": "gh pr view 356"})


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-2, 6), st.integers(-2, 6), st.booleans()), max_size=4),
    st.text(alphabet="v3.12 4\n", max_size=30),
)
def test_odd_spans_never_raise(spans: list[tuple[int, int, bool]], text: str) -> None:
    result = output(text, *(Span(start, count, ("mail/analysis",), derived) for start, count, derived in spans))
    passed = judged(("exec", {"command": "x"}, result))
    assert passed is False or "v3.12.4" in text or "3.12.4" in text


def test_evidence_is_found_whenever_the_call_was_made() -> None:
    check = {"type": "tool_called", "tool": "exec", "evidence": {"culprit": ["mail/analysis"]}}
    assert verdict_of(check, run_of(("exec", READ, mail("analysis"))), WORLD).passed
    assert not verdict_of(check, run_of(("exec", READ)), WORLD).passed
    assert not verdict_of(check, Transcript(), WORLD).passed
