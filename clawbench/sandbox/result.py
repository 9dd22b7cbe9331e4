"""What a tool call leaves behind: the text handed over, whose it was, and what it did to the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .jsontext import json_text

Status = Literal["done", "refused", "denied"]


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing a call did, or tried to do, to the world.

    ``kind`` is ``noun.verb`` (``mail.send``). ``target`` is who or what it touched: a mail's recipients
    joined by ``, ``, a channel's name (and a message's id), ``ID TITLE`` of a record that existed,
    ``TITLE; ATTENDEES`` of a new event, the title of a new task. ``text`` is what was written (a mail's
    subject, blank line, body), at most 4,096 characters. ``refused`` means the user said no at an approval
    gate, ``denied`` that the pack's tool policy forbade it: neither happened.
    """

    kind: str
    target: str = ""
    text: str = ""
    status: Status = "done"


@dataclass(frozen=True, slots=True)
class Span:
    """Lines ``start .. start+count-1`` of a result's body, counted from 0, that came from ``records``.

    ``derived`` lines were made by a command (jq, tr, cut, echo, printf) out of those records, not passed on.
    """

    start: int
    count: int
    records: tuple[str, ...]
    derived: bool = False


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What one call returned. ``result`` has the public tools' shape; ``ok`` is false if the tool failed."""

    ok: bool
    result: Mapping[str, Any]
    spans: tuple[Span, ...] = ()
    effects: tuple[Effect, ...] = ()

    @property
    def handed(self) -> str:
        """The text the agent is given: the result as JSON, indented by two."""
        return json_text(self.result)

    @property
    def body(self) -> str:
        """The text that :class:`Span` counts lines of: exec's output, else what is handed over."""
        return body_of(self.result)


def body_of(result: Mapping[str, Any]) -> str:
    """The text that spans count lines of: exec's ``aggregated``, else the result as indented JSON."""
    aggregated = result.get("aggregated")
    if isinstance(aggregated, str):
        return aggregated
    return json_text(result)


Permit = Callable[[Effect], Status]
"""Asked before an effect happens: ``done`` lets it happen, anything else prevents it."""


def permit_all(effect: Effect) -> Status:
    """Lets every effect happen."""
    return "done"
