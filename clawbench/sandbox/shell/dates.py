"""``date``: the scenario's now, moved and written as told; time stands still while a run goes on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .command import Output, failure
from .options import BadOption, parsed
from .streams import Call, lines_of, made, records_of_words
from .when import DAYS, MONTHS, moved


def date(call: Call) -> Output:
    """``date [-u] [-d WHEN] [-I[date|hours|minutes|seconds]] [-R] [+FORMAT]``."""
    now = call.state.world.now
    zone = call.variables.get("TZ", "")
    label = call.state.world.identity.get("TIMEZONE", "").split(" ")[0]
    argv = [f"--iso-8601={word[2:]}" if word.startswith("-I") and len(word) > 2 else word for word in call.argv]
    try:
        options, operands = parsed(
            argv,
            "uRI",
            "df",
            {"--date": "d", "--utc": "u", "--universal": "u", "--iso-8601": "I", "--rfc-email": "R"},
        )
        given = dict(options)
        if "f" in given or len(operands) > 1 or (operands and not operands[0].startswith("+")):
            raise BadOption(f"invalid date '{operands[0][:80]}'" if operands else "-f is not supported")
        if zone.upper() in ("UTC", "UTC0", "GMT", "ETC/UTC"):
            given["u"] = ""
        elif zone and zone != label:
            raise BadOption(f"TZ={zone[:40]}: not supported")
        if "u" in given:
            now = now.astimezone(UTC)
        when = moved(now, given["d"]) if "d" in given else now
        if when is None:
            raise BadOption(f"invalid date '{given['d'][:80]}'")
        if "I" in given:
            form = next((form for name, form in _ISO.items() if name.startswith(given["I"] or "date")), None)
            if form is None:
                raise BadOption(f"invalid argument '{given['I'][:40]}' for '--iso-8601'")
        else:
            form = "%a, %d %b %Y %T %z" if "R" in given else "%a %b %e %T %Z %Y"
        text = written(when, operands[0][1:] if operands else form)
    except BadOption as problem:
        return failure(f"date: {problem}")
    lines = lines_of(text + "\n", records_of_words(call.argv))
    return Output(lines if lines else [made("")])


_ISO = {
    "date": "%F", "hours": "%FT%H%:z", "minutes": "%FT%H:%M%:z", "seconds": "%FT%T%:z",
}  # fmt: skip
_FORMATS = {
    "D": "%m/%d/%y", "F": "%Y-%m-%d", "R": "%H:%M", "T": "%H:%M:%S", "r": "%I:%M:%S %p",
    "c": "%a %b %e %T %Y", "x": "%m/%d/%y", "X": "%H:%M:%S", "h": "%b",
}  # fmt: skip


def written(when: datetime, form: str) -> str:
    """The time in a ``+FORMAT``; a directive that doesn't exist stays as it is."""
    return re.sub(r"%([-_0^#]?)(:?z|.)", lambda match: _field(when, match), form[:2000], flags=re.S)


def _field(when: datetime, match: re.Match[str]) -> str:
    flag, letter = match[1], match[2]
    if letter in _FORMATS:
        return written(when, _FORMATS[letter])
    offset = int((when.utcoffset() or timedelta()).total_seconds()) // 60
    sign, hours, minutes = "-" if offset < 0 else "+", abs(offset) // 60, abs(offset) % 60
    day, week, year = when.weekday(), when.isocalendar(), when.timetuple().tm_yday
    half, noon = (when.hour - 1) % 12 + 1, "am" if when.hour < 12 else "pm"
    numbers = {
        "d": (when.day, 2, "0"), "e": (when.day, 2, " "), "m": (when.month, 2, "0"), "H": (when.hour, 2, "0"),
        "k": (when.hour, 2, " "), "I": (half, 2, "0"), "l": (half, 2, " "),
        "M": (when.minute, 2, "0"), "S": (when.second, 2, "0"), "j": (year, 3, "0"),
        "y": (when.year % 100, 2, "0"),
        "Y": (when.year, 1, "0"), "C": (when.year // 100, 2, "0"),
        "u": (day + 1, 1, "0"), "w": ((day + 1) % 7, 1, "0"),
        "V": (week[1], 2, "0"), "G": (week[0], 4, "0"), "U": ((year + 6 - (day + 1) % 7) // 7, 2, "0"),
        "W": ((year + 6 - day) // 7, 2, "0"), "N": (when.microsecond * 1000, 9, "0"),
    }  # fmt: skip
    if letter in numbers:
        number, width, fill = numbers[letter]
        fill = {"-": "", "_": " ", "0": "0"}.get(flag, fill)
        return str(number).rjust(width, fill) if fill else str(number)
    texts = {
        "a": DAYS[day][:3].title(), "A": DAYS[day].title(), "b": MONTHS[when.month - 1][:3].title(),
        "B": MONTHS[when.month - 1].title(), "p": noon.upper(), "P": noon,
        "z": f"{sign}{hours:02d}{minutes:02d}", ":z": f"{sign}{hours:02d}:{minutes:02d}",
        "Z": _zone_name(when, sign, hours, minutes), "n": "\n", "t": "\t", "%": "%",
        "s": str((when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)),
    }  # fmt: skip
    text = texts.get(letter, match[0])
    return text.upper() if flag == "^" and letter in "aAbB" else text


def _zone_name(when: datetime, sign: str, hours: int, minutes: int) -> str:
    name = when.tzname() or ""
    if name.isalpha():
        return name
    return f"{sign}{hours:02d}{minutes:02d}" if minutes else f"{sign}{hours:02d}"
