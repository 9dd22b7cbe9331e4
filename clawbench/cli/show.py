"""``clawbench show``: one run, step by step."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("show", short_help="Walk through one run, step by step.")
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.option("--step", type=click.IntRange(min=1), metavar="N", help="That step alone, unfolded.")
@click.option("--full", is_flag=True, help="Unfold every text.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(run: Path, step: int | None, full: bool, as_json: bool) -> int:
    """Walk through a recorded run: calls, results (folded), effects, refusals, and why each check fell where.

    RUN is a file that `clawbench run` has written: run-K.jsonl, or failed-run-K-N.jsonl of an attempt that
    infrastructure ended. A folder that holds a single run will do.
    """
    from ..recorded import one_run
    from ..walkthrough import walkthrough

    shown = walkthrough(one_run(run))
    if step is not None and step > len(shown.steps):
        raise click.BadParameter(f"the run has {len(shown.steps)} steps", param_hint="--step")
    if as_json:
        import orjson

        from ..report.showing import walkthrough_document

        click.echo(orjson.dumps(walkthrough_document(shown), option=orjson.OPT_INDENT_2).decode())
        return 0
    from ..report.showing import print_walkthrough
    from ..trajectory import recorded_in

    with recorded_in(run):
        print_walkthrough(shown, step, full)
    return 0
