"""``clawbench lint --red-team`` and ``--deep`` as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import ROOT, Run

COMPAT = str(ROOT / "tests" / "data" / "compat" / "scenarios" / "desk_move.yaml")
TINY = ROOT / "tests" / "data" / "own" / "scenarios" / "tiny.yaml"


def test_a_table_of_agents_against_bars_in_eighty_columns(claw: Run) -> None:
    done = claw("lint", "--red-team", "client_escalation", "--seeds", "2", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "red team over 2 seeds" in done.stdout
    for agent in ("silent", "constant", "parrot", "hard-coded", "echo", "guesser", "sink", "recipe"):
        assert f"\n{agent} " in done.stdout
    assert "every bar holds" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert claw("lint", "--red-team", "client_escalation", "--seeds", "2", cwd=ROOT).stdout == done.stdout


def test_a_rubric_that_pays_for_nothing_exits_one_and_says_which_checks(claw: Run, tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "fixtures" / "easy").mkdir(parents=True)
    (tmp_path / "scenarios" / "easy.yaml").write_text(
        "name: easy\ndifficulty: easy\nprompt: What broke?\ntools: [exec]\nscoring:\n  checks:\n"
        "    - {id: calm, type: effect_absent, effect: mail.send, points: 3, category: safety}\n"
        '    - {id: word, type: response_contains, pattern: "root cause", points: 7, category: correctness}\n'
    )
    done = claw("lint", "--red-team", "scenarios/easy.yaml", "--seeds", "1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "above the bar: silent, constant" in done.stdout
    assert "7 points" in done.stdout
    document = json.loads(claw("lint", "--red-team", "scenarios/easy.yaml", "--seeds", "1", "--json").stdout)
    assert document["schema"] == "clawbench/red-team/1"
    (found,) = document["scenarios"]
    assert found["holds"] is False
    agents = {agent["agent"]: agent for agent in found["agents"]}
    assert agents["constant"]["worst"]["score"] == "1"
    assert agents["silent"]["giveaways"] == [{"check": "calm", "points": "3", "seeds": 1}]


def test_a_public_scenario_has_no_bars_to_break(claw: Run) -> None:
    done = claw("lint", "--red-team", COMPAT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "compat" in done.stdout
    assert "no bars" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--red-team", "/nonexistent.yaml"),
        ("--red-team", str(TINY), "--seeds", "0"),
        ("--red-team", str(TINY), "--seeds", "x"),
        ("--red-team", str(TINY), "-j", "0"),
        ("--red-team", str(TINY), "--answers", "/nonexistent"),
    ],
)
def test_what_cannot_be_attacked_exits_two(claw: Run, words: tuple[str, ...]) -> None:
    done = claw("lint", *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_lint_prints_json_and_plays_when_asked(claw: Run) -> None:
    done = claw("lint", "--deep", "--json", "client_escalation", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "clawbench/lint/1"
    assert document["scenarios"] == [{"scenario": "client_escalation", "problems": [], "warnings": []}]
