"""JSON text as agents are handed it: indented by two, nothing escaped that need not be."""

from __future__ import annotations

import json
from typing import Any

import orjson


def json_text(value: Any) -> str:
    """``value`` as JSON indented by two; total for anything that JSON can express."""
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except TypeError:
        # integers over 64 bits, lone surrogates and mappings that are no dict: rare, so slow is fine
        return sound(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def sound(text: str) -> str:
    """``text`` with lone surrogates replaced, so that it can be written as UTF-8."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "keys") else str(value)
