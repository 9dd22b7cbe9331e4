"""Who the user is and when: pools, zones, working days, and what a user context changes."""

from __future__ import annotations

import re
from datetime import UTC, date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawbench import draws, identity, pools
from clawbench.errors import InvalidInput
from clawbench.identity import PLACEHOLDERS, context_block, overridden, persona_of, with_derived
from clawbench.workdays import MAX_OFFSET, read_date, working_day, written
from clawbench.zones import ZONES, Zone, zone_named

SEED = draws.local_seed("identity")
DAYS_2026 = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]


def test_pools_have_the_sizes_of_the_protocol() -> None:
    assert identity.DAYS == 365
    assert [len(set(pool)) for pool in (identity.NAMES, identity.ROLES, identity.COMPANIES)] == [20, 10, 10]
    assert [len(set(identity.DEPARTMENTS)), len(ZONES)] == [8, 6]
    assert len({name.split()[0] for name in identity.NAMES}) == 20, "a first name tells who is meant"


def test_fact_pools_are_large_and_apart_from_the_persona() -> None:
    assert len(set(pools.FIRST_NAMES)) >= 60
    assert len(set(pools.LAST_NAMES)) >= 60
    assert len({name.split()[0] for name, _ in pools.COMPANIES}) >= 40
    people = {word for name in identity.NAMES for word in name.split()}
    assert people.isdisjoint({*pools.FIRST_NAMES, *pools.LAST_NAMES})
    assert {name for name, _ in identity.COMPANIES}.isdisjoint({name for name, _ in pools.COMPANIES})
    for name, domain in (*identity.COMPANIES, *pools.COMPANIES):
        assert re.fullmatch(r"[A-Z][a-z]+( [A-Z][a-z]+)+", name)
        assert re.fullmatch(r"[a-z]+\.com", domain)
    assert all(name.isascii() and name.isalpha() for name in (*pools.FIRST_NAMES, *pools.LAST_NAMES))


def test_golden_identity() -> None:
    drawn = identity.identity(SEED)
    assert dict(drawn.values) == {
        "USER_NAME": identity.NAMES[draws.draw(SEED, "identity:name", 20)],
        "USER_FIRST_NAME": "Morgan",
        "USER_LAST_NAME": "Blake",
        "USER_EMAIL": "morgan.blake@northwinddata.com",
        "USER_HANDLE": "morgan.blake",
        "USER_ROLE": "Customer Success Lead",
        "COMPANY": "Northwind Data",
        "COMPANY_DOMAIN": "northwinddata.com",
        "DEPARTMENT": "Data",
        "TIMEZONE": "Europe/London (GMT)",
        "DATE": "Friday, September 25, 2026",
        "WEEKDAY": "Friday",
        "WORKING_DAY_NOTE": "",
    }
    assert drawn.today == date(2026, 1, 1) + timedelta(days=draws.draw(SEED, "identity:date", 365))


def test_every_placeholder_has_a_value() -> None:
    for n in range(30):
        drawn = identity.identity(draws.local_seed(n))
        assert set(drawn.values) == set(PLACEHOLDERS)
        assert drawn.values["WEEKDAY"] in drawn.values["DATE"]
        assert (drawn.values["WORKING_DAY_NOTE"] == "") == (drawn.today.weekday() < 5)


def test_a_weekend_says_that_it_is_worked() -> None:
    drawn = identity.identity(SEED, {"DATE": "2026-03-14"})
    assert drawn.values["WORKING_DAY_NOTE"] == "I work this Saturday: treat today as a normal working day."


def test_context_block_is_the_founding_texts() -> None:
    given = {"DATE": "2026-03-12", "USER_NAME": "Jordan Rivera", "USER_ROLE": "Product Manager"}
    given |= {"COMPANY": "Meridian Technologies", "DEPARTMENT": "Engineering", "TIMEZONE": "CT"}
    drawn = identity.identity(SEED, given)
    assert context_block(drawn) == (
        "<!-- Epoch Evaluation Context: generated per epoch, do not hardcode -->\n"
        "> **Date**: Thursday, March 12, 2026\n"
        "> **Your Name**: Jordan Rivera\n"
        "> **Role**: Product Manager at Meridian Technologies\n"
        "> **Department**: Engineering\n"
        "> **Timezone**: America/Chicago (CT)\n"
        "\n---\n\n"
    )
    assert context_block(drawn.values) == context_block(drawn)


def summer(zone: str, day: date) -> bool:
    """Whether clocks are forward at noon, by law.

    US: second Sunday of March to first of November; EU: last Sunday of March to last of October.
    """

    def sunday(month: int, number: int) -> date:
        days = [date(day.year, month, n) for n in range(1, 32) if month != 11 or n < 31]
        return [d for d in days if d.weekday() == 6][number]

    if zone.startswith("America/"):
        return sunday(3, 1) <= day < sunday(11, 0)
    return zone.startswith("Europe/") and sunday(3, -1) <= day < sunday(10, -1)


STANDARD = {
    "America/New_York": -5,
    "America/Chicago": -6,
    "America/Denver": -7,
    "America/Los_Angeles": -8,
    "Europe/London": 0,
    "Asia/Tokyo": 9,
}


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone.short)
def test_offsets_follow_the_laws_as_far_as_days_can_be_named(zone: Zone) -> None:
    far = [working_day(DAYS_2026[0], -MAX_OFFSET), working_day(DAYS_2026[-1], MAX_OFFSET)]
    for day in [*DAYS_2026, *far]:
        assert zone.offset_minutes(day) == 60 * (STANDARD[zone.name] + summer(zone.name, day)), day


