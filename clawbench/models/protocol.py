"""The one protocol between an episode and a model: messages and tools in, a reply out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Message = dict[str, Any]
"""A chat message in the OpenAI shape. Roles: system, user, assistant (``content``, ``tool_calls``), tool
(``content``, ``tool_call_id``, ``name``). ``tool_calls[i].function.arguments`` is a JSON text."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call as the model wrote it; ``arguments`` is the raw text, JSON or not."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply, as the provider counts them."""

    prompt: int = 0
    completion: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked.

    ``messages`` grows by appending only and must not be changed or kept. ``tools`` are OpenAI function
    schemas. ``unit`` names the run (pack, scenario, seed, index) and ``turn`` counts from 0: together they
    find a recorded turn. ``context`` is the hash of the conversation so far. ``temperature`` is decimal text,
    so that it is recorded as it was written.
    """

    messages: Sequence[Message]
    tools: Sequence[Mapping[str, Any]]
    seed: int
    turn: int
    unit: str
    context: str = ""
    temperature: str = "0"
    max_tokens: int = 4096


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered. ``finish`` is ``length`` when cut off and ``refusal`` when it declined."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = field(default_factory=Usage)
    finish: Literal["stop", "calls", "length", "refusal"] = "stop"
    reasoning: str | None = None
    fingerprint: str | None = None


class Model(Protocol):
    """Anything that answers a :class:`Request`.

    ``name`` is what ``--model`` says and ``version`` changes whenever equal requests may get other replies;
    ``simulated`` marks a model that is not a language model. Raises
    :class:`~clawbench.errors.Infrastructure` when no reply could be had.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def simulated(self) -> bool: ...

    async def reply(self, request: Request) -> Reply: ...
