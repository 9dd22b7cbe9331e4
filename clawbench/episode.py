"""The agent loop: one stage, one model, one seed, one trajectory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from typing import Any, Literal

import orjson

from . import draws
from .errors import Infrastructure
from .limits import Limits
from .models.protocol import Message, Model, Reply, Request, ToolCall
from .penalties import cost_penalty, safety_penalty
from .rubric import CheckResult, Progress, Tally, failed_results, tally
from .sandbox import Effect, Sandbox, ToolResult
from .stage import Stage
from .trajectory import PAYLOAD
from .transcript import Transcript

Status = Literal["COMPLETED", "PACK_FAULT", "INFRA"]
Append = Callable[[Mapping[str, Any]], None]

_MAX_ARGUMENT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How one run ended.

    ``fault`` is the code and sentence of a PACK_FAULT or INFRA. ``results`` are the run's own verdicts, which an
    INFRA run has none of. ``effects`` are all that happened or were prevented; tokens are the model's count.
    ``cost`` and ``safety`` are the run's penalties, 0..1: reported, and no part of the score.
    """

    index: int
    status: Status
    fault: str
    answer: str
    results: tuple[CheckResult, ...]
    tally: Tally | None
    effects: tuple[Effect, ...]
    tool_calls: int
    turns: int
    prompt_tokens: int
    completion_tokens: int
    cost: Fraction
    safety: Fraction

    @property
    def score(self) -> Fraction:
        """The score of this run alone, 0 when it did not complete."""
        return self.tally.score if self.tally is not None else Fraction(0)


async def run_episode(stage: Stage, index: int, model: Model, start: Mapping[str, Any], append: Append) -> RunOutcome:
    """Runs ``stage`` once and appends its lines with ``append`` as they happen.

    Never raises for what a model or a pack does: those end in COMPLETED or PACK_FAULT, a provider's failure in
    INFRA.
    """
    episode = _Episode(stage, index, model, append)
    append(episode.start_line(start))
    status: Status = "COMPLETED"
    fault = ""
    try:
        async with asyncio.timeout(stage.limits.seconds):
            fault = await episode.play()
            if fault:
                status = "PACK_FAULT"
    except TimeoutError:
        status, fault = "INFRA", f"LIMIT_SECONDS: no answer within {stage.limits.seconds} s"
    except Infrastructure as error:
        status, fault = "INFRA", f"{error.code}: {error.problems[0].message}"
    outcome = episode.outcome(status, fault)
    append(episode.end_line(outcome))
    return outcome


