"""Names that a power cut does not take: a file is safe once its bytes are synced, and its name once its folder is."""

from __future__ import annotations

import os
from pathlib import Path


def folder_synced(folder: Path) -> None:
    """The names in ``folder`` are on disk when this returns. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def folder_made(folder: Path) -> None:
    """``folder`` is there, and stays. Raises OSError."""
    if folder.is_dir():
        return
    folder_made(folder.parent)
    folder.mkdir(exist_ok=True)
    folder_synced(folder.parent)
