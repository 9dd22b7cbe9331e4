from __future__ import annotations

import json

import pytest

BASE = "https://www.googleapis.com/calendar/v3/calendars/primary/events"


def ids(text):
    return [event["id"] for event in json.loads(text)["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["evt_1", "evt_2", "evt_3"]),
        ("?timeMin=2026-03-12T00:00:00-05:00&timeMax=2026-03-13T00:00:00-05:00", ["evt_1"]),
        ("?timeMin=2026-03-12T15:00:00-05:00", ["evt_2", "evt_3"]),
        ("?timeMax=2026-03-13T06:00:00+01:00", ["evt_1"]),
        ("?q=planning", ["evt_2"]),
        ("?maxResults=2&singleEvents=true&orderBy=startTime", ["evt_1", "evt_2"]),
    ],
)
def test_lists_what_is_asked_for(output, query, expected):
    assert ids(output(f"curl -s '{BASE}{query}'")) == expected


def test_fields_may_come_as_data_with_get(output):
    command = f"curl -s -G {BASE} --data-urlencode 'timeMin=2026-03-13T00:00:00-05:00' -d maxResults=1"
    assert ids(output(command)) == ["evt_2"]


def test_one_event_and_the_calendars(output, world):
    assert json.loads(output(f"curl -s {BASE}/evt_1")) == world.events[0].data
    calendars = json.loads(output("curl -s https://www.googleapis.com/calendar/v3/users/me/calendarList"))
    assert calendars["items"][0]["id"] == "primary"


def test_creating_gives_the_effect_of_the_program(shell, output):
    body = {
        "summary": "Call",
        "start": {"dateTime": "2026-03-13T15:00:00-05:00"},
        "attendees": [{"email": "pat@client.example"}],
    }
    result = shell(f"curl -s -X POST '{BASE}?sendUpdates=all' -H 'Accept: */*' -d '{json.dumps(body)}'")
    assert [(e.kind, e.target) for e in result.effects] == [("calendar.create", "Call; pat@client.example")]
    assert result.result["_irreversible"] is True
    created = json.loads(result.result["aggregated"])
    assert (created["status"], created["end"]) == ("confirmed", "2026-03-13T16:00:00-05:00")
    assert created["id"] in ids(output(f"curl -s {BASE}"))


def test_quick_add(shell):
    result = shell(f"curl -s -X POST '{BASE}/quickAdd?text=Call+tomorrow+3pm'")
    assert result.effects[0].target == "Call"
    assert json.loads(result.result["aggregated"])["start"] == "2026-03-13T15:00:00-05:00"


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_updating(shell, output, method):
    result = shell(f'curl -s --request {method} {BASE}/evt_2 --json \'{{"location": "Room A"}}\'')
    assert [(e.kind, e.target, e.text) for e in result.effects] == [
        ("calendar.update", "evt_2 Planning", "location: Room A")
    ]
    assert json.loads(output(f"curl -s {BASE}/evt_2"))["location"] == "Room A"


def test_deleting(shell, output):
    result = shell(f"curl -s -XDELETE {BASE}/evt_1")
    assert (result.result["aggregated"], result.result["_irreversible"]) == ("", True)
    assert ids(output(f"curl -s {BASE}")) == ["evt_2", "evt_3"]


@pytest.mark.parametrize(
    "command",
    [
        f"curl -f {BASE}/evt_9",
        f"curl -f -X DELETE {BASE}/evt_9",
        f'curl -f -X POST {BASE} -d \'{{"summary": "no start"}}\'',
        f"curl -f -X POST {BASE} -d 'not json'",
        f"curl -f -X POST {BASE} -d '[1]'",
        f'curl -f -X POST {BASE} -d \'{{"start": "never"}}\'',
        f"curl -f -X PATCH {BASE}/evt_1 -d '{{}}'",
        f"curl -f -X POST {BASE}/quickAdd",
        f"curl -f '{BASE}?timeMin=soon'",
        f"curl -f '{BASE}?maxResults=0'",
        f"curl -f '{BASE}?orderBy=size'",
        "curl -f -X DELETE https://www.googleapis.com/calendar/v3/calendars/primary",
        "curl -f https://www.googleapis.com/drive/v3/files",
    ],
)
def test_a_bad_request_changes_nothing(sandbox, shell, world, command):
    result = shell(command)
    assert result.result["exitCode"] == 22
    assert result.effects == ()
    assert tuple(sandbox.state.events) == world.events


def test_deep_nesting_is_refused(shell, sandbox, world):
    deep = '{"start":' + "[" * 900 + "]" * 900 + "}"
    result = shell(f"curl -s -X POST {BASE} -d '{deep}'")
    assert json.loads(result.result["aggregated"])["error"]["code"] == 400
    assert tuple(sandbox.state.events) == world.events
