"""A model that answers recorded turns, and refuses anything that was not recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ReplayMiss
from ..trajectory import read_trajectory, recorded_in, trajectory_paths
from .protocol import Reply, Request, ToolCall, Usage


class ReplayModel:
    """Answers from the trajectories at ``place`` (a file, or a bench's folder).

    A turn is found by its run and number, and is only given out if the conversation so far is the recorded one:
    a replay never answers another question than the one that was asked. ``name`` says whose replay it is, and
    ``simulated`` whether all of the recorded models were.
    """

    version = "1"
    provider = ""
    settings: Mapping[str, str] = {}

    def __init__(self, place: Path) -> None:
        self._place = place
        self._turns: dict[tuple[str, int], tuple[str, Reply]] = {}
        names: set[str] = set()
        self.simulated = True
        for path in trajectory_paths([place]):
            run = read_trajectory(path)
            with recorded_in(path):
                names.add(str(run.start["model"]["name"]))
                self.simulated = self.simulated and bool(run.start["model"]["simulated"])
                for turn, step in enumerate(run.steps):
                    self._turns[run.start["unit"], turn] = (step["context"], recorded_reply(step))

        self.name = f"replay:{names.pop()}" if len(names) == 1 else "replay"

    async def reply(self, request: Request) -> Reply:
        recorded = self._turns.get((request.unit, request.turn))
        if recorded is None:
            raise ReplayMiss.of("REPLAY_MISS", f"{self._place} holds no turn {request.turn} of run {request.unit}")
        context, reply = recorded
        if context != request.context:
            raise ReplayMiss.of(
                "REPLAY_DIVERGED",
                f"the conversation before turn {request.turn} of run {request.unit} is not the recorded one",
            )
        return reply


def recorded_reply(step: Mapping[str, Any]) -> Reply:
    """What the model said in a recorded step."""
    return Reply(
        text=step["text"],
        calls=tuple(ToolCall(call["id"], call["name"], call["arguments"]) for call in step["calls"]),
        usage=Usage(*step["usage"]),
        finish=step["finish"],
        reasoning=step["reasoning"],
        fingerprint=step["fingerprint"],
        served=step.get("served"),
        carry=step.get("carry"),
    )
