"""``trajectoryrl epochs``: what a validator's ledger knows of each epoch."""

from __future__ import annotations

from pathlib import Path

import click

from ._ledger import ledger_options, opened, printed, short, table


@click.command("epochs", short_help="A validator's epochs: how far each came, who won, where its record is.")
@click.option("--epoch", "number", type=click.IntRange(min=0), help="Only this epoch, with its trace.")
@click.option("--last", type=click.IntRange(1, 10_000), default=24, show_default=True, help="How many to list.")
@ledger_options
def command(
    number: int | None, last: int, state: Path, ledger: Path | None, protocol: Path | None, as_json: bool
) -> int:
    """List the epochs of a validator's ledger, oldest first, read-only; it may be running."""
    from ..ledgerview import EpochView, epoch_view
    from ..protocol import parameters

    given = parameters(protocol)
    with opened(state, ledger) as kept:
        numbers = kept.epochs()[-last:] if number is None else [number]
        views = [epoch_view(kept, one, given) for one in numbers]
    if as_json:
        printed({"ledger": str(kept.path), "epochs": [document(view) for view in views]})
        return 0
    if not views:
        click.echo("no epoch yet: the validator begins with the next one's first finalized block")
        return 0
    if number is not None:
        for line in told(views[0]):
            click.echo(line)
        return 0

    def row(view: EpochView) -> tuple[str, ...]:
        repository = next((one.repository for one in view.standings if one.hotkey == view.winner), "")
        winner = f"{short(view.winner, 9)} {short(repository, 24)}".rstrip() if view.winner else "-"
        first = str(view.first_block) if view.first_block is not None else "-"
        landed = str(view.block) if view.block is not None else "-"
        return str(view.number), first, view.state, str(view.submitted), landed, winner

    rows = [("epoch", "begins", "state", "subs", "weights", "winner"), *map(row, views)]
    for line in table(rows, "rrlrrl"):
        click.echo(line)
    return 0


def told(view: object) -> list[str]:
    """One epoch in sentences."""
    from ..ledgerview import EpochView
    from ._ledger import wrapped

    assert isinstance(view, EpochView)
    lines = [
        f"epoch {view.number}: {view.state}",
        f"begins   {'block ' + str(view.first_block) if view.first_block is not None else '-'}",
        f"packs    {view.submitted} submissions",
        f"winner   {short(view.winner, 64) if view.winner else 'nobody'}",
        *wrapped(view.weights, "weights  "),
    ]
    if view.place:
        lines.append(f"record   {view.place}")
    if view.manifest:
        lines.append(f"manifest {view.manifest}")
    return [*lines, *(line for said in view.trace for line in wrapped(said, "  ", "    "))]


def document(view: object) -> dict[str, object]:
    """One epoch as JSON."""
    from ..ledgerview import EpochView

    assert isinstance(view, EpochView)
    return {
        "epoch": view.number,
        "state": view.state,
        "first_block": view.first_block,
        "submissions": view.submitted,
        "winner": view.winner,
        "weights": view.weights,
        "weights_block": view.block,
        "manifest": view.manifest or None,
        "record": view.place or None,
        "trace": list(view.trace),
    }
