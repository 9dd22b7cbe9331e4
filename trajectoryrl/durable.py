"""Names that a power cut does not take: a file is safe once its bytes are synced, and its name once its folder is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from clawbench.keeping import folder_synced

__all__ = ["file_kept", "folder_made", "folder_synced", "tree_synced"]


def file_kept(place: Path, body: bytes, synced: Callable[[], None]) -> None:
    """``body`` stands at ``place``, whole or not at all, and stays; ``synced`` is called before it has its name.

    Raises OSError.
    """
    folder_made(place.parent)
    part = place.with_name(f"{place.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    synced()
    os.replace(part, place)
    folder_synced(place.parent)


def tree_synced(folder: Path) -> None:
    """``folder``, its folders and all files in them stay: one sync of the system is quicker than one for each file.

    Raises OSError.
    """
    os.sync()
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        folder_synced(place)
    folder_synced(folder)


def folder_made(folder: Path) -> None:
    """``folder`` is there, and stays. Raises OSError."""
    if folder.is_dir():
        return
    folder_made(folder.parent)
    folder.mkdir(exist_ok=True)
    folder_synced(folder.parent)
