"""``clawbench estimate``: what ``clawbench run`` with the same words would take."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .run import command as run_command

if TYPE_CHECKING:
    from ..estimate import Estimate
    from ..prices import Price
    from ..recorded import RecordedRun
    from ..stage import Stage

_FROM = click.Option(
    ["--from", "recorded"],
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Estimate from these runs.",
)


@click.command("estimate", short_help="Say what a run would cost, before it does.", params=[_FROM, *run_command.params])
def command(recorded: Path | None, **options: Any) -> int:
    """Print the calls, tokens and dollars that `clawbench run` with the same words would take. Nothing is asked of
    the model, and no key is needed.

    Estimated from the runs in --from DIR, else from those in --out, else from a run of the offline model and what
    the scenario calls usual. Whole runs in --out are not paid again. Exits with 1 if it is more than --budget or
    --budget-tokens.
    """
    from ..estimate import estimated
    from ..library import scenario_path
    from ..models import model_named
    from ..prices import FREE, load_prices
    from ..recorded import recorded_runs
    from ..scenario import load_scenario
    from ..stage import Sampling
    from ._selection import chosen_packs, stages_of
    from ._spending import budgets_of
    from .run import user_context_of

    budgets = budgets_of(options)
    table = load_prices(options["prices"])
    name = options["model"]
    vendor = name.partition("/")[0]
    paid = "/" in name and vendor in {"anthropic", "openai", "openai-compatible"}
    price = table.named(name) if paid else FREE
    if not paid:
        model_named(name)
    scenarios = [load_scenario(scenario_path(one)) for one in options["scenarios"]]
    packs = chosen_packs(options["packs"], options["folders"])
    stages = stages_of(scenarios, packs, options["seed"], user_context_of(options["user_context"]), Sampling())
    known = recorded_runs(recorded) if recorded is not None else _runs_in(options["out"])
    runs = {stage.name: max(0, options["runs"] - _whole(options["out"], stage)) for stage in stages}
    found = estimated(stages, runs, known)
    if options["as_json"]:
        import orjson

        click.echo(orjson.dumps(_document(found, name, price, table.date), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(found, name, price, table.date)
    tokens = sum((one.tokens() for one in found), Fraction(0))
    micro = sum((one.micro(price) for one in found), Fraction(0)) if price is not None else Fraction(0)
    over = [
        text
        for text, most, value in (
            ("--budget-tokens", budgets.bench.tokens, tokens),
            ("--budget", budgets.bench.micro, micro),
        )
        if most is not None and value > most
    ]
    if over:
        click.echo(f"more than {' and '.join(over)} allows: runs would be left out", err=True)
    return 1 if over else 0


def _runs_in(out: Path | None) -> list[RecordedRun]:
    from ..recorded import recorded_runs

    return recorded_runs(out) if out is not None and any(out.rglob("run-*.jsonl")) else []


def _whole(out: Path | None, stage: Stage) -> int:
    """How many of the stage's runs are whole in ``out``."""
    return (
        0
        if out is None
        else len(
            {
                path.name.partition(".")[0]
                for path in (out / stage.name).glob("run-*.jsonl*")
                if not path.name.endswith(".part")
            }
        )
    )


def _print(found: Sequence[Estimate], name: str, price: Price | None, date: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..prices import dollars
    from ..report.plain import decimal, printable

    console = Console(highlight=False)
    table = Table.grid(padding=(0, 2))
    for number in range(5):
        table.add_column(justify="left" if number == 0 else "right", no_wrap=number > 0)
    table.add_row(*(Text(head, style="dim") for head in ("", "runs", "calls", "tokens", "cost")))
    for one in found:
        what = Text(printable(one.stage.scenario.name, 40), style="bold")
        what.append(f" {printable(one.stage.pack.name, 40)}", "bold cyan")
        what.append(f"\n  from {one.source}", "dim")
        calls, tokens = decimal(one.runs * one.calls, 0), int(one.tokens())
        cost = "unknown" if price is None else dollars(one.micro(price))
        table.add_row(what, str(one.runs), calls, f"{tokens:,}", cost)
    console.print(table)
    calls = decimal(sum((one.runs * one.calls for one in found), Fraction(0)), 0)
    line = Text(f"in all {calls} calls, {int(sum((one.tokens() for one in found), Fraction(0))):,} tokens", "bold")
    if price is None:
        line.append(f"; what {printable(name, 80)} costs is not in the table of {date}: --prices FILE", "yellow")
    else:
        total = sum((one.micro(price) for one in found), Fraction(0))
        line.append(f", {dollars(total)}")
        most = sum((one.at_most(price) for one in found), Fraction(0))
        if most > total:
            line.append(f", {dollars(most)} if every run were like the dearest", "dim")
        if total:
            line.append(f"; prices of {date}, nothing read from a cache", "dim")
    console.print(line)


def _document(found: Sequence[Estimate], name: str, price: Price | None, date: str) -> dict[str, Any]:
    from ..report.plain import decimal

    def usd(micro: Fraction | None) -> str | None:
        return None if micro is None else decimal(micro / 1_000_000, 6)

    total = None if price is None else sum((one.micro(price) for one in found), Fraction(0))
    most = None if price is None else sum((one.at_most(price) for one in found), Fraction(0))
    return {
        "model": name,
        "prices": date,
        "calls": float(sum((one.runs * one.calls for one in found), Fraction(0))),
        "tokens": int(sum((one.tokens() for one in found), Fraction(0))),
        "usd": usd(total),
        "usd_at_most": usd(most),
        "stages": [
            {
                "scenario": one.stage.scenario.name,
                "pack": one.stage.pack.name,
                "runs": one.runs,
                "calls": float(one.runs * one.calls),
                "tokens": {"read": int(one.runs * one.read), "written": int(one.runs * one.written)},
                "usd": usd(None if price is None else one.micro(price)),
                "source": one.source,
            }
            for one in found
        ],
    }
