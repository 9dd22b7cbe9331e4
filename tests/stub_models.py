"""Providers on 127.0.0.1 that speak the vendors' wires, and fail in whatever way a test asks for."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request: ``number`` counts all from 0, ``turn`` the assistant's turns in the conversation."""

    number: int
    path: str
    headers: Mapping[str, str]
    body: Any

    @property
    def turn(self) -> int:
        return sum(message["role"] == "assistant" for message in self.body["messages"])


@dataclass(frozen=True)
class Answer:
    """What the provider does: waits ``delay``, then sends ``body``, of which only ``cut`` bytes arrive if given.

    A ``hang`` never answers; ``drop`` closes the connection at once.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    cut: int | None = None
    hang: bool = False
    drop: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Script = Callable[[Asked], Answer]


class Provider:
    """``with Provider(script) as provider``: a server in a thread; ``asked`` are its requests so far."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.asked: list[Asked] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Provider:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *unused: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server and what is connected to it; a second time does nothing."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=2**20)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._answered(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(len(self.asked), head[0].split(" ")[1], headers, json.loads(body))
        self.asked.append(asked)
        answer = self._script(asked)
        if answer.drop:
            return False
        if answer.hang:
            await asyncio.Event().wait()
        await asyncio.sleep(answer.delay)
        content = answer.content
        told = {"Content-Type": "application/json", "Content-Length": str(len(content)), **answer.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        sent = content if answer.cut is None else content[: answer.cut]
        writer.write(f"HTTP/1.1 {answer.status} Stub\r\n{lines}\r\n".encode() + sent)
        await writer.drain()
        return answer.cut is None


Calls = Sequence[tuple[str, Any]]


def chat(text: str | None = None, calls: Calls = (), **changes: Any) -> dict[str, Any]:
    """A chat completion; ``changes`` are keys of its message, ``choice`` and ``body`` add to those around it."""
    choice, body = changes.pop("choice", {}), changes.pop("body", {})
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None, **changes}
    if calls:
        message["tool_calls"] = [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
            }
            for number, (name, given) in enumerate(calls)
        ]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "stub-2026-01-01",
        "system_fingerprint": "fp_stub",
        "choices": [{"index": 0, "finish_reason": "tool_calls" if calls else "stop", "message": message, **choice}],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 30},
            "completion_tokens_details": {"reasoning_tokens": 5},
        },
        **body,
    }


def message(text: str | None = None, calls: Calls = (), thinking: str | None = None, **changes: Any) -> dict[str, Any]:
    """A message of Anthropic's wire; ``changes`` are keys of it."""
    content: list[dict[str, Any]] = []
    if thinking is not None:
        content.append({"type": "thinking", "thinking": thinking, "signature": "c2lnbmVk"})
    if text is not None:
        content.append({"type": "text", "text": text})
    content += [
        {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": given}
        for number, (name, given) in enumerate(calls)
    ]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-stub-20260101",
        "content": content,
        "stop_reason": "tool_use" if calls else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 70,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 30,
            "output_tokens": 20,
            "output_tokens_details": {"thinking_tokens": 5},
        },
        **changes,
    }


def refused(vendor: str, status: int, said: str, kind: str = "error", **headers: str) -> Answer:
    """An error in a vendor's wire."""
    error = {"type": kind, "message": said}
    body = {"type": "error", "error": error} if vendor == "anthropic" else {"error": {**error, "code": kind}}
    return Answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()})
