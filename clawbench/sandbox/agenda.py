"""The calendar: finding events by time and words, and changing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..world import Record, World
from .lines import Fragment, fragment
from .mailbox import identifier
from .moments import moment_of
from .state import State

_FIELDS = ("title", "start", "end", "location", "attendees", "notes")
MAX_FIELD = 8192
MAX_ADDRESS = 320
_DEFAULT_LENGTH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked for: events that overlap ``start .. end`` (end excluded) and contain ``words``."""

    start: datetime | None = None
    end: datetime | None = None
    words: str = ""


def events_in(state: State, window: Window) -> list[Record]:
    """The events of ``window``, in the calendar's order; no bounds and no words: every one.

    An event whose time cannot be read is never left out for its time.
    """
    if window.start is None and window.end is None and not window.words:
        return state.events
    once = state.index.once
    words = window.words.lower().split()
    found = []
    for record in state.events:
        times = once(record, times_of)
        if times and window.start is not None and times[1] <= window.start and times[0] < window.start:
            continue
        if times and window.end is not None and times[0] >= window.end:
            continue
        if words and not _contains(once(record, _search_text), words):
            continue
        found.append(record)
    return found


def times_of(record: Record, world: World) -> tuple[datetime, datetime] | tuple[()]:
    """When an event begins and ends; empty if its start cannot be read."""
    start = moment_of(str(record.data.get("start", "")), world.now)
    if start is None:
        return ()
    end = moment_of(str(record.data.get("end") or ""), world.now) if record.data.get("end") else None
    if end is None:
        return start.at, start.end
    return start.at, max(end.end, start.at) if end.at == start.at and end.whole_day else max(end.at, start.at)


def by_start(records: Sequence[Record], state: State) -> list[Record]:
    """The events by the time they begin; those without one last, otherwise in their order."""
    once = state.index.once

    def key(record: Record) -> tuple[bool, float]:
        times = once(record, times_of)
        return (not times, times[0].timestamp() if times else 0.0)

    return sorted(records, key=key)


def event_item(record: Record, world: World) -> Fragment:
    """An event as an element of ``{"items": […]}``."""
    return fragment(record.data, refs_of(record), 4)


def event_alone(record: Record, world: World) -> Fragment:
    """An event as a whole answer."""
    return fragment(record.data, refs_of(record))


def refs_of(record: Record) -> tuple[str, ...]:
    """How evidence names the record; nothing for what the agent made."""
    return () if record.ref is None else (record.ref,)


def create(state: State, fields: Mapping[str, Any]) -> Record | None:
    """Adds an event (title, start, end, location, attendees, notes); None if that was not allowed."""
    data = _event_data(fields)
    guests = ", ".join(data["attendees"])
    target = f"{data['title']}; {guests}" if guests else data["title"]
    if not state.attempt("calendar.create", target, _described(data)):
        return None
    record = Record(None, {"id": f"evt_new_{state.next_number()}", **data})
    state.events.append(record)
    return record


def update(state: State, record: Record, changes: Mapping[str, Any]) -> Record | None:
    """Changes an event's fields; None if that was not allowed."""
    if not state.attempt("calendar.update", named(record), _described(changes)):
        return None
    changed = Record(None, {**record.data, **changes})
    state.events[state.events.index(record)] = changed
    return changed


def delete(state: State, record: Record) -> bool:
    """Removes an event; false if that was not allowed."""
    if not state.attempt("calendar.delete", named(record)):
        return False
    state.events.remove(record)
    return True


def named(record: Record) -> str:
    """``ID TITLE``: the target of an effect on something that existed."""
    return f"{identifier(record)} {record.data.get('title', '')}".strip()


def end_after(start: datetime, minutes: int | None) -> datetime:
    """When something that begins at ``start`` ends; an hour later unless ``minutes`` is given."""
    return start + (_DEFAULT_LENGTH if minutes is None else timedelta(minutes=minutes))


def _event_data(fields: Mapping[str, Any]) -> dict[str, Any]:
    guests = fields.get("attendees") or ()
    data = {
        "title": str(fields.get("title") or "(no title)")[:MAX_FIELD],
        "start": str(fields.get("start", "")),
        "end": str(fields.get("end", "")),
        "location": str(fields.get("location") or "")[:MAX_FIELD],
        "attendees": [str(guest)[:MAX_ADDRESS] for guest in guests],
    }
    return {**data, "notes": str(fields["notes"])[:MAX_FIELD]} if fields.get("notes") else data


def _described(fields: Mapping[str, Any]) -> str:
    rows = []
    for name in _FIELDS:
        value = fields.get(name)
        if isinstance(value, (list, tuple)):
            value = ", ".join(map(str, value))
        if value:
            rows.append(f"{name}: {value}")
    return "\n".join(rows)


def _search_text(record: Record, world: World) -> str:
    values = (record.data.get(name) for name in ("id", *_FIELDS))
    return " ".join(
        " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value or "") for value in values
    ).lower()


def _contains(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)
