"""Every refusal of a scenario file: its code, file, line and key, and what it says is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from .scenario_files import FIXTURES, edited, line_of, problems

# Refusals: (what is put in place of what, code, key, part of the line that is named)

Refusal = tuple[str, str, str, str, str]
REFUSALS: dict[str, Refusal] = {
    "unknown key": ("difficulty: easy", "dificulty: easy", "SCENARIO_KEY", "dificulty", "dificulty"),
    "unknown key of a check": (
        "max: 9",
        "max: 9\n      maxx: 1",
        "SCENARIO_KEY",
        "scoring.checks[2].maxx",
        "maxx",
    ),
    "missing key": ("tools: [exec,", "x-tools: [exec,", "SCENARIO_REQUIRED", "tools", "name: harbour"),
    "missing key of a check": (
        "      max: 9\n",
        "",
        "SCENARIO_REQUIRED",
        "scoring.checks[2].max",
        "- id: few_calls",
    ),
    "number for text": ("name: harbour", "name: 7", "SCENARIO_TYPE", "name", "name: 7"),
    "list for text": ("difficulty: easy", "difficulty: [easy]", "SCENARIO_TYPE", "difficulty", "difficulty"),
    "text for number": (
        "points: 2",
        "points: two",
        "SCENARIO_TYPE",
        "scoring.checks[2].points",
        "points: two",
    ),
    "half a point": ("points: 2", "points: 2.5", "SCENARIO_TYPE", "scoring.checks[2].points", "points: 2.5"),
    "true for number": (
        "points: 2",
        "points: true",
        "SCENARIO_TYPE",
        "scoring.checks[2].points",
        "points: true",
    ),
    "time without quotes": ('now: "08:55"', "now: 14:30", "SCENARIO_TYPE", "now", "now: 14:30"),
    "text for list": (
        "tools: [exec, slack, memory_search, memory_get, read]",
        "tools: exec",
        "SCENARIO_TYPE",
        "tools",
        "tools:",
    ),
    "list for mapping": (
        "gate: {category: correctness, at_least: 50%}",
        "gate: [1]",
        "SCENARIO_TYPE",
        "scoring.gate",
        "gate:",
    ),
    "weight as text": ("weight: 1.25", "weight: heavy", "SCENARIO_TYPE", "weight", "weight:"),
    "weight of nothing": ("weight: 1.25", "weight: 0", "SCENARIO_VALUE", "weight", "weight:"),
    "endless weight": ("weight: 1.25", "weight: .inf", "SCENARIO_VALUE", "weight", "weight:"),
    "huge weight": ("weight: 1.25", "weight: 1.0e+99999", "SCENARIO_VALUE", "weight", "weight:"),
    "fine weight": ("weight: 1.25", "weight: 1.0000001", "SCENARIO_VALUE", "weight", "weight:"),
    "no such difficulty": (
        "difficulty: easy",
        "difficulty: eazy",
        "SCENARIO_VALUE",
        "difficulty",
        "difficulty",
    ),
    "no such tool": ("memory_get, read]", "memory_got, read]", "SCENARIO_VALUE", "tools[3]", "tools:"),
    "no points": ("points: 2", "points: 0", "SCENARIO_VALUE", "scoring.checks[2].points", "points: 0"),
    "no such time": ('now: "08:55"', 'now: "8:55"', "SCENARIO_VALUE", "now", "now:"),
    "bad name": ("name: harbour", "name: ../harbour", "SCENARIO_VALUE", "name", "name:"),
    "bad share": ("at_least: 50%", "at_least: 0%", "SCENARIO_VALUE", "scoring.gate.at_least", "gate:"),
    "no share": ("at_least: 50%", "at_least: half", "SCENARIO_VALUE", "scoring.gate.at_least", "gate:"),
    "bad effect": ("mail.send, ", "Mail Send, ", "SCENARIO_VALUE", "scoring.checks[0].effect[0]", "effect:"),
    "no effect": (
        'effect: [mail.send, "slack.*"]',
        "effect: []",
        "SCENARIO_VALUE",
        "scoring.checks[0].effect",
        "effect:",
    ),
    "file outside": (
        "AGENTS.md.baseline",
        "../AGENTS.md",
        "SCENARIO_VALUE",
        "variants.baseline",
        "baseline: ..",
    ),
    "user context": (
        "{DEPARTMENT: Harbour}",
        "{USER_SHOE: x}",
        "SCENARIO_VALUE",
        "user_context_defaults.USER_SHOE",
        "user_context",
    ),
    "evidence of nothing": (
        "{culprit: [mail/analysis, slack/analysis]}",
        "[]",
        "SCENARIO_VALUE",
        "scoring.checks[1].evidence",
        "evidence:",
    ),
    "duplicate id": (
        "id: few_calls",
        "id: culprit",
        "CHECK_DUPLICATE_ID",
        "scoring.checks[2].id",
        "id: culprit\n      type: tool",
    ),
    "unknown type": (
        "tool_count_max",
        "tool_count_maxi",
        "CHECK_TYPE",
        "scoring.checks[2]",
        "- id: few_calls",
    ),
    "no type": ("      type: tool_count_max\n", "", "CHECK_TYPE", "scoring.checks[2]", "- id: few_calls"),
    "broken pattern": (
        '"{{culprit}}"',
        '"({{culprit}}"',
        "CHECK_PATTERN",
        "scoring.checks[1].pattern",
        "pattern:",
    ),
    "lookahead": (
        '"{{culprit}}"',
        '"(?=x){{culprit}}"',
        "CHECK_PATTERN",
        "scoring.checks[1].pattern",
        "pattern:",
    ),
    "backreference": (
        '"{{culprit}}"',
        "'(a)\\1{{culprit}}'",
        "CHECK_PATTERN",
        "scoring.checks[1].pattern",
        "pattern:",
    ),
    "unknown placeholder": ("{{client}}", "{{klient}}", "PLACEHOLDER_UNKNOWN", "prompt", "prompt:"),
    "unknown form": (
        '"{{culprit}}"',
        '"{{culprit.short}}"',
        "PLACEHOLDER_UNKNOWN",
        "scoring.checks[1].pattern",
        "pattern:",
    ),
    "open placeholder": (
        '"{{culprit}}"',
        '"{{culprit"',
        "PLACEHOLDER_UNKNOWN",
        "scoring.checks[1].pattern",
        "pattern:",
    ),
    "time past midnight": ("{{client}}", "{{call+9h}}", "PLACEHOLDER_UNKNOWN", "prompt", "prompt:"),
    "unknown exclusive": (
        "exclusive: culprit",
        "exclusive: culprits",
        "FACT_UNKNOWN",
        "scoring.checks[1].exclusive",
        "exclusive:",
    ),
    "exclusive flag": (
        "exclusive: culprit",
        "exclusive: [trap]",
        "FACT_UNKNOWN",
        "scoring.checks[1].exclusive",
        "exclusive:",
    ),
    "fact without kind": ("{flag: 1/2}", "{flagg: 1/2}", "FACT_SPEC", "facts.trap", "trap:"),
    "fact with a bad range": ("13:00..16:00", "13:00-16:00", "FACT_SPEC", "facts.call.clock", "call:"),
    "fact at nowhere": ("at: client", "at: clash", "FACT_SPEC", "facts.sponsor.at", "sponsor:"),
    "evidence of no fact": (
        "{culprit: [mail/",
        "{kulprit: [mail/",
        "EVIDENCE_UNKNOWN_FACT",
        "scoring.checks[1].evidence",
        "evidence:",
    ),
    "evidence of a flag": (
        "{culprit: [mail/",
        "{trap: [mail/",
        "EVIDENCE_UNKNOWN_FACT",
        "scoring.checks[1].evidence",
        "evidence:",
    ),
    "evidence from nowhere": (
        "mail/analysis",
        "mail/analisis",
        "EVIDENCE_UNKNOWN_RECORD",
        "scoring.checks[1].evidence",
        "evidence:",
    ),
    "fixtures elsewhere": (
        "name: harbour\n",
        "name: harbour\nfixtures: nowhere\n",
        "FIXTURE_MISSING",
        "",
        "",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_name_code_file_line_and_key(case: str, tmp_path: Path) -> None:
    old, new, code, key, part = REFUSALS[case]
    text = edited(old, new)
    found = problems(tmp_path, text)
    named = [problem for problem in found if problem.code == code]
    assert named, found
    assert named[0].message
    if key:
        path = tmp_path / "scenarios" / "harbour.yaml"
        assert named[0].where == f"{path}:{line_of(text, part)}: {key}"
    if case not in ("missing key",):
        assert [problem.code for problem in found] == [code], found


SAYS = {
    "unknown key": "did you mean 'difficulty'?",
    "unknown key of a check": "did you mean 'max'?",
    "missing key": "the tools that the agent is offered",
    "number for text": "wants text, but '7' is a number: put it in quotes",
    "time without quotes": "'14:30' is a number: put it in quotes",
    "no such difficulty": "did you mean 'easy'?); allowed: easy, medium, hard",
    "no such tool": "did you mean 'memory_get'?",
    "unknown type": "did you mean 'tool_count_max'?",
    "lookahead": "no lookaround and no backreferences",
    "unknown placeholder": "did you mean 'client'?",
    "unknown exclusive": "did you mean 'culprit'?",
    "evidence from nowhere": "did you mean 'mail/analysis'?",
    "duplicate id": "is the id of the check in line",
    "fact at nowhere": "allowed: client",
    "no points": "at least 1",
}


@pytest.mark.parametrize("case", SAYS)
def test_refusals_say_what_is_allowed(case: str, tmp_path: Path) -> None:
    old, new, code, _, _ = REFUSALS[case]
    said = [problem.message for problem in problems(tmp_path, edited(old, new)) if problem.code == code]
    assert SAYS[case].lower() in said[0].lower()


def test_all_problems_of_file_and_fixtures_come_in_one_go(tmp_path: Path) -> None:
    text = edited("difficulty: easy", "dificulty: easy", edited("points: 2", "points: none"))
    text = edited("{{client}}", "{{klient}}", edited("{flag: 1/2}", "{flag: 3/2}", text))
    inbox = [{**FIXTURES["inbox.json"][0], "subject": "{{nope}}"}]
    found = problems(tmp_path, text, {"inbox.json": inbox, "tasks.json": "[{]"})
    assert {problem.code for problem in found} == {
        "SCENARIO_KEY",
        "SCENARIO_TYPE",
        "FACT_SPEC",
        "PLACEHOLDER_UNKNOWN",
        "FIXTURE_JSON",
    }
    assert len([problem for problem in found if problem.code == "PLACEHOLDER_UNKNOWN"]) == 2


def test_a_broken_fact_is_named_once_not_at_each_use(tmp_path: Path) -> None:
    found = problems(tmp_path, edited("culprit: {version: [2..4, 0..19, 0..9]}", "culprit: {version: 3}"))
    assert [problem.code for problem in found] == ["FACT_SPEC"]
