"""From a recorded run back to verdicts, without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import orjson

from .episode import RunOutcome, Status, scored
from .rubric import AnyRubric, CheckResult, failed_results, judge, tally
from .sandbox import Effect, Span
from .trajectory import Trajectory
from .transcript import CallRecord, Transcript
from .world import World


def transcript_of(run: Trajectory) -> Transcript:
    """What the rubric sees of a recorded run: calls that reached a tool, their effects, the answer."""
    transcript = Transcript()
    for step in run.steps:
        for call, entry in zip(step["calls"], step["results"], strict=False):
            effects = tuple(_effect(effect) for effect in entry["effects"])
            if not entry["ran"]:
                transcript.effects.extend(effects)
            else:
                transcript.append(
                    CallRecord(
                        call["name"],
                        orjson.loads(call["arguments"] or "{}"),
                        entry["result"],
                        tuple(Span(start, count, tuple(records), bool(d)) for start, count, records, d in entry["spans"]),
                        entry["ok"],
                    ),
                    effects,
                )
    transcript.answer(run.final_message)
    return transcript


def _effect(entry: Mapping[str, Any]) -> Effect:
    return Effect(entry["kind"], entry["target"], entry["text"], entry["status"])


def results_of(run: Trajectory, rubric: AnyRubric) -> tuple[CheckResult, ...]:
    """The verdicts of ``rubric`` on a recorded run; none for one that infrastructure ended."""
    status, fault = _ending(run)
    if status == "INFRA":
        return ()
    if status == "PACK_FAULT":
        return failed_results(rubric, f"the run ended in {fault}")
    return judge(rubric, transcript_of(run))


def outcome_of(run: Trajectory, rubric: AnyRubric, world: World) -> RunOutcome:
    """A recorded run as the outcome it had, judged again."""
    status, fault = _ending(run)
    results = results_of(run, rubric)
    end = run.end or {}
    transcript = transcript_of(run)
    prompt, completion = end.get("usage", (0, 0))
    return RunOutcome(
        index=int(run.start["index"]),
        status=status,
        fault=fault,
        answer=run.final_message,
        results=results,
        tally=tally(rubric, results) if results else None,
        effects=tuple(transcript.effects),
        tool_calls=transcript.total,
        turns=len(run.steps),
        prompt_tokens=prompt,
        completion_tokens=completion,
    )


def same_verdicts(run: Trajectory, rubric: AnyRubric, results: tuple[CheckResult, ...]) -> bool:
    """Whether judging again gave the very bytes that the run recorded."""
    again = scored(results, tally(rubric, results) if results else None)
    recorded = {key: (run.end or {}).get(key) for key in again}
    return orjson.dumps(again) == orjson.dumps(recorded)


def _ending(run: Trajectory) -> tuple[Status, str]:
    end = run.end or {}
    return cast(Status, end.get("status", "INFRA")), str(end.get("fault", "the run never ended"))
