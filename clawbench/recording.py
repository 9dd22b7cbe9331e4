"""A run's lines as they are recorded: pure functions from what happened to JSON objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import orjson

from .models.protocol import Model, Reply, ToolCall, Usage
from .outcome import RunOutcome, scored
from .sandbox import ToolResult
from .stage import Stage
from .trajectory import PAYLOAD

_MODE = "clawbench"
_SEEN_OF_ONE, _SEEN = 200, 400
_MAX_ERROR = 400


class Performed(NamedTuple):
    """One call after it was dealt with.

    ``disposition`` says what became of it: ``allowed``, ``gated`` (the user refused it or an effect of it),
    ``denied`` (by the pack's tool policy), ``invalid`` arguments, or ``stopped`` by a limit or stop rule. ``ran``
    says whether it reached its tool, and ``handed`` is the text that the model is given.
    """

    call: ToolCall
    disposition: str
    ran: bool
    result: ToolResult
    handed: str


class Value(NamedTuple):
    """The score that a run would have if it ended now: as a JSON number, and exactly."""

    number: float
    exact: str

    @classmethod
    def of(cls, share: Fraction) -> Value:
        """``share`` in both forms."""
        return cls(float(share), str(share))


class Context(NamedTuple):
    """What stood before a step: the hash of the conversation, what was last seen, and the last call's error.

    ``inserted`` is what the user has said in reply to the step before, if they have.
    """

    hash: str
    seen: str
    error: str
    inserted: str = ""


def first_seen(stage: Stage) -> str:
    """What an agent has seen before its first step."""
    return "# Goal\n" + stage.request


def seen_of(performed: Sequence[Performed]) -> str:
    """The beginnings of what these calls handed over: a summary of the observation for readers of plain episodes."""
    return "\n".join([entry.handed[:_SEEN_OF_ONE] for entry in performed])[:_SEEN]


def seen_of_user(words: str) -> str:
    """The same for what the user said."""
    return ("# User\n" + words)[:_SEEN]


def error_of(performed: Sequence[Performed]) -> str:
    """What went wrong in these calls, in one line; empty if nothing did."""
    failed = [entry.result.result for entry in performed if not entry.result.ok]
    if not failed:
        return ""
    return "; ".join(map(_said, failed))[:_MAX_ERROR]


def _said(result: Mapping[str, Any]) -> str:
    message = result.get("error")
    if isinstance(message, str):
        return message[:200]
    return f"exit {result.get('exitCode', 1)}: {result.get('aggregated', '')}"[:200].rstrip(": ")


def start_line(stage: Stage, index: int, seed: int, model: Model, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The ``episode_start`` of a run; ``payload`` is :meth:`Stage.start`."""
    return {
        "type": "episode_start",
        "task_id": stage.scenario.name,
        "task_name": stage.scenario.name,
        "run_id": payload["unit"],
        "mode": _MODE,
        "attempt_idx": index,
        "timestamp": stage.timestamp,
        "task_seed": seed,
        "worker_model": model.name,
        "worker_temperature": float(stage.sampling.temperature),
        "max_steps": stage.limits.turns,
        PAYLOAD: payload,
    }


def step_line(
    stage: Stage,
    turn: int,
    before: Context,
    reply: Reply,
    performed: Sequence[Performed],
    value: Value,
    milestones: Sequence[str],
) -> dict[str, Any]:
    """The ``step`` of one turn: what the model wrote, what became of its calls, and what the run is worth now."""
    calls = [entry.call for entry in performed]
    return {
        "type": "step",
        "task_id": stage.scenario.name,
        "task_name": stage.scenario.name,
        "step_idx": turn,
        "timestamp": stage.timestamp,
        "url": "",
        "obs_hash": before.hash[:16],
        "action": "\n".join([f"{call.name}({call.arguments})" for call in calls]) or _say(reply.text),
        "action_source": "worker",
        "last_action_error": before.error,
        "elapsed_ms": 0,
        "mode": _MODE,
        "obs_summary": before.seen,
        "progress_score": value.number,
        "milestones": list(milestones) or None,
        PAYLOAD: {
            "context": before.hash,
            **({"inserted": [{"role": "user", "content": before.inserted}]} if before.inserted else {}),
            "text": reply.text,
            "reasoning": reply.reasoning,
            "calls": [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in calls],
            "results": [_result(entry) for entry in performed],
            "usage": usage_of(reply.usage),
            "finish": reply.finish,
            "fingerprint": reply.fingerprint,
            **({"served": reply.served} if reply.served is not None else {}),
            **({"carry": reply.carry} if reply.carry is not None else {}),
            "progress": value.exact,
            "error": error_of(performed),
        },
    }


def usage_of(usage: Usage) -> list[int]:
    """Tokens read and written; then, if there were any, those of them that were cached and those that were thought."""
    said = [usage.prompt, usage.completion]
    return [*said, usage.cached, usage.reasoning] if usage.cached or usage.reasoning else said


def _say(text: str) -> str:
    return f"say({orjson.dumps(text).decode()})"


def _result(entry: Performed) -> dict[str, Any]:
    result = entry.result
    return {
        "call_id": entry.call.id,
        "ok": result.ok,
        "disposition": entry.disposition,
        "ran": entry.ran,
        "result": result.result,
        "spans": [[span.start, span.count, span.records, span.derived] for span in result.spans],
        "effects": [
            {"kind": effect.kind, "target": effect.target, "text": effect.text, "status": effect.status}
            for effect in result.effects
        ],
    }


def end_line(stage: Stage, outcome: RunOutcome, best: Fraction, errors: int) -> dict[str, Any]:
    """The ``episode_end`` of a run. ``best`` is the highest value of any step, ``errors`` counts failed steps."""
    final = outcome.score if outcome.status == "COMPLETED" else Fraction(0)
    return {
        "type": "episode_end",
        "task_id": stage.scenario.name,
        "task_name": stage.scenario.name,
        "success": outcome.succeeded,
        "total_steps": outcome.turns,
        "run_id": stage.unit(outcome.index),
        "attempt_idx": outcome.index,
        "reward": float(final),
        "max_progress_score": float(max(best, final)),
        "final_progress_score": float(final),
        "final_url": "",
        "final_message": outcome.answer,
        "error": outcome.fault,
        "error_count": errors,
        PAYLOAD: {
            "status": outcome.status,
            "fault": outcome.fault,
            **scored(outcome),
            "tool_calls": outcome.tool_calls,
            "turns": outcome.turns,
            "usage": usage_of(outcome.usage),
        },
    }
