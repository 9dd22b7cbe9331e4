"""Sentences made from a pattern: what somebody prints who has read the rubric and not the records.

A sample matches the pattern it was made from, up to its anchors; all samples together use every alternative at
least once. Placeholders stay as they are, to be filled with whatever values an attacker has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from ..render import TOKEN, Placeholder, PlaceholderError, placeholder

MAX_SAMPLES = 48
MAX_REPEATS = 20
_WORDS = re.compile(r"[A-Za-z][A-Za-z-]{2,}")
_COUNT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_CLASSES = {"d": "1", "w": "a", "s": " ", "D": " ", "W": " ", "S": "a", "n": "\n", "t": "\t", "r": "\n"}
_NOTHING = frozenset("bBAzZGQEfv")


@lru_cache(maxsize=1024)
def samples(pattern: str) -> tuple[str, ...]:
    """At most 48 texts that ``pattern`` was written to find; its bare words if it cannot be read."""
    try:
        found = _Parser(pattern).alternatives()
    except (ValueError, IndexError, RecursionError):
        found = [" ".join(_WORDS.findall(TOKEN.sub(" ", pattern)))]
    return tuple(dict.fromkeys(text.strip() for text in found if text.strip()))[:MAX_SAMPLES]


def filled(sample: str, value: Callable[[Placeholder], str]) -> str:
    """``sample`` with each placeholder replaced by what ``value`` gives for it."""

    def replaced(found: re.Match[str]) -> str:
        try:
            return value(placeholder(found[1]))
        except PlaceholderError:
            return ""

    return TOKEN.sub(replaced, sample)


def slots(sample: str) -> tuple[Placeholder, ...]:
    """The placeholders in ``sample``, in their order."""
    found = []
    for token in TOKEN.finditer(sample):
        try:
            found.append(placeholder(token[1]))
        except PlaceholderError:
            continue
    return tuple(found)


class _Parser:
    """Reads a regular expression and makes texts at the same time; each method returns the texts of its part."""

    __slots__ = ("_at", "_source")

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0

    def alternatives(self) -> list[str]:
        found = self._sequence()
        while self._takes("|"):
            found += self._sequence()
        if self._at < len(self._source) and self._source[self._at] != ")":
            raise ValueError("unread rest")
        return found

    def _takes(self, text: str) -> bool:
        if self._source.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _sequence(self) -> list[str]:
        parts: list[list[str]] = []
        while self._at < len(self._source) and self._source[self._at] not in "|)":
            start = self._at
            texts = self._atom()
            parts.append(self._repeated(texts, self._source[start : self._at]))
        return _zipped(parts)

    def _atom(self) -> list[str]:
        source = self._source
        token = TOKEN.match(source, self._at)
        if token:
            self._at = token.end()
            return [token[0]]
        char = source[self._at]
        self._at += 1
        if char == "(":
            return self._group()
        if char == "[":
            return [self._class()]
        if char == "\\":
            return [self._escape()]
        if char == ".":
            return [" "]
        return [""] if char in "^$" else [char]

    def _group(self) -> list[str]:
        seen = True
        if self._takes("?"):
            looks = re.compile(r"<?[=!]").match(self._source, self._at)
            start = re.compile(r"P?<?[\w-]*[:>)]|<?[=!]").match(self._source, self._at)
            if not start:
                raise ValueError("a group of another kind")
            self._at = start.end()
            if start[0].endswith(")"):
                return [""]
            seen = not looks
        texts = self.alternatives()
        if not self._takes(")"):
            raise ValueError("a group is not closed")
        return texts if seen else [""]

    def _class(self) -> str:
        negated = self._takes("^")
        members: list[str] = ["]"] if self._takes("]") else []
        while not self._takes("]"):
            if self._takes("[:"):
                self._at = self._source.index(":]", self._at) + 2
                members.append("a")
                continue
            char = self._source[self._at]
            self._at += 1
            members.append(self._escape() if char == "\\" else char)
            if self._source[self._at] == "-" and self._source[self._at + 1] != "]":
                self._at += 1
                last = self._source[self._at]
                self._at += 1
                if last == "\\":
                    self._escape()
        if not negated:
            return next((char for char in members if char != "0"), "0" if members else "")
        return next((char for char in " -a1." if char not in members), " ")

    def _escape(self) -> str:
        char = self._source[self._at]
        self._at += 1
        if char in _NOTHING or char.isdigit():
            return ""
        if char == "x":
            code = re.compile(r"\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2})").match(self._source, self._at)
            if not code:
                raise ValueError("an unreadable escape")
            self._at = code.end()
            return chr(min(int(code[1] or code[2], 16), 0x10FFFF))
        if char in "pP":
            name = re.compile(r"\{\^?\w+\}|\w").match(self._source, self._at)
            self._at = name.end() if name else self._at
            return "a"
        return _CLASSES.get(char, char)

    def _repeated(self, texts: list[str], written: str) -> list[str]:
        low, high = 1, 1
        found = _COUNT.match(self._source, self._at)
        if self._takes("*"):
            low, high = 0, MAX_REPEATS
        elif self._takes("+"):
            high = MAX_REPEATS
        elif self._takes("?"):
            low = 0
        elif found:
            self._at = found.end()
            low = int(found[1])
            high = low if found[2] is None else int(found[2] or MAX_REPEATS)
        else:
            return texts
        if not self._takes("?"):
            self._takes("+")
        if low:
            return [text * min(low, MAX_REPEATS) for text in texts]
        if high == 1:
            return [""] if written in ("\\w", "\\d", "\\S") else [*texts, ""]
        if not any(any(map(str.isalnum, text)) for text in texts) or written.startswith(("\\w", "\\d", "\\S")):
            return [""] if written[:2] in ("\\w", "\\d", "\\S", "\\s") else [" "]
        if "[^" in written and not _WORDS.search(TOKEN.sub("word", written)):
            return [" "]
        return ["", *texts]


def _zipped(parts: Sequence[Sequence[str]]) -> list[str]:
    """One text of each part joined, as often as the largest part needs to have all its texts used."""
    most = min(MAX_SAMPLES, max((len(part) for part in parts), default=1))
    return ["".join([part[index % len(part)] for part in parts]) for index in range(most)]
