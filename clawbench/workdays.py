"""Dates as people at work count and write them: working days, weekday names, month names. English only."""

from __future__ import annotations

import re
from datetime import date, timedelta

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
MAX_OFFSET = 40
"""Working days from today that can be named: far enough for any plan, near enough for the zones' table."""

DAY_FORMS = ("", "weekday", "iso", "date", "short")


def working_day(today: date, offset: int) -> date:
    """The day ``offset`` working days (Monday to Friday) from ``today``, which itself counts as one."""
    day, step = today, timedelta(days=1 if offset > 0 else -1)
    for _ in range(abs(offset)):
        day += step
        while day.weekday() > 4:
            day += step
    return day


def weekday(day: date) -> str:
    """``Thursday``."""
    return WEEKDAYS[day.weekday()]


def written(day: date, form: str = "") -> str:
    """A date in one of :data:`DAY_FORMS`: ``March 12``, ``Thursday``, ``2026-03-12``, ``Thursday, March 12,
    2026``, ``Mar 12``. Raises KeyError for another form."""
    month = MONTHS[day.month - 1]
    return {
        "": f"{month} {day.day}",
        "weekday": weekday(day),
        "iso": day.isoformat(),
        "date": f"{weekday(day)}, {month} {day.day}, {day.year}",
        "short": f"{month[:3]} {day.day}",
    }[form]


_LONG = re.compile(r"(?:[A-Za-z]+,?\s+)?([A-Za-z]+)\s+([0-9]{1,2}),?\s+([0-9]{4})")


def read_date(text: str) -> date | None:
    """The date in ``2026-03-12`` or ``[Thursday,] March 12, 2026``; None if it is neither."""
    text = text.strip()
    try:
        if found := _LONG.fullmatch(text):
            month = [name.casefold() for name in MONTHS].index(found[1].casefold()) + 1
            return date(int(found[3]), month, int(found[2]))
        return date.fromisoformat(text)
    except ValueError:
        return None
