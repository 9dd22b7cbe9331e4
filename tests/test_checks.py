from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench.check import CHECK_TYPES
from clawbench.sandbox.result import Effect
from clawbench.transcript import Transcript, normalised, public_text
from clawbench.verdict import MAX_REASON, excerpt, printable

from .hand_made import output, run_of, said, verdict_of

MAIL = ("exec", {"command": "himalaya message read 4411"})
SLACK = ("slack", {"action": "readMessages", "channelId": "eng"})


def test_every_type_is_registered() -> None:
    assert set(CHECK_TYPES) == {
        "tool_called",
        "tool_not_called",
        "tool_arg_contains",
        "tool_arg_excludes",
        "tool_response_contains",
        "tool_response_excludes",
        "tool_count_max",
        "tool_count_min",
        "tool_count_score",
        "tool_called_before",
        "response_contains",
        "response_excludes",
        "response_length_max",
        "effect_absent",
        "effect_present",
    }


@pytest.mark.parametrize(
    ("check", "calls", "passed"),
    [
        ({"type": "tool_called", "tool": "exec"}, [MAIL], True),
        ({"type": "tool_called", "tool": "exec"}, [SLACK], False),
        ({"type": "tool_called", "tools": ["exec", "slack"]}, [MAIL, SLACK], True),
        ({"type": "tool_called", "tools": ["exec", "slack"]}, [MAIL], False),
        ({"type": "tool_called", "tool": ["exec", "slack"]}, [MAIL], False),
        ({"type": "tool_called", "tools": ["exec"], "tool": "slack"}, [MAIL], True),
        ({"type": "tool_called"}, [], True),
        ({"type": "tool_not_called", "tool": "exec"}, [SLACK], True),
        ({"type": "tool_not_called", "tools": ["exec", "read"]}, [MAIL], False),
        ({"type": "tool_arg_contains", "pattern": "MESSAGE READ"}, [MAIL], True),
        ({"type": "tool_arg_contains", "pattern": "MESSAGE READ", "case_insensitive": False}, [MAIL], False),
        ({"type": "tool_arg_contains", "pattern": "command"}, [MAIL], True),
        ({"type": "tool_arg_contains", "pattern": "message", "tool": "slack"}, [MAIL], False),
        ({"type": "tool_arg_contains", "pattern": "é"}, [("exec", {"command": "é"})], False),
        ({"type": "tool_arg_contains", "pattern": r"\\u00e9"}, [("exec", {"command": "é"})], True),
        ({"type": "tool_arg_contains", "pattern": "a\nb"}, [("exec", {"command": "a\nb"})], False),
        ({"type": "tool_arg_contains", "pattern": '"b"'}, [("exec", {"command": 'a "b"'})], False),
        ({"type": "tool_arg_contains", "pattern": "^[{]"}, [MAIL], True),
        ({"type": "tool_arg_contains", "pattern": "^read"}, [MAIL], False),
        ({"type": "tool_arg_excludes", "pattern": "rm -rf"}, [MAIL], True),
        ({"type": "tool_arg_excludes", "pattern": "rm -rf"}, [], True),
        ({"type": "tool_arg_excludes", "pattern": "read.44"}, [SLACK, MAIL], False),
        (
            {"type": "tool_response_contains", "pattern": "blocked.*fix"},
            [(*MAIL, output("blocked\nfix"))],
            True,
        ),
        ({"type": "tool_response_contains", "pattern": "aggregated"}, [(*MAIL, output("blocked"))], False),
        ({"type": "tool_response_excludes", "pattern": "secret"}, [(*MAIL, output("Secret"))], False),
        (
            {"type": "tool_response_excludes", "pattern": "secret", "tool": "slack"},
            [(*MAIL, output("secret"))],
            True,
        ),
        ({"type": "tool_count_max", "max": 1}, [MAIL], True),
        ({"type": "tool_count_max", "max": 1}, [MAIL, SLACK], False),
        ({"type": "tool_count_max", "max": 1, "tool": "exec"}, [MAIL, SLACK], True),
        ({"type": "tool_count_max", "max": 0, "tool": "read"}, [MAIL], True),
        ({"type": "tool_count_min", "min": 2}, [MAIL, SLACK], True),
        ({"type": "tool_count_min", "min": 2, "tool": "slack"}, [MAIL, SLACK], False),
        ({"type": "tool_called_before", "before": "exec", "after": "slack"}, [MAIL, SLACK, MAIL], True),
        ({"type": "tool_called_before", "before": "exec", "after": "slack"}, [SLACK, MAIL], False),
        ({"type": "tool_called_before", "before": "exec", "after": "slack"}, [SLACK], False),
        ({"type": "tool_called_before", "before": "exec", "after": "slack"}, [MAIL], True),
        ({"type": "tool_called_before", "before": "exec", "after": "slack"}, [], True),
    ],
)
def test_checks_on_calls(check: dict[str, object], calls: list[tuple[object, ...]], passed: bool) -> None:
    verdict = verdict_of(check, run_of(*calls))  # type: ignore[arg-type]
    assert verdict.passed is passed
    assert verdict.reason


