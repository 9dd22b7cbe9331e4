"""YAML from strangers: one plain document, with the place where every key stands.

Built from the parser's events, so nothing that expands, overrides or constructs ever runs: aliases, anchors,
tags and merge keys are errors, and so are duplicate keys, keys that are not text, a second document, and a
file that is too large or too deep.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from .errors import InvalidInput, Problem, ScenarioInvalid
from .suggest import LONGEST, quoted

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000
MAX_PROBLEMS = 100
MAX_NUMBER = 400
"""Characters of a number: far more than any use, far fewer than make one slow."""

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Positions:
    """Where the values of a file stand. ``marks`` maps a path of keys and indexes to (line, column), from 1:
    that of the key for an entry of a mapping, that of the value for an item of a list. ``written`` keeps the
    text of plain scalars that YAML reads as something else than text."""

    source: str
    marks: Mapping[KeyPath, tuple[int, int]] = field(default_factory=dict)
    written: Mapping[KeyPath, str] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int:
        """The line of ``path``, or of the nearest thing around it that the file has."""
        for end in range(len(path), -1, -1):
            if (mark := self.marks.get(path[:end])) is not None:
                return mark[0]
        return 1

    def where(self, path: KeyPath) -> str:
        """``file:line: key.path``."""
        spelled = spell(path)
        return f"{self.source}:{self.line(path)}" + (f": {spelled}" if spelled else "")


def spell(path: KeyPath) -> str:
    """A path as people write it: ``scoring.checks[3].pattern``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part[:LONGEST]}" if text else part[:LONGEST]
    return text


def load(
    source: Path | str, *, name: str = "", kind: str = "SCENARIO", error: type[InvalidInput] = ScenarioInvalid
) -> tuple[Any, Positions]:
    """The value of a YAML file (a Path) or text (a str), and its positions.

    Scalars mean what ``yaml.safe_load`` makes of them, except that floats become ``Decimal`` of their text
    and timestamps stay text. ``name`` is what problems call the source; ``kind`` begins the codes of what
    is wrong with the file as such (``SCENARIO_MISSING``). Raises ``error`` with every problem that could be
    found.
    """
    name = name or (str(source) if isinstance(source, Path) else "<text>")
    raw = read_capped(source, name, kind, error) if isinstance(source, Path) else source.encode("utf-8", "replace")
    if len(raw) > MAX_BYTES:
        raise error.of(f"{kind}_TOO_LARGE", f"a file has at most {MAX_BYTES // 1024} KiB", name)
    return parse(raw, name, kind, error)


def read_capped(path: Path, name: str, kind: str, error: type[InvalidInput], cap: int = MAX_BYTES) -> bytes:
    """The bytes of a regular file of at most ``cap`` bytes; never waits on a pipe or reads past the cap."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise error.of(f"{kind}_MISSING", "there is no such file", name) from None
    except (OSError, ValueError) as why:
        reason = why.strerror if isinstance(why, OSError) and why.strerror else str(why)
        raise error.of(f"{kind}_MISSING", f"the file cannot be opened: {reason}", name) from None
    too_large = error.of(f"{kind}_TOO_LARGE", f"a file has at most {cap // 1024} KiB", name)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise error.of(f"{kind}_MISSING", "this is not a regular file", name)
        if status.st_size > cap:
            raise too_large
        with open(handle, "rb", closefd=False) as file:
            raw = file.read(cap + 1)
    except OSError as why:
        raise error.of(f"{kind}_MISSING", f"the file cannot be read: {why.strerror}", name) from None
    finally:
        os.close(handle)
    if len(raw) > cap:
        raise too_large
    return raw


def parse(raw: bytes, name: str, kind: str, error: type[InvalidInput]) -> tuple[Any, Positions]:
    """The value and positions of the UTF-8 text ``raw``; see :func:`load`."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as why:
        line = raw.count(b"\n", 0, why.start) + 1
        column = why.start - raw.rfind(b"\n", 0, why.start)
        raise error.of("YAML_ENCODING", "the file is not UTF-8", f"{name}:{line}:{column}") from None
    builder = _Builder(name, text.removeprefix("\ufeff"))
    value = builder.document()
    if builder.problems:
        raise error(builder.problems)
    if value is None:
        raise error.of(f"{kind}_EMPTY", "the file is empty", name)
    return value, Positions(name, builder.marks, builder.written)


class _Stop(Exception):
    """Nothing after this can be read."""


