"""Re-scoring recorded runs on one core and on all."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from clawbench.bench import AsyncioExecutor, Bench
from clawbench.trajectory import trajectory_paths

from .desk import SCENARIO, desk_model, desk_stage

RUNS = 12_001


def rescoring() -> dict[str, Any]:
    """Trajectories re-scored a second (read, parsed, judged, compared) with one and with all processes."""
    from clawbench.rescorer import rescored

    stage = desk_stage()
    folder = Path(tempfile.mkdtemp(prefix="clawbench-bench-"))
    try:
        bench = Bench(folder=folder, model=desk_model(stage), runs=RUNS, executor=AsyncioExecutor(4))
        asyncio.run(bench.results([stage]))
        rates = {}
        for processes in (1, os.cpu_count() or 1):
            best = 0.0
            for _ in range(3):
                began = time.perf_counter()
                verdicts = list(rescored(list(trajectory_paths([folder])), scenario=SCENARIO, processes=processes))
                best = max(best, len(verdicts) / (time.perf_counter() - began))
                assert all(verdict.same for verdict in verdicts), "re-scoring must give the recorded bytes"
            rates[str(processes)] = round(best)
    finally:
        shutil.rmtree(folder)
    return {
        "runs": RUNS,
        "per_second_by_processes": rates,
        "required_per_second": 8000,
    }
