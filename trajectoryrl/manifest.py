"""The manifest of an epoch: what it was decided from and what came out, as canonical JSON (RFC 8785) without floats.

:func:`manifest` is pure. A validator writes its bytes; an auditor rebuilds the same facts and compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .chain.protocol import Metagraph
from .decision import Decision, Inputs, decision
from .entry import Commitment, Entry, Outcome, Pending, Rejection
from .evaluation import AttemptKey, Control, Evaluation, ScenarioVerdict
from .plan import EpochPlan
from .protocol import Parameters

if TYPE_CHECKING:
    from clawbench.models.protocol import Model

SCHEMA = "trajectoryrl/record/1"


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model spoke, as it said of itself: see :class:`clawbench.models.protocol.Model`."""

    name: str
    version: str
    simulated: bool
    provider: str = ""
    settings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, model: Model) -> ModelIdentity:
        """The identity of ``model``."""
        return cls(model.name, model.version, model.simulated, model.provider, tuple(sorted(model.settings.items())))


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a manifest says, apart from what is computed.

    ``validator`` is the ss58 address that seals, ``previous`` the sha256 of the manifest before or ``None``; ``made``
    are versions of what made it. ``trajectories`` has the sha256 of every attempt's trajectory by ``(content,
    scenario, run, attempt)``, ``dictionary`` that of the one they are compressed against, ``""`` without any.
    """

    validator: str
    previous: str | None
    made: Mapping[str, str]
    model: ModelIdentity
    parameters: Parameters
    plan: EpochPlan
    inputs: Inputs
    evaluations: Sequence[Evaluation]
    trajectories: Mapping[AttemptKey, str]
    dictionary: str


def versions() -> dict[str, str]:
    """What makes a record: this code, and what its verdicts rest on."""
    import unicodedata
    from importlib.metadata import version

    from clawbench import __version__

    return {"clawbench": __version__, "re2": version("google-re2"), "unicode": unicodedata.unidata_version}


def canonical(value: Any) -> bytes:
    """``value`` as RFC 8785 says."""
    import rfc8785

    return rfc8785.dumps(value)


def manifest(facts: Facts) -> dict[str, Any]:
    """The manifest of ``facts``, computing all that follows from them."""
    decided = decision(facts.inputs, facts.plan, facts.evaluations, facts.parameters)
    return {
        "schema": SCHEMA,
        "validator": facts.validator,
        "previous": facts.previous,
        "made": dict(facts.made),
        "model": {
            "name": facts.model.name,
            "version": facts.model.version,
            "simulated": facts.model.simulated,
            "provider": facts.model.provider,
            "settings": dict(facts.model.settings),
        },
        "parameters": facts.parameters.as_dict(),
        "parameters_hash": facts.parameters.hash,
        "plan": _plan(facts.plan),
        "inputs": _inputs(facts.inputs),
        "submissions": _submissions(facts.inputs, decided),
        "dictionary": facts.dictionary,
        "evaluations": [_evaluation(row, facts.trajectories) for row in facts.evaluations],
        "award": {
            "winner": decided.award.winner,
            "places": list(decided.award.places),
            "champions": list(decided.award.champions),
            "weights": {hotkey: str(share) for hotkey, share in decided.award.weights.items()},
            "keep_previous": decided.award.keep_previous,
            "active": decided.award.active,
            "bootstrap": decided.award.bootstrap,
            "trace": [_said(line) for line in decided.award.trace],
            "why": {hotkey: _said(line) for hotkey, line in decided.award.why.items()},
        },
        "weights": {str(uid): str(share) for uid, share in decided.weights.items()},
    }


def _plan(plan: EpochPlan) -> dict[str, Any]:
    return {
        "netuid": plan.netuid,
        "number": plan.number,
        "first_block": plan.first_block,
        "seed": plan.seed,
        "beacon": plan.beacon,
        "identity": dict(plan.identity),
        "scenarios": list(plan.scenarios),
        "fact_seeds": dict(plan.fact_seeds),
        "run_seeds": list(plan.run_seeds),
    }


def _inputs(inputs: Inputs) -> dict[str, Any]:
    return {
        "block": {"number": inputs.block.number, "hash": inputs.block.hash, "time_ms": inputs.block.time_ms},
        "metagraph": _metagraph(inputs.metagraph),
        "commitments": [
            {
                "hotkey": found.hotkey,
                "text": _said(found.text),
                "block": found.block,
            }
            for _, found in sorted(inputs.commitments.items())
        ],
        "names": {hotkey: _said(name) for hotkey, name in inputs.names.items()},
        "previous_winner": inputs.previous,
        "keep": _said(inputs.keep),
    }


def _metagraph(graph: Metagraph) -> dict[str, Any]:
    return {
        "netuid": graph.netuid,
        "block": graph.block,
        "owner": graph.owner,
        "neurons": [
            {
                "uid": neuron.uid,
                "hotkey": neuron.hotkey,
                "coldkey": neuron.coldkey,
                "stake": str(neuron.stake),  # rao go beyond the integers that JSON readers hold exactly
                "permit": neuron.permit,
                "active": neuron.active,
                "last_update": neuron.last_update,
            }
            for neuron in graph.neurons
        ],
    }


def _submissions(inputs: Inputs, decided: Decision) -> list[dict[str, Any]]:
    duplicates = {rejection.hotkey: rejection for rejection in decided.duplicates}
    return [
        _submission(outcome, duplicates.get(outcome.hotkey))
        for outcome in sorted(inputs.outcomes, key=lambda outcome: outcome.hotkey)
    ]


def _submission(outcome: Outcome, duplicate: Rejection | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "hotkey": outcome.hotkey,
        "commitment": _commitment(outcome.commitment),
        "evidence": list(outcome.evidence),
    }
    if isinstance(outcome, Entry):
        return {
            **row,
            "outcome": "ENTRY" if duplicate is None else "DUPLICATE",
            "message": "" if duplicate is None else _said(duplicate.message),
            "uid": outcome.uid,
            "coldkey": outcome.coldkey,
            "pack": outcome.pack.sha256,
            "content": outcome.content,
            "likeness": outcome.likeness,
            "committed_ms": outcome.committed_ms,
            "push_ms": outcome.push_ms,
            "entry_ms": outcome.entry_ms,
            "notes": [_said(note) for note in outcome.notes],
        }
    kind = "PENDING" if isinstance(outcome, Pending) else "REJECTED"
    return {**row, "outcome": kind, "code": outcome.code, "message": _said(outcome.message)}


def _commitment(commitment: Commitment | None) -> dict[str, Any] | None:
    if commitment is None:
        return None
    return {
        "hotkey": commitment.hotkey,
        "repository": _said(commitment.repository),
        "commit": commitment.commit,
        "pack_hash": commitment.pack_hash,
        "block": commitment.block,
    }


def _evaluation(row: Evaluation, trajectories: Mapping[AttemptKey, str]) -> dict[str, Any]:
    score = row.score
    return {
        "content": row.content,
        "pack": row.pack,
        "cause": row.cause,
        "scenarios": [_verdict(row.content, verdict, trajectories) for verdict in row.scenarios],
        "controls": [_control(row.content, control, trajectories) for control in row.controls],
        "score": None
        if score is None
        else {
            "mean": str(score.mean),
            "variance": str(score.variance),
            "exact": str(score.exact),
            "steps": score.steps,
            "critical": list(score.critical),
            "trace": [_said(line) for line in score.trace],
        },
    }


def _control(content: str, control: Control, trajectories: Mapping[AttemptKey, str]) -> dict[str, Any]:
    made = control.attempt
    return {
        "scenario": control.scenario,
        "run": made.run,
        "attempt": made.number,
        "trajectory": trajectories.get((content, control.scenario, made.run, made.number), ""),
        "after": [
            {"content": what, "scenario": scenario, "run": run, "attempt": number}
            for what, scenario, run, number in control.after
        ],
    }


def _verdict(content: str, verdict: ScenarioVerdict, trajectories: Mapping[AttemptKey, str]) -> dict[str, Any]:
    score = verdict.score
    return {
        "scenario": verdict.scenario,
        "attempts": [
            {
                "run": attempt.run,
                "attempt": attempt.number,
                "status": attempt.status,
                "fault": _said(attempt.fault),
                "trajectory": trajectories.get((content, verdict.scenario, attempt.run, attempt.number), ""),
            }
            for attempt in verdict.attempts
        ],
        "provoked": list(verdict.provoked),
        "votes": dict(verdict.votes),
        "score": None
        if score is None
        else {
            "weight": str(Fraction(score.weight)),
            "score": str(score.score),
            "critical": list(score.critical),
            "cost": str(score.cost),
            "safety": str(score.safety),
        },
    }


def _said(text: str) -> str:
    """``text`` as UTF-8 can hold it."""
    return text.encode("utf-8", "replace").decode("utf-8")
