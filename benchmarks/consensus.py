"""How often two honest validators agree on the winner, by simulation: per-check noise against runs, miners and rules.

``python -m benchmarks.consensus`` writes the tables and plots of docs/consensus.md; ``python -m benchmarks consensus``
prints the numbers. Floats are welcome here: nothing that is paid comes from this file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.plots import line_plot, replaced
from clawbench.scenario import load_scenario
from trajectoryrl.protocol import library, parameters

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOISE = (0.01, 0.02, 0.05, 0.1)
RUNS = (3, 5, 7)
MINERS = (10, 50, 256)
_TINY = 1e-9
_CHUNK = 100
BANDS = ((0.05, 0.9, 1.0), (0.15, 0.8, 0.9), (0.3, 0.7, 0.8), (0.35, 0.5, 0.7), (0.15, 0.0, 0.5))
"""Share of packs, and the range of their chance to pass a check: the founding text's bands of scores."""


@dataclass(frozen=True)
class Rubrics:
    """Four scenarios' checks in one row: points by scenario (scenarios x checks), gate, criticals, weights."""

    points: Floats
    gated: Floats
    needed: Floats
    critical: Bools
    weights: Floats

    def exact(self, passed: Bools) -> Floats:
        """Exact scores of (..., checks): gate, critical failures, mean - rho * variance."""
        rho = float(parameters().reliability_weight)
        given = passed.astype(np.float64)
        gate = given @ self.gated.T
        earned = np.where(gate >= self.needed - _TINY, given @ self.points.T, gate)
        share = earned / self.points.sum(axis=1)
        mean = share @ self.weights
        variance = ((share - mean[..., None]) ** 2) @ self.weights
        failed = (~passed & self.critical).any(axis=-1)
        found: Floats = np.where(failed, 0.0, np.clip(mean - rho * variance, 0, 1))
        return found


def rubrics(left_out: int = 0) -> Rubrics:
    """The real rubrics of the pool, but for one scenario."""
    names = [name for i, name in enumerate(parameters().scenario_pool) if i != left_out]
    scenarios = [load_scenario(library() / "scenarios" / f"{name}.yaml") for name in names]
    total = sum(len(scenario.checks) for scenario in scenarios)
    points, gated = np.zeros((len(names), total)), np.zeros((len(names), total))
    critical = np.zeros(total, dtype=bool)
    needed, at = [], 0
    for row, scenario in enumerate(scenarios):
        for check in scenario.checks:
            points[row, at] = float(check.points)  # type: ignore[union-attr]
            gated[row, at] = points[row, at] if check.category == scenario.gate.category else 0  # type: ignore
            critical[at] = check.severity == "critical"  # type: ignore[union-attr]
            at += 1
        needed.append(float(scenario.gate.at_least) * gated[row].sum())  # type: ignore[union-attr]
    weights = np.array([float(scenario.weight) for scenario in scenarios])
    return Rubrics(points, gated, np.array(needed), critical, weights / weights.sum())


