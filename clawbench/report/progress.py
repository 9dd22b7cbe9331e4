"""Live progress of a bench on standard error, when that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..bench import Bench, Unit, Watch
from ..outcome import RunOutcome


@contextmanager
def watched(bench: Bench, total: int, show: bool) -> Iterator[None]:
    """While inside, shows how many of ``total`` runs have ended, and how the last one did."""
    if not show or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

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
            state = "kept" if reused else outcome.status.lower()
            progress.update(task, advance=1, last=f"{unit.stage.name} run {unit.index} {state}"[:40])

        bench.watch = Watch(ended=ended)
        yield
