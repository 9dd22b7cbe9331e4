"""The shapes of fixture records: the public format's keys and ours, and what may stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LISTS: Mapping[str, str] = {
    "inbox.json": "mail",
    "calendar.json": "event",
    "tasks.json": "task",
    "slack_messages.json": "slack",
    "slack_channels.json": "channel",
    "contacts.json": "contact",
    "documents.json": "doc",
    "pulls.json": "pull",
    "flights.json": "flight",
}
"""The files that are lists of records, and the kind that evidence calls them by."""

_TEXT, _TEXTS, _TEXT_OR_TEXTS, _FLAG, _COUNT, _OPTIONAL = (
    "text",
    "texts",
    "text or texts",
    "flag",
    "count",
    "optional",
)

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "mail": ("sender", "subject", "body", "received_ts"),
    "event": ("title", "start", "end"),
    "task": ("title", "status"),
    "slack": ("channel", "author", "text", "timestamp"),
    "channel": ("name",),
    "contact": ("name",),
    "doc": ("title", "content"),
    "pull": ("title", "state"),
    "flight": ("airline", "number", "origin", "destination", "departs", "arrives"),
    "search": ("title", "url", "description"),
    "page": ("title", "text"),
}
_TYPES: Mapping[str, Mapping[str, str]] = {
    "mail": {
        "sender": _TEXT,
        "subject": _TEXT,
        "body": _TEXT,
        "received_ts": _TEXT,
        "labels": _TEXTS,
        "is_urgent": _FLAG,
        "to": _TEXT_OR_TEXTS,
        "cc": _TEXT_OR_TEXTS,
        "folder": _TEXT,
    },
    "event": {
        "title": _TEXT,
        "start": _TEXT,
        "end": _TEXT,
        "location": _TEXT,
        "attendees": _TEXTS,
        "notes": _TEXT,
    },
    "task": {
        "title": _TEXT,
        "status": _TEXT,
        "priority": _TEXT,
        "assignee": _OPTIONAL,
        "description": _TEXT,
        "labels": _TEXTS,
        "due_date": _OPTIONAL,
        "project": _OPTIONAL,
        "sprint": _OPTIONAL,
        "notes": _TEXT,
        "linked_tickets": _TEXTS,
    },
    "slack": {"channel": _TEXT, "channelId": _TEXT, "author": _TEXT, "text": _TEXT, "timestamp": _TEXT},
    "channel": {"name": _TEXT, "description": _TEXT, "members": _COUNT},
    "contact": {
        "name": _TEXT,
        "email": _TEXT,
        "role": _TEXT,
        "relationship": _TEXT,
        "slack_id": _OPTIONAL,
        "slack": _OPTIONAL,
        "team": _TEXT,
        "vip": _FLAG,
    },
    "doc": {"title": _TEXT, "content": _TEXT},
    "pull": {
        "number": "number",
        "title": _TEXT,
        "state": _TEXT,
        "author": _TEXT,
        "branch": _TEXT,
        "body": _TEXT,
        "checks": "any",
        "url": _TEXT,
        "created": _TEXT,
        "merged_at": _OPTIONAL,
    },
    "flight": {
        "airline": _TEXT,
        "number": _TEXT,
        "origin": _TEXT,
        "destination": _TEXT,
        "departs": _TEXT,
        "arrives": _TEXT,
        "stops": _COUNT,
        "cabin": _TEXT,
        "fare": _TEXT,
        "price": "number",
        "seats": _TEXTS,
        "notes": _TEXT,
        "confirmation": _TEXT,
    },
    "search": {"title": _TEXT, "url": _TEXT, "description": _TEXT},
    "page": {"title": _TEXT, "text": _TEXT},
}
TIMES: Mapping[str, tuple[str, ...]] = {
    "mail": ("received_ts",),
    "event": ("start", "end"),
    "slack": ("timestamp",),
    "flight": ("departs", "arrives"),
}
"""The keys whose rendered text must be an ISO 8601 timestamp; the first is what records are sorted by."""

PULL_STATES = ("open", "merged", "closed")


def shape_problems(kind: str, item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a record of ours, as (key, sentence)."""
    for key in _REQUIRED[kind]:
        if key not in item:
            yield key, f"the key '{key}' is missing"
    for key in ("key", "id"):
        value = item.get(key)
        if key in item and not (isinstance(value, str) and 0 < len(value) <= 200 and "\n" not in value):
            yield key, "wants a text of 1 to 200 characters"
    if "{{" in str(item.get("key", "")) or "/" in str(item.get("key", "")):
        yield "key", "a key is a plain name: no placeholder, no slash"
    for key, wanted in _TYPES[kind].items():
        if key in item and not _fits(item[key], wanted):
            yield key, f"wants {_SAID[wanted]}"
    state = item.get("state")
    if kind == "pull" and isinstance(state, str) and "{{" not in state and state not in PULL_STATES:
        yield "state", f"allowed: {', '.join(PULL_STATES)}"


_SAID = {
    _TEXT: "a text",
    _TEXTS: "a list of texts",
    _TEXT_OR_TEXTS: "a text or a list of texts",
    _FLAG: "true or false",
    _COUNT: "a whole number",
    _OPTIONAL: "a text or null",
    "number": "a whole number, or a text with a placeholder",
}


def _fits(value: Any, wanted: str) -> bool:
    if wanted == "any":
        return True
    if wanted == _FLAG:
        return isinstance(value, bool)
    if wanted == _COUNT:
        return isinstance(value, int) and not isinstance(value, bool)
    if wanted == "number":
        return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    if wanted == _OPTIONAL and value is None:
        return True
    if isinstance(value, str):
        return wanted != _TEXTS
    return wanted in (_TEXTS, _TEXT_OR_TEXTS) and isinstance(value, list) and all(isinstance(v, str) for v in value)
