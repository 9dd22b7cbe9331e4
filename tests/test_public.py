"""The public format: loaded as it is, refused where the public scorer could not judge it."""

from __future__ import annotations

import os
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from clawbench.errors import ScenarioInvalid
from clawbench.public import CompatCheck
from clawbench.scenario import load_scenario

from .scenario_files import edited, line_of

COMPAT = Path(__file__).parent / "data" / "compat" / "scenarios" / "desk_move.yaml"

Refusal = tuple[str, str, str, str, str]


def compat(folder: Path, text: str) -> Path:
    (folder / "scenarios").mkdir(exist_ok=True)
    if not (folder / "fixtures").exists():
        os.symlink(COMPAT.parent.parent / "fixtures", folder / "fixtures")
    path = folder / "scenarios" / "desk_move.yaml"
    path.write_text(text)
    return path


def test_a_public_scenario_loads_as_it_is() -> None:
    loaded = load_scenario(COMPAT)
    assert loaded.compat
    assert (loaded.name, loaded.weight, loaded.gate, loaded.user.grants) == (
        "desk_move",
        Fraction(3, 2),
        None,
        (),
    )
    assert loaded.tools[-1] == "read"
    assert all(isinstance(check, CompatCheck) for check in loaded.checks)
    raws = [check.raw for check in loaded.checks if isinstance(check, CompatCheck)]
    assert [raw["type"] for raw in raws][-1] == "mood_is_good"
    assert raws[0]["points"] == Decimal("3.5")
    assert raws[0]["pattern"] == "desk.{0,40}(?=4B)4B"
    assert "points" not in raws[2]
    assert loaded.variant_texts() == {
        "baseline": "Help the user.\n",
        "optimized": "Help the user, and look first.\n",
    }


def test_one_key_of_ours_makes_it_ours(tmp_path: Path) -> None:
    text = COMPAT.read_text() + "now: '09:00'\n"
    with pytest.raises(ScenarioInvalid) as caught:
        load_scenario(compat(tmp_path, text))
    assert "CHECK_TYPE" in {problem.code for problem in caught.value.problems}
    severity = COMPAT.read_text().replace("      tool: exec\n", "      tool: exec\n      severity: minor\n")
    with pytest.raises(ScenarioInvalid):
        load_scenario(compat(tmp_path, severity))


PUBLIC_REFUSALS: dict[str, Refusal] = {
    "broken pattern": ("(?=4B)", "(", "CHECK_PATTERN", "scoring.checks[0].pattern", 'pattern: "desk'),
    "no id": (
        "- id: few_calls\n      type",
        "- type",
        "SCENARIO_REQUIRED",
        "scoring.checks[2].id",
        "- type: tool_count",
    ),
    "id of numbers": ("id: few_calls", "id: 7", "SCENARIO_TYPE", "scoring.checks[2].id", "id: 7"),
    "no type": (
        "      type: tool_count_max\n",
        "",
        "SCENARIO_REQUIRED",
        "scoring.checks[2].type",
        "- id: few_calls",
    ),
    "no maximum": ("      max: 8\n", "", "SCENARIO_REQUIRED", "scoring.checks[2].max", "- id: few_calls"),
    "no pattern": (
        '      pattern: "himalaya message send"\n',
        "",
        "SCENARIO_REQUIRED",
        "scoring.checks[1].pattern",
        "- id: nothing",
    ),
    "duplicate id": (
        "id: few_calls",
        "id: names_desk",
        "CHECK_DUPLICATE_ID",
        "scoring.checks[2].id",
        "id: names_desk\n      type: tool",
    ),
    "points": ("points: 2", "points: two", "SCENARIO_TYPE", "scoring.checks[1].points", "points: two"),
    "huge points": (
        "points: 2",
        "points: 1.0e+99999",
        "SCENARIO_TYPE",
        "scoring.checks[1].points",
        "points: 1.0e",
    ),
    "many points": (
        "points: 2",
        "points: 9999999999",
        "SCENARIO_VALUE",
        "scoring.checks[1].points",
        "points: 9999",
    ),
    "endless weight": ("weight: 1.5", "weight: .nan", "SCENARIO_TYPE", "weight", "weight"),
    "heavy": ("weight: 1.5", "weight: 1001", "SCENARIO_VALUE", "weight", "weight"),
    "tools": (
        "tools: [exec, slack, memory_search, memory_get, web_search, read]",
        "tools: 7",
        "SCENARIO_TYPE",
        "tools",
        "tools:",
    ),
    "tool": ("tool: exec", "tool: {a: b}", "SCENARIO_TYPE", "scoring.checks[1].tool", "tool: {"),
    "no prompt": ("prompt: >\n", "description2: >\n", "SCENARIO_KEY", "description2", "description2"),
    "empty prompt": (
        "prompt: >\n  Which desk do I get when we move next week?\n  Do not write to anybody.\n",
        "prompt: ''\n",
        "SCENARIO_VALUE",
        "prompt",
        "prompt:",
    ),
    "name": ("name: desk_move", "name: ../desk", "SCENARIO_VALUE", "name", "name:"),
    "variant outside": (
        "AGENTS.md.baseline",
        "../../x",
        "SCENARIO_VALUE",
        "variants.baseline",
        "baseline: ..",
    ),
    "variant of numbers": ("AGENTS.md.baseline", "7", "SCENARIO_TYPE", "variants.baseline", "baseline: 7"),
    "variants": (
        "  baseline: AGENTS.md.baseline\n  optimized: AGENTS.md.optimized\n",
        "  - a\n",
        "SCENARIO_TYPE",
        "variants",
        "variants:",
    ),
    "check": (
        "    - id: few_calls",
        "    - 7\n    - id: few_calls",
        "SCENARIO_TYPE",
        "scoring.checks[2]",
        "- 7",
    ),
    "category": (
        "category: efficiency",
        "category: 7",
        "SCENARIO_TYPE",
        "scoring.checks[2].category",
        "category: 7",
    ),
    "description": (
        "description: Names the desk",
        "description: 7",
        "SCENARIO_TYPE",
        "scoring.checks[0].description",
        "description: 7",
    ),
}


