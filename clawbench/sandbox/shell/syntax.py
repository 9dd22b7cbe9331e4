"""The parsed form of a command: frozen, so that one parse serves every run of the same text."""

from __future__ import annotations

from dataclasses import dataclass


class Unreadable(Exception):
    """The text is not in the language; the message is what the agent is told."""


@dataclass(frozen=True, slots=True)
class Text:
    """Literal characters of a word."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """``$NAME``, ``${NAME}`` or ``${NAME<operator><word>}``; operators are ``:- - :+ + :`` and ``#``."""

    name: str
    quoted: bool
    operator: str = ""
    word: Word = ""


@dataclass(frozen=True, slots=True)
class Substitution:
    """``$(script)``."""

    script: Script
    quoted: bool


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``$((expression))``, as its tokens."""

    tokens: tuple[str, ...]
    quoted: bool


Part = Text | Parameter | Substitution | Arithmetic
Word = str | tuple[Part, ...]
"""A word that needs no expansion is its text."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """``fd operator target``; operators are ``> >> < <<< << >& &>  &>>``.

    A here-document's target is its body's number in :attr:`Program.bodies`: the parser reads it later.
    """

    fd: int
    operator: str
    target: Word | int


@dataclass(frozen=True, slots=True)
class Simple:
    """Assignments, words and redirections; ``plain`` holds the words if none needs expansion."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    plain: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Group:
    """``{ … }``, or ``( … )`` whose variables are its own."""

    body: Script
    own: bool
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class For:
    """``for name in words; do body; done``."""

    name: str
    words: tuple[Word, ...]
    body: Script
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class While:
    """``while condition; do body; done``, or ``until``."""

    condition: Script
    body: Script
    until: bool
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class If:
    """``if … then … elif … then … else … fi``."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script | None
    redirects: tuple[Redirect, ...]


Command = Simple | Group | For | While | If


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages joined by ``|``; ``merged`` says which of them pass standard error on (``|&``)."""

    stages: tuple[Command, ...]
    merged: tuple[bool, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Pipelines joined by ``&&`` and ``||``; the first one's operator is empty."""

    links: tuple[tuple[str, Pipeline], ...]


@dataclass(frozen=True, slots=True)
class Script:
    """Chains that run one after the other."""

    chains: tuple[Chain, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A whole command text, or ``problem`` if it is not one."""

    script: Script
    bodies: tuple[Word, ...] = ()
    problem: str = ""
