"""``trajectoryrl tournament``: packs against each other on one machine, with nothing to set up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..evaluation import Evaluation
    from ..localtournament import LocalTournament
    from ..protocol import Parameters


@click.command("tournament", short_help="Let packs compete on a network of this machine; say who wins, and why.")
@click.argument("packs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PACK...")
@click.option(
    "--epoch", default=1, show_default=True, metavar="N", help="The first epoch: it draws scenarios and facts."
)
@click.option("--epochs", default=1, show_default=True, metavar="K", help="How many epochs, one after the other.")
@click.option("--model", default="offline", show_default=True, metavar="NAME", help="Who plays the agent.")
@click.option("--runs", metavar="N", type=int, help="Runs of each scenario instead of the protocol's; odd.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where a record of each epoch is kept.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(
    packs: tuple[Path, ...], epoch: int, epochs: int, model: str, runs: int | None, out: Path | None, quiet: bool
) -> int:
    """Let packs compete: each is a miner's on a local chain and forge, verified, run, scored and ranked like anyone's.

    PACK is a folder, a pack.json or an .md file; what is no pack is named and skipped. Every epoch leaves a record,
    which is audited at the end. Exits with 0, 1 if an audit finds a difference, 2 for bad input, 3 if no vote could be
    settled for want of the model.
    """
    import asyncio

    from clawbench.models import model_named
    from clawbench.report.plain import shown_problem

    from ..audit import audited_chain
    from ..leaderboard import heading, leaderboard
    from ..localtournament import LocalTournament, candidates
    from ..protocol import parameters_of, shipped

    if not 1 <= epochs <= 1000:
        raise click.BadParameter(f"{epochs} is not between 1 and 1000", param_hint="--epochs")
    parameters = shipped()
    if runs is not None:
        parameters = parameters_of({**parameters.as_dict(), "runs": runs}, "--runs")
    players, skipped = candidates(packs)
    for problem in skipped:
        click.echo(f"skipped {shown_problem(problem)}", err=True)
    if not players:
        raise click.UsageError("none of these is a pack")
    chosen = model_named(model)
    folder = out or _new_folder()
    _free(folder, epoch, epochs)

    async def play(tournament: LocalTournament) -> bool:
        settled = True
        await tournament.publish()
        for number in range(epoch, epoch + epochs):
            with _watched(tournament, parameters, quiet):
                played = await tournament.play(number)
            click.echo(heading(played.plan, chosen.name, chosen.simulated, len(players)))
            for line in leaderboard(played, parameters):
                click.echo(line)
            click.echo()
            settled = settled and any(row.score is not None for row in played.evaluations)
        return settled

    try:
        with LocalTournament(players, epoch, chosen, parameters, folder) as tournament:
            settled = asyncio.run(play(tournament))
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return 130
    audits = [audit for number in range(epoch, epoch + epochs) for audit in audited_chain(folder / f"epoch-{number}")]
    wrong = [problem for audit in audits for problem in audit.problems]
    for problem in wrong:
        click.echo(f"audit: {shown_problem(problem)}", err=True)
    count = sum(audit.runs for audit in audits)
    said = f"clean, {count} runs replayed to the same bytes" if not wrong else f"{len(wrong)} differences"
    click.echo(f"audit: {said}")
    click.echo(f"record kept in {folder}")
    return 1 if wrong else 0 if settled else 3


@contextmanager
def _watched(tournament: LocalTournament, parameters: Parameters, quiet: bool) -> Iterator[None]:
    """A live view on a terminal, a line per pack elsewhere."""
    from clawbench.bench import Unit, Watch
    from clawbench.outcome import RunOutcome
    from clawbench.verdict import printable

    def waits(runs: int, fault: str, seconds: float) -> None:
        click.echo(f"{runs} runs are tried again in {seconds:.0f} s: {printable(fault, 200)}", err=True)

    tournament.watch = Watch(waits=waits)
    if quiet:
        yield
        return
    if not sys.stderr.isatty():
        tournament.done = _line(tournament)
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    total = len(tournament.players) * parameters.scenarios_per_epoch * parameters.runs
    with Progress(
        TextColumn("running"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}"),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task("", total=total, last="")

        def ended(unit: Unit, outcome: RunOutcome, reused: bool) -> None:
            progress.update(task, advance=1, last=f"{unit.stage.name} run {unit.index}"[:40])

        tournament.watch = Watch(ended=ended, waits=waits)
        yield


def _line(tournament: LocalTournament) -> Callable[[Evaluation], None]:
    from ..scoring import shown

    def said(evaluation: Evaluation) -> None:
        score = shown(evaluation.score.exact) if evaluation.score is not None else evaluation.cause
        click.echo(f"evaluated {tournament.name_of(evaluation.pack)}: {score}", err=True)

    return said


def _free(folder: Path, epoch: int, epochs: int) -> None:
    """Raises InvalidInput if a record cannot be written into ``folder``: better now than after the epoch."""
    from ..errors import InvalidInput

    for number in range(epoch, epoch + epochs):
        place = folder / f"epoch-{number}"
        if place.exists():
            raise InvalidInput.of("RECORD_EXISTS", "there is a record here already; choose another --out", str(place))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = f"records cannot be kept here: {error.strerror}; choose another --out"
        raise InvalidInput.of("OUT_UNUSABLE", said, str(folder)) from None


def _new_folder() -> Path:
    """A fresh folder under runs/."""
    from datetime import datetime

    stem = f"runs/{datetime.now():%Y%m%d-%H%M%S}-tournament"
    folder, number = Path(stem), 1
    while folder.exists():
        number += 1
        folder = Path(f"{stem}-{number}")
    return folder
