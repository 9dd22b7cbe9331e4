"""Who may do what in a run: the pack's tool policy, its approval gates, and the scripted user who answers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from .patterns import Pattern
from .sandbox.result import Effect, Status


@dataclass(frozen=True, slots=True)
class Grant:
    """Effects that the user has approved in so many words; with ``to`` only where it is found in their target."""

    kinds: tuple[str, ...]
    to: Pattern | None = None

    def covers(self, effect: Effect) -> bool:
        """Whether the user's words cover ``effect``."""
        named = _matches(effect.kind, self.kinds)
        return named and (self.to is None or self.to.search(effect.target.encode("utf-8", "replace")) is not None)


@dataclass(frozen=True, slots=True)
class Approval:
    """Decides effects and calls for one stage.

    ``gates`` and ``denied`` come from the pack and name tools or effects (fnmatch); ``grants`` come from the
    scenario's user, who refuses everything else but what was ``given`` in the conversation.
    """

    gates: tuple[str, ...]
    denied: tuple[str, ...]
    grants: tuple[str, ...]
    given: tuple[Grant, ...] = ()

    def giving(self, grant: Grant) -> Approval:
        """The same, after the user has also approved ``grant``."""
        return replace(self, given=(*self.given, grant))

    def of_effect(self, effect: Effect) -> Status:
        """Whether an effect happens: ``done``, ``refused`` by the user, or ``denied`` by the pack."""
        status = self._status(effect.kind)
        return "done" if status == "refused" and any(grant.covers(effect) for grant in self.given) else status

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
