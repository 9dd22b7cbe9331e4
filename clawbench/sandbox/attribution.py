"""Whose text stands where: from lines or records to the spans of a result's body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..world import Record, World
from .jsontext import json_text
from .lines import Line
from .result import Span


def spans_of_lines(lines: Sequence[Line]) -> tuple[Span, ...]:
    """The spans of a text that is exactly ``lines``; neighbours of equal records are one span."""
    spans: list[Span] = []
    start = 0
    records: tuple[str, ...] = ()
    derived = False
    for number, line in enumerate(lines):
        if line.records is records and line.derived is derived:
            continue
        if line.records == records and line.derived == derived:
            continue
        if records:
            spans.append(Span(start, number - start, records, derived))
        start, records, derived = number, line.records, line.derived
    if records:
        spans.append(Span(start, len(lines) - start, records, derived))
    return tuple(spans)


def entry_size(record: Record, world: World) -> int:
    """How many lines a record's data takes as indented JSON."""
    return line_count(record.data)


def line_count(value: Any) -> int:
    """How many lines ``value`` takes as indented JSON."""
    return json_text(value).count("\n") + 1 if isinstance(value, (Mapping, list, tuple)) else 1


def spans_of_list(result: Mapping[str, Any], name: str, entries: Iterable[tuple[str | None, int]]) -> tuple[Span, ...]:
    """The spans of a JSON result whose key ``name`` holds a list; ``entries`` gives each element's record and
    its number of lines."""
    line = _line_of(result, name) + 1
    spans = []
    for ref, count in entries:
        if ref is not None:
            spans.append(Span(line, count, (ref,)))
        line += count
    return tuple(spans)


def spans_of_keys(
    result: Mapping[str, Any], refs: Mapping[str, tuple[str, ...]], derived: bool = False
) -> tuple[Span, ...]:
    """The spans of a JSON result whose keys ``refs`` hold text of these records."""
    return tuple(
        Span(_line_of(result, name), line_count(result[name]), records, derived)
        for name, records in refs.items()
        if records
    )


def _line_of(result: Mapping[str, Any], name: str) -> int:
    line = 1
    for key, value in result.items():
        if key == name:
            break
        line += line_count(value)
    return line
