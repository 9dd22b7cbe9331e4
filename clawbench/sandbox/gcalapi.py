"""The Google Calendar API over the world's events: ``/calendar/v3/…``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from . import agenda
from .agenda import Window
from .gcal import quick_event
from .lines import fragment, listing_lines
from .mailbox import find, own_address
from .moments import Moment, moment_of
from .options import shown
from .rest import Request, Response, google_error, refused
from .state import State

_ROUTES = (
    "GET/POST calendars/ID/events, GET/PUT/PATCH/DELETE calendars/ID/events/ID, "
    "POST calendars/ID/events/quickAdd, GET users/me/calendarList"
)


class _Invalid(ValueError):
    """A request that the service answers with 400; the text says why."""


def google_calendar(request: Request, state: State) -> Response:
    """Answers one request to ``/calendar/v3/…``; total, and nothing changes unless an effect was allowed."""
    if request.path[:2] != ("calendar", "v3"):
        return google_error(404, "Not Found: the calendar is at /calendar/v3")
    body = request.body()
    if body is None:
        return google_error(400, "Parse Error: the body is not a JSON object")
    try:
        return _routed(request, body, state)
    except _Invalid as error:
        return google_error(400, str(error))


def _routed(request: Request, body: dict[str, Any], state: State) -> Response:
    method = request.method
    match request.path[2:]:
        case ("users", "me", "calendarList") if method == "GET":
            entry = {"id": "primary", "summary": own_address(state), "primary": True}
            return Response(200, listing_lines("items", [fragment(entry, (), 4)]))
        case ("calendars", _, "events") if method == "GET":
            return _list(request, state)
        case ("calendars", _, "events") if method == "POST":
            return _create(body, state)
        case ("calendars", _, "events", "quickAdd") if method == "POST":
            return _quick(request.query.get("text", ""), state)
        case ("calendars", _, "events", name):
            return _one(name, method, body, state)
    return google_error(404, f"Not Found: {method} {shown('/'.join(request.path))}. There are {_ROUTES}")


def _list(request: Request, state: State) -> Response:
    query = request.query
    window = Window(_bound(query, "timeMin", state), _bound(query, "timeMax", state), query.get("q", ""))
    events = agenda.events_in(state, window)
    if query.get("orderBy") == "startTime":
        events = agenda.by_start(events, state)
    elif query.get("orderBy") not in (None, "", "updated"):
        raise _Invalid("orderBy is startTime or updated")
    limit = query.get("maxResults", "")
    if limit:
        if not (limit.isascii() and limit.isdigit() and len(limit) < 7 and int(limit) > 0):
            raise _Invalid(f"maxResults is a whole number from 1, not {shown(limit)}")
        events = events[: int(limit)]
    once = state.index.once
    return Response(200, listing_lines("items", [once(event, agenda.event_item) for event in events]))


def _bound(query: Any, name: str, state: State) -> datetime | None:
    text = query.get(name, "")
    if not text:
        return None
    moment = moment_of(text, state.world.now)
    if moment is None:
        raise _Invalid(f"{name}: {shown(text)} is not an RFC 3339 timestamp")
    return moment.at


def _create(body: dict[str, Any], state: State) -> Response:
    fields = _fields(body, state)
    if "start" not in fields:
        raise _Invalid("Missing end time or start time: an event needs start.dateTime or start.date")
    if "end" not in fields:
        start = moment_of(fields["start"], state.world.now)
        fields["end"] = _default_end(start) if start else fields["start"]
    event = agenda.create(state, fields)
    if event is None:
        return refused(state)
    return Response(200, fragment({**event.data, "status": "confirmed"}))


def _quick(text: str, state: State) -> Response:
    if not text.strip():
        raise _Invalid("quickAdd needs text")
    title, start = quick_event(state, text)
    at = start.at.date().isoformat() if start.whole_day else start.at.isoformat()
    return _create({"summary": title, "start": at}, state)


def _default_end(start: Moment) -> str:
    return start.end.date().isoformat() if start.whole_day else agenda.end_after(start.at, None).isoformat()


def _one(name: str, method: str, body: dict[str, Any], state: State) -> Response:
    event = find(state.events, name)
    if event is None:
        return google_error(404, f"Not Found: no event {shown(name)}")
    if method == "GET":
        return Response(200, state.index.once(event, agenda.event_alone))
    if method == "DELETE":
        return Response(204) if agenda.delete(state, event) else refused(state)
    if method not in ("PATCH", "PUT"):
        return google_error(405, f"{method} is not allowed here")
    if body.get("status") == "cancelled":
        return Response(204) if agenda.delete(state, event) else refused(state)
    changes = _fields(body, state)
    if not changes:
        raise _Invalid("nothing to change: give summary, start, end, location, attendees or description")
    changed = agenda.update(state, event, changes)
    return refused(state) if changed is None else Response(200, agenda.event_alone(changed, state.world))


def _fields(body: dict[str, Any], state: State) -> dict[str, Any]:
    """Google's event object, or the fixtures' flat one, as the fields of an event."""
    fields: dict[str, Any] = {}
    for names, key in (
        (("summary", "title"), "title"),
        (("location",), "location"),
        (("description", "notes"), "notes"),
    ):
        for name in names:
            if body.get(name) is not None:
                fields[key] = str(body[name])[: agenda.MAX_FIELD]
    for key in ("start", "end"):
        given = body.get(key)
        if isinstance(given, dict):
            given = given.get("dateTime") or given.get("date")
        if given is None:
            continue
        if not isinstance(given, str) or moment_of(given, state.world.now) is None:
            raise _Invalid(f"{key}: {shown(str(given))} is neither a date nor a timestamp")
        fields[key] = given
    guests = body.get("attendees")
    if isinstance(guests, list):
        fields["attendees"] = [
            str(guest.get("email", "") if isinstance(guest, dict) else guest)[: agenda.MAX_ADDRESS]
            for guest in guests[:100]
        ]
    return fields
