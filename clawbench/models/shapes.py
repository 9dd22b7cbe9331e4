"""The shapes that the vendors' documentation promises, and how a real answer differs from them.

``wire/VENDOR.QUESTION.json`` are answers made by hand from the documentation and marked so. A shape is a set of paths
with the kind of value at each: ``choices[].message.content: text``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

QUESTIONS = ("text", "call", "result")
_KINDS = {dict: "object", list: "list", str: "text", bool: "boolean", int: "number", float: "number"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer made by hand: ``optional`` are paths that a real one may lack."""

    vendor: str
    question: str
    source: str
    answer: Mapping[str, Any]
    optional: frozenset[str]


def sample(vendor: str, question: str) -> Sample:
    """The sample of a vendor's answer to a question of :data:`QUESTIONS`."""
    text = (files(__package__) / "wire" / f"{vendor}.{question}.json").read_text(encoding="utf-8")
    told = json.loads(text)
    return Sample(vendor, question, told["source"], told["answer"], frozenset(told["optional"]))


def shape_of(value: Any) -> dict[str, frozenset[str]]:
    """Every path in a JSON value, with the kinds of value that stand there."""
    found: dict[str, set[str]] = {}
    for path, kind in _walked(value, ""):
        found.setdefault(path, set()).add(kind)
    return {path: frozenset(kinds) for path, kinds in found.items()}


def _walked(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            below = f"{path}.{key}" if path else key
            yield below, _KINDS.get(type(inner), "null")
            if key != "input":  # a tool's arguments are the model's
                yield from _walked(inner, below)
    elif isinstance(value, list):
        for inner in value:
            yield from _walked(inner, f"{path}[]")


@dataclass(frozen=True, slots=True)
class Difference:
    """How a real answer departs from the sample: ``missing`` and ``other`` matter, ``new`` paths are only news."""

    missing: tuple[str, ...]
    other: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def matters(self) -> bool:
        """Whether an adapter may read the answer wrong."""
        return bool(self.missing or self.other)


def difference(expected: Sample, answer: Any) -> Difference:
    """Compares a real answer with a sample."""
    wanted, found = shape_of(expected.answer), shape_of(answer)
    missing = [
        path
        for path in wanted
        if path not in found
        and not any(path == may or path.startswith((f"{may}.", f"{may}[")) for may in expected.optional)
    ]
    other = [
        f"{path}: {', '.join(sorted(found[path]))} instead of {', '.join(sorted(kinds))}"
        for path, kinds in wanted.items()
        if path in found and not (found[path] - {"null"}) <= kinds and kinds != {"null"}
    ]
    return Difference(tuple(missing), tuple(other), tuple(path for path in found if path not in wanted))
