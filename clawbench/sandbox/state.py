"""The world as one run has changed it: an overlay that starts as the shared World and belongs to one Sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..world import Record, World
from .result import Effect, Permit, permit_all


@dataclass(frozen=True, slots=True)
class Line:
    """One line of command output, without its newline, and the records whose text it carries.

    ``derived`` says that a command made the line out of those records instead of passing it on.
    """

    text: str
    records: tuple[str, ...] = ()
    derived: bool = False


@dataclass(slots=True)
class State:
    """Mutable per run. Lists start as copies of the World's tuples (records themselves are shared, never edited);
    ``files`` holds what the agent may read, ``scratch`` what its own redirections wrote."""

    world: World
    permit: Permit = permit_all
    files: Mapping[str, str] = field(default_factory=dict)
    scratch: dict[str, list[Line]] = field(default_factory=dict)
    mails: list[Record] = field(init=False)
    events: list[Record] = field(init=False)
    tasks: list[Record] = field(init=False)
    messages: list[Record] = field(init=False)
    effects: list[Effect] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        self.mails = list(self.world.mails)
        self.events = list(self.world.events)
        self.tasks = list(self.world.tasks)
        self.messages = list(self.world.messages)

    def attempt(self, kind: str, target: str = "", text: str = "") -> bool:
        """Asks whether an effect may happen and records it either way; true if it is to happen."""
        proposed = Effect(kind, target, text[:4096])
        status = self.permit(proposed)
        self.effects.append(proposed if status == "done" else Effect(kind, target, text[:4096], status))
        return status == "done"

    def next_number(self) -> int:
        """A running number for ids of what the agent creates: 1, 2, 3 …"""
        self.made += 1
        return self.made
