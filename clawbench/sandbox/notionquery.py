"""Notion's filter, sort and property objects over flat task records."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..world import Record
from .moments import moment_of
from .options import shown

Predicate = Callable[[Record], bool]

_ALIASES = {
    "name": "title",
    "task": "title",
    "due": "due_date",
    "deadline": "due_date",
    "date": "due_date",
    "owner": "assignee",
    "assigned_to": "assignee",
    "assignees": "assignee",
    "assign": "assignee",
    "tags": "labels",
    "tag": "labels",
    "label": "labels",
    "state": "status",
    "created_time": "created",
    "created_at": "created",
    "last_edited_time": "updated",
    "last_edited": "updated",
    "updated_at": "updated",
}
_PRIORITIES = ("lowest", "low", "minor", "normal", "medium", "major", "high", "urgent", "highest", "critical")
_SEPARATORS = re.compile(r"[\s._-]+")
_MAX_DEPTH = 6
_MAX_CONDITIONS = 100
_MAX_LIST = 50
_MAX_TEXT = 20_000
_SPANS = {"past": -1, "next": 1}
_LENGTHS = {"week": 7, "month": 31, "year": 366}


class QueryInvalid(ValueError):
    """A filter, sort or property that means nothing; the text is the service's answer."""


def property_key(name: str) -> str:
    """``Due date`` is ``due_date``: how a property's name is spelled in a task record."""
    key = "_".join(name.strip().lower().replace("-", " ").split())
    return _ALIASES.get(key, key)


def folded(value: Any) -> str:
    """``In progress``, ``in_progress`` and ``IN-PROGRESS`` are one value."""
    return _SEPARATORS.sub(" ", str(value).strip().lower())


def compiled_filter(value: Any, known: frozenset[str], now: datetime) -> Predicate:
    """The predicate of a ``filter`` object; an absent or empty one keeps everything. Raises QueryInvalid."""
    if value in (None, {}):
        return lambda record: True
    left = [_MAX_CONDITIONS]
    return _filter(value, known, now, left, _MAX_DEPTH)


def _filter(value: Any, known: frozenset[str], now: datetime, left: list[int], depth: int) -> Predicate:
    if not isinstance(value, dict):
        raise QueryInvalid(f"filter should be an object, instead was {shown(str(value))}")
    left[0] -= 1
    if depth <= 0 or left[0] < 0:
        raise QueryInvalid("filter is nested too deeply or has too many conditions")
    for word, combine in (("and", all), ("or", any)):
        if word in value:
            parts = value[word]
            if not isinstance(parts, list):
                raise QueryInvalid(f"filter.{word} should be an array")
            tests = [_filter(part, known, now, left, depth - 1) for part in parts]
            return lambda record, combine=combine, tests=tests: combine(test(record) for test in tests)  # type: ignore[misc]
    name = value.get("property", value.get("timestamp"))
    if not isinstance(name, str):
        raise QueryInvalid("filter needs property, timestamp, and or or")
    key = _known(name, known)
    conditions = [
        condition
        for kind, given in value.items()
        if kind not in ("property", "timestamp", "type")
        for condition in (given.items() if isinstance(given, dict) else [(kind, given)])
    ]
    if not conditions:
        raise QueryInvalid(f"filter on {shown(name)} needs a condition such as equals")
    checks = [_condition(str(operator), wanted, now) for operator, wanted in conditions[:_MAX_LIST]]
    return lambda record: all(check(record.data.get(key)) for check in checks)


def _known(name: str, known: frozenset[str]) -> str:
    key = property_key(name)
    if key not in known:
        raise QueryInvalid(
            f"Could not find property with name or id: {shown(name)}; there are {', '.join(sorted(known))}"
        )
    return key


def _condition(operator: str, wanted: Any, now: datetime) -> Callable[[Any], bool]:
    if operator in ("is_empty", "is_not_empty"):
        empty = (operator == "is_empty") == (wanted is not False)
        return lambda value: (value in (None, "", [])) == empty
    if operator in _TEXT_TESTS:
        test = _TEXT_TESTS[operator]
        target = folded(plain_value(wanted))
        negative = operator.startswith("does_not")
        day = _day(wanted, now) if operator in ("equals", "does_not_equal") else None

        def compares(value: Any) -> bool:
            if day is not None and _day(value, now) == day:
                return not negative
            values = value if isinstance(value, (list, tuple)) else [value]
            hits = [test(folded("" if one is None else one), target) for one in values]
            return all(hits) if negative else any(hits)

        return compares
    if operator in _NUMBER_TESTS:
        bound = _number(wanted)
        if bound is None:
            raise QueryInvalid(f"{operator} needs a number")
        return lambda value: (number := _number(value)) is not None and _NUMBER_TESTS[operator](number, bound)
    return _date_condition(operator, wanted, now)


def _date_condition(operator: str, wanted: Any, now: datetime) -> Callable[[Any], bool]:
    if operator in _DATE_TESTS:
        bound = _day(wanted, now)
        if bound is None:
            raise QueryInvalid(f"{operator} needs an ISO 8601 date, instead was {shown(str(wanted))}")
        test = _DATE_TESTS[operator]
        return lambda value: (day := _day(value, now)) is not None and test(day, bound)
    side, _, length = operator.partition("_")
    today = now.date().isoformat()
    if operator == "this_week":
        # weeks begin on Sunday, as in Notion
        sunday = now.date() - timedelta(days=(now.weekday() + 1) % 7)
        first, last = sunday.isoformat(), (sunday + timedelta(days=6)).isoformat()
    elif side in _SPANS and length in _LENGTHS:
        other = (now.date() + _SPANS[side] * timedelta(days=_LENGTHS[length])).isoformat()
        first, last = min(today, other), max(today, other)
    else:
        known = sorted((*_TEXT_TESTS, *_NUMBER_TESTS, *_DATE_TESTS, "is_empty", "is_not_empty", "this_week"))
        raise QueryInvalid(f"unknown condition {shown(operator)}; there are {', '.join(known)}")
    return lambda value: (day := _day(value, now)) is not None and first <= day <= last