@pytest.mark.parametrize("case", PUBLIC_REFUSALS)
def test_public_refusals_name_code_line_and_key(case: str, tmp_path: Path) -> None:
    old, new, code, key, part = PUBLIC_REFUSALS[case]
    text = edited(old, new, COMPAT.read_text())
    path = compat(tmp_path, text)
    with pytest.raises(ScenarioInvalid) as caught:
        load_scenario(path)
    found = [problem for problem in caught.value.problems if problem.code == code]
    assert found, caught.value.problems
    assert found[0].where == f"{path}:{line_of(text, part)}: {key}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("scoring:\n", "scoring: []\nzzz: 1\n#"),
        ("  checks:\n", "  checks: {a: b}\n  criteria2:\n"),
    ],
)
def test_odd_public_files_end_in_an_error(old: str, new: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioInvalid):
        load_scenario(compat(tmp_path, edited(old, new, COMPAT.read_text())))


def test_public_files_may_leave_much_out(tmp_path: Path) -> None:
    text = "name: desk_move\nprompt: Which desk?\n"
    loaded = load_scenario(compat(tmp_path, text))
    assert loaded.compat
    assert (loaded.checks, loaded.tools, loaded.weight, dict(loaded.variants)) == ((), (), 1, {})
    for scoring in ("scoring: {}\n", "scoring:\n", "scoring: {checks: }\n"):
        assert load_scenario(compat(tmp_path, text + scoring)).checks == ()


def test_python_warnings_about_patterns_stay_inside(tmp_path: Path) -> None:
    text = edited("desk.{0,40}(?=4B)4B", "[[a]&&b]", COMPAT.read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_scenario(compat(tmp_path, text)).compat


def test_public_fixtures_may_have_any_keys_but_are_lists_of_objects(tmp_path: Path) -> None:
    folder = tmp_path / "fixtures" / "desk_move"
    folder.mkdir(parents=True)
    (folder / "inbox.json").write_text('[{"id": 7, "key": "k", "if": "x", "if": "{{y}}"}]')
    (tmp_path / "scenarios").mkdir()
    path = tmp_path / "scenarios" / "a.yaml"
    path.write_text("name: desk_move\nprompt: x\n")
    loaded = load_scenario(path)
    assert [(record.ref, dict(record.data)) for record in loaded.fixtures.records["mail"]] == [
        ("mail/7", {"id": 7, "key": "k", "if": "{{y}}"})
    ]
    (folder / "inbox.json").write_text("[7]")
    with pytest.raises(ScenarioInvalid) as caught:
        load_scenario(path)
    assert (caught.value.code, caught.value.problems[0].where) == (
        "FIXTURE_SHAPE",
        f"{folder / 'inbox.json'}:1: [0]",
    )
