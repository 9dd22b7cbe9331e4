"""Packs side by side: their scores on every scenario, then the checks that separate them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..bench import StageOutcome, weighted_mean
from ..tally import number
from .plain import decimal, printable
from .separating import Separating, by_pack, by_scenario, separating

_NAME = 30
"""The most columns of a scenario's or check's name."""
_PACK = 14
"""The most columns of one pack."""
_REASON = 100


def print_comparison(console: Console, outcomes: Sequence[StageOutcome]) -> None:
    """Prints a column for each pack and a row for each scenario, then a row for each check that separates packs.

    As many packs stand side by side as the width allows; the others follow in blocks of their own. Critical
    failures, unreached gates and undecided votes are named in sentences below the scores.
    """
    packs = by_pack(outcomes)
    scenarios = by_scenario(outcomes)
    differing = separating(outcomes)
    names = [*scenarios, "all, by weight", *(f"  {found.check} !" for found in differing)]
    first = min(max(map(len, names)), _NAME)
    blocks = _blocks(list(packs), console.width - first - 2)
    console.print()
    console.print(_title(outcomes, len(packs), len(scenarios)))
    for block in blocks:
        console.print(_scores(block, first, packs, scenarios))
    console.print(_faults(packs))
    console.print()
    if not differing:
        console.print(Text("No check separates these packs.", style="dim"))
        return
    console.print(Text("Which checks separate them", style="bold"))
    for block in blocks:
        console.print(_votes(block, first, differing))


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
    """The labels in order, as many together as stand side by side in ``width`` columns."""
    blocks: list[list[str]] = [[]]
    left = width
    for label in labels:
        needed = _columns(label) + 2
        if needed > left + 2 and blocks[-1]:
            blocks.append([])
            left = width
        blocks[-1].append(label)
        left -= needed
    return blocks


def _columns(label: str) -> int:
    return max(5, min(len(printable(label, _PACK)), _PACK))


def _table(labels: Sequence[str], first: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold cyan")
    table.add_column("", no_wrap=True, width=first)
    for label in labels:
        table.add_column(Text(printable(label, _PACK)), no_wrap=True, width=_columns(label))
    return table


def _scores(
    labels: Sequence[str],
    first: int,
    packs: Mapping[str, Sequence[StageOutcome]],
    scenarios: Mapping[str, Mapping[str, StageOutcome]],
) -> Table:
    table = _table(labels, first)
    for scenario, stages in scenarios.items():
        table.add_row(Text(printable(scenario, first)), *(_score(stages.get(label)) for label in labels))
    if len(scenarios) > 1:
        means = [Text(decimal(weighted_mean(packs[label])), style="bold") for label in labels]
        table.add_row(Text("all, by weight", style="bold"), *means)
    return table


def _votes(labels: Sequence[str], first: int, differing: Sequence[Separating]) -> Table:
    table = _table(labels, first)
    scenario = ""
    for check in differing:
        if check.scenario != scenario:
            scenario = check.scenario
            table.add_row(Text(printable(scenario, first), style="bold"))
        name = Text(f"  {printable(check.check, first - 4)}")
        name.append(" !" if check.critical else "", style="dim")
        table.add_row(name, *(_mark(check.by_pack.get(label)) for label in labels))
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


def _faults(packs: Mapping[str, Sequence[StageOutcome]]) -> Table:
    """What the marks beside scores mean, then for each pack what zeroed it, what lies below a gate, what is open."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    tallies = [outcome.voted.tally if outcome.voted else None for found in packs.values() for outcome in found]
    if any(tally and tally.critical for tally in tallies):
        table.add_row("!", Text("a critical check failed: the score is 0", style="dim"))
    if any(tally and tally.gate_reached is False and not tally.critical for tally in tallies):
        table.add_row("<", Text("below the gate: points of other categories do not count", style="dim"))
    if None in tallies:
        table.add_row("?", Text("undecided: too few runs completed to settle every vote", style="dim"))
    for label, found in packs.items():
        for words, style in _sentences(found):
            table.add_row("", Text(f"{printable(label, 40)}: {words}", style=style))
    return table


def _sentences(outcomes: Sequence[StageOutcome]) -> Iterator[tuple[str, str]]:
    """A pack's faults with the style to show them in."""
    below = []
    for outcome in outcomes:
        scenario, voted = printable(outcome.stage.scenario.name, 40), outcome.voted
        if voted is None:
            reasons = dict.fromkeys(printable(run.fault, _REASON) for run in outcome.infra)
            yield f"undecided on {scenario}: {'; '.join(reasons)}", "yellow"
            continue
        for result in voted.results:
            if result.id in voted.tally.critical:
                yield f"critical on {scenario}: {result.id}: {printable(result.reason, _REASON)}", "bold red"
        gate = outcome.stage.rubric.gate
        if gate is not None and voted.tally.gate_reached is False:
            row = voted.tally.by_category[gate.category]
            below.append(f"{scenario} {number(row.earned)}/{number(row.possible)}")
    if below:
        yield f"gate not reached: {', '.join(below)}", "red"