def _day(value: Any, now: datetime) -> str | None:
    """The day a value names, as ISO text, in the persona's zone."""
    if isinstance(value, dict):
        value = value.get("start")
    moment = moment_of(value, now) if isinstance(value, str) and value else None
    return None if moment is None else moment.at.astimezone(now.tzinfo).date().isoformat()


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "equals": lambda value, wanted: value == wanted,
    "does_not_equal": lambda value, wanted: value != wanted,
    "contains": lambda value, wanted: wanted in value,
    "does_not_contain": lambda value, wanted: wanted not in value,
    "starts_with": lambda value, wanted: value.startswith(wanted),
    "ends_with": lambda value, wanted: value.endswith(wanted),
}
_NUMBER_TESTS: dict[str, Callable[[float, float], bool]] = {
    "greater_than": lambda value, bound: value > bound,
    "less_than": lambda value, bound: value < bound,
    "greater_than_or_equal_to": lambda value, bound: value >= bound,
    "less_than_or_equal_to": lambda value, bound: value <= bound,
}
_DATE_TESTS: dict[str, Callable[[str, str], bool]] = {
    "before": lambda day, bound: day < bound,
    "after": lambda day, bound: day > bound,
    "on_or_before": lambda day, bound: day <= bound,
    "on_or_after": lambda day, bound: day >= bound,
}


def sorted_by(records: Sequence[Record], sorts: Any, known: frozenset[str]) -> list[Record]:
    """The records by a ``sorts`` array; an empty value comes last. Raises QueryInvalid."""
    if sorts in (None, []):
        return list(records)
    if not isinstance(sorts, list) or len(sorts) > _MAX_LIST:
        raise QueryInvalid("sorts should be an array of at most 50")
    found = list(records)
    for sort in reversed(sorts):
        if not isinstance(sort, dict):
            raise QueryInvalid("a sort should be an object")
        name = sort.get("property", sort.get("timestamp"))
        if not isinstance(name, str):
            raise QueryInvalid("a sort needs property or timestamp")
        key = _known(name, known)
        descending = sort.get("direction") == "descending"
        filled = [record for record in found if record.data.get(key) not in (None, "", [])]
        empty = [record for record in found if record.data.get(key) in (None, "", [])]
        filled.sort(key=lambda record, key=key: _sort_value(key, record.data[key]), reverse=descending)  # type: ignore[misc]
        found = filled + empty
    return found


def _sort_value(key: str, value: Any) -> tuple[int, str]:
    text = folded(value)
    if key == "priority" and text in _PRIORITIES:
        return _PRIORITIES.index(text), ""
    return 0, str(value).lower()


def flat_properties(value: Any, known: frozenset[str]) -> dict[str, Any]:
    """A page's ``properties`` as fields of a task: every value object becomes a text or a list of texts.

    Raises QueryInvalid, also for a property that is not ``known``.
    """
    if not isinstance(value, dict):
        raise QueryInvalid("properties should be an object")
    fields: dict[str, Any] = {}
    for name, given in list(value.items())[:_MAX_LIST]:
        key = _known(str(name), known)
        if key != "id":
            plain = plain_value(given)
            fields[key] = [plain] if key == "labels" and isinstance(plain, str) else plain
    return fields


def plain_value(value: Any) -> Any:
    """A Notion property value as plain data: ``{"status": {"name": "Done"}}`` is ``"Done"``."""
    if isinstance(value, dict):
        for key in ("title", "rich_text", "text"):
            if key in value:
                return rich_text(value[key])
        for key in (
            "select",
            "status",
            "date",
            "multi_select",
            "people",
            "number",
            "checkbox",
            "url",
            "email",
        ):
            if key in value:
                inner = value[key]
                if isinstance(inner, list):
                    names = [_name(one) for one in inner[:_MAX_LIST]]
                    return names[0] if key == "people" and len(names) == 1 else names
                return _name(inner) if isinstance(inner, dict) else plain_value(inner)
        return _name(value)
    if isinstance(value, list):
        if value and all(isinstance(one, dict) for one in value):
            return (
                rich_text(value)
                if any("text" in one or "plain_text" in one for one in value)
                else [_name(one) for one in value[:_MAX_LIST]]
            )
        return [str(one)[:_MAX_TEXT] for one in value[:_MAX_LIST]]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)[:_MAX_TEXT]


def rich_text(value: Any) -> str:
    """The text of a rich-text array, a single run, or a plain text."""
    if isinstance(value, list):
        return "".join(rich_text(one) for one in value[:_MAX_LIST] if not isinstance(one, list))[:_MAX_TEXT]
    if isinstance(value, dict):
        text = value.get("plain_text")
        inner = value.get("text")
        if text is None:
            text = inner.get("content", "") if isinstance(inner, dict) else inner or value.get("content", "")
        return str(text)[:_MAX_TEXT]
    return "" if value is None else str(value)[:_MAX_TEXT]


def _name(value: Any) -> str:
    if isinstance(value, Mapping):
        person = value.get("person")
        for given in (value.get("name"), value.get("start"), value.get("id")):
            if isinstance(given, str):
                return given[:_MAX_TEXT]
        if isinstance(person, Mapping):
            return str(person.get("email", ""))[:_MAX_TEXT]
        return rich_text(value)
    return "" if value is None else str(value)[:_MAX_TEXT]
