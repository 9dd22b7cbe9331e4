"""What one run may use, and the pack's own stop rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """The protocol's limits of one run: tool calls, model turns, tokens written and in all, seconds."""

    tool_calls: int = 40
    turns: int = 25
    completion_tokens: int = 16_384
    total_tokens: int = 131_072
    seconds: int = 120

    def as_dict(self) -> dict[str, int]:
        """The limits as they stand in a trajectory."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class StopRules:
    """The enforced part of a pack's ``stop_rules``: one that fires ends the tools, not the run."""

    max_tool_calls: int | None = None
    max_turns: int | None = None
    max_same_call: int | None = None

    @classmethod
    def of(cls, rules: Sequence[str | Mapping[str, Any]]) -> StopRules:
        """The strictest value of each enforced rule."""
        found: dict[str, int] = {}
        for rule in rules:
            if isinstance(rule, Mapping):
                for name, value in rule.items():
                    if name in cls.__slots__ and isinstance(value, int):
                        found[name] = min(value, found.get(name, value))
        return cls(**found)

    def fired(self, tool_calls: int, turns: int, same_calls: int) -> str | None:
        """The name of the rule that one more call would break, or ``None``.

        ``tool_calls`` have run so far, ``same_calls`` of them equal to the one proposed; ``turns`` are complete.
        """
        if self.max_tool_calls is not None and tool_calls >= self.max_tool_calls:
            return "max_tool_calls"
        if self.max_turns is not None and turns >= self.max_turns:
            return "max_turns"
        if self.max_same_call is not None and same_calls >= self.max_same_call:
            return "max_same_call"
        return None