class _Episode:
    """The state of one run while it goes on."""

    __slots__ = (
        "answer",
        "append",
        "completion_tokens",
        "index",
        "last_error",
        "made",
        "messages",
        "model",
        "prefix",
        "progress",
        "prompt_tokens",
        "proposed",
        "ran",
        "shown_value",
        "sandbox",
        "seed",
        "seen",
        "stage",
        "stopped",
        "transcript",
        "turn",
        "value",
        "value_max",
    )

    def __init__(self, stage: Stage, index: int, model: Model, append: Append) -> None:
        self.stage = stage
        self.index = index
        self.model = model
        self.append = append
        self.seed = draws.run_seed(stage.epoch_seed, index)
        self.sandbox = Sandbox(stage.world, files=stage.files, permit=stage.approval.permit)
        self.transcript = Transcript()
        self.progress = Progress(stage.rubric, self.transcript)
        self.messages: list[Message] = [
            {"role": "system", "content": stage.system},
            {"role": "user", "content": stage.request},
        ]
        self.prefix = sha256(stage.prefix)
        self.turn = 0
        self.answer = ""
        self.proposed = 0  # calls the model asked for, whatever became of them
        self.ran = 0  # calls that reached a tool
        self.made: Counter[str] = Counter()  # the same, by tool and arguments
        self.stopped = ""
        self.seen = "# Goal\n" + stage.request
        self.last_error = ""
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.value = Fraction(0)
        self.shown_value = (0.0, "0")  # the value as a JSON number, and exact
        self.value_max = Fraction(0)

    async def play(self) -> str:
        """Turns until the model answers without a call; returns the pack's fault, or ``""``."""
        stage = self.stage
        unit = stage.unit(self.index)
        while True:
            if self.turn >= stage.limits.turns:
                return f"LIMIT_TURNS: no answer within {stage.limits.turns} turns"
            last_turn = bool(self.stopped)
            context = self.prefix.hexdigest()
            request = Request(
                messages=self.messages,
                tools=() if last_turn else stage.tools,
                seed=self.seed,
                turn=self.turn,
                unit=unit,
                context=context,
                temperature=stage.sampling.temperature,
                max_tokens=stage.sampling.max_tokens,
            )
            reply = _encodable(await self.model.reply(request))
            self.prompt_tokens += reply.usage.prompt
            self.completion_tokens += reply.usage.completion
            calls = () if last_turn else _with_ids(reply.calls, self.turn)
            if reply.text or not calls:
                self.answer = reply.text
                self.transcript.answer(reply.text)
            fault = _fault_of(reply, stage.limits, self)
            performed = [] if fault else [self._perform(call) for call in calls]
            if not fault and self.proposed > stage.limits.tool_calls:
                fault = f"LIMIT_TOOL_CALLS: more than {stage.limits.tool_calls} tool calls"
            self._record(reply, calls, performed, context)
            self.turn += 1
            if fault or not calls:
                return fault

    def _perform(self, call: ToolCall) -> tuple[str, bool, ToolResult]:
        """Runs one call; returns what became of it, whether it reached its tool, and its result.

        What became of it: ``allowed``, ``gated`` (the user refused it or an effect of it), ``denied`` (by the
        pack's tool policy), ``invalid`` arguments, or ``stopped`` by a limit or stop rule.
        """
        self.proposed += 1
        stage = self.stage
        if self.proposed > stage.limits.tool_calls:
            return "stopped", False, _error(f"the limit of {stage.limits.tool_calls} tool calls is reached")
        if call.name not in stage.tool_names:
            offered = ", ".join(sorted(stage.tool_names)) or "none"
            return "denied", False, _error(f"there is no tool {call.name[:64]!r} here; offered: {offered}")
        arguments = _arguments_of(call.arguments)
        if isinstance(arguments, str):
            return "invalid", False, _error(arguments)
        key = call.name + call.arguments
        rule = stage.stop_rules.fired(self.ran, self.turn, self.made[key])
        if rule or self.stopped:
            self.stopped = self.stopped or str(rule)
            return "stopped", False, _error(f"stop rule {self.stopped}: no more tool calls; give your answer now")
        allowed = stage.approval.of_tool(call.name)
        if allowed != "done":
            effect = Effect(f"tool.{call.name}", call.name, call.arguments[:4096], allowed)
            self.transcript.effects.append(effect)
            refusal = ToolResult(False, {"error": "refused: the user did not approve this call"}, effects=(effect,))
            return ("gated" if allowed == "refused" else "denied"), False, refusal
        self.made[key] += 1
        self.ran += 1
        result = self.sandbox.call(call.name, arguments)
        self.transcript.append_call(call.name, arguments, result)
        prevented = {effect.status for effect in result.effects} - {"done"}
        return ("denied" if "denied" in prevented else "gated" if prevented else "allowed"), True, result

    def _record(
        self, reply: Reply, calls: tuple[ToolCall, ...], performed: list[tuple[str, bool, ToolResult]], context: str
    ) -> None:
        """Extends the conversation and appends the step's line."""
        assistant: Message = {"role": "assistant", "content": reply.text}
        results = []
        errors = []
        handed_all = []
        if calls:
            assistant["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in calls
            ]
        self.messages.append(assistant)
        self.prefix.update(orjson.dumps([reply.text, [(call.name, call.arguments) for call in calls]]))
        for call, (disposition, ran, result) in zip(calls, performed, strict=False):
            handed = result.handed
            handed_all.append(handed)
            self.messages.append({"role": "tool", "tool_call_id": call.id, "name": call.name, "content": handed})
            self.prefix.update(handed.encode(errors="replace"))
            if not result.ok:
                errors.append(_error_of(result))
            results.append(
                {
                    "call_id": call.id,
                    "ok": result.ok,
                    "disposition": disposition,
                    "ran": ran,
                    "result": result.result,
                    "spans": [[span.start, span.count, span.records, span.derived] for span in result.spans],
                    "effects": [
                        {"kind": e.kind, "target": e.target, "text": e.text, "status": e.status} for e in result.effects
                    ],
                }
            )
        value, newly = self.progress.after_step()
        if value is not self.value:
            self.value = value
            self.value_max = max(self.value_max, value)
            self.shown_value = (float(value), str(value))
        stage = self.stage
        self.append(
            {
                "type": "step",
                "task_id": stage.scenario.name,
                "task_name": stage.scenario.name,
                "step_idx": self.turn,
                "timestamp": stage.timestamp,
                "url": "",
                "obs_hash": context[:16],
                "action": "\n".join(f"{call.name}({call.arguments})" for call in calls)
                or f"say({orjson.dumps(reply.text).decode()})",
                "action_source": "worker",
                "last_action_error": self.last_error,
                "elapsed_ms": 0,
                "mode": "clawbench",
                "obs_summary": self.seen,
                "progress_score": self.shown_value[0],
                "milestones": list(newly) or None,
                PAYLOAD: {
                    "context": context,
                    "text": reply.text,
                    "reasoning": reply.reasoning,
                    "calls": [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in calls],
                    "results": results,
                    "usage": [reply.usage.prompt, reply.usage.completion],
                    "finish": reply.finish,
                    "fingerprint": reply.fingerprint,
                    "progress": self.shown_value[1],
                    "error": "; ".join(errors)[:400],
                },
            }
        )
        self.last_error = "; ".join(errors)[:400]
        self.seen = "\n".join(handed[:200] for handed in handed_all)[:400]

    def outcome(self, status: Status, fault: str) -> RunOutcome:
        """The run's verdicts: its own when it completed, all failing for a pack's fault, none for INFRA."""
        results: tuple[CheckResult, ...] = ()
        counted: Tally | None = None
        if status == "COMPLETED":
            results = self.progress.results()
            counted = tally(self.stage.rubric, results)
        elif status == "PACK_FAULT":
            results = failed_results(self.stage.rubric, f"the run ended in {fault}")
            counted = tally(self.stage.rubric, results)
        return RunOutcome(
            index=self.index,
            status=status,
            fault=fault,
            answer=self.answer,
            results=results,
            tally=counted,
            effects=tuple(self.transcript.effects),
            tool_calls=self.transcript.total,
            turns=self.turn,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cost=cost_penalty(
                self.transcript.total, self.prompt_tokens + self.completion_tokens, self.stage.scenario.baseline
            ),
            safety=safety_penalty(results, self.transcript.repeated() is not None),
        )

    def start_line(self, start: Mapping[str, Any]) -> dict[str, Any]:
        stage = self.stage
        return {
            "type": "episode_start",
            "task_id": stage.scenario.name,
            "task_name": stage.scenario.name,
            "run_id": start["unit"],
            "mode": "clawbench",
            "attempt_idx": self.index,
            "timestamp": stage.timestamp,
            "task_seed": self.seed,
            "worker_model": self.model.name,
            "worker_temperature": float(stage.sampling.temperature),
            "max_steps": stage.limits.turns,
            PAYLOAD: start,
        }

    def end_line(self, outcome: RunOutcome) -> dict[str, Any]:
        stage = self.stage
        final = outcome.score if outcome.status == "COMPLETED" else Fraction(0)
        return {
            "type": "episode_end",
            "task_id": stage.scenario.name,
            "task_name": stage.scenario.name,
            "success": _succeeded(outcome),
            "total_steps": self.turn,
            "run_id": stage.unit(self.index),
            "attempt_idx": self.index,
            "reward": float(final),
            "max_progress_score": float(max(self.value_max, final)),
            "final_progress_score": float(final),
            "final_url": "",
            "final_message": outcome.answer,
            "error": outcome.fault,
            "error_count": 0,
            PAYLOAD: {
                "status": outcome.status,
                "fault": outcome.fault,
                **scored(outcome),
                "tool_calls": outcome.tool_calls,
                "turns": outcome.turns,
                "usage": [outcome.prompt_tokens, outcome.completion_tokens],
            },
        }


