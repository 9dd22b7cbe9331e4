"""Open Policy Pack v1: load, validate, canonical form, hash.

A pack is a folder (AGENTS.md, other .md files, pack.yaml), a pack.json, or a single .md file. Whatever its
bytes are, loading ends in a :class:`Pack` or in :class:`~clawbench.errors.PackRejected` with every problem.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from . import yamlfile
from .errors import PackRejected, Problem
from .packrules import Numeral, Place, problem_at, problems_of, shown
from .packschema import MAX_BLOB, MAX_DEPTH, MAX_DIGITS
from .yamlfile import KeyPath

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "exec": "group:runtime",
        "slack": "group:messaging",
        "memory_search": "group:memory",
        "memory_get": "group:memory",
        "read": "group:fs",
        "web_search": "group:web",
        "web_fetch": "group:web",
    }
)
"""The group that a tool policy may name instead of the tool."""

_DEFAULT_POLICY = {"deny": ["admin_*", "shell"]}
_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]+|[\]}]+', re.DOTALL)

_MOST_DOUBLED = 5

StopRule = str | Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Pack:
    """A valid policy pack.

    ``files`` maps a name to its text and has AGENTS.md; ``allow`` is ``None`` if every tool is allowed.
    ``canonical`` is ``json.dumps(pack, sort_keys=True)`` exactly as Python writes it, ``sha256`` its hash.
    """

    name: str
    version: str
    files: Mapping[str, str]
    allow: tuple[str, ...] | None
    deny: tuple[str, ...]
    approval_gates: tuple[str, ...]
    stop_rules: tuple[StopRule, ...]
    metadata: Mapping[str, Any]
    canonical: bytes = field(repr=False)
    sha256: str

    @property
    def hotkey(self) -> str | None:
        """The account that submits the pack, as its metadata says."""
        hotkey = self.metadata.get("hotkey")
        return hotkey if isinstance(hotkey, str) else None


def load_pack(path: Path | str) -> Pack:
    """The pack at ``path``: a folder, a pack.json, or one .md file that becomes its AGENTS.md.

    A folder without pack.yaml gets default metadata; a folder without AGENTS.md but with a pack.json is read
    from that. Raises PackRejected with every problem.
    """
    path = Path(path)
    try:
        is_folder = path.is_dir()
    except (OSError, ValueError):
        is_folder = False
    if is_folder:
        if not (path / "AGENTS.md").exists() and (path / "pack.json").exists():
            return parse_pack(_read(path / "pack.json"), str(path / "pack.json"))
        return _from_folder(path)
    if not os.path.lexists(path):
        said = "there is no such folder or file; `clawbench pack init NAME` writes a pack to change"
        raise PackRejected.of("PACK_MISSING", said, str(path))
    raw = _read(path)
    if path.suffix == ".md" or path.name.startswith("AGENTS.md."):
        return pack_from_text(_text(raw, str(path)), path.stem if path.suffix == ".md" else path.name, str(path))
    return parse_pack(raw, str(path))


def packs_in(folder: Path | str) -> list[Path]:
    """The pack folders in ``folder``: those with an AGENTS.md or a pack.json, by name.

    Raises PackRejected if it holds none.
    """
    folder = Path(folder)
    try:
        found = [
            path for path in folder.iterdir() if any((path / name).is_file() for name in ("AGENTS.md", "pack.json"))
        ]
    except (OSError, ValueError) as why:
        reason = why.strerror if isinstance(why, OSError) else "its name has no meaning"
        raise PackRejected.of("PACK_MISSING", f"the folder cannot be read: {reason}", str(folder)) from None
    if not found:
        raise PackRejected.of("PACK_MISSING", "no folder in here has an AGENTS.md or a pack.json", str(folder))
    return sorted(found)


def load_packs(paths: Iterable[Path | str]) -> list[Pack]:
    """The packs at ``paths``. Raises PackRejected with the problems of all of them."""
    packs: list[Pack] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            packs.append(load_pack(path))
        except PackRejected as why:
            problems += why.problems
    if problems:
        raise PackRejected(problems)
    return packs


def pack_from_text(agents_md: str, name: str, where: str = "") -> Pack:
    """A pack whose only file is AGENTS.md with this text, with default metadata and tool policy."""
    return pack_of(_document({"AGENTS.md": _unix(agents_md)}, name, {}), where or name)


def offered_tools(pack: Pack, scenario_tools: Sequence[str]) -> tuple[str, ...]:
    """The scenario's tools that the pack's tool policy leaves, in the scenario's order; deny wins."""
    return tuple(
        tool
        for tool in scenario_tools
        if (pack.allow is None or _named(tool, pack.allow)) and not _named(tool, pack.deny)
    )


