"""What a model wrote, made fit to be used: texts that UTF-8 can hold, ids that are distinct, arguments that parse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from .models.protocol import Reply, ToolCall

_MAX_ARGUMENT_BYTES = 64 * 1024


def encodable(reply: Reply) -> Reply:
    """The reply with lone surrogates replaced, which JSON can carry and UTF-8 cannot."""
    text = reply.text + (reply.reasoning or "") + (reply.carry or "") + (reply.served or "") + (reply.fingerprint or "")
    for call in reply.calls:
        text += call.id + call.name + call.arguments
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return reply
    return replace(
        reply,
        text=_clean(reply.text),
        reasoning=None if reply.reasoning is None else _clean(reply.reasoning),
        carry=None if reply.carry is None else _clean(reply.carry),
        served=None if reply.served is None else _clean(reply.served),
        fingerprint=None if reply.fingerprint is None else _clean(reply.fingerprint),
        calls=tuple(ToolCall(_clean(c.id), _clean(c.name), _clean(c.arguments)) for c in reply.calls),
    )


def _clean(text: str) -> str:
    return text.encode(errors="replace").decode()


def with_ids(calls: tuple[ToolCall, ...], turn: int) -> tuple[ToolCall, ...]:
    """The calls with ids that are present and distinct, whatever the model sent."""
    ids = {call.id for call in calls}
    if len(ids) == len(calls) and "" not in ids:
        return calls
    return tuple(ToolCall(f"call_{turn}_{number}", call.name, call.arguments) for number, call in enumerate(calls))


def arguments_of(text: str) -> dict[str, Any] | str:
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
