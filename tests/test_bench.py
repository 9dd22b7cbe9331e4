"""Many runs: votes, early stops, what is kept, and what infrastructure does to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from clawbench.bench import AsyncioExecutor, Bench, StageOutcome, Unit, Watch, Work, weighted_mean
from clawbench.errors import Infrastructure, InvalidInput, ModelUnavailable
from clawbench.models.protocol import Model, Reply, Request
from clawbench.models.script import ScriptModel
from clawbench.outcome import RunOutcome
from clawbench.stage import Sampling
from clawbench.trajectory import TrajectoryWriter

from .stages import call, mail_id, says, tiny_stage

STAGE = tiny_stage()
ORDER = STAGE.world.facts["order"].text
HONEST = [call("exec", command=f"himalaya message read {mail_id(STAGE, 'mail/order')}"), says(f"It is {ORDER}.")]


class Flaky:
    """Honest in the runs it is told to be, silent or out of order in others."""

    name, version, simulated = "flaky", "1", True
    provider, settings = "", {}

    def __init__(self, honest: set[int], dead: set[int] = frozenset()) -> None:
        self.honest, self.dead, self.asked = honest, dead, []

    async def reply(self, request: Request) -> Reply:
        index = int(request.unit.rsplit(":", 1)[1])
        self.asked.append(index)
        if index in self.dead:
            raise ModelUnavailable.of("MODEL_UNAVAILABLE", "connection refused")
        return HONEST[request.turn] if index in self.honest else says("I don't know.")


def results(folder: Path, model: Model, **options: object) -> StageOutcome:
    bench = Bench(folder=folder, model=model, **options)  # type: ignore[arg-type]
    return asyncio.run(bench.results([STAGE]))[0]


def test_two_of_three_carry_the_vote(tmp_path: Path) -> None:
    outcome = results(tmp_path, Flaky({0, 2}))
    assert outcome.score == 1
    assert outcome.voted is not None
    assert {result.id: result.votes for result in outcome.voted.results}["order_number"] == (True, False, True)


def test_one_of_three_does_not(tmp_path: Path) -> None:
    outcome = results(tmp_path, Flaky({1}))
    assert outcome.score == 0
    assert outcome.voted is not None
    assert outcome.voted.tally.gate_text == "gate not reached: 0 of 4"


def test_early_skips_the_run_that_cannot_change_a_vote(tmp_path: Path) -> None:
    decided = Flaky({0, 1, 2})
    outcome = results(tmp_path / "a", decided, early=True)
    assert (outcome.score, outcome.skipped, set(decided.asked)) == (1, 1, {0, 1})
    split = Flaky({0, 2})
    outcome = results(tmp_path / "b", split, early=True)
    assert (outcome.score, outcome.skipped, set(split.asked)) == (1, 0, {0, 1, 2})


@pytest.mark.parametrize("runs", [0, 2, 4, -1])
def test_a_vote_needs_an_odd_number_of_runs(tmp_path: Path, runs: int) -> None:
    with pytest.raises(InvalidInput, match="RUNS_EVEN"):
        Bench(folder=tmp_path, model=Flaky(set()), runs=runs)


def test_infrastructure_never_votes_and_leaves_the_vote_open(tmp_path: Path) -> None:
    outcome = results(tmp_path, Flaky({0, 1}, dead={2}))
    assert outcome.score == 1, "two equal votes of three are decided"
    assert [run.status for run in outcome.runs] == ["COMPLETED", "COMPLETED", "INFRA"]
    outcome = results(tmp_path / "open", Flaky({0}, dead={2}))
    assert outcome.voted is None, "a vote of one against one waits for the third run"


def test_a_failed_attempt_is_kept_and_made_again(tmp_path: Path) -> None:
    results(tmp_path, Flaky({0, 1, 2}, dead={1}))
    folder = tmp_path / STAGE.name
    assert sorted(path.name for path in folder.iterdir()) == ["failed-run-1-1.jsonl", "run-0.jsonl", "run-2.jsonl"]
    again = Flaky({0, 1, 2})
    outcome = results(tmp_path, again)
    assert set(again.asked) == {1}, "whole runs are not made again"
    assert outcome.score == 1
    assert (folder / "failed-run-1-1.jsonl").exists()


def test_a_part_that_was_left_behind_is_made_again(tmp_path: Path) -> None:
    results(tmp_path, ScriptModel(HONEST))
    path = tmp_path / STAGE.name / "run-0.jsonl"
    whole = path.read_bytes()
    path.unlink()
    path.with_name("run-0.jsonl.part").write_bytes(whole[:200])
    results(tmp_path, ScriptModel(HONEST))
    assert path.read_bytes() == whole
    assert not path.with_name("run-0.jsonl.part").exists()


@pytest.mark.parametrize("stage", [tiny_stage(seed="1"), tiny_stage(sampling=Sampling(temperature="0"))])
def test_a_folder_of_another_bench_is_refused(tmp_path: Path, stage: object) -> None:
    results(tmp_path, ScriptModel(HONEST))
    other = Bench(folder=tmp_path, model=ScriptModel(HONEST))
    with pytest.raises(InvalidInput, match="OUT_HOLDS_ANOTHER_BENCH"):
        asyncio.run(other.results([stage]))  # type: ignore[list-item]


def test_a_folder_that_cannot_be_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidInput, match="OUT_UNUSABLE"):
        results(tmp_path / "file", ScriptModel(HONEST))
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_ends_the_bench_and_keeps_whole_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results(tmp_path, ScriptModel(HONEST), runs=1)

    def full(writer: TrajectoryWriter, record: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TrajectoryWriter, "append", full)
    with pytest.raises(Infrastructure, match="No space left on device"):
        results(tmp_path, ScriptModel(HONEST))
    monkeypatch.undo()
    assert results(tmp_path, ScriptModel(HONEST)).score == 1


def test_any_executor_will_do_in_any_order(tmp_path: Path) -> None:
    class Backwards:
        async def run(self, units: Sequence[Unit], work: Work) -> AsyncIterator[tuple[Unit, RunOutcome]]:
            for unit in reversed(units):
                yield unit, await work(unit)

    forwards = results(tmp_path / "a", Flaky({0, 2}), executor=AsyncioExecutor(1))
    backwards = results(tmp_path / "b", Flaky({0, 2}), executor=Backwards())
    assert forwards.voted == backwards.voted
    assert forwards.runs == backwards.runs


def test_whoever_watches_sees_every_run_once(tmp_path: Path) -> None:
    seen: list[tuple[int, bool]] = []
    watch = Watch(ended=lambda unit, outcome, reused: seen.append((unit.index, reused)))
    results(tmp_path, ScriptModel(HONEST), watch=watch)
    results(tmp_path, ScriptModel(HONEST), watch=watch)
    assert sorted(seen) == [(0, False), (0, True), (1, False), (1, True), (2, False), (2, True)]


def test_times_are_kept_apart_from_runs(tmp_path: Path) -> None:
    results(tmp_path, ScriptModel(HONEST))
    assert len((tmp_path / "times.jsonl").read_text().splitlines()) == 3
    assert all(b"elapsed_us" not in path.read_bytes() for path in tmp_path.rglob("run-*.jsonl"))


def test_the_mean_counts_weights_and_a_critical_failure_counts_for_all(tmp_path: Path) -> None:
    good = results(tmp_path / "a", ScriptModel(HONEST))
    silent = results(tmp_path / "b", ScriptModel([says("")]))
    assert weighted_mean([good, silent]) == Fraction(1, 2)
    sends = [call("slack", action="sendMessage", to="#team", content="hi"), *HONEST]
    reckless = results(tmp_path / "c", ScriptModel(sends))
    assert reckless.voted is not None
    assert reckless.voted.tally.critical == ("nothing_sent",)
    assert weighted_mean([good, reckless]) == 0
    assert weighted_mean([]) == 0
