"""The agent loop: one stage, one model, one seed, one trajectory."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from . import draws
from .deadline import Deadline
from .errors import Infrastructure
from .limits import Limits
from .models.protocol import Message, Model, Reply, Request, ToolCall
from .outcome import RunOutcome, Status
from .penalties import cost_penalty, safety_penalty
from .recording import (
    Context,
    Performed,
    Value,
    end_line,
    error_of,
    first_seen,
    seen_of,
    seen_of_user,
    start_line,
    step_line,
)
from .rubric import CheckResult, Progress, Tally, failed_results, tally
from .sandbox import Effect, Sandbox, ToolResult
from .stage import Stage
from .transcript import Transcript
from .userturns import Conversation
from .written import arguments_of, encodable, with_ids

Append = Callable[[Mapping[str, Any]], None]


async def run_episode(stage: Stage, index: int, model: Model, start: Mapping[str, Any], append: Append) -> RunOutcome:
    """Runs ``stage`` once and appends its lines with ``append`` as they happen.

    ``start`` is the payload of the first line. Never raises for what a model or a pack does: those end in COMPLETED
    or PACK_FAULT, a provider's failure in INFRA. Raises OSError if a line cannot be written.
    """
    unwritten: list[OSError] = []

    def written(line: Mapping[str, Any]) -> None:
        try:
            append(line)
        except OSError as error:
            unwritten.append(error)
            raise

    episode = _Episode(stage, index, model, written)
    append(start_line(stage, index, episode.seed, model, start))
    status: Status = "COMPLETED"
    fault = ""
    try:
        async with Deadline(stage.limits.seconds) as episode.deadline:
            fault = await episode.play()
            if fault:
                status = "PACK_FAULT"
    except TimeoutError:
        status, fault = "INFRA", f"LIMIT_SECONDS: no answer within {stage.limits.seconds} s"
    except Infrastructure as error:
        status, fault = "INFRA", f"{error.code}: {error.problems[0].message}"
    except Exception as error:  # a bug of ours or of an adapter must not be a pack's failure, nor end the bench
        if error in unwritten:
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        status, fault = "INFRA", f"INTERNAL: {error!r} at {Path(where.filename).name}:{where.lineno}"[:400]
    outcome = episode.outcome(status, fault)
    append(end_line(stage, outcome, episode.best, episode.errors))
    return outcome


class _Episode:
    """The state of one run while it goes on."""

    __slots__ = (
        "answer",
        "append",
        "approval",
        "best",
        "cached_tokens",
        "completion_tokens",
        "deadline",
        "error",
        "errors",
        "index",
        "inserted",
        "made",
        "messages",
        "model",
        "prefix",
        "progress",
        "prompt_tokens",
        "proposed",
        "ran",
        "reasoning_tokens",
        "sandbox",
        "seed",
        "seen",
        "share",
        "stage",
        "stopped",
        "transcript",
        "turn",
        "user",
        "value",
    )

    def __init__(self, stage: Stage, index: int, model: Model, append: Append) -> None:
        self.stage = stage
        self.index = index
        self.model = model
        self.append = append
        self.seed = draws.run_seed(stage.epoch_seed, index)
        self.approval = stage.approval
        self.user = Conversation(stage.turns)
        self.inserted = ""  # what the user has just replied
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
        self.seen = first_seen(stage)
        self.error = ""
        self.errors = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.cached_tokens = 0
        self.reasoning_tokens = 0
        self.deadline: Deadline | None = None
        self.share = self.best = Fraction(0)
        self.value = Value.of(self.share)

    async def play(self) -> str:
        """Turns until the model answers and the user has no more to say; returns the pack's fault, or ``""``."""
        stage = self.stage
        unit = stage.unit(self.index)
        while True:
            if self.turn >= stage.limits.turns:
                return f"LIMIT_TURNS: no answer within {stage.limits.turns} turns"
            last_turn = bool(self.stopped)
            before = Context(self.prefix.hexdigest(), self.seen, self.error, self.inserted)
            request = Request(
                messages=self.messages,
                tools=() if last_turn else stage.tools,
                seed=self.seed,
                turn=self.turn,
                unit=unit,
                context=before.hash,
                temperature=stage.sampling.temperature,
                max_tokens=stage.sampling.max_tokens,
                deadline=self.deadline,
            )
            reply = encodable(await self.model.reply(request))
            self.prompt_tokens += reply.usage.prompt
            self.completion_tokens += reply.usage.completion
            self.cached_tokens += reply.usage.cached
            self.reasoning_tokens += reply.usage.reasoning
            calls = () if last_turn else with_ids(reply.calls, self.turn)
            if reply.text or not calls:
                self.answer = reply.text
                self.transcript.answer(reply.text)
            fault = _fault_of(reply, stage.limits, self)
            performed = [self._perform(call, fault) for call in calls]
            if not fault and self.proposed > stage.limits.tool_calls:
                fault = f"LIMIT_TOOL_CALLS: more than {stage.limits.tool_calls} tool calls"
            self._extend(reply, performed)
            milestones = self._revalue()
            self.append(step_line(stage, self.turn, before, reply, performed, self.value, milestones))
            self.turn += 1
            self.inserted = ""
            if fault or (not calls and not self._user_replies()):
                return fault

    def _user_replies(self) -> bool:
        """Lets the scripted user reply to the answer; false if they don't, or if nothing could follow."""
        stage = self.stage
        if not stage.turns or self.stopped or self.turn >= stage.limits.turns:
            return False
        turn = self.user.reply_to(self.transcript.read.raw)
        if turn is None:
            return False
        self.messages.append({"role": "user", "content": turn.say})
        self.prefix.update(orjson.dumps(["user", turn.say]))
        self.transcript.user_replied()
        self.inserted = turn.say
        self.seen = seen_of_user(turn.say)
        if turn.grant is not None:
            self.approval = self.approval.giving(turn.grant)
            self.sandbox.state.permit = self.approval.permit
        return True

    def _perform(self, call: ToolCall, fault: str) -> Performed:
        """Deals with one call; nothing runs any more once the run has a ``fault``."""
        self.proposed += 1
        stage = self.stage
        if fault:
            return _unrun(call, "stopped", _error(fault))
        if self.proposed > stage.limits.tool_calls:
            return _unrun(call, "stopped", _error(f"the limit of {stage.limits.tool_calls} tool calls is reached"))
        if call.name not in stage.tool_names:
            offered = ", ".join(sorted(stage.tool_names)) or "none"
            return _unrun(call, "denied", _error(f"there is no tool {call.name[:64]!r} here; offered: {offered}"))
        arguments = arguments_of(call.arguments)
        if isinstance(arguments, str):
            return _unrun(call, "invalid", _error(arguments))
        key = call.name + call.arguments
        rule = stage.stop_rules.fired(self.ran, self.turn, self.made[key])
        if rule or self.stopped:
            self.stopped = self.stopped or str(rule)
            message = f"stop rule {self.stopped}: no more tool calls; give your answer now"
            return _unrun(call, "stopped", _error(message))
        allowed = self.approval.of_tool(call.name)
        if allowed != "done":
            effect = Effect(f"tool.{call.name}", call.name, call.arguments[:4096], allowed)
            self.transcript.effects.append(effect)
            refusal = ToolResult(False, {"error": "refused: the user did not approve this call"}, effects=(effect,))
            return _unrun(call, "gated" if allowed == "refused" else "denied", refusal)
        self.made[key] += 1
        self.ran += 1
        result = self.sandbox.call(call.name, arguments)
        self.transcript.append_call(call.name, arguments, result)
        prevented = {effect.status for effect in result.effects if effect.status != "done"}
        disposition = "denied" if "denied" in prevented else "gated" if prevented else "allowed"
        return Performed(call, disposition, True, result, result.handed)

    def _extend(self, reply: Reply, performed: list[Performed]) -> None:
        """Adds the turn to the conversation and to its hash."""
        said: Message = {"role": "assistant", "content": reply.text}
        if performed:
            said["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call, *_ in performed
            ]
        if reply.carry is not None:
            said["carry"] = reply.carry
        self.messages.append(said)
        self.prefix.update(orjson.dumps([reply.text, [(call.name, call.arguments) for call, *_ in performed]]))
        for call, _, _, _, handed in performed:
            self.messages.append({"role": "tool", "tool_call_id": call.id, "name": call.name, "content": handed})
            self.prefix.update(handed.encode(errors="replace"))
        self.seen = seen_of(performed)
        self.error = error_of(performed)
        self.errors += bool(self.error)

    def _revalue(self) -> tuple[str, ...]:
        """Brings the run's value up to date; returns the checks that earn points for the first time."""
        share, newly = self.progress.after_step()
        if share is not self.share:
            self.share = share
            self.best = max(self.best, share)
            self.value = Value.of(share)
        return newly

    def outcome(self, status: Status, fault: str) -> RunOutcome:
        """The run's verdicts: its own when it completed, all failing for a pack's fault, none for INFRA."""
        rubric = self.stage.rubric
        results: tuple[CheckResult, ...] = ()
        counted: Tally | None = None
        if status == "COMPLETED":
            results = self.progress.results()
        elif status == "PACK_FAULT":
            results = failed_results(rubric, f"the run ended in {fault}")
        if results:
            counted = tally(rubric, results)
        tokens = self.prompt_tokens + self.completion_tokens
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
            cost=cost_penalty(self.transcript.total, tokens, self.stage.scenario.baseline),
            safety=safety_penalty(results, self.transcript.repeated() is not None),
            cached_tokens=self.cached_tokens,
            reasoning_tokens=self.reasoning_tokens,
        )


def _fault_of(reply: Reply, limits: Limits, episode: _Episode) -> str:
    if reply.finish == "refusal":
        return "REFUSAL: the model declined"
    if reply.finish == "length":
        return "LIMIT_OUTPUT: a reply was cut off at its token limit"
    if reply.finish == "context":
        return "LIMIT_CONTEXT: the conversation no longer fits the model's context"
    if episode.completion_tokens > limits.completion_tokens:
        return f"LIMIT_TOKENS: more than {limits.completion_tokens} tokens written"
    if episode.prompt_tokens + episode.completion_tokens > limits.total_tokens:
        return f"LIMIT_TOKENS: more than {limits.total_tokens} tokens in all"
    return ""


def _unrun(call: ToolCall, disposition: str, result: ToolResult) -> Performed:
    return Performed(call, disposition, False, result, result.handed)


def _error(message: str) -> ToolResult:
    return ToolResult(ok=False, result={"error": message})
