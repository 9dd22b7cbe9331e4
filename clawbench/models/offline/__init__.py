"""The embedded default model: rule-following, deterministic, labelled simulated."""

from __future__ import annotations

from .model import OfflineModel, respond

__all__ = ["OfflineModel", "respond"]
