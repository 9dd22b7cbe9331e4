"""Days and clock times as people write them, read against the day the work happens on."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache

_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DATE = re.compile(
    rf"\b(\d{{4}})-(\d\d)-(\d\d)\b|\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(\d{{4}}))?"
    rf"|\b(\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH}\b(?:\s+(\d{{4}}))?|\b(today|tonight|tomorrow|eod|{'|'.join(_DAYS)})\b",
    re.I,
)
_CLOCK = re.compile(r"(?i)\b(1[0-2]|0?[1-9])(?:[:.]([0-5]\d))?\s?([ap])\.?m\b|\b([01]?\d|2[0-3]):([0-5]\d)(?!\d|:\d)")


@lru_cache(maxsize=4096)
def instant(text: str) -> datetime | None:
    """An ISO timestamp or date as wall-clock time where it was written (no zone), else ``None``."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def dates(text: str, today: date | None) -> tuple[date, ...]:
    """The days a text names, in order; without ``today`` only dates that carry their year count."""
    found = []
    for year, month, day, name, number, year2, number3, name3, year3, word in _DATE.findall(text):
        try:
            if word and today:
                low = word.lower()
                ahead = (_DAYS.index(low) - today.weekday()) % 7 if low in _DAYS else int(low == "tomorrow")
                found.append(today + timedelta(ahead))
            elif year:
                found.append(date(int(year), int(month), int(day)))
            elif (name or name3) and (year2 or year3 or today):
                written = int(year2 or year3 or (today.year if today else 0))
                ordinal = _MONTHS.index((name or name3).lower()) // 3 + 1
                found.append(date(written, ordinal, int(number or number3)))
        except (ValueError, OverflowError):
            continue
    return tuple(found)


@lru_cache(maxsize=4096)
def clocks(text: str) -> tuple[int, ...]:
    """The clock times a text names, as minutes since midnight, in order."""
    found = []
    for hour12, minute12, half, hour24, minute24 in _CLOCK.findall(re.sub(r"(?i)\bnoon\b", "12 pm", text)):
        hour = int(hour12) % 12 + 12 * (half in "pP") if half else int(hour24)
        found.append(hour * 60 + int(minute12 or minute24 or 0))
    return tuple(found)


def minute(moment: datetime) -> int:
    """The time of day as minutes since midnight."""
    return moment.hour * 60 + moment.minute


def clock(minutes: int) -> str:
    """``870`` as ``2:30 pm``, full hours without minutes."""
    hour, rest = divmod(minutes % 1440, 60)
    return f"{hour % 12 or 12}{f':{rest:02d}' if rest else ''} {'am' if hour < 12 else 'pm'}"


def day_name(day: date) -> str:
    """``Thursday, March 12``."""
    return f"{day:%A, %B} {day.day}"
