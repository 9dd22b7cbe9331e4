"""``openai/NAME``: chat completions through OpenAI's SDK."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from .chat import answer_of, declined, messages_of, parameters_of
from .faults import AttemptFailed, Declined
from .keys import Key, key_from
from .naming import ModelName, endpoint_of
from .protocol import Reply, Request
from .provider import Patience, ProviderModel
from .sdk import PerLoop, bounded_client, failure_from, missing

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


class OpenAIAdapter:
    """Requests through the SDK, answers read by us: the same reading as on the lean path."""

    def __init__(self, sdk: Any, url: str, settings: dict[str, str], key: Key) -> None:
        self._sdk = sdk
        self._settings = settings
        self._key = key
        self.heard: Callable[[bytes], None] | None = None
        self._clients = PerLoop(
            lambda: sdk.AsyncOpenAI(
                api_key=key.reveal(),
                base_url=url,
                max_retries=0,
                timeout=None,
                http_client=bounded_client(sdk.DefaultAsyncHttpxClient),
            )
        )

    async def attempt(self, request: Request) -> Reply:
        sent = parameters_of(request, self._settings)
        if request.tools:
            sent["tools"] = list(request.tools)
        completions = self._clients.client().chat.completions
        try:
            async with completions.with_streaming_response.create(
                model=self._settings["model"], messages=messages_of(request.messages), **sent
            ) as response:
                body = self._key.hidden_in(await response.read())
            if self.heard is not None:
                self.heard(body)
            return answer_of(response.status_code, response.headers, body)
        except AttemptFailed as failed:
            raise self._key.hidden(failed) from None
        except Exception as error:
            failure = failure_from(error, self._sdk, self._key)
        if isinstance(failure, Declined):
            return declined(*failure)
        raise self._key.hidden(failure) from None

    async def aclose(self) -> None:
        await self._clients.aclose()
