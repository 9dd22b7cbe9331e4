"""A local network served to other processes of this machine: one JSON object in, one out, on 127.0.0.1 alone.

``POST /`` with ``{"method": NAME, "params": {...}}`` answers ``{"result": ...}`` or ``{"error": {...}}``. Transactions
carry the signature of their hotkey; nothing here holds a key.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..errors import ChainRefused, ChainUnavailable, ClawbenchError, InvalidInput
from .keys import verified
from .local import LocalNetwork
from .localrules import register_message

MAX_BODY = 65_536
_SECONDS = 10


@dataclass(slots=True)
class LocalServer:
    """Serves ``network`` from a thread until it is closed; ``port`` 0 takes a free one.

    Raises ChainUnavailable (``CHAIN_PORT``) if the port is taken.
    """

    network: LocalNetwork
    port: int = 0
    _http: ThreadingHTTPServer = field(init=False, repr=False)
    _thread: threading.Thread = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            self._http = _Http(("127.0.0.1", self.port), _handler(self.network))
        except (OSError, OverflowError) as error:
            said = f"port {self.port} of 127.0.0.1 cannot be used: {getattr(error, 'strerror', None) or error}"
            raise ChainUnavailable.of("CHAIN_PORT", said) from None
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stops serving; the network stays open."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def answered(network: LocalNetwork, request: object) -> dict[str, Any]:
    """The answer to one request, whatever it is."""
    try:
        if not isinstance(request, dict) or not isinstance(request.get("params", {}), dict):
            raise InvalidInput.of("CHAIN_REQUEST", 'a request is {"method": NAME, "params": {...}}')
        method = _METHODS.get(str(request.get("method")))
        if method is None:
            raise InvalidInput.of("CHAIN_REQUEST", f"there is no such method; there are {', '.join(_METHODS)}")
        try:
            return {"result": method(network, request.get("params", {}))}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, ClawbenchError):
                raise
            raise InvalidInput.of("CHAIN_REQUEST", "a parameter is missing, or of another type") from None
    except ClawbenchError as error:
        kind = next(
            kind.__name__
            for kind in (ChainRefused, ChainUnavailable, InvalidInput, ClawbenchError)
            if isinstance(error, kind)
        )
        return {"error": {"kind": kind, "code": error.code, "message": error.problems[0].message}}


def _metagraph(network: LocalNetwork, params: Mapping[str, Any]) -> Any:
    return asdict(network.metagraph(_whole(params["block"])))


def _commitments(network: LocalNetwork, params: Mapping[str, Any]) -> Any:
    return [asdict(kept) for kept in network.commitments(_whole(params["block"])).values()]


def _weights(network: LocalNetwork, params: Mapping[str, Any]) -> Any:
    found = network.weights(_text(params["hotkey"]))
    return {"block": found.block, "weights": sorted(found.weights.items())} if found is not None else None


def _commit(network: LocalNetwork, params: Mapping[str, Any]) -> Any:
    signature = bytes.fromhex(_text(params["signature"]))
    return network.commit(_text(params["hotkey"]), _text(params["text"]), _whole(params["nonce"]), signature)


def _set_weights(network: LocalNetwork, params: Mapping[str, Any]) -> Any:
    rows = {_whole(uid): _whole(weight) for uid, weight in params["weights"]}
    signature = bytes.fromhex(_text(params["signature"]))
    key, nonce = _whole(params["version_key"]), _whole(params["nonce"])
    return network.set_weights(_text(params["hotkey"]), rows, key, nonce, signature)


def _register(network: LocalNetwork, params: Mapping[str, Any]) -> Any:
    hotkey, coldkey = _text(params["hotkey"]), _text(params["coldkey"])
    message = register_message(network.rules, hotkey, coldkey)
    if not verified(hotkey, message, bytes.fromhex(_text(params["signature"]))):
        raise ChainRefused.of("CHAIN_SIGNATURE", f"this is no signature by {hotkey[:80]}")
    known = network.registered(hotkey)
    if known is not None:
        return known.uid
    return network.register(hotkey, coldkey)


_METHODS: Mapping[str, Callable[[LocalNetwork, Mapping[str, Any]], Any]] = {
    "rules": lambda network, params: asdict(network.rules),
    "head": lambda network, params: network.head(),
    "finalized": lambda network, params: network.finalized(),
    "block": lambda network, params: asdict(network.block(_whole(params["number"]))),
    "metagraph": _metagraph,
    "commitments": _commitments,
    "weights": _weights,
    "nonce": lambda network, params: network.nonce(_text(params["hotkey"])),
    "commit": _commit,
    "set_weights": _set_weights,
    "register": _register,
}


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no event."""


def _handler(network: LocalNetwork) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS
        wbufsize = 65_536
        disable_nagle_algorithm = True
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            host = self.headers.get("Host", "").rsplit(":", 1)[0]
            size = self.headers.get("Content-Length", "")
            if host not in ("127.0.0.1", "localhost"):  # a page in a browser must not reach this by a name of its own
                return self._answer(
                    403, {"error": {"kind": "InvalidInput", "code": "CHAIN_REQUEST", "message": "host"}}
                )
            if not (size.isascii() and size.isdigit()) or len(size) > 9 or int(size) > MAX_BODY:
                said = f"a request has a Content-Length of at most {MAX_BODY}"
                return self._answer(413, {"error": {"kind": "InvalidInput", "code": "CHAIN_REQUEST", "message": said}})
            try:
                request = json.loads(self.rfile.read(int(size)))
            except (ValueError, RecursionError):
                request = None
            return self._answer(200, answered(network, request))

        def _answer(self, status: int, value: Mapping[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status != 200:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are not logged."""

    return Handler
