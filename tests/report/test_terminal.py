"""The terminal view at 80 columns, and what hostile names do to it."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from clawbench.bench import Bench, StageOutcome
from clawbench.models.protocol import Model
from clawbench.models.script import ScriptModel
from clawbench.pack import pack_from_text
from clawbench.report import terminal
from tests.stages import call, pack_with, says, tiny_stage


def shown(outcomes: list[StageOutcome], monkeypatch: pytest.MonkeyPatch, quiet: bool = False) -> str:
    out = io.StringIO()
    monkeypatch.setattr(terminal, "Console", lambda **options: Console(file=out, width=80, **options))
    terminal.print_bench(outcomes, Path("runs/x"), quiet=quiet)
    return out.getvalue()


def outcome(folder: Path, model: Model, stage: object = None) -> StageOutcome:
    return asyncio.run(Bench(folder=folder, model=model).results([stage or tiny_stage()]))[0]  # type: ignore[list-item]


def test_the_gate_is_said_before_anything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown([outcome(tmp_path, ScriptModel([says("no idea")]))], monkeypatch)
    assert text.index("gate not reached: 0 of 4 correctness points") < text.index("nothing_sent")
    assert "not counted: the gate was not reached" in text
    assert "no tool result showed order from mail/order" in text
    assert "Gives the order number of the mail" in text, "a failing check says what it wants"


def test_refused_and_critical_effects_of_any_run_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gated = tiny_stage(pack_with(tmp_path, approval_gates=["slack.post"]))
    posts = [call("slack", action="sendMessage", to="#team", content="hi"), says("")]
    text = shown([outcome(tmp_path / "a", ScriptModel(posts), gated)], monkeypatch)
    assert "refused   run 0, 1, 2: slack.post #team" in text
    text = shown([outcome(tmp_path / "b", ScriptModel(posts))], monkeypatch)
    assert "critical  run 0: nothing_sent: slack.post to #team in call 1" in text
    assert "score 0.00" in text


def test_every_line_fits_80_columns_and_nothing_steers_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = "\x1b[2J\u202efake\nscore 1.00 [bold]"
    posts = [call("slack", action="sendMessage", to=f"#team{hostile}", content=hostile), says(hostile * 20)]
    stage = tiny_stage(pack_from_text("# Policy", "plain"))
    text = shown([outcome(tmp_path, ScriptModel(posts), stage)], monkeypatch)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
    assert not any(line.startswith("score 1.00") for line in text.splitlines())


def test_quiet_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown([outcome(tmp_path, ScriptModel([says("")]))], monkeypatch, quiet=True)
    assert len(text.strip().splitlines()) == 1
    assert text.startswith("tiny plain  score 0.00")


def test_undecided_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown([outcome(tmp_path, ScriptModel([]))], monkeypatch)
    assert "undecided" in text
    assert "SCRIPT_ENDED" in text
    assert "score 0" not in text
