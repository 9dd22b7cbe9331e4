"""Reading a scenario's fixture folder: JSON records, memory and workspace files, unrendered.

Nothing outside the folder is read: names that lead out of it, through ``..`` or a link, are as if missing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from .errors import InvalidInput, Problem, ScenarioInvalid
from .fixtureshapes import LISTS, shape_problems
from .suggest import quoted
from .yamlfile import read_capped

MAX_FILE = 2 * 1024 * 1024
MAX_TOTAL = 8 * 1024 * 1024
MAX_MEMORY_FILES = 64
MAX_DEPTH = 32
MAX_DUPLICATES = 20
SEARCHES = "web_search_results.json"
PAGES = "web_pages.json"
ANY_QUERY = "*"
"""The query under which the plain-list form of web_search_results.json stands.

Its hits answer every query.
"""


@dataclass(frozen=True, slots=True)
class Condition:
    """``fact=value``, ``fact!=value``, ``flag`` or ``!flag``: when a record exists."""

    fact: str
    value: str
    equal: bool = True


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as its file has it, without ``key`` and ``if``. ``stem`` is what its id is drawn from."""

    ref: str
    stem: str
    data: Mapping[str, Any]
    conditions: tuple[Condition, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Fixtures:
    """Everything a fixture folder holds.

    ``records`` maps a kind (mail, event …) to its records in file order.
    """

    records: Mapping[str, tuple[RawRecord, ...]] = field(default_factory=dict)
    searches: Mapping[str, tuple[RawRecord, ...]] = field(default_factory=dict)
    pages: Mapping[str, RawRecord] = field(default_factory=dict)
    memory: Mapping[str, str] = field(default_factory=dict)
    workspace: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """The hash of every file read, by name."""
        return listing_hash(self.digests)

    def all_records(self) -> Iterator[RawRecord]:
        """Every record there is, of every kind."""
        for records in self.records.values():
            yield from records
        for hits in self.searches.values():
            yield from hits
        yield from self.pages.values()

    def refs(self) -> frozenset[str]:
        """Every ref that evidence may name."""
        found = {record.ref for record in self.all_records()}
        found |= {f"envelope/{record.ref.split('/', 1)[1]}" for record in self.records.get("mail", ())}
        found |= set(self.memory)
        found |= {f"file/{path}" for path in self.workspace}
        return frozenset(found)


def listing_hash(digests: Mapping[str, str]) -> str:
    """The sha256 of ``{hash}  {name}\\n`` for each file, by name: what ``sha256sum`` prints, hashed."""
    return sha256("".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()).hexdigest()


def read_fixtures(
    folder: Path, workspace: Mapping[str, str], variants: Mapping[str, str], *, own: bool
) -> tuple[Fixtures, list[Problem]]:
    """The fixtures of a folder, and all that is wrong with them.

    ``workspace`` maps a workspace path to a file of the folder, ``variants`` a policy's name to one.
    ``own`` adds the rules of our scenarios: no duplicate keys, shapes with their required keys, refs that
    are unique.
    """
    return _Reader(folder, own).read(workspace, variants)


def inner_file(folder: Path, name: str) -> Path | None:
    """The path of a file of ``folder``; None if it isn't there, or is elsewhere."""
    try:
        home = folder.resolve(strict=True)
        path = (home / name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    return path if path.is_relative_to(home) and path.is_file() else None


class _Reader:
    """Reads one folder, collecting problems."""

    def __init__(self, folder: Path, own: bool) -> None:
        self.folder = folder
        self.own = own
        self.problems: list[Problem] = []
        self.digests: dict[str, str] = {}
        self.total = 0

    def read(self, workspace: Mapping[str, str], variants: Mapping[str, str]) -> tuple[Fixtures, list[Problem]]:
        if not self.folder.is_dir():
            self._problem("FIXTURE_MISSING", str(self.folder), "there is no such fixture folder")
            return Fixtures(), self.problems
        records = {kind: self._list(file, kind) for file, kind in LISTS.items()}
        searches, pages = self._searches(), self._pages()
        memory = {name: text for name in self._memory_names() if (text := self._text(name)) is not None}
        files = dict(workspace)
        if "USER.md" not in files and inner_file(self.folder, "USER.md"):
            files["USER.md"] = "USER.md"
        placed = {}
        for path, name in sorted(files.items()):
            text = self._text(name)
            if text is not None:
                placed[path] = text
            elif inner_file(self.folder, name) is None:
                self._problem("FIXTURE_MISSING", str(self.folder / name), "the workspace names this file")
        for name in dict.fromkeys(variants.values()):
            if inner_file(self.folder, name) is None:
                self._problem("FIXTURE_MISSING", str(self.folder / name), "a variant names this file")
        found = Fixtures(
            {kind: found for kind, found in records.items() if found},
            searches,
            pages,
            memory,
            placed,
            self.digests,
        )
        if self.own:
            self._check_refs(found)
        return found, self.problems

    def _memory_names(self) -> list[str]:
        folder = self.folder / "memory"
        names = []
        if folder.is_dir():
            names = sorted(
                f"memory/{path.name}"
                for path in folder.iterdir()
                if path.suffix in (".md", ".json", ".txt") and not path.name.startswith(".")
            )
        if len(names) > MAX_MEMORY_FILES:
            self._problem("FIXTURE_TOO_LARGE", str(folder), f"at most {MAX_MEMORY_FILES} memory files")
            names = names[:MAX_MEMORY_FILES]
        return [*names, "MEMORY.md"] if inner_file(self.folder, "MEMORY.md") else names

    def _bytes(self, name: str) -> bytes | None:
        path = inner_file(self.folder, name)
        if path is None:
            return None
        try:
            raw = read_capped(path, str(self.folder / name), "FIXTURE", ScenarioInvalid, MAX_FILE)
        except InvalidInput as why:
            self.problems += why.problems
            return None
        self.total += len(raw)
        if self.total > MAX_TOTAL:
            limit = f"all files together have at most {MAX_TOTAL // 1024} KiB"
            self._problem("FIXTURE_TOO_LARGE", str(self.folder / name), limit)
            return None
        self.digests[name] = sha256(raw).hexdigest()
        return raw

    def _text(self, name: str) -> str | None:
        raw = self._bytes(name)
        if raw is None:
            return None
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as why:
            line = raw.count(b"\n", 0, why.start) + 1
            self._problem("FIXTURE_SHAPE", f"{self.folder / name}:{line}", "the file is not UTF-8")
            return None

    def _json(self, name: str) -> tuple[Any, str]:
        """The value of a JSON file (None if there is none, or it is broken) and its text."""
        text = self._text(name)
        if text is None:
            return None, ""
        where = str(self.folder / name)
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as why:
            self._problem("FIXTURE_JSON", f"{where}:{why.lineno}:{why.colno}", f"this is not JSON: {why.msg}")
            return None, ""
        if too_deep(value):
            self._problem("FIXTURE_JSON", where, f"values are nested at most {MAX_DEPTH} deep")
            return None, ""
        if self.own:
            for key in duplicate_keys(text):
                place = f"{where}:{_line_of(text, f'{chr(34)}{key}{chr(34)}')}"
                self._problem("FIXTURE_JSON", place, f"the key {quoted(key)} stands twice in one object")
        return value, text

    def _list(self, name: str, kind: str) -> tuple[RawRecord, ...]:
        value, text = self._json(name)
        if value is None:
            return ()
        where = str(self.folder / name)
        if not isinstance(value, list):
            self._problem("FIXTURE_SHAPE", where, "wants a list of objects")
            return ()
        lines = _Lines(text)
        return tuple(
            record
            for index, item in enumerate(value)
            if (record := self._record(item, kind, index, f"{where}:{{line}}: [{index}]", lines)) is not None
        )

    def _record(self, item: Any, kind: str, index: int, where: str, lines: _Lines, stem: str = "") -> RawRecord | None:
        place = _Place(where, lines, index)
        if not isinstance(item, dict):
            self._problem("FIXTURE_SHAPE", place.text(), "wants an object")
            return None
        if not self.own:
            stem = str(item.get("id", stem or index))
            return RawRecord(f"{kind}/{stem}", stem, item, (), where)
        for key, message in shape_problems(kind, item):
            self._problem("FIXTURE_SHAPE", place.text(key), message)
        data = {key: value for key, value in item.items() if key not in ("key", "if")}
        given = item.get("key", item.get("id", item.get("number", stem or f"#{index + 1}")))
        stem = str(given)
        if "{{" in stem:
            self._problem("FIXTURE_SHAPE", place.text("id"), "an id with a placeholder needs a key beside it")
        conditions = self._conditions(item.get("if"), place)
        return RawRecord(f"{kind}/{stem}", stem, data, conditions, place.text())

    def _conditions(self, raw: Any, place: _Place) -> tuple[Condition, ...]:
        found = []
        for text in raw if isinstance(raw, list) else [] if raw is None else [raw]:
            condition = read_condition(text)
            if condition is None:
                self._problem(
                    "FIXTURE_SHAPE",
                    place.text("if"),
                    'written "fact=value", "fact!=value", "flag" or "!flag"',
                )
            else:
                found.append(condition)
        return tuple(found)

    def _searches(self) -> dict[str, tuple[RawRecord, ...]]:
        value, text = self._json(SEARCHES)
        if value is None:
            return {}
        queries = {ANY_QUERY: value} if isinstance(value, list) else value
        if not isinstance(queries, dict) or not all(isinstance(hits, list) for hits in queries.values()):
            self._problem("FIXTURE_SHAPE", str(self.folder / SEARCHES), "wants lists of hits, by query")
            return {}
        lines = _Lines(text)
        found: dict[str, tuple[RawRecord, ...]] = {}
        for query, hits in queries.items():
            where = f"{self.folder / SEARCHES}:{_line_of(text, query)}: {query}"
            found[query] = tuple(
                record
                for index, hit in enumerate(hits)
                if (
                    record := self._record(
                        hit,
                        "search",
                        index,
                        f"{where}[{index}]",
                        lines,
                        str(hit.get("url", "")) if isinstance(hit, dict) else "",
                    )
                )
            )
        return found

    def _pages(self) -> dict[str, RawRecord]:
        value, text = self._json(PAGES)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._problem("FIXTURE_SHAPE", str(self.folder / PAGES), "wants pages, by URL")
            return {}
        lines = _Lines(text)
        found = {}
        for index, (url, page) in enumerate(value.items()):
            where = f"{self.folder / PAGES}:{_line_of(text, url)}: {url}"
            record = self._record(page, "page", index, where, lines, url)
            if record is not None:
                found[url] = record
        return found

    def _check_refs(self, found: Fixtures) -> None:
        seen: dict[str, str] = {}
        for record in found.all_records():
            if record.ref in seen and not record.ref.startswith("search/"):
                self._problem("FIXTURE_SHAPE", record.where, f"{record.ref} is there already: give each its own key")
            seen[record.ref] = record.where

    def _problem(self, code: str, where: str, message: str) -> None:
        self.problems.append(Problem(code, where, message))


@dataclass(slots=True)
class _Lines:
    """Finds the line at which an item of a top-level list begins; only problems need it."""

    text: str
    starts: list[int] | None = None

    def of(self, index: int) -> int:
        if self.starts is None:
            self.starts = _item_lines(self.text)
        return self.starts[index] if index < len(self.starts) else 1


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record stands: ``file:line: [3]``, or a key of it."""

    template: str
    lines: _Lines
    index: int

    def text(self, key: str = "") -> str:
        place = self.template
        if "{line}" in place:
            place = place.replace("{line}", str(self.lines.of(self.index)))
        return f"{place}.{key}" if key else place


def _item_lines(text: str) -> list[int]:
    import json

    decoder, found = json.JSONDecoder(), []
    at = text.find("[") + 1
    blank = re.compile(r"[\s,]*")
    while at < len(text):
        gap = blank.match(text, at)
        at = gap.end() if gap else at
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found.append(text.count("\n", 0, at) + 1)
        at = end
    return found


def _line_of(text: str, needle: str) -> int:
    return text.count("\n", 0, max(text.find(needle), 0)) + 1


def too_deep(value: Any) -> bool:
    """Whether a JSON value is nested deeper than anything that reads it needs to bear."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return any(isinstance(item, dict | list) for item in level)


def duplicate_keys(text: str) -> list[str]:
    """The keys that stand more than once in an object of a JSON text."""
    import json

    found: list[str] = []

    def pairs(entries: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in entries}) != len(entries) and len(found) < MAX_DUPLICATES:
            counts = Counter(key for key, _ in entries)
            found.extend([key for key, times in counts.items() if times > 1][:MAX_DUPLICATES])

    try:
        json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return found
    return found


_CONDITION = re.compile(r"(!?)\s*([a-z][a-z0-9_]*)|([a-z][a-z0-9_]*)\s*(!?=)\s*(.+)")


def read_condition(text: object) -> Condition | None:
    """What an ``if`` says; None if it cannot be read. A flag is compared with its text, true or false."""
    found = _CONDITION.fullmatch(text.strip()) if isinstance(text, str) and len(text) < 300 else None
    if not found:
        return None
    if found[2]:
        return Condition(found[2], "true", not found[1])
    return Condition(found[3], found[5].strip(), found[4] == "=")
