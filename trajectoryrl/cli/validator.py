"""``trajectoryrl validator``: run one, see what an epoch will cost, serve its records."""

from __future__ import annotations

import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clawbench.errors import ClawbenchError

if TYPE_CHECKING:
    from clawbench.prices import Price

    from ..forecast import Forecast, Size
    from ..settings import Settings

_ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True}


@click.group("validator", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Run a validator, see what an epoch will cost, serve its records."""


@command.command("run", add_help_option=False, context_settings=_ANYTHING)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def run(words: tuple[str, ...]) -> int:
    """Validate the subnet until told to stop; the same as python neurons/validator.py."""
    from ..operating import main

    return main(list(words), prog="trajectoryrl validator run", about=run.help or "")


@command.command("estimate", add_help_option=False, context_settings=_ANYTHING)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def estimate(words: tuple[str, ...]) -> int:
    """What an epoch will cost on this metagraph, before any of it is spent; takes the validator's own flags."""
    import asyncio

    from ..forecast import forecast, most_packs, newest_runs, price_named
    from ..ledger import Ledger
    from ..ledgerview import ledger_in
    from ..protocol import library, parameters
    from ..settings import settings

    given = settings(words, prog="trajectoryrl validator estimate", about=estimate.help or "")
    rules = parameters(Path(given.protocol).expanduser() if given.protocol else None)
    try:
        with Ledger(ledger_in(given.state_folder), read_only=True) as ledger:
            rows = newest_runs(ledger)
    except ClawbenchError:
        rows = []  # no ledger yet, or those of several hotkeys
    known = asyncio.run(forecast(rules, library(), rows))
    netuid, block, submissions, packs = asyncio.run(_submitted(given))
    model = given.model or rules.model
    price = price_named(model)
    most = most_packs(given, known, price)
    for line in forecast_lines(known, model, price, netuid, block, submissions, packs, most):
        click.echo(line)
    return 1 if most is not None and packs > most else 0


async def _submitted(given: Settings) -> tuple[int, int, int, int]:
    """The subnet, the newest final block, and of then: submissions, and how many of them name another pack."""
    from ..commitment import submission_of
    from ..operating import chain_of
    from ..snapshot import snapshot

    chain = await chain_of(given, None)
    try:
        block = await chain.finalized()
        snap = await snapshot(chain, 0, block)
    finally:
        await chain.close()
    hashes = set()
    for said in snap.submitted.values():
        with suppress(ClawbenchError):
            hashes.add(submission_of(said.text, said.hotkey, said.block).pack_hash)
    return chain.netuid, block, len(snap.submitted), len(hashes)


def forecast_lines(
    known: Forecast,
    model: str,
    price: Price | None,
    netuid: int,
    block: int,
    submissions: int,
    packs: int,
    most: int | None,
) -> list[str]:
    """A forecast as people read it."""
    from clawbench.prices import dollars

    from ._ledger import short, table, wrapped

    given = known.parameters

    def amounts(size: Size) -> tuple[str, str, str, str]:
        cost = "-" if price is None else dollars(size.micro(price))
        return f"{round(size.calls):,}", f"{round(size.read):,}", f"{round(size.written):,}", cost

    each = known.pack()
    epoch = each.times(packs)
    run = [(f"a run of {name}", *amounts(size)) for name, size in sorted(known.sizes.items())]
    rows = [
        ("", "calls", "read", "written", "cost"),
        *run,
        (f"a pack, {given.scenarios_per_epoch} scenarios x {given.runs} runs", *amounts(each)),
        (f"an epoch, {packs} {'pack' if packs == 1 else 'packs'}", *amounts(epoch)),
        (f"a day, {_plain(known.epochs_a_day)} epochs", *amounts(epoch.times(known.epochs_a_day))),
        ("an epoch at most, by the limits", *amounts(known.most().times(packs))),
    ]
    source = (
        f"tokens a run from {known.measured} runs of this validator's ledger"
        if known.measured
        else "a run as the offline model plays it with packs/careful; a real model may take several times that"
    )
    lines = [
        f"subnet {netuid}, block {block}: {submissions} submissions, at most {packs} distinct packs",
        f"model {short(model, 70)}",
        "",
        *table(rows, "lrrrr"),
        "",
        *wrapped(f"{source}. Packs that show an agent the same are run once, and a third run is spared where two "
                 "decide the vote. Dollars are without the provider's cache."),
    ]  # fmt: skip
    if price is None:
        lines += wrapped(f"the price table does not know {model}: tokens only")
    if most is not None:
        enough = "enough" if packs <= most else "too little: that epoch would not be begun, and set no new weights"
        lines += wrapped(f"the budget pays for {most} {'pack' if most == 1 else 'packs'}: {enough}")
    return lines


def _plain(value: Fraction) -> str:
    from ..scoring import shown

    return str(value) if value.denominator == 1 else shown(value, 1)


@command.command("serve")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8088, show_default=True, help="0 is a free one.")
def serve(folder: Path, host: str, port: int) -> int:
    """Serve the records in DIR (a validator's --publish) read-only over HTTP until Ctrl-C.

    Nothing but the files of records is served. Put a web server in front of it for TLS.
    """
    import signal
    import threading

    from ..publishing import RecordServer

    server = RecordServer(folder, host, port)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: threading.Thread(target=server.close).start())
    click.echo(f"serving the records in {folder} at {server.url}/ ; Ctrl-C ends it")
    sys.stdout.flush()
    server.serve()
    return 0
