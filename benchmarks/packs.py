"""A pack of the largest size: from bytes to a value, its rules checked, its hashes known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from clawbench.likeness import content_hash, likeness
from clawbench.pack import Pack, parse_pack
from clawbench.packschema import MAX_DUMP

_SENTENCE = (
    "- Never send, post or change anything without a yes; cite the source of every value – \u201cexactly\u201d.\n"
)


def packs(rounds: int = 200) -> dict[str, Any]:
    """Median ms of parsing, validating and hashing a pack of 32 KB, of its likeness, and of 64 KiB of empty objects."""
    raw = _largest()
    pack = parse_pack(raw)
    objects = b"[" + b"{}," * 21_844 + b"1]"
    return {
        "bytes": len(raw),
        "parse_ms": _median(lambda: parse_pack(raw), rounds),
        "content_ms": _median(lambda: content_hash(pack), rounds),
        "likeness_ms": _median(lambda: likeness(pack), rounds),
        "objects_ms": _median(lambda: _rejected(objects), 20),
        "required": {"parse_ms": 2, "objects_ms": 50},
    }


def _largest() -> bytes:
    """A pack.json of nearly 32 KB in five files, with every key."""
    value: dict[str, Any] = {
        "schema_version": 1,
        "metadata": {"pack_name": "large", "pack_version": "1.0.0", "target_suite": "clawbench_v1"},
        "tool_policy": {"allow": ["exec", "slack", "memory_*", "read"], "deny": ["admin_*", "shell"]},
        "approval_gates": ["mail.send", "slack.*", "calendar.*", "task.*"],
        "stop_rules": ["Stop when every question is answered.", {"max_tool_calls": 20}],
        "files": dict.fromkeys(("AGENTS.md", "SOUL.md", "mail.md", "chat.md", "calendar.md"), "# Policy\n\n"),
    }
    while True:
        for name in value["files"]:
            if len(json.dumps(value)) + 2 * len(_SENTENCE) > MAX_DUMP:
                return json.dumps(value, sort_keys=True).encode()
            value["files"][name] += _SENTENCE


def _rejected(raw: bytes) -> Pack | None:
    try:
        return parse_pack(raw)
    except ValueError:
        return None


def _median(work: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return round(1000 * sorted(seconds)[rounds // 2], 3)
