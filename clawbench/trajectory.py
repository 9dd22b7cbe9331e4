"""The record of a run, and its JSONL form.

One file per run: an ``episode_start`` line, a ``step`` line per turn, an ``episode_end`` line. Readers that know
only those three types find their usual fields; everything that is ours stands under the one key ``clawbench``.
Lines are appended as the run goes on, to ``NAME.part``, which becomes ``NAME`` when the run has ended: a file
without the suffix is whole. Whether it is on disk by then, :class:`~clawbench.keeping.Keeping` says. Nothing measured
by a clock is in it, so equal runs are equal bytes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import orjson

from .errors import ClawbenchError, TrajectoryInvalid
from .keeping import Keeping

SCHEMA = "clawbench/trajectory/1"
PAYLOAD = "clawbench"
MAX_FILE_BYTES = 64 * 1024 * 1024
PART = ".part"


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One run as it was recorded.

    ``start``, ``steps`` and ``end`` are our payloads; ``end`` is ``None`` when the run never ended.
    ``final_message`` is the answer; ``torn`` says that an unfinished last line was dropped.
    """

    path: Path
    start: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]
    end: Mapping[str, Any] | None
    final_message: str
    torn: bool = False

    @property
    def whole(self) -> bool:
        """Whether the run ended and its end is on disk."""
        return self.end is not None


