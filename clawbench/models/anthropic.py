"""``anthropic/NAME``: messages through Anthropic's SDK."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from .chat import declined
from .faults import Declined
from .keys import Key, key_from
from .messages import conversation_of, parameters_of, reply_of, tools_of
from .naming import ModelName, endpoint_of
from .protocol import Reply, Request
from .provider import Patience, ProviderModel
from .sdk import Endpoint, missing

OPTIONS = frozenset({"temperature", "top_p", "effort", "thinking", "timeout"})
_URL = "https://api.anthropic.com"
_SAMPLED = re.compile(r"claude-(2|3|instant|(opus|sonnet|haiku)-4(-[0-6])?(-\d{8})?$)")
"""Families that take a temperature; those after them answer 400."""


def anthropic_model(named: ModelName, patience: Patience | None = None) -> ProviderModel:
    """The model ``named``; raises ModelUnusable without its SDK or its key."""
    try:
        import anthropic
    except ImportError:
        raise missing("anthropic", named.given) from None
    url = os.environ.get("ANTHROPIC_BASE_URL", "").rstrip("/") or _URL
    endpoint = endpoint_of(url, "ANTHROPIC_BASE_URL")
    key = key_from(["ANTHROPIC_API_KEY"], needed_by=named.given)
    thinking = named.option("thinking", "disabled") != "disabled"  # a model that thinks takes no temperature
    default = "send" if _SAMPLED.match(named.name) and not thinking else "omit"
    settings = {
        "adapter": "anthropic/1",
        "endpoint": url,
        "model": named.name,
        "temperature": "omitted" if named.option("temperature", default) == "omit" else "sent",
        "seed": "omitted",
        **{option: named.options[option] for option in ("top_p", "effort", "thinking") if option in named.options},
    }
    adapter = AnthropicAdapter(anthropic, url, settings, key)
    patience = patience or Patience(attempt=float(named.option("timeout", "100")))
    return ProviderModel(named.given, f"anthropic@{endpoint}", settings, adapter, patience)


class AnthropicAdapter(Endpoint):
    """Requests through the SDK, answers read by us."""

    def __init__(self, sdk: Any, url: str, settings: Mapping[str, str], key: Key) -> None:
        super().__init__(sdk, sdk.AsyncAnthropic, "/v1/messages", url, key)
        self._settings = settings

    async def attempt(self, request: Request) -> Reply:
        system, turns = conversation_of(request.messages)
        sent = {"model": self._settings["model"], "messages": turns}
        sent |= parameters_of(request, self._settings) | tools_of(request)
        if system:
            sent["system"] = system
        answer = await self.posted(sent)
        return declined(*answer) if isinstance(answer, Declined) else reply_of(answer)