def parse_pack(raw: bytes, where: str = "pack.json") -> Pack:
    """The pack in the bytes of a pack.json. Raises PackRejected with every problem."""
    if len(raw) > MAX_BLOB:
        raise _rejected(where, "PACK_TOO_LARGE", f"{len(raw):,} bytes", f"at most {MAX_BLOB:,}")
    text = _text(raw, where)
    if text.startswith("\ufeff"):
        raise _rejected(where, "PACK_CHARACTERS", "a byte order mark", "UTF-8 without one")
    depth = 0
    for token in _BRACKETS.finditer(text):
        first = text[token.start()]
        if first != '"':
            depth += (token.end() - token.start()) * (1 if first in "[{" else -1)
        if depth > MAX_DEPTH:
            raise _rejected(where, "PACK_NESTING", f"values nested {depth} deep", f"at most {MAX_DEPTH} levels")
        if depth < 0:  # no JSON, as its parser will say
            break
    doubled: list[tuple[dict[str, Any], list[str]]] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(items)
        if len(value) < len(items) and len(doubled) < _MOST_DOUBLED:
            counts = Counter(key for key, _ in items)
            doubled.append((value, [key for key, count in counts.items() if count > 1]))
        return value

    def number(text: str) -> int | Numeral:
        digits = text.removeprefix("-")
        return int(text) if len(digits) <= MAX_DIGITS and digits.isdigit() else Numeral(text[:24])

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_int=number, parse_float=number, parse_constant=number)
    except (ValueError, RecursionError) as why:
        found = f"{why.msg} in line {why.lineno}" if isinstance(why, json.JSONDecodeError) else "what cannot be read"
        raise _rejected(where, "PACK_NOT_JSON", found[:1].lower() + found[1:], "one JSON object") from None
    place = _file(where)
    paths = _paths(value, {id(inner) for inner, _ in doubled})
    problems = [
        problem_at(
            place, "PACK_DUPLICATE_KEY", paths.get(id(inner), ()), f"{shown(key)} more than once", "each key once"
        )
        for inner, keys in doubled
        for key in sorted(keys)[:_MOST_DOUBLED]
    ]
    return _pack(value, place, problems)


def pack_of(value: object, where: str = "") -> Pack:
    """The pack in a JSON value. Raises PackRejected with every problem."""
    return _pack(value, _file(where))


def pack_json(pack: Pack) -> bytes:
    """The bytes of the pack's canonical pack.json."""
    return pack.canonical + b"\n"


def _pack(value: object, place: Place, found: Iterable[Problem] = ()) -> Pack:
    problems = problems_of(value, place, found)
    if problems or not isinstance(value, dict):
        raise PackRejected(problems)
    canonical = json.dumps(value, sort_keys=True).encode("ascii")
    policy, metadata = value["tool_policy"], value["metadata"]
    return Pack(
        name=metadata["pack_name"],
        version=metadata["pack_version"],
        files=MappingProxyType(dict(value["files"])),
        allow=tuple(policy["allow"]) if "allow" in policy else None,
        deny=tuple(policy.get("deny", ())),
        approval_gates=tuple(value.get("approval_gates", ())),
        stop_rules=tuple(
            rule if isinstance(rule, str) else MappingProxyType(dict(rule)) for rule in value.get("stop_rules", ())
        ),
        metadata=MappingProxyType(dict(metadata)),
        canonical=canonical,
        sha256=sha256(canonical).hexdigest(),
    )


