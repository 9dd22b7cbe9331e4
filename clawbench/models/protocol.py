"""The one protocol between an episode and a model: messages and tools in, a reply out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal, Protocol

from ..deadline import Deadline

Message = dict[str, Any]
"""A chat message in the OpenAI shape. Roles: system, user, assistant (``content``, ``tool_calls``), tool
(``content``, ``tool_call_id``, ``name``). ``tool_calls[i].function.arguments`` is a JSON text. An assistant
message may hold ``carry``, see :class:`Reply`."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call as the model wrote it; ``arguments`` is the raw text, JSON or not."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply, as the provider counts them.

    ``cached`` is the part of ``prompt`` that was read from the provider's cache, ``reasoning`` the part of
    ``completion`` that was thought and not said.
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked.

    ``messages`` grows by appending only and must not be changed or kept. ``tools`` are OpenAI function
    schemas. ``unit`` names the run (pack, scenario, seed, index) and ``turn`` counts from 0: together they
    find a recorded turn. ``context`` is the hash of the conversation so far. ``temperature`` is decimal text,
    so that it is recorded as it was written. ``deadline`` is the run's clock: what an adapter waits for a rate limit
    or loses in a failed attempt is not the run's time.
    """

    messages: Sequence[Message]
    tools: Sequence[Mapping[str, Any]]
    seed: int
    turn: int
    unit: str
    context: str = ""
    temperature: str = "0"
    max_tokens: int = 4096
    deadline: Deadline | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered.

    ``finish`` is ``length`` when cut off, ``refusal`` when it declined, ``context`` when the conversation no longer
    fits. ``served`` is the model's name as the provider answered it. ``carry`` is a JSON text that the same adapter
    must find again in the conversation (signed thinking blocks, encrypted reasoning); it means nothing to others.
    """

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = field(default_factory=Usage)
    finish: Literal["stop", "calls", "length", "refusal", "context"] = "stop"
    reasoning: str | None = None
    fingerprint: str | None = None
    served: str | None = None
    carry: str | None = None


def version_of(settings: Mapping[str, str]) -> str:
    """A model's version when ``settings`` are all that steers it: 16 hex digits."""
    return sha256(json.dumps(dict(settings), sort_keys=True).encode()).hexdigest()[:16]


def identity_of(model: Model) -> dict[str, Any]:
    """The model as it stands in a run's first line."""
    told: dict[str, Any] = {"name": model.name, "version": model.version, "simulated": model.simulated}
    if model.provider:
        told |= {"provider": model.provider, "settings": dict(sorted(model.settings.items()))}
    return told


class Model(Protocol):
    """Anything that answers a :class:`Request`.

    ``name`` is what ``--model`` says and ``version`` changes whenever equal requests may get other replies;
    ``simulated`` marks a model that is not a language model. ``provider`` is who answers, the one whose limits and
    outages all its models share (``""`` for a simulated one); ``settings`` is all that steers beside the request.
    ``version`` changes with them. Raises
    :class:`~clawbench.errors.Infrastructure` when no reply could be had.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def simulated(self) -> bool: ...
    @property
    def provider(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, str]: ...

    async def reply(self, request: Request) -> Reply: ...


async def closed(model: Model) -> None:
    """Closes what a model keeps open between replies, if it keeps anything."""
    close = getattr(model, "aclose", None)
    if close is not None:
        await close()
