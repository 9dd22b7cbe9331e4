"""httpcore's connections on asyncio's own streams.

Its default backend carries every read and write through anyio, which costs as much as the rest of a call; and a
request's head and body leave in two packets, which this one sends as one.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

_CONNECT_SECONDS = 10.0


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
        try:
            async with asyncio.timeout(_CONNECT_SECONDS if timeout is None else timeout):
                return _Stream(*await asyncio.open_connection(host, port))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no connection") from error
        except OSError as error:
            raise httpcore.ConnectError(type(error).__name__) from error


class _Stream(httpcore.AsyncNetworkStream):
    """One connection; what is written leaves before the next read. The caller has one timeout for all of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._unsent = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            await self._send()
            return await self._reader.read(max_bytes)
        except OSError as error:
            raise httpcore.ReadError(type(error).__name__) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._unsent += buffer

    async def _send(self) -> None:
        if self._unsent:
            unsent, self._unsent = self._unsent, b""
            self._writer.write(unsent)
            await self._writer.drain()

    async def aclose(self) -> None:
        self._writer.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS if timeout is None else timeout):
                await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no TLS connection") from error
        except OSError as error:  # an SSLError is one
            raise httpcore.ConnectError(type(error).__name__) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # asked of an idle connection: whether its other end is gone
            return self._reader.at_eof() or self._writer.is_closing()
        return self._writer.get_extra_info({"ssl_object": "ssl_object", "socket": "socket"}.get(info, ""))
