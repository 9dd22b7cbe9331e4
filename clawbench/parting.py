"""Where two runs part, and what their verdicts differ in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import InvalidInput
from .recorded import RecordedRun, by_stage
from .trajectory import Trajectory, recorded_in
from .walkthrough import action_of


@dataclass(frozen=True, slots=True)
class Parting:
    """The first step (from 1) at which two runs differ, ``None`` if they do in none; and what each did there.

    ``what`` is ``action``, ``result`` (the same calls were answered otherwise) or ``end`` (one run goes on).
    """

    step: int | None
    what: str = ""
    a: str = ""
    b: str = ""
    same_start: bool = True


def parting(a: Trajectory, b: Trajectory) -> Parting:
    """Compares the steps of two runs in their order."""
    with recorded_in(a.path), recorded_in(b.path):
        same_start = a.start["prompt"] == b.start["prompt"] and a.start["world"] == b.start["world"]
        for number, (one, other) in enumerate(zip(a.steps, b.steps, strict=False), 1):
            if action_of(one) != action_of(other):
                first = _first_difference(one, other)
                return Parting(number, "action", *first, same_start)
            results = [[entry["result"] for entry in step["results"]] for step in (one, other)]
            if results[0] != results[1]:
                return Parting(number, "result", _action(one), _action(other), same_start)
        if len(a.steps) != len(b.steps):
            number = min(len(a.steps), len(b.steps)) + 1
            one_side, other_side = (
                _action(run.steps[number - 1]) if len(run.steps) >= number else "has ended" for run in (a, b)
            )
            return Parting(number, "end", one_side, other_side, same_start)
        return Parting(None, same_start=same_start)


def _first_difference(one: Any, other: Any) -> tuple[str, str]:
    """The first call, or the words, in which two steps differ."""
    for left, right in zip(one["calls"], other["calls"], strict=False):
        if (left["name"], left["arguments"]) != (right["name"], right["arguments"]):
            return _call(left), _call(right)
    shared = min(len(one["calls"]), len(other["calls"]))
    left, right = (
        _call(step["calls"][shared]) if len(step["calls"]) > shared else ("" if step["calls"] else _action(step))
        for step in (one, other)
    )
    return left or "calls nothing more", right or "calls nothing more"


def _action(step: Any) -> str:
    return "; ".join(map(_call, step["calls"])) if step["calls"] else f"says {step['text']!r}"


def _call(call: Any) -> str:
    return f"{call['name']} {call['arguments']}"


Stages = dict[tuple[str, str], tuple[list[RecordedRun], list[RecordedRun]]]


def paired(a: list[RecordedRun], b: list[RecordedRun]) -> Stages:
    """The runs of two benches by scenario and pack: ``(scenario, "A's pack" or "A's → B's")`` → both sides' runs.

    Packs are paired by their name; if no name stands on both sides, by scenario, where each has one pack.
    Raises InvalidInput if nothing can be paired.
    """
    left, right = by_stage(a), by_stage(b)
    found: Stages = {key: (left[key], right[key]) for key in left if key in right}
    if found:
        return found
    for scenario in dict.fromkeys(scenario for scenario, _ in left):
        packs = [[key for key in side if key[0] == scenario] for side in (left, right)]
        if len(packs[0]) == len(packs[1]) == 1:
            one, other = packs[0][0], packs[1][0]
            found[scenario, f"{one[1]} → {other[1]}"] = (left[one], right[other])
    if not found:
        said = "no scenario was run with the same pack, or with one pack each, on both sides"
        raise InvalidInput.of("NOTHING_TO_COMPARE", said)
    return found
