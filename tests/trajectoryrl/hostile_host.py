"""A host that speaks git's protocol and means harm: each repository name is a way of misbehaving."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.trajectoryrl.bare import (
    BLOB,
    COMMIT,
    REF_DELTA,
    TREE,
    Zeros,
    appended,
    commit_bytes,
    number,
    object_name,
    pack_entry,
    pack_file,
    tree_bytes,
    whole,
)

Pack = tuple[str, bytes]
"""The commit that is asked for, and the pack that the host sends."""


def honest() -> Pack:
    blob, tree, commit = _honest()
    return object_name(COMMIT, commit), pack_file([whole(BLOB, blob), whole(TREE, tree), whole(COMMIT, commit)])


def _honest(blob: bytes = b"{}") -> tuple[bytes, bytes, bytes]:
    tree = tree_bytes([("100644", b"pack.json", object_name(BLOB, blob))])
    return blob, tree, commit_bytes(object_name(TREE, tree))


def unfiltered_gibibyte() -> Pack:
    """1 GiB as pack.json, sent although a filter forbids it: a megabyte on the wire."""
    oid, deflated = Zeros(BLOB).made(loose=False)
    tree = tree_bytes([("100644", b"pack.json", oid)])
    commit = commit_bytes(object_name(TREE, tree))
    entries = [pack_entry(BLOB, 1 << 30, deflated), whole(TREE, tree), whole(COMMIT, commit)]
    return object_name(COMMIT, commit), pack_file(entries)


def gibibyte_of_commit() -> Pack:
    blob, tree, commit = _honest()
    oid, deflated = Zeros(COMMIT, commit).made(loose=False)
    return oid, pack_file([whole(BLOB, blob), whole(TREE, tree), pack_entry(COMMIT, 1 << 30, deflated)])


def deep_deltas(depth: int = 8_000) -> Pack:
    """pack.json is the end of a chain of deltas."""
    raw = b'{"files": "'
    entries = [whole(BLOB, raw)]
    for step in range(depth):
        delta = appended(len(raw), b"%d," % (step % 10))
        base = object_name(BLOB, raw)
        raw += b"%d," % (step % 10)
        entries.append(pack_entry(REF_DELTA, len(delta), zlib.compress(delta, 1), base))
    _, tree, commit = _honest(raw)
    return object_name(COMMIT, commit), pack_file([*entries, whole(TREE, tree), whole(COMMIT, commit)])


def delta_bomb() -> Pack:
    """A delta of some hundred bytes that makes 1 GiB out of 16 MiB of zeros."""
    size = 0xFFFFFF
    base = bytes(size)
    delta = number(size) + number(64 * size) + bytes([0x80 | 0x70, 255, 255, 255]) * 64
    blob, tree, commit = _honest()
    entries = [
        whole(BLOB, base),
        pack_entry(REF_DELTA, len(delta), zlib.compress(delta), object_name(BLOB, base)),
        whole(BLOB, blob),
        whole(TREE, tree),
        whole(COMMIT, commit),
    ]
    return object_name(COMMIT, commit), pack_file(entries)


def without_the_commit() -> Pack:
    blob, tree, commit = _honest()
    return object_name(COMMIT, commit), pack_file([whole(BLOB, blob), whole(TREE, tree)])


def without_the_tree() -> Pack:
    blob, _, commit = _honest()
    return object_name(COMMIT, commit), pack_file([whole(BLOB, blob), whole(COMMIT, commit)])


def half() -> Pack:
    commit, raw = honest()
    return commit, raw[: len(raw) // 2]


def bad_sum() -> Pack:
    commit, raw = honest()
    return commit, raw[:-1] + bytes([raw[-1] ^ 1])


def a_billion_objects() -> Pack:
    blob, tree, commit = _honest()
    entries = [whole(BLOB, blob), whole(TREE, tree), whole(COMMIT, commit)]
    return object_name(COMMIT, commit), pack_file(entries, count=1_000_000_000)


def garbage() -> Pack:
    return honest()[0], b"PACK" + bytes(range(256)) * 400


PACKS: dict[str, Callable[[], Pack]] = {
    "honest": honest,
    "unfiltered": unfiltered_gibibyte,
    "commit-1gib": gibibyte_of_commit,
    "deep-deltas": deep_deltas,
    "delta-bomb": delta_bomb,
    "no-commit": without_the_commit,
    "no-tree": without_the_tree,
    "half": half,
    "bad-sum": bad_sum,
    "billion": a_billion_objects,
    "garbage": garbage,
}


class _Handler(BaseHTTPRequestHandler):
    asked: list[str]
    elsewhere: str
    stop: threading.Event
    made: dict[str, Pack]

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answered(b"")

    def do_POST(self) -> None:
        self._answered(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answered(self, body: bytes) -> None:
        self.asked.append(f"{self.command} {self.path} {sorted(self.headers)}")
        with suppress(OSError):
            self._misbehaved(self.path.split("/")[2].removesuffix(".git"), body)

    def _misbehaved(self, how: str, body: bytes) -> None:
        if how.startswith("status-"):
            headers = {"WWW-Authenticate": 'Basic realm="x"'} if how.endswith("401") else {}
            self._send(int(how[7:]), b"no", headers)
        elif how.startswith("redirect"):
            to = {"redirect": self.elsewhere + self.path, "redirect-file": "file:///etc/passwd"}[how]
            self._send(302, b"", {"Location": to})
        elif how == "page":
            self._send(200, b"<html>a page</html>", {"Content-Type": "text/html"})
        elif how == "silent":
            self.stop.wait(60)
        elif how == "drip":
            self._begin()
            while not self.stop.wait(0.2):
                self.wfile.write(b"0")
                self.wfile.flush()
        elif how == "dumb":
            self._dumb()
        elif self.path.endswith("/info/refs?service=git-upload-pack"):
            self._greet(how)
        elif b"command=ls-refs" in body:
            oid = self._pack("honest" if how.startswith("endless") else how)[0]
            self._begin("git-upload-pack-result")
            self._lines(f"{oid} HEAD symref-target:refs/heads/main\n".encode(), None)
        else:
            self._fetch(how)

    def _greet(self, how: str) -> None:
        self._begin("git-upload-pack-advertisement")
        if how == "endless-refs":
            self._lines(b"# service=git-upload-pack\n", None)
            oid = self._pack("honest")[0]
            self._lines(oid.encode() + b" HEAD\0allow-any-sha1-in-want shallow filter side-band-64k\n")
            for count in range(10**9):
                self._lines(f"{oid} refs/heads/{'x' * 1000}{count}\n".encode())
        self._lines(b"# service=git-upload-pack\n", None)
        self._lines(b"version 2\n", b"ls-refs\n", b"fetch=shallow filter\n", b"object-format=sha1\n", None)

    def _fetch(self, how: str) -> None:
        self._begin("git-upload-pack-result")
        commit, raw = self._pack("honest" if how.startswith("endless") else how)
        self._lines(b"shallow-info\n", b"shallow " + commit.encode() + b"\n", b"")
        self._lines(b"packfile\n")
        if how == "endless":
            self._lines(b"\1PACK\0\0\0\2\0\xff\xff\xff")
            blob = bytes(whole(BLOB, b"x"))
            while not self.stop.is_set():
                self._lines(b"\1" + blob * 3000)
        elif how == "endless-words":
            while not self.stop.is_set():
                self._lines(b"\2" + b"words without end " * 3000 + b"\n")
        elif how == "endless-wait":
            while not self.stop.wait(0.05):
                self._lines(b"\2" + b"." * 200)
        else:
            for start in range(0, len(raw), 60_000):
                self._lines(b"\1" + raw[start : start + 60_000])
            self._lines(None)

    def _dumb(self) -> None:
        """What a plain web server would send, with a pointer to objects elsewhere."""
        if "/info/refs" in self.path:
            self._send(200, f"{honest()[0]}\trefs/heads/main\n".encode(), {"Content-Type": "text/plain"})
        elif self.path.endswith("/HEAD"):
            self._send(200, b"ref: refs/heads/main\n", {})
        elif self.path.endswith("alternates"):
            self._send(200, f"{self.elsewhere}/x/y.git/objects\n".encode(), {})
        else:
            self._send(404, b"", {})

    def _pack(self, how: str) -> Pack:
        if how not in self.made:
            self.made[how] = PACKS[how]()
        return self.made[how]

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _begin(self, kind: str = "git-upload-pack-advertisement") -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"application/x-{kind}")
        self.end_headers()

    def _lines(self, *lines: bytes | None) -> None:
        """pkt-lines; ``None`` ends a part, the empty one parts sections."""
        for line in lines:
            text = b"0000" if line is None else b"0001" if not line else b"%04x" % (len(line) + 4) + line
            self.wfile.write(text)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who was cut off says nothing."""


class HostileHost:
    """``url`` of the host, what it was ``asked``, and what the place was asked that it points at (``lured``)."""

    def __init__(self, url: str, made: dict[str, Pack]) -> None:
        self.url = url
        self.asked: list[str] = []
        self.lured: list[str] = []
        self._made = made

    def commit(self, how: str) -> str:
        """The commit to ask for."""
        if how in PACKS and how not in self._made:
            self._made[how] = PACKS[how]()
        return self._made[how][0] if how in PACKS else honest()[0]


@contextmanager
def hostile_host() -> Iterator[HostileHost]:
    """Two servers: the hostile one, and the one that it would have us ask."""
    stop, made = threading.Event(), dict[str, Pack]()
    servers = []

    def served(asked: list[str], elsewhere: str) -> str:
        kind = type("Handler", (_Handler,), {"asked": asked, "elsewhere": elsewhere, "stop": stop, "made": made})
        server = _Server(("127.0.0.1", 0), kind)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    host = HostileHost("", made)
    host.url = served(host.asked, served(host.lured, "http://127.0.0.1:9"))
    try:
        yield host
    finally:
        stop.set()
        time.sleep(0.01)
        for server in servers:
            server.shutdown()
            server.server_close()
