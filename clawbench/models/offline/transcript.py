"""The conversation so far: calls made, what they returned, which failed or were refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .observe import Item, failed, merged, value_of


@dataclass(frozen=True, slots=True)
class Call:
    """One earlier call; ``arguments`` is its JSON text, ``command`` exec's shell text, else the arguments."""

    tool: str
    arguments: str
    command: str
    result: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Transcript:
    """System text, the user's request, the calls in order, and what the user said after an answer."""

    system: str
    request: str
    calls: tuple[Call, ...]
    replies: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """Every record seen so far, each once."""
        return merged(tuple(call.result for call in self.calls if not call.failed))

    def made(self, tool: str, part: str = "") -> list[Call]:
        """Earlier calls of ``tool`` whose command contains ``part``, whatever came of them."""
        return [call for call in self.calls if call.tool == tool and part in call.command]


@lru_cache(maxsize=2048)
def _command(arguments: str) -> str:
    value = value_of(arguments)
    command = value.get("command") if isinstance(value, dict) else None
    return command if isinstance(command, str) else arguments


def content_of(message: Mapping[str, Any]) -> str:
    """A message's text, whether it is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def read_transcript(messages: Sequence[Mapping[str, Any]]) -> Transcript:
    """The conversation, whatever shape its messages have; unknown parts are passed over."""
    asked: dict[str, tuple[str, str]] = {}
    calls: list[Call] = []
    answered = False
    texts: dict[object, list[str]] = {"system": [], "user": [], "reply": []}
    for message in messages:
        role, content, proposed = message.get("role"), content_of(message), message.get("tool_calls")
        if role in ("system", "user"):
            texts["reply" if role == "user" and answered else role].append(content)
        answered = answered or role == "assistant"
        for call in proposed if isinstance(proposed, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                asked[str(call.get("id"))] = (str(function.get("name")), str(function.get("arguments")))
        if role == "tool":
            name, arguments = asked.get(str(message.get("tool_call_id")), (str(message.get("name")), "{}"))
            calls.append(Call(name, arguments, _command(arguments), content, failed(content)))
    system, request = "\n\n---\n\n".join(texts["system"]), "\n\n".join(texts["user"])
    return Transcript(system, request, tuple(calls), tuple(texts["reply"]))
