"""``show``, ``compare`` and ``stats`` through the installed console script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import ROOT, Run


def test_a_bench_can_be_looked_at(claw: Run, tmp_path: Path) -> None:
    for pack in ("careful", "reckless"):
        claw("run", "client_escalation", "--pack", pack, "--out", str(tmp_path / pack), "-q", cwd=ROOT)
    path = next((tmp_path / "reckless").rglob("run-0.jsonl"))
    shown = claw("show", str(path))
    assert shown.returncode == 0, shown.stderr
    assert "nothing_sent fell at step" in shown.stdout
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    one = claw("show", str(path), "--step", "3")
    assert "step 3" in one.stdout
    assert "step 2" not in one.stdout
    assert len(json.loads(claw("show", str(path), "--json").stdout)["steps"]) == 4
    compared = claw("compare", str(tmp_path / "reckless"), str(tmp_path / "careful"))
    assert "reckless → careful" in compared.stdout
    assert "✓ nothing_sent  0/3 → 3/3" in compared.stdout
    assert "they part at step 1" in compared.stdout
    stats = claw("stats", str(tmp_path / "careful"))
    assert "3 of 3 runs pass  pass^1 1.00  pass^3 1.00" in stats.stdout
    document = json.loads(claw("stats", str(tmp_path / "careful"), "--json", "--at-least", "0.9").stdout)
    assert document["stages"][0]["passed"] == 3


@pytest.mark.parametrize(
    "words",
    [
        ("show", "nowhere"),
        ("show", "."),
        ("show", "text"),
        ("compare", "nowhere", "nowhere"),
        ("compare", ".", "text"),
        ("stats", "nowhere"),
        ("stats", "."),
        ("stats", "text"),
    ],
)
def test_a_wrong_path_is_one_sentence(claw: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "text").write_text("hello\n")
    done = claw(*words)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")
