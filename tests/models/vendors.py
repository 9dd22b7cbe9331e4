"""The three adapters, each on its stub, spoken to in one way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from clawbench.models import model_named
from clawbench.models.limiter import _LIMITERS
from clawbench.models.protocol import Reply, Request
from clawbench.models.provider import Patience, ProviderModel
from tests.stub_models import Calls, Provider, Script, chat, message

VENDORS = ("openai-compatible", "openai", "anthropic")
KEY = "sk-planted-7f3a9c1e5b"
QUICK = Patience(attempts=3, first_attempts=3, limited_attempts=6, shortest=0.01, longest=0.02, wish=0.05, attempt=20)
TOOL = {
    "type": "function",
    "function": {
        "name": "exec",
        "description": "Runs a command.",
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
    },
}


@contextmanager
def model_at(vendor: str, script: Script, name: str = "stub-1", patience: Patience = QUICK) -> Iterator[Any]:
    """``(model, provider)`` of a vendor's stub."""
    with pytest.MonkeyPatch.context() as patch, Provider(script) as provider:
        patch.setenv("OPENAI_API_KEY", KEY)
        patch.setenv("ANTHROPIC_API_KEY", KEY)
        patch.setenv("OPENAI_COMPATIBLE_API_KEY", KEY)
        patch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
        patch.setenv("ANTHROPIC_BASE_URL", provider.url)
        at = f"@{provider.url}/v1" if vendor == "openai-compatible" else ""
        model = model_named(f"{vendor}/{name}{at}")
        assert isinstance(model, ProviderModel)
        model.patience = patience
        yield model, provider
        _LIMITERS.clear()


def said(vendor: str, text: str | None = None, calls: Calls = ()) -> dict[str, Any]:
    """A reply on the vendor's wire."""
    return message(text, calls) if vendor == "anthropic" else chat(text, calls)


def request(**changes: Any) -> Request:
    """A first turn with one tool."""
    given: dict[str, Any] = {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "tools": (TOOL,),
        "seed": 7_000_000_001,
        "turn": 0,
        "unit": "unit",
        "temperature": "0.7",
        "max_tokens": 512,
    }
    return Request(**given | changes)


def reply(model: ProviderModel, asked: Request | None = None) -> Reply:
    """One reply, and the connections closed."""

    async def ask() -> Reply:
        try:
            return await model.reply(asked or request())
        finally:
            await model.aclose()

    return asyncio.run(ask())
