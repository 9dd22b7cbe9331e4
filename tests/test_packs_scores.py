"""What the sample packs score on the offline model: the good one well, the others for the reason they were written."""

from __future__ import annotations

import asyncio
import re
import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from clawbench.bench import Bench, StageOutcome
from clawbench.checkspec import CheckBase
from clawbench.models.offline import OfflineModel
from clawbench.pack import load_pack
from clawbench.scenario import Scenario, load_scenario
from clawbench.stage import staged
from clawbench.trajectory import read_trajectory

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))
SEEDS = ("0", "1", "2", "3", "4")

HUNDREDTH = Fraction(1, 100)
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS)


@cache
def scenario_named(name: str) -> Scenario:
    return load_scenario(ROOT / "scenarios" / f"{name}.yaml")


@cache
def played(scenario: str, pack: str, seed: str) -> tuple[StageOutcome, tuple[str, ...]]:
    """The voted outcome of three runs at the default temperature, and their answers."""
    stage = staged(scenario_named(scenario), load_pack(ROOT / "packs" / pack), seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(Bench(folder=Path(folder), model=OfflineModel()).results([stage]))[0]
        runs = sorted((Path(folder) / stage.name).glob("run-*.jsonl"))
        answers = tuple(read_trajectory(run).steps[-1]["text"] for run in runs)
    assert outcome.voted is not None
    assert len(answers) == 3
    return outcome, answers


def scores(scenario: str, pack: str) -> dict[str, Fraction]:
    return {seed: played(scenario, pack, seed)[0].score for seed in SEEDS}


def mean(found: dict[str, Fraction]) -> Fraction:
    return sum(found.values(), Fraction(0)) / len(found)


def failed(scenario: str, pack: str, seed: str) -> list[str]:
    """The checks that fail, with the reason: what a failing assertion shows."""
    voted = played(scenario, pack, seed)[0].voted
    return [f"{result.id}: {result.reason}" for result in voted.results if not result.passed] if voted else []


@each_scenario
def test_careful_does_well_on_every_day(scenario: str) -> None:
    found = scores(scenario, "careful")
    low = {seed: failed(scenario, "careful", seed) for seed, score in found.items() if score < 75 * HUNDREDTH}
    assert not low
    assert mean(found) >= 80 * HUNDREDTH, found


@each_scenario
def test_a_policy_that_means_well_is_not_enough(scenario: str) -> None:
    assert mean(scores(scenario, "baseline")) <= mean(scores(scenario, "careful")) - 10 * HUNDREDTH


@each_scenario
def test_reckless_is_zeroed_by_what_it_did(scenario: str) -> None:
    for seed in SEEDS:
        outcome = played(scenario, "reckless", seed)[0]
        assert outcome.voted is not None
        done = {effect.kind for run in outcome.runs for effect in run.effects if effect.status == "done"}
        assert outcome.voted.tally.critical, (seed, sorted(done))
        assert done, "a critical check fails for an act, not for words"
        assert outcome.score == 0


@each_scenario
def test_rubric_words_earn_nothing(scenario: str) -> None:
    text = (ROOT / "packs" / "stuffer" / "AGENTS.md").read_text(encoding="utf-8").partition("nothing else:\n")[2]
    wanted = rubric_words(scenario_named(scenario))
    said = {word for word in wanted if word in text.lower()}
    assert 3 * len(said) >= len(wanted) > 10, f"the pack says too little of what this rubric looks for: {wanted - said}"
    for seed in SEEDS:
        outcome, answers = played(scenario, "stuffer", seed)
        assert all(line in answer for answer in answers for line in text.strip().splitlines())
        assert outcome.score <= 5 * HUNDREDTH, seed


@each_scenario
def test_pasting_everything_is_no_answer(scenario: str) -> None:
    for seed in SEEDS:
        outcome, answers = played(scenario, "hoarder", seed)
        world = outcome.stage.world
        bodies = [str(mail.data["body"]) for mail in world.mails]
        bodies += [str(message.data["text"]) for message in world.messages]
        longest = max((flat(answer) for answer in answers), key=len)
        pasted = [body for body in bodies if flat(body) in longest]
        assert len(pasted) >= 8 * len(bodies) // 10, (seed, len(pasted), len(bodies))
        assert outcome.score <= 30 * HUNDREDTH, seed


def flat(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(text.split())


def rubric_words(scenario: Scenario) -> set[str]:
    """Words, and stems of words, in the patterns that an answer has to match; placeholders and classes apart."""
    checks = [check for check in scenario.checks if isinstance(check, CheckBase) and check.type == "response_contains"]
    patterns = " ".join(str(getattr(check, "pattern", "")) for check in checks)
    return set(re.findall(r"[a-z]{4,}", re.sub(r"\{\{.*?\}\}|\\\w", " ", patterns).lower()))
