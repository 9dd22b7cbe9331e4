"""What ``date -d`` understands: a time in words, seen from the scenario's now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
MAX_WORDS = 200

_UNITS = {"sec": 1, "min": 60, "hour": 3600, "day": 86400, "week": 604800, "fortnight": 1209600}
_UNITS |= {"second": 1, "minute": 60}
_SPOKEN = {"tues": "tue", "wednes": "wed", "thur": "thu", "thurs": "thu", "sept": "sep"}
_IGNORED = ("now", "today", "at", "on", "and")
_WORDS = re.compile(
    r"(?P<iso>(?P<iso_year>\d{4})-(?P<iso_month>\d{1,2})-(?P<iso_day>\d{1,2}))(?:t(?=\d)|(?=[\s,]|$))"
    r"|(?P<slashed>(?P<us_month>\d{1,2})/(?P<us_day>\d{1,2})(?:/(?P<us_year>\d{4}))?)(?!\d)"
    r"|@(?P<epoch>-?\d{1,11})(?!\d)"
    r"|(?P<clock>(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?"
    r"(?:\s*(?P<half>[ap]m))?)(?![a-y\d:])"
    r"|(?P<full>(?P<full_hour>\d{1,2})\s*(?P<full_half>[ap]m))(?![a-z])"
    r"|(?P<zone>(?:z|utc|gmt)(?![a-z])|(?<=[\d ])[-+]\d{2}:?\d{2}(?!\d)(?!\s*[a-z]))"
    r"|(?P<shift>(?P<sign>[-+]?)\s*(?P<amount>\d{1,9})\s*(?P<unit>second|sec|minute|min|hour|day|week"
    r"|fortnight|month|year)s?(?![a-z])(?P<ago>\s+ago\b)?)"
    r"|(?P<relative>(?P<step>next|last|this)\s+(?P<what>[a-z]+))"
    r"|(?P<year>\d{4})(?=[\s,]|$)"
    r"|(?P<number>\d{1,2})(?:st|nd|rd|th)?(?=[\s,]|$)"
    r"|(?P<word>[a-z]+)\.?",
    re.ASCII,
)
_KINDS = ("iso", "slashed", "epoch", "clock", "full", "zone", "shift", "relative", "year", "number", "word")


def moved(now: datetime, words: str) -> datetime | None:
    """The time that ``date -d WORDS`` means, in now's zone; None if the words mean none."""
    if len(words) > MAX_WORDS:
        return None
    try:
        return _Reading(now).read(words.strip().lower())
    except (ValueError, OverflowError):
        return None


class _Reading:
    """What has been said so far: a day, a time of day, a weekday, and shifts that come last."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.day = now
        self.dated = False
        self.time: tuple[int, int, int] | None = None
        self.zone: tzinfo | None = now.tzinfo
        self.exact: datetime | None = None
        self.weekday: tuple[int, int] | None = None
        self.month: int | None = None
        self.number: int | None = None
        self.shifts: list[tuple[int, str]] = []

    def read(self, text: str) -> datetime:
        at = 0
        while at < len(text):
            if text[at] in " \t\n,":
                at += 1
                continue
            match = _WORDS.match(text, at)
            if match is None:
                raise ValueError(text[at:])
            at = match.end()
            self.take(next(kind for kind in _KINDS if match[kind] is not None), match)
        return self.result()

    def take(self, kind: str, match: re.Match[str]) -> None:
        if kind == "iso":
            self.on(int(match["iso_year"]), int(match["iso_month"]), int(match["iso_day"]))
        elif kind == "slashed":
            self.on(int(match["us_year"] or self.now.year), int(match["us_month"]), int(match["us_day"]))
        elif kind == "epoch":
            self.exact = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(match["epoch"]))
        elif kind == "clock":
            self.time = (
                _hour(int(match["hour"]), match["half"]),
                int(match["minute"]),
                int(match["second"] or 0),
            )
        elif kind == "full":
            self.time = (_hour(int(match["full_hour"]), match["full_half"]), 0, 0)
        elif kind == "zone":
            self.zone = _offset(match["zone"])
            self.time = self.time or (0, 0, 0)
        elif kind == "shift":
            amount = int(match["amount"]) * (-1 if match["sign"] == "-" else 1)
            self.shifts.append((-amount if match["ago"] else amount, match["unit"]))
        elif kind == "relative":
            self.relative({"next": 1, "last": -1, "this": 0}[match["step"]], match["what"])
        elif kind == "year":
            self.on(int(match["year"]), self.month or self.day.month, self.number or self.day.day)
        elif kind == "number":
            if self.number is not None:
                raise ValueError(match[0])
            self.number = int(match["number"])
        else:
            self.word(match["word"])

    def on(self, year: int, month: int, day: int) -> None:
        self.day, self.dated = self.day.replace(year=year, month=month, day=day), True
        self.month = self.number = None

    def relative(self, step: int, what: str) -> None:
        day = _named(DAYS, what)
        if day is not None:
            self.weekday = (day, step)
        elif what in _UNITS or what in ("month", "year"):
            self.shifts.append((step, what))
        else:
            raise ValueError(what)

    def word(self, word: str) -> None:
        day, month = _named(DAYS, word), _named(MONTHS, word)
        if day is not None:
            self.weekday = (day, 0)
        elif month is not None:
            self.month = month + 1
        elif word in ("tomorrow", "yesterday"):
            self.shifts.append((1 if word == "tomorrow" else -1, "day"))
        elif word in ("noon", "midnight"):
            self.time = (12 if word == "noon" else 0, 0, 0)
        elif word not in _IGNORED:
            raise ValueError(word)

    def result(self) -> datetime:
        if self.month is not None or self.number is not None:
            if self.month is None or self.number is None:
                raise ValueError("half a date")
            self.on(self.day.year, self.month, self.number)
        when = self.day
        if self.exact is not None:
            when = self.exact.astimezone(self.now.tzinfo)
        elif self.time or self.dated or self.weekday:
            hour, minute, second = self.time or (0, 0, 0)
            when = when.replace(hour=hour, minute=minute, second=second, microsecond=0)
        if self.zone is not self.now.tzinfo:
            when = when.replace(tzinfo=self.zone).astimezone(self.now.tzinfo)
        if self.weekday and not self.dated:
            day, step = self.weekday
            away = (day - when.weekday()) % 7
            when += timedelta(days=away + 7 * (step - (step > 0 and away != 0)))
        for amount, unit in self.shifts:
            when = _shifted(when, amount, unit)
        return when


def _hour(hour: int, half: str | None) -> int:
    if half and not 1 <= hour <= 12:
        raise ValueError(half)
    return hour if not half else hour % 12 + (12 if half == "pm" else 0)


def _offset(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _named(names: tuple[str, ...], word: str) -> int | None:
    word = _SPOKEN.get(word, word)
    return next((number for number, name in enumerate(names) if word in (name, name[:3])), None)


def _shifted(when: datetime, amount: int, unit: str) -> datetime:
    if unit in _UNITS:
        return when + timedelta(seconds=amount * _UNITS[unit])
    months = when.year * 12 + when.month - 1 + amount * (12 if unit == "year" else 1)
    first = when.replace(year=months // 12, month=months % 12 + 1, day=1)
    return first + timedelta(days=when.day - 1)
