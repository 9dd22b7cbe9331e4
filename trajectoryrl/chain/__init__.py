"""The chain: one small protocol, and its adapters (``local``, ``localclient``, ``bittensor``)."""

from __future__ import annotations

from .named import named_chain
from .protocol import Block, Chain, Metagraph, Neuron, OnChain, WeightsSet

__all__ = ["Block", "Chain", "Metagraph", "Neuron", "OnChain", "WeightsSet", "named_chain"]
