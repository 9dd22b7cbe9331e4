"""Command-line flags as the filters read them: bundled letters, values joined or apart, long names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Option = tuple[str, str]
"""A flag's letter and its value, empty if it takes none."""


class BadOption(Exception):
    """A flag that the command doesn't know, or a value that is missing."""


def parsed(
    argv: Sequence[str], flags: str, valued: str, long: Mapping[str, str] | None = None, digits: str = ""
) -> tuple[list[Option], list[str]]:
    """The options and operands of ``argv``, whose first word is the command's name.

    ``flags`` are letters without a value, ``valued`` those with one, ``digits`` numbers that are flags
    themselves (``-5``); ``long`` maps long names to letters, an empty letter being ignored.
    """
    options: list[Option] = []
    operands: list[str] = []
    words = list(argv[1:])
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            return options, operands + words[at:]
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            letter = (long or {}).get(name)
            if letter is None:
                raise BadOption(f"unrecognized option '{word[:80]}'")
            if letter and letter in valued and not equals:
                if at >= len(words):
                    raise BadOption(f"option '{name}' requires an argument")
                value = words[at]
                at += 1
            if letter:
                options.append((letter, value))
            continue
        if len(word) < 2 or word[0] != "-":
            operands.append(word)
            continue
        for place, letter in enumerate(word[1:], 1):
            if letter in digits or letter in flags:
                options.append((letter, ""))
            elif letter in valued:
                value = word[place + 1 :]
                if not value:
                    if at >= len(words):
                        raise BadOption(f"option requires an argument -- '{letter}'")
                    value = words[at]
                    at += 1
                options.append((letter, value))
                break
            else:
                raise BadOption(f"invalid option -- '{letter}'")
    return options, operands
