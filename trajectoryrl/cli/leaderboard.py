"""``trajectoryrl leaderboard``: who stood where in an epoch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._ledger import ledger_options, opened, printed, share_text, short, table, view_of, wrapped

if TYPE_CHECKING:
    from ..ledgerview import EpochView, Standing
    from ..protocol import Parameters


@click.command("leaderboard", short_help="Who stood where in a validator's epoch, and what they get.")
@click.option("--epoch", "number", type=click.IntRange(min=0), help="[default: the newest that is decided]")
@ledger_options
def command(number: int | None, state: Path, ledger: Path | None, protocol: Path | None, as_json: bool) -> int:
    """Print the places, scores and shares of an epoch from a validator's ledger, read-only."""
    from ..protocol import parameters

    with opened(state, ledger) as kept:
        view = view_of(kept, number, protocol)
    if as_json:
        printed({"epoch": view.number, "winner": view.winner, "standings": [document(row) for row in view.standings]})
        return 0
    for line in _lines(view, parameters(protocol)):
        click.echo(line)
    return 0


def _lines(view: EpochView, given: Parameters) -> list[str]:
    from ..scoring import on_grid, published, shown

    def row(one: Standing) -> tuple[str, ...]:
        score = exact = "-"
        if one.exact is not None:
            score, exact = published(on_grid(one.exact, given.grid), given), shown(one.exact, 4)
        uid = str(one.uid) if one.uid is not None else "-"
        place = str(one.place) if one.place else ""
        return (
            place, uid, short(one.hotkey, 10), short(one.repository or "-", 22), score, exact,
            share_text(one.share), _status(one, view),
        )  # fmt: skip

    head = ("", "uid", "hotkey", "repository", "score", "exact", "share", "status")
    lines = [f"epoch {view.number}: {view.state}, {view.submitted} submissions"]
    lines += [line[:80] for line in table([head, *map(row, view.standings)], "rrllrrrl")] if view.standings else []
    lines += [
        "",
        f"winner   {short(view.winner, 64) if view.winner else 'nobody'}",
        *wrapped(view.weights, "weights  "),
    ]
    return [*lines, *(line for said in view.trace for line in wrapped(said, "  ", "    "))]


def _status(one: Standing, view: EpochView) -> str:
    if one.hotkey == view.winner:
        return "winner"
    if one.code != "ENTRY":
        return short(one.code.lower(), 20)
    if one.place:
        return f"place {one.place}"
    if one.exact is None:
        return "indeterminate" if one.cause else "open"
    return "not eligible" if "not eligible" in one.said else "not enough"


def document(one: Standing) -> dict[str, Any]:
    """One standing as JSON; scores are exact fractions as text."""
    told = one.commitment
    return {
        "hotkey": one.hotkey,
        "uid": one.uid,
        "code": one.code,
        "said": one.said,
        "pending": one.pending,
        "repository": told.repository if told else None,
        "commit": told.commit if told else None,
        "pack_hash": told.pack_hash if told else None,
        "block": told.block if told else None,
        "content": one.content or None,
        "entry_ms": one.entry_ms,
        "exact": str(one.exact) if one.exact is not None else None,
        "cause": one.cause,
        "scenarios": {name: str(score) for name, score in (one.scenarios or {}).items()},
        "trace": list(one.trace),
        "place": one.place or None,
        "share": str(one.share),
        "notes": list(one.notes),
        "evidence": list(one.evidence),
    }
