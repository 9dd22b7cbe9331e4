"""From an epoch's inputs and evaluations to its award: the one function that validators and auditors both call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from .chain.protocol import Block, Metagraph, OnChain
from .entry import Entry, Outcome, Rejection
from .evaluation import Evaluation
from .order import in_order, without_duplicates
from .plan import Award, EpochPlan
from .protocol import Parameters
from .tournament import Contender, award


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an epoch is decided from, apart from its evaluations.

    ``block`` is the epoch's first, ``metagraph`` and ``commitments`` (by hotkey) stand as of it. ``outcomes`` has one
    per commitment, duplicates not yet told apart. ``names`` are what people call hotkeys. ``previous`` is the hotkey
    that the last weights went to; ``keep`` a sentence if those weights stay for a reason outside the votes.
    """

    block: Block
    metagraph: Metagraph
    commitments: Mapping[str, OnChain]
    outcomes: tuple[Outcome, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    previous: str | None = None
    keep: str = ""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The verified submissions, duplicates included."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Entry))


@dataclass(frozen=True, slots=True)
class Decision:
    """Who competed, in Order; who brought what somebody else had brought; who gets what, also by uid."""

    competing: tuple[Entry, ...]
    duplicates: tuple[Rejection, ...]
    award: Award
    weights: Mapping[int, Fraction]


def competing(inputs: Inputs, plan: EpochPlan) -> tuple[tuple[Entry, ...], tuple[Rejection, ...]]:
    """The entries to evaluate, in Order, and the duplicates."""
    return without_duplicates(in_order(inputs.entries, plan.beacon or ""))


def decision(inputs: Inputs, plan: EpochPlan, evaluations: Iterable[Evaluation], parameters: Parameters) -> Decision:
    """Who gets what. An entry without an evaluation is INDETERMINATE."""
    scored = {evaluation.content: evaluation for evaluation in evaluations}
    entries, duplicates = competing(inputs, plan)
    contenders = []
    for entry in entries:
        found = scored.get(entry.content)
        score, cause = (found.score, found.cause) if found is not None else (None, "NOT_EVALUATED")
        contenders.append(Contender(entry, score, cause, inputs.names.get(entry.hotkey, "")))
    graph = inputs.metagraph
    owner = graph.owner if graph.by_hotkey(graph.owner) is not None else None
    given = award(contenders, plan.beacon or "", parameters, owner, inputs.previous, inputs.keep)
    uids = {neuron.hotkey: neuron.uid for neuron in graph.neurons}
    weights = {uids[hotkey]: share for hotkey, share in given.weights.items() if hotkey in uids}
    return Decision(entries, duplicates, given, weights)
