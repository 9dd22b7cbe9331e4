"""Budgets of tokens and dollars, for a run, a pack and a bench.

A call is begun only once the most that it may cost is reserved; when it has ended, what it did cost takes the place of
the reservation. A run is begun only if what runs of its scenario have cost so far still fits. Both wait for what is in
flight before they give up, so a tight budget slows a bench down before it ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from .deadline import Deadline
from .errors import BudgetSpent
from .executor import Unit
from .models.protocol import Usage
from .outcome import RunOutcome
from .prices import FREE, Price, dollars


class Amount(NamedTuple):
    """Tokens, and micro-dollars."""

    tokens: int = 0
    micro: Fraction = Fraction(0)

    def plus(self, other: Amount) -> Amount:
        """The sum."""
        return Amount(self.tokens + other.tokens, self.micro + other.micro)

    def minus(self, other: Amount) -> Amount:
        """The difference, nothing below zero."""
        return Amount(max(0, self.tokens - other.tokens), max(Fraction(0), self.micro - other.micro))

    def __str__(self) -> str:
        return f"{self.tokens:,} tokens" + (f" ({dollars(self.micro)})" if self.micro else "")


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that may be spent, in tokens and in micro-dollars; ``None`` is no bound."""

    tokens: int | None = None
    micro: Fraction | None = None

    def holds(self, amount: Amount) -> bool:
        """Whether ``amount`` is within the budget."""
        return (self.tokens is None or amount.tokens <= self.tokens) and (
            self.micro is None or amount.micro <= self.micro
        )

    def __bool__(self) -> bool:
        return self.tokens is not None or self.micro is not None

    def __str__(self) -> str:
        said = [] if self.micro is None else [dollars(self.micro)]
        return " and ".join([*said, *([] if self.tokens is None else [f"{self.tokens:,} tokens"])])


@dataclass(frozen=True, slots=True)
class Budgets:
    """The budgets of one run, of all runs of one pack, and of the bench."""

    run: Budget = Budget()
    pack: Budget = Budget()
    bench: Budget = Budget()

    def __bool__(self) -> bool:
        return bool(self.run or self.pack or self.bench)


class Account:
    """What was spent of one budget, what calls in flight have reserved, and the runs that go on."""

    __slots__ = ("budget", "held", "name", "runs", "spent")

    def __init__(self, name: str, budget: Budget) -> None:
        self.name = name
        self.budget = budget
        self.spent = Amount()
        self.held = Amount()
        self.runs: dict[str, Amount] = {}  # what runs that go on are still expected to cost

    def expected(self) -> Amount:
        """What the runs that go on are still expected to cost."""
        total = Amount()
        for amount in self.runs.values():
            total = total.plus(amount)
        return total


