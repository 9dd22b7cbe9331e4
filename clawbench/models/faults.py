"""What can go wrong with one attempt at a provider, and whether another may help.

One table for every adapter: a status, a broken body or a lost connection becomes :class:`AttemptFailed` with a stable
code, or the pack's own end (a refusal, a context that is full), which is no failure of the provider.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import orjson

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A reply of the model limits' size is far below this."""

_MAX_SAID = 200


class AttemptFailed(Exception):
    """One attempt gave no reply. ``again`` says whether another may; ``after`` is the seconds the provider asks for."""

    def __init__(self, code: str, said: str, *, again: bool, after: float | None = None) -> None:
        super().__init__(said)
        self.code = code
        self.said = said
        self.again = again
        self.after = after

    @property
    def limited(self) -> bool:
        """Whether the provider said: slower."""
        return self.code in {"MODEL_RATE_LIMITED", "MODEL_OVERLOADED"}


class Declined(NamedTuple):
    """The provider refused the conversation itself: the pack's end, not an outage."""

    finish: str
    said: str


class _Row(NamedTuple):
    code: str
    again: bool
    sentence: str


_BY_STATUS: Mapping[int, _Row] = {
    400: _Row("MODEL_REJECTED", False, "the provider calls the request wrong"),
    401: _Row("MODEL_AUTH", False, "the provider does not accept the key"),
    402: _Row("MODEL_PAYMENT", False, "the provider wants to be paid: the account has no credit left"),
    403: _Row("MODEL_AUTH", False, "the key may not use this model"),
    404: _Row("MODEL_NOT_FOUND", False, "the provider has no such model, or the URL is wrong"),
    408: _Row("MODEL_TIMEOUT", True, "the provider gave up waiting"),
    409: _Row("MODEL_SERVER", True, "the provider could not do it just now"),
    413: _Row("MODEL_REJECTED", False, "the request is larger than the provider takes"),
    422: _Row("MODEL_REJECTED", False, "the provider calls the request wrong"),
    425: _Row("MODEL_SERVER", True, "the provider could not do it just now"),
    429: _Row("MODEL_RATE_LIMITED", True, "the provider limits the rate"),
    503: _Row("MODEL_OVERLOADED", True, "the provider is overloaded"),
    504: _Row("MODEL_TIMEOUT", True, "the provider gave up waiting"),
    529: _Row("MODEL_OVERLOADED", True, "the provider is overloaded"),
}
_CONTEXT = (
    "context_length_exceeded",
    "exceed_context_size",
    "maximum context length",
    "prompt is too long",
    "exceeds the context window",
    "exceeds the available context size",
    "context window",
)
_REFUSED = (
    "content_filter",
    "content_policy",
    "content management policy",
    "responsibleaipolicyviolation",
    "usage policy",
    "usage policies",
    "flagged_input",
    "input was flagged",
    "data_inspection_failed",
)
_UNPAID = ("insufficient_quota", "billing_error", "credit balance", "insufficient credits", "insufficient_balance")


def failure_of(status: int, headers: Mapping[str, str], body: bytes) -> AttemptFailed | Declined:
    """What an answer other than 200 means."""
    said = _said(body)
    low = said.lower()
    if status in {400, 403, 413, 422} and any(sign in low for sign in _REFUSED):
        return Declined("refusal", said[:_MAX_SAID])
    if status in {400, 413, 422} and any(sign in low for sign in _CONTEXT):
        return Declined("context", said[:_MAX_SAID])
    if status in {400, 403, 429} and any(sign in low for sign in _UNPAID):
        row = _BY_STATUS[402]
    elif status >= 500:
        row = _BY_STATUS.get(status, _Row("MODEL_SERVER", True, "the provider has failed"))
    elif 300 <= status < 400:
        row = _Row("MODEL_BAD_REPLY", False, "the provider sends elsewhere; give the final URL")
    else:
        row = _BY_STATUS.get(status, _Row("MODEL_REJECTED", False, "the provider does not take the request"))
    quoted = "" if row.code == "MODEL_AUTH" or not said else f": {said[:_MAX_SAID]}"
    after = retry_after(headers) if row.again else None
    return AttemptFailed(row.code, f"HTTP {status}, {row.sentence}{quoted}", again=row.again, after=after)


def _said(body: bytes) -> str:
    """The provider's sentence in one line, with its codes in front; never raises."""
    try:
        told = orjson.loads(body[:65_536])
    except orjson.JSONDecodeError:
        return " ".join(body[:400].decode("utf-8", "replace").split()) if not body.lstrip().startswith(b"<") else ""
    error = told.get("error", told) if isinstance(told, dict) else told
    if isinstance(error, dict):
        parts = [str(error[key]) for key in ("code", "type", "message") if isinstance(error.get(key), str)]
        detail = error.get("metadata") or error.get("innererror")
        if detail:
            parts.append(orjson.dumps(detail).decode()[:400])
        said = " ".join(parts)
    else:
        said = str(error)
    return "".join(char if char.isprintable() else " " for char in said[:1000])


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds a provider asks to wait: ``retry-after-ms``, or ``Retry-After`` in seconds or as a date."""
    for key, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(key, "").strip()
        try:
            seconds = float(text) / unit
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def bad_reply(said: str) -> AttemptFailed:
    """A reply that has not the shape of one."""
    return AttemptFailed("MODEL_BAD_REPLY", f"the provider's answer cannot be used: {said}", again=True)


def too_large() -> AttemptFailed:
    """A reply that nobody would want to read."""
    said = f"the provider's answer is longer than {MAX_BODY_BYTES // 1024 // 1024} MiB"
    return AttemptFailed("MODEL_TOO_LARGE", said, again=False)


def timed_out(seconds: float) -> AttemptFailed:
    """An attempt that took too long."""
    return AttemptFailed("MODEL_TIMEOUT", f"no answer within {seconds:g} s", again=True)


def disconnected(error: BaseException) -> AttemptFailed:
    """A connection that was refused or lost; the first cause by its class, since a text may quote a request."""
    said = str(error)  # of our own backend, which gives the class of the cause as its text
    while error.__cause__ is not None:
        error = error.__cause__
    cause = said if said.isidentifier() else type(error).__name__
    return AttemptFailed("MODEL_CONNECTION", f"no connection to the provider ({cause})", again=True)


def object_of(body: bytes) -> dict[str, Any]:
    """A reply's JSON object; raises AttemptFailed."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            told = json.loads(body)  # a lone surrogate is the model's, not the provider's: it is replaced later
        except (ValueError, RecursionError):
            raise bad_reply("not JSON, or only a part of it") from None
    if not isinstance(told, dict):
        raise bad_reply("not a JSON object")
    return told