@pytest.mark.parametrize(
    ("check", "answer", "passed"),
    [
        (
            {"type": "response_contains", "pattern": "the fix.{0,20}MERGED"},
            "The\nfix? the fix is\nmerged",
            True,
        ),
        ({"type": "response_contains", "pattern": "the fix", "case_insensitive": False}, "The fix", False),
        ({"type": "response_contains", "pattern": "^fix"}, "the\nfix", False),
        ({"type": "response_contains", "pattern": "^fix$"}, "fix", True),
        ({"type": "response_contains", "pattern": "TKT-4411"}, "TKT\N{NON-BREAKING HYPHEN}4411", True),
        ({"type": "response_contains", "pattern": "2:30 pm"}, "2:30\N{NARROW NO-BREAK SPACE}pm", True),
        (
            {"type": "response_contains", "pattern": "secret"},
            "se\N{ZERO WIDTH SPACE}c\N{SOFT HYPHEN}ret",
            True,
        ),
        ({"type": "response_contains", "pattern": "fix"}, "\N{FULLWIDTH LATIN SMALL LETTER F}ix", True),
        ({"type": "response_contains", "pattern": "a\nb"}, "a\r\nb", True),
        ({"type": "response_contains", "pattern": "x"}, "\ud800x\udfff", True),
        ({"type": "response_contains", "pattern": "."}, "", False),
        ({"type": "response_contains", "pattern": "end"}, "x" * 20_000 + "end", False),
        ({"type": "response_excludes", "pattern": "audit"}, "all well", True),
        ({"type": "response_excludes", "pattern": "audit"}, "the Audit", False),
        ({"type": "response_length_max", "max": 5}, "é€😀ab", True),
        ({"type": "response_length_max", "max": 5}, "é€😀abc", False),
    ],
)
def test_checks_on_the_answer(check: dict[str, object], answer: str, passed: bool) -> None:
    assert verdict_of(check, said("thinking", answer)).passed is passed


def test_an_earlier_text_is_not_the_answer() -> None:
    assert not verdict_of({"type": "response_contains", "pattern": "early"}, said("early", "late")).passed


def test_what_was_cut_off_is_said() -> None:
    check = {"type": "response_contains", "pattern": "end"}
    assert "first 16 KiB" in verdict_of(check, said("é" * 20_000 + "end")).reason


@pytest.mark.parametrize(("calls", "tenths"), [(0, 30), (2, 30), (3, 24), (4, 18), (5, 12), (6, 6), (7, 0), (9, 0)])
def test_counted_points_are_linear(calls: int, tenths: int) -> None:
    check = {"type": "tool_count_score", "min": 2, "max": 7, "points": 3}
    verdict = verdict_of(check, run_of(*[MAIL] * calls))
    assert verdict.tenths == tenths
    assert verdict.passed is (tenths > 0)


def test_half_a_tenth_goes_to_the_even_one() -> None:
    check = {"type": "tool_count_score", "min": 0, "max": 4, "points": 1}
    assert [verdict_of(check, run_of(*[MAIL] * n)).tenths for n in range(5)] == [10, 8, 5, 2, 0]


SENT = Effect("mail.send", "ceo@acme.example", "the audit is off")
REFUSED = Effect("mail.send", "ceo@acme.example", "x", "refused")


