"""What is kept of a reply, and the key under which it is found again."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from ..written import encodable
from .protocol import Reply, Request, ToolCall, Usage


def request_key(request: Request, identity: Mapping[str, Any]) -> str:
    """64 hex digits that name all a reply depends on: the model with its settings, the sampling, the run and its
    turn (so pack, scenario, facts, seed and run index), and the whole conversation by its hash.

    Two runs of one vote never share a key.
    """
    parts = {
        "model": identity,
        "unit": request.unit,
        "turn": request.turn,
        "context": request.context,
        "tools": bool(request.tools),
        "seed": str(request.seed),
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
    }
    return sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def kept(reply: Reply) -> dict[str, Any]:
    """``reply`` as a JSON object."""
    reply = encodable(reply)
    return {
        "text": reply.text,
        "calls": [[call.id, call.name, call.arguments] for call in reply.calls],
        "usage": [reply.usage.prompt, reply.usage.completion, reply.usage.cached, reply.usage.reasoning],
        "finish": reply.finish,
        "reasoning": reply.reasoning,
        "fingerprint": reply.fingerprint,
        "served": reply.served,
        "carry": reply.carry,
    }


def reply_in(said: Mapping[str, Any]) -> Reply:
    """The reply that :func:`kept` made ``said`` of; raises KeyError, TypeError or ValueError if it did not."""
    finish = said["finish"]
    if finish not in {"stop", "calls", "length", "refusal", "context"}:
        raise ValueError("finish")
    optional = {name: said[name] for name in ("reasoning", "fingerprint", "served", "carry")}
    calls = tuple(ToolCall(*map(_text, call)) for call in said["calls"])
    if any(value is not None and not isinstance(value, str) for value in optional.values()):
        raise TypeError("a text is expected")
    prompt, completion, cached, reasoning = map(int, said["usage"])
    return Reply(_text(said["text"]), calls, Usage(prompt, completion, cached, reasoning), finish, **optional)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value
