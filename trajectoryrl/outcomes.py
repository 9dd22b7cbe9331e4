"""Outcomes and awards as plain JSON values, and back: what a ledger keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from clawbench.likeness import content_hash, likeness
from clawbench.pack import parse_pack

from .entry import Commitment, Entry, Outcome, Pending, Rejection
from .plan import Award


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON; an entry carries its pack, so that it needs no network again."""
    match outcome:
        case Entry():
            return {
                "kind": "entry",
                "uid": outcome.uid,
                "coldkey": outcome.coldkey,
                "commitment": _commitment_json(outcome.commitment),
                "pack": outcome.pack.canonical.decode("ascii"),
                "push_ms": outcome.push_ms,
                "entry_ms": outcome.entry_ms,
                "evidence": list(outcome.evidence),
                "notes": list(outcome.notes),
                "committed_ms": outcome.committed_ms,
            }
        case Rejection() | Pending():
            return {
                "kind": "rejection" if isinstance(outcome, Rejection) else "pending",
                "hotkey": outcome.hotkey,
                "code": outcome.code,
                "message": outcome.message,
                "commitment": _commitment_json(outcome.commitment) if outcome.commitment else None,
                "evidence": list(outcome.evidence),
            }


def outcome_of(value: Mapping[str, Any]) -> Outcome:
    """The outcome that :func:`outcome_json` wrote. Raises KeyError, ValueError or PackRejected for anything else."""
    evidence = tuple(value["evidence"])
    if value["kind"] == "entry":
        pack = parse_pack(value["pack"].encode("ascii"))
        return Entry(
            uid=value["uid"],
            coldkey=value["coldkey"],
            commitment=Commitment(**value["commitment"]),
            pack=pack,
            content=content_hash(pack),
            likeness=likeness(pack),
            push_ms=value["push_ms"],
            entry_ms=value["entry_ms"],
            evidence=evidence,
            notes=tuple(value["notes"]),
            committed_ms=value["committed_ms"],
        )
    commitment = Commitment(**value["commitment"]) if value["commitment"] else None
    if value["kind"] == "rejection":
        return Rejection(value["hotkey"], value["code"], value["message"], commitment, evidence)
    if value["kind"] == "pending":
        return Pending(value["hotkey"], value["code"], value["message"], commitment, evidence)
    raise ValueError(f"no outcome is of the kind {value['kind']!r}")


def award_json(award: Award) -> dict[str, Any]:
    """An award as JSON; shares are fractions as text."""
    return {
        "winner": award.winner,
        "places": list(award.places),
        "weights": {hotkey: str(share) for hotkey, share in sorted(award.weights.items())},
        "keep_previous": award.keep_previous,
        "trace": list(award.trace),
        "why": dict(sorted(award.why.items())),
        "champions": list(award.champions),
        "active": award.active,
        "bootstrap": award.bootstrap,
    }


def award_of(value: Mapping[str, Any]) -> Award:
    """The award that :func:`award_json` wrote."""
    return Award(
        winner=value["winner"],
        places=tuple(value["places"]),
        weights={hotkey: Fraction(share) for hotkey, share in value["weights"].items()},
        keep_previous=value["keep_previous"],
        trace=tuple(value["trace"]),
        why=dict(value["why"]),
        champions=tuple(value["champions"]),
        active=value["active"],
        bootstrap=value["bootstrap"],
    )


def _commitment_json(commitment: Commitment) -> dict[str, Any]:
    return {name: getattr(commitment, name) for name in ("hotkey", "repository", "commit", "pack_hash", "block")}
