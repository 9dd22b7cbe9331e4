"""A recorded run, step by step: what was called, what came of it, and at which step each check fell where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from .errors import InvalidInput
from .recorded import exact
from .rescore import transcript_of
from .rescorer import rubric_of
from .rubric import Rubric, judge
from .sandbox.result import body_of
from .trajectory import Trajectory, recorded_in


@dataclass(frozen=True, slots=True)
class Called:
    """One call: how it reads, what became of it (``allowed``, ``gated`` …), whether it worked, and what it handed over.

    ``records`` are those whose text was handed over, ``effects`` what happened or was prevented: kind, target, status.
    """

    tool: str
    arguments: str
    disposition: str
    ok: bool
    result: str
    records: tuple[str, ...]
    effects: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One turn. ``worth`` is the score had the run ended here; ``passing`` and ``failing`` are checks that changed."""

    number: int
    user: str
    text: str
    reasoning: str
    calls: tuple[Called, ...]
    tokens: tuple[int, int]
    worth: Fraction
    finish: str
    passing: tuple[str, ...]
    failing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Walkthrough:
    """A run and its steps. ``checks`` are the recorded verdicts; ``settled`` says at which step (0: from the start)
    each check came to its last verdict, and is empty if the scenario is no longer the one that was run."""

    run: Trajectory
    steps: tuple[Step, ...]
    checks: tuple[Mapping[str, Any], ...]
    settled: Mapping[str, int]


def walkthrough(run: Trajectory) -> Walkthrough:
    """``run`` step by step; raises TrajectoryInvalid if it lacks something."""
    with recorded_in(run.path):
        rubric = _same_rubric(run)
        verdicts = [] if rubric is None else _verdicts(run, rubric)
        settled: dict[str, int] = {}
        for number, passed in enumerate(verdicts):
            for check, verdict in passed.items():
                if number == 0 or verdicts[number - 1][check] != verdict:
                    settled[check] = number
        steps = []
        for number, step in enumerate(run.steps, 1):
            if verdicts:
                before, after = verdicts[number - 1], verdicts[number]
                passing = tuple(check for check in after if after[check] and not before[check])
                failing = tuple(check for check in after if before[check] and not after[check])
            else:
                passing, failing = (), ()
            steps.append(_step(number, step, passing, failing))
        checks = tuple(run.end["checks"]) if run.end else ()
        return Walkthrough(run, tuple(steps), checks, settled)


def _same_rubric(run: Trajectory) -> Rubric | None:
    """The rubric that the run was judged by, if its scenario can be found and has not changed."""
    try:
        rubric, world, _ = rubric_of(run)
    except InvalidInput:
        return None
    recorded = [check["id"] for check in run.end["checks"]] if run.end else []
    same = world == run.start["world"] and recorded in ([], [check.id for check in rubric.checks])
    return rubric if same else None


def _verdicts(run: Trajectory, rubric: Rubric) -> list[dict[str, bool]]:
    """Which checks pass had the run ended before its first step, after it, after the second …"""
    found = []
    for count in range(len(run.steps) + 1):
        done = run.steps[:count]
        answer = next((step["text"] for step in reversed(done) if step["text"] or not step["calls"]), "")
        so_far = replace(run, steps=done, final_message=answer)
        found.append({result.id: result.passed for result in judge(rubric, transcript_of(so_far))})
    return found


def _step(number: int, step: Mapping[str, Any], passing: Sequence[str], failing: Sequence[str]) -> Step:
    calls = tuple(_called(call, entry) for call, entry in zip(step["calls"], step["results"], strict=False))
    said = [str(turn["content"]) for turn in step.get("inserted", ())]
    usage = step["usage"]
    return Step(
        number,
        "\n".join(said),
        str(step["text"]),
        str(step["reasoning"] or ""),
        calls,
        (int(usage[0]), int(usage[1])),
        exact(step["progress"]),
        str(step["finish"]),
        tuple(passing),
        tuple(failing),
    )


def _called(call: Mapping[str, Any], entry: Mapping[str, Any]) -> Called:
    records = dict.fromkeys(name for _, _, names, _ in entry["spans"] for name in names)
    effects = tuple((str(effect["kind"]), str(effect["target"]), str(effect["status"])) for effect in entry["effects"])
    result = entry["result"]
    error = result.get("error")
    body = str(error) if isinstance(error, str) else body_of(result)
    return Called(
        str(call["name"]),
        str(call["arguments"]),
        str(entry["disposition"]),
        bool(entry["ok"]),
        body,
        tuple(map(str, records)),
        effects,
    )


def action_of(step: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a recorded step did: its calls, or its words if it made none."""
    calls = tuple((call["name"], call["arguments"]) for call in step["calls"])
    return calls or ("says", step["text"])
