"""The options of ``clawbench run`` that say what a bench may cost, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..budget import Budgets, Ledger
    from ..models.protocol import Model
    from ..prices import Price

_Command = TypeVar("_Command", bound=Callable[..., Any])
JOURNAL = "spent.jsonl"
_SCOPES = (("", "the bench"), ("-pack", "the runs of one pack"), ("-run", "one run"))


def budget_options(command: _Command) -> _Command:
    """Adds ``--budget`` and its kind, and ``--prices``."""
    prices = click.option(
        "--prices", type=click.Path(path_type=Path), metavar="FILE", help="Dollars per million tokens, instead of ours."
    )
    command = prices(command)
    for scope, what in reversed(_SCOPES):
        tokens = f"--budget{scope}-tokens"
        command = click.option(tokens, metavar="N", help="The same in tokens, as 300000, 300k or 2M.")(command)
        command = click.option(f"--budget{scope}", metavar="USD", help=f"The most that {what} may cost.")(command)
    return command


def budgets_of(options: dict[str, Any]) -> Budgets:
    """The budgets that the options name; raises click.BadParameter."""
    from ..budget import Budget, Budgets

    def budget(scope: str) -> Budget:
        option = f"--budget{scope}"
        key = f"budget{scope}".replace("-", "_")
        return Budget(_tokens(options[f"{key}_tokens"], f"{option}-tokens"), _micro(options[key], option))

    return Budgets(run=budget("-run"), pack=budget("-pack"), bench=budget(""))


def price_of(model: Model, budgets: Budgets, prices: Path | None) -> Price | None:
    """What ``model`` costs; InvalidInput if that is not known and a budget in dollars needs it."""
    from ..errors import InvalidInput
    from ..prices import load_prices

    table = load_prices(prices)
    price = table.of(model)
    if price is None and any(budget.micro is not None for budget in (budgets.run, budgets.pack, budgets.bench)):
        said = f"the price table of {table.date} does not know {model.name}: give --prices FILE, or a budget in tokens"
        raise InvalidInput.of("PRICE_UNKNOWN", said, "--budget")
    return price


def metered(model: Model, budgets: Budgets, price: Price | None, folder: Path) -> tuple[Model, Ledger | None]:
    """``model`` with its ledger if there is anything to count: a provider to be paid, or a budget."""
    if not model.provider and not budgets:
        return model, None
    from ..budget import Ledger
    from ..models.metered import MeteredModel, journalled

    journal = folder / JOURNAL
    ledger = Ledger(budgets, price, journalled(journal))
    return MeteredModel(model, ledger, journal), ledger


def _micro(text: str | None, option: str) -> Fraction | None:
    if text is None:
        return None
    if not re.fullmatch(r"\$?\d{1,9}(\.\d{1,6})?", text):
        raise click.BadParameter(f"{text!r} is not an amount of dollars such as 5.00", param_hint=option)
    return Fraction(text.removeprefix("$")) * 1_000_000


def _tokens(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,12})(\.\d{1,3})?([kM]?)", text.replace(",", "").replace("_", ""))
    if not found:
        raise click.BadParameter(f"{text!r} is not a number of tokens such as 300000, 300k or 2M", param_hint=option)
    return int(Fraction(found[1] + (found[2] or "")) * {"": 1, "k": 1000, "M": 1_000_000}[found[3]])