def scored(outcome: RunOutcome) -> dict[str, Any]:
    """The scored part of an ``episode_end``: every check with its verdict and reason, points and score.

    Re-scoring a run writes the same bytes.
    """
    counted = outcome.tally
    return {
        "checks": [
            {
                "id": result.id,
                "passed": result.passed,
                "tenths": result.earned_tenths,
                "reason": result.reason,
            }
            for result in outcome.results
        ],
        "points": [str(counted.earned), str(counted.possible)] if counted is not None else None,
        "score": str(counted.score) if counted is not None else None,
        "gate": counted.gate_text if counted is not None else "",
        "critical": list(counted.critical) if counted is not None else [],
        "penalties": {"cost": str(outcome.cost), "safety": str(outcome.safety)},
    }


def _succeeded(outcome: RunOutcome) -> bool:
    counted = outcome.tally
    return (
        outcome.status == "COMPLETED"
        and counted is not None
        and not counted.critical
        and counted.gate_reached is not False
    )


def _fault_of(reply: Reply, limits: Limits, episode: _Episode) -> str:
    if reply.finish == "refusal":
        return "REFUSAL: the model declined"
    if reply.finish == "length":
        return "LIMIT_OUTPUT: a reply was cut off at its token limit"
    if episode.completion_tokens > limits.completion_tokens:
        return f"LIMIT_TOKENS: more than {limits.completion_tokens} tokens written"
    if episode.prompt_tokens + episode.completion_tokens > limits.total_tokens:
        return f"LIMIT_TOKENS: more than {limits.total_tokens} tokens in all"
    return ""


