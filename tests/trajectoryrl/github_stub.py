"""A host's API that answers as it is told to, over a real socket, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from trajectoryrl.repository import Host

COMMIT = "c" * 40
REF = "refs/heads/main"
ABOUT = {"id": 7, "full_name": "alice/pack", "default_branch": "main", "private": False}


@dataclass
class Reply:
    """One answer; ``cut`` ends the connection before the whole body, ``wait`` is silence first, in seconds."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    wait: float = 0.0

    def raw(self) -> bytes:
        """The body's bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def row(commit: str = COMMIT, at: object = "2026-03-01T12:00:00Z", ref: str = REF, kind: str = "push") -> Any:
    """A row of activity."""
    return {"id": 1, "before": "0" * 40, "after": commit, "ref": ref, "timestamp": at, "activity_type": kind}


@dataclass
class Stub:
    """``answers`` maps a path to its replies in turn, the last one for ever; what is asked stands in ``asked``."""

    url: str
    answers: dict[str, list[Reply]]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def host(self) -> Host:
        """Where the stub is."""
        return Host(self.url, f"{self.url}/api", public=False)

    def says(self, path: str, *replies: Reply) -> None:
        """From now on ``path`` is answered so."""
        self.answers[f"/api{path}"] = list(replies)

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(asked.partition("?")[0] == f"/api{path}" for asked, _ in self.asked)


@contextmanager
def stub() -> Iterator[Stub]:
    """A stub with an honest repository whose one push was at noon of 2026-03-01."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            said.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            replies = said.answers.get(self.path) or said.answers.get(self.path.partition("?")[0])
            reply = replies[0] if replies else Reply(404, {"message": "Not Found"})
            if replies and len(replies) > 1:
                replies.pop(0)
            if reply.wait:
                time.sleep(reply.wait)
            raw = b"" if reply.status == 304 else reply.raw()
            try:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw[: len(raw) // 2] if reply.cut else raw)
            except OSError:
                pass
            if reply.cut:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    said = Stub(f"http://127.0.0.1:{server.server_address[1]}", {})
    said.says("/repos/alice/pack", Reply(body=ABOUT))
    said.says("/repos/alice/pack/activity", Reply(body=[row()]))
    said.says("/repos/alice/pack/events", Reply(body=[]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield said
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class FakeClock:
    """Time that passes only by waiting; every wait is written down."""

    ms: int = 1_780_000_000_000
    waits: list[float] = field(default_factory=list)

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return self.ms

    async def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        self.waits.append(seconds)
        self.ms += int(seconds * 1000)


Ask = Callable[..., Any]
