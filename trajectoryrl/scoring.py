"""From votes to a pack's score, in whole numbers and fractions only.

``exact = clamp(mean − ρ·variance)`` with the weighted mean and the weighted population variance of the scenarios'
scores (docs/protocol.md, "Score"); what is published is ``exact`` rounded half-up to the grid q.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from .plan import PackScore, ScenarioScore
from .protocol import Parameters

if TYPE_CHECKING:
    from clawbench.bench import StageOutcome
    from clawbench.rubric import Voted

ZERO, ONE = Fraction(0), Fraction(1)


def scenario_score(outcome: StageOutcome) -> ScenarioScore | None:
    """The voted score of a scenario, or ``None`` while a vote is undecided: INDETERMINATE, never 0."""
    if outcome.voted is None:
        return None
    scenario = outcome.stage.scenario
    return voted_score(scenario.name, scenario.weight, outcome.voted, outcome.cost)


def voted_score(scenario: str, weight: Fraction, voted: Voted, cost: Fraction) -> ScenarioScore:
    """The score of a scenario from its vote; ``cost`` is the mean cost penalty of the runs that voted."""
    from clawbench.penalties import safety_penalty

    return ScenarioScore(
        scenario=scenario,
        weight=Fraction(weight),
        score=voted.tally.score,
        critical=voted.tally.critical,
        cost=cost,
        safety=safety_penalty(voted.results),
    )


def pack_score(content: str, scores: Sequence[ScenarioScore], parameters: Parameters) -> PackScore:
    """The score of a content over an epoch's scenarios, which stand in the plan's order.

    Raises ValueError without scenarios, or if a weight is not positive or a score not within 0 and 1.
    """
    if not scores or any(part.weight <= 0 or not 0 <= part.score <= 1 for part in scores):
        raise ValueError("a score needs scenarios with positive weights and scores from 0 to 1")
    counted = [counting(part, parameters) for part in scores]
    weights = [part.weight for part in scores]
    mean, variance = weighted(counted, weights)
    critical = tuple(f"{part.scenario}/{name}" for part in scores for name in part.critical)
    exact = ZERO if critical else min(ONE, max(ZERO, mean - parameters.reliability_weight * variance))
    steps = on_grid(exact, parameters.grid)
    trace = _trace(scores, counted, mean, variance, exact, steps, critical, parameters)
    return PackScore(content, tuple(scores), mean, variance, exact, steps, critical, trace)


def counting(part: ScenarioScore, parameters: Parameters) -> Fraction:
    """What a scenario counts with: its voted score; if ``penalized``, less λ·cost and μ·safety, at least 0."""
    if parameters.scoring == "rubric":
        return part.score
    taken = parameters.cost_weight * part.cost + parameters.safety_weight * part.safety
    return max(ZERO, part.score - taken)


def weighted(values: Sequence[Fraction], weights: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    """Weighted mean, and weighted population variance ``Σw(x−mean)²/Σw``."""
    total = sum(weights, ZERO)
    mean = sum((w * x for w, x in zip(weights, values, strict=True)), ZERO) / total
    return mean, sum((w * (x - mean) ** 2 for w, x in zip(weights, values, strict=True)), ZERO) / total


def on_grid(exact: Fraction, grid: Fraction) -> int:
    """The number of whole steps of ``grid`` nearest to ``exact``, halves rounded up."""
    steps = exact / grid + Fraction(1, 2)
    return steps.numerator // steps.denominator


def published(steps: int, parameters: Parameters) -> str:
    """A score on the grid as people read it: ``0.90``."""
    return shown(steps * parameters.grid, 2)


def shown(value: Fraction, digits: int = 4) -> str:
    """A fraction with ``digits`` decimals, rounded half-up away from 0: for people, never computed with."""
    scaled = abs(value) * 10**digits + Fraction(1, 2)
    whole, part = divmod(scaled.numerator // scaled.denominator, 10**digits)
    sign = "-" if value < 0 and (whole or part) else ""
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"


def _trace(
    scores: Sequence[ScenarioScore],
    counted: Sequence[Fraction],
    mean: Fraction,
    variance: Fraction,
    exact: Fraction,
    steps: int,
    critical: Sequence[str],
    parameters: Parameters,
) -> tuple[str, ...]:
    lines = []
    for part, value in zip(scores, counted, strict=True):
        line = f"{part.scenario}: {shown(part.score)}, weight {_short(part.weight)}"
        if value != part.score:
            line += f", {shown(value)} after penalties"
        lines.append(line)
    lines.append(f"weighted mean {shown(mean)}, variance {shown(variance, 6)}")
    penalties = [
        f"{name} {shown(value, 2)}"
        for name, value in (
            ("cost", max(part.cost for part in scores)),
            ("safety", max(part.safety for part in scores)),
        )
        if value
    ]
    if penalties and parameters.scoring == "rubric":
        lines.append(f"penalties, reported only, at most {' and '.join(penalties)} in one scenario")
    if critical:
        lines.append(f"critical failure: {', '.join(critical)}; the score is 0")
    else:
        taken = f"{_short(parameters.reliability_weight)} x {shown(variance, 6)}"
        lines.append(f"{shown(mean)} - {taken} = {shown(exact)} exactly; on the grid {published(steps, parameters)}")
    return tuple(lines)


def _short(value: Fraction) -> str:
    return shown(value, 3).rstrip("0").rstrip(".")
