"""``trajectoryrl why``: what became of one miner in an epoch, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._ledger import ledger_options, opened, printed, share_text, short, table, view_of, wrapped

if TYPE_CHECKING:
    from ..ledgerview import EpochView, Standing


@click.command("why", short_help="What became of one miner in an epoch, and why.")
@click.argument("hotkey")
@click.option("--epoch", "number", type=click.IntRange(min=0), help="[default: the newest that is decided]")
@ledger_options
def command(
    hotkey: str, number: int | None, state: Path, ledger: Path | None, protocol: Path | None, as_json: bool
) -> int:
    """Tell what became of HOTKEY (its beginning is enough) from a validator's ledger, read-only.

    Outcome, scores by scenario, place, the award's sentence, and how the weights stand.
    """
    from ..ledgerview import standing_of
    from .leaderboard import document

    with opened(state, ledger) as kept:
        view = view_of(kept, number, protocol)
        one = standing_of(view, hotkey)
        rows = kept.runs_of(view.number, one.content) if one.content else []
    broken = sum(row.status == "INFRA" for row in rows)
    if as_json:
        printed({"epoch": view.number, "weights": view.weights, "broken_attempts": broken, **document(one)})
        return 0
    for line in _lines(view, one, len(rows), broken):
        click.echo(line)
    return 0


def _lines(view: EpochView, one: Standing, attempts: int, broken: int) -> list[str]:
    from ..scoring import shown

    lines = [
        f"epoch {view.number}: {view.state}",
        f"hotkey   {short(one.hotkey, 64)}{f' (uid {one.uid})' if one.uid is not None else ''}",
    ]
    told = one.commitment
    if told is not None:
        lines += [*wrapped(f"{told.repository} at {told.commit}", "pack     "), f"         hash {told.pack_hash}"]
        lines += [f"         committed in block {told.block}{_when(one)}"]
    lines += wrapped(f"{one.code}: {one.said}", "outcome  ")
    if one.exact is not None:
        lines.append(f"score    {shown(one.exact, 4)} exactly")
    elif one.cause:
        lines += wrapped(f"undecided here: {one.cause}", "score    ")
    if not one.trace and one.scenarios:
        rows = [(f"         {short(name, 24)}", shown(score, 2)) for name, score in one.scenarios.items()]
        lines += table(rows, "lr")
    for said in one.trace:
        lines += wrapped(said, "         ")
    if attempts:
        lines.append(f"runs     {attempts} attempts, {broken} broken by infrastructure")
    if one.code == "ENTRY":
        place = f"place {one.place}, {share_text(one.share)} of the weights" if one.place else "no place"
        lines.append(f"award    {place}")
    lines += wrapped(view.weights, "weights  ")
    for note in one.notes:
        lines += wrapped(note, "note     ")
    lines += [f"evidence sha256 {short(name, 64)}" for name in one.evidence]
    if view.place:
        lines.append(f"record   {short(view.place, 200)}")
    return lines


def _when(one: Standing) -> str:
    from datetime import UTC, datetime

    if one.entry_ms is None:
        return ""
    return f"; counts from {datetime.fromtimestamp(one.entry_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
