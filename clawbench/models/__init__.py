"""Models: one protocol, and the adapters that ``--model`` names."""

from __future__ import annotations

from pathlib import Path

from ..errors import UnknownModel
from .protocol import Message, Model, Reply, Request, ToolCall, Usage

__all__ = ["KNOWN", "Message", "Model", "Reply", "Request", "ToolCall", "Usage", "model_named"]

KNOWN = {
    "offline": "deterministic and rule-following; needs no key and no network (simulated)",
    "replay:PATH": "answers the turns recorded in a run or a bench's folder, refuses any other",
}


def model_named(name: str) -> Model:
    """The model that ``--model NAME`` means; its adapter is imported only now.

    Raises UnknownModel, or TrajectoryInvalid for a replay of something that is not a run.
    """
    if name == "offline":
        from .offline import OfflineModel

        return OfflineModel()
    if name.startswith("replay:") and len(name) > len("replay:"):
        from .replay import ReplayModel

        return ReplayModel(Path(name.removeprefix("replay:")))
    known = ", ".join(KNOWN)
    raise UnknownModel.of("MODEL_UNKNOWN", f"no model is called {name!r}; known: {known}", "--model")
