"""A validator that lives for long holds no more than one that lives for a while."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson

EPOCHS, KEPT, LINES = (144, 24, 40) if os.environ.get("SOAK") else (12, 2, 2)
"""144 epochs are 24 days. Both halves are as many epochs as miners need to commit as often as each other."""
FACT, PROOF = 600, 2048
"""Bytes and no more that a commitment leaves for good: a fact, and the forge's two answers that prove it."""
JOURNAL = 8 << 20
PAGES = 12 * 4096
"""The same rows may fill pages more or less; one epoch that stayed whole would take 64 KB."""
SPREAD = 1.02
"""Trajectories of different scenarios are of different lengths."""


def test_days_go_by_and_nothing_grows(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.simulation.days", str(tmp_path), *map(str, (EPOCHS, KEPT, LINES))]
    place = Path(__file__).parent.parent.parent
    done = subprocess.run(words, cwd=place, stdout=subprocess.PIPE, check=True, timeout=3600)
    held = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert [row["epoch"] for row in held] == list(range(held[0]["epoch"], held[0]["epoch"] + EPOCHS))
    assert len({row["descriptors"] for row in held}) == 1
    early, late = held[EPOCHS // 2 - 1], held[-1]
    print({name: (early[name], late[name]) for name in late})
    assert abs(late["database"] - early["database"]) <= PAGES
    assert late["journal"] <= JOURNAL
    for part in ("publish", "records"):
        assert late[f"{part} entries"] == early[f"{part} entries"] == KEPT
        assert late[part] < early[part] * SPREAD
    assert late["runs entries"] == 1
    new = late["commits"] - early["commits"]
    assert new >= EPOCHS
    assert late["evidence/facts files"] - early["evidence/facts files"] == new
    assert late["evidence/responses files"] - early["evidence/responses files"] == new * 2
    assert late["evidence/facts"] - early["evidence/facts"] <= new * FACT
    assert late["evidence/responses"] - early["evidence/responses"] <= new * PROOF
    assert late["rss_kb"] < early["rss_kb"] * 1.2
