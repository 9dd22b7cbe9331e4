from __future__ import annotations

import json

import pytest

from clawbench.sandbox import Sandbox
from clawbench.world import Record


def ids(text):
    return [event["id"] for event in json.loads(text)["items"]]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("gcalcli agenda", ["evt_1", "evt_2", "evt_3"]),
        ("gcalcli list", ["evt_1", "evt_2", "evt_3"]),
        ("gcalcli --nocolor agenda today tomorrow", ["evt_1"]),
        ("gcalcli agenda 2026-03-12 2026-03-12", ["evt_1"]),
        ("gcalcli agenda 2026-03-12 2026-03-13", ["evt_1"]),
        ("gcalcli agenda '2026-03-12T14:30' '2026-03-12T15:00'", ["evt_1"]),
        ("gcalcli agenda '2026-03-12T14:45' '2026-03-12T15:00'", []),
        ("gcalcli agenda '2026-03-12T18:45Z' '2026-03-12T19:15Z'", ["evt_1"]),
        ("gcalcli agenda tomorrow", ["evt_2", "evt_3"]),
        ("gcalcli agenda 2026-03-17 2026-03-18", ["evt_3"]),
        ("gcalcli agenda 2026-03-18", []),
        ("gcalcli search interview", ["evt_1"]),
        ("gcalcli search kim interview", ["evt_1"]),
        ("gcalcli search planning 2026-03-12 2026-03-13", []),
        ("gcalcli calw", ["evt_1", "evt_2", "evt_3"]),
        ("gcal list-events", ["evt_1", "evt_2", "evt_3"]),
        ("gcal list-events --from 2026-03-12 --to 2026-03-13", ["evt_1", "evt_2"]),
        ("gcal list-events --from=today --to=today", ["evt_1"]),
        ("gcal list-events --date tomorrow", ["evt_2"]),
        ("gcal list-events --query 'room b'", ["evt_1"]),
        ("gcal list-events --max 1", ["evt_1"]),
        ("gcal list --today", ["evt_1"]),
    ],
)
def test_windows_and_words_filter(output, command, expected):
    assert ids(output(command)) == expected


def test_an_event_is_shown_as_it_is(output, world):
    assert json.loads(output("gcal get-event evt_1")) == world.events[0].data


def test_tab_separated_rows(output):
    assert (
        output("gcalcli --tsv agenda today tomorrow") == "2026-03-12\t14:00\t2026-03-12\t14:45\tInterview: Kim\tRoom B"
    )


@pytest.mark.parametrize(
    ("command", "start", "end"),
    [
        (
            "gcalcli add --title Call --when '2026-03-13 15:00' --duration 30 --noprompt",
            "2026-03-13T15:00:00-05:00",
            "2026-03-13T15:30:00-05:00",
        ),
        ("gcalcli add Call --when 'tomorrow 3pm'", "2026-03-13T15:00:00-05:00", "2026-03-13T16:00:00-05:00"),
        ("gcalcli --calendar Work add --title=Call --when 2026-03-13 --allday", "2026-03-13", "2026-03-14"),
        ("gcalcli quick 'Call tomorrow 3pm'", "2026-03-13T15:00:00-05:00", "2026-03-13T16:00:00-05:00"),
        (
            "gcal create-event --title Call --start 2026-03-13T15:00:00Z --end 2026-03-13T15:15:00Z",
            "2026-03-13T15:00:00+00:00",
            "2026-03-13T15:15:00+00:00",
        ),
    ],
)
def test_a_created_event_is_listed(shell, output, command, start, end):
    result = shell(command)
    assert result.ok
    assert result.result["_irreversible"] is True
    assert [(e.kind, e.target) for e in result.effects] == [("calendar.create", "Call")]
    event = json.loads(output("gcal get-event evt_new_1"))
    assert (event["title"], event["start"], event["end"]) == ("Call", start, end)
    assert "evt_new_1" in ids(output("gcalcli agenda"))


def test_guests_and_place_stand_in_the_effect(shell):
    effect = shell(
        "gcalcli add --title Call --when 'tomorrow 3pm' --who pat@client.example --who lee"
        " --where 'Room A' --description 'Status'"
    ).effects[0]
    assert effect.target == "Call; pat@client.example, lee"
    assert "location: Room A" in effect.text
    assert "notes: Status" in effect.text


def test_a_deleted_event_is_gone(shell, output):
    result = shell("gcalcli delete Interview")
    assert [(e.kind, e.target) for e in result.effects] == [("calendar.delete", "evt_1 Interview: Kim")]
    assert ids(output("gcalcli agenda")) == ["evt_2", "evt_3"]
    assert shell("gcal delete-event evt_2 --yes").result["_irreversible"] is True
    assert ids(output("gcalcli agenda")) == ["evt_3"]


def test_an_edit_moves_the_event_and_keeps_its_length(shell, output):
    result = shell("gcalcli edit evt_1 --when '2026-03-12 16:00' --where 'Room C'")
    assert [(e.kind, e.target) for e in result.effects] == [("calendar.update", "evt_1 Interview: Kim")]
    event = json.loads(output("gcal get-event evt_1"))
    assert (event["start"], event["end"], event["location"]) == (
        "2026-03-12T16:00:00-05:00",
        "2026-03-12T16:45:00-05:00",
        "Room C",
    )


@pytest.mark.parametrize(
    "command",
    [
        "gcalcli",
        "gcalcli import x.ics",
        "gcalcli agenda soon",
        "gcalcli agenda 2026-03-12 2026-03-13 2026-03-14",
        "gcalcli add --title Call",
        "gcalcli add --title Call --when never",
        "gcalcli add --title Call --when tomorrow --duration long",
        "gcalcli add --when tomorrow",
        "gcalcli quick",
        "gcalcli search",
        "gcalcli delete nothing-like-it",
        "gcalcli delete",
        "gcalcli delete 2026",
        "gcalcli edit evt_1",
        "gcal create-event --title Call --start 2026-03-13T15:00 --end 2026-03-13T14:00",
        "gcal delete-event evt_9",
        "gcal list-events --max many",
        "gcal list-events --bogus",
        "gcal share evt_1",
    ],
)
def test_what_cannot_be_done_changes_nothing(sandbox, shell, world, command):
    result = shell(command)
    assert not result.ok
    assert result.effects == ()
    assert tuple(sandbox.state.events) == world.events


def test_a_text_that_fits_several_events_deletes_none_unless_told(sandbox, shell, world):
    shell("gcalcli add --title 'Planning again' --when tomorrow")
    result = shell("gcalcli delete planning")
    assert not result.ok
    assert "evt_2" in result.result["aggregated"]
    assert len(shell("gcalcli delete planning --iamexpert").effects) == 2


def test_events_without_a_readable_time_are_never_hidden(make_world):
    sandbox = Sandbox(make_world(events=(Record("event/x", {"id": "e", "title": "Someday", "start": "?"}),)))
    text = sandbox.call("exec", {"command": "gcalcli agenda today tomorrow"}).result["aggregated"]
    assert ids(text) == ["e"]
