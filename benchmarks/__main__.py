"""``python -m benchmarks [NAME...]``: measures and prints one JSON object."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib import import_module

BENCHMARKS = {
    "overhead": "harness",
    "flat_memory": "harness",
    "rescoring": "rescoring",
    "zstd": "compression",
    "startup": "startup",
    "model_throughput": "models",
    "model_epoch": "models",
    "model_storm": "models",
    "model_rivals": "models",
    "packs": "packs",
    "red_team": "redteam",
    "repository": "repository",
    "submissions": "repository",
    "epoch": "epoch",
    "saved": "epoch",
    "resume": "epoch",
    "chain_snapshot": "validator",
    "ledger_inserts": "validator",
    "consensus": "consensus",
}
"""Each benchmark's function, and the module that it stands in."""


def main(names: list[str]) -> int:
    """Runs the named benchmarks, or all of them, each in a process of its own."""
    if len(names) == 1 and names[0].startswith("only:"):
        name = names[0].removeprefix("only:")
        print(json.dumps(getattr(import_module(f"benchmarks.{BENCHMARKS[name]}"), name)()))
        return 0
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark is called {unknown[0]!r}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    found = {}
    for name in names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr)
        words = [sys.executable, "-m", "benchmarks", f"only:{name}"]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
        found[name] = json.loads(done.stdout)
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()}
    print(json.dumps({"machine": machine, **found}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
