from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from clawbench.sandbox import Sandbox, tool_schemas
from clawbench.sandbox.airports import AIRPORTS, codes_of
from clawbench.world import Record, World


def flight(key: str, number: str, airline: str, at: str, to: str, price: Any, **more: Any) -> Record:
    hour, minute = at[11:].split(":")
    return Record(
        f"flight/{key}",
        {
            "id": f"FL{number}0",
            "airline": airline,
            "number": number,
            "origin": "SFO",
            "destination": to,
            "departs": f"{at}:00-05:00",
            "arrives": f"{at[:11]}{int(hour) + 3:02d}:{minute}:00-05:00",
            "stops": 0,
            "fare": "Flex",
            "price": price,
            "seats": ["12C aisle", "14A window"],
            **more,
        },
    )


TIMETABLE = (
    flight("early", "401", "Bay Air", "2026-03-17T07:00", "JFK", "$420"),
    flight("noon", "402", "Bay Air", "2026-03-17T12:00", "New York", 310, confirmation="kx4rw2"),
    flight("cheap", "511", "Gull Airways", "2026-03-17T14:30", "EWR", "$95", fare="Basic", stops=1),
    flight("odd", "733", "Gull Airways", "2026-03-17T16:00", "JFK", "on request", seats=[]),
    flight("after", "402", "Bay Air", "2026-03-18T12:00", "JFK", "$300", id="FL4029"),
    flight("home", "900", "Bay Air", "2026-03-17T12:00", "Seattle", "$120"),
)
SEARCH = "flights search --from SFO --to 'New York' --date 2026-03-17"


@pytest.fixture
def world(make_world) -> World:
    return make_world(flights=TIMETABLE)


@pytest.fixture
def desk(world: World) -> Sandbox:
    return Sandbox(world)


def run(desk: Sandbox, command: str) -> str:
    return str(desk.call("exec", {"command": command}).result["aggregated"])


def numbers(desk: Sandbox, options: str) -> list[str]:
    return [entry["flight"].split()[-1] for entry in json.loads(run(desk, options))]


def test_a_search_shows_what_one_needs_and_no_more(desk: Sandbox) -> None:
    result = desk.call("exec", {"command": f"{SEARCH} --after 11:00 --airline bay"})
    assert json.loads(result.result["aggregated"]) == [
        {
            "id": "FL4020",
            "flight": "Bay Air 402",
            "from": "SFO (San Francisco)",
            "to": "EWR (New York)",
            "departs": "2026-03-17T12:00:00-05:00",
            "arrives": "2026-03-17T15:00:00-05:00",
            "stops": 0,
            "fare": "Flex",
            "price": 310,
        }
    ]
    assert [span.records for span in result.spans] == [("flight/noon",)]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("", ["401", "402", "511", "733"]),
        ("--airline Bay", ["401", "402"]),
        ("--airline 'bay air' --airline gull", ["401", "402", "511", "733"]),
        ("--nonstop", ["401", "402", "733"]),
        ("--stops 1", ["401", "402", "511", "733"]),
        ("--fare flex", ["401", "402", "733"]),
        ("--after 12:00 --before '2:30 pm'", ["402", "511"]),
        ("--max-price 310", ["402", "511", "733"]),
        ("--max-price '$95'", ["511", "733"]),
        ("--sort price", ["511", "402", "401", "733"]),
        ("--sort price --max 1", ["511"]),
        ("--max=2", ["401", "402"]),
        ("--json -n 1", ["401"]),
    ],
)
def test_filters_filter(desk: Sandbox, options: str, found: list[str]) -> None:
    assert numbers(desk, f"{SEARCH} {options}") == found


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("flights search --from SFO --to JFK --date 2026-03-17", ["401", "402", "733"]),
        ("flights search --from 'San Francisco' --to NYC --date 'march 18'", ["402"]),
        ("flights search SFO SEA 2026-03-17", ["900"]),
        ("flights search --from sfo --to 'Seattle (SEA)' --date 'next tuesday'", ["900"]),
        ("flights search --from JFK --to SFO --date 2026-03-17", []),
        ("flights search --from SFO --to JFK --date 2026-03-19", []),
    ],
)
def test_places_and_days_as_people_write_them(desk: Sandbox, command: str, found: list[str]) -> None:
    assert numbers(desk, command) == found


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("flights search --to JFK --date 2026-03-17", "needs --from, --to and --date"),
        ("flights search --from SFO --to Atlantis --date 2026-03-17", "no flights from or to 'Atlantis'"),
        ("flights search --from SFO --to JFK --date someday", "'someday' is no day"),
        (f"{SEARCH} --after noonish", "'noonish' is no time of day"),
        (f"{SEARCH} --max few", "--max is a whole number"),
        (f"{SEARCH} --max-price cheap", "'cheap' is no price"),
        (f"{SEARCH} --sort fun", "'fun' is no order"),
        (f"{SEARCH} --wifi", "unknown option '--wifi'"),
        ("flights fly", "unknown command 'fly'"),
        ("flights show", "which flight"),
        ("flights show FL1", "'FL1': no such flight"),
        ("flights show 402", "several flights are called so"),
        ("flights book FL9999", "no such flight"),
        ("flights cancel FL4020", "is not booked"),
        ("flights book FL7330 --seat aisle", "no seat 'aisle' is free; free: none"),
    ],
)
def test_what_makes_no_sense_is_an_error_that_changes_nothing(desk: Sandbox, command: str, said: str) -> None:
    result = desk.call("exec", {"command": command})
    assert not result.ok
    assert said in result.result["aggregated"]
    assert result.effects == ()


