"""The embedded default model: rule-following, deterministic, and labelled simulated wherever a score is shown."""

from __future__ import annotations

from .model import OfflineModel, respond

__all__ = ["OfflineModel", "respond"]
