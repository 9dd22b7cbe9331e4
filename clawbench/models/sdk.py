"""What the vendors' SDKs have in common: a bounded client, raw answers, their errors as ours."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

from ..errors import ModelUnusable
from .faults import MAX_BODY_BYTES, AttemptFailed, Declined, bad_reply, disconnected, failure_of, too_large
from .keys import Key


def missing(package: str, given: str) -> ModelUnusable:
    """The SDK is not installed."""
    said = f"the {package} SDK is not installed: pip install 'clawbench[{package}]'"
    return ModelUnusable.of("MODEL_SDK", said, f"--model {given}")


def bounded_client(default: type[Any]) -> Any:
    """An HTTP client of the SDK's own kind that follows no redirect and reads no more than a reply can be."""
    module = next(
        sys.modules[base.__module__.partition(".")[0]]
        for base in default.__mro__
        if base.__module__.partition(".")[0] in {"httpx", "httpx2"}
    )

    class Bounded(module.AsyncByteStream):  # type: ignore[misc, name-defined]
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            read = 0
            async for chunk in self._stream:
                read += len(chunk)
                if read > MAX_BODY_BYTES:
                    raise too_large()
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def bound(response: Any) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise AttemptFailed("MODEL_BAD_REPLY", "the provider compresses what was asked for plain", again=False)
        response.stream = Bounded(response.stream)

    return default(
        headers={"Accept-Encoding": "identity"},
        follow_redirects=False,
        event_hooks={"response": [bound]},
        timeout=None,
    )


class PerLoop:
    """An SDK's client for the running event loop; connections belong to the loop that opened them."""

    def __init__(self, make: Any) -> None:
        self._make = make
        self._client: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def client(self) -> Any:
        """The client of this loop."""
        loop = asyncio.get_running_loop()
        if self._client is None or loop is not self._loop:
            self._client, self._loop = self._make(), loop
        return self._client

    async def aclose(self) -> None:
        """Closes it, if it belongs to the running loop."""
        client, self._client = self._client, None
        if client is not None and asyncio.get_running_loop() is self._loop:
            await client.close()


def failure_from(error: Exception, sdk: Any, key: Key) -> AttemptFailed | Declined:
    """An SDK's error as ours; an error that is none of these is the SDK's bug and raised again."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AttemptFailed):
            return cause
        cause = cause.__cause__
    if isinstance(error, sdk.APIStatusError):
        try:
            body = error.response.content
        except Exception:  # the body was cut off: the status says enough
            body = b""
        return failure_of(error.status_code, error.response.headers, key.hidden_in(body))
    if isinstance(error, sdk.APITimeoutError):
        return AttemptFailed("MODEL_TIMEOUT", "the connection timed out", again=True)
    if isinstance(error, sdk.APIConnectionError):
        return disconnected(error.__cause__ or error)
    if isinstance(error, sdk.APIError):
        return bad_reply(type(error).__name__)
    if type(error).__module__.partition(".")[0] in {"httpx", "httpx2", "httpcore", "httpcore2", "h11"}:
        return disconnected(error)  # while the body was read
    raise error
