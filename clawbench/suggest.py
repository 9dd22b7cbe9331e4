"""Guessing what a misspelled name was meant to be, for the sentence that refuses it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 60
"""Characters of a stranger's word that are compared or repeated."""
MOST = 64
"""Names that a sentence lists."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'points'?)``, or nothing if no known name is near."""
    close = get_close_matches(word[:LONGEST], list(known), 1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def listing(known: Iterable[str]) -> str:
    """Names as a sentence lists them, cut to a bearable number."""
    names = list(known)
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return (", ".join(names[:MOST]) + more) or "none"


def quoted(word: object) -> str:
    """A stranger's word in quotes, cut to a bearable length."""
    text = str(word)
    return f"'{text[:LONGEST]}…'" if len(text) > LONGEST else f"'{text}'"
