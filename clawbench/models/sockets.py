"""httpcore's connections straight on asyncio's transports.

Its default backend carries every read and write through anyio, which costs as much as the rest of a call; and a
request's head and body leave in two packets, which this one sends as one.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, cast

import httpcore

_CONNECT_SECONDS = 10.0
_MAX_BUFFERED = 256 * 1024


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections; waits at most 10 s for one."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS if timeout is None else timeout):
                return (await loop.create_connection(_Stream, host, port))[1]
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no connection") from error
        except OSError as error:
            raise httpcore.ConnectError(type(error).__name__) from error


class _Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection; what is written leaves before the next read. The caller has one timeout for all of it."""

    def __init__(self) -> None:
        self._unsent = b""
        self._received = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > _MAX_BUFFERED:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._ended = True
        self._error = error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._unsent:
            unsent, self._unsent = self._unsent, b""
            self._transport.write(unsent)
        while not self._received and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if not self._received and self._error is not None:
            raise httpcore.ReadError(type(self._error).__name__) from self._error
        data = bytes(self._received[:max_bytes])
        del self._received[:max_bytes]
        if len(self._received) <= _MAX_BUFFERED and not self._transport.is_closing():
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._unsent += buffer

    async def aclose(self) -> None:
        self._transport.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        if self._unsent:
            self._transport.write(self._unsent)
            self._unsent = b""
        try:
            async with asyncio.timeout(_CONNECT_SECONDS if timeout is None else timeout):
                secure = await loop.start_tls(self._transport, self, ssl_context, server_hostname=server_hostname)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no TLS connection") from error
        except OSError as error:  # an SSLError is one
            raise httpcore.ConnectError(type(error).__name__) from error
        if secure is None:
            raise httpcore.ConnectError("closed")
        self._transport = secure
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # asked of an idle connection: whether its other end is gone
            return self._ended or bool(self._received) or self._transport.is_closing()
        return self._transport.get_extra_info("ssl_object") if info == "ssl_object" else None