class _Builder:
    """Turns events into values, noting marks and problems as it goes."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.marks: dict[KeyPath, tuple[int, int]] = {}
        self.written: dict[KeyPath, str] = {}
        self.problems: list[Problem] = []
        self.nodes = 0

    def document(self) -> Any:
        try:
            loader = yaml.CSafeLoader(self.text)
        except (yaml.YAMLError, ValueError) as why:
            self._syntax(why)
            return None
        self.next = cast(Callable[[], Any], loader.get_event)
        try:
            self.next()  # the stream begins
            event = self.next()
            if not isinstance(event, DocumentStartEvent):
                return None
            value = self._value(self.next(), (), 0)
            self.next()  # the document ends
            event = self.next()
            if isinstance(event, DocumentStartEvent):
                self._problem("YAML_DOCUMENTS", event, "a file is one document: remove this '---'")
            return value
        except (yaml.YAMLError, ValueError, RecursionError) as why:
            self._syntax(why)
        except _Stop:
            pass
        finally:
            loader.dispose()
        return None

    def _value(self, event: Any, path: KeyPath, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._problem("YAML_TOO_MANY_NODES", event, f"a file has at most {MAX_NODES:,} values")
            raise _Stop
        if isinstance(event, AliasEvent):
            self._problem("YAML_ALIAS", event, f"{quoted(f'*{event.anchor}')}: write the value out")
            raise _Stop
        if event.anchor is not None:
            self._problem("YAML_ALIAS", event, f"{quoted(f'&{event.anchor}')}: remove it, anchors are not read")
            raise _Stop
        if event.tag is not None:
            self._problem("YAML_TAG", event, f"{quoted(event.tag)}: remove it, tags are not read")
        if isinstance(event, ScalarEvent):
            return self._scalar(event, path)
        if depth >= MAX_DEPTH:
            self._problem("YAML_NESTING", event, f"values are nested at most {MAX_DEPTH} deep")
            raise _Stop
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path, depth)
        if isinstance(event, MappingStartEvent):
            return self._mapping(path, depth)
        raise _Stop

    def _sequence(self, path: KeyPath, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self.next(), SequenceEndEvent):
            inner = (*path, len(items))
            mark = event.start_mark
            self.marks[inner] = (mark.line + 1, mark.column + 1)
            items.append(self._value(event, inner, depth + 1))
        return items

    def _mapping(self, path: KeyPath, depth: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := self.next(), MappingEndEvent):
            key = self._key(event, depth)
            inner = (*path, key)
            if key in entries:
                first = self.marks[inner][0]
                self._problem(
                    "YAML_DUPLICATE_KEY",
                    event,
                    f"{quoted(key)} is here twice, first in line {first}",
                    inner,
                )
                self._value(self.next(), (*path, key, "again"), depth + 1)
                continue
            mark = event.start_mark
            self.marks[inner] = (mark.line + 1, mark.column + 1)
            entries[key] = self._value(self.next(), inner, depth + 1)
        return entries

    def _key(self, event: Any, depth: int) -> str:
        self.nodes += 1
        if isinstance(event, ScalarEvent) and event.anchor is None and event.tag is None:
            if event.implicit[0] and event.value == "<<":
                self._problem("YAML_MERGE_KEY", event, "'<<': write the keys out, merge keys are not read")
            elif not isinstance(self._scalar(event, None), str):
                self._problem(
                    "YAML_KEY", event, f"'{event.value[:40]}': a key is text, put it in quotes if you mean it"
                )
            return str(event.value)
        code = "YAML_ALIAS" if isinstance(event, AliasEvent) or event.anchor else "YAML_KEY"
        self._problem(code, event, "a key is plain text")
        if code == "YAML_ALIAS" or not isinstance(event, ScalarEvent):
            raise _Stop
        return str(event.value)

    def _scalar(self, event: Any, path: KeyPath | None) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            return text
        value = _resolve(text)
        if value is _UNREADABLE:
            self._problem("YAML_NUMBER", event, "this number cannot be read: put it in quotes if it is text")
            return None
        if path is not None and not isinstance(value, str):
            self.written[path] = text
        return value

    def _problem(self, code: str, event: Any, message: str, path: KeyPath = ()) -> None:
        mark = event.start_mark
        place = f"{self.name}:{mark.line + 1}:{mark.column + 1}"
        spelled = spell(path)
        self.problems.append(Problem(code, f"{place}: {spelled}" if spelled else place, message))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Stop

    def _syntax(self, why: Exception) -> None:
        place, reason = self.name, str(why)
        if isinstance(why, yaml.MarkedYAMLError):
            mark = why.problem_mark or why.context_mark
            if mark is not None:
                place = f"{self.name}:{mark.line + 1}:{mark.column + 1}"
            reason = ", ".join(part for part in (why.context, why.problem) if part)
        elif isinstance(why, yaml.reader.ReaderError):
            offset = why.position if isinstance(why.position, int) else 0
            before = self.text.encode()[:offset]
            column = len(before) - before.rfind(b"\n")
            place = f"{self.name}:{before.count(10) + 1}:{column}"
            reason = why.reason
        elif isinstance(why, RecursionError):
            reason = "nested too deep"
        self.problems.append(Problem("YAML_SYNTAX", place, f"this is not YAML: {reason}"))


_UNREADABLE = object()
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_BOOL = "tag:yaml.org,2002:bool"
_NULL = "tag:yaml.org,2002:null"
_RESOLVERS: dict[str, list[tuple[str, Any]]] = yaml.CSafeLoader.yaml_implicit_resolvers
_TRUE = frozenset({"yes", "true", "on"})


def _resolve(text: str) -> Any:
    """What a plain scalar means in YAML 1.1, as ``yaml.safe_load`` reads it."""
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            if tag == _INT:
                return _number(text, _integer)
            if tag == _FLOAT:
                return _number(text, _decimal)
            if tag == _BOOL:
                return text.lower() in _TRUE
            return None if tag == _NULL else text
    return text


def _number(text: str, read: Any) -> Any:
    if len(text) > MAX_NUMBER:
        return _UNREADABLE
    try:
        return read(text.replace("_", "").lower())
    except (ValueError, InvalidOperation):
        return _UNREADABLE


def _integer(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    if digits.startswith(("0b", "0x")):
        return sign * int(digits[2:], 2 if digits[1] == "b" else 16)
    if ":" in digits:
        return sign * int(_sexagesimal(digits))
    return sign * int(digits, 8 if digits.startswith("0") and digits != "0" else 10)


def _decimal(text: str) -> Decimal:
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    if digits in (".inf", ".nan"):
        return Decimal("NaN") if digits == ".nan" else sign * Decimal("Infinity")
    return sign * (_sexagesimal(digits) if ":" in digits else Decimal(digits))


def _sexagesimal(digits: str) -> Decimal:
    total = Decimal(0)
    for part in digits.split(":"):
        total = total * 60 + Decimal(part)
    return total
