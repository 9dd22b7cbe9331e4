"""``openai/NAME``: chat completions through OpenAI's SDK."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from .chat import declined, messages_of, parameters_of, reply_of
from .faults import Declined
from .keys import Key, key_from
from .naming import ModelName, endpoint_of
from .protocol import Reply, Request
from .provider import Patience, ProviderModel
from .sdk import Endpoint, missing

OPTIONS = frozenset({"temperature", "seed", "top_p", "effort", "tokens_as", "timeout"})
_URL = "https://api.openai.com/v1"
_REASONING = re.compile(r"(o\d|gpt-([5-9]|\d\d)(?!\S*-chat)|codex)")
"""Families that think before they answer: they take no temperature and no seed."""


def openai_model(named: ModelName, patience: Patience | None = None) -> ProviderModel:
    """The model ``named``; raises ModelUnusable without its SDK or its key."""
    try:
        import openai
    except ImportError:
        raise missing("openai", named.given) from None
    url = os.environ.get("OPENAI_BASE_URL", "").rstrip("/") or _URL
    endpoint = endpoint_of(url, "OPENAI_BASE_URL")
    key = key_from(["OPENAI_API_KEY"], needed_by=named.given)
    reasoning = _REASONING.match(named.name) is not None
    omit = "omit" if reasoning else "send"
    settings = {
        "adapter": "openai/1",
        "endpoint": url,
        "model": named.name,
        "temperature": "omitted" if named.option("temperature", omit) == "omit" else "sent",
        "seed": "omitted" if named.option("seed", omit) == "omit" else "sent modulo 2^31",
        "tokens_as": named.option("tokens_as", "max_completion_tokens"),
        **{option: named.options[option] for option in ("top_p", "effort") if option in named.options},
    }
    adapter = OpenAIAdapter(openai, url, settings, key)
    patience = patience or Patience(attempt=float(named.option("timeout", "100")))
    return ProviderModel(named.given, f"openai@{endpoint}", settings, adapter, patience)


class OpenAIAdapter(Endpoint):
    """Requests through the SDK, answers read by us: the same reading as on the lean path."""

    def __init__(self, sdk: Any, url: str, settings: Mapping[str, str], key: Key) -> None:
        super().__init__(sdk, sdk.AsyncOpenAI, "/chat/completions", url, key)
        self._settings = settings

    async def attempt(self, request: Request) -> Reply:
        sent = {"model": self._settings["model"], "messages": messages_of(request.messages)}
        sent |= parameters_of(request, self._settings)
        if request.tools:
            sent["tools"] = request.tools
        answer = await self.posted(sent)
        return declined(*answer) if isinstance(answer, Declined) else reply_of(answer)
