"""One run's tools over a World: calls go in, results come out, and every effect is on record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..world import World
from .arguments import Arguments, BadArgument, checked
from .exec import execute
from .memory import memory_get, memory_search
from .options import shown
from .read import read
from .result import Permit, ToolResult, permit_all
from .schemas import TOOLS
from .slack import slack
from .state import State
from .web import web_fetch, web_search

_TOOLS: Mapping[str, Callable[[Arguments, State], ToolResult]] = {
    "exec": execute,
    "slack": slack,
    "memory_search": memory_search,
    "memory_get": memory_get,
    "web_search": web_search,
    "web_fetch": web_fetch,
    "read": read,
}


class Sandbox:
    """The tools of one run. Starts from ``world`` as it was rendered and shares nothing that a run changes.

    ``files`` are the policy's files by name, readable beside the workspace's own and the memory, which they
    cannot replace.
    ``permit`` is asked before every effect; ``tools`` limits the tools by name (all, if None).
    """

    __slots__ = ("state", "tools")

    def __init__(
        self,
        world: World,
        *,
        files: Mapping[str, str] | None = None,
        permit: Permit = permit_all,
        tools: Iterable[str] | None = None,
    ) -> None:
        self.state = State(world, permit)
        memory = self.state.index.memory
        self.state.files = {**world.workspace, **(files or {}), **memory}
        self.tools = None if tools is None else frozenset(tools)

    def call(self, tool: str, arguments: Any) -> ToolResult:
        """Carries out one call. Total: what makes no sense gives ``ok`` false and an ``error``."""
        run = _TOOLS.get(tool) if isinstance(tool, str) else None
        if run is None or (self.tools is not None and tool not in self.tools):
            known = [name for name in TOOLS if self.tools is None or name in self.tools]
            return _error(f"there is no tool {shown(str(tool))}; there are {', '.join(known) or 'none'}")
        if not isinstance(arguments, Mapping):  # what an agent sends may be anything
            return _error(f"the arguments of {tool} must be an object")
        try:
            given = checked(tool, arguments)
        except BadArgument as error:
            return _error(f"{tool}: {error}")
        before = len(self.state.effects)
        result = run(given, self.state)
        effects = self.state.effects[before:]
        return replace(result, effects=tuple(effects)) if effects else result


def _error(message: str) -> ToolResult:
    return ToolResult(False, {"error": message})
