"""``trajectoryrl runs``: every attempt at every run of an epoch."""

from __future__ import annotations

from pathlib import Path

import click

from ._ledger import ledger_options, opened, printed, short, table, view_of


@click.command("runs", short_help="Every attempt at every run of an epoch, as the ledger has it.")
@click.option("--epoch", "number", type=click.IntRange(min=0), help="[default: the newest that is decided]")
@click.option("--hotkey", metavar="SS58", help="Only the runs of this miner's pack; its beginning is enough.")
@click.option("--faults", is_flag=True, help="Only attempts that did not complete.")
@ledger_options
def command(
    number: int | None,
    hotkey: str | None,
    faults: bool,
    state: Path,
    ledger: Path | None,
    protocol: Path | None,
    as_json: bool,
) -> int:
    """List the attempts at the runs of an epoch from a validator's ledger, read-only.

    Packs that show an agent the same are run once, so a run belongs to a content, not to a miner.
    """
    from fractions import Fraction

    from clawbench.prices import dollars

    from ..ledgerview import standing_of

    with opened(state, ledger) as kept:
        view = view_of(kept, number, protocol)
        who = standing_of(view, hotkey) if hotkey else None
        rows = kept.runs_of(view.number, who.content if who is not None else None)
    rows = [row for row in rows if not faults or row.status != "COMPLETED"]
    if as_json:
        names = ("content", "scenario", "run", "attempt", "status", "fault", "trajectory", "tokens", "micro_usd")
        found = [{name: getattr(row, name) for name in names} for row in rows]
        printed({"epoch": view.number, "runs": found})
        return 0
    lines = [("content", "scenario", "run", "try", "tokens", "status", "fault")]
    for row in rows:
        tokens = f"{row.tokens:,}" if row.tokens else "-"
        place = (row.content[:8], short(row.scenario, 18), str(row.run), str(row.attempt + 1))
        lines.append((*place, tokens, short(row.status, 10), short(row.fault, 24)))
    spent = f"{sum(row.tokens for row in rows):,} tokens"
    paid = sum(row.micro_usd for row in rows)
    if paid:
        spent += f", {dollars(Fraction(paid))}"
    broken = sum(row.status == "INFRA" for row in rows)
    click.echo(f"epoch {view.number}: {len(rows)} attempts, {broken} broken by infrastructure, {spent}")
    for line in table(lines, "llrrrll") if rows else ():
        click.echo(line)
    if view.forgotten:
        click.echo(view.trace[0])
    if not rows and who is not None and not who.content:
        click.echo(f"{short(who.hotkey, 64)} was not run: {who.code}")
    return 0
