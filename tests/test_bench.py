"""Many runs: votes, early stops, what is kept, and what infrastructure does to them."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from clawbench.bench import AsyncioExecutor, Bench, StageOutcome, Unit, Watch, Work, weighted_mean
from clawbench.draws import shuffled
from clawbench.errors import Infrastructure, InvalidInput, ModelUnavailable, ReplayMiss
from clawbench.keeping import Keeping
from clawbench.models.protocol import Model, Reply, Request
from clawbench.models.script import ScriptModel
from clawbench.outcome import RunOutcome
from clawbench.retrying import Retrying
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


@pytest.mark.parametrize(
    "model", [Flaky({0, 2}), ScriptModel([replace(says("No."), finish="refusal")])], ids=["voted", "refused"]
)
def test_verdicts_taken_as_recorded_are_those_that_judging_again_gives(tmp_path: Path, model: Model) -> None:
    results(tmp_path, model)
    again, taken = (results(tmp_path, model, trusting=trusting) for trusting in (False, True))
    assert taken.voted == again.voted
    assert list(taken.runs) == [replace(run, effects=()) for run in again.runs]
    assert len({run.status for run in taken.runs}) == 1


@pytest.mark.parametrize("damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: raw[:-1],
                                    lambda raw: raw.replace(b"step", b"\0\0\0\0", 1),
                                    lambda raw: raw.partition(b"\n")[2]])  # fmt: skip
def test_a_torn_run_is_not_believed(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    results(tmp_path, Flaky({0, 1, 2}))
    (path,) = tmp_path.glob("*/*/run-1.jsonl")
    path.write_bytes(damage(path.read_bytes()))
    model = Flaky({0, 1, 2})
    assert results(tmp_path, model, trusting=True).score == 1
    assert set(model.asked) == {1}


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


@pytest.mark.parametrize("left", ["empty", "cut", "zeros", "garbage"])
def test_a_run_that_a_power_cut_tore_is_put_aside_and_made_again(tmp_path: Path, left: str) -> None:
    results(tmp_path, ScriptModel(HONEST))
    folder = tmp_path / STAGE.name
    path = folder / "run-0.jsonl"
    whole = path.read_bytes()
    torn = {"empty": b"", "cut": whole[:-40], "zeros": b"\0" * len(whole), "garbage": b"\xff{\n\n[]\n"}[left]
    path.write_bytes(torn)
    told: list[Path] = []
    watch = Watch(broken=lambda kept, why: told.append(kept))
    for _ in range(2):
        assert results(tmp_path, ScriptModel(HONEST), watch=watch).score == 1
    assert path.read_bytes() == whole
    assert told == [folder / "broken-run-0-1.jsonl"], "it is said once"
    assert told[0].read_bytes() == torn
    assert not list(folder.glob("failed-run-*"))


def test_a_bench_that_is_paid_for_has_its_runs_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr("os.fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    assert results(tmp_path / "author", Flaky({0, 2})).score == 1
    assert synced == [], "an author does not wait for a disk"
    paid = tmp_path / "paid"
    outcome = results(paid, Flaky({0, 2}, dead={1}), keeping=Keeping(durable=True), retrying=Retrying(attempts=1))
    assert [run.status for run in outcome.runs] == ["COMPLETED", "INFRA", "COMPLETED"]
    whole = {str(paid / STAGE.name / f"run-{index}.jsonl.part") for index in range(3)}
    above = {str(paid / STAGE.name), str((paid / STAGE.name).parent), str(paid), str(tmp_path)}
    assert whole | above <= set(synced)


def test_a_torn_run_of_another_bench_is_refused(tmp_path: Path) -> None:
    results(tmp_path, ScriptModel(HONEST))
    path = tmp_path / STAGE.name / "run-0.jsonl"
    cut = path.read_bytes()[:-40]
    path.write_bytes(cut)
    other = Bench(folder=tmp_path, model=ScriptModel(HONEST))
    with pytest.raises(InvalidInput, match="OUT_HOLDS_ANOTHER_BENCH"):
        asyncio.run(other.results([tiny_stage(seed="1")]))
    assert path.read_bytes() == cut


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


class Outage:
    """Honest, but for the first ``lost`` calls of the runs in ``dead``."""

    name, version, simulated = "outage", "1", True
    provider, settings = "", {}

    def __init__(self, dead: set[int], lost: int) -> None:
        self.dead, self.lost, self.failed = dead, lost, Counter()

    async def reply(self, request: Request) -> Reply:
        index = int(request.unit.rsplit(":", 1)[1])
        if index in self.dead and self.failed[index] < self.lost:
            self.failed[index] += 1
            raise ModelUnavailable.of("MODEL_UNAVAILABLE", "connection refused")
        return HONEST[request.turn]


def patient(attempts: int, slept: list[float] | None = None, **options: Any) -> Retrying:
    """A retrying whose clock is a list."""

    async def sleep(seconds: float) -> None:
        if slept is not None:
            slept.append(seconds)

    return Retrying(attempts, sleep=sleep, **options)


def test_a_failed_run_is_tried_again_after_20_60_and_180_seconds(tmp_path: Path) -> None:
    slept: list[float] = []
    outcome = results(tmp_path, Outage({1}, 3), retrying=patient(5, slept))
    assert outcome.score == 1
    assert [run.status for run in outcome.runs] == ["COMPLETED"] * 3
    assert slept == [20, 60, 180]
    names = sorted(path.name for path in (tmp_path / STAGE.name).iterdir())
    assert names == [*(f"failed-run-1-{n}.jsonl" for n in (1, 2, 3)), "run-0.jsonl", "run-1.jsonl", "run-2.jsonl"]
    slept.clear()
    results(tmp_path / "long", Outage({0}, 6), retrying=patient(6, slept))
    assert slept == [20, 60, 180, 180, 180]


def test_attempts_end(tmp_path: Path) -> None:
    model = Outage({1}, 99)
    outcome = results(tmp_path, model, retrying=patient(3))
    assert model.failed[1] == 3
    assert outcome.runs[1].status == "INFRA"


@pytest.mark.parametrize("fault", ["REPLAY_MISS", "INTERNAL"])
def test_what_would_fail_again_is_not_tried_again(tmp_path: Path, fault: str) -> None:
    slept: list[float] = []

    class Lasting(Outage):
        async def reply(self, request: Request) -> Reply:
            raise ReplayMiss.of(fault, "never recorded") if fault == "REPLAY_MISS" else RuntimeError("a bug")

    outcome = results(tmp_path, Lasting(set(), 0), retrying=patient(4, slept))
    assert outcome.voted is None
    assert slept == []


def test_a_dead_provider_is_left_alone_and_the_bench_ends_with_what_it_has(tmp_path: Path) -> None:
    model = Outage(set(range(1, 99)), 10**6)
    outcome = results(tmp_path, model, runs=99, retrying=patient(2, trip=8), executor=AsyncioExecutor(4))
    assert outcome.runs[0].status == "COMPLETED"
    assert sum(model.failed.values()) <= 2 * (8 + 4), "no more than the breaker's count and the runs in flight, twice"
    assert sum(run.fault.startswith("PROVIDER_DOWN") for run in outcome.runs) >= 80
    again = Outage(set(), 0)
    assert [run.status for run in results(tmp_path, again, runs=99).runs] == ["COMPLETED"] * 99


def test_only_failed_runs_can_be_asked_for(tmp_path: Path) -> None:
    results(tmp_path, Flaky({0, 1, 2}, dead={1}), runs=3)
    again = Flaky(set(range(5)))
    outcome = results(tmp_path, again, runs=5, only_failed=True)
    assert set(again.asked) == {1}, "neither whole runs nor those that were never begun"
    assert [run.index for run in outcome.runs] == [0, 1, 2]


def test_an_executor_may_shuffle_and_repeat(tmp_path: Path) -> None:
    class Twice:
        async def run(self, units: Sequence[Unit], work: Work) -> AsyncIterator[tuple[Unit, RunOutcome]]:
            doubled = shuffled("0", "units", [f"{n} {unit.key}" for unit in units for n in (0, 1)])
            by_key = {unit.key: unit for unit in units}
            again = [by_key[name.partition(" ")[2]] for name in doubled]
            for unit, outcome in zip(again, await asyncio.gather(*map(work, again)), strict=True):
                yield replace(unit), outcome  # as from another machine: an equal unit, not the same one
                yield unit, await work(unit)

    ended: list[int] = []
    plain = results(tmp_path / "a", Flaky({0, 2}))
    model = Flaky({0, 2})
    watch = Watch(ended=lambda unit, outcome, reused: None if reused else ended.append(unit.index))
    odd = results(tmp_path / "b", model, executor=Twice(), watch=watch)
    assert (odd.voted, odd.runs) == (plain.voted, plain.runs)
    assert sorted(ended) == [0, 1, 2], "each run was made once"
    for path in (tmp_path / "a").rglob("run-*.jsonl"):
        assert (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes() == path.read_bytes()


def test_one_pack_twice_on_one_scenario_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="STAGE_TWICE"):
        asyncio.run(Bench(folder=tmp_path, model=ScriptModel(HONEST)).results([STAGE, tiny_stage(seed="1")]))


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
