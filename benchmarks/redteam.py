"""The red team on every scenario of the pool, over twenty seeds: what it got, and how long it took."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SEEDS = 20


def red_team() -> dict[str, Any]:
    """Per scenario the highest score of each agent, the agents above their bars, and seconds of CPU on one core."""
    from clawbench.redteam import red_team as attack

    found: dict[str, Any] = {}
    for path in sorted((ROOT / "scenarios").glob("*.yaml")):
        wall, cpu = time.perf_counter(), time.process_time()
        finding = attack(path, seeds=SEEDS, answers=ROOT / "tests" / "answers")
        found[path.stem] = {
            "worst": {agent.agent: round(float(agent.worst.score), 3) for agent in finding.agents},
            "above_bar": [agent.agent for agent in finding.broken],
            "cpu_s": round(time.process_time() - cpu, 1),
            "wall_s": round(time.perf_counter() - wall, 1),
        }
    return {
        "seeds": SEEDS,
        "cores": os.cpu_count(),
        "scenarios": found,
        "holds": not any(one["above_bar"] for one in found.values()),
        "required": {"cpu_s": 20},
    }
