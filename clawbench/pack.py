"""Open Policy Pack v1: load, validate, canonical form, hash.

A pack is a folder (AGENTS.md, other .md files, pack.yaml), a pack.json, or a single .md file. Whatever its
bytes are, loading ends in a :class:`Pack` or in :class:`~clawbench.errors.PackRejected` with every problem.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from . import yamlfile
from .errors import PackRejected, Problem
from .packrules import MAX_DEPTH, MAX_DIGITS, problems_of

MAX_BLOB = 65_536
"""Bytes of a pack.json."""

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
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)

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
        return pack_of(_from_folder(path), str(path))
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
        raise PackRejected.of("PACK_TOO_LARGE", f"a pack.json has at most {MAX_BLOB:,} bytes", where)
    text = _text(raw, where)
    if text.startswith("\ufeff"):
        raise PackRejected.of("PACK_CHARACTERS", "remove the byte order mark at the beginning", where)
    depth = deepest = 0
    for token in _BRACKETS.finditer(text):
        depth += (token[0] in "[{") - (token[0] in "]}")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise PackRejected.of("PACK_NESTING", f"values are nested at most {MAX_DEPTH} deep", where)
    problems: list[Problem] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(items)
        if len(value) < len(items):
            counts = Counter(key for key, _ in items)
            twice = sorted(key for key, count in counts.items() if count > 1)[:5]
            problems.append(Problem("PACK_DUPLICATE_KEY", where, f"stands more than once: {_shown(twice)}"))
        return value

    def number(text: str) -> int:
        if len(text.lstrip("-")) > MAX_DIGITS or not text.lstrip("-").isdigit():
            message = f"{text[:24]}: numbers are integers of at most {MAX_DIGITS} digits"
            problems.append(Problem("PACK_NUMBER", where, message))
            return 0
        return int(text)

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_int=number, parse_float=number, parse_constant=number)
    except (ValueError, RecursionError) as why:
        reason = f"{why.msg}, line {why.lineno}" if isinstance(why, json.JSONDecodeError) else "cannot be read"
        raise PackRejected([*problems, Problem("PACK_NOT_JSON", where, f"this is not JSON: {reason}")]) from None
    return pack_of(value, where, problems)


def pack_of(value: object, where: str = "", found: Iterable[Problem] = ()) -> Pack:
    """The pack in a JSON value; ``found`` are problems known already. Raises PackRejected with all."""
    problems = problems_of(value, where, found)
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


def _from_folder(folder: Path) -> dict[str, Any]:
    files: dict[str, str] = {}
    problems: list[Problem] = []
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".md"))
    except OSError as why:
        raise PackRejected.of("PACK_MISSING", f"the folder cannot be read: {why.strerror}", str(folder)) from None
    for name in names:
        if name == "README.md":  # for people, not for the agent
            continue
        try:
            files[name] = _unix(_text(_read(folder / name), str(folder / name)))
        except PackRejected as why:
            problems += why.problems
    settings: Any = {}
    if (folder / "pack.yaml").exists():
        source = folder / "pack.yaml"
        try:
            settings, positions = yamlfile.load(source, name=str(source), kind="PACK", error=PackRejected)
        except PackRejected as why:
            problems += why.problems
        else:
            if not isinstance(settings, dict):
                problems.append(Problem("PACK_TYPE", str(source), "pack.yaml is a mapping of keys"))
            elif "files" in settings:
                message = "the files come from the folder: remove this key"
                problems.append(Problem("PACK_KEY", positions.where(("files",)), message))
    if problems:
        raise PackRejected(problems)
    return _document(files, folder.resolve().name, settings)


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
        raise PackRejected.of("PACK_CHARACTERS", f"line {line} is not UTF-8", where) from None


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def _shown(names: Iterable[str]) -> str:
    return ", ".join(f"{name[:40]!a}" for name in names)
