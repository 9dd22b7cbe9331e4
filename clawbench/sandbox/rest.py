"""One request to a mock web service, and its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from .lines import Line, fragment
from .state import State

MAX_NESTING = 32
"""Objects and arrays inside each other that a request's body may have."""


@dataclass(frozen=True, slots=True)
class Request:
    """A parsed request: ``path`` in decoded segments, ``query`` the URL's fields, ``data`` the body."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    data: str = ""

    def body(self) -> dict[str, Any] | None:
        """The body as a JSON object, empty without a body; None if it is none or nested too deeply."""
        if not self.data.strip():
            return {}
        if _nesting(self.data) > MAX_NESTING:
            return None
        try:
            value = orjson.loads(self.data)
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            return None
        return value if isinstance(value, dict) else None


def _nesting(text: str) -> int:
    """An upper bound of how deeply a JSON text is nested; brackets inside of strings count too."""
    if text.count("{") + text.count("[") <= MAX_NESTING:
        return 0
    depth = deepest = 0
    for letter in text:
        if letter in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "}]":
            depth -= 1
    return deepest


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP status and the body's lines; ``refusal`` if the user or the policy prevented a change."""

    status: int
    lines: Sequence[Line] = ()
    refusal: str = ""


def notion_error(status: int, code: str, message: str) -> Response:
    """An error in the shape of the Notion API."""
    return Response(status, fragment({"object": "error", "status": status, "code": code, "message": message}))


def google_error(status: int, message: str) -> Response:
    """An error in the shape of the Google APIs."""
    return Response(status, fragment({"error": {"code": status, "message": message}}))


def refused(state: State) -> Response:
    """The answer to a change that the user or the pack's policy prevented."""
    return Response(403, refusal=state.refusal())
