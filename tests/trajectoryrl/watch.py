"""What the processes that work in a folder use, seen from outside while they work."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Used:
    """The most that was seen: bytes on disk under the folder, and of one process's memory; processes that were seen."""

    disk: int = 0
    memory: int = 0
    seen: int = 0


@contextmanager
def watched(folder: Path) -> Iterator[Used]:
    """Looks every few milliseconds until the block ends."""
    used, stop = Used(), threading.Event()
    known: set[str] = set()
    python = os.readlink("/proc/self/exe")

    def look() -> None:
        while not stop.wait(0.01):
            used.disk = max(used.disk, _disk(folder))
            for pid in filter(str.isdigit, os.listdir("/proc")):
                with suppress(OSError, ValueError):
                    ours = os.readlink(f"/proc/{pid}/cwd").startswith(str(folder))
                    if ours and os.readlink(f"/proc/{pid}/exe") != python:  # a child of ours is Python until it begins
                        known.add(pid)
                        used.memory = max(used.memory, _peak(pid))
            used.seen = len(known)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield used
    finally:
        stop.set()
        thread.join()


def _peak(pid: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _disk(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total
