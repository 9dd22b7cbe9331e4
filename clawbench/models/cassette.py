"""Cassettes: every reply of a bench in one file, to be played again without a provider.

The first line says which model was recorded; every other holds the key of a request and its reply. No key of a
provider, no header and no prompt is in it. Lines are appended: a cassette that was cut off is whole up to there, and
goes on with the bench.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from ..errors import InvalidInput, ReplayMiss
from .answers import kept, reply_in, request_key
from .protocol import Model, Reply, Request, closed, identity_of

SCHEMA = "clawbench/cassette/1"
MAX_BYTES = 1024**3


class RecordingModel:
    """``model``, whose replies are appended to the cassette at ``path``.

    Raises InvalidInput if another model's replies, or something else, are in that file.
    """

    def __init__(self, model: Model, path: Path) -> None:
        self._model = model
        self._identity = identity_of(model)
        self.name = model.name
        self.version = model.version
        self.simulated = model.simulated
        self.provider = model.provider
        self.settings: Mapping[str, str] = model.settings
        self._path = path
        self._file = _opened(path, self._identity)

    async def reply(self, request: Request) -> Reply:
        reply = await self._model.reply(request)
        key = request_key(request, self._identity)
        line = {"key": key, "unit": request.unit, "turn": request.turn, "reply": kept(reply)}
        if self._file < 0:
            self._file = _opened(self._path, self._identity)
        os.write(self._file, orjson.dumps(line) + b"\n")
        return reply

    async def aclose(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        await closed(self._model)


class CassetteModel:
    """Plays the cassette at ``path``; raises ReplayMiss for a request that is not in it.

    ``simulated`` is what the recorded model was; the name says that this is its replay.
    """

    provider = ""
    settings: Mapping[str, str] = {}

    def __init__(self, path: Path) -> None:
        self._path = path
        self._replies: dict[str, Reply] = {}
        self._identity = _read(path, self._replies)
        self.name = f"replay:{self._identity['name']}"
        self.version = str(self._identity["version"])
        self.simulated = bool(self._identity["simulated"])

    async def reply(self, request: Request) -> Reply:
        reply = self._replies.get(request_key(request, self._identity))
        if reply is None:
            said = f"{self._path} holds no such turn {request.turn} of run {request.unit}"
            raise ReplayMiss.of("REPLAY_MISS", said)
        return reply


def is_cassette(path: Path) -> bool:
    """Whether the file at ``path`` begins like a cassette."""
    try:
        with open(path, "rb") as file:
            return SCHEMA.encode() in file.read(256)
    except OSError:
        return False


def _opened(path: Path, identity: Mapping[str, Any]) -> int:
    """A descriptor that appends to the cassette at ``path``, made if it is new; a torn last line is dropped."""
    where = f"--record {path}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise InvalidInput.of("CASSETTE_UNUSABLE", f"cannot be written: {error.strerror}", where) from None
    size = os.fstat(file).st_size
    if not size:
        os.write(file, orjson.dumps({"schema": SCHEMA, "model": identity}) + b"\n")
        return file
    try:
        recorded = _read(path, {})
        if recorded != identity:
            said = f"replies of {recorded['name']}, or of other settings, are in this cassette; choose another file"
            raise InvalidInput.of("CASSETTE_OF_ANOTHER", said, where)
    except InvalidInput:
        os.close(file)
        raise
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        os.ftruncate(file, content.rfind(b"\n") + 1)
    return file


def _read(path: Path, replies: dict[str, Reply]) -> dict[str, Any]:
    """Fills ``replies`` by key, the last one winning; returns the recorded model's identity."""
    where = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput.of("CASSETTE_TOO_LARGE", f"at most {MAX_BYTES} bytes are read", where)
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InvalidInput.of("CASSETTE_MISSING", error.strerror or "cannot be read", where) from None
    lines.pop()  # empty, or torn
    identity: dict[str, Any] | None = None
    for number, line in enumerate(lines, 1):
        try:
            record = orjson.loads(line)
            if identity is None:
                if record["schema"] != SCHEMA:
                    raise ValueError("schema")
                identity = dict(record["model"])
                identity["name"], identity["version"], identity["simulated"] = (
                    str(identity["name"]),
                    str(identity["version"]),
                    bool(identity["simulated"]),
                )
            else:
                replies[str(record["key"])] = reply_in(record["reply"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, InvalidInput):
                raise
            said = "the first line names no recorded model" if identity is None else "the line holds no key and reply"
            raise InvalidInput.of("CASSETTE_SHAPE", said, f"{where}:{number}") from None
    if identity is None:
        raise InvalidInput.of("CASSETTE_SHAPE", "the file is empty", where)
    return identity
