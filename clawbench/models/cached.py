"""A model that is asked the same thing once: replies kept in a folder, under the hash of all they depend on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import orjson

from ..errors import InvalidInput
from .answers import kept, reply_in, request_key
from .protocol import Model, Reply, Request, closed, identity_of

MAX_ENTRY_BYTES = 1024 * 1024
MAX_BYTES = 2 * 1024**3
_SPARE = 0.9
_PART = ".part"


class CachedModel:
    """``model``, whose replies are kept in ``folder``, at most ``limit`` bytes of them, the oldest dropped first.

    An entry begins with the hash of what follows: one that is torn or was changed is asked for again. ``hits``,
    ``misses`` and ``damaged`` count.
    """

    def __init__(self, model: Model, folder: Path, limit: int = MAX_BYTES) -> None:
        self._model = model
        self._folder = folder
        self._limit = limit
        self._identity = identity_of(model)
        self._size = -1
        self.hits = self.misses = self.damaged = 0
        self.name = model.name
        self.version = model.version
        self.simulated = model.simulated
        self.provider = model.provider
        self.settings: Mapping[str, str] = model.settings
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            said = f"replies cannot be kept here: {error.strerror}"
            raise InvalidInput.of("CACHE_UNUSABLE", said, f"--cache {folder}") from None

    async def reply(self, request: Request) -> Reply:
        key = request_key(request, self._identity)
        path = self._folder / key[:2] / key
        known = self._read(path)
        if known is not None:
            self.hits += 1
            return known
        self.misses += 1
        reply = await self._model.reply(request)
        self._write(path, orjson.dumps(kept(reply)))
        return reply

    def _read(self, path: Path) -> Reply | None:
        try:
            with open(path, "rb") as file:
                content = file.read(MAX_ENTRY_BYTES + 65)
        except OSError:
            return None
        digest, _, body = content.partition(b"\n")
        try:
            if sha256(body).hexdigest().encode() != digest:
                raise ValueError("changed")
            return reply_in(orjson.loads(body))
        except (ValueError, KeyError, TypeError):
            self.damaged += 1
            return None

    def _write(self, path: Path, body: bytes) -> None:
        """Keeps an entry if it is of a bearable size; a disk that is full costs money and no run."""
        if len(body) > MAX_ENTRY_BYTES:
            return
        part = path.with_name(f"{path.name}.{os.getpid()}{_PART}")
        try:
            path.parent.mkdir(exist_ok=True)
            part.write_bytes(sha256(body).hexdigest().encode() + b"\n" + body)
            os.replace(part, path)
            if self._size < 0:
                self._size = sum(size for _, size, _ in self._entries())
            else:
                self._size += len(body) + 65
            if self._size > self._limit:
                self._drop()
        except OSError:
            part.unlink(missing_ok=True)

    def _entries(self) -> list[tuple[int, int, Path]]:
        """Every entry: when it was written, its size, its place."""
        found = []
        for path in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((stat.st_mtime_ns, stat.st_size, path))
        return found

    def _drop(self) -> None:
        """Removes the oldest entries until there is room to spare."""
        entries = sorted(self._entries())
        size = sum(size for _, size, _ in entries)
        for _, taken, path in entries:
            if size <= self._limit * _SPARE:
                break
            path.unlink(missing_ok=True)
            size -= taken
        self._size = size

    async def aclose(self) -> None:
        await closed(self._model)