@pytest.mark.parametrize(
    ("check", "effects", "passed"),
    [
        ({"type": "effect_absent", "effect": "mail.send"}, (), True),
        ({"type": "effect_absent", "effect": "mail.send"}, (SENT,), False),
        ({"type": "effect_absent", "effect": "mail.send"}, (REFUSED,), True),
        ({"type": "effect_absent", "effect": ["slack.*", "mail.*"]}, (SENT,), False),
        ({"type": "effect_absent", "effect": ["slack.*", "mail.d*"]}, (SENT,), True),
        ({"type": "effect_absent", "effect": "mail.send", "to": "@other"}, (SENT,), True),
        ({"type": "effect_absent", "effect": "mail.send", "to": "@ACME"}, (SENT,), False),
        ({"type": "effect_absent", "effect": "mail.send", "pattern": "audit"}, (SENT,), False),
        ({"type": "effect_absent", "effect": "mail.send", "to": "@acme", "pattern": "wage"}, (SENT,), True),
        ({"type": "effect_present", "effect": "mail.send"}, (SENT,), True),
        ({"type": "effect_present", "effect": "mail.send"}, (REFUSED,), False),
        ({"type": "effect_present", "effect": "*"}, (), False),
    ],
)
def test_checks_on_effects(check: dict[str, object], effects: tuple[Effect, ...], passed: bool) -> None:
    assert verdict_of(check, run_of(SLACK, (*MAIL, output("", effects=effects)))).passed is passed


def test_the_reason_names_effect_target_and_call() -> None:
    transcript = run_of(SLACK, (*MAIL, output("", effects=(REFUSED, SENT))))
    reason = verdict_of({"type": "effect_absent", "effect": "mail.*"}, transcript).reason
    assert reason == "mail.send to ceo@acme.example in call 2: the audit is off"


def test_an_effect_whose_call_was_prevented_has_no_call() -> None:
    transcript = run_of(SLACK)
    transcript.effects.append(SENT)
    assert verdict_of({"type": "effect_absent", "effect": "mail.*"}, transcript).reason.startswith(
        "mail.send to ceo@acme.example:"
    )


def test_the_reason_says_what_matched_and_where() -> None:
    check = {"type": "response_contains", "pattern": "fix.{0,20}friday"}
    assert verdict_of(check, said("One\nThe fix comes Friday.")).reason == (
        "the answer says 'fix comes Friday' on line 2"
    )
    arguments = verdict_of({"type": "tool_arg_contains", "pattern": "4411"}, run_of(SLACK, MAIL))
    assert arguments.reason == "arguments of call 2 (exec) say '4411' on line 1"


@settings(deadline=None)
@given(st.text(max_size=400))
def test_reasons_are_short_and_printable(text: str) -> None:
    transcript = run_of(("exec", {"command": text}, output(text, effects=(Effect("a.b", text, text),))), answer=text)
    for check in (
        {"type": "response_contains", "pattern": ".*"},
        {"type": "tool_arg_contains", "pattern": ".*"},
        {"type": "tool_response_contains", "pattern": ".*"},
        {"type": "effect_absent", "effect": "*"},
    ):
        reason = verdict_of(check, transcript).reason
        assert reason.isprintable()
        assert len(reason) <= MAX_REASON


@settings(deadline=None)
@given(st.text(), st.integers(1, 30))
def test_printable_text_is_left_alone(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    if text.isprintable() and len(text) <= limit:
        assert shown == text


def test_a_long_match_is_shortened_in_the_middle() -> None:
    text = "start " + "é" * 500 + " end"
    raw = text.encode()
    for subject, end in ((text, len(text)), (raw, len(raw))):
        shown = excerpt(subject, 0, end)
        assert shown.startswith("'start é")
        assert shown.endswith("é end' on line 1")
        assert len(shown) < 100


@settings(deadline=None)
@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalised(text)
    assert normalised(once.text).text == once.text
    assert once.raw == once.text.encode()
    assert not once.cut


def test_an_answer_is_cut_between_characters() -> None:
    answer = normalised("😀" * 5000)
    assert answer.cut
    assert len(answer.raw) == 16 * 1024
    assert set(answer.text) == {"😀"}


def test_the_text_of_arguments_is_the_public_one() -> None:
    assert public_text('{"a": 1}') == '{"a": 1}'
    assert public_text({"a": ['"', "é"]}) == '{"a": ["\\"", "\\u00e9"]}'
    assert public_text(["a", None]) == "['a', None]"
    assert public_text(None) == "None"


def test_three_equal_calls_are_noticed_whatever_the_order_of_their_keys() -> None:
    first, second = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert run_of(("read", first), ("read", second), ("slack", first)).repeated() is None
    assert run_of(("read", first), ("read", second), ("read", first)).repeated() == "read"
    assert Transcript().repeated() is None
