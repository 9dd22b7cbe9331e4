"""What was seen of the world outside: raw responses by their sha256, and what they proved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from .durable import file_kept, folder_synced
from .errors import LedgerUnusable
from .faults import reach


class Archive:
    """Files under ``folder``: ``responses/`` named by content, ``facts/`` named by what they are about.

    What is established is written once; a later one about the same thing is not taken. What is only the newest of its
    kind is replaced. Raises LedgerUnusable for a full disk.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def keep(self, body: bytes) -> str:
        """Keeps a response; returns its sha256."""
        name = sha256(body).hexdigest()
        self._write(self.folder / "responses" / name[:2] / name, body)
        return name

    def response(self, name: str) -> bytes | None:
        """The response of this sha256."""
        try:
            return (self.folder / "responses" / name[:2] / name).read_bytes()
        except FileNotFoundError:
            return None

    def fact(self, kind: str, about: str) -> dict[str, Any] | None:
        """What was established about this, or ``None``."""
        try:
            found: dict[str, Any] = orjson.loads(self._place(kind, about).read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return None
        return found

    def establish(self, kind: str, about: str, fact: Mapping[str, Any]) -> dict[str, Any]:
        """Writes a fact unless there is one; returns the one that stands."""
        place = self._place(kind, about)
        if not place.exists():
            self._write(place, orjson.dumps({"about": about, **fact}, option=orjson.OPT_SORT_KEYS))
        return self.fact(kind, about) or dict(fact)

    def replace(self, kind: str, about: str, fact: Mapping[str, Any]) -> None:
        """Writes a fact in place of what stood there."""
        if self.fact(kind, about) != {"about": about, **fact}:
            body = orjson.dumps({"about": about, **fact}, option=orjson.OPT_SORT_KEYS)
            self._write(self._place(kind, about), body, anew=True)

    def forget(self, kind: str, about: str) -> None:
        """Removes a fact that no longer holds."""
        reach("archive.forget.before")
        self._place(kind, about).unlink(missing_ok=True)
        reach("archive.forget.after")

    def facts(self, kind: str) -> Iterator[dict[str, Any]]:
        """Every fact of a kind, with what it is ``about``; one that cannot be read is as good as absent."""
        for place in self.folder.glob(f"facts/{kind}/*.json"):
            try:
                found: dict[str, Any] = orjson.loads(place.read_bytes())
            except (FileNotFoundError, orjson.JSONDecodeError):
                continue
            except OSError as why:  # what it names must not go for that
                raise self._unusable("ARCHIVE_READ", f"evidence cannot be read: {why.strerror}") from None
            yield found

    def keep_only(self, names: AbstractSet[str]) -> None:
        """Removes every response that is not named, and what a process that died was writing.

        Nobody may be writing. What was forgotten before is forgotten durably first, so that no fact names a response
        that is gone.
        """
        try:
            for folder in self.folder.glob("facts/*"):
                for part in folder.glob("*.part"):
                    part.unlink(missing_ok=True)
                folder_synced(folder)
            for place in self.folder.glob("responses/*/*"):
                if place.name not in names:
                    place.unlink(missing_ok=True)
        except OSError as why:
            raise self._unusable("ARCHIVE_WRITE", f"evidence cannot be removed: {why.strerror}") from None

    def _place(self, kind: str, about: str) -> Path:
        return self.folder / "facts" / kind / f"{sha256(about.encode()).hexdigest()}.json"

    def _write(self, place: Path, body: bytes, *, anew: bool = False) -> None:
        if place.exists() and not anew:
            return
        reach("archive.write.before")
        try:
            file_kept(place, body, lambda: reach("archive.write.part"))
        except OSError as why:
            with suppress(OSError):  # what may not be on disk is not there
                place.unlink(missing_ok=True)
            raise self._unusable("ARCHIVE_WRITE", f"evidence cannot be kept: {why.strerror}") from None
        reach("archive.write.after")

    def _unusable(self, code: str, said: str) -> LedgerUnusable:
        return LedgerUnusable.of(code, said, str(self.folder))
