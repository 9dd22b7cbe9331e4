"""What the vendors' SDKs have in common: a bounded client, raw answers, their errors as ours."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from ..errors import ModelUnusable
from ..extras import installing
from .faults import MAX_BODY_BYTES, AttemptFailed, Declined, bad_reply, disconnected, failure_of, too_large
from .keys import Key
from .limiter import CEILING


def missing(package: str, given: str) -> ModelUnusable:
    """The SDK is not installed."""
    said = f"the {package} SDK is not installed: {installing(package)}"
    return ModelUnusable.of("MODEL_SDK", said, f"--model {given}")


def _http_of(sdk: Any) -> Any:
    """The HTTP library that an SDK stands on: httpx, or its successor."""
    names = [base.__module__.partition(".")[0] for base in sdk.DefaultAsyncHttpxClient.__mro__]
    return sys.modules[next(name for name in names if name in {"httpx", "httpx2"})]


def bounded_client(sdk: Any) -> Any:
    """An HTTP client of the SDK's own kind that follows no redirect and reads no more than a reply can be."""
    module = _http_of(sdk)

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

    return sdk.DefaultAsyncHttpxClient(
        headers={"Accept-Encoding": "identity"},
        follow_redirects=False,
        event_hooks={"response": [bound]},
        limits=module.Limits(max_connections=CEILING, max_keepalive_connections=CEILING),
        timeout=None,
    )


class Endpoint:
    """One path of an SDK's API, through a client for the running event loop: connections belong to a loop.

    A body is sent as it is. The SDK's typed methods walk through the whole conversation to find what to rename, which
    costs more than all the rest of a call.
    """

    def __init__(self, sdk: Any, client: type[Any], path: str, url: str, key: Key) -> None:
        self._sdk = sdk
        self._class = client
        self._path = path
        self._url = url
        self._key = key
        self._client: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._response = _http_of(sdk).Response
        self.heard: Callable[[bytes], None] | None = None

    async def posted(self, body: Mapping[str, Any]) -> bytes | Declined:
        """The body of the answer, without the key; raises AttemptFailed."""
        try:
            response = await self._here().post(self._path, cast_to=self._response, body=body)
            received: bytes = self._key.hidden_in(response.content)
        except Exception as error:
            failure = failure_from(error, self._sdk, self._key)
        else:
            if self.heard is not None:
                self.heard(received)
            return received
        if isinstance(failure, Declined):
            return failure
        raise self._key.hidden(failure) from None

    def _here(self) -> Any:
        loop = asyncio.get_running_loop()
        if self._client is None or loop is not self._loop:
            self._client, self._loop = self._made(), loop
        return self._client

    def _made(self) -> Any:
        return self._class(
            api_key=self._key.reveal(),
            base_url=self._url,
            max_retries=0,
            timeout=None,
            http_client=bounded_client(self._sdk),
        )

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
