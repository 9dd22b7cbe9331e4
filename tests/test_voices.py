"""Answers in many voices: a rubric has to understand authors who have never seen its patterns.

Each file of ``tests/answers/NAME/voices`` is a template written from the day's facts alone. A correct one is right on
every seed; a wrong one is as good but for what its first line names: ``fails: check_id[, check_id]``. They are
judged as if the run had read everything: what is tested is the understanding of an answer, not its evidence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import pytest

from clawbench import draws
from clawbench.rubric import CheckResult, Rubric, judge, rubric_for
from clawbench.scenario import Scenario, load_scenario, render_world
from clawbench.transcript import Transcript
from clawbench.world import World

from .answer_templates import spoken

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = ("client_escalation", "inbox_to_action", "inbox_triage", "morning_brief", "team_standup")
SEEDS = ("voice-1", "voice-2", "voice-3")
JUDGED = ("correctness", "structure")
BAR = Fraction(85, 100)
_NAME = re.compile(r"(correct|wrong)-[0-9]{2}-[a-z0-9-]+")
_FAILS = re.compile(r"fails: ([a-z_]+(?:, [a-z_]+)*)\n")


def voices(name: str, kind: str) -> list[str]:
    """The names of a scenario's correct or wrong answers."""
    folder = ROOT / "tests" / "answers" / name / "voices"
    return sorted(path.stem for path in folder.glob(f"{kind}-*.txt"))


def cases(kind: str) -> list[tuple[str, str]]:
    """Every scenario with each of its answers of one kind."""
    return [(name, voice) for name in SCENARIOS for voice in voices(name, kind)]


@lru_cache(None)
def template(name: str, voice: str) -> str:
    """What a file says."""
    return (ROOT / "tests" / "answers" / name / "voices" / f"{voice}.txt").read_text(encoding="utf-8")


@lru_cache(None)
def scenario(name: str) -> Scenario:
    """A shipped scenario."""
    return load_scenario(ROOT / "scenarios" / f"{name}.yaml")


@lru_cache(None)
def stage(name: str, seed: str) -> tuple[World, Rubric]:
    """The day of a seed, and its rubric with every piece of evidence granted."""
    world = render_world(scenario(name), draws.local_seed(seed))
    rubric = rubric_for(scenario(name), world)
    return world, replace(rubric, checks=tuple(replace(check, evidence=()) for check in rubric.checks))


def results(name: str, seed: str, text: str) -> Mapping[str, CheckResult]:
    """What each check says about an answer."""
    world, rubric = stage(name, seed)
    run = Transcript()
    run.answer(spoken(text, world))
    return {result.id: result for result in judge(rubric, run)}


def missed(name: str, found: Mapping[str, CheckResult]) -> dict[str, str]:
    """The failed checks that an answer decides, with their reasons."""
    return {
        check.id: found[check.id].reason
        for check in stage(name, SEEDS[0])[1].checks
        if check.type.startswith("response_") and not found[check.id].passed
    }


@pytest.mark.parametrize("name", SCENARIOS)
def test_there_are_many_voices(name: str) -> None:
    for kind in ("correct", "wrong"):
        named = voices(name, kind)
        assert len(named) >= 12
        assert all(_NAME.fullmatch(voice) for voice in named)
        assert len({spoken(template(name, voice), stage(name, SEEDS[0])[0]) for voice in named}) == len(named)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "voice"), cases("correct"))
def test_a_correct_answer_is_understood(name: str, voice: str, seed: str) -> None:
    found = results(name, seed, template(name, voice))
    judged = [check for check in stage(name, seed)[1].checks if check.category in JUDGED]
    earned = sum(check.points for check in judged if found[check.id].passed)
    assert earned >= BAR * sum(check.points for check in judged), missed(name, found)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "voice"), cases("wrong"))
def test_a_wrong_answer_fails_what_it_gets_wrong_and_nothing_else(name: str, voice: str, seed: str) -> None:
    text = template(name, voice)
    first = _FAILS.match(text)
    assert first, "the first line is: fails: check_id[, check_id]"
    failed = missed(name, results(name, seed, text[first.end() :]))
    assert set(failed) == set(first[1].split(", ")), failed


@pytest.mark.parametrize("name", SCENARIOS)
def test_wrong_answers_fail_every_check_that_an_answer_of_that_kind_can_fail(name: str) -> None:
    _, rubric = stage(name, SEEDS[0])
    named: set[str] = set()
    for voice in voices(name, "wrong"):
        first = _FAILS.match(template(name, voice))
        named |= set(first[1].split(", ")) if first else set()
    assert named == {check.id for check in rubric.checks if check.type.startswith("response_")}
