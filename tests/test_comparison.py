"""Packs side by side: labels, scores, faults, and the checks that separate them."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from clawbench.bench import Bench, StageOutcome
from clawbench.models.protocol import Model
from clawbench.models.script import ScriptModel
from clawbench.pack import Pack, pack_from_text
from clawbench.report.comparison import print_comparison
from clawbench.report.document import bench_document
from clawbench.report.separating import by_pack, separating
from clawbench.stage import Stage

from .stages import call, mail_id, says, tiny_stage


def outcome(folder: Path, model: Model, pack: Pack) -> StageOutcome:
    stage = tiny_stage(pack)
    return asyncio.run(Bench(folder=folder / pack.sha256[:8], model=model).results([stage]))[0]


def named(name: str, text: str = "# Policy") -> Pack:
    return pack_from_text(text, name)


def worker(stage: Stage) -> ScriptModel:
    """Reads the mail and says what stands in it."""
    read = call("exec", command=f"himalaya message read {mail_id(stage, 'mail/order')}")
    return ScriptModel([read, says(f"The order number is {stage.world.facts['order'].text}.")])


@pytest.fixture
def three(tmp_path: Path) -> list[StageOutcome]:
    """A pack that works, one that says nothing, and one that posts."""
    works, silent, posts = named("works"), named("silent"), named("posts")
    posting = [call("slack", action="sendMessage", to="#team", content="hi"), says("")]
    return [
        outcome(tmp_path, worker(tiny_stage(works)), works),
        outcome(tmp_path, ScriptModel([says("")]), silent),
        outcome(tmp_path, ScriptModel(posting), posts),
    ]


def shown(outcomes: list[StageOutcome], width: int = 80) -> str:
    out = io.StringIO()
    print_comparison(Console(file=out, width=width, highlight=False), outcomes)
    return out.getvalue()


def row(text: str, name: str) -> list[str]:
    """The cells beside a name, once it stands alone."""
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [name])[1:]


def test_what_separates_packs_is_what_their_votes_differ_in(three: list[StageOutcome]) -> None:
    found = {check.check: check.by_pack for check in separating(three)}
    assert found["order_number"] == {"works": True, "silent": False, "posts": False}
    assert found["nothing_sent"] == {"works": True, "silent": True, "posts": False}
    assert all(len(set(votes.values())) == 2 for votes in found.values())
    assert [check.check for check in separating(three) if check.critical] == ["nothing_sent"]
    assert separating(three[:1]) == []


def test_the_table_shows_scores_marks_and_votes(three: list[StageOutcome]) -> None:
    text = shown(three)
    assert row(text, "tiny") == ["1.00", "0.00<", "0.00!"]
    assert row(text, "order_number") == ["✓", "✗", "✗"]
    assert row(text, "nothing_sent") == ["!", "✓", "✓", "✗"]
    assert "3 packs on 1 scenario" in text
    assert max(map(len, text.splitlines())) <= 80


def test_what_zeroed_a_pack_and_an_unreached_gate_are_named(three: list[StageOutcome]) -> None:
    text = " ".join(shown(three).split())
    assert "posts: critical on tiny: nothing_sent: slack.post to #team in call 1" in text
    assert "silent: gate not reached: tiny 0/4" in text
    assert "works: " not in text


def test_an_undecided_stage_has_no_score_and_separates_nothing(tmp_path: Path, three: list[StageOutcome]) -> None:
    broken = outcome(tmp_path, ScriptModel([]), named("broken"))
    text = shown([three[0], broken])
    assert row(text, "tiny") == ["1.00", "?"]
    assert "broken: undecided on tiny: " in text
    assert "SCRIPT_ENDED" in text
    assert "No check separates these packs." in text


def test_packs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    packs = [named("same", "# One"), named("same", "# Two")]
    found = by_pack([outcome(tmp_path, ScriptModel([says("")]), pack) for pack in packs])
    assert list(found) == [f"same-{pack.sha256[:8]}" for pack in packs]


def test_many_packs_stand_in_blocks_and_hostile_names_do_no_harm(tmp_path: Path) -> None:
    packs = [named(f"a-rather-long-name-{number}") for number in range(9)]
    text = shown([outcome(tmp_path, ScriptModel([says("")]), pack) for pack in packs])
    assert max(map(len, text.splitlines())) <= 80
    scores = [line for line in text.splitlines() if line.startswith("tiny")]
    assert len(scores) == 3
    assert sum(line.count("0.00<") for line in scores) == 9
    assert "\x1b" not in text


def test_the_json_document_lists_what_separates(three: list[StageOutcome]) -> None:
    document = json.loads(json.dumps(bench_document(three, Path("x"), "again")))
    assert [pack["label"] for pack in document["packs"]] == ["works", "silent", "posts"]
    assert {
        "scenario": "tiny",
        "check": "order_number",
        "by_pack": {"works": True, "silent": False, "posts": False},
    } in (document["separating"])
    assert document["score"] == 0, "the mean over all stages, one of which failed a critical check"
    assert [pack["score"] for pack in document["packs"]] == [1, 0, 0]
