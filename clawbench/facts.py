"""Drawing a scenario's facts from its seed.

A fact's index in its pool is ``draws.draw(seed, "fact:{name}", pool_size)``. Facts are drawn in the order
of their names; one that would repeat a company, a person's first or last name, a number, version, code,
amount or time of an earlier fact, or the user's own name, is drawn again with the label ``fact:{name}#1``,
``#2`` and so on. The order in which a file lists them means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from .draws import draw
from .factkinds import Company, Fact, Kind, Setting
from .identity import Identity

MAX_REDRAWS = 64
"""Redraws before the next free value is taken: only pools that are nearly used up get there."""

__all__ = ["Fact", "draw_facts"]


def draw_facts(specs: Mapping[str, Kind], seed: str, persona: Identity) -> dict[str, Fact]:
    """Every fact of a scenario, by name, in the order of names. ``seed`` is ``draws.fact_seed(…)``."""
    taken = {
        f"first:{persona.values['USER_FIRST_NAME'].lower()}",
        f"last:{persona.values['USER_LAST_NAME'].lower()}",
        f"company:{persona.values['COMPANY']}",
    }
    indexes: dict[str, int] = {}
    for name in sorted(specs):
        indexes[name] = _free_index(name, specs[name], seed, taken)
        taken.update(specs[name].marks(indexes[name]))
    bare = Setting(persona)
    domains = {
        name: kind.fact(name, indexes[name], bare).forms["domain"]
        for name, kind in specs.items()
        if isinstance(kind, Company)
    }
    setting = Setting(persona, domains)
    return {name: specs[name].fact(name, index, setting) for name, index in indexes.items()}


def _free_index(name: str, kind: Kind, seed: str, taken: set[str]) -> int:
    size = kind.pool_size
    index = draw(seed, f"fact:{name}", size)
    for again in count(1):
        if taken.isdisjoint(kind.marks(index)):
            return index
        if again > MAX_REDRAWS:
            break
        index = draw(seed, f"fact:{name}#{again}", size)
    for step in range(1, size + 1):
        candidate = (index + step) % size
        if taken.isdisjoint(kind.marks(candidate)):
            return candidate
    return index
