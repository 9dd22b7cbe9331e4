"""``clawbench stats``: how reliable recorded runs are."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("stats", short_help="Reliability of recorded runs: pass^N, flaky checks.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--at-least", metavar="X", help="A run passes if it scores X (0..1); else if it reaches the gate, unharmed."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(folder: Path, at_least: str | None, as_json: bool) -> int:
    """Say how reliable the packs in a bench's folder are.

    pass^N is the chance that N runs, drawn from those made, all pass. A check is flaky if its runs disagree; it is
    settled once a coin would fall so far to one side in at most 5 % of series of that length.
    """
    from ..recorded import recorded_runs
    from ..report.reliability import print_reliability, reliability
    from .run import share_of

    found = reliability(recorded_runs(folder), share_of(at_least, "--at-least"))
    if as_json:
        import orjson

        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        print_reliability(found)
    return 0
