"""A record from anywhere: downloaded within bounds, so that the audit of a folder can look at it.

The three files that every record has come first; then exactly the files that its manifest names, if that is of its
shape. What is missing is left out: the audit says so. Nothing is followed elsewhere, nothing is decompressed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import RecordInvalid, RecordUnavailable
from .publishing import FILE
from .record import DICTIONARY, EVIDENCE, MANIFEST, PACKS, SEAL, TIMES, TRAJECTORIES
from .recordfolder import MAX_FILES, RecordFolder, files_named

if TYPE_CHECKING:
    import httpx

_MOST = {MANIFEST: 64 * 2**20, SEAL: 4096, TIMES: 64 * 2**20, DICTIONARY: 16 * 2**20}
_MOST_IN = {PACKS: 65_536, EVIDENCE: 4 * 2**20, TRAJECTORIES: 16 * 2**20}
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that is taken from a stranger: bytes in all, seconds for a file, seconds in all."""

    total_bytes: int = 4 * 2**30
    file_seconds: float = 120.0
    seconds: float = 3600.0


@dataclass(slots=True)
class _Taken:
    """What was taken so far."""

    bytes: int = 0
    missing: list[str] = field(default_factory=list)


def record_url(said: str) -> str:
    """The record's URL without a slash at its end. Raises RecordInvalid if it is none that can be asked for."""
    try:
        parts = urlsplit(said)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    wrong = not host or parts.scheme not in ("http", "https") or port == 0 or parts.query or parts.fragment
    if wrong or parts.username is not None or not said.isascii() or not said.isprintable() or len(said) > 400:
        raise RecordInvalid.of("RECORD_URL", "a record's URL is http(s)://HOST/…/epoch-N", said[:200])
    return said.rstrip("/")


async def fetched(
    url: str, folder: Path, *, bounds: Bounds | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> tuple[str, ...]:
    """Downloads the record at ``url`` into ``folder``; returns the names that its server does not have.

    Raises RecordUnavailable if the server does not answer as one does in time, RecordInvalid for more than the bounds
    allow, or for a URL that is none.
    """
    import httpx

    address = record_url(url)
    given = bounds or Bounds()
    taken = _Taken()
    folder.mkdir(parents=True, exist_ok=True)
    client = httpx.AsyncClient(
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(30.0, connect=10.0),
        limits=httpx.Limits(max_connections=_AT_ONCE),
        headers={"Accept-Encoding": "identity", "User-Agent": "trajectoryrl-audit"},
        transport=transport,
    )
    try:
        async with client, asyncio.timeout(given.seconds):
            for name in (SEAL, MANIFEST, TIMES):
                await _one(client, address, name, folder, given, taken)
            if MANIFEST in taken.missing:
                raise RecordInvalid.of("RECORD_MISSING", f"there is no {MANIFEST} here: this is no record", address)
            names = _wanted(folder)
            for start in range(0, len(names), 64):
                batch = names[start : start + 64]
                await asyncio.gather(*(_one(client, address, name, folder, given, taken) for name in batch))
    except TimeoutError:
        said = f"the record did not come within {given.seconds:.0f} seconds"
        raise RecordUnavailable.of("RECORD_TIMEOUT", said, address) from None
    except OSError as why:
        raise RecordUnavailable.of("RECORD_KEPT", f"what came cannot be kept: {why.strerror}", str(folder)) from None
    return tuple(sorted(taken.missing))


def _wanted(folder: Path) -> list[str]:
    """The files that the manifest in ``folder`` names; none if it is not of its shape."""
    reading = RecordFolder(folder)
    if not reading.listed():
        return []
    sealed = reading.sealed(None)
    names = sorted(set(files_named(sealed[1]))) if sealed is not None else []
    if len(names) > MAX_FILES:
        raise RecordInvalid.of("RECORD_TOO_LARGE", f"the manifest names more than {MAX_FILES} files", MANIFEST)
    return [name for name in names if FILE.fullmatch(name)]


async def _one(client: httpx.AsyncClient, address: str, name: str, folder: Path, bounds: Bounds, taken: _Taken) -> None:
    import httpx

    where = f"{address}/{name}"
    try:
        async with asyncio.timeout(bounds.file_seconds), client.stream("GET", where) as answer:
            if answer.status_code in (404, 410):
                taken.missing.append(name)
                return
            if answer.status_code != 200:
                moved = ", and is not followed elsewhere" if answer.is_redirect else ""
                said = f"the server answered {answer.status_code}{moved}"
                raise RecordUnavailable.of("RECORD_STATUS", said, where)
            await _kept(answer, folder / name, _bound(name), bounds, taken, where)
    except TimeoutError:
        said = f"did not come whole within {bounds.file_seconds:.0f} seconds"
        raise RecordUnavailable.of("RECORD_TIMEOUT", said, where) from None
    except (httpx.HTTPError, httpx.InvalidURL) as why:
        said = f"the server did not answer: {type(why).__name__}"
        raise RecordUnavailable.of("RECORD_UNREACHABLE", said, where) from None


async def _kept(answer: httpx.Response, place: Path, most: int, bounds: Bounds, taken: _Taken, where: str) -> None:
    """Writes an answer's raw bytes, at most ``most`` of them."""
    place.parent.mkdir(exist_ok=True)
    size = 0
    with place.open("wb") as file:
        async for chunk in answer.aiter_raw():
            size += len(chunk)
            taken.bytes += len(chunk)
            if size > most:
                raise RecordInvalid.of("FILE_TOO_LARGE", f"has more than {most} bytes; no more are taken", where)
            if taken.bytes > bounds.total_bytes:
                said = f"has more than {bounds.total_bytes} bytes in all; no more are taken"
                raise RecordInvalid.of("RECORD_TOO_LARGE", said, where)
            file.write(chunk)


def _bound(name: str) -> int:
    """The most bytes of the file of this name."""
    folder, _, inner = name.rpartition("/")
    return _MOST.get(inner if inner == DICTIONARY else name, 0) or _MOST_IN[folder]
