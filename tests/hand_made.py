"""Worlds, rubrics and transcripts made by hand, for tests of what a run is worth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from clawbench.factkinds import Fact, Kind, Setting
from clawbench.factspecs import read_spec
from clawbench.identity import identity
from clawbench.rubric import Gate, Rubric, judge, own_rubric
from clawbench.sandbox.result import Effect, Span, ToolResult
from clawbench.transcript import Transcript
from clawbench.verdict import Verdict
from clawbench.world import Record, World

PERSONA = identity("0" * 64)
STATUS = read_spec({"one_of": ["open", "blocked", "merged"]})
RELEASE = read_spec({"version": ["2..4", "0..19", "0..9"]})


def fact(name: str, kind: Kind, text: str) -> Fact:
    """The fact of ``kind`` whose default form is ``text``."""
    setting = Setting(PERSONA)
    for index in range(kind.pool_size):
        made = kind.fact(name, index, setting)
        if made.text == text:
            return made
    raise AssertionError(f"{text} is not in the pool")


def world_of(mails: Mapping[str, str] | None = None, **facts: Fact) -> World:
    """A world of these mails, by key, and facts."""
    return World(
        "hand_made",
        datetime(2026, 3, 12, 9, 30, tzinfo=UTC),
        PERSONA.values,
        mails=tuple(
            Record(f"mail/{key}", {"id": f"100{n}", "sender": "a@b.example", "subject": key, "body": body})
            for n, (key, body) in enumerate((mails or {}).items())
        ),
        facts=facts,
    )


def rubric_of(*checks: Mapping[str, Any], world: World | None = None, gate: str | None = None) -> Rubric:
    """A rubric of ours; ids, points and categories have defaults."""
    said = [
        {"id": f"check_{number}", "points": 1, "category": "correctness", **check}
        for number, check in enumerate(checks)
    ]
    return own_rubric(said, Gate("correctness", Fraction(gate)) if gate else None, world or world_of())


def verdict_of(check: Mapping[str, Any], transcript: Transcript, world: World | None = None) -> Verdict:
    """What one check says."""
    (result,) = judge(rubric_of(check, world=world), transcript)
    return Verdict(result.passed, result.reason, result.earned_tenths)


def said(*texts: str) -> Transcript:
    """A run that made no call; the last text is its answer."""
    transcript = Transcript()
    for text in texts:
        transcript.answer(text)
    return transcript


def output(text: str, *spans: Span, effects: tuple[Effect, ...] = ()) -> ToolResult:
    """What exec returns for a command that printed ``text``."""
    return ToolResult(True, {"status": "completed", "exitCode": 0, "aggregated": text}, spans, effects)


def run_of(*calls: tuple[str, Any] | tuple[str, Any, ToolResult], answer: str = "") -> Transcript:
    """A run of these calls; a call without a result printed nothing."""
    transcript = Transcript()
    for tool, arguments, *result in calls:
        transcript.append_call(tool, arguments, result[0] if result else output(""))
    transcript.answer(answer)
    return transcript
