"""What a run did: its answer so far, its calls, and their effects. Checks read nothing else."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from .sandbox.result import Effect, Span, ToolResult, body_of

MAX_ANSWER_BYTES = 16 * 1024
_JSON = json.JSONEncoder(default=str)
_HYPHENS = {0x2010: "-", 0x2011: "-"}


class CallRecord:
    """One tool call and what it handed over. Texts are made when a check first asks for them."""

    __slots__ = ("_arguments_text", "_body", "arguments", "ok", "result", "spans", "tool")

    def __init__(
        self, tool: str, arguments: Any, result: Any = None, spans: Sequence[Span] = (), ok: bool = True
    ) -> None:
        self.tool = tool
        self.arguments = arguments
        self.result = {} if result is None else result
        self.spans = tuple(spans)
        self.ok = ok
        self._arguments_text: str | None = None
        self._body: str | None = None

    def __repr__(self) -> str:
        return f"CallRecord({self.tool!r}, {self.arguments!r}, ok={self.ok})"

    @property
    def arguments_text(self) -> str:
        """The text that ``tool_arg_*`` patterns see; see :func:`public_text`."""
        text = self._arguments_text
        if text is None:
            text = self._arguments_text = public_text(self.arguments)
        return text

    @property
    def body(self) -> str:
        """The text handed to the agent, as spans count its lines."""
        text = self._body
        if text is None:
            result = self.result
            text = self._body = body_of(result) if isinstance(result, Mapping) else public_text(result)
        return text


def public_text(value: Any) -> str:
    """Arguments or a response as the public format matches them.

    A text is itself; an object is ``json.dumps`` with its defaults, so that keys are matched too and quotes,
    newlines and non-ASCII characters stand escaped; anything else is ``str``.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _JSON.encode(value)
    return str(value)


class Answer(NamedTuple):
    """An answer as our checks read it: normalised text, its UTF-8 bytes, and whether its end was cut off."""

    text: str
    raw: bytes
    cut: bool


def normalised(response: str) -> Answer:
    """``response`` in NFKC, without lone surrogates and invisible characters, lines ending in ``\\n``.

    Typographic hyphens become ``-``: models write them inside ids and dates. At most 16 KiB are read.
    """
    text = response[: 4 * MAX_ANSWER_BYTES]
    cut = len(text) < len(response)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = unicodedata.normalize("NFKC", text).translate(_HYPHENS)
        text = "".join(c for c in text if c < "\x80" or unicodedata.category(c) != "Cf")
    raw = text.encode()
    if len(raw) > MAX_ANSWER_BYTES:
        text = raw[:MAX_ANSWER_BYTES].decode("utf-8", "ignore")
        raw = text.encode()
        cut = True
    return Answer(text, raw, cut)


class Transcript:
    """A run as far as it has come; grows by appending only.

    ``counts`` maps a tool to how often it was called and ``total`` counts all calls. ``effects`` are those of
    all calls in their order, prevented ones among them. The scripted user's replies cut a run into parts.
    """

    __slots__ = ("_answer", "_read", "_replies", "_spread", "calls", "counts", "effects", "response", "total")

    def __init__(self, response: str = "") -> None:
        self.response = response
        self.calls: list[CallRecord] = []
        self.effects: list[Effect] = []
        self.counts: dict[str, Any] = {}
        self.total = 0
        self._spread: list[tuple[int, int, int]] = []  # effects start .. end are of this call
        self._answer = Answer("", b"", False)
        self._read = ""
        self._replies: list[tuple[Answer, int]] = []  # to which answer, and after how many effects

    def answer(self, text: str | None) -> None:
        """The agent's latest words replace those before: only the last ones are its answer."""
        self.response = text or ""

    def append(self, call: CallRecord, effects: Sequence[Effect] = ()) -> None:
        """One more call and what it did."""
        self.calls.append(call)
        self.counts[call.tool] = self.counts.get(call.tool, 0) + 1
        self.total += 1
        if effects:
            start = len(self.effects)
            self.effects.extend(effects)
            self._spread.append((start, len(self.effects), len(self.calls) - 1))

    def append_call(self, tool: str, arguments: Any, result: ToolResult) -> None:
        """One more call as the sandbox returned it."""
        self.append(CallRecord(tool, arguments, result.result, result.spans, result.ok), result.effects)

    def user_replied(self) -> None:
        """The user has replied to the latest words."""
        self._replies.append((self.read, len(self.effects)))

    def answer_before(self, turn: int | None) -> Answer:
        """What the user's ``turn``-th reply (from 1) answers; the latest words without it, or for ``None``."""
        return self.read if turn is None or turn > len(self._replies) else self._replies[turn - 1][0]

    def effects_before(self, turn: int | None) -> Sequence[Effect]:
        """The effects that came before the user's ``turn``-th reply (from 1); all without it, or for ``None``."""
        if turn is None or turn > len(self._replies):
            return self.effects
        return self.effects[: self._replies[turn - 1][1]]

    def call_of_effect(self, index: int) -> int | None:
        """The index of the call that had effect ``index``; ``None`` if the call itself was prevented."""
        return next((call for start, end, call in self._spread if start <= index < end), None)

    @property
    def read(self) -> Answer:
        """The answer as our checks read it."""
        if self._read is not self.response:
            self._answer = normalised(self.response)
            self._read = self.response
        return self._answer

    def repeated(self) -> str | None:
        """The tool of the first call made three times with equal arguments, or ``None``."""
        if all(count < 3 for count in self.counts.values()):
            return None
        made: dict[bytes, int] = {}
        for call in self.calls:
            key = _key(call)
            made[key] = times = made.get(key, 0) + 1
            if times == 3:
                return call.tool
        return None


def _key(call: CallRecord) -> bytes:
    """Equal for calls of one tool with equal arguments, whatever the order of their keys."""
    try:
        return call.tool.encode() + b"\0" + orjson.dumps(call.arguments, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, UnicodeEncodeError):  # integers or texts that only Python's JSON can hold
        return f"{call.tool}\0{json.dumps(call.arguments, sort_keys=True, default=str)}".encode()


def recorded_call(tool: str, arguments: Any, record: Mapping[str, Any]) -> tuple[CallRecord, tuple[Effect, ...]]:
    """A call and its effects out of their JSON in a trajectory.

    ``record`` holds ``result``, ``ok``, ``spans`` as ``[start, count, records, derived]`` and ``effects`` as
    objects of ``kind``, ``target``, ``text``, ``status``.
    """
    spans = tuple([Span(start, count, tuple(refs), derived) for start, count, refs, derived in record["spans"]])
    effects = tuple([Effect(e["kind"], e["target"], e["text"], e["status"]) for e in record["effects"]])
    return CallRecord(tool, arguments, record["result"], spans, record["ok"]), effects
