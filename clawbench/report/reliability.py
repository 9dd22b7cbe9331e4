"""How reliable recorded runs are: pass^N, and the checks on which runs disagree."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..recorded import RecordedRun, by_stage
from ..settling import pass_hat, runs_to_settle, vote_passes
from .plain import decimal, printable

_VOTES = (1, 3, 5)


def reliability(runs: Sequence[RecordedRun], at_least: Fraction | None) -> dict[str, Any]:
    """The object for ``runs``: per scenario and pack how many passed, pass^N, and each flaky check."""
    stages = []
    for (scenario, pack), found in by_stage(runs).items():
        voting = [run for run in found if run.checks]
        passed = sum(
            run.success if at_least is None else run.score is not None and run.score >= at_least for run in voting
        )
        scores = sorted(run.score for run in voting if run.score is not None)
        stages.append(
            {
                "scenario": scenario,
                "pack": pack,
                "simulated": any(run.simulated for run in found),
                "runs": len(voting),
                "infra": len(found) - len(voting),
                "passed": passed,
                "pass_hat": {str(k): _share(pass_hat(passed, len(voting), k)) for k in _ks(len(voting))},
                "score": {
                    "mean": _share(sum(scores, Fraction(0)) / len(scores)) if scores else None,
                    "worst": _share(scores[0]) if scores else None,
                    "best": _share(scores[-1]) if scores else None,
                },
                "unanimous": sum(_votes(voting, check) in (0, len(voting)) for check in _checks(voting)),
                "flaky": [_flaky(check, _votes(voting, check), len(voting)) for check in _disputed(voting)],
            }
        )
    return {"at_least": None if at_least is None else _share(at_least), "stages": stages}


def _ks(runs: int) -> list[int]:
    return sorted({k for k in (1, 3, 5, runs) if 1 <= k <= runs})


def _checks(runs: Sequence[RecordedRun]) -> list[str]:
    return list(dict.fromkeys(check for run in runs for check in run.checks))


def _votes(runs: Sequence[RecordedRun], check: str) -> int:
    return sum(check in run.checks and run.checks[check][0] for run in runs)


def _disputed(runs: Sequence[RecordedRun]) -> list[str]:
    return [check for check in _checks(runs) if 0 < _votes(runs, check) < len(runs)]


def _flaky(check: str, passed: int, runs: int) -> dict[str, Any]:
    share = Fraction(passed, runs)
    return {
        "check": check,
        "passed": passed,
        "runs": runs,
        "vote_passes": {str(votes): _share(vote_passes(share, votes)) for votes in _VOTES},
        "runs_to_settle": runs_to_settle(passed, runs),
    }


def _share(share: Fraction) -> float:
    return round(float(share), 6)


def print_reliability(found: dict[str, Any]) -> None:
    """Prints :func:`reliability`, readable at 80 columns."""
    console = Console(highlight=False)
    for number, stage in enumerate(found["stages"]):
        if number:
            console.print()
        _print_stage(console, stage)


def _print_stage(console: Console, stage: dict[str, Any]) -> None:
    title = Text(printable(stage["scenario"], 60), style="bold")
    title.append(f"  {printable(stage['pack'], 60)}", "bold cyan")
    title.append("  simulated" if stage["simulated"] else "", "yellow")
    console.print(title)
    if not stage["runs"]:
        console.print(Padding(Text("no run has a verdict"), (0, 0, 0, 2)))
        return
    line = Text(f"{stage['passed']} of {stage['runs']} runs pass")
    for k, share in stage["pass_hat"].items():
        line.append(f"  pass^{k} ", "dim")
        line.append(decimal(Fraction(str(share))), "bold")
    console.print(Padding(line, (0, 0, 0, 2)))
    score = stage["score"]
    if score["mean"] is not None:
        scores = [decimal(Fraction(str(score[key]))) for key in ("mean", "worst", "best")]
        said = f"score of a run: mean {scores[0]}, worst {scores[1]}, best {scores[2]}"
        console.print(Padding(Text(said, style="dim"), (0, 0, 0, 2)))
    if stage["infra"]:
        said = f"{stage['infra']} runs were ended by infrastructure and count for nothing"
        console.print(Padding(Text(said, style="yellow"), (0, 0, 0, 2)))
    if not stage["flaky"]:
        said = f"all {stage['unanimous']} checks fell the same way in every run"
        console.print(Padding(Text(said, style="dim"), (0, 0, 0, 2)))
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, max_width=28)
    for _ in range(2):
        table.add_column(justify="right", no_wrap=True)
    table.add_column()
    table.add_row(*(Text(head, style="dim") for head in ("flaky check", "passed", "vote of 3", "to settle it")))
    for flaky in sorted(stage["flaky"], key=lambda flaky: abs(2 * flaky["passed"] - flaky["runs"])):
        more = flaky["runs_to_settle"]
        table.add_row(
            Text(printable(flaky["check"], 28), style="yellow"),
            Text(f"{flaky['passed']}/{flaky['runs']}"),
            Text(f"{decimal(Fraction(str(flaky['vote_passes']['3'])) * 100, 0)} %"),
            Text(_more(more)),
        )
    console.print(Padding(table, (0, 0, 0, 2)))
    console.print(Padding(Text(f"{stage['unanimous']} checks fell the same way in every run", "dim"), (0, 0, 0, 2)))


def _more(runs: int | None) -> str:
    if runs is None:
        return "even: no number of runs"
    return f"{runs} more run{'s' if runs != 1 else ''}, if they go on like this" if runs else "settled"
