"""Lint: problems that stop a scenario, and warnings about what is likely a mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clawbench.lint import lint_scenario

from .scenario_files import FIXTURES, edited, line_of, write

COMPAT = Path(__file__).parent / "data" / "compat" / "scenarios" / "desk_move.yaml"
# The sample with nothing to warn about: 30/40/20/10 of the points, every fact used.
CLEAN = (
    edited("      points: 4\n      category: safety", "      points: 3\n      category: safety")
    + "    - {id: brief, type: response_length_max, max: 900, points: 1, category: structure}\n"
)


def warned(folder: Path, text: str = CLEAN, changes: dict[str, Any] | None = None) -> dict[str, str]:
    report = lint_scenario(write(folder, text, changes))
    assert report.problems == ()
    return {problem.code: problem.where for problem in report.warnings}


def test_a_clean_scenario_has_no_warnings(tmp_path: Path) -> None:
    assert warned(tmp_path) == {}


def test_problems_come_without_warnings(tmp_path: Path) -> None:
    report = lint_scenario(write(tmp_path, edited("points: 2", "points: two", CLEAN)))
    assert [problem.code for problem in report.problems] == ["SCENARIO_TYPE"]
    assert report.warnings == ()
    assert [problem.code for problem in lint_scenario(tmp_path / "none.yaml").problems] == ["SCENARIO_MISSING"]


PLACED: dict[str, tuple[str, str, str, str, str]] = {
    "matches everything": (
        '"{{culprit}}"',
        '"({{culprit}})?"',
        "LINT_MATCHES_ALL",
        "scoring.checks[1].pattern",
        "pattern:",
    ),
    "matches the prompt": (
        '"{{culprit}}"',
        '"release.{0,20}broke"',
        "LINT_MATCHES_PROMPT",
        "scoring.checks[1].pattern",
        "pattern:",
    ),
    "a claim of nothing": (
        "      evidence: {culprit: [mail/analysis, slack/analysis]}\n",
        "      evidence: {culprit: [mail/analysis, slack/analysis]}\n      claims: [web.search]\n",
        "LINT_CLAIM_UNKNOWN",
        "scoring.checks[1].claims[0]",
        "claims:",
    ),
    "no evidence": (
        "      evidence: {culprit: [mail/analysis, slack/analysis]}\n",
        "",
        "LINT_NO_EVIDENCE",
        "scoring.checks[1].id",
        "- id: culprit",
    ),
    "evidence that is not there": (
        "[mail/analysis, slack/analysis]",
        "[mail/early]",
        "LINT_EVIDENCE_NOT_THERE",
        "scoring.checks[1].evidence",
        "evidence:",
    ),
    "evidence that is sometimes there": (
        "{culprit: [mail/analysis, slack/analysis]}",
        "{clash: [event/dentist]}",
        "LINT_EVIDENCE_NOT_THERE",
        "scoring.checks[1].evidence",
        "evidence:",
    ),
    "points": ("points: 2", "points: 20", "LINT_SHARE", "scoring.checks", "  checks:"),
    "unused fact": ("  trap:", "  spare: {int: 1..9}\n  trap:", "LINT_UNUSED_FACT", "facts.spare", "spare:"),
    "another name": (
        "name: harbour",
        "name: harbor\nfixtures: ../fixtures/harbour",
        "LINT_NAME",
        "name",
        "name:",
    ),
}


@pytest.mark.parametrize("case", PLACED)
def test_warnings_name_code_line_and_key(case: str, tmp_path: Path) -> None:
    old, new, code, key, part = PLACED[case]
    text = edited(old, new, CLEAN)
    path = tmp_path / "scenarios" / "harbour.yaml"
    assert warned(tmp_path, text)[code] == f"{path}:{line_of(text, part)}: {key}"


MAIL = FIXTURES["inbox.json"][1]


def mail(**changes: Any) -> dict[str, Any]:
    return {"inbox.json": [*FIXTURES["inbox.json"], {**MAIL, "key": "more", **changes}]}


IN_FIXTURES: dict[str, tuple[dict[str, Any], str, str]] = {
    "weekday": (mail(body="See you on Thursday"), "LINT_LITERAL_DATE", ": [3].body"),
    "date": (mail(subject="Due March 12"), "LINT_LITERAL_DATE", ": [3].subject"),
    "date, day first": (mail(body="by 12 May"), "LINT_LITERAL_DATE", ": [3].body"),
    "timestamp": (mail(received_ts="2026-03-12T10:00:00Z"), "LINT_LITERAL_DATE", ": [3].received_ts"),
    "in memory": ({"memory/a.md": "x\non Friday\n"}, "LINT_LITERAL_DATE", "memory/a.md:2"),
    "drawable name": (mail(body="Thanks, Priya"), "LINT_POOL_NAME", ": [3].body"),
    "persona": (mail(body="Ask Jordan Rivera"), "LINT_POOL_NAME", ": [3].body"),
    "never": (mail(**{"if": ["clash=dentist", "clash=interview"]}), "LINT_NEVER_THERE", ": [3]"),
    "never a flag": (mail(**{"if": ["trap", "!trap"]}), "LINT_NEVER_THERE", ": [3]"),
    "unread": ({"emails.json": "[]"}, "LINT_UNREAD_FILE", "emails.json"),
}


@pytest.mark.parametrize("case", IN_FIXTURES)
def test_warnings_about_fixtures(case: str, tmp_path: Path) -> None:
    changes, code, place = IN_FIXTURES[case]
    assert warned(tmp_path, CLEAN, changes)[code].endswith(place)


def test_ordinary_texts_are_no_dates(tmp_path: Path) -> None:
    body = "We may march 12 times; v2026-1; Fridays are calm. {{day.weekday}} {{day}}, {{engineer.first}}"
    assert warned(tmp_path, CLEAN, mail(body=body)) == {}


def test_public_scenarios_are_linted_as_far_as_they_go(tmp_path: Path) -> None:
    assert lint_scenario(COMPAT).warnings == ()
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (tmp_path / "fixtures" / "desk_move").mkdir(parents=True)
    empty = "{id: a, type: response_contains, pattern: 'x*'}"
    checks = f"[{empty}, {{id: b, type: response_contains, pattern: which desk}}]"
    (folder / "a.yaml").write_text(f"name: desk_move\nprompt: Which desk?\nscoring:\n  checks: {checks}\n")
    report = lint_scenario(folder / "a.yaml")
    codes = [problem.code for problem in report.warnings]
    assert codes == ["LINT_NAME", "LINT_MATCHES_ALL", "LINT_MATCHES_PROMPT"]
