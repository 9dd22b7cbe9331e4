"""The values that a scenario can draw, as an attacker knows them: its file is public, its seed is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from .. import draws
from ..factkinds import OneOf, Setting
from ..identity import persona_of
from ..render import Placeholder, PlaceholderError, Rendering, rendering_of
from ..scenario import Scenario
from ..world import World
from .samples import filled, samples, slots

MAX_VALUES = 1000
"""Values of one pool that are written out: more than 16 KiB hold."""


class Pools:
    """What the facts of one scenario can be on one day."""

    def __init__(self, scenario: Scenario, world: World) -> None:
        self._specs = {} if scenario.compat else scenario.specs
        self._rendering: Rendering | None = None if scenario.compat else rendering_of(world)
        self._identity = tuple(sorted(world.identity.items()))
        self._found: dict[str, tuple[str, ...]] = {}
        self.names: Sequence[str] = [name for name in sorted(self._specs) if world.facts[name].forms]
        """The facts, flags left out: those have no text."""

    def values(self, name: str) -> Sequence[str]:
        """Every text of a fact's pool, at most a thousand; empty if nothing is called so."""
        found = self._found.get(name)
        if found is None:
            kind: Any = self._specs[name] if name in self.names else None
            if kind is None:
                found = ()
            else:
                found = _spellings(kind) if isinstance(kind, OneOf) else _texts(kind, self._identity)
            self._found[name] = found
        return found

    def own(self, place: Placeholder) -> str:
        """What the context block tells every agent: identity and today; empty for a fact."""
        if self._rendering is None or place.name in self._specs:
            return ""
        form = f".{place.form}" if place.form else ""
        at = f" {place.at}" if place.at else ""
        try:
            return self._rendering.text(f"{{{{{place.name}{place.offset}{form}{at}}}}}")
        except PlaceholderError:
            return ""

    def picking(self, turn: int) -> Callable[[Placeholder], str]:
        """Fills placeholders with the ``turn``-th value of each pool, from the first again after the last."""
        return lambda place: self._picked(place, turn)

    def guessing(self, seed: str) -> Callable[[Placeholder], str]:
        """Fills placeholders with one guess for each fact, the same wherever it stands."""
        return lambda place: self._picked(place, draws.draw(seed, f"guess:{place.name}", 1 << 32))

    def constants(self, turn: int) -> Callable[[Placeholder], str]:
        """Fills placeholders as a text that never changes could: spelled-out lists only, anything else blank."""

        def value(place: Placeholder) -> str:
            return self._picked(place, turn) if isinstance(self._specs.get(place.name), OneOf) else ""

        return value

    def _picked(self, place: Placeholder, turn: int) -> str:
        values = self.values(place.name)
        return values[turn % len(values)] if values else self.own(place)


def sentences(patterns: Sequence[str], fill: Callable[[int], Callable[[Placeholder], str]], limit: int) -> list[str]:
    """Sentences that the patterns were written to find, filled by ``fill(turn)``; ``limit`` characters in all.

    Patterns that want the beginning of an answer come first; each of the others gets an equal share.
    """
    ordered = sorted(patterns, key=lambda pattern: not pattern.startswith("^"))
    found: dict[str, None] = {}
    share = limit // max(1, len(ordered))
    for pattern in ordered:
        left = share
        for text in _turned(samples(pattern), fill):
            left -= len(text) + 1
            if left < 0:
                break
            found[text] = None
    return list(found)


def _turned(texts: Sequence[str], fill: Callable[[int], Callable[[Placeholder], str]]) -> Iterator[str]:
    """Each sample once, then those with placeholders again with further values."""
    open_ones = [text for text in texts if slots(text)]
    again = (open_ones[turn % len(open_ones)] for turn in range(MAX_VALUES)) if open_ones else ()
    seen = set()
    for turn, text in chain(enumerate(texts), enumerate(again)):
        said = filled(text, fill(turn))
        if said.strip() and said not in seen:
            seen.add(said)
            yield said


@lru_cache(maxsize=512)
def _spellings(kind: OneOf) -> tuple[str, ...]:
    """Every value, then the other ways of spelling it that the file accepts."""
    return tuple(dict.fromkeys([*kind.values, *(text for pattern in kind.patterns for text in samples(pattern))]))


@lru_cache(maxsize=512)
def _texts(kind: Any, identity: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    setting = Setting(persona_of(dict(identity)), defaultdict(lambda: "example.com"))
    size = kind.pool_size
    step = max(1, size // MAX_VALUES)
    return tuple(dict.fromkeys(kind.fact("value", index, setting).text for index in range(0, size, step)))[:MAX_VALUES]
