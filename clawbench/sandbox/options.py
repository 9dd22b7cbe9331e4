"""The command line of a mock program: its words, its options, and the first thing it does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """A parsed command line. ``values`` and ``flags`` go by the names that the grammar gave them."""

    words: tuple[str, ...]
    values: Mapping[str, Sequence[str]]
    flags: frozenset[str]

    def last(self, name: str, default: str = "") -> str:
        """The last value given for ``name``."""
        given = self.values.get(name)
        return given[-1] if given else default

    def all(self, name: str) -> Sequence[str]:
        """Every value given for ``name``, in order."""
        return self.values.get(name, ())


@dataclass(frozen=True, slots=True)
class Grammar:
    """The options a program has: each spelling (``-s``, ``--page-size``) to the name it is asked by."""

    valued: Mapping[str, str]
    flags: Mapping[str, str]

    def parse(self, argv: Sequence[str]) -> Options | str:
        """The options among ``argv``, anywhere and in any order, or what is wrong with them.

        Takes ``--name value``, ``--name=value``, ``-nvalue``, ``-abc`` and ``--``. A single ``-`` is a word.
        """
        words: list[str] = []
        values: dict[str, list[str]] = {}
        flags: set[str] = set()
        at = 0
        while at < len(argv):
            word = argv[at]
            at += 1
            if word == "--":
                words.extend(argv[at:])
                break
            name, equals, value = word.partition("=")
            if len(word) < 2 or word[0] != "-" or self._is_prose(word):
                words.append(word)
            elif word in self.flags:
                flags.add(self.flags[word])
            elif name in self.valued:
                if not equals:
                    if at >= len(argv):
                        return f"option {shown(word)} needs a value"
                    value = argv[at]
                    at += 1
                values.setdefault(self.valued[name], []).append(value)
            elif word[:2] == "--":
                if name in self.flags:
                    return f"option {shown(name)} takes no value"
                return f"unknown option {shown(name)}"
            else:
                at = self._cluster(word, argv, at, values, flags)
                if at < 0:
                    return f"unknown option {shown(word)}"
        return Options(tuple(words), values, frozenset(flags))

    def _is_prose(self, word: str) -> bool:
        """A text that happens to begin with a dash, such as a list item in a mail's body."""
        return " " in word and word[1] != "-" and word[:2] not in self.valued and word[:2] not in self.flags

    def _cluster(self, word: str, argv: Sequence[str], at: int, values: dict[str, list[str]], flags: set[str]) -> int:
        """Reads ``-sSXPOST``; returns where to go on, or -1 if a letter has no meaning."""
        for place in range(1, len(word)):
            letter = "-" + word[place]
            if letter in self.flags:
                flags.add(self.flags[letter])
            elif letter in self.valued:
                rest = word[place + 1 :]
                if not rest:
                    if at >= len(argv):
                        return -1
                    rest = argv[at]
                    at += 1
                values.setdefault(self.valued[letter], []).append(rest)
                return at
            else:
                return -1
        return at


def spellings(**names: str) -> dict[str, str]:
    """``spellings(size="-s --page-size")`` is ``{"-s": "size", "--page-size": "size"}``."""
    return {spelling: name for name, given in names.items() for spelling in given.split()}


def shown(text: str, limit: int = 80) -> str:
    """What an agent wrote, quoted and cut, for an error message."""
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return "'" + text.replace("\n", "\\n") + "'"
