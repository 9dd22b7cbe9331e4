"""What the commands that read a ledger share: their options, the ledger, and tables of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..ledger import Ledger
    from ..ledgerview import EpochView

_Command = TypeVar("_Command", bound=Callable[..., Any])
WIDTH = 80


def ledger_options(command: _Command) -> _Command:
    """Adds ``--state``, ``--ledger``, ``--protocol`` and ``--json``."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option(
            "--protocol",
            type=click.Path(path_type=Path),
            envvar="PROTOCOL_FILE",
            help="A private network's protocol.toml.",
        ),
        click.option("--ledger", type=click.Path(path_type=Path), metavar="FILE", help="The very ledger.db."),
        click.option(
            "--state",
            type=click.Path(path_type=Path),
            metavar="DIR",
            default="~/.trajectoryrl",
            show_default=True,
            envvar="STATE_DIR",
            help="The validator's --state.",
        ),
    ):
        command = option(command)
    return command


@contextmanager
def opened(state: Path, ledger: Path | None) -> Iterator[Ledger]:
    """The ledger, read-only; a validator may be writing it."""
    from ..ledger import Ledger
    from ..ledgerview import ledger_in

    with Ledger(ledger_in(state.expanduser(), ledger.expanduser() if ledger else None), read_only=True) as found:
        yield found


def view_of(ledger: Ledger, number: int | None, protocol: Path | None, *, decided: bool = True) -> EpochView:
    """The epoch of this number, by default the newest (that has its award, if ``decided`` and there is one)."""
    from ..errors import InvalidInput
    from ..ledgerview import epoch_view
    from ..protocol import parameters

    if number is None:
        epochs = ledger.epochs()
        if not epochs:
            raise InvalidInput.of("EPOCH_UNKNOWN", "the ledger has no epoch yet", str(ledger.path))
        over = [epoch for epoch in reversed(epochs) if ledger.award_of(epoch) is not None] if decided else []
        number = over[0] if over else epochs[-1]
    return epoch_view(ledger, number, parameters(protocol))


def printed(document: Any) -> None:
    """Prints a document as JSON."""
    import json

    click.echo(json.dumps(document, indent=2, ensure_ascii=True))


def wrapped(text: str, first: str = "", rest: str | None = None) -> list[str]:
    """``text`` escaped and in lines of at most 80 columns: ``first`` before the first, ``rest`` before others."""
    from ..logs import escaped

    after = " " * len(first) if rest is None else rest
    made = textwrap.wrap(escaped(text), WIDTH, initial_indent=first, subsequent_indent=after, break_on_hyphens=False)
    return made or [first.rstrip()]


def short(text: str, most: int) -> str:
    """``text`` escaped, cut in its end to ``most`` columns."""
    from ..logs import escaped

    said = escaped(text, 200)
    return said if len(said) <= most else said[: most - 1] + "…"


def share_text(share: Any) -> str:
    """A share as percents, ``-`` for none."""
    from ..scoring import shown

    return f"{shown(share * 100, 1).removesuffix('.0')}%" if share else "-"


def table(rows: Sequence[Sequence[str]], right: str) -> list[str]:
    """Rows in columns as wide as they need; ``right`` has a letter ``r`` for each column that is set to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]
