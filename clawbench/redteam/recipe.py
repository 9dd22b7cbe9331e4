"""The recipe: the calls of a run that did the work on another day, and its answer with values by their place.

Where the other day's answer has a value, the recipe looks where that value stood in what was read then (which call,
which record, the how-manieth value of its kind) and takes what stands there today.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import orjson

from ..patterns import own_pattern
from .conversation import Act, Call, Seen, Shown
from .perfect import Day, records_in

_ID = re.compile(r'"(?:id|number|channelId)": "?([\w.-]+)')
_PULL = re.compile(r"^#?(\d+)\t", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: the call, the record in its result, the value in the record; all counted from 0.

    ``record`` is negative if it counts from the end.
    """

    call: int
    record: int
    value: int


def replayed(donor: Day, *, by_position: bool) -> tuple[Act, ...]:
    """The donor's calls, turn by turn; ``by_position`` with today's ids at the places of the donor's."""

    def act(turn: int) -> Act:
        def made(seen: Seen) -> Sequence[Call]:
            ids = _ids(donor.turns[:turn], seen.turns[:turn]) if by_position else {}
            return [call for shown in donor.turns[turn] if (call := _call(shown, ids)) is not None]

        return made

    return tuple(act(turn) for turn in range(len(donor.turns)))


def _call(shown: Shown, ids: Mapping[str, str]) -> Call | None:
    text = shown.arguments
    if ids:
        known = "|".join(sorted(map(re.escape, ids), key=len, reverse=True))
        text = re.sub(rf"(?<![\w-])(?:{known})(?![\w-])", lambda found: ids[found[0]], text)
    try:
        arguments = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return (shown.tool, arguments) if isinstance(arguments, dict) else None


def _ids(then: Sequence[Sequence[Shown]], now: Sequence[Sequence[Shown]]) -> dict[str, str]:
    """The donor's ids, each with the one that stands at its place today."""
    found: dict[str, str] = {}
    for before, today in zip(chain(*then), chain(*now), strict=False):
        for pattern in (_ID, _PULL):
            for old, new in zip(pattern.findall(before.text), pattern.findall(today.text), strict=False):
                found.setdefault(old, new)
    return found


def refilled(donor: Day, today: Day, answer: str, *, last: bool, from_end: bool) -> Callable[[Seen], str]:
    """Says ``answer`` of the donor's day with today's values, taken by their place.

    ``last`` takes the last place at which a value stood, else the first; ``from_end`` counts records from the end.
    """
    places = _slots(donor, answer, last=last, from_end=from_end)

    def say(seen: Seen) -> str:
        text = answer
        for (start, end), name, place in reversed(places):
            value = _value_at(today, seen, name, place)
            if value is not None:
                text = text[:start] + value + text[end:]
        return text

    return say


def _value_at(today: Day, seen: Seen, name: str, place: Place) -> str | None:
    calls = seen.calls
    if place.call >= len(calls):
        return None
    records = records_in(calls[place.call].text)
    if not -len(records) <= place.record < len(records):
        return None
    values = today.values(name, records[place.record])
    return values[place.value][0] if place.value < len(values) else None


def _slots(donor: Day, answer: str, *, last: bool, from_end: bool) -> list[tuple[tuple[int, int], str, Place]]:
    """The values of the donor's answer that stood in what was read: where in the answer, which fact, which place."""
    spans: list[tuple[int, int, str]] = []
    raw = answer.encode()
    for name, fact in donor.facts.items():
        for match in own_pattern(fact.pattern).finditer(raw):
            start, end = match.span()
            spans.append((len(raw[:start].decode()), len(raw[:end].decode()), name))
    found = []
    taken = 0
    for start, end, name in sorted(spans, key=lambda span: (span[0], -span[1])):
        place = _place(donor, name, last=last, from_end=from_end) if start >= taken else None
        if place is not None:
            found.append(((start, end), name, place))
            taken = end
    return found


def _place(donor: Day, name: str, *, last: bool, from_end: bool) -> Place | None:
    true = donor.facts[name].canon(donor.facts[name].text)
    places = []
    for call, shown in enumerate(chain(*donor.turns)):
        records = records_in(shown.text)
        for number, record in enumerate(records):
            for order, (_, canon) in enumerate(donor.values(name, record)):
                if canon == true:
                    places.append(Place(call, number - len(records) if from_end else number, order))
                    break
    return (places[-1] if last else places[0]) if places else None
