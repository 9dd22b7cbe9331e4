"""``python -m benchmarks [NAME...]``: measures and prints one JSON object."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys


def main(names: list[str]) -> int:
    """Runs the named benchmarks, or all of them, each in a process of its own."""
    if len(names) == 1 and names[0].startswith("only:"):
        print(json.dumps(_measured(names[0].removeprefix("only:"))))
        return 0
    found = {}
    for name in names or ["overhead", "flat_memory", "rescoring", "startup"]:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks", f"only:{name}"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        found[name] = json.loads(done.stdout)
        print(f"{name}: done", file=sys.stderr)
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()}
    print(json.dumps({"machine": machine, **found}, indent=2))
    return 0


def _measured(name: str) -> object:
    if name == "overhead":
        from .harness import overhead

        return overhead()
    if name == "flat_memory":
        from .harness import flat_memory

        return flat_memory()
    if name == "rescoring":
        from .rescoring import rescoring

        return rescoring()
    if name == "startup":
        from .startup import startup

        return startup()
    raise SystemExit(f"no benchmark is called {name!r}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
