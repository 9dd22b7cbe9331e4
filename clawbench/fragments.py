"""RE2 fragments that accept the ways people write one value: a name, a clock time, a date, an amount.

Fragments guard their ends with ``\\b`` where they can, so that 356 is not found inside 1356. They consume
nothing around the value: two of them may stand side by side in a pattern.
"""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal, InvalidOperation

from .workdays import MONTHS, WEEKDAYS

_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
_DASH = "[-‐‑–]"


def escaped(text: str) -> str:
    """``text`` as a pattern that matches exactly it, in RE2 and in Python."""
    return _SPECIAL.sub(r"\\\1", text)


def loose(text: str) -> str:
    """``text`` with any white space, hyphen or apostrophe where it has one."""
    pattern = re.sub(r"\s+", lambda _: r"\s+", escaped(text))
    return pattern.replace("-", _DASH).replace("'", "['’]")


def guarded(text: str) -> str:
    """``text``, loosely, not as a part of a longer word."""
    before = r"\b" if re.match(r"[A-Za-z0-9_]", text) else ""
    after = r"\b" if re.search(r"[A-Za-z0-9_]\Z", text) else ""
    return f"{before}{loose(text)}{after}"


def grouped(digits: str) -> str:
    """A number, with or without separators between its thousands."""
    parts = []
    while len(digits) > 3:
        parts.append(digits[-3:])
        digits = digits[:-3]
    return r"[,.'\x{00a0}\x{202f} ]?".join([digits, *reversed(parts)])


# Clock times


def twelve_hour(clock: time) -> tuple[int, str]:
    """The hour on a twelve-hour clock and ``am`` or ``pm``."""
    return clock.hour % 12 or 12, "pm" if clock.hour > 11 else "am"


def clock_pattern(clock: time) -> str:
    """14:30, 14.30, 2:30 pm, 2:30pm, 2:30 PM, 2.30 p.m., 2:30; on the full hour also 2 pm, 2pm, 2 o'clock.

    A bare 2:30 counts, for at work nobody means the night.
    """
    hour, half = twelve_hour(clock)
    letter = f"[{half[0]}{half[0].upper()}]"
    meridiem = rf"\s?{letter}\.?\s?[mM]\b"
    minute = f"{clock.minute:02d}"
    day = f"0?{clock.hour}" if clock.hour < 10 else str(clock.hour)
    ways = [rf"(?:\b|[tT]){day}[:.hH]{minute}\b", rf"\b0?{hour}[:.]{minute}{meridiem}"]
    if 12 < clock.hour < 22:
        ways.append(rf"\b{hour}:{minute}\b")
    if clock.minute == 0:
        ways += [rf"\b0?{hour}{meridiem}", rf"\b{hour}\s?o['’]?\s?clock\b"]
        ways.append(rf"\b{hour}\s?(?:{_DASH}|—|to)\s?[0-9]{{1,2}}(?:[:.][0-9]{{2}})?{meridiem}")
    return f"(?:{'|'.join(ways)})"


CLOCK_SHAPE = r"(?:(?:\b|[tT])[0-9]{1,2}[:.hH][0-9]{2}(?:\s?[aApP]\.?\s?[mM]\b|\b)|\b[0-9]{1,2}\s?[aApP]\.?\s?[mM]\b)"
_CLOCK = re.compile(r"t?(\d{1,2})(?:[:.h](\d{2}))?(?:\s?([ap])\.?\s?m)?", re.IGNORECASE | re.ASCII)


def read_clock(text: str, pool: frozenset[time]) -> time | None:
    """The time of ``pool`` that ``text`` means, or None.

    A bare 2:30 is the afternoon's if only that is there.
    """
    found = _CLOCK.fullmatch(text.strip())
    if not found:
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if half:
        hours = [hour % 12 + (12 if half == "p" else 0)] if 1 <= hour <= 12 else []
    else:
        hours = [hour, hour + 12] if hour < 12 else [hour]
    for candidate in hours:
        if candidate < 24 and minute < 60 and (clock := time(candidate, minute)) in pool:
            return clock
    return None


# Dates


def day_pattern(day: date, today: date, by_weekday: bool) -> str:
    """March 12, Mar 12th, 12 March, 3/12, 2026-03-12.

    If nothing else can be meant also Thursday, Thu, tomorrow.
    """
    month, number = MONTHS[day.month - 1], day.day
    names = rf"(?i:{month[:3]}(?:{month[3:]}|\.|t\.?)?)" if month != "May" else "(?i:May)"
    ordinal = rf"0?{number}(?i:st|nd|rd|th)?"
    ways = [
        rf"\b{names}\s+(?:the\s+)?{ordinal}\b",
        rf"\b{ordinal}\s+(?:of\s+)?{names}",
        rf"\b{day.year}-{day.month:02d}-{number:02d}(?:\b|[tT])",
        rf"\b0?{day.month}/0?{number}\b",
    ]
    if by_weekday:
        ways.append(rf"\b{_weekday_pattern(WEEKDAYS[day.weekday()])}\b")
        relative = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((day - today).days)
        if relative:
            ways.append(rf"\b(?i:{relative})\b")
    return f"(?:{'|'.join(ways)})"


