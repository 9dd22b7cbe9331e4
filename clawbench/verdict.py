"""Verdicts: whether a check passed, and the sentence that says why."""

from __future__ import annotations

from typing import Any, NamedTuple

MAX_REASON = 200
_SNIPPET = 72


class Verdict(NamedTuple):
    """What one check says about one run.

    ``reason`` names what matched and where, in at most 200 printable characters. ``tenths`` is what a check
    that earns parts of its points has earned, in tenths of a point; ``None`` for all others.
    """

    passed: bool
    reason: str
    tenths: int | None = None


def passing(reason: str) -> Verdict:
    """A verdict that passes."""
    return Verdict(True, printable(reason))


def failing(reason: str) -> Verdict:
    """A verdict that fails."""
    return Verdict(False, printable(reason))


def printable(text: str, limit: int = MAX_REASON) -> str:
    """``text`` on one line, what could steer a terminal escaped, at most ``limit`` characters."""
    if len(text) <= limit and text.isprintable():
        return text
    text = text[: limit * 4]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shown_pattern(pattern: str) -> str:
    """A pattern as reasons show it: between slashes, shortened."""
    return "/" + printable(pattern, 80) + "/"


def excerpt(subject: str | bytes, start: int, end: int) -> str:
    """What matched at ``start .. end`` and the line it begins on: ``'v3.12.4 broke' on line 2``."""
    newline: Any = b"\n" if isinstance(subject, bytes) else "\n"
    line = subject.count(newline, 0, start) + 1
    # four bytes are the longest character: enough is cut out for the snippet, and no more is decoded
    head = _text(subject[start : min(end, start + 4 * _SNIPPET)])
    if len(head) > _SNIPPET or end > start + 4 * _SNIPPET:
        tail = _text(subject[max(start, end - 2 * _SNIPPET) : end])
        head = head[: _SNIPPET // 2] + "…" + tail[-_SNIPPET // 2 :]
    return f"'{head}' on line {line}"


def _text(part: str | bytes) -> str:
    return part.decode("utf-8", "ignore") if isinstance(part, bytes) else part