def test_one_flight_in_full(desk: Sandbox) -> None:
    shown = json.loads(run(desk, "flights show 'Bay Air 401'"))
    assert shown["seats"] == ["12C aisle", "14A window"]
    assert shown["id"] == "FL4010"
    assert "confirmation" not in run(desk, "flights show FL4020")


def test_a_booking_is_an_effect_and_stands_among_the_bookings(desk: Sandbox) -> None:
    assert json.loads(run(desk, "flights bookings")) == []
    result = desk.call("exec", {"command": "flights book FL4020 --seat window --passenger 'Ines Vale'"})
    assert [(effect.kind, effect.target, effect.text) for effect in result.effects] == [
        (
            "flight.book",
            "FL4020 Bay Air 402 SFO-EWR 2026-03-17 12:00",
            "seat: 14A window\nfare: Flex\nprice: 310\npassenger: Ines Vale",
        )
    ]
    assert result.result["_irreversible"] is True
    assert [span.records for span in result.spans] == [("flight/noon",)]
    assert json.loads(result.result["aggregated"])["confirmation"] == "KX4RW2"
    listed = json.loads(run(desk, "flights bookings"))
    assert [(entry["confirmation"], entry["seat"]) for entry in listed] == [("KX4RW2", "14A window")]
    assert "already booked: KX4RW2" in run(desk, "flights book fl4020")


@pytest.mark.parametrize("name", ["KX4RW2", "kx4rw2", "FL4020", "402", "'Bay Air 402'", "Bay Air 402"])
def test_a_booking_is_cancelled_by_any_of_its_names(desk: Sandbox, name: str) -> None:
    run(desk, "flights book FL4020")
    result = desk.call("exec", {"command": f"flights cancel {name}"})
    assert [effect.kind for effect in result.effects] == ["flight.cancel"]
    assert json.loads(run(desk, "flights bookings")) == []
    assert "confirmation" in run(desk, "flights book FL4020"), "and can be booked again"


@pytest.mark.parametrize("seat", ["14A", "window", "14a Window"])
def test_a_seat_by_kind_or_number(desk: Sandbox, seat: str) -> None:
    assert json.loads(run(desk, f"flights book FL4010 --seat '{seat}'"))["seat"] == "14A window"


def test_a_refused_booking_did_not_happen(world: World) -> None:
    desk = Sandbox(world, permit=lambda effect: "refused" if effect.kind == "flight.book" else "done")
    result = desk.call("exec", {"command": "flights book FL4010"})
    assert (result.ok, [effect.status for effect in result.effects]) == (False, ["refused"])
    assert "refused: the user did not approve flight.book" in result.result["aggregated"]
    assert json.loads(run(desk, "flights bookings")) == []


def test_two_runs_do_not_see_each_others_bookings(world: World) -> None:
    run(Sandbox(world), "flights book FL4010")
    assert json.loads(run(Sandbox(world), "flights bookings")) == []


def test_output_goes_through_pipes(desk: Sandbox) -> None:
    named = run(desk, f"{SEARCH} --nonstop | jq -r '.[].flight'").split("\n")
    assert named == ["Bay Air 401", "Bay Air 402", "Gull Airways 733"]


def test_worlds_without_flights_have_no_such_program(make_world) -> None:
    result = Sandbox(make_world()).call("exec", {"command": "flights bookings"})
    assert not result.ok
    assert "not found" in result.result["aggregated"]


def test_the_program_is_offered_only_where_it_is(world: World) -> None:
    plain, with_flights = (tool_schemas(["exec", "read"], flights=flag) for flag in (False, True))
    told = [tools[0]["function"]["description"] for tools in (plain, with_flights)]
    assert ["flights search" in text for text in told] == [False, True]
    assert told[1].count("\n") == told[0].count("\n") + 1
    assert plain[1] == with_flights[1]


def test_a_timetable_that_makes_no_sense_is_borne(make_world) -> None:
    broken = Record("flight/broken", {"id": 7, "airline": None, "stops": "two", "departs": "soon", "price": [1]})
    desk = Sandbox(make_world(flights=(broken, replace(TIMETABLE[0]))))
    assert numbers(desk, SEARCH) == ["401"]
    assert json.loads(run(desk, "flights book 7"))["seat"] == "any seat"


def test_airports() -> None:
    assert codes_of("New York") == {"JFK", "LGA", "EWR"}
    assert codes_of("nyc") == codes_of("new  york")
    assert codes_of("jfk") == codes_of("New York JFK") == codes_of("JFK - New York") == {"JFK"}
    assert codes_of("Reykjavik") == {"REYKJAVIK"}
    assert codes_of("San Antonio") == {"SAT"}
    assert list(AIRPORTS) == sorted(AIRPORTS)
