"""Linting by playing: checks that nothing passes, and checks that nothing fails, over packs, tricks and seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from .checkspec import CheckBase
from .errors import Problem
from .library import pack_path
from .models.offline import OfflineModel
from .pack import load_pack, pack_from_text
from .public import CompatCheck
from .redteam.agents import AGENTS, Attempt, Target, fixed
from .redteam.conversation import Scripted
from .redteam.perfect import day, loaded
from .redteam.playing import outcome_of
from .redteam.vandal import vandalism
from .rubric import CheckResult
from .stage import Sampling, staged
from .yamlfile import load

SEEDS = ("0", "1", "2")
PACKS = ("careful", "baseline", "reckless")
TRICKS = ("silent", "constant", "echo", "sink")


def deep_warnings(path: Path, answers: Path | None = None) -> Iterator[Problem]:
    """What playing the scenario at ``path`` shows: packs on the offline model, tricks, correct answers.

    ``answers`` is a folder of hand-written ones. Takes seconds. Raises ScenarioInvalid, and Infrastructure if a run
    could not be made.
    """
    passed: set[int] = set()
    failed: set[int] = set()
    for results in _tried(path, answers):
        for index, result in enumerate(results):
            (passed if result.passed else failed).add(index)
    _, positions = load(path)
    checks: Sequence[CheckBase | CompatCheck] = loaded(path).checks
    for index, check in enumerate(checks):
        where = positions.where(("scoring", "checks", index, "id"))
        if index not in passed:
            yield Problem("LINT_NEVER_PASSES", where, f"'{check.id}' failed in every run that was tried: can it pass?")
        if index not in failed:
            yield Problem("LINT_NEVER_FAILS", where, f"'{check.id}' passed in every run that was tried: can it fail?")


def _tried(path: Path, answers: Path | None) -> Iterator[tuple[CheckResult, ...]]:
    """Three days: packs as they are, then answers without the work, then correct ones after reading everything."""
    scenario = loaded(path)
    for number, seed in enumerate(SEEDS):
        today, donor = day(path, seed, answers), day(path, SEEDS[(number + 1) % len(SEEDS)], answers)
        yield today.outcome.results
        cool = Sampling(temperature="0")
        for place in map(pack_path, PACKS[1:]):
            if place.exists():
                stage = staged(
                    scenario, load_pack(place), seed=seed, world=today.world, rubric=today.rubric, sampling=cool
                )
                yield outcome_of(stage, OfflineModel()).results
        stage = staged(scenario, pack_from_text("Help.", "plain"), seed=seed, world=today.world, rubric=today.rubric)
        target = Target.of(stage, today, donor)
        attempts = [next(agent.attempts(target)) for agent in AGENTS if agent.name in TRICKS]
        attempts.append(Attempt("vandal", vandalism(stage.tool_names), fixed("Done, all of it! " * 800)))
        attempts += [Attempt("correct", target.reading(), fixed(answer)) for answer in today.answers]
        for attempt in attempts:
            outcome = outcome_of(stage, Scripted(attempt.acts, attempt.say))
            if outcome.status == "COMPLETED":  # what a limit ended fails everything and shows nothing
                yield outcome.results
