"""Records served read-only over HTTP: the files of records and a small index, nothing else that stands beside them.

::

    GET /                      {"epochs": [{"epoch": N, "manifest": SHA256}, …]}, newest first
    GET /epoch-N/              {"epoch": N, "manifest": SHA256}
    GET /epoch-N/FILE          a file of the record, as it was sealed

Names are matched whole against what a record's files are called, and opened from folder to folder without following a
link, so no path leads anywhere else.
"""

from __future__ import annotations

import os
import re
import stat
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import orjson

from .errors import InvalidInput
from .record import MANIFEST

FILE = re.compile(
    r"manifest\.json|seal\.json|times\.jsonl"
    r"|packs/[0-9a-f]{64}\.json|evidence/[0-9a-f]{64}|trajectories/(?:[0-9a-f]{64}\.zst|dictionary)"
)
"""What the files of a record are called."""
_PATH = re.compile(r"/(?:epoch-(0|[1-9][0-9]{0,15})(?:/(.{1,100})?)?)?")
_AT_ONCE = 32
_SECONDS = 30
_CHUNK = 1 << 16
_MOST_LISTED = 1000


class RecordServer:
    """Serves the records in ``folder`` (``epoch-N`` each) on ``host``:``port``. Raises InvalidInput.

    At most 32 connections at a time; the next one is told to come again. One that says or takes nothing for 30
    seconds is closed.
    """

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        if not folder.is_dir():
            said = "there is no such folder: give the validator's --publish, or the records/ in its state"
            raise InvalidInput.of("RECORDS_MISSING", said, str(folder))
        handler = type("Handler", (_Handler,), {"folder": folder.resolve()})
        try:
            self._server = _Server((host, port), handler)
        except (OSError, OverflowError) as why:
            said = f"{host}:{port} cannot be listened on: {getattr(why, 'strerror', None) or why}"
            raise InvalidInput.of("SERVE_ADDRESS", said, "--port") from None
        self.port = int(self._server.server_address[1])
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def serve(self) -> None:
        """Serves until :meth:`close` is called in another thread."""
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Ends :meth:`serve` and gives the port back."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *words: Any) -> None:
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(*words)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            with suppress(OSError):
                request.settimeout(1)
                request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n")
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    folder: ClassVar[Path]
    protocol_version = "HTTP/1.1"
    server_version = "trajectoryrl"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = _SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: what strangers ask for is not worth a disk."""

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        if self.headers.get("Content-Length", "0") != "0" or self.headers.get("Transfer-Encoding"):
            self.close_connection = True  # what follows is no request of ours
        found = _PATH.fullmatch(self.path)
        try:
            if found is None:
                self._said(404, {"message": "ask for /, /epoch-N/ or /epoch-N/FILE"}, body)
            elif found[1] is None:
                self._said(200, {"epochs": _listed(self.folder)}, body)
            elif found[2] is None:
                self._said(200, {"epoch": int(found[1]), "manifest": _manifest(self.folder, found[1])}, body)
            elif FILE.fullmatch(found[2]):
                self._sent(_opened(self.folder, f"epoch-{found[1]}", *found[2].split("/")), body)
            else:
                self._said(404, {"message": "no file of a record is called so"}, body)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True
        except OSError:
            self._said(404, {"message": "there is no such file"}, body)

    def _said(self, status: int, value: dict[str, Any], body: bool) -> None:
        text = orjson.dumps(value) + b"\n"
        self._head(status, len(text), "application/json", "no-cache")
        if body:
            self.wfile.write(text)

    def _sent(self, descriptor: int, body: bool) -> None:
        with open(descriptor, "rb") as file:
            left = os.fstat(file.fileno()).st_size
            self._head(200, left, "application/octet-stream", "public, max-age=31536000, immutable")
            while body and left > 0:
                chunk = file.read(min(_CHUNK, left))
                if not chunk:
                    self.close_connection = True
                    return
                self.wfile.write(chunk)
                left -= len(chunk)

    def _head(self, status: int, size: int, kind: str, cache: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.send_header("Cache-Control", cache)
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


def _opened(root: Path, *names: str) -> int:
    """A descriptor of the regular file at ``names`` below ``root``, links not followed. Raises OSError."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in names[:-1]:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        found = os.open(names[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise FileNotFoundError(names[-1])
    return found


def _manifest(root: Path, number: str) -> str:
    """The sha256 of an epoch's manifest as its seal says it. Raises OSError."""
    with open(_opened(root, f"epoch-{number}", "seal.json"), "rb") as file:
        raw = file.read(8192)
    try:
        said = orjson.loads(raw)["manifest"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise FileNotFoundError(MANIFEST) from None
    return str(said)[:64]


def _listed(root: Path) -> list[dict[str, Any]]:
    numbers = [int(name[6:]) for name in os.listdir(root) if re.fullmatch(r"epoch-(0|[1-9][0-9]{0,15})", name)]
    found = []
    for number in sorted(numbers, reverse=True)[:_MOST_LISTED]:
        with suppress(OSError):
            found.append({"epoch": number, "manifest": _manifest(root, str(number))})
    return found
