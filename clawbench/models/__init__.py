"""Models: one protocol, and the adapters that ``--model`` names."""

from __future__ import annotations

from pathlib import Path

from ..errors import UnknownModel
from .protocol import Message, Model, Reply, Request, ToolCall, Usage

__all__ = ["KNOWN", "Message", "Model", "Reply", "Request", "ToolCall", "Usage", "model_named"]

KNOWN = {
    "offline": "deterministic and rule-following; needs no key and no network (simulated)",
    "replay:PATH": "plays a cassette, a run or a bench's folder again, and refuses what is not in it",
    "anthropic/NAME": "Claude by Anthropic's SDK; needs ANTHROPIC_API_KEY",
    "openai/NAME": "GPT by OpenAI's SDK; needs OPENAI_API_KEY",
    "openai-compatible/NAME@URL": "Ollama, vLLM, llama.cpp, OpenRouter …; key, if any, in OPENAI_COMPATIBLE_API_KEY",
}


def model_named(name: str) -> Model:
    """The model that ``--model NAME`` means; its adapter is imported only now.

    Raises UnknownModel, ModelUnusable for a real model without its SDK or key, or TrajectoryInvalid for a replay of
    something that is not a run.
    """
    if name == "offline":
        from .offline import OfflineModel

        return OfflineModel()
    if name.startswith("replay:") and len(name) > len("replay:"):
        from .cassette import CassetteModel, is_cassette
        from .replay import ReplayModel

        place = Path(name.removeprefix("replay:"))
        return CassetteModel(place) if is_cassette(place) else ReplayModel(place)
    if name.startswith(("anthropic/", "openai/", "openai-compatible/")):
        return _real(name)
    known = ", ".join(KNOWN)
    raise UnknownModel.of("MODEL_UNKNOWN", f"no model is called {name[:80]!r}; known: {known}", "--model")


def _real(name: str) -> Model:
    from .naming import model_name

    if name.startswith("anthropic/"):
        from .anthropic import OPTIONS, anthropic_model

        return anthropic_model(model_name(name, with_url=False, known=OPTIONS))
    if name.startswith("openai/"):
        from .openai import OPTIONS, openai_model

        return openai_model(model_name(name, with_url=False, known=OPTIONS))
    from .compatible import OPTIONS, compatible_model

    return compatible_model(model_name(name, with_url=True, known=OPTIONS))
