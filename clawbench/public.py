"""Scenario files in the public ClawBench format: telling them from ours, and reading them as its loader does.

A file in which no key outside that format occurs is public. Its checks stay as they are written; what the
public scorer would only meet while scoring (a pattern that does not compile, a check without an id) is an
error here.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .errors import Problem
from .yamlfile import KeyPath, Positions

TOP = frozenset(
    {
        "name",
        "difficulty",
        "weight",
        "description",
        "tools",
        "prompt",
        "variants",
        "workspace",
        "user_context_defaults",
        "scoring",
    }
)
SCORING = frozenset({"checks", "criteria"})
_COMMON = frozenset({"id", "type", "points", "category", "description"})
_PARAMETERS = frozenset({"pattern", "tool", "tools", "case_insensitive", "max", "min", "before", "after"})
CHECK = _COMMON | _PARAMETERS
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "tool_arg_contains": ("pattern",),
    "tool_arg_excludes": ("pattern",),
    "tool_response_contains": ("pattern",),
    "tool_response_excludes": ("pattern",),
    "response_contains": ("pattern",),
    "response_excludes": ("pattern",),
    "tool_count_max": ("max",),
    "tool_count_min": ("min",),
    "tool_count_score": ("min", "max"),
    "tool_called_before": ("before", "after"),
    "response_length_max": ("max",),
}
MAX_NUMBER = 10**9


@dataclass(frozen=True, slots=True)
class CompatCheck:
    """A check of a public scenario. ``raw`` is the mapping as the file has it; floats in it are Decimals."""

    id: str
    type: str
    raw: Mapping[str, Any]

    @property
    def description(self) -> str:
        """What the file says about the check, if it does."""
        return str(self.raw.get("description", ""))


@dataclass(frozen=True, slots=True)
class PublicFile:
    """What a public scenario file says."""

    name: str
    difficulty: str
    weight: Fraction
    description: str
    tools: tuple[str, ...]
    prompt: str
    variants: Mapping[str, str]
    workspace: Mapping[str, str]
    user_context_defaults: Mapping[str, str]
    checks: tuple[CompatCheck, ...]


def is_public(value: Mapping[str, Any]) -> bool:
    """Whether no key outside the public format occurs in the file."""
    if not TOP.issuperset(value):
        return False
    scoring = value.get("scoring")
    if not isinstance(scoring, Mapping):
        return True
    if not SCORING.issuperset(scoring):
        return False
    checks = scoring.get("checks")
    if not isinstance(checks, list):
        return True
    return all(CHECK.issuperset(check) for check in checks if isinstance(check, Mapping))


class _Reading:
    """Takes values of the wanted types out of a file and notes what is wrong."""

    def __init__(self, value: Mapping[str, Any], positions: Positions) -> None:
        self.value = value
        self.positions = positions
        self.problems: list[Problem] = []

    def problem(self, code: str, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(code, self.positions.where(path), message))

    def text(self, key: str, required: bool = False) -> str:
        value = self.value.get(key)
        if value is None and not required:
            return ""
        if value is None:
            self.problem("SCENARIO_REQUIRED", (key,), f"the key '{key}' is missing")
        elif not isinstance(value, str):
            self.problem("SCENARIO_TYPE", (key,), "wants text")
        elif required and not value.strip():
            self.problem("SCENARIO_VALUE", (key,), "wants text that is not empty")
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.value.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.problem("SCENARIO_TYPE", (key,), "wants a list of texts")
            return ()
        return tuple(value)

    def mapping(self, key: str, files: bool) -> dict[str, str]:
        from .scenariofile import is_inner_path

        value = self.value.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.problem("SCENARIO_TYPE", (key,), "wants a mapping of texts")
            return {}
        found = {}
        for name, item in value.items():
            if not isinstance(item, str):
                self.problem("SCENARIO_TYPE", (key, name), "wants text")
            elif files and not is_inner_path(item):
                self.problem("SCENARIO_VALUE", (key, name), "a file is named by its path inside the fixture folder")
            else:
                found[name] = item
        return found

    def weight(self) -> Fraction:
        value = self.value.get("weight")
        if value is None:
            return Fraction(1)
        if not is_number(value):
            self.problem("SCENARIO_TYPE", ("weight",), "wants a number such as 1.5")
        elif not 0 <= value <= 1000:
            self.problem("SCENARIO_VALUE", ("weight",), "a weight is from 0 to 1000")
        else:
            return Fraction(value)
        return Fraction(1)

    def checks(self) -> tuple[CompatCheck, ...]:
        scoring = self.value.get("scoring")
        if scoring is None:
            return ()
        if not isinstance(scoring, dict):
            self.problem("SCENARIO_TYPE", ("scoring",), "wants a mapping with checks")
            return ()
        raw = scoring.get("checks")
        if raw is None:
            return ()
        if not isinstance(raw, list):
            self.problem("SCENARIO_TYPE", ("scoring", "checks"), "wants a list of checks")
            return ()
        return tuple(check for index, item in enumerate(raw) if (check := self.check(index, item)) is not None)

    def check(self, index: int, raw: Any) -> CompatCheck | None:
        path: KeyPath = ("scoring", "checks", index)
        if not isinstance(raw, dict):
            self.problem("SCENARIO_TYPE", path, "a check is a mapping")
            return None
        for key in ("id", "type"):
            if not isinstance(raw.get(key), str) or not raw[key]:
                code = "SCENARIO_TYPE" if key in raw else "SCENARIO_REQUIRED"
                self.problem(code, (*path, key), f"a check has a text as its {key}")
        for key in ("category", "description"):
            if not isinstance(raw.get(key, ""), str):
                self.problem("SCENARIO_TYPE", (*path, key), "wants text")
        for key in ("points", "max", "min"):
            if key in raw and not is_number(raw[key]):
                self.problem("SCENARIO_TYPE", (*path, key), "wants a number")
            elif key in raw and abs(raw[key]) > MAX_NUMBER:
                self.problem("SCENARIO_VALUE", (*path, key), f"at most {MAX_NUMBER}")
        for key in ("before", "after"):
            if not isinstance(raw.get(key, ""), str):
                self.problem("SCENARIO_TYPE", (*path, key), "wants the name of a tool")
        for key in ("tool", "tools"):
            names = raw.get(key)
            listed = isinstance(names, list) and all(isinstance(name, str) for name in names)
            if not (names is None or isinstance(names, str) or listed):
                self.problem("SCENARIO_TYPE", (*path, key), "wants the name of a tool, or a list of names")
        for key in _NEEDS.get(str(raw.get("type")), ()):
            if key not in raw:
                self.problem("SCENARIO_REQUIRED", (*path, key), f"a {raw['type']} check needs the key '{key}'")
        if "pattern" in raw and not isinstance(raw["pattern"], str):
            self.problem("SCENARIO_TYPE", (*path, "pattern"), "wants text")
        elif _NEEDS.get(str(raw.get("type"))) == ("pattern",) and "pattern" in raw:
            reason = broken_pattern(raw["pattern"], bool(raw.get("case_insensitive", True)))
            if reason:
                self.problem("CHECK_PATTERN", (*path, "pattern"), f"Python's re cannot take this pattern: {reason}")
        return CompatCheck(str(raw.get("id")), str(raw.get("type")), raw)


def read_public(value: Mapping[str, Any], positions: Positions) -> tuple[PublicFile, list[Problem]]:
    """The contents of a public scenario file, and all that is wrong with it."""
    reading = _Reading(value, positions)
    name = reading.text("name", required=True)
    if name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", name):
        reading.problem("SCENARIO_VALUE", ("name",), "a name is letters, digits, _, . and -")
        name = ""
    found = PublicFile(
        name=name,
        difficulty=reading.text("difficulty"),
        weight=reading.weight(),
        description=reading.text("description"),
        tools=reading.texts("tools"),
        prompt=reading.text("prompt", required=True),
        variants=reading.mapping("variants", files=True),
        workspace=reading.mapping("workspace", files=True),
        user_context_defaults=reading.mapping("user_context_defaults", files=False),
        checks=reading.checks(),
    )
    return found, reading.problems


def is_number(value: Any) -> bool:
    """Whether a YAML value is a number that can be calculated with."""
    if isinstance(value, Decimal):
        return value.is_finite() and -30 < value.adjusted() < 30
    return isinstance(value, int) and not isinstance(value, bool)


def broken_pattern(pattern: str, ignore_case: bool) -> str:
    """Why Python's ``re`` refuses a pattern, or nothing. Compiles as the public scorer does: with DOTALL."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern, re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG))
    except (re.error, OverflowError, RecursionError) as why:
        return str(why) or type(why).__name__
    return ""
