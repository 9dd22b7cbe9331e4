"""``clawbench compare``: two runs or two benches."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("compare", short_help="Say what differs between two runs or two benches.")
@click.argument("a", type=click.Path(path_type=Path), metavar="A")
@click.argument("b", type=click.Path(path_type=Path), metavar="B")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(a: Path, b: Path, as_json: bool) -> int:
    """Say which checks changed between A and B, and at which step their runs part.

    A and B are two runs, or two folders of runs. Runs are paired by scenario, pack and number; packs of different
    names if there is one on each side.
    """
    from ..recorded import recorded_runs
    from ..report.differing import differences, print_differences

    found = differences(recorded_runs(a), recorded_runs(b))
    if as_json:
        import orjson

        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        print_differences(found, str(a), str(b))
    return 0
