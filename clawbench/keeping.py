"""How a bench's files get their names: whole, and for who pays for runs, on disk before."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Keeping:
    """``durable`` has a file on disk before it has its name, and the name on disk before anything follows from it.

    ``at`` is told the name of each step, for tests that die there.
    """

    durable: bool = False
    at: Callable[[str], None] = lambda step: None

    def named(self, part: Path | str, path: Path | str, descriptor: int, what: str) -> None:
        """Gives what is open as ``descriptor`` at ``part`` the name ``path`` in the same folder. Raises OSError."""
        self.at(f"{what}.written")
        if self.durable:
            os.fsync(descriptor)
        self.at(f"{what}.synced")
        os.replace(part, path)
        if self.durable:
            folder_synced(os.path.dirname(path))
        self.at(f"{what}.named")


def folder_synced(folder: Path | str) -> None:
    """Has the names in ``folder`` on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
