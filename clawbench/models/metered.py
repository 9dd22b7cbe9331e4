"""A model whose calls are reserved before and booked after, so that a budget holds and nothing is paid unseen."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from ..budget import Ledger
from ..errors import ClawbenchError
from .protocol import Model, Reply, Request, Usage, closed

_UNBILLED = frozenset({"MODEL_TIMEOUT", "MODEL_BAD_REPLY"})
"""Failures after which a provider may have billed what never arrived."""
_BYTES_PER_TOKEN = 3


class MeteredModel:
    """``model``, paid from ``ledger``; each call's usage is a line of the ``journal``, so that a bench that goes on
    knows what it has spent."""

    def __init__(self, model: Model, ledger: Ledger, journal: Path | None = None) -> None:
        self._model = model
        self._ledger = ledger
        self._journal = journal
        self._file = -1
        self.name = model.name
        self.version = model.version
        self.simulated = model.simulated
        self.provider = model.provider
        self.settings: Mapping[str, str] = model.settings

    async def reply(self, request: Request) -> Reply:
        worst = Usage(prompt_estimate(request), request.max_tokens)
        held = self._ledger.amount(worst)
        await self._ledger.hold(request.unit, held, request.deadline)
        usage = worst  # cancelled in mid-call: it may be billed in full
        try:
            reply = await self._model.reply(request)
            usage = reply.usage if reply.usage.prompt or reply.usage.completion else _guessed(worst, reply)
            return reply
        except ClawbenchError as error:
            usage = worst if error.code in _UNBILLED else Usage()
            raise
        finally:
            self._ledger.settle(request.unit, held, usage)
            self._book(request, usage)

    def _book(self, request: Request, usage: Usage) -> None:
        if self._journal is None or not (usage.prompt or usage.completion):
            return
        if self._file < 0:
            self._journal.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        spent = [usage.prompt, usage.completion, usage.cached, usage.reasoning]
        line = {"unit": request.unit, "turn": request.turn, "usage": spent}
        os.write(self._file, orjson.dumps(line) + b"\n")

    async def aclose(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        await closed(self._model)


def prompt_estimate(request: Request) -> int:
    """Tokens that a request may take to read, rather too many: one per three bytes, and a few per message."""
    size = 0
    for message in request.messages:
        content = message.get("content") or ""
        size += len(content) if content.isascii() else len(content.encode(errors="replace"))
        for call in message.get("tool_calls") or ():
            size += 64 + len(call["function"]["arguments"].encode(errors="replace"))
        size += 24
    if request.tools:
        size += len(orjson.dumps(list(request.tools)))
    return -(-size // _BYTES_PER_TOKEN)


def _guessed(worst: Usage, reply: Reply) -> Usage:
    """What a provider that counts nothing may charge."""
    written = len(reply.text.encode(errors="replace")) + sum(len(call.arguments) + 32 for call in reply.calls)
    return Usage(worst.prompt, min(worst.completion, written // _BYTES_PER_TOKEN + 1))


def journalled(journal: Path) -> Iterator[tuple[str, Usage]]:
    """The calls in ``journal``, each with its run; a line that was torn or changed counts for nothing."""
    try:
        lines = journal.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            record = orjson.loads(line)
            unit, usage = str(record["unit"]), Usage(*map(int, record["usage"]))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            continue
        if min(usage.prompt, usage.completion, usage.cached, usage.reasoning) >= 0:
            yield unit, usage
