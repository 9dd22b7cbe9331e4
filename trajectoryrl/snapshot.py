"""What an epoch is about: the chain as it stood at the epoch's first block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .chain.protocol import Block, Chain, Metagraph, Neuron, OnChain
from .commitment import SUBMISSION


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An epoch's inputs. ``submitted`` has the submissions of registered hotkeys, by hotkey."""

    epoch: int
    first: Block
    graph: Metagraph
    submitted: Mapping[str, OnChain]


async def snapshot(chain: Chain, epoch: int, first_block: int) -> Snapshot:
    """Reads the chain at ``first_block``, which must be final. Raises ChainUnavailable."""
    first = await chain.block(first_block)
    graph = await chain.metagraph(first_block)
    committed = await chain.commitments(first_block)
    registered = {neuron.hotkey for neuron in graph.neurons}
    submitted = {
        hotkey: said
        for hotkey, said in sorted(committed.items())
        if hotkey in registered and said.text.startswith(SUBMISSION)
    }
    return Snapshot(epoch, first, graph, submitted)


def snapshot_json(value: Snapshot) -> dict[str, Any]:
    """A snapshot as JSON."""
    return {
        "epoch": value.epoch,
        "first": asdict(value.first),
        "graph": asdict(value.graph),
        "submitted": [asdict(said) for said in value.submitted.values()],
    }


def snapshot_of(value: Mapping[str, Any]) -> Snapshot:
    """The snapshot that :func:`snapshot_json` wrote."""
    graph = value["graph"]
    neurons = tuple(Neuron(**neuron) for neuron in graph["neurons"])
    return Snapshot(
        value["epoch"],
        Block(**value["first"]),
        Metagraph(graph["netuid"], graph["block"], neurons, graph["owner"]),
        {said["hotkey"]: OnChain(**said) for said in value["submitted"]},
    )
