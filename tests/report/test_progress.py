"""Progress: counted right, quiet where it should be, and no part of a bench's bytes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from rich.console import Console

from clawbench.bench import Bench, Unit
from clawbench.budget import Budgets, Ledger
from clawbench.errors import ModelUnavailable
from clawbench.models.protocol import Reply, Request, Usage
from clawbench.models.script import ScriptModel
from clawbench.outcome import RunOutcome
from clawbench.prices import Price
from clawbench.report.progress import Counts, Report, said_seconds, table_of, watched
from clawbench.retrying import Retrying
from tests.stages import says, tiny_stage

STAGE = tiny_stage()
NONE = Fraction(0)


def outcome(index: int, status: str = "COMPLETED", tokens: int = 500) -> RunOutcome:
    return RunOutcome(index, status, "", "", (), None, (), 0, 0, tokens, 0, NONE, NONE)  # type: ignore[arg-type]


def counts(total: int = 10) -> tuple[Counts, list[float]]:
    clock = [0.0]
    return Counts({STAGE.name: total}, clock=lambda: clock[0]), clock


def test_the_end_is_estimated_from_what_this_process_made(tmp_path: Path) -> None:
    seen, clock = counts()
    bench = Bench(folder=tmp_path, model=ScriptModel([]), runs=11)
    report = Report(seen, bench, None)
    seen.end(Unit(STAGE, 0), outcome(0), True)
    assert report.line() == "1 of 10 runs (1 were there), 500 tokens"
    for index in range(1, 5):
        seen.begin(Unit(STAGE, index))
    assert "4 in flight" in report.line()
    clock[0] = 40.0
    for index in range(1, 5):
        seen.end(Unit(STAGE, index), outcome(index), False)
    assert report.line() == "5 of 10 runs (1 were there), 2,500 tokens, about 50 s left"
    seen.end(Unit(STAGE, 4), outcome(4, "INFRA"), False)
    assert seen.done == 5, "a run that is tried again counts once"
    assert "1 failed" in report.line()
    for index in range(5, 10):
        seen.end(Unit(STAGE, index), outcome(index), False)
    assert "left" not in report.line()


def test_a_ledger_knows_the_tokens_and_dollars_of_calls_in_flight(tmp_path: Path) -> None:
    price = Price(Fraction(3), Fraction(3), Fraction(15))
    ledger = Ledger(Budgets(), price, [("a:b:0", Usage(1000, 100))])
    bench = Bench(folder=tmp_path, model=ScriptModel([]), price=price)
    assert Report(counts()[0], bench, ledger).line() == "0 of 10 runs, 1,100 tokens, $0.0045"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (89.4, "89 s"), (90, "2 min"), (5000, "83 min"), (12_000, "3 h 20 min")]
)
def test_seconds_are_said_as_a_person_would(seconds: float, said: str) -> None:
    assert said_seconds(seconds) == said


def test_the_table_shows_what_goes_on_first_and_fits_80_columns(tmp_path: Path) -> None:
    seen = Counts({f"pack{number}-12345678/scenario_{number}": 3 for number in range(40)})
    seen.ended = {"pack0-12345678/scenario_0": {0: "COMPLETED", 1: "COMPLETED", 2: "INFRA"}}
    seen.running = {("pack39-12345678/scenario_39", 0)}
    bench = Bench(folder=tmp_path, model=ScriptModel([]))
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table_of(Report(seen, bench, None)))
    console.file.close()
    lines = console.export_text().splitlines()
    assert "scenario_39 pack39" in lines[0]
    assert "… and 28 more" in lines[12]
    assert max(map(len, lines)) <= 80


class Down(ScriptModel):
    """Fails the first call."""

    failed = False

    async def reply(self, request: Request) -> Reply:
        if not self.failed:
            self.failed = True
            raise ModelUnavailable.of("MODEL_CONNECTION", "no connection")
        return says("")


@pytest.fixture
def retrying() -> Retrying:
    async def sleep(seconds: float) -> None:
        return None

    return Retrying(2, sleep=sleep)


@pytest.mark.parametrize("show", [True, False])
def test_without_a_terminal_only_what_matters_is_said(
    tmp_path: Path, show: bool, retrying: Retrying, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = Bench(folder=tmp_path, model=Down([]), retrying=retrying)
    with watched(bench, [STAGE], None, show):
        asyncio.run(bench.results([STAGE]))
    said = "1 run failed (MODEL_CONNECTION: no connection); tried again in 20 s\n" if show else ""
    assert capsys.readouterr().err == said


def test_nothing_live_is_imported_before_it_is_needed() -> None:
    code = "import sys, clawbench.report.progress; print('rich.live' in sys.modules, 'rich.table' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_torn_run_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torn = tmp_path / STAGE.name / "run-0.jsonl"
    torn.parent.mkdir(parents=True)
    for _ in range(2):
        torn.touch()
        bench = Bench(folder=tmp_path, model=ScriptModel([says("so")]))
        with watched(bench, [STAGE], None, True):
            asyncio.run(bench.results([STAGE]))
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("a run was torn by a power cut (TRAJECTORY_EMPTY) and is made again")
        assert "broken-run-0-" in line
        torn.unlink()
