"""Progress of a bench on standard error: a live table in a terminal, a line now and then elsewhere.

Callbacks only count; whatever is drawn is drawn by a thread a few times a second, so an offline bench is not slowed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..bench import Bench, Unit, Watch
from ..outcome import RunOutcome
from ..stage import Stage
from .plain import printable

if TYPE_CHECKING:
    from rich.table import Table

    from ..budget import Ledger

_ROWS = 12
_PLAIN_EVERY = 10.0
_BAR = 16
_ENOUGH = 4


@dataclass(slots=True)
class Counts:
    """What a bench has done so far: runs by stage that ended, those that go on, tokens, and how runs ended.

    ``made`` are runs of this process, ``began`` is when the first of them was begun; seconds. Another thread reads
    this while it changes.
    """

    totals: dict[str, int]
    clock: Callable[[], float] = time.monotonic
    ended: dict[str, dict[int, str]] = field(default_factory=dict)
    running: set[tuple[str, int]] = field(default_factory=set)
    tokens: int = 0
    done: int = 0
    failed: int = 0
    made: int = 0
    kept: int = 0
    began: float | None = None
    paused: str = ""

    def begin(self, unit: Unit) -> None:
        """A run was begun."""
        if self.began is None:
            self.began = self.clock()
        self.paused = ""
        self.running.add((unit.stage.name, unit.index))

    def end(self, unit: Unit, outcome: RunOutcome, reused: bool) -> None:
        """A run has ended, or was found whole; one that is tried again counts once."""
        self.running.discard((unit.stage.name, unit.index))
        stage = self.ended.setdefault(unit.stage.name, {})
        before = stage.get(unit.index)
        first = before is None
        stage[unit.index] = outcome.status
        self.done += first
        self.failed += (outcome.status == "INFRA") - (before == "INFRA")
        self.tokens += outcome.prompt_tokens + outcome.completion_tokens
        self.kept += reused
        self.made += first and not reused

    @property
    def total(self) -> int:
        """Runs that were asked for."""
        return sum(self.totals.values())

    def left(self) -> float | None:
        """Seconds until the end, if the rest goes like what was made; ``None`` while too little was."""
        if self.began is None or self.made < min(_ENOUGH, self.total) or self.done >= self.total:
            return None
        return (self.clock() - self.began) / self.made * (self.total - self.done)


def said_seconds(seconds: float) -> str:
    """``45 s``, ``12 min`` or ``3 h 20 min``."""
    whole = int(seconds + 0.5)
    if whole < 90:
        return f"{whole} s"
    minutes = (whole + 30) // 60
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


@dataclass(slots=True)
class Report:
    """The sentence that sums a bench up while it goes on."""

    counts: Counts
    bench: Bench
    ledger: Ledger | None

    def line(self) -> str:
        """Runs, those in flight, tokens, dollars, waits for a rate limit, and when it may end."""
        counts = self.counts
        parts = [f"{counts.done} of {counts.total} runs"]
        if counts.kept:
            parts[0] += f" ({counts.kept} were there)"
        if counts.running:
            parts.append(f"{len(counts.running)} in flight")
        if counts.failed:
            parts.append(f"{counts.failed} failed")
        parts += [self._spent(), *self._waits()]
        left = counts.left()
        if left is not None:
            parts.append(f"about {said_seconds(left)} left")
        return ", ".join(part for part in parts if part)

    def _spent(self) -> str:
        from ..prices import dollars

        if self.ledger is None:
            return f"{self.counts.tokens:,} tokens"
        spent = self.ledger.bench.spent
        tokens = f"{spent.tokens:,} tokens"
        return tokens if self.bench.price is None else f"{tokens}, {dollars(Fraction(spent.micro))}"

    def _waits(self) -> Iterator[str]:
        if self.counts.paused:
            yield self.counts.paused
        if not self.bench.model.provider:
            return
        from ..models.limiter import limiter_of

        limiter = limiter_of(self.bench.model.provider)
        if limiter.sleeping or limiter.waiting:
            yield f"{limiter.sleeping + limiter.waiting} calls wait for the rate limit"
        elif limiter.rate_limit_waits:
            yield f"{limiter.rate_limit_waits} rate-limit waits"


@contextmanager
def watched(bench: Bench, stages: Sequence[Stage], ledger: Ledger | None, show: bool) -> Iterator[None]:
    """While inside, shows how far ``bench`` has come with ``stages``."""
    if not show:
        yield
        return
    report = Report(Counts({stage.name: bench.runs for stage in stages}), bench, ledger)
    if sys.stderr.isatty():
        with _live(report):
            yield
    else:
        _plainly(report)
        yield


def _plainly(report: Report) -> None:
    """A line of plain text, every ten seconds at most, and before a pause."""
    counts = report.counts
    last = counts.clock()

    def ended(unit: Unit, outcome: RunOutcome, reused: bool) -> None:
        nonlocal last
        counts.end(unit, outcome, reused)
        now = counts.clock()
        if now - last >= _PLAIN_EVERY:
            last = now
            click.echo(report.line(), err=True)

    def waits(runs: int, fault: str, seconds: float) -> None:
        click.echo(_pause(runs, fault, seconds), err=True)

    def broken(kept: Path, why: str) -> None:
        click.echo(_torn(kept, why), err=True)

    report.bench.watch = Watch(counts.begin, ended, waits, broken)


def _torn(kept: Path, why: str) -> str:
    return f"a run was torn by a power cut ({why}) and is made again; what is left of it: {printable(str(kept), 300)}"


def _pause(runs: int, fault: str, seconds: float) -> str:
    many = "1 run" if runs == 1 else f"{runs} runs"
    return f"{many} failed ({printable(fault, 120)}); tried again in {said_seconds(seconds)}"


@contextmanager
def _live(report: Report) -> Iterator[None]:
    from rich.console import Console
    from rich.live import Live

    counts = report.counts
    console = Console(stderr=True, highlight=False)

    def waits(runs: int, fault: str, seconds: float) -> None:
        console.print(_pause(runs, fault, seconds), style="yellow", markup=False)
        counts.paused = f"{runs} to be tried again"

    def broken(kept: Path, why: str) -> None:
        console.print(_torn(kept, why), style="yellow", markup=False)

    report.bench.watch = Watch(counts.begin, counts.end, waits, broken)
    with Live(get_renderable=lambda: table_of(report), console=console, refresh_per_second=4, transient=True):
        yield


def table_of(report: Report) -> Table:
    """The live table: a row per scenario and pack, those that go on first, then the sentence."""
    from rich.table import Table
    from rich.text import Text

    counts = report.counts
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True, ratio=1)
    rows: list[tuple[bool, str, int, int]] = []
    running = {name for name, _ in list(counts.running)}
    for name, total in list(counts.totals.items()):
        done = len(counts.ended.get(name, ()))
        begun = done > 0 or name in running
        rows.append((not begun or done >= total, name, done, total))
    for _, name, done, total in sorted(rows, key=lambda row: row[0])[:_ROWS]:
        pack, _, scenario = name.partition("/")
        row = Text(_bar(done, total), style="green" if done >= total else "cyan")
        row.append(f" {done}/{total} ", "bold")
        row.append(
            f"{printable(scenario, 28)} {printable(pack.rpartition('-')[0], 28)}", "dim" if done >= total else ""
        )
        table.add_row(row)
    if len(rows) > _ROWS:
        table.add_row(Text(f"… and {len(rows) - _ROWS} more", style="dim"))
    summary: Any = Text(report.line(), style="bold", no_wrap=False)
    outer = Table.grid()
    outer.add_row(table)
    outer.add_row(summary)
    return outer


def _bar(done: int, total: int) -> str:
    filled = _BAR * done // max(1, total)
    return "█" * filled + "░" * (_BAR - filled)
