"""A forge for a network of one machine: bare repositories over git's smart HTTP, and GitHub's words about pushes.

The server's clock decides when a push was; who asks the API is answered as GitHub answers, so the code that talks to
GitHub talks to this unchanged. It listens on 127.0.0.1 and trusts who can reach it: anyone may push.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from .clock import SystemClock
from .errors import CommitmentInvalid, InvalidInput
from .repository import repository_named

_MOST_BODY = 64 << 20
_PAGE = 30
_GIT = re.compile(r"/([^/]+)/([^/]+)\.git/(info/refs|git-upload-pack|git-receive-pack)")
_NAMED = re.compile(r"/api/repos/([^/]+)/([^/]+)(/activity|/events)?")
_NUMBERED = re.compile(r"/api/repositories/([0-9]{1,12})(/activity|/events)?")
_ZERO = "0" * 40


@dataclass
class _Kept:
    """What the forge knows of a repository, kept beside its objects."""

    id: int
    name: str
    private: bool = False
    activity: list[dict[str, Any]] = field(default_factory=list)


class Forge:
    """Repositories under ``root``, each created by its first push.

    ``now_ms`` is the clock that push times come from. Names are ``owner/repo``; a renamed repository keeps its id.
    """

    def __init__(self, root: Path | str, now_ms: Callable[[], int] | None = None) -> None:
        self.root = Path(root)
        self.now_ms = now_ms or SystemClock().now_ms
        self._lock = threading.RLock()
        try:
            (self.root / "objects").mkdir(parents=True, exist_ok=True)
            kept = self.root / "forge.json"
            state = json.loads(kept.read_bytes()) if kept.exists() else {"kept": [], "moved": {}}
            self._kept = {one["id"]: _Kept(**one) for one in state["kept"]}
            self._moved: dict[str, int] = state["moved"]
            self._made: int = state.get("made", len(self._kept))
        except (OSError, ValueError, TypeError, KeyError) as why:
            raise InvalidInput.of("FORGE_ROOT", f"this folder cannot be a forge's: {why}", str(root)) from None

    def git_folder(self, number: int) -> Path:
        """Where the objects of the repository with this id are."""
        return self.root / "objects" / f"{number}.git"

    def found(self, name: str) -> _Kept | None:
        """The repository that is called so now, whatever the case of the letters."""
        lower = name.lower()
        return next((kept for kept in self._kept.values() if kept.name.lower() == lower), None)

    def numbered(self, number: int) -> _Kept | None:
        """The repository with this id."""
        return self._kept.get(number)

    def moved(self, name: str) -> int | None:
        """The id of the repository that was called so before."""
        number = self._moved.get(name.lower())
        return number if number in self._kept else None

    def created(self, name: str) -> _Kept:
        """The repository of this name, made if there is none. Raises CommitmentInvalid for an impossible name."""
        name = repository_named(name)
        with self._lock:
            kept = self.found(name)
            if kept is None:
                number = int(sha256(f"forge:{name.lower()}:{self._made}".encode()).hexdigest()[:8], 16)
                self._made += 1
                kept = self._kept[number] = _Kept(number, name)
                folder = self.git_folder(number)
                self._git("init", "-q", "--bare", "--template=", "--initial-branch=main", str(folder))
                self._git("--git-dir", str(folder), "config", "uploadpack.allowFilter", "true")
                self._git("--git-dir", str(folder), "config", "uploadpack.allowAnySHA1InWant", "true")
                self._git("--git-dir", str(folder), "config", "http.receivepack", "true")
                self._moved.pop(name.lower(), None)
                self._keep()
            return kept

    def rename(self, name: str, to: str) -> None:
        """Gives a repository another name, or another owner; the old name then redirects."""
        to = repository_named(to)
        with self._lock:
            kept = self._must(name)
            if self.found(to) not in (None, kept):
                raise InvalidInput.of("FORGE_NAME", "there is such a repository already", to)
            self._moved[kept.name.lower()] = kept.id
            kept.name = to
            self._keep()

    def delete(self, name: str) -> None:
        """Removes a repository; its objects go with it."""
        import shutil

        with self._lock:
            kept = self._must(name)
            del self._kept[kept.id]
            shutil.rmtree(self.git_folder(kept.id), ignore_errors=True)
            self._keep()

    def hide(self, name: str, private: bool = True) -> None:
        """Makes a repository private, or public again."""
        with self._lock:
            self._must(name).private = private
            self._keep()

    def refs(self, kept: _Kept) -> dict[str, str]:
        """The repository's branches: ref to commit."""
        folder = str(self.git_folder(kept.id))
        out = self._git("--git-dir", folder, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads")
        return dict(line.split(" ", 1) for line in out.splitlines() if line)

    def default_branch(self, kept: _Kept) -> str:
        """The branch that HEAD names."""
        head = (self.git_folder(kept.id) / "HEAD").read_text().strip()
        return head.removeprefix("ref: refs/heads/")

    def choose_branch(self, name: str, branch: str) -> None:
        """Makes another branch the default one."""
        with self._lock:
            kept = self._must(name)
            if f"refs/heads/{branch}" not in self.refs(kept):
                raise InvalidInput.of("FORGE_BRANCH", "the repository has no such branch", branch[:120])
            self._head(kept, branch)

    def _head(self, kept: _Kept, branch: str) -> None:
        part = self.git_folder(kept.id) / "HEAD.part"
        part.write_text(f"ref: refs/heads/{branch}\n")
        os.replace(part, part.with_name("HEAD"))

    def record_push(self, kept: _Kept, before: Mapping[str, str]) -> None:
        """Writes down what a push changed, with this server's time; the first branch becomes the default one."""
        now = datetime.fromtimestamp(self.now_ms() // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._lock:
            after = self.refs(kept)
            if after and not before and f"refs/heads/{self.default_branch(kept)}" not in after:
                self._head(kept, min(after).removeprefix("refs/heads/"))
            for ref in sorted({*before, *after}):
                old, new = before.get(ref, _ZERO), after.get(ref, _ZERO)
                if old == new:
                    continue
                kept.activity.append(
                    {
                        "id": len(kept.activity) + 1,
                        "before": old,
                        "after": new,
                        "ref": ref,
                        "timestamp": now,
                        "activity_type": self._kind(kept, old, new),
                        "actor": {"login": kept.name.partition("/")[0]},
                    }
                )
            self._keep()

    def _kind(self, kept: _Kept, old: str, new: str) -> str:
        if old == _ZERO:
            return "branch_creation"
        if new == _ZERO:
            return "branch_deletion"
        words = ["git", "--git-dir", str(self.git_folder(kept.id)), "merge-base", "--is-ancestor", old, new]
        forward = subprocess.run(words, env=_environment(), capture_output=True, timeout=30, check=False)
        return "push" if forward.returncode == 0 else "force_push"

    def _must(self, name: str) -> _Kept:
        kept = self.found(name)
        if kept is None:
            raise InvalidInput.of("FORGE_NAME", "the forge has no such repository", name[:120])
        return kept

    def _keep(self) -> None:
        state = {"kept": [asdict(kept) for kept in self._kept.values()], "moved": self._moved, "made": self._made}
        part = self.root / "forge.json.part"
        with part.open("w") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self.root / "forge.json")

    def _git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], env=_environment(), capture_output=True, timeout=60, check=True)
        return done.stdout.decode()


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }


