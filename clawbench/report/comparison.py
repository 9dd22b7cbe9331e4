"""Packs side by side: their scores on every scenario, then the checks that separate them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..bench import StageOutcome, weighted_mean
from ..tally import number
from .plain import decimal, printable
from .separating import by_pack, by_scenario, separating

_NAME = 24
"""Columns of a scenario's or check's name."""
_PACK = 14
"""The most columns of one pack."""


def print_comparison(console: Console, outcomes: Sequence[StageOutcome]) -> None:
    """Prints a column for each pack and a row for each scenario, then a row for each check that separates packs.

    As many packs stand side by side as the width allows; the others follow in blocks of their own. Critical
    failures, unreached gates and undecided votes are named in sentences below the scores.
    """
    packs = by_pack(outcomes)
    scenarios = by_scenario(outcomes)
    blocks = _blocks(list(packs), console.width)
    console.print()
    console.print(_title(outcomes, len(packs), len(scenarios)))
    for block in blocks:
        console.print(_scores(block, packs, scenarios))
    _print_legend(console, outcomes)
    for label, found in packs.items():
        _print_faults(console, label, found)
    differing = separating(outcomes)
    console.print()
    if not differing:
        console.print(Text("No check separates these packs.", style="dim"))
        return
    console.print(Text("Which checks separate them", style="bold"))
    for block in blocks:
        table = _table(block)
        scenario = ""
        for check in differing:
            if check.scenario != scenario:
                scenario = check.scenario
                table.add_row(Text(printable(scenario, _NAME), style="bold"))
            name = Text(f"  {printable(check.check, _NAME - 4)}")
            name.append(" !" if check.critical else "", style="dim")
            table.add_row(name, *(_mark(check.by_pack.get(label)) for label in block))
        console.print(table)


def _title(outcomes: Sequence[StageOutcome], packs: int, scenarios: int) -> Text:
    first = outcomes[0]
    line = Text(f"{packs} packs on {scenarios} scenario{'s' if scenarios > 1 else ''}", style="bold")
    line.append(f"  seed {printable(first.stage.seed, 20)}, {first.asked} runs, {first.model.name}", style="dim")
    if first.model.simulated:
        line.append("  simulated", style="yellow")
    if any(outcome.stage.scenario.compat for outcome in outcomes):
        line.append("  compat", style="yellow")
    return line


def _blocks(labels: list[str], width: int) -> list[list[str]]:
    """The labels in order, as many together as stand beside a name."""
    blocks: list[list[str]] = [[]]
    left = width - _NAME
    for label in labels:
        needed = _columns(label) + 2
        if needed > left and blocks[-1]:
            blocks.append([])
            left = width - _NAME
        blocks[-1].append(label)
        left -= needed
    return blocks


def _columns(label: str) -> int:
    return max(5, min(len(printable(label, _PACK)), _PACK))


def _table(labels: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold cyan")
    table.add_column("", no_wrap=True, width=_NAME - 2)
    for label in labels:
        table.add_column(Text(printable(label, _PACK)), no_wrap=True, width=_columns(label))
    return table


def _scores(
    labels: Sequence[str],
    packs: Mapping[str, Sequence[StageOutcome]],
    scenarios: Mapping[str, Mapping[str, StageOutcome]],
) -> Table:
    table = _table(labels)
    for scenario, stages in scenarios.items():
        table.add_row(Text(printable(scenario, _NAME - 2)), *(_score(stages.get(label)) for label in labels))
    if len(scenarios) > 1:
        means = [Text(decimal(weighted_mean(packs[label])), style="bold") for label in labels]
        table.add_row(Text("all, by weight", style="bold"), *means)
    return table


def _score(outcome: StageOutcome | None) -> Text:
    """A score and why it is low: ``!`` for a critical failure, ``<`` below the gate."""
    if outcome is None:
        return Text("–", style="dim")
    if outcome.voted is None:
        return Text("?", style="bold yellow")
    tally = outcome.voted.tally
    if tally.critical:
        return Text(f"{decimal(outcome.score)}!", style="bold red")
    if tally.gate_reached is False:
        return Text(f"{decimal(outcome.score)}<", style="red")
    return Text(decimal(outcome.score), style="green")


def _mark(passed: bool | None) -> Text:
    if passed is None:
        return Text("·", style="dim")
    return Text("✓", style="green") if passed else Text("✗", style="red")


def _print_legend(console: Console, outcomes: Sequence[StageOutcome]) -> None:
    tallies = [outcome.voted.tally for outcome in outcomes if outcome.voted is not None]
    meanings = []
    if any(tally.critical for tally in tallies):
        meanings.append("! a critical check failed: 0")
    if any(tally.gate_reached is False and not tally.critical for tally in tallies):
        meanings.append("< below the gate: nothing else counts")
    if len(tallies) < len(outcomes):
        meanings.append("? undecided")
    if meanings:
        console.print(Text("   ".join(meanings), style="dim"))


def _print_faults(console: Console, label: str, outcomes: Sequence[StageOutcome]) -> None:
    """What zeroed a pack, where, and what left it below the gate or undecided; nothing if there is none of it."""
    below = []
    name = printable(label, 40)
    for outcome in outcomes:
        stage, voted = outcome.stage, outcome.voted
        where = f"{name} on {printable(stage.scenario.name, 40)}"
        if voted is None:
            faults = dict.fromkeys(printable(run.fault) for run in outcome.infra)
            console.print(Text(f"undecided  {where}: {'; '.join(faults)}", style="yellow"))
            continue
        reasons = {result.id: result.reason for result in voted.results}
        for check in voted.tally.critical:
            console.print(Text(f"critical  {where}: {check}: {reasons.get(check, '')}", style="bold red"))
        if voted.tally.gate_reached is False and stage.rubric.gate is not None:
            row = voted.tally.by_category[stage.rubric.gate.category]
            points = f"{number(row.earned)}/{number(row.possible)}"
            below.append(f"{printable(stage.scenario.name, 40)} {points}")
    if below:
        console.print(Text(f"below the gate  {name}: {', '.join(below)}", style="red"))
