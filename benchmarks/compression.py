"""What an offline run of a real scenario weighs on disk, raw and compressed."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

from clawbench.archive import compress_bench
from clawbench.bench import Bench
from clawbench.models import model_named
from clawbench.pack import load_pack
from clawbench.scenario import load_scenario
from clawbench.stage import staged
from clawbench.trajectory import trajectory_paths

ROOT = Path(__file__).resolve().parent.parent
RUNS = 21


def zstd() -> dict[str, Any]:
    """Kilobytes of a run of ``client_escalation`` under ``careful``, mean of 21 different ones."""
    stage = staged(load_scenario(ROOT / "scenarios" / "client_escalation.yaml"), load_pack(ROOT / "packs" / "careful"))
    folder = Path(tempfile.mkdtemp(prefix="clawbench-bench-"))
    try:
        asyncio.run(Bench(folder=folder, model=model_named("offline"), runs=RUNS).results([stage]))
        runs = list(trajectory_paths([folder]))
        raw = sum(path.stat().st_size for path in runs)
        packed = compress_bench(folder, runs)
    finally:
        shutil.rmtree(folder)
    return {
        "runs": RUNS,
        "raw_kb_per_run": round(raw / 1000 / RUNS, 2),
        "zstd_kb_per_run": round(packed / 1000 / RUNS, 2),
        "required_kb": 4,
    }
