"""What a red team found, in the terminal: agents against their bars, then the checks that gave points away."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..redteam import AgentFinding, RedTeamFinding
from ..redteam.trial import Watch
from ..tally import number
from .plain import decimal, printable

_MOST_CHECKS = 6
_MOST_COMPAT = 2
"""Agents whose gains are listed for a public scenario: those that do least."""


def print_red_team(finding: RedTeamFinding) -> None:
    """Prints one scenario's table; 80 columns are enough."""
    console = Console(highlight=False, soft_wrap=False)
    title = Text(printable(finding.scenario), style="bold")
    title.append(f"  red team over {_seeds(len(finding.seeds))}", style="dim")
    if finding.compat:
        title.append("  compat", style="yellow")
    console.print(title)
    console.print(_table(finding))
    lowest = min(finding.careful)
    console.print(
        Text(
            f"for comparison, runs that do the work (careful, offline): mean {decimal(_mean(finding))}, "
            f"lowest {decimal(lowest)}",
            style="dim",
        )
    )
    above = [agent for agent in finding.agents if agent.above]
    for agent in above[:_MOST_COMPAT] if finding.compat else above:
        _print_giveaways(console, agent, len(finding.seeds))
    console.print(_verdict(finding))


def _mean(finding: RedTeamFinding) -> Fraction:
    return sum(finding.careful, Fraction(0)) / len(finding.careful)


def _seeds(count: int) -> str:
    return f"{count} seed{'' if count == 1 else 's'}"


def _table(finding: RedTeamFinding) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    table.add_column("agent", no_wrap=True, width=10)
    for name in ("bar", "worst", "mean"):
        table.add_column(name, justify="right", no_wrap=True, width=5)
    table.add_column("its best way", overflow="ellipsis", no_wrap=True, ratio=1)
    for agent in finding.agents:
        style = "dim" if finding.compat else "red" if agent.above else "green"
        if finding.compat and agent.above:
            style = "yellow"
        way = f"seed {agent.worst.seed}: {agent.worst.attempt}" if agent.worst.score else agent.does
        table.add_row(
            Text(agent.agent, style="bold" if agent.above else ""),
            decimal(agent.bar),
            Text(decimal(agent.worst.score), style=style),
            decimal(agent.mean),
            Text(printable(way), style="" if agent.above else "dim"),
        )
    return table


def _print_giveaways(console: Console, agent: AgentFinding, seeds: int) -> None:
    """One line for each of the costliest checks of an agent above its bar."""
    console.print(Text(f"{agent.agent} was given, on its best way", style="bold"))
    for gave in agent.giveaways[:_MOST_CHECKS]:
        often = f"{gave.seeds:>3} of {_seeds(seeds)}"
        console.print(f"  {number(gave.points):>4} points  {often}  {printable(gave.check)}")
    left = len(agent.giveaways) - _MOST_CHECKS
    if left > 0:
        console.print(Text(f"  and {left} more: --json lists them", style="dim"))


def _verdict(finding: RedTeamFinding) -> Text:
    if finding.compat:
        said = "no bars: what does no work earns points under a public rubric, and nothing in it can stop that"
        return Text(f"{said}\n", style="yellow")
    if not finding.broken:
        return Text("every bar holds\n", style="bold green")
    names = ", ".join(agent.agent for agent in finding.broken)
    return Text(f"above the bar: {names}\n", style="bold red")


@contextmanager
def watched(name: str, show: bool) -> Iterator[Watch | None]:
    """While inside, shows on standard error how many seeds of a scenario are done, if that is a terminal."""
    if not show or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn(f"attacking {printable(name, 40)}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
