"""Harness overhead: a scripted model without latency, the real sandbox, the full log on disk."""

from __future__ import annotations

import asyncio
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from clawbench.bench import AsyncioExecutor, Bench

from .desk import desk_model, desk_stage

RUNS_PER_BENCH = 501


def overhead() -> dict[str, Any]:
    """CPU and wall time of one run, best of five rounds, and what stays on disk."""
    stage = desk_stage()
    model = desk_model(stage)
    rounds = []
    size = 0
    for _ in range(5):
        folder = Path(tempfile.mkdtemp(prefix="clawbench-bench-"))
        try:
            bench = Bench(folder=folder, model=model, runs=RUNS_PER_BENCH, executor=AsyncioExecutor(4))
            wall, cpu = time.perf_counter(), time.process_time()
            outcome = asyncio.run(bench.results([stage]))[0]
            rounds.append((time.process_time() - cpu, time.perf_counter() - wall))
            assert outcome.score == 1, f"the scripted run must earn every point, not {outcome.score}"
            size = sum(path.stat().st_size for path in folder.rglob("run-*.jsonl"))
        finally:
            shutil.rmtree(folder)
    cpu, wall = min(rounds)
    return {
        "runs": RUNS_PER_BENCH,
        "cpu_ms_per_run": round(1000 * cpu / RUNS_PER_BENCH, 3),
        "wall_ms_per_run": round(1000 * wall / RUNS_PER_BENCH, 3),
        "log_kb_per_run": round(size / 1000 / RUNS_PER_BENCH, 2),
        "aim_ms": 0.8,
        "required_ms": 1.5,
    }


def flat_memory(runs: int = 20_001) -> dict[str, Any]:
    """Peak memory of one bench of ``runs`` runs; to be called in a process of its own."""
    stage = desk_stage()
    model = desk_model(stage)
    folder = Path(tempfile.mkdtemp(prefix="clawbench-bench-"))
    try:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        began = time.perf_counter()
        asyncio.run(Bench(folder=folder, model=model, runs=runs, executor=AsyncioExecutor(4)).results([stage]))
        seconds = time.perf_counter() - began
    finally:
        shutil.rmtree(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "runs": runs,
        "seconds": round(seconds, 1),
        "before_mb": before,
        "peak_mb": peak,
        "required_mb": 150,
    }
