"""``trajectoryrl replay``: an epoch's exact facts on another pack."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("replay", short_help="Run an epoch's exact facts on your pack, beside the winner.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--pack", required=True, metavar="DIR|FILE", help="Your pack.")
@click.option("--model", default="offline", show_default=True, metavar="NAME", help="Who plays the agent.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where your runs are kept.")
@click.option(
    "--library",
    "scenarios",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Holds the scenarios/ and fixtures/ to render; by default those of this version.",
)
def command(folder: Path, pack: str, model: str, out: Path | None, scenarios: Path | None) -> int:
    """Run the exact facts of a recorded epoch on your pack, and see where it and the winner part.

    DIR is the record of an epoch, or a folder of them, of which the newest is meant. The checks shown are those that
    one of the two passes and the other does not. Exits with 0, 1 if your pack fails a critical check, 2 for bad input,
    3 if a vote is undecided for want of the model.
    """
    import asyncio
    import tempfile

    from clawbench.library import pack_path
    from clawbench.models import model_named
    from clawbench.pack import load_pack

    from ..epochreplay import replayed_with, side_by_side, told_in

    found = told_in(folder)
    mine = load_pack(pack_path(pack))
    chosen = model_named(model)
    with tempfile.TemporaryDirectory(prefix="trajectoryrl-") as scratch:
        work = out or Path(scratch)
        try:
            replay = asyncio.run(replayed_with(found, mine, chosen, work, scenarios))
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            return 130
    for line in side_by_side(replay, mine.name):
        click.echo(line)
    said = f"model {chosen.name}" + (", simulated" if chosen.simulated else "")
    if (chosen.name, chosen.version) != (found.model.name, found.model.version):
        said += f"; the epoch was played by {found.model.name}: scores compare only roughly"
    click.echo(said)
    if replay.mine.score is None:
        return 3
    return 1 if replay.mine.score.critical else 0
