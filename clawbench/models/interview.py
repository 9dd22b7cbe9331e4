"""Three small questions to a real model, and how its answers' shapes differ from the documented ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson

from .protocol import Message, Reply, Request
from .provider import ProviderModel
from .shapes import QUESTIONS, Difference, Sample, difference, sample

_TOOL = {
    "type": "function",
    "function": {
        "name": "exec",
        "description": "Runs a shell command and returns what it prints.",
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
    },
}
_SYSTEM = "You are being checked. Be as short as you can."


@dataclass(frozen=True, slots=True)
class Checked:
    """One question: what was expected, what came, and how the two differ in shape and in meaning."""

    sample: Sample
    reply: Reply
    shape: Difference
    problem: str

    @property
    def good(self) -> bool:
        """Whether the adapter can live with it."""
        return not self.problem and not self.shape.matters


async def checked(model: ProviderModel, vendor: str) -> AsyncIterator[Checked]:
    """The answers to the questions, one after another; raises ModelUnavailable."""
    heard: list[bytes] = []
    model.listen(heard.append)
    talk: list[Message] = [{"role": "system", "content": _SYSTEM}]
    try:
        for turn, question in enumerate(QUESTIONS):
            if question == "text":
                talk.append({"role": "user", "content": "Answer with the one word: ready"})
            elif question == "call":
                talk.append({"role": "user", "content": "Call the tool exec with the command: date +%A"})
            reply = await model.reply(_request(talk, turn))
            problem = _problem(question, reply)
            expected = sample(vendor, question)
            yield Checked(expected, reply, difference(expected, orjson.loads(heard[-1])), problem)
            if problem:
                return
            talk.append(_said(reply))
            talk += [
                {"role": "tool", "tool_call_id": call.id, "name": call.name, "content": "Thursday"}
                for call in reply.calls
            ]
    finally:
        model.listen(None)
        await model.aclose()


def _request(talk: list[Message], turn: int) -> Request:
    return Request(messages=talk, tools=(_TOOL,), seed=1, turn=turn, unit="models check", max_tokens=2048)


def _problem(question: str, reply: Reply) -> str:
    """What is wrong with the meaning of an answer, ``""`` if nothing."""
    if reply.finish not in {"stop", "calls"}:
        return f"it ended in {reply.finish}"
    if question == "call" and not reply.calls:
        return "it called no tool"
    if question != "call" and not reply.text:
        return "it said nothing"
    if not reply.usage.prompt or not reply.usage.completion:
        return "it counted no tokens"
    return ""


def _said(reply: Reply) -> Message:
    said: Message = {"role": "assistant", "content": reply.text}
    if reply.calls:
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.calls
        ]
    if reply.carry is not None:
        said["carry"] = reply.carry
    return said
