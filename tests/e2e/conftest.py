"""Whole processes: the installed console script, run as a person would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(sys.executable).parent / "clawbench"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def claw(tmp_path: Path) -> Run:
    """Runs ``clawbench`` with the given words in a folder that is thrown away."""

    def run(
        *words: str, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPT), *words],
            cwd=cwd or tmp_path,
            env={**os.environ, "COLUMNS": "80", **(env or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def claw_json(claw: Run, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs ``clawbench run … --json`` and returns its object; the runs go to a fresh folder unless said otherwise."""

    def run(*words: str) -> dict[str, Any]:
        out = () if "--out" in words else ("--out", str(tmp_path / "out"))
        done = claw("run", *words, "--json", *out)
        assert done.stdout, done.stderr
        document = json.loads(done.stdout)
        assert isinstance(document, dict)
        return document

    return run
