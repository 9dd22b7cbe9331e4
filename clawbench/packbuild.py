"""From a folder to its pack.json on disk, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from .errors import InvalidInput, PackRejected
from .pack import Pack, load_pack
from .packschema import MAX_BLOB
from .yamlfile import read_capped


def built_pack(folder: Path) -> Pack:
    """The pack that a folder describes. Raises PackRejected with every problem, also if it is no folder."""
    if not folder.is_dir():
        raise PackRejected.of("PACK_MISSING", "a pack is built from a folder with AGENTS.md and pack.yaml", str(folder))
    return load_pack(folder)


def is_written(path: Path, content: bytes) -> bool:
    """Whether the file has this content."""
    try:
        return read_capped(path, str(path), "PACK", PackRejected, MAX_BLOB) == content
    except PackRejected:
        return False


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that whoever reads it, even after a crash, finds the old content or the new.

    Raises InvalidInput if it cannot be written.
    """
    part = ""
    try:
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.", suffix=".part")
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, ValueError) as why:
        if part:
            with suppress(OSError):
                os.unlink(part)
        reason = why.strerror if isinstance(why, OSError) else "its name has no meaning"
        raise InvalidInput.of("PACK_NOT_WRITTEN", f"cannot be written: {reason}", str(path)) from None
