"""Reading the ``facts:`` of a scenario.

From one-entry mappings to kinds, or to sentences that say what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .factkinds import Company, Flag, Kind, OneOf, Person, re2_compiled
from .numberkinds import Clock, Code, Day, Money, Number, Version
from .suggest import did_you_mean, listing, quoted
from .workdays import MAX_OFFSET

MAX_FACTS = 64
RESERVED = frozenset({"day", "any", "all"})
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "company": (),
    "person": ("at",),
    "version": (),
    "int": ("step",),
    "clock": ("step",),
    "day": (),
    "money": ("step",),
    "code": (),
    "one_of": (),
    "flag": (),
}
_RANGE = re.compile(r"(-?[0-9]{1,12})\.\.(-?[0-9]{1,12})")
_CLOCK_RANGE = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])\.\.([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DURATION = re.compile(r"(?:([0-9]{1,2})h)?(?:([0-9]{1,3})m)?")
_CHANCE = re.compile(r"([0-9]{1,3})/([0-9]{1,3})")


class SpecError(ValueError):
    """A fact that cannot be drawn; ``key`` is the part of its mapping at fault, if one is."""

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


def read_specs(raw: Mapping[str, Any]) -> tuple[dict[str, Kind], list[tuple[tuple[str, ...], str]]]:
    """The kinds of a scenario's facts, and for each that has none the path and a sentence.

    Beyond each fact by itself: at most 64 facts, ``at`` names a company, and a pool holds enough values for
    the facts that must differ.
    """
    specs: dict[str, Kind] = {}
    wrong: list[tuple[tuple[str, ...], str]] = []
    if len(raw) > MAX_FACTS:
        wrong.append(((), f"a scenario has at most {MAX_FACTS} facts, not {len(raw)}"))
        return specs, wrong
    for name, spec in raw.items():
        try:
            if not NAME.fullmatch(name) or name in RESERVED:
                raise SpecError("a fact's name is lower-case letters, digits and _, and not day, any or all")
            specs[name] = read_spec(spec)
        except SpecError as why:
            wrong.append(((name, why.key) if why.key else (name,), str(why)))
    for name, kind in specs.items():
        if isinstance(kind, Person) and kind.at and kind.at in raw and kind.at not in specs:
            continue
        if isinstance(kind, Person) and kind.at and not isinstance(specs.get(kind.at), Company):
            companies = [other for other, known in specs.items() if isinstance(known, Company)]
            allowed = listing(companies)
            wrong.append(((name, "at"), f"{quoted(kind.at)} is no company fact; allowed: {allowed}"))
    earlier: dict[str, int] = {}
    for name in sorted(specs):
        category = next((mark.split(":")[0] for mark in specs[name].marks(0)), "")
        count = earlier.get(category, 0)
        if category and specs[name].pool_size <= count:
            size = specs[name].pool_size
            wrong.append(((name,), f"a pool of {size} cannot differ from {count} other facts of this kind: widen it"))
        earlier[category] = count + 1
    return specs, wrong


def read_spec(raw: object) -> Kind:
    """The kind that one fact's mapping describes. Raises SpecError."""
    if not isinstance(raw, Mapping) or not raw:
        raise SpecError("a fact is a mapping with one kind: " + ", ".join(_OPTIONS))
    kinds = [key for key in raw if key in _OPTIONS]
    if len(kinds) != 1:
        unknown = next((key for key in raw if key not in _OPTIONS), None)
        hint = did_you_mean(unknown, _OPTIONS) if unknown and not kinds else ""
        raise SpecError(f"a fact has exactly one kind: {', '.join(_OPTIONS)}{hint}")
    kind = kinds[0]
    for key in raw:
        if key != kind and key not in _OPTIONS[kind]:
            options = ", ".join(_OPTIONS[kind]) or "nothing"
            raise SpecError(f"{quoted(key)}: beside {kind} stands {options}{did_you_mean(key, _OPTIONS[kind])}", key)
    return _READERS[kind](raw[kind], raw)


def _company(value: object, raw: Mapping[str, Any]) -> Kind:
    if value != 1 or isinstance(value, bool):
        raise SpecError("written company: 1, one company for each fact", "company")
    return Company()


def _person(value: object, raw: Mapping[str, Any]) -> Kind:
    at = raw.get("at")
    if value == "colleague" and at is None:
        return Person()
    if value == "client" and isinstance(at, str):
        return Person(at)
    raise SpecError("written {person: colleague}, or {person: client, at: FACT} with a company fact", "person")