class ForgeServer:
    """A :class:`Forge` behind HTTP on 127.0.0.1: ``url`` for git, ``url/api`` for questions. A context manager."""

    def __init__(self, forge: Forge, port: int = 0) -> None:
        self.forge = forge
        handler = type("Handler", (_Handler,), {"forge": forge})
        try:
            self._server = _Server(("127.0.0.1", port), handler)
        except OSError as why:
            said = f"port {port} cannot be listened on: {why.strerror}; choose another --port"
            raise InvalidInput.of("FORGE_PORT", said) from None
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ForgeServer:
        self._thread = threading.Thread(target=self.serve, name="forge", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    def serve(self) -> None:
        """Serves until :meth:`__exit__`, or for ever in the calling thread."""
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        """Gives the port back when :meth:`serve` ran in the calling thread."""
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a client that went away."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    forge: ClassVar[Forge]
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: who serves the forge has its own log."""

    def do_GET(self) -> None:
        self._guarded(self._get)

    def do_POST(self) -> None:
        self._guarded(self._post)

    def _guarded(self, answer: Callable[[], None]) -> None:
        if "Origin" in self.headers:  # a page in a browser; neither git nor a validator says where it comes from
            self.close_connection = True
            self._json(403, {"message": "pages may not ask"})
            return
        try:
            answer()
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True
        except CommitmentInvalid as error:
            self._json(400, {"message": error.problems[0].message})
        except InvalidInput as error:
            self._json(422, {"message": error.problems[0].message})
        except (OSError, subprocess.SubprocessError):
            self.close_connection = True
            self._json(500, {"message": "git failed"})

    def _get(self) -> None:
        asked = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(asked.query).items()}
        if found := _GIT.fullmatch(asked.path):
            self._git(f"{found[1]}/{found[2]}", found[3], asked.query, b"")
        elif found := _NAMED.fullmatch(asked.path):
            self._named(f"{found[1]}/{found[2]}", found[3] or "", query)
        elif found := _NUMBERED.fullmatch(asked.path):
            self._about(self.forge.numbered(int(found[1])), found[2] or "", query)
        else:
            self._json(404, {"message": "Not Found"})

    def _post(self) -> None:
        asked = urlsplit(self.path)
        body = self._body()
        if body is None:
            return
        if found := _GIT.fullmatch(asked.path):
            self._git(f"{found[1]}/{found[2]}", found[3], asked.query, body)
        elif asked.path.startswith("/admin/"):
            self._admin(asked.path.removeprefix("/admin/"), body)
        else:
            self._json(404, {"message": "Not Found"})

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MOST_BODY:
            self.close_connection = True
            self._json(413, {"message": f"at most {_MOST_BODY} bytes"})
            return None
        return self.rfile.read(int(length))

    def _chunks(self) -> bytes | None:
        parts: list[bytes] = []
        total = 0
        while True:
            line = self.rfile.readline(20).strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", line):
                self.close_connection = True
                self._json(400, {"message": "this is no chunk"})
                return None
            size = int(line, 16)
            total += size
            if total > _MOST_BODY:
                self.close_connection = True
                self._json(413, {"message": f"at most {_MOST_BODY} bytes"})
                return None
            parts.append(self.rfile.read(size))
            self.rfile.readline(4)
            if not size:
                return b"".join(parts)

    def _admin(self, verb: str, body: bytes) -> None:
        """``rename``, ``branch``, ``delete``, ``private`` and ``public``, for people who play with a network."""
        try:
            said = json.loads(body or b"{}")
            name = str(said["repository"])
        except (ValueError, KeyError, TypeError):
            self._json(400, {"message": 'say {"repository": "owner/repo"}'})
            return
        match verb:
            case "rename":
                self.forge.rename(name, str(said.get("to", "")))
            case "branch":
                self.forge.choose_branch(name, str(said.get("to", "")))
            case "delete":
                self.forge.delete(name)
            case "private" | "public":
                self.forge.hide(name, verb == "private")
            case _:
                self._json(404, {"message": "Not Found"})
                return
        self._json(200, {"message": "done"})

    def _named(self, name: str, part: str, query: Mapping[str, str]) -> None:
        kept = self.forge.found(name)
        if kept is None and (number := self.forge.moved(name)) is not None:
            place = f"http://{self.headers.get('Host', '127.0.0.1')}/api/repositories/{number}{part}"
            body = {"message": "Moved Permanently", "url": place}
            self._json(301, body, {"Location": place})
            return
        self._about(kept, part, query)

    def _about(self, kept: _Kept | None, part: str, query: Mapping[str, str]) -> None:
        if kept is None or kept.private:
            self._json(404, {"message": "Not Found"})
        elif part == "/activity":
            refs = {query["ref"], f"refs/heads/{query['ref']}"} if "ref" in query else None
            self._page(kept, [row for row in reversed(kept.activity) if not refs or row["ref"] in refs], query)
        elif part == "/events":
            self._page(kept, [_event(row) for row in reversed(kept.activity)], query)
        else:
            about = {
                "id": kept.id,
                "name": kept.name.partition("/")[2],
                "full_name": kept.name,
                "owner": {"login": kept.name.partition("/")[0]},
                "private": kept.private,
                "visibility": "private" if kept.private else "public",
                "fork": False,
                "default_branch": self.forge.default_branch(kept),
            }
            self._json(200, about)

    def _page(self, kept: _Kept, rows: list[dict[str, Any]], query: Mapping[str, str]) -> None:
        """One page of rows, newest first; ``Link`` names the next."""

        def number(key: str, default: int, most: int) -> int:
            said = query.get(key, "")
            return min(most, int(said)) if said.isdigit() and len(said) < 10 else default

        size, start = max(1, number("per_page", _PAGE, 100)), number("after", 0, 10**9)
        headers = {}
        if start + size < len(rows):
            base = f"http://{self.headers.get('Host', '127.0.0.1')}{urlsplit(self.path).path}"
            ref = f"&ref={query['ref']}" if "ref" in query else ""
            headers["Link"] = f'<{base}?per_page={size}&after={start + size}{ref}>; rel="next"'
        self._json(200, rows[start : start + size], headers)

    def _json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        raw = json.dumps(body).encode()
        tag = f'"{sha256(raw).hexdigest()[:32]}"'
        if status == 200 and self.headers.get("If-None-Match") == tag:
            status, raw = 304, b""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "ETag": tag, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _git(self, name: str, service: str, query: str, body: bytes) -> None:
        """git's own server program answers; a push is written down."""
        writes = "git-receive-pack" in (service, query.removeprefix("service="))
        kept = self.forge.created(name) if writes else self.forge.found(name)
        if kept is None or (kept.private and not writes):
            if kept is None and (number := self.forge.moved(name)) is not None:
                to = self.forge.numbered(number)
                assert to is not None
                place = f"/{to.name}.git/{service}" + (f"?{query}" if query else "")
                self._json(301, {"message": "Moved Permanently"}, {"Location": place})
                return
            self._json(404, {"message": "Not Found"})
            return
        if service == "git-receive-pack":
            with self.forge._lock:
                before = self.forge.refs(kept)
                answer = self._backend(kept, service, query, body)
                self.forge.record_push(kept, before)
        else:
            answer = self._backend(kept, service, query, body)
        self._answered(answer)  # whoever hears that a push is done can ask when it was

    def _backend(self, kept: _Kept, service: str, query: str, body: bytes) -> bytes:
        """What git's server program says, head and body."""
        environment = {
            **_environment(),
            "GIT_PROJECT_ROOT": str(self.forge.root / "objects"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{kept.id}.git/{service}",
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "anyone",
            "REMOTE_ADDR": "127.0.0.1",
        }
        words = ["git", "http-backend"]
        done = subprocess.run(words, input=body, env=environment, capture_output=True, timeout=120, check=False)
        return done.stdout

    def _answered(self, answer: bytes) -> None:
        head, _, raw = answer.partition(b"\r\n\r\n")
        status, headers = 200, []
        for line in head.decode("latin-1").splitlines():
            key, _, value = line.partition(": ")
            if key.lower() == "status":
                with suppress(ValueError):
                    status = int(value[:3])
            elif key:
                headers.append((key, value))
        self.send_response(status if answer else 500)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of activity as the Events API tells it."""
    return {
        "id": str(row["id"]),
        "type": "PushEvent",
        "created_at": row["timestamp"],
        "payload": {"ref": row["ref"], "head": row["after"], "before": row["before"]},
    }
