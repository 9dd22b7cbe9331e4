"""Budgets hold, whatever the schedule; prices are exact."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench.bench import AsyncioExecutor, Bench, StageOutcome
from clawbench.budget import Amount, Budget, Budgets, Ledger
from clawbench.errors import BudgetSpent, InvalidInput
from clawbench.models.metered import MeteredModel, journalled, prompt_estimate
from clawbench.models.protocol import Model, Reply, Request, Usage
from clawbench.prices import FREE, Price, dollars, load_prices
from clawbench.retrying import Retrying

from .stages import says, tiny_stage

PRICE = Price(Fraction(3), Fraction(3, 10), Fraction(15))
STAGE = tiny_stage()


class Paid:
    """A model of a provider: each reply costs what ``usage`` says."""

    name, version, simulated, provider = "anthropic/claude-sonnet-4-6", "1", False, "anthropic"
    settings = {"model": "claude-sonnet-4-6"}

    def __init__(self, usage: Usage = Usage(1000, 100)) -> None:
        self.usage, self.asked = usage, 0

    async def reply(self, request: Request) -> Reply:
        self.asked += 1
        await asyncio.sleep(0)
        return Reply(text="I don't know.", usage=self.usage)


def bench_of(folder: Path, model: Model, budgets: Budgets, **options: Any) -> StageOutcome:
    ledger = Ledger(budgets, PRICE, journalled(folder / "spent.jsonl"))
    metered = MeteredModel(model, ledger, folder / "spent.jsonl")
    bench = Bench(folder=folder, model=metered, admission=ledger, price=PRICE, **options)
    return asyncio.run(bench.results([STAGE]))[0]


def request(tokens: int = 100) -> Request:
    return Request(
        messages=[{"role": "user", "content": "x"}], tools=(), seed=0, turn=0, unit="a:b:0", max_tokens=tokens
    )


@given(
    chance=st.randoms(use_true_random=True),
    tokens=st.one_of(st.none(), st.integers(0, 6000)),
    micro=st.one_of(st.none(), st.integers(0, 60_000)),
    lies=st.booleans(),
)
@settings(max_examples=1000, deadline=None)
def test_a_budget_is_never_exceeded_by_more_than_the_calls_in_flight(
    chance: Any, tokens: int | None, micro: int | None, lies: bool
) -> None:
    """Forty calls of four runs of two packs, in a random order of steps; they may cost more than was reserved."""
    bound = Budget(tokens, None if micro is None else Fraction(micro))
    budgets = Budgets(*chance.sample([bound, Budget(), bound], 3))
    ledger = Ledger(budgets, PRICE)
    in_flight: dict[int, tuple[str, Amount, Amount]] = {}

    def check(unit: str) -> None:
        """As a call begins: what is spent and reserved fits; what is too much was in flight when it went over."""
        for account in ledger.accounts(unit):
            assert account.budget.holds(account.spent.plus(account.held))

    async def run(number: int) -> None:
        unit = f"{number % 2}:s:{number}"
        for turn in range(10):
            held = ledger.amount(Usage(chance.randrange(400), chance.randrange(100)))
            used = Usage(chance.randrange(800), chance.randrange(200)) if lies else Usage(held.tokens // 2, 0)
            if not lies and ledger.amount(used).micro > held.micro:
                used = Usage()
            try:
                await ledger.hold(unit, held)
            except BudgetSpent:
                return
            check(unit)
            call = number * 100 + turn
            in_flight[call] = (unit, held, ledger.amount(used))
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            before = {id(account): account.budget.holds(account.spent) for account in ledger.accounts(unit)}
            flying = list(in_flight.values())
            ledger.settle(unit, held, used)
            del in_flight[call]
            for account in ledger.accounts(unit):
                if before[id(account)] and not account.budget.holds(account.spent):
                    over = [one for name, _, one in flying if account in ledger.accounts(name)]
                    allowed = Budget(
                        None if account.budget.tokens is None else account.budget.tokens + sum(o.tokens for o in over),
                        None if account.budget.micro is None else account.budget.micro + sum(o.micro for o in over),
                    )
                    limits.setdefault(id(account), (account.spent, allowed))

    limits: dict[int, tuple[Amount, Budget]] = {}

    async def all_runs() -> None:
        await asyncio.gather(*(run(number) for number in range(4)))

    asyncio.run(all_runs())
    for unit in {f"{number % 2}:s:{number}" for number in range(4)}:
        for account in ledger.accounts(unit):
            assert account.held == Amount(), "nothing stays reserved"
            if lies:
                allowed = limits.get(id(account), (None, account.budget))[1]
                assert allowed.holds(account.spent)
            else:
                assert account.budget.holds(account.spent), "a reservation that is true is never exceeded"


def test_a_budget_ends_a_bench_and_more_goes_on_where_it_stopped(tmp_path: Path) -> None:
    model = Paid()
    some = bench_of(tmp_path, model, Budgets(bench=Budget(micro=Fraction(80_000))), runs=9, retrying=Retrying(4))
    done = [run for run in some.runs if run.status == "COMPLETED"]
    assert 0 < len(done) == model.asked < 9
    refused = next(run for run in some.runs if run.status == "INFRA")
    assert refused.fault.startswith(
        "BUDGET_BENCH: not begun: a run of this kind takes about 1,100 tokens ($0.0045), and"
    )
    assert "of $0.0800 for the bench are left" in refused.fault
    assert list(tmp_path.rglob("failed-*")) == []
    same = bench_of(tmp_path, model, Budgets(bench=Budget(micro=Fraction(80_000))), runs=9)
    assert model.asked == len(done), "what the folder's runs have cost counts"
    assert same.runs == some.runs
    more = bench_of(tmp_path, model, Budgets(bench=Budget(micro=Fraction(10**6))), runs=9)
    assert [run.status for run in more.runs] == ["COMPLETED"] * 9
    assert model.asked == 9
    assert more.paid() == 9 * 4500


def test_a_run_that_comes_to_its_budget_is_no_fault_of_the_pack(tmp_path: Path) -> None:
    calls = Usage(5000, 4000)

    class Chatty(Paid):
        async def reply(self, request: Request) -> Reply:
            from .stages import call

            return Reply(calls=call("exec", command=f"echo {request.turn}").calls, usage=calls, finish="calls")

    outcome = bench_of(tmp_path, Chatty(), Budgets(run=Budget(tokens=20_000)), runs=1)
    assert outcome.voted is None
    assert outcome.runs[0].fault.startswith("BUDGET_RUN: the next call may take")
    assert [path.name for path in tmp_path.rglob("failed-*")] == ["failed-run-0-1.jsonl"]


def test_a_pack_may_spend_no_more_than_its_own(tmp_path: Path) -> None:
    ledger = Ledger(Budgets(pack=Budget(tokens=500)), FREE, [("a:x:0", Usage(400, 50)), ("b:x:0", Usage(1, 1))])
    asyncio.run(ledger.hold("b:x:1", Amount(400)))
    with pytest.raises(BudgetSpent, match=r"BUDGET_PACK") as refused:
        asyncio.run(ledger.hold("a:x:1", Amount(51)))
    assert "50 of 500 tokens for the pack are left" in str(refused.value)
    assert dict(ledger.spent_by_pack()) == {"a": Amount(450), "b": Amount(2)}


def test_calls_wait_for_what_is_reserved_before_they_give_up() -> None:
    async def scene() -> list[str]:
        ledger, said = Ledger(Budgets(bench=Budget(tokens=100)), FREE), []

        async def call(name: str, used: int) -> None:
            await ledger.hold("a:0", Amount(80))
            said.append(f"{name} begins")
            await asyncio.sleep(0)
            ledger.settle("a:0", Amount(80), Usage(used))

        await asyncio.gather(call("one", 10), call("two", 10), call("three", 10), return_exceptions=True)
        return said

    assert asyncio.run(scene()) == ["one begins", "two begins", "three begins"]


class TestMetering:
    def test_what_may_have_been_billed_counts(self, tmp_path: Path) -> None:
        class Slow(Paid):
            async def reply(self, request: Request) -> Reply:
                await asyncio.sleep(3600)
                return says("")

        async def scene() -> Amount:
            ledger = Ledger(Budgets(), PRICE)
            model = MeteredModel(Slow(), ledger, tmp_path / "spent.jsonl")
            task = asyncio.create_task(model.reply(request()))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await model.aclose()
            return ledger.bench.spent

        spent = asyncio.run(scene())
        assert spent.tokens == prompt_estimate(request()) + 100
        assert [usage.completion for _, usage in journalled(tmp_path / "spent.jsonl")] == [100]

    def test_a_provider_that_counts_nothing_is_counted_for(self) -> None:
        ledger = Ledger(Budgets(), PRICE)
        asyncio.run(MeteredModel(Paid(Usage()), ledger).reply(request()))
        assert ledger.bench.spent.tokens > 4

    def test_torn_and_foreign_lines_of_the_journal_count_for_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "spent.jsonl"
        path.write_text('{"unit":"a","usage":[5,6,0,0]}\n[]\n{"unit":"a","usage":[-5,6]}\n{"unit":"b","usa')
        assert list(journalled(path)) == [("a", Usage(5, 6))]
        assert list(journalled(tmp_path / "none")) == []


class TestPrices:
    def test_a_dollar_per_million_is_a_micro_dollar_per_token(self) -> None:
        price = load_prices().of(Paid())
        assert price == PRICE
        assert price.of(Usage(1000, 100, 400, 50)) == 600 * 3 + 400 * Fraction(3, 10) + 100 * 15

    @pytest.mark.parametrize("name", ["claude-opus-4-5-20251101", "claude-opus-4-5", "claude-opus-4-5-latest"])
    def test_a_dated_name_has_the_price_of_its_family(self, name: str) -> None:
        model = Paid()
        model.name = f"anthropic/{name}?effort=low"
        model.settings = {"model": name}
        price = load_prices().of(model)
        assert price is not None
        assert price.output == 25

    def test_what_no_provider_answers_is_free_and_an_unknown_model_has_no_price(self) -> None:
        model = Paid()
        model.name, model.settings = "anthropic/claude-none", {}
        assert load_prices().of(model) is None
        model.provider = ""
        assert load_prices().of(model) == FREE

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("[models", "PRICES_TOML"),
            ("date = 1", "PRICES_SHAPE"),
            ('[models]\n"a/b" = { input = -1, output = 2 }', "PRICES_VALUE"),
            ('[models]\n"a/b" = { input = 1, output = true }', "PRICES_VALUE"),
            ('[models]\n"a/b" = { input = 1, outptu = 2 }', "PRICES_KEY"),
            ('[models]\n"a/b" = { input = nan, output = 2 }', "PRICES_"),
        ],
    )
    def test_a_wrong_table_is_named(self, tmp_path: Path, text: str, code: str) -> None:
        path = tmp_path / "prices.toml"
        path.write_text(text)
        with pytest.raises(InvalidInput, match=code):
            load_prices(path)

    def test_small_amounts_are_not_nothing(self) -> None:
        assert [dollars(Fraction(micro)) for micro in (0, 3, 4500, 1_234_567)] == ["$0", "<$0.0001", "$0.0045", "$1.23"]


def test_a_tight_budget_slows_down_and_does_not_stop(tmp_path: Path) -> None:
    """Nine runs at a time whose reservations do not fit side by side, but whose costs do."""
    budget = Budgets(bench=Budget(tokens=9 * 1100 + 8000))
    outcome = bench_of(tmp_path, Paid(), budget, runs=9, executor=AsyncioExecutor(9))
    assert [run.status for run in outcome.runs] == ["COMPLETED"] * 9
