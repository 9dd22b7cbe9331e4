"""The chat completions wire, as OpenAI defined it and others speak it: pure functions from and to JSON.

A reply's parts that must be sent back as they came (signed or encrypted reasoning beside tool calls) are its ``carry``:
``{"message": {...}, "calls": [...]}``, keys to add to the assistant's message and to each of its calls.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson

from .faults import AttemptFailed, Declined, bad_reply, failure_of, object_of
from .protocol import Message, Reply, Request, ToolCall, Usage

SEEDS = 2**31
"""A seed is sent modulo this: some servers keep 32 bits."""

_MAX_CALLS = 256
_ESTIMATED_CHARACTERS = 4  # of one token, where a provider counts none


def messages_of(messages: Sequence[Message]) -> list[Message]:
    """The conversation with nothing in it but what the wire knows."""
    said: list[Message] = []
    for message in messages:
        role = message["role"]
        if role == "assistant":
            said.append(_assistant(message))
        elif role == "tool":
            said.append({"role": "tool", "tool_call_id": message["tool_call_id"], "content": message["content"]})
        else:
            said.append(message)
    return said


def _assistant(message: Message) -> Message:
    calls = message.get("tool_calls")
    if not calls:
        return {"role": "assistant", "content": message["content"]}
    carried: Any = carried_by(message)
    extras = carried.get("calls", ())
    made = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["function"]["name"], "arguments": sendable(call["function"]["arguments"])},
            **(extras[number] if number < len(extras) else {}),
        }
        for number, call in enumerate(calls)
    ]
    return {
        "role": "assistant",
        "content": message["content"] or None,
        "tool_calls": made,
        **carried.get("message", {}),
    }


def carried_by(message: Message) -> Mapping[str, Any]:
    """What a message carries, ``{}`` if nothing."""
    carry = message.get("carry")
    carried = orjson.loads(carry) if carry else {}
    return carried if isinstance(carried, dict) else {}


def sendable(arguments: str) -> str:
    """Arguments that any server can read again: what is no JSON object is wrapped in one."""
    return arguments if isinstance(_loaded(arguments), dict) else json.dumps({"invalid": arguments})


def _loaded(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def reply_of(body: bytes) -> Reply:
    """A completion as a reply; raises AttemptFailed if it is none."""
    told = object_of(body)
    choices = told.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise _without_choices(told)
    choice = choices[0]
    if choice.get("finish_reason") == "error" or isinstance(choice.get("error"), dict):
        raise _failed_inside(choice.get("error"))
    message = choice.get("message")
    if not isinstance(message, dict):
        raise bad_reply("a choice without a message")
    calls, extras = _calls(message.get("tool_calls"))
    text = _text(message.get("content"))
    refusal = message.get("refusal")
    reasoning = next((message[key] for key in ("reasoning_content", "reasoning") if _is_text(message.get(key))), None)
    finish: Literal["stop", "calls", "length", "refusal"] = "calls" if calls else "stop"
    said = choice.get("finish_reason")
    if said == "content_filter" or _is_text(refusal):
        finish, text = "refusal", text or str(refusal or "")
    elif said == "length":
        finish = "length"
    usage = _usage(told.get("usage"), text, calls)
    if finish == "stop" and not text and not reasoning and not usage.completion:
        raise bad_reply("it says nothing, and no token was written")
    return Reply(
        text=text,
        calls=calls,
        usage=usage,
        finish=finish,
        reasoning=reasoning,
        fingerprint=_short(told.get("system_fingerprint")),
        served=_short(told.get("model")),
        carry=_carry(message, extras) if calls else None,
    )


def declined(finish: str, said: str) -> Reply:
    """A reply for a conversation that the provider did not take."""
    return Reply(text="", finish="context" if finish == "context" else "refusal", reasoning=said or None)


def answer_of(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """What an HTTP answer means; raises AttemptFailed."""
    if status == 200:
        return reply_of(body)
    failure = failure_of(status, headers, body)
    if isinstance(failure, Declined):
        return declined(*failure)
    raise failure


def _without_choices(told: Mapping[str, Any]) -> AttemptFailed:
    return _failed_inside(told["error"]) if isinstance(told.get("error"), dict) else bad_reply("no choices in it")


def _failed_inside(error: object) -> AttemptFailed:
    """A failure that came with status 200, as gateways send it."""
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 502
    failure = failure_of(status, {}, json.dumps({"error": error}).encode())
    return failure if isinstance(failure, AttemptFailed) else bad_reply(failure.said)


def _calls(given: object) -> tuple[tuple[ToolCall, ...], list[dict[str, Any]]]:
    if not given:
        return (), []
    if not isinstance(given, list) or len(given) > _MAX_CALLS:
        raise bad_reply("tool_calls is not a list, or too long")
    calls, extras = [], []
    for entry in given:
        function = entry.get("function") if isinstance(entry, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise bad_reply("a tool call without a function's name")
        arguments = function.get("arguments")
        if arguments is None:
            arguments = "{}"
        elif not isinstance(arguments, str):
            arguments = json.dumps(arguments)
        calls.append(ToolCall(str(entry.get("id") or ""), function["name"], arguments))
        extras.append({key: value for key, value in entry.items() if key not in {"id", "type", "function", "index"}})
    return tuple(calls), extras


def _carry(message: Mapping[str, Any], extras: list[dict[str, Any]]) -> str | None:
    kept = {key: message[key] for key in ("reasoning_content", "reasoning_details") if message.get(key)}
    carried: dict[str, Any] = {}
    if kept:
        carried["message"] = kept
    if any(extras):
        carried["calls"] = extras
    return json.dumps(carried) if carried else None


def _text(content: object) -> str:
    """A message's text: a string, null, or a list of parts."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    raise bad_reply("content that is no text")


def _usage(given: object, text: str, calls: tuple[ToolCall, ...]) -> Usage:
    if not isinstance(given, dict):  # the limits on tokens must hold all the same
        written = len(text) + sum(len(call.name) + len(call.arguments) for call in calls)
        return Usage(0, -(-written // _ESTIMATED_CHARACTERS))
    read, wrote = given.get("prompt_tokens_details"), given.get("completion_tokens_details")
    return Usage(
        count(given.get("prompt_tokens")),
        count(given.get("completion_tokens")),
        count(read.get("cached_tokens")) if isinstance(read, dict) else 0,
        count(wrote.get("reasoning_tokens")) if isinstance(wrote, dict) else 0,
    )


def count(given: object) -> int:
    """A number of tokens; 0 for what is none."""
    return given if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 10**9 else 0


def _is_text(given: object) -> bool:
    return isinstance(given, str) and given != ""


def _short(given: object) -> str | None:
    return given[:200] if isinstance(given, str) and given else None


def parameters_of(request: Request, settings: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that ``settings`` say are sent."""
    sent: dict[str, Any] = {settings["tokens_as"]: request.max_tokens}
    if settings["temperature"] == "sent":
        sent["temperature"] = float(request.temperature)
    if settings["seed"].startswith("sent"):
        sent["seed"] = request.seed % SEEDS
    if "top_p" in settings:
        sent["top_p"] = float(settings["top_p"])
    if "effort" in settings:
        sent["reasoning_effort"] = settings["effort"]
    return sent
