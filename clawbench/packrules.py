"""The rules of Open Policy Pack v1 for a pack's value: every problem in it, in one go.

Written out by hand, because a schema's validator would take seconds for what hostile bytes can hold; the tests prove
that nothing is taken here which the schema of :mod:`clawbench.packschema` refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType

from .errors import Problem
from .packschema import (
    DANGEROUS,
    FILE_NAME,
    HOTKEY,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_DUMP,
    MAX_INTEGER,
    MAX_NAME,
    MAX_NAMES,
    MAX_VALUES,
    NAME,
    OPTIONAL,
    PACK_NAME,
    REQUIRED,
    RESERVED,
    SPACE,
    STOP_RULES,
)
from .yamlfile import KeyPath

MAX_PROBLEMS = 50

CODES: Mapping[str, str] = MappingProxyType(
    {
        "PACK_MISSING": "there is no pack at this path, or it cannot be read",
        "PACK_EMPTY": "pack.yaml has nothing in it",
        "PACK_TOO_LARGE": "the file, or `json.dumps(pack)`, has too many bytes",
        "PACK_CHARACTERS": "not UTF-8, a byte order mark, or a character that cannot be seen",
        "PACK_NOT_JSON": "a pack.json that is not JSON",
        "PACK_NESTING": "values inside values, too deep",
        "PACK_NUMBER": "a number that is not an integer of at most 15 digits",
        "PACK_DUPLICATE_KEY": "an object has a key more than once",
        "PACK_KEY_TYPE": "a key that is not text",
        "PACK_KEY": "a key is missing, unknown, or not printable ASCII",
        "PACK_TYPE": "a value of another type, or of another form, than the key takes",
        "PACK_TOO_MANY": "too many entries in a list, too many files, or too many values in all",
        "PACK_VERSION": "`schema_version` is not 1, or `pack_version` is no semantic version",
        "PACK_NAME": "`pack_name` has characters that a name cannot have",
        "PACK_HOTKEY": "`metadata.hotkey` is no SS58 address",
        "PACK_NO_AGENTS": "AGENTS.md is missing or empty",
        "PACK_FILE_NAME": "a file has a name that is not allowed, reserved, or there already in another case",
        "PACK_TOOL_POLICY": "`tool_policy` has neither allow nor deny",
        "PACK_DANGEROUS_TOOL": "what is allowed contains a dangerous tool, and deny names none",
    }
)
"""Every code of a rejected pack, but for those of pack.yaml as a YAML file."""

_FILE_NAME = re.compile(FILE_NAME)
_PACK_NAME = re.compile(PACK_NAME)
_HOTKEY = re.compile(HOTKEY)
_NAME = re.compile(NAME)
_EMPTY = re.compile(f"{SPACE}*")
_RESERVED = frozenset(name.lower() for name in RESERVED)

# Ranges, not Unicode categories: those change with the version of Python, and validators must agree.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff]"
)
_FORBIDDEN_BEYOND = re.compile(  # apart, because it slows down the search in every other text
    "[\U00013430-\U00013440\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
_SELECTORS = re.compile("(?<=[\ufe0e\ufe0f])[\ufe0e\ufe0f]")


@dataclass(frozen=True, slots=True)
class PackProblem(Problem):
    """A problem of a pack's value: where as JSON pointer (RFC 6901), what was found, and what is allowed."""

    pointer: str = ""
    found: str = ""
    allowed: str = ""


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number that no pack may have, as it was written."""

    text: str


Place = Callable[[KeyPath], str]
"""The file, and the line if it is known, of a path into a pack's value."""


def problem_at(place: Place, code: str, path: KeyPath, found: str, allowed: str, word: str = "allowed") -> PackProblem:
    """The problem at ``path``, its texts bounded; ``word`` says what ``allowed`` is."""
    pointer = pointer_of(path)
    where = ": ".join(part for part in (place(path), pointer) if part)
    return PackProblem(code, where, f"found {found}; {word}: {allowed}", pointer, found, allowed)


