"""Text that may hold anything, made safe for a terminal."""

from __future__ import annotations

import unicodedata

from ..errors import Problem


def printable(text: str, limit: int | None = None) -> str:
    """``text`` with control, bidirectional and invisible characters written as escapes, on one line.

    Cut to ``limit`` characters, with ``…`` in place of what is missing.
    """
    if text.isascii() and text.isprintable():
        safe = text
    else:
        safe = "".join(_escaped(char) for char in text)
    if limit is not None and len(safe) > limit:
        return safe[: limit - 1] + "…"
    return safe


def _escaped(char: str) -> str:
    if char == "\n":
        return "⏎"
    if char in "\u200d\ufe0f":  # joins emoji; shows nothing by itself
        return ""
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return f"\\u{{{ord(char):x}}}"
    return char


def shown_problem(problem: Problem) -> str:
    """A problem on one line: where, what, and its stable code."""
    return printable(str(problem), 600)
