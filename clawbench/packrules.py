"""The rules of Open Policy Pack v1 for a pack's value: every problem in it, in one go."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .errors import Problem

MAX_DUMP = 32_768
"""Bytes of ``json.dumps(pack)``."""
MAX_DEPTH = 16
MAX_DIGITS = 15
MAX_PROBLEMS = 50

_UNREADABLE = frozenset({"PACK_CHARACTERS", "PACK_NESTING", "PACK_NUMBER", "PACK_KEY_TYPE"})
"""After these nothing more is looked at."""
_DANGEROUS = ("exec", "shell", "group:runtime", "admin_*")
_REQUIRED = ("schema_version", "files", "tool_policy", "metadata")
_OPTIONAL = ("target_runtime", "min_runtime_version", "approval_gates", "stop_rules")
_STOP_RULES = ("max_tool_calls", "max_turns", "max_same_call")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.md")
_RESERVED = frozenset({"user.md", "memory.md"})
_PACK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

# Ranges, not Unicode categories: those change with the version of Python, and validators must agree.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff]"
)


def problems_of(value: object, where: str = "", found: Iterable[Problem] = ()) -> list[Problem]:
    """What is wrong with a JSON value as a pack, after what was ``found`` already; at most 50 problems."""
    check = _Check(where, list(found))
    check.pack(value)
    return check.problems[:MAX_PROBLEMS]


@dataclass(slots=True)
class _Check:
    """Collects what is wrong with a pack's value."""

    where: str
    problems: list[Problem]

    def problem(self, code: str, place: str, message: str) -> None:
        where = f"{self.where}: {place}" if self.where and place else self.where or place
        self.problems.append(Problem(code, where, message))

    def pack(self, value: object) -> None:
        if not isinstance(value, dict):
            self.problem("PACK_TYPE", "", "a pack is a JSON object")
            return
        self.characters(value, "", 1)
        if any(found.code in _UNREADABLE for found in self.problems):
            return
        if (size := len(json.dumps(value, default=str))) > MAX_DUMP:
            self.problem("PACK_TOO_LARGE", "", f"json.dumps(pack) has {size:,} bytes, at most {MAX_DUMP:,} are allowed")
        for key in _REQUIRED:
            if key not in value:
                self.problem("PACK_KEY", key, "this key is missing")
        for key in value:
            if key not in _REQUIRED and key not in _OPTIONAL and _is_plain(key):
                self.problem("PACK_KEY", key[:40], f"unknown key; known: {', '.join((*_REQUIRED, *_OPTIONAL))}")
        if "schema_version" in value and (type(value["schema_version"]) is not int or value["schema_version"] != 1):
            self.problem("PACK_VERSION", "schema_version", "must be the integer 1")
        if "files" in value:
            self.files(value["files"])
        if "tool_policy" in value:
            self.tool_policy(value["tool_policy"])
        if "metadata" in value:
            self.metadata(value["metadata"])
        for key in ("target_runtime", "min_runtime_version"):
            if key in value and not isinstance(value[key], str):
                self.problem("PACK_TYPE", key, "must be text")
        if "approval_gates" in value:
            self.names(value["approval_gates"], "approval_gates")
        if "stop_rules" in value:
            self.stop_rules(value["stop_rules"])

    def characters(self, value: object, place: str, depth: int) -> None:
        """Every text, key and number anywhere in the pack."""
        if len(self.problems) >= MAX_PROBLEMS:
            return
        if depth > MAX_DEPTH + 1:
            self.problem("PACK_NESTING", "", f"values are nested at most {MAX_DEPTH} deep")
        elif isinstance(value, str):
            if found := _FORBIDDEN.search(value):
                line = value.count("\n", 0, found.start()) + 1
                message = f"U+{ord(found[0]):04X} in line {line}: control and invisible characters are not allowed"
                self.problem("PACK_CHARACTERS", place, message)
        elif isinstance(value, dict):
            for key, inner in value.items():
                if not isinstance(key, str):
                    self.problem("PACK_KEY_TYPE", place, f"{str(key)[:40]!a}: keys are text")
                    continue
                shown = key if _is_plain(key) else "key"
                if shown != key:
                    self.problem("PACK_KEY", place, f"{key[:40]!a}: keys are printable ASCII text")
                self.characters(inner, f"{place}.{shown[:40]}" if place else shown[:40], depth + 1)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self.characters(inner, f"{place}[{index}]", depth + 1)
        elif isinstance(value, int):
            if len(str(abs(value))) > MAX_DIGITS:
                self.problem("PACK_NUMBER", place, f"integers have at most {MAX_DIGITS} digits")
        elif value is not None:
            message = f"numbers are integers of at most {MAX_DIGITS} digits, put other text in quotes"
            self.problem("PACK_NUMBER", place, f"{str(value)[:24]}: {message}")

    def files(self, files: object) -> None:
        if not isinstance(files, dict):
            self.problem("PACK_TYPE", "files", "maps a file name to its text")
            return
        if "AGENTS.md" not in files:
            self.problem("PACK_NO_AGENTS", "files", "AGENTS.md is missing: it is the policy itself")
        folded: dict[str, str] = {}
        for name, text in files.items():
            if not _FILE_NAME.fullmatch(name):
                self.problem("PACK_FILE_NAME", "files", f"{name[:60]!a}: names are letters, digits, _ and -, then .md")
            elif name.lower() in _RESERVED:
                self.problem("PACK_FILE_NAME", f"files.{name}", "this name is reserved for the user's own file")
            if (other := folded.setdefault(name.lower(), name)) != name:
                self.problem("PACK_FILE_NAME", f"files.{name}", f"differs from {other} only by case")
            if not isinstance(text, str):
                self.problem("PACK_TYPE", f"files.{name}", "a file's content is text")
            elif name == "AGENTS.md" and not text.strip():
                self.problem("PACK_NO_AGENTS", "files.AGENTS.md", "AGENTS.md is empty")

    def tool_policy(self, policy: object) -> None:
        if not isinstance(policy, dict):
            self.problem("PACK_TYPE", "tool_policy", "has the lists allow and deny")
            return
        for key in policy:
            if key not in ("allow", "deny"):
                self.problem("PACK_KEY", f"tool_policy.{key[:40]}", "unknown key; known: allow, deny")
        if not policy.keys() & {"allow", "deny"}:
            self.problem("PACK_TOOL_POLICY", "tool_policy", "needs at least one of allow and deny")
            return
        allow = self.names(policy["allow"], "tool_policy.allow") if "allow" in policy else ("*",)
        deny = self.names(policy["deny"], "tool_policy.deny") if "deny" in policy else ()
        if allow is None or deny is None:
            return
        allowed = next((pattern for pattern in allow if _is_dangerous(pattern)), None)
        if allowed is not None and not any(_is_dangerous(pattern) for pattern in deny):
            what = f"allow has {allowed!a}" if "allow" in policy else "without allow every tool is allowed"
            self.problem(
                "PACK_DANGEROUS_TOOL",
                "tool_policy",
                f"{what}: deny must name at least one of {', '.join(_DANGEROUS)}",
            )

    def metadata(self, metadata: object) -> None:
        if not isinstance(metadata, dict):
            self.problem("PACK_TYPE", "metadata", "has pack_name, pack_version and target_suite")
            return
        for key in ("pack_name", "pack_version", "target_suite"):
            if key not in metadata:
                self.problem("PACK_KEY", f"metadata.{key}", "this key is missing")
            elif not isinstance(metadata[key], str):
                self.problem("PACK_TYPE", f"metadata.{key}", "must be text: put it in quotes")
        name, version = metadata.get("pack_name"), metadata.get("pack_version")
        if isinstance(name, str) and not _PACK_NAME.fullmatch(name):
            self.problem("PACK_NAME", "metadata.pack_name", "is 1 to 64 letters, digits, '.', '_' and '-'")
        if isinstance(version, str) and not _is_semver(version):
            self.problem("PACK_VERSION", "metadata.pack_version", "is a semantic version such as 1.0.0")

    def names(self, value: object, place: str) -> tuple[str, ...] | None:
        """The names in a list of tools or effects, or None if it is no such list."""
        if not isinstance(value, list) or not all(isinstance(name, str) and 0 < len(name) <= 64 for name in value):
            self.problem("PACK_TYPE", place, "is a list of names, each of 1 to 64 characters")
            return None
        return tuple(value)

    def stop_rules(self, rules: object) -> None:
        if not isinstance(rules, list):
            self.problem("PACK_TYPE", "stop_rules", "is a list of sentences and of limits such as {max_tool_calls: 15}")
            return
        for index, rule in enumerate(rules):
            place = f"stop_rules[{index}]"
            if isinstance(rule, dict):
                for key, limit in rule.items():
                    if key not in _STOP_RULES:
                        self.problem(
                            "PACK_KEY",
                            f"{place}.{key[:40]}",
                            f"unknown rule; known: {', '.join(_STOP_RULES)}",
                        )
                    elif type(limit) is not int or limit < 1:
                        self.problem("PACK_TYPE", f"{place}.{key}", "is an integer of at least 1")
            elif not isinstance(rule, str):
                self.problem("PACK_TYPE", place, "is a sentence or a limit such as {max_tool_calls: 15}")


def _is_plain(key: str) -> bool:
    return key.isascii() and key.isprintable()


def _is_dangerous(pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in _DANGEROUS) or _matches_beginning(pattern, "admin_")


def _matches_beginning(pattern: str, beginning: str) -> bool:
    """Whether the pattern matches some name that begins like this."""
    tokens = re.findall(r"\[!?\]?[^\]]*\]|.", pattern, re.DOTALL)
    here = {0}
    for char in beginning:
        after = set()
        for at in _past_stars(tokens, here):
            if at < len(tokens) and (tokens[at] == "*" or fnmatchcase(char, tokens[at])):
                after.add(at if tokens[at] == "*" else at + 1)
        here = after
    return bool(here)


def _past_stars(tokens: Sequence[str], here: Iterable[int]) -> set[int]:
    reached = set(here)
    for at in sorted(reached):
        while at < len(tokens) and tokens[at] == "*":
            at += 1
            reached.add(at)
    return reached


def _is_semver(text: str) -> bool:
    from semver import Version

    try:
        return len(text) <= 64 and text.isascii() and bool(Version.parse(text))
    except ValueError:
        return False