class Ledger:
    """The accounts of a bench.

    ``price`` turns tokens into dollars, ``earlier`` are the calls that were paid before this process began, as
    ``(unit, usage)``. ``refused`` counts calls and runs that a budget did not allow.
    """

    def __init__(self, budgets: Budgets, price: Price | None, earlier: Iterable[tuple[str, Usage]] = ()) -> None:
        self.budgets = budgets
        self.price = price or FREE
        self.bench = Account("bench", budgets.bench)
        self.refused = 0
        self.calls = 0
        self._packs: dict[str, Account] = {}
        self._runs: dict[str, Account] = {}
        self._typical: dict[str, tuple[int, Amount]] = {}  # per scenario: runs that ended, and what they cost
        self._changed: asyncio.Event | None = None
        for unit, usage in earlier:
            for account in self.accounts(unit):
                account.spent = account.spent.plus(self.amount(usage))

    def amount(self, usage: Usage) -> Amount:
        """What ``usage`` costs."""
        return Amount(usage.prompt + usage.completion, self.price.of(usage))

    def accounts(self, unit: str) -> tuple[Account, Account, Account]:
        """The accounts that a call of run ``unit`` draws on: the run's, its pack's, the bench's."""
        run = self._runs.get(unit)
        if run is None:
            run = self._runs[unit] = Account("run", self.budgets.run)
        pack = self._packs.setdefault(unit.partition(":")[0], Account("pack", self.budgets.pack))
        return run, pack, self.bench

    async def hold(self, unit: str, amount: Amount, deadline: Deadline | None = None) -> None:
        """Reserves ``amount`` for a call, when calls in flight leave room for it; that wait is not the run's time.

        Raises BudgetSpent if it will never fit.
        """
        accounts = self.accounts(unit)
        while True:
            full = [one for one in accounts if not one.budget.holds(one.spent.plus(one.held).plus(amount))]
            if not full:
                for account in accounts:
                    account.held = account.held.plus(amount)
                self.calls += 1
                return
            for account in full:
                if not account.budget.holds(account.spent.plus(amount)):
                    self.refused += 1
                    raise BudgetSpent.of(_code(account), f"the next call may take {amount}; {_left(account)}")
            with deadline.paused() if deadline is not None else nullcontext():
                await self._change()

    def settle(self, unit: str, held: Amount, usage: Usage) -> None:
        """Puts what a call did cost in the place of what was ``held`` for it."""
        paid = self.amount(usage)
        for account in self.accounts(unit):
            account.held = account.held.minus(held)
            account.spent = account.spent.plus(paid)
            if unit in account.runs:
                account.runs[unit] = account.runs[unit].minus(paid)
        self._tell()

    async def admitted(self, unit: Unit) -> str:
        """Waits until runs that go on leave room for one more; the fault if there will never be."""
        name = unit.stage.unit(unit.index)
        accounts = self.accounts(name)
        while True:
            cost = self._forecast(unit)
            reply = self.amount(Usage(0, unit.stage.sampling.max_tokens))  # which its last call has to reserve
            most = cost.plus(reply)
            full = [one for one in accounts if not one.budget.holds(one.spent.plus(one.expected()).plus(most))]
            if not full:
                for account in accounts:
                    account.runs[name] = cost
                return ""
            for account in full:
                if not account.budget.holds(account.spent.plus(most)) or not account.runs:
                    self.refused += 1
                    about = f"a run of this kind takes about {cost}, and its last reply may take {reply}"
                    return f"{_code(account)}: not begun: {about}; {_left(account)}"
            await self._change()

    def left(self, unit: Unit, outcome: RunOutcome | None) -> None:
        """The run has ended: what it cost is what others of its scenario may cost."""
        name = unit.stage.unit(unit.index)
        for account in self.accounts(name):
            account.runs.pop(name, None)
        if outcome is not None and outcome.status == "COMPLETED":
            self.learn(unit.stage.scenario.name, outcome.usage)
        self._tell()

    def learn(self, scenario: str, usage: Usage) -> None:
        """A run of ``scenario`` took ``usage``."""
        count, total = self._typical.get(scenario, (0, Amount()))
        self._typical[scenario] = (count + 1, total.plus(self.amount(usage)))

    def _forecast(self, unit: Unit) -> Amount:
        """What a run of this kind costs: the mean of those that ended, else what its scenario calls usual."""
        count, total = self._typical.get(unit.stage.scenario.name, (0, Amount()))
        if count:
            return Amount(-(-total.tokens // count), total.micro / count)
        baseline = unit.stage.scenario.baseline
        if baseline is None:
            return Amount()
        written = baseline.tokens // 10  # agents read about ten times what they write
        return self.amount(Usage(baseline.tokens - written, written))

    def spent_by_pack(self) -> Iterator[tuple[str, Amount]]:
        """The first 16 digits of each pack's hash, and what its runs have cost."""
        for pack, account in self._packs.items():
            yield pack, account.spent

    async def _change(self) -> None:
        if self._changed is None:
            self._changed = asyncio.Event()
        await self._changed.wait()

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None


def _code(account: Account) -> str:
    return f"BUDGET_{account.name.upper()}"


def _left(account: Account) -> str:
    """How much of a budget is left, as the reader set it."""
    budget = account.budget
    parts = []
    if budget.micro is not None:
        parts.append(f"{dollars(max(Fraction(0), budget.micro - account.spent.micro))} of {dollars(budget.micro)}")
    if budget.tokens is not None:
        parts.append(f"{max(0, budget.tokens - account.spent.tokens):,} of {budget.tokens:,} tokens")
    return f"{' and '.join(parts)} for the {account.name} are left"
