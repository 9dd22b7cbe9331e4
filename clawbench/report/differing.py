"""Two benches side by side: checks that changed, and where runs part."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ..parting import paired, parting
from ..recorded import RecordedRun
from ..trajectory import read_trajectory
from .plain import PATTERN, decimal, printable


def differences(a: list[RecordedRun], b: list[RecordedRun]) -> dict[str, Any]:
    """What differs, as a JSON object: per scenario and pack the scores, the checks that changed, and each pair of
    runs with the step at which they part."""
    return {
        "stages": [
            {
                "scenario": scenario,
                "pack": pack,
                "score": [_mean(left), _mean(right)],
                "checks": _changed(left, right),
                "runs": _pairs(left, right),
            }
            for (scenario, pack), (left, right) in paired(a, b).items()
        ]
    }


def _mean(runs: Sequence[RecordedRun]) -> str | None:
    """The mean of the runs' own scores, which is no voted score; ``None`` without any."""
    scores = [run.score for run in runs if run.score is not None]
    return decimal(sum(scores, Fraction(0)) / len(scores), 4) if scores else None


def _changed(a: Sequence[RecordedRun], b: Sequence[RecordedRun]) -> list[dict[str, Any]]:
    """The checks whose share of passing runs is another: votes on both sides, and a reason of the losing one."""
    found = []
    left = [run for run in a if run.checks]
    right = [run for run in b if run.checks]
    names = dict.fromkeys(check for run in (*left, *right) for check in run.checks)
    for check in names:
        votes = [[run.checks[check][0] for run in side if check in run.checks] for side in (left, right)]
        shares = [Fraction(sum(side), len(side)) if side else None for side in votes]
        if shares[0] == shares[1]:
            continue
        worse = left if shares[1] is not None and (shares[0] is None or shares[0] < shares[1]) else right
        reason = next((run.checks[check][1] for run in worse if check in run.checks and not run.checks[check][0]), "")
        passed = [None if share is None else share > Fraction(1, 2) for share in shares]
        found.append(
            {
                "check": check,
                "passed": passed,
                "votes": [f"{sum(side)}/{len(side)}" for side in votes],
                "reason": reason,
            }
        )
    return found


def _pairs(a: Sequence[RecordedRun], b: Sequence[RecordedRun]) -> list[dict[str, Any]]:
    """Runs of the same number on both sides, or the only one of each."""
    others = {run.index: run for run in b}
    pairs = [(run, others[run.index]) for run in a if run.index in others]
    if not pairs and len(a) == len(b) == 1:
        pairs = [(a[0], b[0])]
    found = []
    for one, other in pairs:
        met = parting(read_trajectory(one.path), read_trajectory(other.path))
        found.append(
            {
                "run": one.index,
                "step": met.step,
                "what": met.what,
                "a": met.a,
                "b": met.b,
                "same_start": met.same_start,
            }
        )
    return found


def print_differences(found: dict[str, Any], a: str, b: str) -> None:
    """Prints :func:`differences`; A and B are named first."""
    console = Console(highlight=False)
    for letter, place in (("A", a), ("B", b)):
        console.print(Text.assemble((letter, "bold"), f"  {printable(place, 1000)}"), soft_wrap=True)
    for stage in found["stages"]:
        _print_stage(console, stage)


def _print_stage(console: Console, stage: dict[str, Any]) -> None:
    console.print()
    title = Text(printable(stage["scenario"], 60), style="bold")
    title.append(f"  {printable(stage['pack'], 120)}", "bold cyan")
    one, other = (score or "none" for score in stage["score"])
    title.append(f"  mean score of a run {one} → {other}", "dim")
    console.print(title)
    if not stage["checks"]:
        console.print(Padding(Text("no check changed", style="dim"), (0, 0, 0, 2)))
    for change in sorted(stage["checks"], key=lambda change: change["passed"][0] == change["passed"][1]):
        before, after = change["passed"]
        kept = before == after
        mark, style = ("~", "dim") if kept else ("✓", "green") if after else ("✗", "red")
        line = Text(f"{mark} {printable(change['check'], 60)}", style=style)
        line.append(f"  {change['votes'][0]} → {change['votes'][1]}", "bold")
        reason = PATTERN.sub("the answer does not say it", printable(change["reason"]))
        line.append(f"  {reason}" if reason else "", "dim")
        console.print(Padding(line, (0, 0, 0, 2)))
    if not all(pair["same_start"] for pair in stage["runs"]):
        said = "they begin differently: another pack, other facts or another scenario"
        console.print(Padding(Text(said, style="yellow"), (0, 0, 0, 2)))
    for pair in stage["runs"]:
        if pair["step"] is None:
            line = Text(f"run {pair['run']}: the same steps", style="dim")
            console.print(Padding(line, (0, 0, 0, 2)))
            continue
        what = {"action": "part", "result": "are answered differently", "end": "end at different steps"}[pair["what"]]
        line = Text(f"run {pair['run']}: they {what} at step {pair['step']}", style="bold")
        console.print(Padding(line, (0, 0, 0, 2)))
        for letter in ("a", "b"):
            console.print(Padding(Text(f"{letter.upper()}  {printable(pair[letter], 150)}"), (0, 0, 0, 4)))
