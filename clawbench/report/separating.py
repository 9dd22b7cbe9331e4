"""Which checks separate packs: those that one pack passes and another fails on the same scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..bench import StageOutcome


class Separating(NamedTuple):
    """A check whose vote differs between packs; ``by_pack`` maps a pack's label to whether it passed."""

    scenario: str
    check: str
    critical: bool
    by_pack: Mapping[str, bool]


def by_pack(outcomes: Sequence[StageOutcome]) -> dict[str, list[StageOutcome]]:
    """The outcomes of each pack under its label, in the order in which the packs were run.

    A label is the pack's name; packs that share one carry the beginning of their hash, as their folders do.
    """
    found: dict[str, list[StageOutcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.stage.pack.sha256, []).append(outcome)
    names = Counter(stages[0].stage.pack.name for stages in found.values())
    labelled = {}
    for sha256, stages in found.items():
        name = stages[0].stage.pack.name
        labelled[name if names[name] == 1 else f"{name}-{sha256[:8]}"] = stages
    return labelled


def by_scenario(outcomes: Sequence[StageOutcome]) -> dict[str, dict[str, StageOutcome]]:
    """Scenario → label of a pack → outcome; scenario files of one name carry the beginning of their hash."""
    labels = {id(outcome): label for label, found in by_pack(outcomes).items() for outcome in found}
    found: dict[str, dict[str, StageOutcome]] = {}
    names: dict[str, str] = {}
    for outcome in outcomes:
        scenario = outcome.stage.scenario
        name = scenario.name
        if names.setdefault(name, scenario.sha256) != scenario.sha256:
            name = f"{name}-{scenario.sha256[:8]}"
        found.setdefault(name, {})[labels[id(outcome)]] = outcome
    return found


def separating(outcomes: Sequence[StageOutcome]) -> list[Separating]:
    """The checks whose vote differs between packs, by scenario, in the order of its rubric.

    Undecided stages have no vote and separate nothing.
    """
    found = []
    for scenario, stages in by_scenario(outcomes).items():
        votes: dict[str, dict[str, bool]] = {}
        critical: set[str] = set()
        for label, outcome in stages.items():
            for result in outcome.voted.results if outcome.voted is not None else ():
                votes.setdefault(result.id, {})[label] = result.passed
                critical |= {result.id} if result.severity == "critical" else set()
        found += [
            Separating(scenario, check, check in critical, passed)
            for check, passed in votes.items()
            if len(set(passed.values())) > 1
        ]
    return found
