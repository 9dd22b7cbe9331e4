"""A model that says what it was told to say: for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import ReplayMiss
from .protocol import Reply, Request


class ScriptModel:
    """Answers turn ``n`` of every run with the ``n``-th reply; raises ReplayMiss past the last one."""

    name = "script"
    version = "1"
    simulated = True
    provider = ""
    settings: Mapping[str, str] = {}

    def __init__(self, replies: Sequence[Reply]) -> None:
        self._replies = tuple(replies)

    async def reply(self, request: Request) -> Reply:
        if request.turn >= len(self._replies):
            raise ReplayMiss.of(
                "SCRIPT_ENDED",
                f"the script has {len(self._replies)} replies and turn {request.turn} was asked for",
            )
        return self._replies[request.turn]
