"""A model's endpoint in a process of its own, as cheap as Python allows: ``python stub.py PORT LATENCY SCRIPT``.

``SCRIPT`` is a JSON file: the bodies of a run's replies, in order. Which one is due is told by the assistant messages
in the request. ``FAIL_RATE=0.2`` answers that share with 429. ``GET /stats`` says requests, failures and the highest
number in flight, and starts counting anew. PORT 0 takes a free one; the port is the first line of the output.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from hashlib import sha256

_TURN = re.compile(rb'"role": ?"assistant"')
_LENGTH = re.compile(rb"\r\ncontent-length: ?(\d+)", re.IGNORECASE)
_LIMITED = b'{"error":{"message":"slow down","type":"rate_limit_error"}}'


def _drawn(number: int) -> float:
    """0..1, the same in every measurement."""
    return int(sha256(str(number).encode()).hexdigest()[:8], 16) / 2**32


class Counts:
    """What the stub has seen."""

    requests = answered = failed = flying = peak = 0


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests on it come one after another."""

    def __init__(self, replies: list[bytes], latency: float, fail_rate: float) -> None:
        self.replies = replies
        self.latency = latency
        self.fail_rate = fail_rate
        self.loop = asyncio.get_running_loop()
        self.buffer = b""
        self.need = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            if not self.need:
                head = self.buffer.find(b"\r\n\r\n")
                if head < 0:
                    return
                length = _LENGTH.search(self.buffer, 0, head)
                self.need = head + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < self.need:
                return
            request, self.buffer, self.need = self.buffer[: self.need], self.buffer[self.need :], 0
            self.answer(request)

    def answer(self, request: bytes) -> None:
        if request.startswith(b"GET /stats"):
            told = {"requests": Counts.requests, "failed": Counts.failed, "peak": Counts.peak}
            Counts.requests = Counts.failed = Counts.peak = 0
            self.write(b"200 OK", json.dumps(told).encode())
            return
        Counts.requests += 1
        Counts.flying += 1
        Counts.peak = max(Counts.peak, Counts.flying)
        turn = len(_TURN.findall(request))
        if self.latency:
            self.loop.call_later(self.latency, self.reply, turn)
        else:
            self.reply(turn)

    def reply(self, turn: int) -> None:
        Counts.flying -= 1
        Counts.answered += 1
        if self.fail_rate and _drawn(Counts.answered) < self.fail_rate:
            Counts.failed += 1
            self.write(b"429 Too Many Requests\r\nRetry-After: 1", _LIMITED)
            return
        self.write(b"200 OK", self.replies[min(turn, len(self.replies) - 1)])

    def write(self, status: bytes, body: bytes) -> None:
        assert isinstance(self.transport, asyncio.Transport)
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        self.transport.write(head + body)


async def serve(port: int, latency: float, script: str) -> None:
    """Answers until the process ends."""
    with open(script, "rb") as file:
        replies = [json.dumps(reply).encode() for reply in json.load(file)]
    rate = float(os.environ.get("FAIL_RATE", "0"))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(replies, latency, rate), "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))
