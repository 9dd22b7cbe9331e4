"""The JSON Schema of Open Policy Pack v1, and the limits and names that it shares with the rules."""

from __future__ import annotations

from typing import Any

MAX_BLOB = 65_536
"""Bytes of a pack.json."""
MAX_DUMP = 32_768
"""Bytes of ``json.dumps(pack)``."""
MAX_DEPTH = 16
MAX_DIGITS = 15
MAX_INTEGER = 999_999_999_999_999
MAX_NAMES = 64
"""Files, or entries of a list of tools, gates or stop rules."""
MAX_VALUES = 4_096
"""Values in a pack, those inside others included."""
MAX_NAME = 64
"""Characters of a name or a version."""

REQUIRED = ("schema_version", "files", "tool_policy", "metadata")
OPTIONAL = ("target_runtime", "min_runtime_version", "approval_gates", "stop_rules")
STOP_RULES = ("max_tool_calls", "max_turns", "max_same_call")
DANGEROUS = ("exec", "shell", "group:runtime", "admin_*")

FILE_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.md"
RESERVED = ("USER.md", "MEMORY.md")
PACK_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
NAME = r"[ -~]{1,64}"
"""A tool, group or effect, or a pattern of such: printable ASCII."""
HOTKEY = r"[1-9A-HJ-NP-Za-km-z]{47,48}"
"""An account in SS58, as far as its characters tell."""
SPACE = r"[ \t\n]"

_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
VERSION = (
    r"(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)"
    rf"(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)

BEYOND = (
    f"bytes: UTF-8 without byte order mark, at most {MAX_BLOB:,}; json.dumps(pack) at most {MAX_DUMP:,}",
    f"JSON: no key twice, values nested at most {MAX_DEPTH} deep, integers of at most {MAX_DIGITS} digits only",
    f"at most {MAX_VALUES:,} values in all",
    "text: nothing invisible, no control characters, noncharacters or lone surrogates; keys in printable ASCII",
    "file names that differ by more than case",
    f"deny naming one of {', '.join(DANGEROUS)}, if what allow matches contains one",
)
"""What the rules say and a schema cannot."""


def pack_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a pack.json."""
    names = {"type": "array", "maxItems": MAX_NAMES, "items": {"type": "string", "pattern": _whole(NAME)}}
    short = {"type": "string", "minLength": 1, "maxLength": MAX_NAME}
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_INTEGER}
    reserved = "|".join("".join(f"[{c.upper()}{c.lower()}]" for c in name[:-3]) for name in RESERVED)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Open Policy Pack v1",
        "description": "Not said here: " + "; ".join(BEYOND) + ".",
        "type": "object",
        "required": list(REQUIRED),
        "additionalProperties": False,
        "properties": {
            "schema_version": {"type": "integer", "const": 1},
            "files": {
                "description": "File names and their texts; AGENTS.md is the policy.",
                "type": "object",
                "required": ["AGENTS.md"],
                "maxProperties": MAX_NAMES,
                "propertyNames": {"pattern": _whole(rf"(?!(?:{reserved})\.[Mm][Dd]$){FILE_NAME}")},
                "properties": {"AGENTS.md": {"type": "string", "pattern": r"[^ \t\n]"}},
                "additionalProperties": {"type": "string"},
            },
            "tool_policy": {
                "description": "Tools, groups and patterns (fnmatch). Without allow every tool is allowed; deny wins.",
                "type": "object",
                "anyOf": [{"required": ["allow"]}, {"required": ["deny"]}],
                "additionalProperties": False,
                "properties": {"allow": names, "deny": names},
            },
            "metadata": {
                "type": "object",
                "required": ["pack_name", "pack_version", "target_suite"],
                "properties": {
                    "pack_name": {"type": "string", "pattern": _whole(PACK_NAME)},
                    "pack_version": {
                        "description": "A semantic version.",
                        "type": "string",
                        "maxLength": MAX_NAME,
                        "pattern": _whole(VERSION),
                    },
                    "target_suite": short,
                    "hotkey": {
                        "description": "The account that submits the pack, in SS58; local runs need none.",
                        "type": "string",
                        "pattern": _whole(HOTKEY),
                    },
                },
            },
            "target_runtime": short,
            "min_runtime_version": short,
            "approval_gates": {"description": "Tools and effects that the user is asked before.", **names},
            "stop_rules": {
                "description": "Sentences are shown to the agent, limits end its tools.",
                "type": "array",
                "maxItems": MAX_NAMES,
                "items": {
                    "oneOf": [
                        {"type": "string", "minLength": 1},
                        {
                            "type": "object",
                            "minProperties": 1,
                            "additionalProperties": False,
                            "properties": dict.fromkeys(STOP_RULES, limit),
                        },
                    ]
                },
            },
        },
    }


def _whole(pattern: str) -> str:
    """Anchored alike in ECMA and in Python, whose ``$`` also matches before a last newline."""
    return rf"^(?:{pattern})$(?!\n)"
