"""What ``/health`` says of a validator: how far it is, and for how long nothing has come of it.

A long evaluation and a hang look alike from outside until something ends. So what counts is the last progress: a run
that ended, a reply of the model, an answer of the chain, a submission decided. How long none may come depends on the
phase.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .errors import InvalidInput

LIMITS = {
    "starting": 600,
    "waiting": 600,
    "verifying": 600,
    "evaluating": 1200,
    "weighing": 600,
    "sealing": 600,
}
"""Seconds without progress after which a phase is unhealthy.

While evaluating, a reply may wait out a provider's rate limits and retries (up to 14 minutes), and what failed is tried
again after 3 minutes; everywhere else the chain is asked several times a minute.
"""
_PHASES = {
    "started": "waiting",
    "waiting": "waiting",
    "epoch_begun": "verifying",
    "epoch_resumed": "verifying",
    "evaluating": "evaluating",
    "award": "weighing",
    "weights": "sealing",
}
"""The phase that an event of the loop begins."""
_TROUBLE = {"chain_unavailable", "record_not_told", "verify_failed"}
"""Events that are no progress."""


@dataclass(slots=True)
class Health:
    """The newest event of each kind, the phase, and the last progress; times in milliseconds of ``now_ms``."""

    now_ms: Callable[[], int]
    events: dict[str, Any] = field(default_factory=dict)
    phase: str = "starting"
    phase_ms: int = field(init=False)
    beat_ms: int = field(init=False)
    progress: str = field(init=False, default="began")
    progress_ms: int = field(init=False)

    def __post_init__(self) -> None:
        self.phase_ms = self.beat_ms = self.progress_ms = self.now_ms()

    def note(self, event: str, **fields: Any) -> None:
        """Takes notice of an event of the loop."""
        self.beat()
        self.events[event] = {"at_ms": self.beat_ms, **{key: str(value)[:300] for key, value in fields.items()}}
        if event in _PHASES and _PHASES[event] != self.phase:
            self.phase, self.phase_ms = _PHASES[event], self.beat_ms
        if event not in _TROUBLE:
            self.moved(event)

    def moved(self, what: str) -> None:
        """Takes notice of progress that is no event: ``what`` ended or answered."""
        self.progress, self.progress_ms = what, self.now_ms()

    def beat(self) -> None:
        """Takes notice that the loop turns; that is no progress."""
        self.beat_ms = self.now_ms()

    @property
    def well(self) -> bool:
        """Whether there was progress in time: if not, somebody should look."""
        return self.now_ms() - self.progress_ms <= LIMITS[self.phase] * 1000

    def body(self) -> bytes:
        """The answer as JSON."""
        now = self.now_ms()
        said = {
            "well": self.well,
            "phase": self.phase,
            "phase_age_ms": now - self.phase_ms,
            "progress": self.progress,
            "progress_age_ms": now - self.progress_ms,
            "limit_seconds": LIMITS[self.phase],
            "alive_ms": now - self.beat_ms,
            "events": self.events,
        }
        return json.dumps(said, sort_keys=True).encode()


async def health_served(health: Health, port: int) -> asyncio.Server:
    """Answers ``GET /health`` on 127.0.0.1: 200, or 503 if it is not well. Raises InvalidInput if the port is taken."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, TimeoutError, ValueError):
            async with asyncio.timeout(5):
                line = await reader.readline()
                found = line.split(b" ")[1:2] == [b"/health"]
                body = health.body() if found else b'{"message": "ask for /health"}'
                well = b"200 OK" if health.well else b"503 Service Unavailable"
                status = well if found else b"404 Not Found"
                head = (
                    b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                )
                writer.write(head % (status, len(body)) + body)
                await writer.drain()
        writer.close()

    try:
        return await asyncio.start_server(answer, "127.0.0.1", port)
    except OSError as why:
        raise InvalidInput.of("HEALTH_PORT", f"port {port} cannot be listened on: {why.strerror}") from None
