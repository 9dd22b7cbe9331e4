"""``anthropic/NAME``: messages through Anthropic's SDK."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from typing import Any

from .chat import declined
from .faults import AttemptFailed, Declined
from .keys import Key, key_from
from .messages import conversation_of, parameters_of, reply_of, tools_of
from .naming import ModelName, endpoint_of
from .protocol import Reply, Request
from .provider import Patience, ProviderModel
from .sdk import PerLoop, bounded_client, failure_from, missing

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
    warnings.filterwarnings("ignore", "The model .* is deprecated", DeprecationWarning)  # it is the caller's choice
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


class AnthropicAdapter:
    """Requests through the SDK, answers read by us."""

    def __init__(self, sdk: Any, url: str, settings: dict[str, str], key: Key) -> None:
        self._sdk = sdk
        self._settings = settings
        self._key = key
        self.heard: Callable[[bytes], None] | None = None
        self._clients = PerLoop(
            lambda: sdk.AsyncAnthropic(
                api_key=key.reveal(),
                base_url=url,
                max_retries=0,
                timeout=None,
                http_client=bounded_client(sdk.DefaultAsyncHttpxClient),
            )
        )

    async def attempt(self, request: Request) -> Reply:
        system, turns = conversation_of(request.messages)
        sent = parameters_of(request, self._settings) | tools_of(request)
        if system:
            sent["system"] = system
        messages = self._clients.client().messages
        try:
            async with messages.with_streaming_response.create(
                model=self._settings["model"], messages=turns, **sent
            ) as response:
                body = self._key.hidden_in(await response.read())
            if self.heard is not None:
                self.heard(body)
            return reply_of(body)
        except AttemptFailed as failed:
            raise self._key.hidden(failed) from None
        except Exception as error:
            failure = failure_from(error, self._sdk, self._key)
        if isinstance(failure, Declined):
            return declined(*failure)
        raise self._key.hidden(failure) from None

    async def aclose(self) -> None:
        await self._clients.aclose()
