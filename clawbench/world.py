"""The rendered records that an agent can find; made once per scenario and seed, shared by every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .factkinds import Fact


@dataclass(frozen=True, slots=True)
class Record:
    """One rendered fixture record.

    ``ref`` is how evidence names it (``mail/analysis``); ``data`` is the JSON object in the public format's
    shape and is never changed: whoever edits a record makes a new one, with ``ref=None``.
    """

    ref: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class World:
    """Everything that exists before a run begins.

    ``now`` carries the persona's UTC offset. ``facts`` are the drawn values, by name. ``memory`` and
    ``workspace`` map a path to its text (``memory/clients.md``, ``MEMORY.md``; ``USER.md``); ``searches``
    maps a query to its hits (``*`` answers every query), ``pages`` a URL to its page. ``sha256`` names the
    rendered bytes.
    """

    scenario: str
    now: datetime
    identity: Mapping[str, str]
    mails: tuple[Record, ...] = ()
    events: tuple[Record, ...] = ()
    tasks: tuple[Record, ...] = ()
    messages: tuple[Record, ...] = ()
    channels: tuple[Record, ...] = ()
    contacts: tuple[Record, ...] = ()
    documents: tuple[Record, ...] = ()
    pulls: tuple[Record, ...] = ()
    flights: tuple[Record, ...] = ()
    memory: Mapping[str, str] = field(default_factory=dict)
    workspace: Mapping[str, str] = field(default_factory=dict)
    searches: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    pages: Mapping[str, Record] = field(default_factory=dict)
    compat: bool = False
    sha256: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def record_text(self, ref: str) -> str:
        """The whole rendered text that ``ref`` names; empty if this world has no such record.

        A mail's body for ``mail/KEY``, its id and header lines for ``envelope/KEY``, a file's text for
        ``memory/PATH``, ``MEMORY.md`` and ``file/PATH``, else the record as indented JSON.
        """
        if not self._texts:
            self._texts.update(self._all_texts())
        return self._texts.get(ref, "")

    def _all_texts(self) -> dict[str, str]:
        import orjson

        texts = dict(self.memory)
        texts |= {f"file/{path}": text for path, text in self.workspace.items()}
        for mail in self.mails:
            if mail.ref:
                texts[mail.ref] = str(mail.data.get("body", ""))
                texts[f"envelope/{mail.ref.partition('/')[2]}"] = _header(mail.data)
        groups = (
            self.events,
            self.tasks,
            self.messages,
            self.channels,
            self.contacts,
            self.documents,
            self.pulls,
            self.flights,
        )
        hits = tuple(hit for found in self.searches.values() for hit in found)
        for record in (*(record for group in groups for record in group), *hits, *self.pages.values()):
            if record.ref:
                texts[record.ref] = orjson.dumps(record.data, option=orjson.OPT_INDENT_2).decode()
        texts.setdefault("", "")
        return texts


def _header(data: Mapping[str, Any]) -> str:
    lines = []
    for name, key in (
        ("ID", "id"),
        ("From", "sender"),
        ("To", "to"),
        ("Cc", "cc"),
        ("Subject", "subject"),
        ("Date", "received_ts"),
    ):
        value = data.get(key)
        if value:
            lines.append(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    return "\n".join(lines)