class TrajectoryWriter:
    """Appends one run's lines to ``path.part`` and renames it to ``path`` once the run has ended."""

    __slots__ = ("_file", "_keeping", "_part", "path")

    def __init__(self, path: Path | str, keeping: Keeping = Keeping()) -> None:
        self.path = str(path)
        self._keeping = keeping
        self._part = self.path + PART
        self._file: BinaryIO | None = open(self._part, "wb", buffering=0)  # noqa: SIM115

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes one line, at once. Raises OSError if not all of it could be written."""
        assert self._file is not None, "the run has ended"
        line = orjson.dumps(record) + b"\n"
        if self._file.write(line) != len(line):  # a disk that fills up takes a part, and calls it no error
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._part)

    def finish(self, failed: Path | None = None) -> None:
        """Ends the file: from here on it is whole, under ``failed`` if infrastructure ended the run."""
        file, self._file = self._file, None
        if file is not None:
            with file:
                self._keeping.named(self._part, failed or self.path, file.fileno(), "failed" if failed else "run")

    def __enter__(self) -> TrajectoryWriter:
        try:
            self._keeping.at("run.opened")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:  # interrupted: what was written stays, marked as a part
            self._file.close()
            self._file = None


class BlobStore:
    """Texts that many runs share (prompts, tool schemas, packs), each stored once under its sha256."""

    def __init__(self, folder: Path, keeping: Keeping = Keeping()) -> None:
        self._folder = folder
        self._keeping = keeping
        self._known: set[str] = set()

    def put(self, text: bytes) -> str:
        """Stores ``text`` if it is new; returns its sha256."""
        name = sha256(text).hexdigest()
        if name not in self._known:
            path = self._folder / name
            if not path.exists():
                self._folder.mkdir(parents=True, exist_ok=True)
                part = path.with_suffix(f".{os.getpid()}{PART}")
                with part.open("wb", buffering=0) as file:
                    file.write(text)
                    self._keeping.named(part, path, file.fileno(), "blob")
            self._known.add(name)
        return name

    def get(self, name: str) -> bytes:
        """The text stored under ``name``; raises TrajectoryInvalid if it is missing or was changed."""
        where = str(self._folder / name)
        if not name.isalnum():
            raise TrajectoryInvalid.of("BLOB_NAME", "a blob's name is 64 hex digits", where)
        try:
            text = (self._folder / name).read_bytes()
        except OSError:
            raise TrajectoryInvalid.of("BLOB_MISSING", "the blob that a run refers to is missing", where) from None
        if sha256(text).hexdigest() != name:
            raise TrajectoryInvalid.of("BLOB_CHANGED", "the blob is not the text it is named after", where)
        return text


def read_trajectory(path: Path) -> Trajectory:
    """Reads one run, from plain or compressed JSONL; a torn last line is dropped and marked.

    Raises TrajectoryInvalid naming file and line when the file is not the record of a run.
    """
    return parsed_trajectory(_content(path), path)


def read_ends(path: Path) -> Trajectory:
    """One run of which only the first and the last line were looked at: its steps are left out.

    For files that were on disk before they had their name. Raises TrajectoryInvalid as :func:`read_trajectory` does.
    """
    content = _content(path)
    first, last = content.find(b"\n") + 1, content.rfind(b"\n", 0, len(content) - 1) + 1
    if 0 < first <= last and b"\0" not in content:
        run = parsed_trajectory(content[:first] + content[last:], path)
        turns = (run.end or {}).get("turns")
        if isinstance(turns, int) and content.count(b"\n") == turns + 2:
            return run
    return parsed_trajectory(content, path)


def parsed_trajectory(content: bytes, path: Path) -> Trajectory:
    """The run in ``content``; ``path`` only names it in errors."""
    start: Mapping[str, Any] | None = None
    end: Mapping[str, Any] | None = None
    final_message = ""
    steps: list[Mapping[str, Any]] = []
    lines = content.split(b"\n")
    torn = lines.pop() != b""
    for number, line in enumerate(lines, 1):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            if number == len(lines) and not torn:
                torn = True  # the newline reached the disk and the line did not
                break
            raise TrajectoryInvalid.of("TRAJECTORY_JSON", "the line is not JSON", f"{path}:{number}") from None
        kind = record.get("type") if isinstance(record, dict) else None
        payload = record.get(PAYLOAD) if isinstance(record, dict) else None
        if kind not in {"episode_start", "step", "episode_end"} or not isinstance(payload, dict):
            raise TrajectoryInvalid.of(
                "TRAJECTORY_RECORD",
                f"expected an episode_start, step or episode_end with a {PAYLOAD!r} object",
                f"{path}:{number}",
            )
        if end is not None or (start is None) != (kind == "episode_start"):
            raise TrajectoryInvalid.of(
                "TRAJECTORY_ORDER",
                "a run is one episode_start, its steps, one episode_end",
                f"{path}:{number}",
            )
        if kind == "episode_start":
            start = payload
        elif kind == "step":
            steps.append(payload)
        else:
            end = payload
            final_message = str(record.get("final_message", ""))
    if start is None:
        raise TrajectoryInvalid.of("TRAJECTORY_EMPTY", "the file holds no episode_start", str(path))
    if start.get("schema") != SCHEMA:
        raise TrajectoryInvalid.of("TRAJECTORY_SCHEMA", f"expected schema {SCHEMA!r}", f"{path}:1")
    return Trajectory(path, start, steps, end, final_message, torn)


@contextmanager
def recorded_in(path: Path | str) -> Iterator[None]:
    """While inside, a key that is missing or of another type is a fault of the file at ``path``.

    A record is read where it is used, without a pass that looks at all of it first: re-scoring is fast for that.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, ClawbenchError):
            raise
        said = f"the record lacks something, or holds another type than it should: {type(error).__name__}: {error}"
        raise TrajectoryInvalid.of("TRAJECTORY_SHAPE", said[:300], str(path)) from None


def trajectory_paths(places: Sequence[Path]) -> Iterator[Path]:
    """The whole runs at ``places`` (files, or folders searched through), in the order of their names."""
    for place in places:
        if place.is_dir():
            yield from sorted(
                path for path in place.rglob("run-*.jsonl*") if path.name.endswith((".jsonl", ".jsonl.zst"))
            )
        elif place.exists():
            yield place
        else:
            raise TrajectoryInvalid.of("TRAJECTORY_MISSING", "no such file or folder", str(place))


def _content(path: Path) -> bytes:
    where = str(path)
    try:
        with open(where, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_FILE_BYTES:
                said = f"{size} bytes; at most {MAX_FILE_BYTES} are read"
                raise TrajectoryInvalid.of("TRAJECTORY_TOO_LARGE", said, where)
            content = file.read(size)
    except OSError as error:
        raise TrajectoryInvalid.of("TRAJECTORY_MISSING", error.strerror or "cannot be read", where) from None
    if path.suffix == ".zst":
        from .archive import decompressed

        return decompressed(content, path)
    return content
