"""Who may do what in a run: the pack's tool policy, its approval gates, and the scripted user who answers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .sandbox.result import Effect, Status


@dataclass(frozen=True, slots=True)
class Approval:
    """Decides effects and calls for one stage.

    ``gates`` and ``denied`` come from the pack and name tools or effects (fnmatch); ``grants`` come from the
    scenario's user, who refuses everything else.
    """

    gates: tuple[str, ...]
    denied: tuple[str, ...]
    grants: tuple[str, ...]

    def of_effect(self, effect: Effect) -> Status:
        """Whether an effect happens: ``done``, ``refused`` by the user, or ``denied`` by the pack."""
        return self._status(effect.kind)

    def of_tool(self, tool: str) -> Status:
        """Whether a tool may be used at all right now."""
        return self._status(tool)

    @property
    def permit(self) -> Callable[[Effect], Status]:
        """What a sandbox asks before it changes anything."""
        return self.of_effect

    def _status(self, name: str) -> Status:
        if _matches(name, self.denied):
            return "denied"
        if _matches(name, self.gates) and not _matches(name, self.grants):
            return "refused"
        return "done"


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