def pointer_of(path: KeyPath) -> str:
    """A path as JSON pointer: ``/tool_policy/allow/3``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def shown(value: object) -> str:
    """A value from outside in a few printable characters."""
    if isinstance(value, Numeral):
        return value.text[:24]
    if isinstance(value, str):
        return ascii(value if len(value) <= 40 else value[:39] + "…").replace("\\u2026", "…")
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value) if _is_small(value) else f"an integer of over {MAX_DIGITS} digits"
    return str(value)[:24]


def problems_of(value: object, place: Place, found: Iterable[Problem] = ()) -> list[Problem]:
    """What is wrong with a JSON value as a pack, after what was ``found`` already; at most 50 problems."""
    check = _Check(place, list(found))
    check.pack(value)
    return check.problems[:MAX_PROBLEMS]


@dataclass(slots=True)
class _Check:
    """Collects what is wrong with a pack's value."""

    place: Place
    problems: list[Problem]
    unreadable: dict[KeyPath, str] = field(default_factory=dict)
    """Codes of what cannot be read, by path: nothing else is said about these values."""
    values: int = 0

    def problem(self, code: str, path: KeyPath, found: str, allowed: str) -> None:
        if len(self.problems) < MAX_PROBLEMS and path not in self.unreadable:
            self.problems.append(problem_at(self.place, code, path, found, allowed))

    def pack(self, value: object) -> None:
        if not isinstance(value, dict):
            self.problem("PACK_TYPE", (), shown(value), "a JSON object")
            return
        self.readable(value, (), 1)
        lost = set(self.unreadable.values())
        if "PACK_KEY_TYPE" in lost or len(self.problems) >= MAX_PROBLEMS:
            return
        if lost <= {"PACK_CHARACTERS"} and (size := len(json.dumps(value))) > MAX_DUMP:
            self.problem("PACK_TOO_LARGE", (), f"{size:,} bytes of json.dumps(pack)", f"at most {MAX_DUMP:,}")
        self.keys(value, (), REQUIRED, (*REQUIRED, *OPTIONAL))
        if "schema_version" in value and (type(value["schema_version"]) is not int or value["schema_version"] != 1):
            self.problem("PACK_VERSION", ("schema_version",), shown(value["schema_version"]), "the integer 1")
        if "files" in value:
            self.files(value["files"])
        if "tool_policy" in value:
            self.tool_policy(value["tool_policy"])
        if "metadata" in value:
            self.metadata(value["metadata"])
        for key in ("target_runtime", "min_runtime_version"):
            if key in value:
                self.short_text(value[key], (key,))
        if "approval_gates" in value:
            self.names(value["approval_gates"], ("approval_gates",))
        if "stop_rules" in value:
            self.stop_rules(value["stop_rules"])

    def readable(self, value: object, path: KeyPath, depth: int) -> None:
        """Every text, key and number anywhere in the pack."""
        self.values += 1
        if self.values > MAX_VALUES:
            if self.values == MAX_VALUES + 1:
                self.unread("PACK_TOO_MANY", (), f"over {MAX_VALUES:,} values", "fewer")
            return
        if len(self.problems) >= MAX_PROBLEMS:
            return
        if isinstance(value, str):
            if bad := _forbidden(value):
                line = value.count("\n", 0, bad.start()) + 1
                allowed = "nothing invisible, no control character but \\n and \\t"
                self.unread("PACK_CHARACTERS", path, f"U+{ord(bad[0]):04X} in line {line}", allowed)
        elif isinstance(value, (dict, list)):
            if depth > MAX_DEPTH:
                self.unread("PACK_NESTING", path, f"values nested {depth} deep", f"at most {MAX_DEPTH} levels")
                return
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                if isinstance(value, dict) and not isinstance(key, str):
                    self.unread("PACK_KEY_TYPE", path, f"the key {str(key)[:40]!a}", "keys that are text")
                    continue
                if isinstance(key, str) and not _is_plain(key):
                    self.problem("PACK_KEY", path, f"the key {shown(key)}", "keys in printable ASCII")
                self.readable(inner, _within(path, key), depth + 1)
                if self.values > MAX_VALUES:
                    return
        elif value is not None and (not isinstance(value, int) or not _is_small(value)):
            allowed = f"integers of at most {MAX_DIGITS} digits; anything else is text in quotes"
            self.unread("PACK_NUMBER", path, shown(value), allowed)

    def unread(self, code: str, path: KeyPath, found: str, allowed: str) -> None:
        self.problem(code, path, found, allowed)
        self.unreadable[path] = code

    def keys(self, value: Mapping[str, object], path: KeyPath, required: Sequence[str], known: Sequence[str]) -> None:
        for key in required:
            if key not in value:
                self.problem("PACK_KEY", (*path, key), "nothing", "this key must be there")
        for key in value:
            if known and key not in known and _is_plain(key):
                self.problem("PACK_KEY", _within(path, key), f"the key {shown(key)}", f"one of {', '.join(known)}")

    def files(self, files: object) -> None:
        if not isinstance(files, dict):
            self.problem("PACK_TYPE", ("files",), shown(files), "an object of file names and their texts")
            return
        if "AGENTS.md" not in files:
            self.problem("PACK_NO_AGENTS", ("files",), "no AGENTS.md", "AGENTS.md must be there: it is the policy")
        if len(files) > MAX_NAMES:
            self.problem("PACK_TOO_MANY", ("files",), f"{len(files):,} files", f"at most {MAX_NAMES}")
        folded: dict[str, str] = {}
        for name, text in files.items():
            path = _within(("files",), name)
            if not _FILE_NAME.fullmatch(name):
                allowed = "a letter or digit, then at most 63 letters, digits, _ and -, then .md"
                self.problem("PACK_FILE_NAME", path, f"the name {shown(name)}", allowed)
            elif name.lower() in _RESERVED:
                allowed = f"other names than {' and '.join(RESERVED)}, which are the user's own files"
                self.problem("PACK_FILE_NAME", path, f"the name {shown(name)}", allowed)
            elif (other := folded.setdefault(name.lower(), name)) != name:
                allowed = "names that differ by more than case"
                self.problem("PACK_FILE_NAME", path, f"{shown(name)} beside {shown(other)}", allowed)
            if not isinstance(text, str):
                self.problem("PACK_TYPE", path, shown(text), "text")
            elif name == "AGENTS.md" and _EMPTY.fullmatch(text):
                self.problem("PACK_NO_AGENTS", path, "an empty text", "the policy in words")

    def tool_policy(self, policy: object) -> None:
        if not isinstance(policy, dict):
            self.problem("PACK_TYPE", ("tool_policy",), shown(policy), "an object with the lists allow and deny")
            return
        self.keys(policy, ("tool_policy",), (), ("allow", "deny"))
        if not policy.keys() & {"allow", "deny"}:
            self.problem("PACK_TOOL_POLICY", ("tool_policy",), "neither", "at least one of allow and deny")
            return
        allow = self.names(policy["allow"], ("tool_policy", "allow")) if "allow" in policy else ("*",)
        deny = self.names(policy["deny"], ("tool_policy", "deny")) if "deny" in policy else ()
        if allow is None or deny is None:
            return
        at, allowed = next(((at, name) for at, name in enumerate(allow) if _is_dangerous(name)), (0, None))
        if allowed is not None and not any(map(_names_dangerous, deny)):
            path: KeyPath = ("tool_policy", "allow", at) if "allow" in policy else ("tool_policy",)
            what = f"{shown(allowed)} and no deny against it" if "allow" in policy else "every tool, without allow"
            self.problem("PACK_DANGEROUS_TOOL", path, what, f"this if deny names one of {', '.join(DANGEROUS)}")

    def metadata(self, metadata: object) -> None:
        if not isinstance(metadata, dict):
            self.problem(
                "PACK_TYPE", ("metadata",), shown(metadata), "an object with pack_name, pack_version and target_suite"
            )
            return
        self.keys(metadata, ("metadata",), ("pack_name", "pack_version", "target_suite"), ())
        for key, code, test, allowed in _METADATA:
            if key not in metadata:
                continue
            if not isinstance(value := metadata[key], str):
                self.problem("PACK_TYPE", ("metadata", key), shown(value), "text: put it in quotes")
            elif not test(value):
                self.problem(code, ("metadata", key), shown(value), allowed)

    def short_text(self, value: object, path: KeyPath) -> None:
        if not isinstance(value, str) or not _is_short(value):
            self.problem("PACK_TYPE", path, shown(value), _SHORT)

    def names(self, value: object, path: KeyPath) -> tuple[str, ...] | None:
        """The names in a list of tools or effects, or None if it is no such list."""
        if not self.is_list(value, path, "a list of names"):
            return None
        assert isinstance(value, list)
        bad = [at for at, name in enumerate(value) if not isinstance(name, str) or not _NAME.fullmatch(name)]
        for at in bad:
            self.problem(
                "PACK_TYPE", (*path, at), shown(value[at]), f"a name of 1 to {MAX_NAME} printable ASCII characters"
            )
        return None if bad else tuple(value)

    def is_list(self, value: object, path: KeyPath, what: str) -> bool:
        if not isinstance(value, list):
            self.problem("PACK_TYPE", path, shown(value), what)
            return False
        if len(value) > MAX_NAMES:
            self.problem("PACK_TOO_MANY", path, f"{len(value):,} entries", f"at most {MAX_NAMES}")
            return False
        return True

    def stop_rules(self, rules: object) -> None:
        what = "a list of sentences and of limits such as {max_tool_calls: 15}"
        if not self.is_list(rules, ("stop_rules",), what):
            return
        assert isinstance(rules, list)
        for index, rule in enumerate(rules):
            path: KeyPath = ("stop_rules", index)
            if isinstance(rule, dict) and rule:
                self.keys(rule, path, (), STOP_RULES)
                for key in STOP_RULES:
                    if key in rule and (type(rule[key]) is not int or rule[key] < 1):
                        self.problem("PACK_TYPE", (*path, key), shown(rule[key]), "an integer of at least 1")
            elif not isinstance(rule, str) or not rule:
                self.problem("PACK_TYPE", path, shown(rule), "a sentence, or a limit such as {max_tool_calls: 15}")


