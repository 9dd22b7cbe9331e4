"""grep's and sed's patterns as RE2 patterns: linear in the text, whatever the pattern is."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .limits import Meter

MAX_PATTERN = 2000
_MAX_PROGRAM = 3000
_UNITS_PER = 100

_PLAIN = re.compile(r"[\w \-,:;@#%&=~\"'/<>!`]*")


class BadPattern(Exception):
    """The pattern has no meaning; the message says why."""


Test = Callable[[str], bool]


def translated(pattern: str, kind: str) -> str:
    """A pattern of ``kind`` (basic, extended, perl or fixed) as RE2 reads it."""
    if kind == "fixed":
        return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", pattern)
    if kind == "perl":
        return pattern
    out: list[str] = []
    at = 0
    start = True
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            following = pattern[at : at + 1]
            at += 1
            if not following:
                raise BadPattern("Trailing backslash")
            if following in "<>":
                out.append(r"\b")
            elif following.isdigit():
                raise BadPattern("back-references are not supported")
            elif following in "(){}|+?" and kind == "basic":
                out.append(following)
                start = following in "(|"
                continue
            elif following in "wWsSbBdD":
                out.append("\\" + following)
            else:
                out.append(translated(following, "fixed"))
        elif char == "[":
            bracket = _bracket(pattern, at)
            out.append("[" + bracket[0])
            at = bracket[1]
        elif kind == "basic" and char in "(){}|+?":
            out.append("\\" + char)
        elif char == "*" and start:
            out.append(r"\*")
        elif kind == "basic" and char == "^" and not start:
            out.append(r"\^")
        elif kind == "basic" and char == "$" and pattern[at:] and not pattern.startswith((r"\)", r"\|"), at):
            out.append(r"\$")
        else:
            out.append(char)
            start = char == "^" or (kind == "extended" and char in "(|")
            continue
        start = False
    return "".join(out)


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    out: list[str] = []
    if pattern.startswith("^", at):
        out.append("^")
        at += 1
    if pattern.startswith("]", at):
        out.append(r"\]")
        at += 1
    while at < len(pattern):
        char = pattern[at]
        if char == "]":
            return "".join([*out, "]"]), at + 1
        named = re.compile(r"\[:[a-z]{1,8}:\]").match(pattern, at)
        if named:
            out.append(named[0])
            at = named.end()
        elif char == "\\" and pattern[at + 1 : at + 2] in ("d", "w", "s", "t"):
            out.append(pattern[at : at + 2])
            at += 2
        else:
            out.append("\\" + char if char in "[\\" else char)
            at += 1
    raise BadPattern("Unmatched [, [^, [:, [., or [=")


def whole(patterns: tuple[str, ...], kind: str, ignore_case: bool, word: bool = False, line: bool = False) -> str:
    """One RE2 pattern that matches where any of the patterns does."""
    alternatives = [translated(pattern, kind) for pattern in patterns]
    joined = alternatives[0] if len(alternatives) == 1 else "|".join([f"(?:{each})" for each in alternatives])
    if word:
        joined = rf"\b(?:{joined})\b"
    if line:
        joined = f"^(?:{joined})$"
    return "(?i)" + joined if ignore_case else joined


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """The compiled RE2 pattern, which reads UTF-8 bytes; raises :class:`BadPattern`."""
    if len(pattern) > MAX_PATTERN:
        raise BadPattern("Regular expression too big")
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        # Compiled past the module's own cache, so that at most 256 of 1 MiB stay, and these are ours.
        found = re2._Regexp(pattern.encode("utf-8", "replace"), options)
    except re2.error as problem:
        reason = problem.args[0] if problem.args else "bad pattern"
        raise BadPattern(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from None
    if found.programsize > _MAX_PROGRAM:
        raise BadPattern("Regular expression too big")
    return found


def charge(meter: Meter, pattern: Any, characters: int) -> None:
    """Counts what matching costs: RE2's worst case is the text's length times the pattern's size."""
    meter.spend(characters * pattern.programsize // _UNITS_PER)


def literals(patterns: tuple[str, ...], kind: str) -> tuple[str, ...] | None:
    """The texts of which one must occur, if the patterns say no more than that."""
    found: list[str] = []
    for pattern in patterns:
        if kind == "fixed":
            found.append(pattern)
            continue
        for piece in pattern.split(r"\|" if kind == "basic" else "|"):
            if not _PLAIN.fullmatch(piece):
                return None
            found.append(piece)
    return tuple(found)


def test_of(
    patterns: tuple[str, ...],
    kind: str,
    ignore_case: bool,
    word: bool,
    line: bool,
    meter: Meter,
    characters: int,
) -> Test:
    """A function that says whether a line matches; most patterns are plain words and need no RE2."""
    words = None if word or line else literals(patterns, kind)
    if words is not None and (not ignore_case or all(each.isascii() for each in words)):
        meter.spend(characters * len(words) // 20)
        if ignore_case:
            return _any_of(tuple(each.lower() for each in words), True)
        if len(words) == 1:
            only = words[0]
            return lambda text: only in text
        return _any_of(words, False)
    pattern = compiled(whole(patterns, kind, ignore_case, word, line))
    charge(meter, pattern, characters)
    search = pattern.search
    return lambda text: search(text.encode("utf-8", "replace")) is not None


def _any_of(words: tuple[str, ...], lower: bool) -> Test:
    if lower and len(words) == 1:
        only = words[0]
        return lambda text: only in text.lower()

    def matches(text: str) -> bool:
        read = text.lower() if lower else text
        return any(word in read for word in words)

    return matches
