"""A validator's disk as a power cut leaves it: what was not synced is anybody's guess, and writes may fail.

Real files, watched where the code makes them durable: ``os.fsync``, ``os.sync``, ``os.replace``, ``os.rename``, and
the lines of runs. Nothing is synced for real. The ledger's file is SQLite's own business: :class:`LedgerImage` keeps
it as it stood when the power went.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from .world import Killed, Luck

FATES = ("vanishes", "is empty", "is cut", "ends in zeros", "is whole", "is whole")
_LEDGER = "ledger.db"
_PID = re.compile(r"\.\d+(?=[.-])")
_HEADER = 32


@dataclass
class Disk:
    """One folder. ``every`` is how many durable operations pass between failures on average, 0 for none.

    ``synced`` has the size and time of each file that is safe, ``renamed`` the first name and the earlier bytes of
    what has a new name since its folder was last synced. ``begun`` is called with the file of every run that begins.
    """

    root: Path
    luck: Luck
    every: int = 0
    dead: bool = False
    struck: int = 0
    synced: dict[str, tuple[int, int]] = field(default_factory=dict)
    renamed: dict[str, tuple[str, bytes | None]] = field(default_factory=dict)
    begun: Callable[[str], None] = lambda path: None
    _left: int = -1
    _bad: int = 0

    def operated(self) -> int:
        """An operation begins: returns 0, or the errno it fails with. Raises Killed if the process is gone."""
        if self.dead:
            raise Killed
        if self.every and self._left < 0:
            self._left = 1 + self.luck.draw("disk:next", 2 * self.every)
        if self._left > 0:
            self._left -= 1
        elif self._left == 0 and self.every:
            self._left, self._bad = -1, 1 + self.luck.draw("disk:long", 12)
        if self._bad:
            self._bad -= 1
            self.struck += 1
            return errno.ENOSPC if self.luck.strikes("disk:full", 60) else errno.EIO
        return 0

    def strike(self) -> None:
        """The same, raised as an OSError."""
        if number := self.operated():
            raise OSError(number, os.strerror(number))

    def holds(self, path: str) -> bool:
        """Whether ``path`` lies in this folder and is not the ledger's."""
        inside = path == str(self.root) or path.startswith(f"{self.root}/")
        return inside and not os.path.basename(path).startswith(_LEDGER)

    def file_synced(self, path: str) -> None:
        """The bytes of a file are safe."""
        about = os.stat(path)
        self.synced[path] = (about.st_size, about.st_mtime_ns)

    def folder_synced(self, path: str) -> None:
        """The names in a folder are safe."""
        for name in [name for name in self.renamed if os.path.dirname(name) == path]:
            del self.renamed[name]

    def all_synced(self) -> None:
        """Everything is safe."""
        self.renamed.clear()
        self.synced.clear()
        for entry in self._entries(str(self.root)):
            about = entry.stat()
            self.synced[entry.path] = (about.st_size, about.st_mtime_ns)

    def moved(self, source: str, to: str, before: bytes | None) -> None:
        """A file or a folder has another name; ``before`` is what had that name."""
        first, _ = self.renamed.pop(source, (source, None))
        self.renamed[to] = (first, before)
        for path in [path for path in self.synced if path == source or path.startswith(f"{source}/")]:
            self.synced[to + path[len(source) :]] = self.synced.pop(path)

    def cut(self) -> None:
        """The power goes: unsynced names go back, unsynced files come out as luck will have it."""
        for to, (first, before) in self._undone():
            if not os.path.lexists(to) or os.path.lexists(first):
                continue
            os.makedirs(os.path.dirname(first), exist_ok=True)
            _replace(to, first)
            self.moved(to, first, None)
            if before is not None:
                Path(to).write_bytes(before)
                self.file_synced(to)
        for path in self._files():
            about = path.stat()
            if self.synced.get(str(path)) != (about.st_size, about.st_mtime_ns):
                self._lost(path)
        self.all_synced()

    def _undone(self) -> list[tuple[str, tuple[str, bytes | None]]]:
        """The renames that did not reach the disk, newest first: of each folder some of the last ones."""
        by_folder: dict[str, list[tuple[str, tuple[str, bytes | None]]]] = {}
        for to, was in self.renamed.items():
            by_folder.setdefault(os.path.dirname(to), []).append((to, was))
        found = []
        for folder, renames in sorted(by_folder.items()):
            kept = self.luck.draw(self._label("renames", folder), len(renames) + 1)
            found += renames[kept:][::-1]
        return found

    def _lost(self, path: Path) -> None:
        fate = FATES[self.luck.draw(self._label("fate", str(path)), len(FATES))]
        body = path.read_bytes()
        share = self.luck.draw(self._label("share", str(path)), 1000)
        at = len(body) * share // 1000
        if fate == "vanishes":
            path.unlink()
        elif fate == "is empty":
            path.write_bytes(b"")
        elif fate == "is cut":
            path.write_bytes(body[:at])
        elif fate == "ends in zeros":
            path.write_bytes(body[:at] + bytes(len(body) - at))

    def _label(self, what: str, path: str) -> str:
        """Luck goes by a file's place, in whatever folder and process the world lives."""
        return f"{what}:{_PID.sub('', os.path.relpath(path, self.root))}"

    def _files(self) -> list[Path]:
        return sorted(Path(entry.path) for entry in self._entries(str(self.root)))

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        """Every file of the folder that is not the ledger's, in no order."""
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from self._entries(entry.path)
                elif not entry.name.startswith(_LEDGER):
                    yield entry


