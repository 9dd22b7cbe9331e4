"""Lines of command output, each knowing whose text it carries, and JSON written as such lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .jsontext import json_text


@dataclass(frozen=True, slots=True)
class Line:
    """One line of command output, without its newline, and the records whose text it carries.

    ``derived`` says that a command made the line out of those records instead of passing it on.
    """

    text: str
    records: tuple[str, ...] = ()
    derived: bool = False


Fragment = tuple[Line, ...]
"""One JSON value as indented lines, without a comma behind it."""

_OPEN_OBJECT, _CLOSE_OBJECT = Line("{"), Line("}")
_OPEN_ARRAY, _CLOSE_ARRAY, _EMPTY_ARRAY = Line("["), Line("]"), Line("[]")


def text_lines(text: str, records: tuple[str, ...] = ()) -> list[Line]:
    """A text's lines, every one attributed to ``records``; no text is no line."""
    if not text:
        return []
    return [Line(row, records) for row in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def fragment(value: Any, records: tuple[str, ...] = (), indent: int = 0) -> Fragment:
    """``value`` as JSON, indented by two and shifted right by ``indent`` blanks."""
    pad = " " * indent
    return tuple(Line(pad + row, records) for row in json_text(value).split("\n"))


def array_lines(fragments: Iterable[Fragment]) -> list[Line]:
    """A JSON array of fragments that are indented by two."""
    inner = _joined(fragments)
    return [_OPEN_ARRAY, *inner, _CLOSE_ARRAY] if inner else [_EMPTY_ARRAY]


def listing_lines(name: str, fragments: Iterable[Fragment], more: Mapping[str, Any] | None = None) -> list[Line]:
    """A JSON object whose first key holds an array of fragments (indented by four); ``more`` follows it."""
    inner = _joined(fragments)
    rest = [Line(row) for row in json_text(dict(more)).split("\n")[1:-1]] if more else []
    comma = "," if rest else ""
    if inner:
        head, tail = [Line(f'  "{name}": [')], [Line(f"  ]{comma}")]
    else:
        head, tail = [Line(f'  "{name}": []{comma}')], []
    return [_OPEN_OBJECT, *head, *inner, *tail, *rest, _CLOSE_OBJECT]


def _joined(fragments: Iterable[Fragment]) -> list[Line]:
    lines: list[Line] = []
    for part in fragments:
        if lines:
            last = lines[-1]
            lines[-1] = Line(last.text + ",", last.records, last.derived)
        lines.extend(part)
    return lines


def plain_text(lines: Sequence[Line]) -> str:
    """The lines as one text."""
    return "\n".join([line.text for line in lines])
