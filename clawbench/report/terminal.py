"""A bench in the terminal: per check its votes and the sentence why, then what a reader must not miss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..bench import StageOutcome, weighted_mean
from ..outcome import RunOutcome
from ..prices import dollars
from ..retrying import code_of
from ..sandbox import Effect
from ..tally import number
from ..vote import VotedResult
from .comparison import print_comparison
from .plain import PATTERN, decimal, printable, votes_text
from .separating import by_pack

_CATEGORIES = ("safety", "correctness", "efficiency", "structure")
_MAX_EFFECTS = 12
_MAX_FAULTS = 6


def print_bench(outcomes: Sequence[StageOutcome], folder: Path, quiet: bool = False, verbose: bool = False) -> None:
    """Prints every stage, then the score over all of them if there are several.

    Several packs are compared instead; ``verbose`` shows their stages, too, and ``quiet`` a line for each stage.
    """
    console = Console(highlight=False, soft_wrap=False)
    compared = len(by_pack(outcomes)) > 1 and not quiet
    for outcome in outcomes:
        if quiet:
            console.print(_headline(outcome), soft_wrap=True)
        elif verbose or not compared:
            _print_stage(console, outcome)
    if compared:
        print_comparison(console, outcomes)
    elif len(outcomes) > 1:
        _print_packs(console, outcomes)
    missing = [run for outcome in outcomes if outcome.voted is None for run in outcome.infra]
    if missing and not quiet:
        higher = " and a higher budget" if any(run.fault.startswith("BUDGET") for run in missing) else ""
        said = f"the same command with the same --out{higher} makes the runs that are missing"
        console.print(Text(said, style="yellow"))
    paid = _paid_in_all(outcomes)
    if paid is not None:
        console.print(paid)
    if not quiet:
        console.print(Text(f"runs kept in {printable(str(folder), 1000)}", style="dim"), soft_wrap=True)


def _print_stage(console: Console, outcome: StageOutcome) -> None:
    stage = outcome.stage
    console.print()
    title = Text()
    title.append(printable(stage.scenario.name), style="bold")
    title.append(f"  {printable(stage.pack.name)} {printable(stage.pack.version)}", style="bold cyan")
    title.append(f"  seed {printable(stage.seed, 20)}, {outcome.asked} runs, {outcome.model.name}", style="dim")
    if outcome.model.simulated:
        title.append("  simulated", style="yellow")
    if stage.scenario.compat:
        title.append("  compat", style="yellow")
    console.print(title)
    if not stage.scenario.compat:
        who = stage.world.identity
        persona = f"{who['DATE']}: {who['USER_NAME']}, {who['USER_ROLE']} at {who['COMPANY']}"
        console.print(Text(persona, style="dim"), no_wrap=True, overflow="ellipsis")
    voted = outcome.voted
    if voted is None:
        _print_undecided(console, outcome)
        return
    tally = voted.tally
    if tally.gate_reached is False and stage.rubric.gate is not None:
        points = f"{stage.rubric.gate.category} points"
        console.print(Text(f"{tally.gate_text} {points}, so nothing else counts", style="bold red"))
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, width=max(3, min(outcome.asked, 9)))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(ratio=1, no_wrap=False)
    descriptions = {check.id: check.description for check in stage.scenario.checks}
    for category in _ordered(voted.results):
        row = tally.by_category[category]
        style = "bold" if row.counted else "bold dim"
        share = Text(f"{number(row.earned)}/{number(row.possible)}", style=style)
        note = Text("" if row.counted else "not counted: the gate was not reached", style="dim red")
        table.add_row("", Text(category, style=style), share, note)
        for result in (result for result in voted.results if result.category == category):
            table.add_row(*_check_cells(result, descriptions.get(result.id, ""), outcome.asked))
    console.print(table)
    _print_warnings(console, outcome)
    console.print(_spent(outcome))
    console.print(_headline(outcome))


def _ordered(results: Sequence[VotedResult]) -> list[str]:
    present = dict.fromkeys(result.category for result in results)
    return [*(c for c in _CATEGORIES if c in present), *(c for c in present if c not in _CATEGORIES)]


def _check_cells(result: VotedResult, description: str, asked: int) -> tuple[Text, Text, Text, Text]:
    """Votes, name, points, and why: one line for a check that passed, what it wants and why not for one that failed."""
    passed_style = "green" if result.passed else "red"
    votes = Text()
    text = votes_text(result.votes, asked)
    for mark in text if len(text) <= 9 else f"{sum(result.votes)}/{len(result.votes)}":
        votes.append(mark, style={"✓": "green", "✗": "red"}.get(mark, "dim"))
    name = Text(printable(result.id, 28), style="" if result.passed else passed_style)
    if result.severity == "critical":
        name.append(" !", style="bold red" if not result.passed else "dim")
    earned = (
        Fraction(result.earned_tenths, 10)
        if result.earned_tenths is not None
        else Fraction(result.points if result.passed else 0)
    )
    points = Text(f"{number(earned)}/{number(result.points)}", style=passed_style)
    if result.passed:
        return votes, name, points, Text(_in_one_line(result.reason), style="dim", no_wrap=True, overflow="ellipsis")
    why = Text(printable(description))
    why.append(f"\n{PATTERN.sub('the answer does not say it', result.reason)}", style="red")
    return votes, name, points, why


def _in_one_line(reason: str) -> str:
    """Why a check passed, what matters most first: a narrow terminal cuts the end off."""
    said, _, seen = reason.partition("; ")
    return f"{seen}; {said}" if " seen in " in seen else reason.removeprefix("the answer ")


def _print_warnings(console: Console, outcome: StageOutcome) -> None:
    """Critical failures and prevented effects of any run, and runs that did not complete."""
    for run in outcome.runs:
        for result in run.results:
            if result.severity == "critical" and not result.passed:
                console.print(Text(f"critical  run {run.index}: {result.id}: {result.reason}", style="bold red"))
        if run.status != "COMPLETED":
            console.print(Text(f"{run.status.lower()}  run {run.index}: {printable(run.fault)}", style="yellow"))
    for shown, (times, runs, effect) in enumerate(_prevented(outcome)):
        if shown == _MAX_EFFECTS:
            console.print(Text("…and more: `--json` lists them all", style="yellow"))
            break
        again = f" ({times} times)" if times > len(runs) else ""
        where = "run " + ", ".join(map(str, runs))
        console.print(
            Text(
                f"{effect.status:<8}  {where}: {effect.kind} {printable(effect.target, 60)}{again}",
                style="yellow",
            )
        )


def _prevented(outcome: StageOutcome) -> Iterator[tuple[int, list[int], Effect]]:
    """Each distinct prevented effect once, with how often and in which runs it was tried."""
    found: dict[tuple[str, str, str], tuple[int, list[int], Effect]] = {}
    for run in outcome.runs:
        for effect in run.effects:
            if effect.status == "done":
                continue
            key = (effect.kind, effect.target, effect.status)
            times, runs, first = found.get(key, (0, [], effect))
            found[key] = (times + 1, runs if run.index in runs else [*runs, run.index], first)
    yield from found.values()


def _print_undecided(console: Console, outcome: StageOutcome) -> None:
    """Why there is no vote."""
    console.print(Text("undecided: too few runs completed to settle every vote", style="bold yellow"))
    _print_faults(console, outcome.infra)


def _print_faults(console: Console, runs: Sequence[RunOutcome]) -> None:
    """What infrastructure did, equal faults once."""
    faults: dict[str, list[RunOutcome]] = {}
    for run in runs:
        faults.setdefault(run.fault, []).append(run)
    for shown, (fault, met) in enumerate(faults.items()):
        if shown == _MAX_FAULTS:
            console.print(Text(f"…and {len(faults) - shown} other faults: `--json` lists them all", style="yellow"))
            return
        many = f"{len(met)} runs" if len(met) > 1 else f"run {met[0].index}"
        console.print(Text(f"infra  {many}: {printable(fault, 300)}", style="yellow"))


def _headline(outcome: StageOutcome) -> Text:
    stage = outcome.stage
    line = Text()
    voted = outcome.voted
    line.append(f"{stage.scenario.name} {stage.pack.name}  ", style="bold")
    if voted is None:
        codes = dict.fromkeys(printable(code_of(run.fault), 40) for run in outcome.infra)
        line.append(": ".join(["undecided", *([", ".join(codes)] if codes else [])]), style="bold yellow")
        return line
    tally = voted.tally
    good = not tally.critical and tally.gate_reached is not False
    line.append(f"score {decimal(outcome.score)}", style="bold green" if good else "bold red")
    line.append(f"  {number(tally.earned)} of {number(tally.possible)} points", style="dim")
    if tally.critical:
        line.append(f"  critical: {', '.join(tally.critical)}", style="bold red")
    return line


def _spent(outcome: StageOutcome) -> Text:
    """Calls, tokens and cost of the middle run, and the penalties, which enter no score."""
    voting = sorted((run for run in outcome.runs if run.results), key=lambda run: (run.tool_calls, run.index))
    if not voting:
        return Text("no run completed", style="dim")
    run = voting[len(voting) // 2]
    line = f"a run: {run.tool_calls} calls, {run.turns} turns, "
    line += f"{run.prompt_tokens + run.completion_tokens:,} tokens, {_cost(outcome, run)}"
    line += f"\npenalties, not in the score: cost {decimal(outcome.cost)}, safety {decimal(outcome.safety)}"
    return Text(line, style="dim")


def _cost(outcome: StageOutcome, *runs: RunOutcome) -> str:
    paid = outcome.paid(*runs)
    if outcome.model.simulated:
        return "simulated, $0"
    if not outcome.model.provider:
        return "replayed, $0"
    return "cost not known" if paid is None else dollars(paid)


def _paid_in_all(outcomes: Sequence[StageOutcome]) -> Text | None:
    """What the runs of each pack and of the bench cost; nothing for a model that is free or has no known price."""
    paid = [outcome.paid() for outcome in outcomes]
    known = [amount for amount in paid if amount is not None]
    tokens = sum(run.prompt_tokens + run.completion_tokens for outcome in outcomes for run in outcome.runs)
    if not outcomes[0].model.provider or len(known) < len(paid):
        return None
    line = f"these runs: {tokens:,} tokens, {dollars(sum(known, Fraction(0)))}"
    packs = by_pack(outcomes)
    if len(packs) > 1:
        shares = [
            f"{printable(label, 20)} {dollars(sum((one.paid() or Fraction(0) for one in found), Fraction(0)))}"
            for label, found in packs.items()
        ]
        line += f" ({', '.join(shares)})"
    return Text(line, style="dim")


def _print_packs(console: Console, outcomes: Sequence[StageOutcome]) -> None:
    console.print()
    for label, found in by_pack(outcomes).items():
        line = Text()
        line.append(f"{printable(label):<20} ", style="bold cyan")
        line.append(f"score {decimal(weighted_mean(found))}", style="bold")
        line.append(f"  over {len(found)} scenario{'s' if len(found) > 1 else ''}", style="dim")
        console.print(line)