@dataclass
class LedgerImage:
    """The ledger's file and log as they stood at some moment; ``acknowledged`` bytes of the log were told of.

    Restored, all that was acknowledged is there; a commit that nobody was told of may be torn.
    """

    folder: Path
    file: bytes = b""
    log: bytes = b""
    acknowledged: int = 0

    def told(self) -> tuple[int, bytes]:
        """The size and the salts of the log at a moment when all its commits are acknowledged."""
        try:
            with open(self.folder / f"{_LEDGER}-wal", "rb") as file:
                return os.fstat(file.fileno()).st_size, file.read(_HEADER)
        except FileNotFoundError:
            return 0, b""

    def taken(self, told: tuple[int, bytes]) -> None:
        """Takes the image; ``told`` is of the last moment when everything was acknowledged."""
        file, log = self.folder / _LEDGER, self.folder / f"{_LEDGER}-wal"
        self.file = file.read_bytes() if file.exists() else b""
        self.log = log.read_bytes() if log.exists() else b""
        same = bool(self.log) and self.log[:_HEADER] == told[1]
        self.acknowledged = min(told[0], len(self.log)) if same else len(self.log)

    def restored(self, luck: Luck, *, power: bool) -> None:
        """Puts the image back; after a power cut the log's end is torn, or followed by rubbish."""
        log = self.log
        if power:
            at = self.acknowledged + luck.draw("log:cut", len(log) - self.acknowledged + 1)
            rubbish = bytes(luck.draw("log:rubbish", 256) for _ in range(luck.draw("log:more", 3) * 40))
            log = log[:at] + rubbish
        for name in (f"{_LEDGER}-shm", f"{_LEDGER}-wal"):
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / _LEDGER).write_bytes(self.file)  # a file without a byte is a new one
        if log and self.file:
            (self.folder / f"{_LEDGER}-wal").write_bytes(log)


DISK: ContextVar[Disk | None] = ContextVar("disk", default=None)
"""The disk of the validator whose code is running."""

_replace, _fsync = os.replace, os.fsync


class _Lines(io.FileIO):
    """A run's file: a disk that is full takes a part of a line, and says so only when it is asked again."""

    def write(self, data: Any, /) -> int:
        disk = DISK.get()
        number = disk.operated() if disk is not None else 0
        if number == errno.ENOSPC:
            return super().write(bytes(data)[: len(data) // 3])
        if number:
            raise OSError(number, os.strerror(number))
        return super().write(data)


def _opened(path: str, mode: str = "r", *rest: Any, **more: Any) -> Any:
    if mode != "wb":
        return open(path, mode, *rest, **more)
    disk = DISK.get()
    if disk is not None:
        disk.strike()
        disk.begun(path)
    return _Lines(path, mode)


def _of(path: Any) -> Disk | None:
    disk = DISK.get()
    return disk if disk is not None and disk.holds(os.fspath(path)) else None


def _synced(descriptor: int) -> None:
    path = os.readlink(f"/proc/self/fd/{descriptor}")
    disk = _of(path)
    if disk is None:
        _fsync(descriptor)
        return
    disk.strike()
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        disk.folder_synced(path)
    else:
        disk.file_synced(path)


def _all_synced() -> None:
    disk = DISK.get()
    if disk is not None and not disk.dead:
        disk.all_synced()


def _moving(real: Callable[..., None]) -> Callable[..., None]:
    def moved(source: Any, to: Any, **more: Any) -> None:
        disk = _of(to)
        if disk is None:
            real(source, to, **more)
            return
        disk.strike()
        before = Path(to).read_bytes() if os.path.isfile(to) and os.fspath(to) in disk.synced else None
        real(source, to, **more)
        disk.moved(os.fspath(source), os.fspath(to), before)

    return moved


@contextmanager
def watched() -> Iterator[None]:
    """While inside, what code of a validator (see :data:`DISK`) does to files goes by its disk."""
    with (
        mock.patch("os.fsync", _synced),
        mock.patch("os.sync", _all_synced),
        mock.patch("os.replace", _moving(os.replace)),
        mock.patch("os.rename", _moving(os.rename)),
        mock.patch("clawbench.trajectory.open", _opened, create=True),
    ):
        yield
