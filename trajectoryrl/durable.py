"""Names that a power cut does not take: a file is safe once its bytes are synced, and its name once its folder is."""

from __future__ import annotations

from pathlib import Path

from clawbench.keeping import folder_synced

__all__ = ["folder_made", "folder_synced"]


def folder_made(folder: Path) -> None:
    """``folder`` is there, and stays. Raises OSError."""
    if folder.is_dir():
        return
    folder_made(folder.parent)
    folder.mkdir(exist_ok=True)
    folder_synced(folder.parent)