def _within(path: KeyPath, key: str | int) -> KeyPath:
    """The path of an entry, or of what holds it if its key cannot be shown."""
    return (*path, key) if isinstance(key, int) or (len(key) <= MAX_NAME and _is_plain(key)) else path


def _forbidden(text: str) -> re.Match[str] | None:
    """The first character that no text of a pack has, or a variation selector after another."""
    if (found := _FORBIDDEN.search(text)) or text.isascii():
        return found
    if len(text.encode("utf-16-le")) > 2 * len(text) and (found := _FORBIDDEN_BEYOND.search(text)):
        return found
    return _SELECTORS.search(text) if "\ufe0e" in text or "\ufe0f" in text else None


def _is_plain(key: str) -> bool:
    return key.isascii() and key.isprintable()


def _is_small(value: int) -> bool:
    return abs(value) <= MAX_INTEGER


def _is_short(text: str) -> bool:
    return 0 < len(text) <= MAX_NAME


def _names_dangerous(pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in DANGEROUS)


def _is_dangerous(pattern: str) -> bool:
    """Whether the pattern matches something dangerous; any name that begins with ``admin_`` is."""
    return _names_dangerous(pattern) or _matches_beginning(pattern, "admin_")


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


def _past_stars(tokens: Sequence[str], here: Iterable[int]) -> Iterator[int]:
    reached = set(here)
    for at in sorted(reached):
        while at < len(tokens) and tokens[at] == "*":
            at += 1
            reached.add(at)
    return iter(reached)


def _is_semver(text: str) -> bool:
    from semver import Version

    return len(text) <= MAX_NAME and text.isascii() and bool(Version.is_valid(text))


_SHORT = f"text of 1 to {MAX_NAME} characters"
_METADATA: tuple[tuple[str, str, Callable[[str], object], str], ...] = (
    (
        "pack_name",
        "PACK_NAME",
        _PACK_NAME.fullmatch,
        "a letter or digit, then letters, digits, '.', '_' and '-', 1 to 64",
    ),
    ("pack_version", "PACK_VERSION", _is_semver, "a semantic version such as 1.0.0"),
    ("target_suite", "PACK_TYPE", _is_short, _SHORT),
    ("hotkey", "PACK_HOTKEY", _HOTKEY.fullmatch, "an SS58 address: 47 or 48 characters of base58"),
)