def _weekday_pattern(name: str) -> str:
    middle = {"Tue": "s", "Wed": "nes", "Thu": "rs", "Sat": "ur"}.get(name[:3], "")
    short = {"Tue": "s?", "Thu": "(?:r|rs)?"}.get(name[:3], "")
    return rf"(?i:{name[:3]}(?:{middle}day|{short}\b\.?))"


_MONTH_SHAPE = "(?i:" + "|".join(f"{m[:3]}(?:{m[3:]})?" if m != "May" else m for m in MONTHS) + "|Sept)"
DAY_SHAPE = (
    rf"(?:\b{_MONTH_SHAPE}\.?\s+[0-9]{{1,2}}(?i:st|nd|rd|th)?\b|\b[0-9]{{1,2}}(?i:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH_SHAPE}\b"
    r"|\b[0-9]{4}-[0-9]{2}-[0-9]{2}|\b[0-9]{1,2}/[0-9]{1,2}\b"
    rf"|\b(?i:(?:{'|'.join(WEEKDAYS)}|yesterday|today|tomorrow))\b)"
)
_DAY_WORDS = re.compile(r"[a-z]+|\d+", re.ASCII)


def read_day(text: str, pool: frozenset[date], today: date) -> date | None:
    """The date of ``pool`` that ``text`` means, or None; a weekday means the one of that name in the pool."""
    lowered = text.strip().lower()
    relative = {"yesterday": -1, "today": 0, "tomorrow": 1}.get(lowered)
    if relative is not None:
        return next((day for day in pool if (day - today).days == relative), None)
    words = _DAY_WORDS.findall(lowered)
    months = [i for i, name in enumerate(MONTHS, 1) for word in words if word[:3] == name[:3].lower()]
    numbers = [int(word) for word in words if word.isdigit() and len(word) < 5]
    if months and numbers:
        wanted = (months[0], numbers[-1] if len(numbers) == 1 else numbers[0])
    elif len(numbers) >= 2:
        wanted = (numbers[-2], numbers[-1])
    else:
        named = [day for day in pool if WEEKDAYS[day.weekday()].lower() == lowered]
        return named[0] if len(named) == 1 else None
    return next((day for day in sorted(pool) if (day.month, day.day) == wanted), None)


# Amounts of money, in whole dollars


def money_pattern(amount: int) -> str:
    """$240,000, USD 240,000, 240,000, $240K, 240 thousand, $1.2M, 1.2 million."""
    ways = [rf"{grouped(str(amount))}(?:\.00)?\b"]
    if amount % 1000 == 0:
        ways.append(rf"{grouped(str(amount // 1000))}(?:\.0)?\s?(?i:k|thousand|grand)\b")
    if amount >= 100_000 and amount % 1000 == 0:
        whole, part = str(amount // 1_000_000), f"{amount % 1_000_000:06d}".rstrip("0")
        tail = rf"\.{part}0*" if part else r"(?:\.0+)?"
        ways.append(rf"{whole}{tail}\s?(?i:m|mm|mn|million)\b")
    return rf"(?:(?i:USD|US\$|\$)\s?|\b)(?:{'|'.join(ways)})"


MONEY_SHAPE = (
    r"(?:(?i:USD|US\$|\$)\s?|\b)[0-9]+(?:[,'\x{00a0}\x{202f}][0-9]{3})*(?:\.[0-9]+)?"
    r"(?:\s?(?i:k|thousand|grand|m|mm|mn|million)\b)?"
)
_MONEY = re.compile(r"[a-z$\s]*?([\d,.'\u00a0\u202f]+)\s?([a-z]*)", re.IGNORECASE | re.ASCII)
_UNITS = {"": 1, "k": 1000, "thousand": 1000, "grand": 1000} | dict.fromkeys(("m", "mm", "mn", "million"), 10**6)


def read_money(text: str) -> int | None:
    """The whole dollars that ``text`` means, or None."""
    found = _MONEY.fullmatch(text.strip())
    if not found or len(found[1]) > 20 or found[2].lower() not in _UNITS:
        return None
    try:
        amount = Decimal(re.sub("[,'\u00a0\u202f]", "", found[1])) * _UNITS[found[2].lower()]
    except InvalidOperation:
        return None
    return int(amount) if amount == int(amount) else None
