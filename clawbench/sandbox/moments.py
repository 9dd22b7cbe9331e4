"""Points in time as people and programs write them, read against the scenario's clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

_MAX_TEXT = 64
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SPACED_OFFSET = re.compile(r"(\d\d:\d\d(?:\.\d+)?) (\d\d:?\d\d)\Z", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DAY_ALONE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)|(\d{4})/(\d\d?)/(\d\d?)|(\d{4})(\d\d)(\d\d)", re.ASCII)
_US_DAY = re.compile(r"(\d\d?)/(\d\d?)(?:/(\d{4}))?", re.ASCII)
_NAMED_DAY = re.compile(r"(?:([a-z]{3,9}) (\d\d?)|(\d\d?) (?:of )?([a-z]{3,9}))(?:st|nd|rd|th)?(?: (\d{4}))?", re.ASCII)
_AGO = re.compile(r"(?:in |\+|-)?(\d{1,3}) ?(d|days?|w|weeks?|h|hours?|m|min|minutes?)( ago| from now)?", re.ASCII)
_CLOCK = re.compile(
    r"(?:\bat )?(?:\b(\d\d?):(\d\d)(?::\d\d)?(?: ?([ap])\.?m\b\.?)?|\b(\d\d?) ?([ap])\.?m\b\.?"
    r"|\b(noon|midnight)\b)",
    re.ASCII,
)
_LENGTH = re.compile(r"(?:(\d{1,4}) ?h(?:ours?|rs?)?)? ?(?:(\d{1,4}) ?(?:m(?:in(?:ute)?s?)?)?)?", re.ASCII)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time with an offset; ``whole_day`` when only a day was named, ``at`` being its midnight."""

    at: datetime
    whole_day: bool

    @property
    def end(self) -> datetime:
        """The first instant that is no longer part of it: the next midnight for a day."""
        return self.at + _DAY if self.whole_day else self.at


def moment_of(text: str, now: datetime) -> Moment | None:
    """Reads ISO 8601, ``today``, ``tomorrow 3pm``, ``next friday``, ``march 12``, ``3 days ago``.

    What carries no offset of its own is in the zone of ``now``. None for anything else, and for years that no
    calendar is kept for (before 1900, after 2999).
    """
    if len(text) > _MAX_TEXT:
        return None
    return _moment(text.strip(), now.replace(tzinfo=None), now.tzinfo or UTC)


def minutes_of(text: str) -> int | None:
    """A length of time in minutes: ``45``, ``90m``, ``1h``, ``1h30m``; None if it is none."""
    found = _LENGTH.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        return None
    return int(found[1] or 0) * 60 + int(found[2] or 0)


@lru_cache(maxsize=4096)
def _moment(text: str, now: datetime, zone: tzinfo) -> Moment | None:
    try:
        moment = _iso(text, zone) or _spoken(text.lower(), now, zone)
    except (ValueError, OverflowError):
        return None
    return moment if moment is not None and 1900 <= moment.at.year <= 2999 else None


def _iso(text: str, zone: tzinfo) -> Moment | None:
    # a "+" that nobody escaped in a URL arrives as a blank
    text = _SPACED_OFFSET.sub(r"\1+\2", text)
    if not _ISO.match(text):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Moment(at if at.tzinfo else at.replace(tzinfo=zone), whole_day=len(text) == 10)


def _spoken(text: str, now: datetime, zone: tzinfo) -> Moment | None:
    text = " ".join(text.replace(",", " ").split())
    if text == "now":
        return Moment(now.replace(tzinfo=zone), whole_day=False)
    clock = _CLOCK.search(text)
    hours = minutes = 0
    if clock:
        hours, minutes = _hours(clock)
        text = " ".join((text[: clock.start()] + " " + text[clock.end() :]).split())
    elif (passed := _AGO.fullmatch(text)) and passed[2][0] in "hm":
        amount = timedelta(hours=int(passed[1])) if passed[2][0] == "h" else timedelta(minutes=int(passed[1]))
        at = now - amount if passed[3] == " ago" or text.startswith("-") else now + amount
        return Moment(at.replace(tzinfo=zone), whole_day=False)
    day = _day(text, now.replace(hour=0, minute=0, second=0, microsecond=0))
    if day is None:
        return None
    return Moment(day.replace(hour=hours, minute=minutes, tzinfo=zone), whole_day=clock is None)


def _hours(clock: re.Match[str]) -> tuple[int, int]:
    if clock[6]:
        return (12 if clock[6] == "noon" else 0), 0
    hours, half = int(clock[1] or clock[4]), clock[3] or clock[5]
    if half:
        if not 1 <= hours <= 12:
            raise ValueError("no such hour")
        hours = hours % 12 + (12 if half == "p" else 0)
    return hours, int(clock[2] or 0)


def _day(text: str, today: datetime) -> datetime | None:
    """The midnight of the day that ``text`` names."""
    words = {"": 0, "today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1, "next week": 7, "last week": -7}
    if text in words:
        return today + words[text] * _DAY
    if found := _DAY_ALONE.fullmatch(text):
        year, month, day = (int(group) for group in found.groups() if group)
        return today.replace(year=year, month=month, day=day)
    if found := _US_DAY.fullmatch(text):
        return today.replace(year=int(found[3] or today.year), month=int(found[1]), day=int(found[2]))
    if (found := _NAMED_DAY.fullmatch(text)) and (found[1] or found[4])[:3] in _MONTHS:
        month = _MONTHS.index((found[1] or found[4])[:3]) + 1
        return today.replace(year=int(found[5] or today.year), month=month, day=int(found[2] or found[3]))
    if (found := _AGO.fullmatch(text)) and found[2][0] in "dw":
        amount = int(found[1]) * (7 if found[2][0] == "w" else 1)
        return today - amount * _DAY if found[3] == " ago" or text.startswith("-") else today + amount * _DAY
    return _weekday(text.split(), today)


def _weekday(words: list[str], today: datetime) -> datetime | None:
    """``friday``, ``fri``, ``next friday``: the next such day, today included unless ``next`` is said;
    ``last friday`` is the one before today."""
    which = words[0] if len(words) == 2 else ""
    if not words or len(words) > 2 or which not in ("", "next", "this", "on", "last"):
        return None
    name = words[-1]
    matching = [number for number, day in enumerate(_WEEKDAYS) if len(name) >= 3 and day.startswith(name)]
    if not matching:
        return None
    ahead = (matching[0] - today.weekday()) % 7
    if which == "next" and ahead == 0:
        ahead = 7
    if which == "last":
        ahead = ahead - 7
    return today + ahead * _DAY
