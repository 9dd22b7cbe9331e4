"""What an epoch will cost, before it is spent, and what a budget pays for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from clawbench.prices import FREE, Price
from trajectoryrl.cli.validator import forecast_lines
from trajectoryrl.errors import InvalidInput
from trajectoryrl.forecast import Forecast, Size, budget_micro, forecast, most_packs, price_named
from trajectoryrl.ledger import Ledger, RunRow
from trajectoryrl.operating import budgeted
from trajectoryrl.protocol import library, parameters
from trajectoryrl.settings import Settings

PRICE = Price(Fraction(3), Fraction(3, 10), Fraction(15))


@pytest.fixture(scope="module")
def known() -> Forecast:
    return asyncio.run(forecast(parameters(), library()))


def test_every_scenario_of_the_pool_has_a_size(known: Forecast) -> None:
    given = parameters()
    assert set(known.sizes) == set(given.scenario_pool)
    assert all(size.calls >= 2 and size.read > size.written > 0 for size in known.sizes.values())
    assert known.measured == 0


def test_a_pack_is_the_largest_scenarios_of_an_epoch_times_its_runs() -> None:
    given = parameters()
    sizes = {name: Size(Fraction(1), Fraction(rank), Fraction(1)) for rank, name in enumerate(given.scenario_pool)}
    known = Forecast(sizes, given)
    assert known.pack() == Size(Fraction(12), Fraction((1 + 2 + 3 + 4) * 3), Fraction(12))
    assert known.pack([given.scenario_pool[0]]).read == 0
    assert known.epochs_a_day == 6
    assert known.most().tokens == 12 * given.max_total_tokens
    assert known.pack().micro(PRICE) == 3 * 30 + 15 * 12


def test_runs_of_the_real_model_take_the_place_of_the_offline_ones(known: Forecast) -> None:
    name = parameters().scenario_pool[0]
    rows = [RunRow(1, "c", name, run, 0, "COMPLETED", "", "t", tokens, 0) for run, tokens in enumerate((100, 300))]
    rows += [replace(rows[0], status="INFRA", tokens=9), replace(rows[0], tokens=0), replace(rows[0], scenario="old")]
    found = asyncio.run(forecast(parameters(), library(), rows))
    assert found.measured == 2
    assert found.sizes[name].tokens == 200
    other = parameters().scenario_pool[1]
    assert found.sizes[other] == known.sizes[other]


def test_what_a_budget_pays_for(known: Forecast) -> None:
    each = known.pack()
    tokens = int(each.tokens) + 1
    assert most_packs(Settings(), known, PRICE) is None
    assert most_packs(Settings(budget_tokens=3 * tokens), known, None) == 3
    assert most_packs(Settings(budget_tokens=1), known, None) == 0
    dollars = str(float(each.micro(PRICE)) * 2.5 / 1e6)[:12]
    assert most_packs(Settings(budget_usd=dollars), known, PRICE) == 2
    assert most_packs(Settings(budget_usd=dollars, budget_tokens=tokens), known, PRICE) == 1
    assert most_packs(Settings(budget_usd="1"), known, FREE) is None
    with pytest.raises(InvalidInput) as raised:
        most_packs(Settings(budget_usd="1"), known, None)
    assert raised.value.code == "PRICE_UNKNOWN"


@pytest.mark.parametrize("text", ["x", "-1", "nan", "inf", "1e99", "1" * 21, "１", "1,5"])
def test_an_amount_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        budget_micro(text)


def test_amounts_are_exact() -> None:
    assert budget_micro("") is None
    assert budget_micro("0.1") == 100_000
    assert budget_micro("12.50") == 12_500_000


def test_the_protocols_model_has_a_price_and_simulated_ones_are_free() -> None:
    price = price_named(parameters().model)
    assert price is not None
    assert price.input > 0
    assert price_named("offline") == FREE
    assert price_named("nobody/knows") is None


def test_a_validator_counts_what_its_budget_pays_for(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert asyncio.run(budgeted(Settings(), parameters(), ledger)) is None
        assert asyncio.run(budgeted(Settings(budget_tokens=1), parameters(), ledger)) == 0


def test_a_forecast_is_readable_at_80_columns(known: Forecast) -> None:
    lines = forecast_lines(known, "anthropic/x", PRICE, 11, 5, 256, 256, 3)
    assert max(map(len, lines)) <= 80
    assert "too little" in "\n".join(lines)
    unknown = "\n".join(forecast_lines(known, "nobody/knows\x1b[2J", None, 11, 5, 1, 1, None))
    assert "tokens only" in unknown
    assert "\x1b" not in unknown
