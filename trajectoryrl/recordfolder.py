"""A record's folder, read as if by its worst enemy: bounded, no links, nothing unlisted, nothing half canonical."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import Problem
from .record import DICTIONARY, EVIDENCE, MANIFEST, PACKS, SEAL, TIMES, TRAJECTORIES, sealed_text

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .manifestshape import Manifest, Seal

    Shape = TypeVar("Shape", bound=BaseModel)

MAX_FILES = 200_000
_TOP = (MANIFEST, SEAL, TIMES)
_FOLDERS = {PACKS: 65_536, EVIDENCE: 4 * 2**20, TRAJECTORIES: 16 * 2**20}
_MOST = {MANIFEST: 64 * 2**20, SEAL: 4096, TIMES: 64 * 2**20}


@dataclass(slots=True)
class RecordFolder:
    """A folder on disk and what is wrong with it so far; ``problems`` name files relative to it."""

    path: Path
    problems: list[Problem] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)

    def wrong(self, code: str, where: str, message: str) -> None:
        """Adds a problem; the text is made fit for a terminal."""
        from clawbench.verdict import printable

        self.problems.append(Problem(code, printable(where, 300), printable(message, 400)))

    def listed(self) -> bool:
        """Looks at every name in the folder; false if it is no record at all or too large to be one."""
        try:
            entries = sorted(os.scandir(self.path), key=lambda entry: entry.name)
            if not any(entry.name in _TOP for entry in entries):
                self.wrong("RECORD_MISSING", str(self.path), f"is no record: it has no {MANIFEST}")
                return False
            for entry in entries:
                if entry.name in _FOLDERS and entry.is_dir(follow_symlinks=False):
                    for inner in sorted(os.scandir(entry.path), key=lambda entry: entry.name):
                        self._found(f"{entry.name}/{inner.name}", inner, _FOLDERS[entry.name])
                        if len(self.files) > MAX_FILES:
                            self.wrong("RECORD_TOO_LARGE", entry.name, f"more than {MAX_FILES} files")
                            return False
                elif entry.name in _TOP:
                    self._found(entry.name, entry, _MOST[entry.name])
                else:
                    self.wrong("FILE_UNLISTED", entry.name, "is no part of a record: it has files that nothing names")
        except OSError as error:
            self.wrong("RECORD_UNREADABLE", str(error.filename or self.path), error.strerror or "cannot be read")
            return False
        for name in _TOP:
            if name not in self.files:
                self.wrong("FILE_MISSING", name, "a record without it proves nothing")
        return all(name in self.files for name in _TOP)

    def _found(self, name: str, entry: os.DirEntry[str], most: int) -> None:
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            self.wrong("FILE_KIND", name, "is no regular file: links and folders have no place here")
        elif status.st_size == 0:
            self.wrong("FILE_EMPTY", name, "is empty")
        elif status.st_size > most:
            self.wrong("FILE_TOO_LARGE", name, f"has {status.st_size} bytes, at most {most} are read")
        else:
            self.files[name] = status.st_size

    def body(self, name: str) -> bytes | None:
        """The bytes of a listed file, or ``None`` and a problem."""
        if name not in self.files:
            return None
        try:
            descriptor = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                body = file.read(self.files[name] + 1)
        except OSError as error:
            self.wrong("FILE_UNREADABLE", name, error.strerror or "cannot be read")
            return None
        if len(body) != self.files[name]:
            self.wrong("FILE_CHANGED", name, "changed while it was read")
            return None
        return body

    def named(self, name: str, digest: str) -> bytes | None:
        """The bytes of a listed file if their sha256 is ``digest``, else ``None`` and a problem."""
        body = self.body(name)
        if body is not None and sha256(body).hexdigest() != digest:
            self.wrong("FILE_CHANGED", name, "is not what its hash says")
            return None
        return body

    def expected(self, names: Iterable[str]) -> None:
        """Holds the files that are there against those that the manifest names."""
        wanted = set(names)
        for name in sorted(wanted - self.files.keys()):
            if not any(problem.where == name for problem in self.problems):
                self.wrong("FILE_MISSING", name, "the manifest names it, and it is not there")
        for name in sorted(self.files.keys() - wanted - set(_TOP)):
            self.wrong("FILE_UNLISTED", name, "nothing in the manifest names it")

    def sealed(self, trusted: str | None) -> tuple[bytes, Manifest] | None:
        """The manifest, if it is canonical, of its shape, and sealed by the validator that it names."""
        from .manifestshape import Manifest, Seal

        raw, given = self.body(MANIFEST), self.body(SEAL)
        times = self.body(TIMES)
        if raw is None or given is None or times is None:
            return None
        seal = self._shaped(SEAL, given, Seal)
        found = self._shaped(MANIFEST, raw, Manifest)
        self._times(times)
        if seal is not None:
            self._signature(seal, raw, times, found.validator if found is not None else None, trusted)
        return (raw, found) if found is not None else None

    def _signature(self, seal: Seal, raw: bytes, times: bytes, validator: str | None, trusted: str | None) -> None:
        for name, said, body in ((MANIFEST, seal.manifest, raw), (TIMES, seal.times, times)):
            if sha256(body).hexdigest() != said:
                self.wrong("SEAL_BROKEN", name, "is not what was sealed")
        if validator is not None and seal.validator != validator:
            self.wrong("SEAL_KEY", SEAL, f"is sealed by {seal.validator}, and the manifest names {validator}")
        if trusted is not None and seal.validator != trusted:
            self.wrong("SEAL_KEY", SEAL, f"is sealed by {seal.validator}, not by {trusted}")
        if not _signed(seal):
            self.wrong("SEAL_SIGNATURE", SEAL, f"the signature is not one of {seal.validator}")

    def _times(self, body: bytes) -> None:
        from pydantic import ValidationError

        from .manifestshape import Time

        if not body.endswith(b"\n"):
            self.wrong("TIMES_SHAPE", TIMES, "ends in the middle of a line")
        for number, line in enumerate(body.split(b"\n")[:-1], 1):
            try:
                Time.model_validate_json(line)
            except ValidationError as error:
                self.wrong("TIMES_SHAPE", f"{TIMES}:{number}", _first(error)[1])
                return

    def _shaped(self, name: str, body: bytes, shape: type[Shape]) -> Shape | None:
        from pydantic import ValidationError

        value = self._canonical(name, body)
        if value is None:
            return None
        try:
            return shape.model_validate(value)
        except ValidationError as error:
            place, message = _first(error)
            self.wrong("RECORD_SHAPE", f"{name}: {place}", message)
            return None

    def _canonical(self, name: str, body: bytes) -> Any:
        """The JSON value of a file that is canonical to the byte, or ``None`` and a problem."""
        from .manifest import canonical

        try:
            value = json.loads(body.decode("utf-8"), parse_float=_no_float, parse_constant=_no_float, parse_int=_whole)
            if canonical(value) != body:
                raise ValueError("is not canonical JSON: one key stands twice, or spacing and order are not RFC 8785")
        except (ValueError, RecursionError, TypeError) as error:
            self.wrong("RECORD_JSON", name, f"cannot be read: {error}")
            return None
        return value


def _no_float(text: str) -> Any:
    raise ValueError(f"{text[:24]} is a number with a fraction or without end; there are none here")


def _whole(text: str) -> int:
    if len(text) > 17:
        raise ValueError("a whole number has at most 16 digits here")
    return int(text)


def _signed(seal: Seal) -> bool:
    from bittensor_core import Keypair

    try:
        signature = bytes.fromhex(seal.signature)
        text = sealed_text(seal.manifest, seal.times)
        return bool(Keypair(ss58_address=seal.validator).verify(text, signature))
    except Exception:  # the library raises what it likes for an address or a signature that is none
        return False


def _first(error: Any) -> tuple[str, str]:
    """Where the first complaint of pydantic stands, and what it says."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return ".".join(map(str, first["loc"])), first["msg"]


def files_named(found: Manifest) -> list[str]:
    """Every file that a manifest names."""
    names = [f"{PACKS}/{row.pack}.json" for row in found.submissions if row.outcome in ("ENTRY", "DUPLICATE")]
    names += [f"{EVIDENCE}/{name}" for row in found.submissions for name in row.evidence]
    names += [
        f"{TRAJECTORIES}/{attempt.trajectory}.zst"
        for row in found.evaluations
        for verdict in row.scenarios
        for attempt in verdict.attempts
        if attempt.trajectory
    ]
    names += [f"{TRAJECTORIES}/{control.trajectory}.zst" for row in found.evaluations for control in row.controls]
    return [*names, f"{TRAJECTORIES}/{DICTIONARY}"] if found.dictionary else names
