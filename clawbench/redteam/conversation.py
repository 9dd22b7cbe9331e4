"""An agent without a mind: calls it makes whatever comes back, and an answer put together by rule."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ..models.protocol import Reply, Request, ToolCall, Usage

Call = tuple[str, Mapping[str, Any]]
"""A tool and its arguments."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One call of the conversation and the text that came back: exec's output, else the result as JSON."""

    tool: str
    arguments: str
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the agent has been shown: the system prompt, the request, and every call so far, in turns."""

    system: str
    request: str
    turns: tuple[tuple[Shown, ...], ...]
    index: int

    @property
    def calls(self) -> tuple[Shown, ...]:
        """Every call with its result, in order."""
        return tuple(shown for turn in self.turns for shown in turn)


Act = Callable[[Seen], Sequence[Call]]
Say = Callable[[Seen], str]


def seen_in(messages: Sequence[Mapping[str, Any]], index: int = 0) -> Seen:
    """Reads a conversation back from its messages."""
    texts = {"system": "", "user": ""}
    turns: list[list[Shown]] = []
    waiting: dict[str, tuple[str, str]] = {}
    for message in messages:
        role, content = message["role"], str(message.get("content") or "")
        if role == "assistant":
            made = message.get("tool_calls") or ()
            waiting = {call["id"]: (call["function"]["name"], call["function"]["arguments"]) for call in made}
            turns += [[]] if made else []
        elif role == "tool":
            name, arguments = waiting.get(message["tool_call_id"], (str(message.get("name")), ""))
            turns[-1].append(Shown(name, arguments, _plain(content)))
        elif not texts[role]:
            texts[role] = content
    return Seen(texts["system"], texts["user"], tuple(map(tuple, turns)), index)


def _plain(content: str) -> str:
    """What a command printed, or the text itself."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return content
    printed = value.get("aggregated") if isinstance(value, dict) else None
    return printed if isinstance(printed, str) else content


class Scripted:
    """A model that makes the calls of ``acts``, one turn each, and then says ``say``; it obeys nobody.

    Its replies depend on the conversation alone, and on the run's index if ``say`` looks at it.
    """

    name = "red-team"
    version = "1"
    simulated = True
    provider = ""
    settings: Mapping[str, str] = {}

    def __init__(self, acts: Sequence[Act], say: Say, index: int = 0) -> None:
        self._acts = tuple(acts)
        self._say = say
        self._index = index
        self.last: Seen | None = None

    async def reply(self, request: Request) -> Reply:
        seen = self.last = seen_in(request.messages, self._index)
        made = self._acts[request.turn](seen) if request.turn < len(self._acts) else ()
        calls = tuple(
            ToolCall(f"call_{request.turn}_{number}", tool, json.dumps(arguments))
            for number, (tool, arguments) in enumerate(made)
        )
        text = "" if calls else self._say(seen)
        # a token is about four characters; the limits of a run are an attacker's limits, too
        written = (len(text) + sum(len(call.arguments) for call in calls)) // 4
        read = sum(len(str(message.get("content") or "")) for message in request.messages) // 4
        return Reply(text, calls, Usage(read, written), "calls" if calls else "stop")
