"""The exec tool: a command text, parsed and run over the world; no process is ever started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .arguments import Arguments
from .attribution import spans_of_lines
from .curl import curl
from .flights import flights
from .gcal import gcal, gcalcli
from .gh import gh
from .himalaya import himalaya
from .lines import plain_text
from .result import ToolResult
from .shell import run
from .shell.command import Command
from .state import State

COMMANDS: Mapping[str, Command] = {
    "himalaya": himalaya,
    "gcalcli": gcalcli,
    "gcal": gcal,
    "gh": gh,
    "curl": curl,
}
"""The programs there are besides the shell's own."""

_WITH_FLIGHTS: Mapping[str, Command] = {**COMMANDS, "flights": flights}

IRREVERSIBLE = frozenset(
    (
        "mail.send",
        "calendar.create",
        "calendar.delete",
        "code.merge",
        "code.comment",
        "code.close",
        "code.create",
        "flight.book",
        "flight.cancel",
    )
)
"""Kinds of effects that others notice at once: a call that had one says so."""

_DURATION_MS, _FAILED_MS = 42, 10


def execute(arguments: Arguments, state: State) -> ToolResult:
    """Runs ``command``; the result is what a terminal would have shown, and the exit code.

    ``durationMs`` is a constant: equal calls give equal results.
    """
    before = len(state.effects)
    ended = run(arguments["command"], state, _WITH_FLIGHTS if state.world.flights else COMMANDS)
    failed = ended.exit != 0
    result: dict[str, Any] = {
        "status": "failed" if failed else "completed",
        "exitCode": ended.exit,
        "durationMs": _FAILED_MS if failed else _DURATION_MS,
        "aggregated": plain_text(ended.lines),
    }
    if any(effect.kind in IRREVERSIBLE and effect.status == "done" for effect in state.effects[before:]):
        result["_irreversible"] = True
    return ToolResult(not failed, result, spans_of_lines(ended.lines))
