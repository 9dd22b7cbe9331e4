"""``openai-compatible/NAME@URL``: our own lean path to any server that speaks chat completions.

Many small connection pools, the least loaded first: a pool looks through all its connections for each request, so one
of 200 costs twenty times as much as fifty of four (docs/benchmarks.md). The pools are those that httpx itself stands
on, without the client around them: no cookies, no redirects, nothing that reads a configuration.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import orjson

from .chat import answer_of, messages_of, parameters_of
from .faults import MAX_BODY_BYTES, AttemptFailed, disconnected, too_large
from .keys import Key, key_from
from .naming import ModelName, endpoint_of
from .protocol import Reply, Request
from .provider import Patience, ProviderModel
from .sockets import AsyncioBackend

OPTIONS = frozenset({"temperature", "seed", "top_p", "effort", "tokens_as", "timeout"})
_CONNECTIONS = 4  # of one pool
_IDLE_SECONDS = 20.0


def compatible_model(named: ModelName, patience: Patience | None = None) -> ProviderModel:
    """The model behind ``named``; its key is optional, since a server of one's own needs none."""
    endpoint = endpoint_of(named.url, named.given)
    settings = {
        "adapter": "openai-compatible/1",
        "endpoint": named.url,
        "model": named.name,
        "temperature": "omitted" if named.option("temperature") == "omit" else "sent",
        "seed": "omitted" if named.option("seed") == "omit" else "sent modulo 2^31",
        "tokens_as": named.option("tokens_as", "max_tokens"),
        **{key: named.options[key] for key in ("top_p", "effort") if key in named.options},
    }
    host = urlsplit(named.url).hostname or ""
    variables = ["OPENAI_COMPATIBLE_API_KEY"]
    if host == "openrouter.ai" or host.endswith(".openrouter.ai"):  # a vendor's key goes to that vendor alone
        variables.insert(0, "OPENROUTER_API_KEY")
    adapter = CompatibleAdapter(named.url, settings, key_from(variables))
    patience = patience or Patience(attempt=float(named.option("timeout", "100")))
    return ProviderModel(named.given, f"openai-compatible@{endpoint}", settings, adapter, patience)


class _Pool:
    """One small connection pool and the calls it has open."""

    __slots__ = ("connections", "open")

    def __init__(self, connections: httpcore.AsyncConnectionPool) -> None:
        self.connections = connections
        self.open = 0


class CompatibleAdapter:
    """Chat completions over pools that are made as they are needed."""

    def __init__(self, url: str, settings: Mapping[str, str], key: Key) -> None:
        self._url = httpcore.URL(f"{url}/chat/completions")
        self._proxy = _proxy(url)
        self._settings = settings
        self._key = key
        self._headers = [
            (b"Host", urlsplit(url).netloc.encode()),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),
            (b"User-Agent", b"clawbench"),
            (b"Content-Type", b"application/json"),
        ]
        if key:
            self._headers.append((b"Authorization", b"Bearer " + key.reveal().encode()))
        self._pools: list[_Pool] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tls: ssl.SSLContext | None = None
        self.heard: Callable[[bytes], None] | None = None

    async def attempt(self, request: Request) -> Reply:
        sent: dict[str, Any] = {"model": self._settings["model"], "messages": messages_of(request.messages)}
        if request.tools:
            sent["tools"] = request.tools
        body = orjson.dumps(sent | parameters_of(request, self._settings))
        try:
            status, headers, received = await self._answer(body)
            if self.heard is not None:
                self.heard(received)
            answered = answer_of(status, headers, received)
        except AttemptFailed as failed:
            raise self._key.hidden(failed) from None
        usage = answered.usage
        if not usage.prompt and answered.finish in {"stop", "calls", "length"}:
            return replace(answered, usage=replace(usage, prompt=len(body) // 4))  # limits must hold all the same
        return answered

    async def _answer(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """``(status, headers, body)``; raises AttemptFailed."""
        pool = self._least_loaded()
        pool.open += 1
        try:
            headers = [*self._headers, (b"Content-Length", b"%d" % len(body))]
            request = httpcore.Request(b"POST", self._url, headers=headers, content=body)
            response = await pool.connections.handle_async_request(request)
            try:
                told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                received = await _bounded(response, told)
            finally:
                await response.aclose()
        except httpcore.TimeoutException:
            raise AttemptFailed("MODEL_TIMEOUT", "the connection timed out", again=True) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError, OSError) as error:
            raise disconnected(error) from None
        finally:
            pool.open -= 1
        return response.status, told, self._key.hidden_in(received)

    def _least_loaded(self) -> _Pool:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # connections belong to the loop that opened them
            self._pools, self._loop = [], loop
        least = min(self._pools, key=_open, default=None)
        if least is None or least.open >= _CONNECTIONS:
            least = _Pool(self._connections())
            self._pools.append(least)
        return least

    def _connections(self) -> httpcore.AsyncConnectionPool:
        if self._url.scheme == b"https" and self._tls is None:
            import httpx

            self._tls = httpx.create_ssl_context()  # once: it reads every root certificate
        return httpcore.AsyncConnectionPool(
            ssl_context=self._tls,
            proxy=self._proxy,
            max_connections=None,
            max_keepalive_connections=_CONNECTIONS,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=AsyncioBackend(),
        )

    async def aclose(self) -> None:
        pools, self._pools = self._pools, []
        if asyncio.get_running_loop() is self._loop:
            for pool in pools:
                await pool.connections.aclose()
            await asyncio.sleep(0)  # a closed transport lets go of its socket in the next turn of the loop


def _open(pool: _Pool) -> int:
    return pool.open


async def _bounded(response: httpcore.Response, headers: Mapping[str, str]) -> bytes:
    """The body, no longer than a reply can be."""
    if headers.get("content-encoding", "identity") != "identity":
        raise AttemptFailed("MODEL_BAD_REPLY", "the provider compresses what was asked for plain", again=False)
    received = bytearray()
    async for chunk in response.aiter_stream():
        received += chunk
        if len(received) > MAX_BODY_BYTES:
            raise too_large()
    return bytes(received)


def _proxy(url: str) -> httpcore.Proxy | None:
    """The proxy that the environment names for ``url``."""
    parts, proxies = urlsplit(url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    said = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    auth = (said.username, said.password or "") if said.username else None
    place = f"{said.scheme}://{said.hostname}:{said.port or 80}"
    return httpcore.Proxy(place, auth=auth)
