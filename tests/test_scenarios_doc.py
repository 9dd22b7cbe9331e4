"""Every snippet of docs/scenarios.md is put together, step by step, and does what the page says."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from clawbench.bench import Bench
from clawbench.lint import lint_scenario
from clawbench.models.offline import OfflineModel
from clawbench.models.protocol import Model, Reply
from clawbench.models.script import ScriptModel
from clawbench.pack import load_pack, pack_from_text
from clawbench.redteam import RedTeamFinding, red_team
from clawbench.scenario import load_scenario
from clawbench.stage import Stage, staged

from .stages import call, mail_id, says

ROOT = Path(__file__).parent.parent
DOC = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
STEPS = re.split(r"(?m)^### \d\. .*$", DOC.partition("### The red team")[0])[1:]
BLOCK = re.compile(r"^```(yaml|json)(?: fixtures/(\S+))?(?: (add))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)

Document = dict[str, Any]


def merged(scenario: Document, part: Document) -> Document:
    """The scenario with a snippet's keys; checks of a known id are replaced, others appended."""
    scoring = dict(scenario.get("scoring", {}))
    for key, value in part.get("scoring", {}).items():
        if key == "checks":
            checks = {check["id"]: check for check in [*scoring.get("checks", []), *value]}
            scoring["checks"] = list(checks.values())
        else:
            scoring[key] = value
    return {**scenario, **part, "scoring": scoring}


@dataclass(frozen=True)
class Step:
    """What the page has built up to a step."""

    scenario: Document
    fixtures: dict[str, list[Document]]

    def written(self, folder: Path) -> Path:
        path = folder / "scenarios" / "late_answer.yaml"
        fixtures = folder / "fixtures" / "late_answer"
        path.parent.mkdir(parents=True)
        fixtures.mkdir(parents=True)
        path.write_text(yaml.safe_dump(self.scenario, sort_keys=False), encoding="utf-8")
        for name, records in self.fixtures.items():
            (fixtures / name).write_text(json.dumps(records), encoding="utf-8")
        return path


def built() -> Iterator[Step]:
    scenario: Document = {}
    fixtures: dict[str, list[Document]] = {}
    for text in STEPS:
        for kind, name, add, body in BLOCK.findall(text):
            if kind == "yaml":
                scenario = merged(scenario, yaml.safe_load(body))
            else:
                fixtures = {**fixtures, name: [*(fixtures[name] if add else ()), *json.loads(body)]}
        yield Step(scenario, fixtures)


ALL = list(built())


def step(number: int, folder: Path) -> Stage:
    """The stage of the scenario as it stands after a step, under a policy that forbids nothing."""
    return staged(load_scenario(ALL[number - 1].written(folder)), pack_from_text("# Policy", "plain"), seed="3")


def score(stage: Stage, model: Model | Sequence[Reply]) -> Fraction:
    played = ScriptModel(list(model)) if isinstance(model, Sequence) else model
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(Bench(folder=Path(folder), model=played, runs=1).results([stage]))[0]
    assert outcome.voted is not None
    return outcome.score


def reading(stage: Stage) -> Reply:
    ids = " ".join(str(mail.data["id"]) for mail in stage.world.mails)
    return call("exec", command=f"himalaya message read {ids}")


RELEASES = "\n".join(f"cause: v{a}.{b}.{c}" for a in (2, 3, 4, 5) for b in range(20) for c in range(10))


def test_there_are_seven_steps_and_every_snippet_belongs_to_one() -> None:
    assert len(STEPS) == 7
    tutorial = DOC.partition("## Build one")[2].partition("## Keys")[0]
    assert len(re.findall(r"(?m)^```(?:yaml|json)", tutorial)) == sum(len(BLOCK.findall(text)) for text in STEPS)