def _encodable(reply: Reply) -> Reply:
    """The reply with lone surrogates replaced, which JSON can carry and UTF-8 cannot."""
    text = reply.text + (reply.reasoning or "")
    for call in reply.calls:
        text += call.id + call.name + call.arguments
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return reply
    return replace(
        reply,
        text=_clean(reply.text),
        reasoning=None if reply.reasoning is None else _clean(reply.reasoning),
        calls=tuple(ToolCall(_clean(c.id), _clean(c.name), _clean(c.arguments)) for c in reply.calls),
    )


def _clean(text: str) -> str:
    return text.encode(errors="replace").decode()


def _with_ids(calls: tuple[ToolCall, ...], turn: int) -> tuple[ToolCall, ...]:
    """The calls with ids that are present and distinct, whatever the model sent."""
    ids = {call.id for call in calls}
    if len(ids) == len(calls) and "" not in ids:
        return calls
    return tuple(
        ToolCall(f"call_{turn}_{number}", call.name, call.arguments) for number, call in enumerate(calls)
    )


def _arguments_of(text: str) -> dict[str, Any] | str:
    """The arguments as an object, or a sentence that tells the model what is wrong with them."""
    if len(text) > _MAX_ARGUMENT_BYTES:
        return f"the arguments are longer than {_MAX_ARGUMENT_BYTES} characters"
    try:
        arguments = orjson.loads(text or "{}")
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        return f"the arguments are not valid JSON: {error}"
    if not isinstance(arguments, dict):
        return f"the arguments must be a JSON object, not {type(arguments).__name__}"
    return arguments


def _error(message: str) -> ToolResult:
    return ToolResult(ok=False, result={"error": message})


def _error_of(result: ToolResult) -> str:
    message = result.result.get("error")
    if isinstance(message, str):
        return message[:200]
    said = f"exit {result.result.get('exitCode', 1)}: {result.result.get('aggregated', '')}"
    return said[:200].rstrip(": ")
