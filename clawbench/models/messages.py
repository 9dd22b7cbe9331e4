"""The messages wire, as Anthropic defined it: pure functions from and to JSON.

A reply that holds thinking blocks is carried whole, ``{"content": [...]}``: their signatures must come back as they
came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson

from .chat import carried_by, count
from .faults import bad_reply, object_of
from .protocol import Message, Reply, Request, ToolCall, Usage

_MAX_BLOCKS = 1024
_THOUGHTS = frozenset({"thinking", "redacted_thinking"})


def conversation_of(messages: Sequence[Message]) -> tuple[str, list[dict[str, Any]]]:
    """The system prompt and the turns; what tools returned, and what the user then said, is one user's turn."""
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    turns: list[dict[str, Any]] = []
    for message in messages:
        role = message["role"]
        if role == "system":
            continue
        said = _blocks(message)
        speaker = "assistant" if role == "assistant" else "user"
        if turns and turns[-1]["role"] == speaker:
            turns[-1]["content"] += said
        elif said:
            turns.append({"role": speaker, "content": said})
    return system, turns


def _blocks(message: Message) -> list[dict[str, Any]]:
    role, content = message["role"], message["content"]
    if role == "tool":
        return [{"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": content}]
    if role == "user":
        return [_text(content)]
    calls = message.get("tool_calls", ())
    carried: Any = carried_by(message).get("content")
    if carried and [b.get("id") for b in carried if b.get("type") == "tool_use"] == [call["id"] for call in calls]:
        return list(carried)
    said = [_text(content)] if content.strip() or not calls else []
    return said + [
        {
            "type": "tool_use",
            "id": call["id"],
            "name": call["function"]["name"],
            "input": _input(call["function"]["arguments"]),
        }
        for call in calls
    ]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text if text.strip() else "(nothing)"}  # the wire takes no empty text


def _input(arguments: str) -> dict[str, Any]:
    try:
        given = orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:
        given = None
    return given if isinstance(given, dict) else {"invalid": arguments}


def tools_of(request: Request) -> dict[str, Any]:
    """``tools`` and ``tool_choice``: a conversation that used tools must name them, also when it may use none."""
    if request.tools:
        return {
            "tools": [
                {
                    "name": tool["function"]["name"],
                    "description": tool["function"].get("description", ""),
                    "input_schema": tool["function"]["parameters"],
                }
                for tool in request.tools
            ]
        }
    used = {call["function"]["name"] for message in request.messages for call in message.get("tool_calls", ()) if call}
    if not used:
        return {}
    named = [{"name": name, "input_schema": {"type": "object"}} for name in sorted(used)]
    return {"tools": named, "tool_choice": {"type": "none"}}


def reply_of(body: bytes) -> Reply:
    """A message as a reply; raises AttemptFailed if it is none."""
    told = object_of(body)
    content = told.get("content")
    if not isinstance(content, list) or len(content) > _MAX_BLOCKS:
        raise bad_reply("no content in it")
    text: list[str] = []
    thought: list[str] = []
    calls: list[ToolCall] = []
    thinking = False
    for block in content:
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "text" and isinstance(block.get("text"), str):
            text.append(block["text"])
        elif kind == "tool_use" and isinstance(block.get("name"), str):
            calls.append(ToolCall(str(block.get("id") or ""), block["name"], json.dumps(block.get("input") or {})))
        elif kind in _THOUGHTS:
            thinking = True
            thought.append(block["thinking"] if isinstance(block.get("thinking"), str) else "")
        elif kind is None or kind in {"text", "tool_use"}:
            raise bad_reply("a block that is none")
    usage = _usage(told.get("usage"))
    stop = told.get("stop_reason")
    finish: Literal["stop", "calls", "length", "refusal", "context"] = "calls" if calls else "stop"
    if stop == "refusal":
        finish = "refusal"
    elif stop == "max_tokens":
        finish = "length"
    elif stop == "model_context_window_exceeded":
        finish = "context"
    elif not content and not usage.completion:
        raise bad_reply("it says nothing, and no token was written")
    served = told.get("model")
    return Reply(
        text="".join(text),
        calls=tuple(calls),
        usage=usage,
        finish=finish,
        reasoning="\n".join(filter(None, thought)) or None,
        served=served[:200] if isinstance(served, str) and served else None,
        carry=json.dumps({"content": content}) if thinking else None,
    )


def _usage(given: object) -> Usage:
    if not isinstance(given, dict):
        return Usage()
    cached = count(given.get("cache_read_input_tokens"))
    read = count(given.get("input_tokens")) + cached + count(given.get("cache_creation_input_tokens"))
    details = given.get("output_tokens_details")
    thought = count(details.get("thinking_tokens")) if isinstance(details, dict) else 0
    return Usage(read, count(given.get("output_tokens")), cached, thought)


def parameters_of(request: Request, settings: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that ``settings`` say are sent."""
    sent: dict[str, Any] = {"max_tokens": request.max_tokens}
    thinking = settings.get("thinking", "")
    if thinking.isdigit():
        # the budget is part of max_tokens, which must leave room for an answer
        sent["thinking"] = {"type": "enabled", "budget_tokens": int(thinking)}
        sent["max_tokens"] = request.max_tokens + int(thinking)
    elif thinking:
        sent["thinking"] = {"type": thinking}
    if "effort" in settings:
        sent["output_config"] = {"effort": settings["effort"]}
    if settings["temperature"] == "sent":
        sent["temperature"] = float(request.temperature)
    if "top_p" in settings:
        sent["top_p"] = float(settings["top_p"])
    return sent