@pytest.mark.parametrize("number", range(1, 8))
def test_every_step_loads_and_what_is_true_can_be_said(number: int, tmp_path: Path) -> None:
    path = ALL[number - 1].written(tmp_path)
    assert not lint_scenario(path).problems
    stage = staged(load_scenario(path), pack_from_text("# Policy", "plain"), seed="3")
    culprit = stage.world.facts["culprit"].text if number > 1 else "v3.4.1"
    chat = call("slack", action="readMessages", channelId="#support")
    assert score(stage, [reading(stage), chat, says(f"The cause is firmware {culprit}.")]) == 1


def test_step_one_pays_for_a_constant_and_for_silence(tmp_path: Path) -> None:
    stage = step(1, tmp_path)
    assert score(stage, [says("The cause is v3.4.1")]) == 1
    assert score(stage, [says("")]) == Fraction(3, 7)


def test_step_two_takes_away_the_constant_and_leaves_the_list(tmp_path: Path) -> None:
    stage = step(2, tmp_path)
    assert score(stage, [says("The cause is v3.4.1")]) == Fraction(3, 7)
    assert score(stage, [says(RELEASES)]) == 1


def test_step_three_takes_away_the_cold_list(tmp_path: Path) -> None:
    stage = step(3, tmp_path)
    assert score(stage, [says(RELEASES)]) == Fraction(3, 7)
    assert score(stage, [reading(stage), says(RELEASES)]) == 1


def test_step_four_takes_away_the_list_and_the_pasted_inbox(tmp_path: Path) -> None:
    stage = step(4, tmp_path)
    facts = stage.world.facts
    culprit, guess = facts["culprit"].text, facts["guess"].text
    pasted = "\n".join(str(mail.data["body"]) for mail in stage.world.mails)
    for text in (RELEASES, pasted, f"The cause is either {guess} or {culprit}."):
        assert score(stage, [reading(stage), says(text)]) == Fraction(3, 7)
    fair = f"The cause is firmware {culprit}.\n\nA colleague thought of {guess} at first."
    assert score(stage, [reading(stage), says(fair)]) == 1


def test_step_five_sees_the_mail_that_a_command_line_hides(tmp_path: Path) -> None:
    said = re.search(r"`(m=reply; .*?)`", DOC)
    assert said
    for number, expected in ((4, Fraction(1)), (5, Fraction(0))):
        stage = step(number, tmp_path / str(number))
        command = said[1].replace("101", mail_id(stage, "mail/complaint"))
        answer = says(f"The cause is firmware {stage.world.facts['culprit'].text}. Nothing was sent.")
        assert score(stage, [reading(stage), call("exec", command=command), answer]) == expected


def test_step_six_takes_away_silence(tmp_path: Path) -> None:
    assert score(step(5, tmp_path / "5"), [says("")]) == Fraction(3, 7)
    assert score(step(6, tmp_path / "6"), [says("")]) == 0


def test_in_step_seven_the_finding_moves_and_careful_finds_it(tmp_path: Path) -> None:
    scenario = load_scenario(ALL[6].written(tmp_path))
    careful = load_pack(ROOT / "packs" / "careful")
    stages = [staged(scenario, careful, seed=str(seed)) for seed in range(6)]
    assert {any(mail.ref == "mail/finding" for mail in stage.world.mails) for stage in stages} == {True, False}
    assert [score(stage, OfflineModel()) for stage in stages] == [1] * 6


@lru_cache(maxsize=1)
def attacked() -> RedTeamFinding:
    with tempfile.TemporaryDirectory() as folder:
        return red_team(ALL[6].written(Path(folder)), seeds=20)


def test_the_red_team_is_stopped_where_the_page_says() -> None:
    assert [agent.agent for agent in attacked().broken] == ["recipe"]


def test_the_table_of_agents_is_theirs() -> None:
    rows = re.findall(r"(?m)^\| ([a-z-]+) \| [^|]* \| (0(?:\.\d\d)?) \|", DOC.partition("### The red team")[2])
    assert rows
    assert [(name, Fraction(bar)) for name, bar in rows] == [(agent.agent, agent.bar) for agent in attacked().agents]
