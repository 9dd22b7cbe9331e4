"""The kinds of values that a scenario can draw: how large the pool is, and what a drawn value looks like.

Each kind is a value with ``pool_size``, ``marks(index)`` (what no other fact of the scenario may share) and
``fact(name, index, setting)``. Pools are indexed from 0, in an order that never changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol

from .fragments import guarded, loose
from .identity import Identity, handle
from .pools import COMPANIES, FIRST_NAMES, LAST_NAMES


@dataclass(frozen=True, slots=True)
class Fact:
    """A drawn value and everything needed to write it, find it and tell it from the pool's other values.

    ``forms`` maps a form's name to its text, ``""`` to the default, which is ``text``. ``spellings`` are
    the exact texts by which the value may stand in a record. ``pattern`` is an RE2 fragment that matches
    every spelling an answer may use, ``shape`` one that matches any value of the pool. ``value`` is what is
    shifted by an offset: a time or a date.
    """

    name: str
    kind: str
    text: str
    forms: Mapping[str, str]
    spellings: tuple[str, ...]
    pattern: str = field(repr=False)
    shape: str = field(repr=False)
    pool_size: int
    reading: Callable[[str], str | None] = field(repr=False, compare=False)
    value: Any = None

    def canon(self, text: str) -> str | None:
        """The normal form of a text that matched ``shape``; None if it is no value of this fact's pool.

        Equal normal forms mean the same value: the true one has ``canon(fact.text)``.
        """
        return self.reading(text)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a fact's text may depend on: the persona, and the domains of the companies drawn so far."""

    persona: Identity
    domains: Mapping[str, str] = field(default_factory=dict)


class Kind(Protocol):
    """What every kind of fact offers."""

    @property
    def pool_size(self) -> int: ...
    def marks(self, index: int) -> tuple[str, ...]: ...
    def fact(self, name: str, index: int, setting: Setting) -> Fact: ...


def _words(names: tuple[str, ...]) -> str:
    return "|".join(names)


@dataclass(frozen=True, slots=True)
class Company:
    """An invented company. Forms: full, ``short`` (its first word), ``domain``."""

    @property
    def pool_size(self) -> int:
        return len(COMPANIES)

    def marks(self, index: int) -> tuple[str, ...]:
        return (f"company:{COMPANIES[index][0]}",)

    def fact(self, name: str, index: int, setting: Setting) -> Fact:
        full, domain = COMPANIES[index]
        short, rest = full.split(" ", 1)
        return Fact(
            name=name,
            kind="company",
            text=full,
            forms={"": full, "short": short, "domain": domain},
            spellings=(full, short, domain),
            pattern=rf"\b{short}\b(?:\s+{loose(rest)}\b)?",
            shape=_company_shape(),
            pool_size=self.pool_size,
            reading=_read_company,
        )


@lru_cache(1)
def _company_shape() -> str:
    names = (full.split(" ", 1) for full, _ in COMPANIES)
    return r"\b(?:" + "|".join(rf"{first}(?:\s+{rest})?" for first, rest in names) + r")\b"


@lru_cache(1)
def _company_names() -> Mapping[str, str]:
    return {full.split()[0].lower(): full for full, _ in COMPANIES}


def _read_company(text: str) -> str | None:
    return _company_names().get((text.split() or [""])[0].lower())


@dataclass(frozen=True, slots=True)
class Person:
    """A colleague, or somebody ``at`` a company fact. Forms: full, first, last, email, handle."""

    at: str | None = None

    @property
    def pool_size(self) -> int:
        return len(FIRST_NAMES) * len(LAST_NAMES)

    def marks(self, index: int) -> tuple[str, ...]:
        first, last = _name(index)
        return (f"first:{first.lower()}", f"last:{last.lower()}")

    def fact(self, name: str, index: int, setting: Setting) -> Fact:
        first, last = _name(index)
        full = f"{first} {last}"
        account = handle(full)
        domain = setting.domains.get(self.at or "", setting.persona.values["COMPANY_DOMAIN"])
        email = f"{account}@{domain}"

        def reading(text: str) -> str | None:
            words = re.findall("[a-z]+", text.lower())
            if not words:
                return None
            if words[0] == first.lower() and (len(words) == 1 or words[1] == last.lower()):
                return full.lower()
            return " ".join(words[:2])

        return Fact(
            name=name,
            kind="person",
            text=full,
            forms={"": full, "first": first, "last": last, "email": email, "handle": account},
            spellings=(full, account, email, first),
            pattern=rf"\b{first}\b(?:[\s.]+{last}\b)?",
            shape=_person_shape(),
            pool_size=self.pool_size,
            reading=reading,
        )


def _name(index: int) -> tuple[str, str]:
    first, last = divmod(index, len(LAST_NAMES))
    return FIRST_NAMES[first], LAST_NAMES[last]


@lru_cache(1)
def _person_shape() -> str:
    return rf"\b(?:{_words(FIRST_NAMES)})\b(?:[\s.]+(?:{_words(LAST_NAMES)})\b)?"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some texts; ``patterns`` holds for each an RE2 pattern of its accepted spellings."""

    values: tuple[str, ...]
    patterns: tuple[str, ...]

    @property
    def pool_size(self) -> int:
        return len(self.values)

    def marks(self, index: int) -> tuple[str, ...]:
        return ()

    def fact(self, name: str, index: int, setting: Setting) -> Fact:
        text = self.values[index]
        own_first = [index, *(i for i in range(len(self.values)) if i != index)]

        def reading(found: str) -> str | None:
            for i in own_first:
                if found.lower() == self.values[i].lower() or re2_compiled(self.patterns[i]).fullmatch(found):
                    return self.values[i]
            return None

        ways = dict.fromkeys((text, text[:1].upper() + text[1:], text.lower(), text.title()))
        return Fact(
            name=name,
            kind="one_of",
            text=text,
            forms={"": text},
            spellings=tuple(ways),
            pattern=f"(?:{self.patterns[index]})",
            shape="(?:" + "|".join(f"(?:{pattern})" for pattern in self.patterns) + ")",
            pool_size=self.pool_size,
            reading=reading,
        )

    @classmethod
    def of(cls, values: tuple[str, ...]) -> OneOf:
        """The plain list: each value is spelled as it is written."""
        return cls(values, tuple(map(guarded, values)))


@lru_cache(256)
def re2_compiled(pattern: str, ignore_case: bool = True) -> Any:
    """``pattern`` compiled by RE2 with ``s`` and, unless told otherwise, ``i``. Raises re2.error."""
    import re2

    options = re2.Options()
    options.log_errors = False
    return re2.compile(f"(?{'is' if ignore_case else 's'}){pattern}", options)


@dataclass(frozen=True, slots=True)
class Flag:
    """True with a probability, for ``if``; it has no text of its own."""

    chance: Fraction

    @property
    def pool_size(self) -> int:
        return self.chance.denominator

    def marks(self, index: int) -> tuple[str, ...]:
        return ()

    def fact(self, name: str, index: int, setting: Setting) -> Fact:
        value = index < self.chance.numerator
        text = "true" if value else "false"

        def reading(found: str) -> str | None:
            return found if found in ("true", "false") else None

        return Fact(
            name=name,
            kind="flag",
            text=text,
            forms={},
            spellings=(),
            pattern=text,
            shape="(?:true|false)",
            pool_size=2,
            reading=reading,
            value=value,
        )