def _paths(value: object, wanted: set[int]) -> dict[int, KeyPath]:
    """Where the objects of these identities stand, those that are still there."""
    found: dict[int, KeyPath] = {}
    if wanted:
        for identity, path in _objects(value, ()):
            if identity in wanted:
                found[identity] = path
                if len(found) == len(wanted):
                    break
    return found


def _objects(value: object, path: KeyPath) -> Iterator[tuple[int, KeyPath]]:
    """The identity and the path of every object in a JSON value."""
    if isinstance(value, dict):
        yield id(value), path
        for key, inner in value.items():
            yield from _objects(inner, (*path, key if key.isascii() and key.isprintable() else "…"))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _objects(inner, (*path, index))


def _from_folder(folder: Path) -> Pack:
    files: dict[str, str] = {}
    problems: list[Problem] = []
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".md"))
    except OSError as why:
        raise PackRejected.of("PACK_MISSING", f"the folder cannot be read: {why.strerror}", str(folder)) from None
    room = MAX_BLOB
    for name in names:
        if name == "README.md":  # for people, not for the agent
            continue
        try:
            raw = _read(folder / name)
            files[name] = _unix(_text(raw, str(folder / name)))
        except PackRejected as why:
            problems += why.problems
            continue
        if (room := room - len(raw)) < 0:
            raise _rejected(
                str(folder), "PACK_TOO_LARGE", f"over {MAX_BLOB:,} bytes of .md files", "fewer or shorter ones"
            )
    settings: Any = {}
    source = folder / "pack.yaml"
    positions = yamlfile.Positions(str(source))
    if source.exists() or source.is_symlink():
        try:
            settings, positions = yamlfile.load(source, name=str(source), kind="PACK", error=PackRejected)
        except PackRejected as why:
            problems += why.problems
        else:
            if not isinstance(settings, dict):
                problems.append(problem_at(_file(str(source)), "PACK_TYPE", (), shown(settings), "a mapping of keys"))
            elif "files" in settings:
                where = _file(f"{source}:{positions.line(('files',))}")
                problems.append(
                    problem_at(where, "PACK_KEY", ("files",), "the key 'files'", "the .md files of the folder")
                )
    if problems:
        raise PackRejected(problems)

    def place(path: KeyPath) -> str:
        if path[:1] in positions.marks:
            return f"{source}:{positions.line(path)}"
        return str(folder / str(path[1])) if len(path) > 1 and path[1] in files else str(folder)

    return _pack(_document(files, folder.resolve().name, settings), place)


def _document(files: dict[str, str], name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:64] or "pack"
    metadata = {"pack_name": slug, "pack_version": "0.0.0", "target_suite": "clawbench_v1"}
    return {
        "schema_version": 1,
        "metadata": metadata,
        "tool_policy": _DEFAULT_POLICY,
        **settings,
        "files": files,
    }


def _named(tool: str, patterns: Iterable[str]) -> bool:
    group = GROUPS.get(tool, "")
    return any(fnmatchcase(tool, pattern) or bool(group and fnmatchcase(group, pattern)) for pattern in patterns)


def _read(path: Path) -> bytes:
    return yamlfile.read_capped(path, str(path), "PACK", PackRejected, MAX_BLOB)


def _text(raw: bytes, where: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as why:
        line = raw.count(b"\n", 0, why.start) + 1
        raise _rejected(where, "PACK_CHARACTERS", f"the byte 0x{raw[why.start]:02x} in line {line}", "UTF-8") from None


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def _file(where: str) -> Place:
    return lambda path: where


def _rejected(where: str, code: str, found: str, allowed: str) -> PackRejected:
    return PackRejected(problem_at(_file(where), code, (), found, allowed))