def _version(value: object, raw: Mapping[str, Any]) -> Kind:
    if not isinstance(value, list | tuple) or not 2 <= len(value) <= 4:
        raise SpecError("a version is 2 to 4 ranges, such as [2..4, 0..19, 0..9]", "version")
    ranges = []
    for part in value:
        low, high = _range(part, "version", 0, 9999) if not _whole(part) else (part, part)
        ranges.append((low, high))
    return Version(tuple(ranges))


def _int(value: object, raw: Mapping[str, Any]) -> Number:
    low, high = _range(value, "int", 0, 10**9)
    return Number(low, high, _step(raw.get("step", 1), low, high))


def _money(value: object, raw: Mapping[str, Any]) -> Kind:
    low, high = _range(value, "money", 1, 10**9)
    return Money(Number(low, high, _step(raw.get("step", 1), low, high)))


def _clock(value: object, raw: Mapping[str, Any]) -> Kind:
    found = _CLOCK_RANGE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise SpecError("a clock is a range of times, such as 13:00..16:00", "clock")
    low, high = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    step = minutes(raw.get("step", "1m"))
    if high < low or not step or (high > low and step > high - low):
        raise SpecError("a clock runs from earlier to later in steps such as 15m, 30m or 1h", "step")
    return Clock(low, high, step)


def _day(value: object, raw: Mapping[str, Any]) -> Kind:
    return Day(*_range(value, "day", -MAX_OFFSET, MAX_OFFSET))


def _code(value: object, raw: Mapping[str, Any]) -> Kind:
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9#@][A-Za-z0-9#@/._ -]{0,29}", value)
    if not plain or not re.search("[#@]", str(value)):
        raise SpecError("a code is a template such as TKT-####: # is a digit, @ a capital letter", "code")
    return Code(str(value))


def _one_of(value: object, raw: Mapping[str, Any]) -> Kind:
    if isinstance(value, list | tuple) and 2 <= len(value) <= 500:
        texts = tuple(value)
        patterns: tuple[str, ...] | None = None
    elif isinstance(value, Mapping) and 2 <= len(value) <= 500:
        texts, patterns = tuple(value), tuple(value.values())
    else:
        raise SpecError("written [a, b, …], or {value: pattern of its accepted spellings, …}, 2 to 500", "one_of")
    for text in texts + (patterns or ()):
        if not isinstance(text, str) or not text.strip() or len(text) > 200:
            raise SpecError(f"{quoted(text)}: values are texts of 1 to 200 characters; put quotes around it", "one_of")
        if "{{" in text:
            raise SpecError(f"'{text}': a value holds no placeholder, it is never rendered again", "one_of")
    if len({text.casefold() for text in texts}) != len(texts):
        raise SpecError("the values must differ in more than capitals", "one_of")
    for pattern in patterns or ():
        try:
            re2_compiled(pattern)
        except Exception as why:
            raise SpecError(f"{quoted(pattern)}: RE2 cannot take this pattern: {re2_reason(why)}", "one_of") from None
    return OneOf(texts, patterns) if patterns else OneOf.of(texts)


def re2_reason(why: Exception) -> str:
    """What RE2 says about a pattern, as text."""
    reason = why.args[0] if why.args else why
    said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return said if len(said) <= 120 else f"{said[:120]}…"


def _flag(value: object, raw: Mapping[str, Any]) -> Kind:
    found = _CHANCE.fullmatch(value) if isinstance(value, str) else None
    if not found or not 0 < int(found[1]) < int(found[2]):
        raise SpecError("a flag is a chance between 0 and 1, such as 1/2", "flag")
    return Flag(Fraction(int(found[1]), int(found[2])))


_READERS: Mapping[str, Callable[[Any, Mapping[str, Any]], Kind]] = {
    "company": _company,
    "person": _person,
    "version": _version,
    "int": _int,
    "clock": _clock,
    "day": _day,
    "money": _money,
    "code": _code,
    "one_of": _one_of,
    "flag": _flag,
}


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 9999


def _range(value: object, key: str, least: int, most: int) -> tuple[int, int]:
    found = _RANGE.fullmatch(value) if isinstance(value, str) else None
    low, high = (int(found[1]), int(found[2])) if found else (1, 0)
    if not least <= low <= high <= most:
        raise SpecError(f"a range from LOW..HIGH, within {least}..{most}", key)
    return low, high


def _step(value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool | Decimal) or not 1 <= value <= max(1, high - low):
        raise SpecError("a step is a whole number from 1 up to the width of the range", "step")
    return value


def minutes(text: object) -> int | None:
    """The minutes of ``45m``, ``1h`` or ``1h30m``; None if it is none of them."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not found or found[0] == "":
        return None
    return int(found[1] or 0) * 60 + int(found[2] or 0)
