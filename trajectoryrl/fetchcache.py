"""Files that were read out of verified commits, kept on disk: a commit never changes, so neither does its file."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from .faults import reach


@dataclass(frozen=True, slots=True)
class FetchCache:
    """At most ``most_files`` files and ``most_bytes`` in ``folder``; the ones that were not used longest make room.

    What is damaged is as good as absent, and a folder that cannot be written is a cache that forgets.
    """

    folder: Path
    most_files: int = 4096
    most_bytes: int = 64 << 20
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def found(self, name: str) -> bytes | None:
        """The bytes kept under ``name``."""
        place = self._place(name)
        try:
            head, _, raw = place.read_bytes().partition(b"\n")
        except OSError:
            return None
        if head.decode("ascii", "replace") != sha256(raw).hexdigest():
            return None
        with suppress(OSError):
            os.utime(place)
        return raw

    def keep(self, name: str, raw: bytes) -> None:
        """Keeps bytes under ``name``; the write can be the last."""
        place = self._place(name)
        part = place.with_name(f"{place.name}.{os.getpid()}-{threading.get_ident()}.part")
        reach("cache.write.before")
        with suppress(OSError), self._lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(sha256(raw).hexdigest().encode() + b"\n" + raw)
                file.flush()
                os.fsync(file.fileno())
            reach("cache.write.part")
            os.replace(part, place)
            reach("cache.write.after")
            self._made_room()

    def _place(self, name: str) -> Path:
        return self.folder / sha256(name.encode()).hexdigest()

    def _made_room(self) -> None:
        kept = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    about = entry.stat()
                    kept.append((about.st_mtime_ns, entry.name, about.st_size))
        kept.sort()
        files, size = len(kept), sum(one[2] for one in kept)
        for _, name, bytes_ in kept:
            if files <= self.most_files and size <= self.most_bytes:
                return
            (self.folder / name).unlink(missing_ok=True)
            reach("cache.room")
            files, size = files - 1, size - bytes_
