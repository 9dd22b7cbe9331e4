"""The rendered records that an agent can find; made once per scenario and seed, shared by every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


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

    ``now`` carries the persona's UTC offset. ``memory`` and ``workspace`` map a path to its text;
    ``searches`` maps a query to its hits, ``pages`` a URL to its page. ``sha256`` names the rendered bytes.
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
    memory: Mapping[str, str] = field(default_factory=dict)
    workspace: Mapping[str, str] = field(default_factory=dict)
    searches: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    pages: Mapping[str, Record] = field(default_factory=dict)
    compat: bool = False
    sha256: str = ""
