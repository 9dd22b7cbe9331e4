"""A bench as one JSON object: what ``clawbench run --json`` prints.

Identical calls print identical objects; whatever may differ stands under the one key ``out``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..bench import StageOutcome, weighted_mean
from ..outcome import RunOutcome
from ..sandbox import Effect
from ..tally import Tally, number
from ..vote import VotedResult
from .plain import decimal
from .separating import by_pack, separating


def bench_document(outcomes: Sequence[StageOutcome], folder: Path, again: str) -> dict[str, Any]:
    """The object for ``outcomes``, whose runs lie in ``folder`` and can be had again with ``again``."""
    first = outcomes[0].stage
    packs = by_pack(outcomes)
    return {
        "score": _share(weighted_mean(outcomes)),
        "simulated": outcomes[0].model.simulated,
        "model": {"name": outcomes[0].model.name, "version": outcomes[0].model.version},
        "sampling": {"temperature": first.sampling.temperature, "max_tokens": first.sampling.max_tokens},
        "seed": first.seed,
        "runs": outcomes[0].asked,
        "usd": _usd(outcomes),
        "undecided": [outcome.stage.name for outcome in outcomes if outcome.voted is None],
        "packs": [
            {
                "name": found[0].stage.pack.name,
                "label": label,
                "version": found[0].stage.pack.version,
                "sha256": found[0].stage.pack.sha256,
                "score": _share(weighted_mean(found)),
                "usd": _usd(found),
                "scenarios": [_scenario(outcome) for outcome in found],
            }
            for label, found in packs.items()
        ],
        "separating": [
            {"scenario": found.scenario, "check": found.check, "by_pack": dict(found.by_pack)}
            for found in separating(outcomes)
        ],
        "out": {
            "folder": str(folder),
            "again": again,
            "trajectories": [str(folder / o.stage.name) for o in outcomes],
        },
    }


def _scenario(outcome: StageOutcome) -> dict[str, Any]:
    scenario = outcome.stage.scenario
    voted = outcome.voted
    return {
        "name": scenario.name,
        "sha256": scenario.sha256,
        "weight": str(number(scenario.weight)),
        "compat": scenario.compat,
        "world": outcome.stage.world.sha256,
        "score": _share(outcome.score) if voted is not None else None,
        **(_tally(voted.tally) if voted is not None else {}),
        "checks": [_check(result) for result in voted.results] if voted is not None else [],
        "penalties": {"cost": _share(outcome.cost), "safety": _share(outcome.safety)},
        "usd": _usd([outcome]),
        "runs": [_run(outcome, run) for run in outcome.runs],
        "skipped": outcome.skipped,
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "points": [_points(tally.earned), _points(tally.possible)],
        "gate": {"reached": tally.gate_reached, "text": tally.gate_text},
        "critical": list(tally.critical),
        "categories": {
            name: {"points": [_points(row.earned), _points(row.possible)], "counted": row.counted}
            for name, row in tally.by_category.items()
        },
    }


def _check(result: VotedResult) -> dict[str, Any]:
    tenths = result.earned_tenths
    earned = Fraction(tenths, 10) if tenths is not None else Fraction(result.points if result.passed else 0)
    return {
        "id": result.id,
        "type": result.type,
        "category": result.category,
        "severity": result.severity,
        "passed": result.passed,
        "points": [_points(earned), _points(Fraction(result.points))],
        "votes": list(result.votes),
        "reason": result.reason,
    }


def _run(outcome: StageOutcome, run: RunOutcome) -> dict[str, Any]:
    return {
        "index": run.index,
        "status": run.status,
        "fault": run.fault,
        "score": _share(run.score),
        "tool_calls": run.tool_calls,
        "turns": run.turns,
        "penalties": {"cost": _share(run.cost), "safety": _share(run.safety)},
        "tokens": {
            "prompt": run.prompt_tokens,
            "completion": run.completion_tokens,
            "cached": run.cached_tokens,
            "reasoning": run.reasoning_tokens,
        },
        "usd": _dollars(outcome.paid(run)),
        "prevented": [_effect(effect) for effect in run.effects if effect.status != "done"],
        "happened": [_effect(effect) for effect in run.effects if effect.status == "done"],
        "critical": [result.id for result in run.results if result.severity == "critical" and not result.passed],
    }


def _effect(effect: Effect) -> dict[str, str]:
    return {"kind": effect.kind, "target": effect.target, "status": effect.status}


def _usd(outcomes: Sequence[StageOutcome]) -> str | None:
    """What all runs of ``outcomes`` cost, if their price is known."""
    total = Fraction(0)
    for outcome in outcomes:
        paid = outcome.paid()
        if paid is None:
            return None
        total += paid
    return _dollars(total)


def _dollars(micro: Fraction | None) -> str | None:
    """Dollars as decimal text with eight places."""
    return None if micro is None else decimal(micro / 1_000_000, 8)


def _points(points: Fraction) -> int | float:
    return points.numerator if points.denominator == 1 else float(points)


def _share(share: Fraction) -> float:
    """A share as a JSON number with at most six places."""
    return round(float(share), 6)
