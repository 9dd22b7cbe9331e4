"""A validator that lives for long holds no more than one that lives for a while."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson

EPOCHS, KEPT = (144, 24) if os.environ.get("SOAK") else (12, 3)
"""144 epochs are 24 days."""
FOR_GOOD = 16_384
"""Bytes that an epoch of 16 packs may leave for ever: inputs, award, weights (docs/validators.md, Retention)."""


def test_days_go_by_and_nothing_grows(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.simulation.days", str(tmp_path), str(EPOCHS), str(KEPT)]
    place = Path(__file__).parent.parent.parent
    done = subprocess.run(words, cwd=place, stdout=subprocess.PIPE, check=True, timeout=3600)
    held = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert [row["epoch"] for row in held] == list(range(held[0]["epoch"], held[0]["epoch"] + EPOCHS))
    assert len({row["descriptors"] for row in held}) == 1
    early, late = held[KEPT * 2], held[-1]
    assert late["files"] == early["files"]
    left = FOR_GOOD * (late["epoch"] - early["epoch"])
    assert late["database"] < early["database"] * 1.1 + left
    assert late["bytes"] < early["bytes"] * 1.1 + left
    assert late["rss_kb"] < early["rss_kb"] * 1.2