def wrong(p: float, runs: int) -> float:
    """The chance that a vote of ``runs`` differs from the truth if each run does with chance ``p``."""
    return sum(comb(runs, k) * p**k * (1 - p) ** (runs - k) for k in range(runs // 2 + 1, runs + 1))


def ours(exact: Floats) -> Ints:
    """The winner's index in each row, -1 for none: the champion chain of docs/protocol.md."""
    given = parameters()
    margin, least = float(given.margin), float(given.minimum_score)
    steps = grid_steps(exact)
    rows = np.arange(len(exact))
    winner = np.full(len(exact), -1)
    for i in range(exact.shape[1]):
        best = exact[rows, winner]
        takes = (winner < 0) | (
            (steps[:, i] > steps[rows, winner]) & (exact[:, i] >= best + np.minimum(margin, 1 - best) - _TINY)
        )
        winner = np.where(takes & (exact[:, i] >= least - _TINY), i, winner)
    return winner


def meets(exact: Floats) -> Ints:
    """The founding text, read as its example does: a later grid score of champion + delta dethrones.

    With q = delta that is the best grid score, equal ones to the earliest; epsilon has no effect on a grid.
    """
    steps = grid_steps(exact)
    return np.where(steps.max(axis=1) >= grid_steps(np.array(0.3)), steps.argmax(axis=1), -1)


def beats(exact: Floats) -> Ints:
    """The founding text, read as its formula does: strictly more than champion + delta, on the grid."""
    steps = grid_steps(exact)
    rows = np.arange(len(exact))
    winner = np.full(len(exact), -1)
    for i in range(exact.shape[1]):
        takes = (winner < 0) | (steps[:, i] >= steps[rows, winner] + 2)
        winner = np.where(takes & (steps[:, i] >= 6), i, winner)
    return winner


RULES: dict[str, Callable[[Floats], Ints]] = {"ours": ours, "literal, meets": meets, "literal, beats": beats}


def grid_steps(exact: Floats) -> Ints:
    """Whole steps of the grid, halves up."""
    found: Ints = np.floor(exact * parameters().steps + 0.5 + _TINY).astype(np.int64)
    return found


def packs(rng: np.random.Generator, trials: int, miners: int, rubric: Rubrics, clones: float) -> Bools:
    """What each check of each pack truly is (trials x miners x checks); rewritten copies of the best follow it."""
    shares = [share for share, _, _ in BANDS]
    band = rng.choice(len(BANDS), size=(trials, miners), p=shares)
    low, high = (np.array([row[side] for row in BANDS])[band] for side in (1, 2))
    quality = low + (high - low) * rng.random((trials, miners))
    truth = rng.random((trials, miners, len(rubric.critical))) < quality[..., None]
    truth |= rubric.critical & (band != len(BANDS) - 1)[..., None]
    if clones:
        best = rubric.exact(truth).argmax(axis=1)
        copies = rng.random((trials, miners)) < clones
        copies &= np.arange(miners) > best[:, None]
        truth = np.where(copies[..., None], truth[np.arange(trials), best][:, None, :], truth)
    return truth


def seen(rng: np.random.Generator, truth: Bools, rubric: Rubrics, error: float, steady: bool) -> Floats:
    """The exact scores that one validator finds; ``steady``: critical checks are without noise."""
    flips = rng.random(truth.shape, dtype=np.float32) < error
    if steady:
        flips &= ~rubric.critical
    return rubric.exact(truth ^ flips)


def agreement(p: float, runs: int, miners: int, clones: float, steady: bool, trials: int) -> dict[str, Any]:
    """By rule: how often two validators name the same winner, and what the winner lacks of the best score."""
    rng = np.random.default_rng([11, runs, miners, int(1000 * p), int(100 * clones), steady])
    same = dict.fromkeys(RULES, 0)
    lost = dict.fromkeys(RULES, 0.0)
    error = wrong(p, runs)
    done = 0
    while done < trials:
        rubric = rubrics_cached(done // _CHUNK % 5)
        truth = packs(rng, _CHUNK, miners, rubric, clones)
        true = rubric.exact(truth)
        one, two = (seen(rng, truth, rubric, error, steady) for _ in range(2))
        for name, rule in RULES.items():
            first = rule(one)
            same[name] += int((first == rule(two)).sum())
            won = np.where(first >= 0, true[np.arange(_CHUNK), first], 0)
            lost[name] += float((true.max(axis=1) - won).sum())
        done += _CHUNK
    return {name: {"same": round(same[name] / done, 4), "behind_best": round(lost[name] / done, 4)} for name in RULES}


def dethroned(p: float, runs: int, equals: int, trials: int) -> dict[str, float]:
    """By rule: how often noise gives the throne of a champion to one of ``equals`` later packs just as good."""
    rng = np.random.default_rng([13, runs, equals, int(1000 * p)])
    fallen = dict.fromkeys(RULES, 0)
    for number in range(trials // _CHUNK):
        rubric = rubrics_cached(number % 5)
        quality = 0.75 + 0.25 * rng.random((_CHUNK, 1, 1))
        king = rng.random((_CHUNK, 1, len(rubric.critical))) < quality
        truth = np.repeat(king | rubric.critical, equals + 1, axis=1)
        exact = seen(rng, truth, rubric, wrong(p, runs), False)
        for name, rule in RULES.items():
            fallen[name] += int((rule(exact) > 0).sum())
    return {name: round(count / (trials // _CHUNK * _CHUNK), 4) for name, count in fallen.items()}


def runs_made(p: float, runs: int, trials: int = 4000) -> float:
    """Runs that a scenario needs on average if those that can change no vote are skipped."""
    rng = np.random.default_rng([17, runs, int(1000 * p)])
    checks = len(rubrics_cached(0).critical) // 4
    wrongs = (rng.random((trials, runs, checks)) < p).cumsum(axis=1)
    made = np.arange(1, runs + 1)[None, :, None]
    decided = (2 * wrongs > runs) | (2 * (made - wrongs) > runs)
    return round(float((decided.all(axis=2).argmax(axis=1) + 1).mean()), 3)


_KNOWN: dict[int, Rubrics] = {}


def rubrics_cached(left_out: int) -> Rubrics:
    """The rubrics, read once."""
    if left_out not in _KNOWN:
        _KNOWN[left_out] = rubrics(left_out)
    return _KNOWN[left_out]


def consensus(trials: int = 2000) -> dict[str, Any]:
    """Every number of docs/consensus.md; trials of 256 miners are a quarter of ``trials``."""
    found: dict[str, Any] = {"trials": trials, "agreement": [], "dethroned": [], "runs": []}
    for p in NOISE:
        for n in RUNS:
            found["runs"].append({"p": p, "N": n, "wrong": round(wrong(p, n), 6), "made": runs_made(p, n)})
            for equals in (1, 9):
                row = {"p": p, "N": n, "equals": equals, **dethroned(p, n, equals, 4 * trials)}
                found["dethroned"].append(row)
            for miners in MINERS:
                for clones, steady in ((0.0, False), (0.2, False), (0.0, True)):
                    count = trials // 4 if miners > 100 else trials
                    row = {"p": p, "N": n, "miners": miners, "clones": clones, "steady": steady}
                    found["agreement"].append({**row, "rules": agreement(p, n, miners, clones, steady, count)})
    return found


def tables(found: dict[str, Any]) -> dict[str, str]:
    """The tables of the page, by their mark."""
    rows = found["agreement"]

    def same(clones: float, steady: bool) -> str:
        lines = ["| Miners | p | " + " | ".join(f"N = {n}" for n in RUNS) + " |", "|---|---|" + "---|" * len(RUNS)]
        for miners in MINERS:
            for p in NOISE:
                cells = []
                for n in RUNS:
                    wanted = (p, n, miners, clones, steady)
                    row = next(r for r in rows if (r["p"], r["N"], r["miners"], r["clones"], r["steady"]) == wanted)
                    cells.append(" / ".join(f"{row['rules'][name]['same']:.3f}" for name in RULES))
                lines.append(f"| {miners} | {p} | " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"

    throne = ["| Equals | p | " + " | ".join(f"N = {n}" for n in RUNS) + " |", "|---|---|" + "---|" * len(RUNS)]
    for equals in (1, 9):
        for p in NOISE:
            cells = []
            for n in RUNS:
                row = next(r for r in found["dethroned"] if (r["p"], r["N"], r["equals"]) == (p, n, equals))
                cells.append(" / ".join(f"{100 * row[name]:.1f}" for name in RULES))
            throne.append(f"| {equals} | {p} | " + " | ".join(cells) + " |")
    price = ["| p | " + " | ".join(f"N = {n}" for n in RUNS) + " |", "|---|" + "---|" * len(RUNS)]
    for p in NOISE:
        cells = []
        for n in RUNS:
            row = next(r for r in found["runs"] if (r["p"], r["N"]) == (p, n))
            cells.append(f"{row['wrong']:.2g}, {row['made']:.2f} runs")
        price.append(f"| {p} | " + " | ".join(cells) + " |")
    behind = ["| Miners | p | " + " | ".join(RULES) + " |", "|---|---|" + "---|" * len(RULES)]
    for miners in MINERS:
        for p in NOISE:
            row = next(
                r for r in rows if (r["p"], r["N"], r["miners"], r["clones"], r["steady"]) == (p, 3, miners, 0.0, False)
            )
            behind.append(
                f"| {miners} | {p} | " + " | ".join(f"{row['rules'][n]['behind_best']:.3f}" for n in RULES) + " |"
            )
    return {
        "same": same(0.0, False),
        "clones": same(0.2, False),
        "steady": same(0.0, True),
        "dethroned": "\n".join(throne) + "\n",
        "price": "\n".join(price) + "\n",
        "behind": "\n".join(behind) + "\n",
    }


def write(root: Path, found: dict[str, Any]) -> None:
    """Brings docs/consensus.md and its plots up to date."""
    page = root / "docs" / "consensus.md"
    page.write_text(replaced(page.read_text(encoding="utf-8"), tables(found)), encoding="utf-8")
    rows = found["agreement"]
    panels: dict[str, dict[str, list[float]]] = {}
    for miners in MINERS:
        lines: dict[str, list[float]] = {}
        for n, name in ((3, "ours"), (5, "ours"), (7, "ours"), (3, "literal, meets"), (3, "literal, beats")):
            wanted = [r for r in rows if (r["N"], r["miners"], r["clones"], r["steady"]) == (n, miners, 0.0, False)]
            lines[f"{name}, N = {n}"] = [r["rules"][name]["same"] for r in wanted]
        panels[f"{miners} miners"] = lines
    labels = [str(p) for p in NOISE]
    plot = line_plot("Two validators name the same winner", "noise p of a check in one run", labels, panels)
    (root / "docs" / "consensus-winner.svg").write_text(plot, encoding="utf-8")
    panels = {}
    for equals in (1, 9):
        thrones = [r for r in found["dethroned"] if r["equals"] == equals]
        panels[f"{equals} equal challenger{'s' if equals > 1 else ''}"] = {
            f"{name}, N = {n}": [r[name] for r in thrones if r["N"] == n]
            for n, name in ((3, "ours"), (5, "ours"), (7, "ours"), (3, "literal, meets"), (3, "literal, beats"))
        }
    plot = line_plot("Noise dethrones an equal champion", "noise p of a check in one run", labels, panels)
    (root / "docs" / "consensus-throne.svg").write_text(plot, encoding="utf-8")


if __name__ == "__main__":
    result = consensus(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
    write(Path(__file__).parent.parent, result)
    print(json.dumps(result, indent=1))