def test_moment_carries_the_offset() -> None:
    drawn = identity.identity(SEED, {"TIMEZONE": "America/Chicago", "DATE": "2026-03-12"})
    assert drawn.moment(drawn.today, time(16, 20)).isoformat() == "2026-03-12T16:20:00-05:00"
    assert drawn.offset_minutes(date(2026, 3, 7)) == -360
    assert drawn.moment(drawn.today, time(16, 20)).astimezone(UTC).hour == 21


def test_zones_are_found_by_any_of_their_names() -> None:
    assert [zone_named(text) for text in ("et", "Asia/Tokyo", "Europe/London (GMT)", "Mars")] == [
        ZONES[0],
        ZONES[5],
        ZONES[4],
        None,
    ]


WORKDAYS = [
    ("2026-03-12", 1, "2026-03-13"),
    ("2026-03-13", 1, "2026-03-16"),
    ("2026-03-12", 2, "2026-03-16"),
    ("2026-03-16", -1, "2026-03-13"),
    ("2026-03-14", 0, "2026-03-14"),
    ("2026-03-14", 1, "2026-03-16"),
    ("2026-03-14", -1, "2026-03-13"),
    ("2026-03-15", -1, "2026-03-13"),
    ("2026-12-31", 1, "2027-01-01"),
]


@pytest.mark.parametrize(("today", "offset", "expected"), WORKDAYS)
def test_working_days_skip_weekends(today: str, offset: int, expected: str) -> None:
    assert working_day(date.fromisoformat(today), offset).isoformat() == expected


@given(st.sampled_from(DAYS_2026), st.integers(-MAX_OFFSET, MAX_OFFSET).filter(bool))
def test_a_working_day_is_one(today: date, offset: int) -> None:
    day = working_day(today, offset)
    assert day.weekday() < 5
    assert (day > today) == (offset > 0)
    if today.weekday() < 5:
        assert working_day(day, -offset) == today


def test_dates_are_written_and_read() -> None:
    day = date(2026, 3, 12)
    forms = {form: written(day, form) for form in ("", "weekday", "iso", "date", "short")}
    assert list(forms.values()) == [
        "March 12",
        "Thursday",
        "2026-03-12",
        "Thursday, March 12, 2026",
        "Mar 12",
    ]
    assert read_date(forms["date"]) == read_date("March 12, 2026") == read_date(" 2026-03-12 ") == day
    assert [read_date(text) for text in ("March 32, 2026", "soon", "Foo 1, 2026", "")] == [None] * 4


def test_a_given_name_changes_everything_that_follows_from_it() -> None:
    drawn = identity.identity(SEED, {"USER_NAME": "Zoë O'Hara-Lund"})
    assert drawn.values["USER_FIRST_NAME"] == "Zoë"
    assert drawn.values["USER_LAST_NAME"] == "O'Hara-Lund"
    assert drawn.values["USER_HANDLE"] == "zoe.o.hara.lund"
    assert drawn.values["USER_EMAIL"] == f"zoe.o.hara.lund@{drawn.values['COMPANY_DOMAIN']}"
    assert (
        identity.identity(SEED, {"USER_NAME": "Bo", "USER_FIRST_NAME": "Robert"}).values["USER_FIRST_NAME"] == "Robert"
    )
    assert identity.identity(SEED, {"COMPANY": "Tide & Co"}).values["COMPANY_DOMAIN"] == "tideco.com"
    assert identity.handle("李雷") == "user"


def test_a_new_name_leaves_no_default_behind() -> None:
    defaults = {"USER_NAME": "Ida Holt", "USER_FIRST_NAME": "Ida", "USER_EMAIL": "ida@x.com", "COMPANY": "X"}
    values = with_derived(overridden(defaults, {"USER_NAME": "Bo Li"}))
    assert values["USER_FIRST_NAME"] == "Bo"
    assert values["USER_EMAIL"] == "bo.li@x.com"
    assert overridden(defaults, {"USER_NAME": "Bo Li", "USER_FIRST_NAME": "B"})["USER_FIRST_NAME"] == "B"
    assert overridden(defaults, {}) == defaults


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("USER_SHOE", "44"),
        ("USER_NAME", ""),
        ("USER_NAME", "two\nlines"),
        ("USER_NAME", "x" * 201),
        ("USER_NAME", "\ud800"),
        ("USER_NAME", 7),
        ("TIMEZONE", "Mars/Olympus"),
        ("DATE", "2025-03-12"),
        ("DATE", "soon"),
    ],
)
def test_a_user_context_without_meaning_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        identity.identity(SEED, {name: value})
    assert caught.value.problems[0].code == "USER_CONTEXT"
    assert caught.value.problems[0].where == f"user context: {name}"


def test_a_persona_is_found_again_from_its_values() -> None:
    drawn = identity.identity(SEED)
    assert persona_of(drawn.values) == drawn
    with pytest.raises(ValueError, match="identity"):
        persona_of({"DATE": "soon", "TIMEZONE": "Mars"})
