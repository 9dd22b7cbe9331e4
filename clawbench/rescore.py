"""From a recorded run back to verdicts, without running anything."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import orjson

from .models.protocol import Usage
from .outcome import RunOutcome, Status, scored
from .penalties import Baseline, cost_penalty, safety_penalty
from .rubric import CheckResult, Rubric, failed_results, judge, tally
from .trajectory import Trajectory
from .transcript import Transcript, recorded_call


def transcript_of(run: Trajectory) -> Transcript:
    """What the rubric sees of a recorded run: calls that reached a tool, their effects, the answer."""
    transcript = Transcript()
    for step in run.steps:
        if step.get("inserted"):
            transcript.user_replied()
        if step["text"] or not step["calls"]:
            transcript.answer(step["text"])
        for call, entry in zip(step["calls"], step["results"], strict=False):
            arguments = orjson.loads(call["arguments"] or "{}") if entry["ran"] else {}
            record, effects = recorded_call(call["name"], arguments, entry)
            if entry["ran"]:
                transcript.append(record, effects)
            else:
                transcript.effects.extend(effects)
    transcript.answer(run.final_message)
    return transcript


def outcome_of(run: Trajectory, rubric: Rubric, baseline: Baseline | None) -> RunOutcome:
    """A recorded run, judged again by ``rubric``: the outcome that it had, if the rubric is the same."""
    end = run.end or {}
    status = cast(Status, end.get("status", "INFRA"))
    fault = str(end.get("fault", "the run never ended"))
    transcript = transcript_of(run)
    results: tuple[CheckResult, ...] = ()
    if status == "PACK_FAULT":
        results = failed_results(rubric, f"the run ended in {fault}")
    elif status == "COMPLETED":
        results = judge(rubric, transcript)
    usage = Usage(*end.get("usage", ()))
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
        prompt_tokens=usage.prompt,
        completion_tokens=usage.completion,
        cost=cost_penalty(transcript.total, usage.prompt + usage.completion, baseline),
        safety=safety_penalty(results, transcript.repeated() is not None),
        cached_tokens=usage.cached,
        reasoning_tokens=usage.reasoning,
    )


def recorded_outcome(run: Trajectory, rubric: Rubric) -> RunOutcome | None:
    """The outcome of a run as it was judged when it ran, without its effects; ``None`` if its checks are not those of
    ``rubric``."""
    end = run.end or {}
    if end["status"] == "PACK_FAULT":
        results = failed_results(rubric, f"the run ended in {end['fault']}")
    else:
        rows = [(row["id"], row["passed"], row["tenths"], row["reason"]) for row in end["checks"]]
        if [row[0] for row in rows] != [check.id for check in rubric.checks]:
            return None
        results = tuple(
            CheckResult(check.id, check.type, check.category, check.points, passed, tenths, reason, check.severity)
            for check, (_, passed, tenths, reason) in zip(rubric.checks, rows, strict=True)
        )
    usage = Usage(*end["usage"])
    return RunOutcome(
        index=int(run.start["index"]),
        status=cast(Status, end["status"]),
        fault=str(end["fault"]),
        answer=run.final_message,
        results=results,
        tally=tally(rubric, results),
        effects=(),
        tool_calls=int(end["tool_calls"]),
        turns=int(end["turns"]),
        prompt_tokens=usage.prompt,
        completion_tokens=usage.completion,
        cost=Fraction(end["penalties"]["cost"]),
        safety=Fraction(end["penalties"]["safety"]),
        cached_tokens=usage.cached,
        reasoning_tokens=usage.reasoning,
    )


def same_verdicts(run: Trajectory, outcome: RunOutcome) -> bool:
    """Whether judging again gave the very bytes that the run recorded."""
    again = scored(outcome)
    recorded = {key: (run.end or {}).get(key) for key in again}
    return orjson.dumps(again) == orjson.dumps(recorded)
