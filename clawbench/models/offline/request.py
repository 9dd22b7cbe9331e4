"""What the user asks for, and who and when they are: the request and the system message around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from .moments import clocks, dates
from .policy import forbidden
from .vocabulary import cues
from .words import sentences, stems

_NAME = re.compile(
    r"(?P<start>(?:^|[.!?:\n]\s*|\d[.)]\s+))?\b(?P<name>[A-Z][\w&'’-]*[a-z0-9](?: (?:& )?[A-Z][\w&'’-]*[a-z0-9])*)"
)
_NO_NAME = re.compile(
    r"(?:(?:Slack|Notion|GitHub|I['’]m|[A-Z]\w+day|Can|Check|Give|Triage|For|Don['’]t|What|Then|Please|If|The|My)\b ?)+"
)
_USER = re.compile(
    r"(?i)\bname\*{0,2}\s*(?::\*{0,2}|\n)\s*([A-Z][\w'’-]+(?: [A-Z][\w'’.-]+)+)"
    r"|\b(?:assist\w*|work\w* for|on behalf of|user is) ([A-Z][\w'’-]+ [A-Z][\w'’-]+)"
)


@dataclass(frozen=True, slots=True)
class Request:
    """The user's request, read. ``forbids`` holds kinds of acts, ``clocks`` minutes since midnight."""

    text: str
    wants: frozenset[str]
    forbids: frozenset[str]
    names: tuple[str, ...]
    terms: frozenset[str]
    clocks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """The system message apart: the policy, the user's own files, their name, and the stated day."""

    policy: str
    profile: str
    user: str
    day: date | None


@lru_cache(maxsize=256)
def read_request(text: str, user: str = "") -> Request:
    """What a request wants, forbids and names; ``user`` is the user's own name, which says nothing."""
    found = [(bool(m["start"]), _NO_NAME.sub("", m["name"]).strip()) for m in _NAME.finditer(text)]
    names = [name for first, name in found if len(name) > 2 and (" " in name or not first) and name not in user]
    return Request(
        text=text,
        wants=frozenset(want for want, pattern in cues("wants").items() if pattern.search(text)),
        forbids=frozenset().union(*map(forbidden, sentences(text))),
        names=tuple(dict.fromkeys(name for name in names if not any(name != n and name in n for n in names))),
        terms=stems(" ".join(part for part in sentences(text) if not forbidden(part))),
        clocks=clocks(text),
    )


@lru_cache(maxsize=64)
def read_situation(system: str) -> Situation:
    """The policy on one side, the user's own files and the identity in front of it on the other."""
    parts = [part for part in re.split(r"(?m)^---[ \t]*$", system) if part.strip()] or [""]
    own = [part for part in parts if re.match(r"\s*#\s*(?:USER|MEMORY)\.md\b", part)]
    about = "\n".join([*own, parts[0]])
    name = _USER.search(about)
    days = [day for line in re.findall(r"(?im)^.*\b(?:date|today)\b.*$", about) for day in dates(line, None)]
    policy = "\n\n".join(part for part in parts if part not in own)
    return Situation(policy, "\n\n".join(own), (name[1] or name[2]) if name else "", days[0] if days else None)
