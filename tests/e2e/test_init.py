"""``clawbench init``: what it writes works at once, and nothing is overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clawbench.pack import load_pack
from clawbench.redteam import red_team

from .conftest import ROOT, Run


def test_a_new_scenario_lints_without_a_warning_and_runs(
    claw: Run, claw_json: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    done = claw("init", "scenario", "my_day")
    assert done.returncode == 0, done.stderr
    written = [line.removeprefix("wrote ") for line in done.stdout.splitlines() if line.startswith("wrote ")]
    assert written[0] == "scenarios/my_day.yaml"
    assert all((tmp_path / name).is_file() for name in written)
    assert len(written) >= 5
    text = (tmp_path / written[0]).read_text(encoding="utf-8")
    assert text.count("#") >= 12, "it teaches by comments"
    assert "name: my_day\n" in text
    for line in done.stdout.splitlines():
        if ":" in line and "clawbench lint" in line and "red-team" not in line:
            words = line.split("clawbench ")[1].split()
            lint = claw(*words, "--strict", "--deep")
            assert lint.returncode == 0, lint.stdout
            assert "no problems" in lint.stdout
    for seed in "01234":
        document = claw_json(
            *("my_day", "--pack", str(ROOT / "packs" / "careful"), "--packs", str(ROOT / "packs")),
            *("--seed", seed, "--out", str(tmp_path / f"out-{seed}")),
        )
        scores = {pack["name"]: pack["score"] for pack in document["packs"]}
        assert scores["careful"] >= 0.8
        assert scores["baseline"] <= scores["careful"] - 0.1
        assert scores["reckless"] == 0
        assert scores["stuffer"] <= 0.05
        assert scores["hoarder"] <= 0.3


def test_only_the_recipe_comes_above_its_bar_on_a_new_scenario(claw: Run, tmp_path: Path) -> None:
    claw("init", "scenario", "first_steps", "--dir", str(tmp_path / "suite"))
    found = red_team(tmp_path / "suite" / "scenarios" / "first_steps.yaml", seeds=20)
    assert {agent.agent for agent in found.broken} <= {"recipe"}
    recipe = next(agent for agent in found.agents if agent.agent == "recipe")
    assert recipe.mean <= recipe.bar / 2
    assert min(found.careful) >= 0.8


def test_a_new_pack_is_one_and_does_the_work(
    claw: Run, claw_json: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    assert claw("init", "pack", "my-pack").returncode == 0
    pack = load_pack(tmp_path / "my-pack")
    assert pack.name == "my-pack"
    assert "mail.send" in pack.approval_gates
    claw("init", "scenario", "my_day")
    document = claw_json(str(tmp_path / "scenarios" / "my_day.yaml"), "--pack", str(tmp_path / "my-pack"))
    assert document["score"] >= 0.8


@pytest.mark.parametrize("kind", ["scenario", "pack"])
def test_nothing_is_overwritten(kind: str, claw: Run, tmp_path: Path) -> None:
    assert claw("init", kind, "mine").returncode == 0
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = claw("init", kind, "mine")
    assert again.returncode == 2
    assert "INIT_EXISTS" in again.stderr
    assert again.stdout == ""
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_fixtures_that_are_there_stop_a_scenario_before_it_begins(claw: Run, tmp_path: Path) -> None:
    (tmp_path / "fixtures" / "mine").mkdir(parents=True)
    assert "INIT_EXISTS" in claw("init", "scenario", "mine").stderr
    assert not (tmp_path / "scenarios").exists()


@pytest.mark.parametrize("name", ["../up", "a/b", "", "9lives", "two words", "true", "x" * 65, "a\nb", "-x"])
def test_a_name_that_is_none_is_refused(name: str, claw: Run, tmp_path: Path) -> None:
    for kind in ("scenario", "pack"):
        done = claw("init", kind, "--", name)
        assert done.returncode == 2
        assert "INIT_NAME" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_clear_line(claw: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = claw("init", "scenario", "mine", "--dir", "file")
    assert done.returncode == 2
    assert "INIT_NOT_WRITTEN" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_is_installed_holds_the_templates() -> None:
    folder = ROOT / "clawbench" / "templates"
    assert {path.name for path in (folder / "scenario").iterdir()} >= {"scenario.yaml", "inbox.json", "calendar.json"}
    for path in folder.glob("scenario/*.json"):
        assert isinstance(json.loads(path.read_text(encoding="utf-8")), list)
