"""``clawbench estimate``: the words of a run, and nothing spent."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import ROOT, Run

WORDS = ("client_escalation", "--pack", "careful")


def test_it_needs_no_key_and_says_what_it_is_made_from(claw: Run, tmp_path: Path) -> None:
    no_keys = {"ANTHROPIC_API_KEY": "", "OPENAI_API_KEY": ""}
    words = ("estimate", *WORDS, "--model", "anthropic/claude-opus-4-5-20251101?effort=low", "--runs", "5")
    done = claw(*words, "--json", cwd=ROOT, env=no_keys)
    document = json.loads(done.stdout)
    (stage,) = document["stages"]
    assert stage["source"].startswith("an offline run (simulated")
    assert stage["runs"] == 5
    tokens = stage["tokens"]
    assert document["tokens"] == tokens["read"] + tokens["written"]
    assert document["usd"] == f"{(tokens['read'] * 5 + tokens['written'] * 25) / 1_000_000:.6f}"
    shown = claw(*words, cwd=ROOT, env=no_keys)
    assert "prices of 2026-" in " ".join(shown.stdout.split())
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_recorded_runs_are_better_than_a_guess_and_whole_ones_are_not_paid_again(claw: Run, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    claw("run", *WORDS, "--out", out, "-q", cwd=ROOT)
    seen = json.loads(claw("estimate", *WORDS, "--from", out, "--model", "openai/gpt-6-sol", "--json", cwd=ROOT).stdout)
    assert seen["stages"][0]["source"] == "3 recorded runs of this pack (simulated)"
    again = json.loads(claw("estimate", *WORDS, "--out", out, "--json", "--runs", "5", cwd=ROOT).stdout)
    assert again["stages"][0]["runs"] == 2
    assert again["usd"] == "0.000000"
    other = claw("estimate", "client_escalation", "--pack", "reckless", "--from", out, "--json", cwd=ROOT)
    assert json.loads(other.stdout)["stages"][0]["source"].startswith("3 recorded runs of other packs")


def test_more_than_the_budget_is_said(claw: Run) -> None:
    over = claw("estimate", *WORDS, "--model", "openai/gpt-6-sol", "--budget", "0.01", cwd=ROOT)
    assert over.returncode == 1
    assert over.stderr == "more than --budget allows: runs would be left out\n"
    unknown = claw("estimate", *WORDS, "--model", "openai/nobody-knows", cwd=ROOT)
    assert unknown.returncode == 0
    assert "--prices FILE" in unknown.stdout
    assert claw("estimate", *WORDS, "--model", "nobody", cwd=ROOT).returncode == 2
    assert claw("estimate", *WORDS, "--from", "nowhere", cwd=ROOT).returncode == 2
