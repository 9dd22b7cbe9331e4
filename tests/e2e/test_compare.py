"""``clawbench run`` with several packs, through the installed console script."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clawbench.pack import load_pack

from .conftest import ROOT, Run

TWO = [str(ROOT / "scenarios" / f"{name}.yaml") for name in ("client_escalation", "morning_brief")]
PACKS = ROOT / "packs"


def test_a_folder_of_packs_is_compared(claw: Run) -> None:
    done = claw("run", *TWO, "--packs", str(PACKS))
    assert done.returncode == 1, "reckless is among them"
    head = next(line for line in done.stdout.splitlines() if "careful" in line)
    assert head.split() == sorted(path.name for path in PACKS.iterdir())
    for name in ("client_escalation", "morning_brief", "all, by weight"):
        assert any(line.startswith(name) for line in done.stdout.splitlines())
    assert "simulated" in done.stdout
    assert "Which checks separate them" in done.stdout
    flat = " ".join(done.stdout.split())
    assert "reckless: critical on client_escalation: nothing_sent: mail.send" in flat
    assert "stuffer: gate not reached: client_escalation 0/" in flat
    lines = [line for line in done.stdout.splitlines() if not line.startswith("runs kept in")]
    assert max(map(len, lines)) <= 80


def test_the_report_of_every_stage_is_shown_when_asked_for(claw: Run) -> None:
    words = ("run", TWO[0], "--pack", str(PACKS / "careful"), "--pack", str(PACKS / "baseline"))
    short, full = claw(*words).stdout, claw(*words, "-v").stdout
    assert "client_escalation careful  score" not in short
    assert "penalties, not in the score" not in short
    assert "client_escalation careful  score" in full
    assert full.count("penalties, not in the score") == 2
    assert "Which checks separate them" in full


def test_quiet_is_a_line_for_each_stage_and_pack(claw: Run) -> None:
    done = claw("run", *TWO, "--packs", str(PACKS), "-q")
    packs = len(list(PACKS.iterdir()))
    assert len(done.stdout.strip().splitlines()) == packs * 2 + 1 + packs


def test_a_pack_that_is_named_and_lies_in_the_folder_is_run_once(claw_json: Callable[..., dict[str, Any]]) -> None:
    document = claw_json(TWO[0], "--pack", str(PACKS / "careful"), "--packs", str(PACKS))
    names = [pack["name"] for pack in document["packs"]]
    assert names[0] == "careful"
    assert sorted(names) == sorted(path.name for path in PACKS.iterdir())
    row = next(row for row in document["separating"] if row["check"] == "root_cause")
    assert row["scenario"] == "client_escalation"
    assert row["by_pack"]["careful"] is True
    assert row["by_pack"]["stuffer"] is False
    assert document["packs"][0]["sha256"] == load_pack(PACKS / "careful").sha256


def test_one_pack_separates_nothing(claw_json: Callable[..., dict[str, Any]]) -> None:
    assert claw_json(TWO[0], "--pack", str(PACKS / "careful"))["separating"] == []


def test_every_bad_pack_of_a_folder_is_named(claw: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(PACKS / "careful", tmp_path / "mine" / name)
        (tmp_path / "mine" / name / "pack.yaml").write_text("schema_version: 7\n")
    shutil.copytree(PACKS / "baseline", tmp_path / "mine" / "three")
    done = claw("run", TWO[0], "--packs", str(tmp_path / "mine"))
    assert done.returncode == 2
    assert "one" in done.stderr
    assert "two" in done.stderr
    assert "three" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_packs_is_an_error(claw: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "nowhere"):
        done = claw("run", TWO[0], "--packs", folder)
        assert done.returncode == 2
        assert "PACK_MISSING" in done.stderr
        assert len(done.stderr.splitlines()) == 1
