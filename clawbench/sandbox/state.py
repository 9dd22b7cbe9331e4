"""The world as one run has changed it: an overlay on the shared World that belongs to one Sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..world import Record, World
from .index import WorldIndex, index_of
from .lines import Line
from .result import Effect, Permit, permit_all

__all__ = ["Line", "State"]

MAX_EFFECT_TEXT = 4096
MAX_EFFECT_TARGET = 512

MAX_EFFECTS = 500
"""Changes that one run may try; what comes after them does not happen."""

MAX_WRITTEN = 50_000
"""Characters of one text that the agent writes into the world, such as a mail's body."""


@dataclass(slots=True)
class State:
    """Mutable per run. Lists start as copies of the World's tuples; records are shared and never edited.

    ``files`` holds what the agent may read, ``scratch`` what its own redirections wrote. ``pins`` and the
    keys of ``reactions`` are ids of messages; ``bookings`` holds flights by their id, each with its seat.
    """

    world: World
    permit: Permit = permit_all
    files: Mapping[str, str] = field(default_factory=dict)
    scratch: dict[str, list[Line]] = field(default_factory=dict)
    index: WorldIndex = field(init=False)
    mails: list[Record] = field(init=False)
    events: list[Record] = field(init=False)
    tasks: list[Record] = field(init=False)
    messages: list[Record] = field(init=False)
    pulls: list[Record] = field(init=False)
    issues: list[Record] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    bookings: dict[str, tuple[Record, str]] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        world = self.world
        self.index = index_of(world)
        self.mails = list(world.mails)
        self.events = list(world.events)
        self.tasks = list(world.tasks)
        self.messages = list(world.messages)
        self.pulls = list(world.pulls)

    def attempt(self, kind: str, target: str = "", text: str = "") -> bool:
        """Asks whether an effect may happen and records it either way; true if it is to happen."""
        if len(self.effects) >= MAX_EFFECTS:
            return False
        proposed = Effect(kind, target[:MAX_EFFECT_TARGET], text[:MAX_EFFECT_TEXT])
        status = self.permit(proposed)
        if status != "done":
            proposed = Effect(proposed.kind, proposed.target, proposed.text, status)
        self.effects.append(proposed)
        return status == "done"

    def refusal(self) -> str:
        """What a program says whose last attempt was not allowed."""
        last = self.effects[-1]
        if last.status == "done":
            return f"stopped: more than {MAX_EFFECTS} changes in one run"
        if last.status == "denied":
            return f"denied: the tool policy forbids {last.kind}"
        return f"refused: the user did not approve {last.kind}"

    def next_number(self) -> int:
        """A running number for ids of what the agent creates: 1, 2, 3 …"""
        self.made += 1
        return self.made
