"""What a process tells its operator: readable lines on a terminal, JSON lines elsewhere, nothing that can act."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

from .errors import InvalidInput
from .faults import reach

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_MOST = 2000
_SECRET = re.compile(r"(?i)(authorization|api[-_]?key|token|mnemonic|password|secret)$")


def escaped(text: str, most: int = _MOST) -> str:
    """``text`` with control and invisible characters written out, cut at ``most``: safe to print."""
    cut = text if len(text) <= most else text[:most] + "…"
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", cut)


def configure(level: str = "info", file: str = "", stream: TextIO | None = None) -> TextIO | None:
    """Sets up structlog once for the process: ``stream`` (stderr) for people or pipes, ``file`` for JSON lines.

    Returns the opened file, for who wants to close it.

    Raises InvalidInput if the file cannot be written.
    """
    import structlog

    stream = stream or sys.stderr
    sink: TextIO | None = None
    if file:
        try:
            sink = Path(file).expanduser().open("a", encoding="utf-8")
        except OSError as why:
            raise InvalidInput.of("LOG_FILE", f"cannot be written: {why.strerror}", file) from None
    numbers = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
    to_json = structlog.processors.JSONRenderer(sort_keys=True)
    to_people = structlog.dev.ConsoleRenderer(colors=stream.isatty()) if stream.isatty() else to_json

    def both(logger: Any, name: str, event: MutableMapping[str, Any]) -> Any:
        if sink is not None:
            reach("log.line.before")
            sink.write(str(to_json(logger, name, dict(event))) + "\n")
            sink.flush()
            reach("log.line.after")
        return to_people(logger, name, event)

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _safe,
            both,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numbers[level]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("bittensor").setLevel(logging.WARNING)
    return sink


def _safe(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Every value escaped; what is named like a secret is not written."""
    return {key: "…" if _SECRET.search(key) else _safely(value) for key, value in event.items()}


def _safely(value: Any) -> Any:
    if isinstance(value, str):
        return escaped(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {escaped(str(key)): _safely(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_safely(inner) for inner in value]
    return escaped(str(value))
