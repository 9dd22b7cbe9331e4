from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawbench.sandbox.moments import minutes_of, moment_of

NOW = datetime(2026, 3, 12, 9, 30, tzinfo=timezone(timedelta(hours=-5)))  # a Thursday


@pytest.mark.parametrize(
    ("text", "expected", "whole"),
    [
        ("2026-03-12", "2026-03-12T00:00:00-05:00", True),
        ("2026-03-12T14:00", "2026-03-12T14:00:00-05:00", False),
        ("2026-03-12 14:00", "2026-03-12T14:00:00-05:00", False),
        ("2026-03-12T14:00:00Z", "2026-03-12T14:00:00+00:00", False),
        ("2026-03-12T14:00:00 02:00", "2026-03-12T14:00:00+02:00", False),
        ("2026/3/9", "2026-03-09T00:00:00-05:00", True),
        ("3/9/2026", "2026-03-09T00:00:00-05:00", True),
        ("20260309", "2026-03-09T00:00:00-05:00", True),
        ("now", "2026-03-12T09:30:00-05:00", False),
        ("today", "2026-03-12T00:00:00-05:00", True),
        ("Tomorrow", "2026-03-13T00:00:00-05:00", True),
        ("yesterday", "2026-03-11T00:00:00-05:00", True),
        ("tomorrow 3pm", "2026-03-13T15:00:00-05:00", False),
        ("tomorrow at 15:30", "2026-03-13T15:30:00-05:00", False),
        ("12am", "2026-03-12T00:00:00-05:00", False),
        ("noon", "2026-03-12T12:00:00-05:00", False),
        ("thursday", "2026-03-12T00:00:00-05:00", True),
        ("next thursday", "2026-03-19T00:00:00-05:00", True),
        ("fri", "2026-03-13T00:00:00-05:00", True),
        ("last friday", "2026-03-06T00:00:00-05:00", True),
        ("monday 2:30 pm", "2026-03-16T14:30:00-05:00", False),
        ("March 16", "2026-03-16T00:00:00-05:00", True),
        ("Mar 16, 2027", "2027-03-16T00:00:00-05:00", True),
        ("16 march", "2026-03-16T00:00:00-05:00", True),
        ("in 3 days", "2026-03-15T00:00:00-05:00", True),
        ("+1w", "2026-03-19T00:00:00-05:00", True),
        ("2 days ago", "2026-03-10T00:00:00-05:00", True),
        ("2 hours ago", "2026-03-12T07:30:00-05:00", False),
    ],
)
def test_reads_what_people_write(text, expected, whole):
    moment = moment_of(text, NOW)
    assert moment is not None
    assert (moment.at.isoformat(), moment.whole_day) == (expected, whole)


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "2026-13-01",
        "2026-02-30",
        "0001-01-01",
        "9999-12-31",
        "99:99",
        "13pm",
        "x" * 1000,
        "mar",
        "٣ days ago",
    ],
)
def test_anything_else_is_none(text):
    assert moment_of(text, NOW) is None


def test_a_day_ends_at_the_next_midnight():
    moment = moment_of("2026-03-12", NOW)
    assert moment is not None
    assert moment.end.isoformat() == "2026-03-13T00:00:00-05:00"


def test_equal_instants_in_different_zones_keep_their_own_day():
    utc = NOW.astimezone(timezone.utc)  # noqa: UP017
    here, there = moment_of("today", NOW), moment_of("today", utc)
    assert here is not None
    assert there is not None
    assert (here.at.utcoffset(), there.at.utcoffset()) == (timedelta(hours=-5), timedelta(0))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("45", 45), ("90m", 90), ("1h", 60), ("1h30m", 90), ("2 hours", 120), ("", None), ("long", None)],
)
def test_lengths(text, minutes):
    assert minutes_of(text) == minutes


@given(st.text(max_size=70))
def test_is_total(text):
    moment = moment_of(text, NOW)
    assert moment is None or moment.at.tzinfo is not None
