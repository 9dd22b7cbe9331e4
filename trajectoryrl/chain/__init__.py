"""The chain: one small protocol, and its adapters (``local``, ``bittensor``)."""

from __future__ import annotations

from .protocol import Block, Chain, Metagraph, Neuron, OnChain, WeightsSet

__all__ = ["Block", "Chain", "Metagraph", "Neuron", "OnChain", "WeightsSet"]
