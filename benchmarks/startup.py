"""Whole processes: how long a person waits for help, and for the first scored scenario."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def startup(rounds: int = 9) -> dict[str, Any]:
    """Median seconds of ``clawbench --help``, of one offline scenario x 3, and of the floor (click and yaml)."""
    claw = str(Path(sys.executable).parent / "clawbench")
    folder = tempfile.mkdtemp(prefix="clawbench-bench-")
    run = [claw, "run", "scenarios/client_escalation.yaml", "--pack", "packs/careful", "--json"]
    try:
        measured = {
            "floor_s": _median([sys.executable, "-c", "import click, yaml"], rounds),
            "help_s": _median([claw, "--help"], rounds),
            "run_s": min(_timed([*run, "--out", f"{folder}/{n}"]) for n in range(rounds)),
        }
        measured["run_median_s"] = _median_of([_timed([*run, "--out", f"{folder}/again-{n}"]) for n in range(rounds)])
    finally:
        shutil.rmtree(folder)
    return {**measured, "required": {"help_s": 0.12, "run_s": 0.5}}


def _median(command: list[str], rounds: int) -> float:
    return _median_of([_timed(command) for _ in range(rounds)])


def _median_of(seconds: list[float]) -> float:
    return round(sorted(seconds)[len(seconds) // 2], 3)


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return round(time.perf_counter() - began, 3)
