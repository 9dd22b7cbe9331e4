"""A websocket that answers as a node does, and fails as nodes do."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from .rpc import Pruned, answer
from .subtensor import Subtensor, ids


@dataclass
class Faults:
    """What goes wrong. Each is asked for one call: a method's name, or ``*`` for any.

    ``drop`` closes the socket instead of answering; ``drop_after`` applies an extrinsic first and then closes, so that
    its fate is unknown; ``stall`` never answers; ``refuse`` answers an error; ``limited`` refuses new connections with
    429. Counts say how often; ``-1`` is for ever.
    """

    drop: Counter[str] = field(default_factory=Counter)
    drop_after: Counter[str] = field(default_factory=Counter)
    stall: Counter[str] = field(default_factory=Counter)
    refuse: Counter[str] = field(default_factory=Counter)
    limited: int = 0

    def strikes(self, kind: str, method: str) -> bool:
        """Whether this fault happens now; counts it."""
        counts: Counter[str] = getattr(self, kind)
        for name in (method, "*"):
            if counts[name]:
                counts[name] -= counts[name] > 0
                return True
        return False


@dataclass
class Node:
    """A node's websocket endpoint on 127.0.0.1; several can serve one chain."""

    chain: Subtensor
    faults: Faults = field(default_factory=Faults)
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""
    on_submit: Callable[[], None] = lambda: None
    _server: Server | None = None
    _heads: dict[str, ServerConnection] = field(default_factory=dict)

    async def __aenter__(self) -> Node:
        self._server = await serve(
            self._serve, "127.0.0.1", self._port(), max_size=1 << 26, process_request=self._greet
        )
        self.url = f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _port(self) -> int:
        return int(self.url.rsplit(":", 1)[1]) if self.url else 0

    async def seal(self, count: int = 1) -> None:
        """Makes blocks, and tells who listens."""
        for _ in range(count):
            self.chain.seal()
            await self._tell_heads()

    async def tick(self, seconds: float) -> None:
        """Makes a block every so many seconds, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            await self.seal()

    def _greet(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.faults.limited:
            self.faults.limited -= self.faults.limited > 0
            response = connection.respond(HTTPStatus.TOO_MANY_REQUESTS, "slow down\n")
            response.headers["Retry-After"] = "1"
            return response
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        try:
            async for message in socket:
                asked = json.loads(message)
                for one in asked if isinstance(asked, list) else [asked]:
                    if not await self._answer(socket, one["id"], one["method"], one.get("params") or []):
                        return
        except ConnectionClosed:
            pass

    async def _answer(self, socket: ServerConnection, call: Any, method: str, params: list[Any]) -> bool:
        """Answers one call; false when the socket was closed instead."""
        self.asked[method] += 1
        if self.faults.strikes("stall", method):
            return True
        if self.faults.strikes("drop", method):
            socket.transport.abort()
            return False
        if self.faults.strikes("refuse", method):
            return await self._send(socket, call, error={"code": -32000, "message": "refused"})
        try:
            if method in ("author_submitAndWatchExtrinsic", "author_submitExtrinsic"):
                return await self._submit(socket, call, method, params)
            if method.startswith("chain_subscribe"):
                name = f"heads-{next(ids)}"
                self._heads[name] = socket
                await self._send(socket, call, result=name)
                await self._head(socket, name)
                return True
            if "unsubscribe" in method or method.startswith("author_unwatch"):
                self._heads.pop(params[0], None)
                return await self._send(socket, call, result=True)
            return await self._send(socket, call, result=answer(self.chain, method, params))
        except Pruned as why:
            return await self._send(
                socket, call, error={"code": -32000, "message": f"Client error: State already discarded for {why}"}
            )
        except ValueError as why:
            return await self._send(socket, call, error={"code": 1010, "message": f"Invalid Transaction: {why}"})
        except LookupError as why:
            return await self._send(socket, call, error={"code": -32601, "message": f"Method not found: {why}"})

    async def _submit(self, socket: ServerConnection, call: Any, method: str, params: list[Any]) -> bool:
        _, block_hash = self.chain.submit(params[0])
        self.on_submit()
        if self.faults.strikes("drop_after", method):
            socket.transport.abort()
            return False
        name = f"extrinsic-{next(ids)}"
        await self._send(socket, call, result=name)
        if self.chain.lag:
            self.chain.seal(self.chain.lag)
        for status in ("ready", {"inBlock": block_hash}, {"finalized": block_hash}):
            await self._tell(socket, "author_extrinsicUpdate", name, status)
        await self._tell_heads()
        return True

    async def _tell_heads(self) -> None:
        for name, socket in list(self._heads.items()):
            try:
                await self._head(socket, name)
            except ConnectionClosed:
                self._heads.pop(name, None)

    async def _head(self, socket: ServerConnection, name: str) -> None:
        await self._tell(socket, "chain_newHead", name, self.chain.blocks[-1].header)

    async def _tell(self, socket: ServerConnection, method: str, subscription: str, result: Any) -> None:
        params = {"subscription": subscription, "result": result}
        await socket.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    async def _send(self, socket: ServerConnection, call: Any, **body: Any) -> bool:
        await socket.send(json.dumps({"jsonrpc": "2.0", "id": call, **body}))
        return True
