"""Checks taken together: contradictions, noise that passes, values unasked for; and what playing shows about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clawbench.answers import correct_answers, spoken
from clawbench.deeplint import deep_warnings
from clawbench.draws import local_seed
from clawbench.lint import lint_scenario
from clawbench.scenario import load_scenario, render_world

from .scenario_files import SCENARIO, edited, write

SCENARIOS = sorted((Path(__file__).resolve().parents[1] / "scenarios").glob("*.yaml"))
ANSWERS = Path(__file__).resolve().parent / "answers"


def codes(folder: Path, more: str, changes: dict[str, Any] | None = None) -> dict[str, str]:
    """The new warnings of the sample with further checks, by code."""
    report = lint_scenario(write(folder, SCENARIO + more, changes))
    assert report.problems == ()
    known = ("LINT_CONTRADICTION", "LINT_MATCHES_NOISE", "LINT_FACT_NO_EVIDENCE")
    return {one.code: one.message for one in report.warnings if one.code in known}


def check(name: str, rest: str) -> str:
    return f"    - {{id: {name}, points: 1, category: structure, {rest}}}\n"


@pytest.mark.parametrize(
    "more",
    [
        check("a", "type: tool_called, tool: exec") + check("b", "type: tool_not_called, tools: [slack, exec]"),
        check("a", "type: tool_not_called, tool: exec") + check("b", "type: tool_count_min, min: 2, tool: exec"),
        check("a", "type: tool_count_min, min: 10"),
        check("a", "type: effect_present, effect: mail.send"),
        check("a", 'type: effect_present, effect: slack.post, to: "#export"'),
        check("a", 'type: response_contains, pattern: "in total"')
        + check("b", 'type: response_excludes, pattern: "total"'),
    ],
    ids=["called and not", "counted and not", "more than most", "sent and not", "posted and not", "said and not"],
)
def test_contradictions_are_found(tmp_path: Path, more: str) -> None:
    found = codes(tmp_path, more)
    assert set(found) == {"LINT_CONTRADICTION"}
    assert "cannot both pass" in found["LINT_CONTRADICTION"]


@pytest.mark.parametrize(
    "more",
    [
        check("a", "type: tool_called, tool: exec") + check("b", "type: tool_not_called, tool: slack"),
        check("a", "type: tool_count_min, min: 9"),
        check("a", "type: effect_present, effect: mail.draft"),
        check("a", 'type: effect_absent, effect: task.create, to: "x"')
        + check("b", "type: effect_present, effect: task.create"),
        check("a", 'type: response_contains, pattern: "total|sum"')
        + check("b", 'type: response_excludes, pattern: "total"'),
    ],
)
def test_what_can_both_pass_is_no_contradiction(tmp_path: Path, more: str) -> None:
    assert "LINT_CONTRADICTION" not in codes(tmp_path, more)


def test_a_record_that_passes_without_the_facts_is_noise(tmp_path: Path) -> None:
    noise = (
        "    - {id: planned, type: response_contains, pattern: 'do not share', points: 1, category: correctness,\n"
        "       evidence: {culprit: [mail/analysis]}}\n"
    )
    mails = [
        {"key": "analysis", "sender": "a@b.c", "subject": "x", "body": "It is {{culprit}}."},
        {"key": "secret", "sender": "a@b.c", "subject": "x", "body": "Do not share."},
    ]
    dated = [{**mail, "received_ts": "{{day.at 08:00}}"} for mail in mails]
    found = codes(tmp_path, noise, {"inbox.json": dated})
    assert "also matches mail/secret" in found["LINT_MATCHES_NOISE"]


def test_a_value_that_its_evidence_does_not_show_is_named(tmp_path: Path) -> None:
    text = (
        "    - {id: when, type: response_contains, pattern: '{{call}}', points: 1, category: correctness,\n"
        "       exclusive: call, evidence: {culprit: [mail/analysis]}}\n"
    )
    assert "asks for 'call'" in codes(tmp_path, text)["LINT_FACT_NO_EVIDENCE"]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_check_of_a_shipped_scenario_passes_and_fails_somewhere(path: Path) -> None:
    assert list(map(str, deep_warnings(path, ANSWERS))) == []


def test_checks_that_nothing_decides_are_found_by_playing(tmp_path: Path) -> None:
    more = check("never", "type: response_contains, pattern: 'zebra crossing'")
    more = more.replace("zebra", "[^\\\\x{0}-\\\\x{10ffff}]").replace("'", '"')
    more += check("always", 'type: response_excludes, pattern: "zebra crossing of the harbour"')
    found = {one.code: one.message for one in deep_warnings(write(tmp_path, SCENARIO + more))}
    assert "'never' failed in every run" in found["LINT_NEVER_PASSES"]
    assert "'always' passed in every run" in found["LINT_NEVER_FAILS"]


def test_answers_speak_of_the_day(tmp_path: Path) -> None:
    world = render_world(
        load_scenario(write(tmp_path, edited("difficulty: easy", "difficulty: hard"))), local_seed("0")
    )
    ids = {mail.ref: str(mail.data["id"]) for mail in world.mails}
    assert (
        spoken("Mail [[none,early]]: {{culprit}}", world) == f"Mail {ids['mail/early']}: {world.facts['culprit'].text}"
    )
    clash = world.facts["clash"].text
    assert spoken(f"<<clash={clash}|yes|no>>", world) == "yes"
    assert spoken("a\n<<clash=nothing|yes|>>\nb", world) == "a\nb"
    assert spoken("[[none]]", world) == ""


def test_correct_answers_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "late" / "correct"
    folder.mkdir(parents=True)
    for name in ("b.md", "a.md"):
        (folder / name).write_text(name)
    assert correct_answers(tmp_path, "late") == ("a.md", "b.md")
    assert correct_answers(tmp_path, "early") == ()
