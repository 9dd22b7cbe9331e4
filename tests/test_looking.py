"""Looking at recorded runs: steps, partings, reliability."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import dataclasses
import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawbench.bench import Bench
from clawbench.cli import compare, show, stats
from clawbench.errors import ClawbenchError, InvalidInput, TrajectoryInvalid
from clawbench.models.protocol import Model, Reply, Request
from clawbench.models.script import ScriptModel
from clawbench.parting import paired, parting
from clawbench.recorded import one_run, recorded_runs
from clawbench.report.differing import differences, print_differences
from clawbench.report.reliability import print_reliability, reliability
from clawbench.report.showing import print_walkthrough, walkthrough_document
from clawbench.scenario import load_scenario
from clawbench.settling import chance_at_least, pass_hat, runs_to_settle, settled, vote_passes
from clawbench.stage import Stage, staged
from clawbench.trajectory import read_trajectory
from clawbench.walkthrough import Walkthrough, walkthrough

from .stages import call, calls, pack_with, says, tiny_stage


@pytest.fixture(scope="module")
def stage() -> Stage:
    """A scenario of the library: `show` finds it again by its name."""
    from clawbench.pack import pack_from_text

    return staged(load_scenario(ROOT / "scenarios" / "client_escalation.yaml"), pack_from_text("Help.", "plain"))


def bench_of(folder: Path, stage: Stage, model: Model, runs: int = 1) -> Path:
    asyncio.run(Bench(folder=folder, model=model, runs=runs).results([stage]))
    return folder


SENDS = [
    call("exec", command="gcalcli agenda"),
    call("slack", action="sendMessage", to="#settlement-eng", content="hi \x1b[31mred"),
    says("Done.\n1. one thing\n2. two things\n3. three things\n\x1b]0;title\x07"),
]


ROOT = Path(__file__).parents[1]


class TestWalkthrough:
    def walked(self, folder: Path, stage: Stage) -> Walkthrough:
        return walkthrough(one_run(bench_of(folder, stage, ScriptModel(SENDS))))

    def test_it_says_at_which_step_a_check_fell(self, tmp_path: Path, stage: Stage) -> None:
        shown = self.walked(tmp_path, stage)
        assert [step.failing for step in shown.steps] == [(), ("nothing_sent",), ()]
        assert shown.settled["nothing_sent"] == 2
        assert shown.settled["root_cause"] == 0, "it never passed"
        assert shown.settled["numbered_plan"] == 3
        assert shown.steps[1].calls[0].effects[0][::2] == ("slack.post", "done")
        last = {check["id"]: check["passed"] for check in shown.checks}
        passing = {check for step in shown.steps for check in step.passing}
        assert all(last[check] for check in passing)

    def test_what_it_says_at_the_end_are_the_recorded_verdicts(self, tmp_path: Path, stage: Stage) -> None:
        document = walkthrough_document(self.walked(tmp_path, stage))
        assert json.loads(json.dumps(document))["checks"][0]["id"] == "nothing_sent"
        assert [step["now_fails"] for step in document["steps"]] == [[], ["nothing_sent"], []]

    @pytest.mark.parametrize("full", [False, True])
    def test_it_fits_80_columns_and_steers_no_terminal(
        self,
        tmp_path: Path,
        stage: Stage,
        full: bool,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        print_walkthrough(self.walked(tmp_path, stage), full=full)
        printed = capsys.readouterr().out
        assert "\x1b" not in printed
        assert "\x07" not in printed
        assert max(map(len, printed.splitlines())) <= 80
        assert "now fails: nothing_sent" in printed
        assert "nothing_sent fell at step 2" in printed
        assert "slack.post #settlement-eng: done" in " ".join(printed.split())
        assert ("more lines" in printed) is not full

    def test_a_run_whose_scenario_is_not_here_is_shown_without_steps_of_checks(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tiny = tiny_stage(pack_with(tmp_path, approval_gates=["slack"]))
        script = [calls(("slack", '{"action": "listChannels"}'), ("nothing", "{}"), ("exec", "{")), says("")]
        shown = walkthrough(one_run(bench_of(tmp_path / "out", tiny, ScriptModel(script))))
        assert shown.settled == {}
        assert [call.disposition for call in shown.steps[0].calls] == ["gated", "denied", "invalid"]
        print_walkthrough(shown)
        printed = capsys.readouterr().out
        assert "refused by the user" in printed
        assert "no step is known for a check" in " ".join(printed.split())

    def test_a_changed_record_is_one_sentence(self, tmp_path: Path, stage: Stage) -> None:
        bench_of(tmp_path, stage, ScriptModel(SENDS))
        (path,) = tmp_path.rglob("run-0.jsonl")
        path.write_text(path.read_text().replace('"usage":[100,20]', '"usage":7', 1))
        with pytest.raises(TrajectoryInvalid, match="TRAJECTORY_SHAPE"):
            walkthrough(read_trajectory(path))

    def test_a_folder_without_a_run_or_with_several_is_said(self, tmp_path: Path, stage: Stage) -> None:
        (tmp_path / "none").mkdir()
        with pytest.raises(TrajectoryInvalid, match="RUNS_NONE"):
            one_run(tmp_path / "none")
        with pytest.raises(TrajectoryInvalid, match="RUNS_NONE"):
            recorded_runs(tmp_path / "none")
        bench_of(tmp_path / "some", stage, ScriptModel(SENDS), runs=3)
        with pytest.raises(TrajectoryInvalid, match=r"3 runs .*run-0\.jsonl"):
            one_run(tmp_path / "some")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory, stage: Stage) -> Path:
    (path,) = bench_of(tmp_path_factory.mktemp("honest"), stage, ScriptModel(SENDS)).rglob("run-0.jsonl")
    return path


JUNK = st.sampled_from([None, True, -1, 2**70, 0.5, "", "\x1b[2J", "1e999999999", "9" * 5000, [], [[]], {}, {"a": 1}])


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a JSON document."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from leaves(value[key], (*path, key))


@given(data=st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_record_holds_looking_at_it_ends_in_a_sentence(
    honest: Path, tmp_path: Path, data: st.DataObject, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [json.loads(line) for line in honest.read_text().splitlines()]
    for _ in range(data.draw(st.integers(1, 3))):
        record = data.draw(st.sampled_from(records))
        way = data.draw(st.sampled_from([way for way in leaves(record["clawbench"]) if way]))
        holder = record["clawbench"]
        try:
            for key in way[:-1]:
                holder = holder[key]
            holder[way[-1]] = copy.deepcopy(data.draw(JUNK))
        except (TypeError, LookupError):
            continue  # an earlier change has removed it
    path = tmp_path / "run-0.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    for command, words in ((show.command, [path]), (compare.command, [path, honest]), (stats.command, [path])):
        with contextlib.suppress(ClawbenchError):
            command.main([str(word) for word in words], standalone_mode=False)
    assert "\x1b[2J" not in capsys.readouterr().out


class TestParting:
    def parted(self, tmp_path: Path, stage: Stage, other: list[Reply]) -> tuple[int | None, str, str, str]:
        a = one_run(bench_of(tmp_path / "a", stage, ScriptModel(SENDS)))
        b = one_run(bench_of(tmp_path / "b", stage, ScriptModel(other)))
        met = parting(a, b)
        assert met.same_start
        return met.step, met.what, met.a, met.b

    def test_the_same_steps_part_nowhere(self, tmp_path: Path, stage: Stage) -> None:
        assert self.parted(tmp_path, stage, SENDS) == (None, "", "", "")

    def test_another_call(self, tmp_path: Path, stage: Stage) -> None:
        other = [SENDS[0], call("exec", command="date"), SENDS[2]]
        step, what, _, there = self.parted(tmp_path, stage, other)
        assert (step, what, there) == (2, "action", 'exec {"command": "date"}')

    def test_a_call_less_and_an_answer_sooner(self, tmp_path: Path, stage: Stage) -> None:
        assert self.parted(tmp_path, stage, [SENDS[0], says("Done.")])[::3] == (2, "says 'Done.'")

    def test_packs_of_other_names_are_paired_where_there_is_one(self, tmp_path: Path, stage: Stage) -> None:
        from clawbench.pack import pack_from_text

        other = staged(stage.scenario, pack_from_text("Help well.", "better"), world=stage.world, rubric=stage.rubric)
        a = recorded_runs(bench_of(tmp_path / "a", stage, ScriptModel(SENDS), 3))
        b = recorded_runs(bench_of(tmp_path / "b", other, ScriptModel([says("Nothing.")]), 3))
        assert list(paired(a, b)) == [("client_escalation", "plain → better")]
        (found,) = differences(a, b)["stages"]
        changed = {change["check"]: change for change in found["checks"]}
        assert changed["nothing_sent"]["votes"] == ["0/3", "3/3"]
        assert changed["nothing_sent"]["passed"] == [False, True]
        assert changed["nothing_sent"]["reason"].startswith("slack.post to #settlement-eng")
        assert [pair["step"] for pair in found["runs"]] == [1, 1, 1]
        assert not found["runs"][0]["same_start"]
        tiny = recorded_runs(bench_of(tmp_path / "c", tiny_stage(), ScriptModel([says("")])))
        with pytest.raises(InvalidInput, match="NOTHING_TO_COMPARE"):
            paired(a, tiny)

    def test_it_fits_80_columns(
        self, tmp_path: Path, stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        a = recorded_runs(bench_of(tmp_path / "a", stage, ScriptModel(SENDS), 3))
        b = recorded_runs(bench_of(tmp_path / "b", stage, ScriptModel([says("\x1b[2J" * 99)]), 3))
        print_differences(differences(a, b), "a", "b")
        printed = capsys.readouterr().out
        assert "\x1b" not in printed
        assert max(map(len, printed.splitlines())) <= 80
        assert "run 0: they part at step 1" in printed


class TestReliability:
    def test_flaky_checks_are_found_and_counted(
        self, tmp_path: Path, stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Moody(ScriptModel):
            async def reply(self, request: Request) -> Reply:
                return says("Plan:\n1. one thing\n2. two things\n3. three things" if int(request.unit[-1]) < 2 else "")

        runs = recorded_runs(bench_of(tmp_path, stage, Moody([]), 3))
        (found,) = reliability(runs, Fraction(0))["stages"]
        flaky = {entry["check"]: entry for entry in found["flaky"]}
        assert flaky["numbered_plan"]["passed"] == 2
        assert flaky["numbered_plan"]["vote_passes"] == {"1": 0.666667, "3": 0.740741, "5": 0.790123}
        assert found["pass_hat"] == {"1": 1.0, "3": 1.0}
        assert reliability(runs, None)["stages"][0]["passed"] == 0, "the gate was not reached"
        json.dumps(found)
        monkeypatch.setenv("COLUMNS", "80")
        print_reliability(reliability(runs, None))
        printed = capsys.readouterr().out
        assert max(map(len, printed.splitlines())) <= 80
        assert "numbered_plan" in printed
        assert "more runs, if they go on like this" in printed

    @given(st.integers(1, 12), st.data())
    def test_pass_hat_counts_the_draws_that_all_pass(self, runs: int, data: st.DataObject) -> None:
        passed = data.draw(st.integers(0, runs))
        k = data.draw(st.integers(1, min(runs, 4)))
        results = [number < passed for number in range(runs)]
        draws = [draw for draw in product(range(runs), repeat=k) if len(set(draw)) == k]
        share = Fraction(sum(all(results[number] for number in draw) for draw in draws), len(draws))
        assert pass_hat(passed, runs, k) == share

    @given(st.fractions(0, 1, max_denominator=20), st.sampled_from([1, 3, 5, 7]))
    def test_a_vote_is_the_sum_over_all_outcomes(self, share: Fraction, runs: int) -> None:
        total = Fraction(0)
        for outcome in product((True, False), repeat=runs):
            if sum(outcome) * 2 > runs:
                chance = Fraction(1)
                for passed in outcome:
                    chance *= share if passed else 1 - share
                total += chance
        assert vote_passes(share, runs) == total

    def test_known_values(self) -> None:
        assert chance_at_least(3, 3) == Fraction(1, 8)
        assert [settled(n, n) for n in (5, 6)] == [False, True], "2/32 is more than one in twenty, 2/64 is less"
        assert runs_to_settle(6, 6) == 0
        assert runs_to_settle(3, 3) == 4, "seven, since six is even"
        assert runs_to_settle(1, 2) is None
        assert runs_to_settle(1, 3) == runs_to_settle(2, 3)

    @given(st.integers(1, 120), st.data())
    @settings(deadline=None)
    def test_the_short_cut_changes_nothing(self, runs: int, data: st.DataObject) -> None:
        passed = data.draw(st.integers(0, runs))
        exact = 2 * chance_at_least(max(passed, runs - passed), runs) <= Fraction(1, 20)
        assert settled(passed, runs) == exact

    @given(st.integers(1, 9), st.data())
    @settings(deadline=None)
    def test_so_many_runs_settle_it_and_no_fewer(self, runs: int, data: st.DataObject) -> None:
        passed = data.draw(st.integers(0, runs))
        more = runs_to_settle(passed, runs)
        if more:
            ahead = max(passed, runs - passed)
            assert (runs + more) % 2 == 1
            assert settled(ahead * (runs + more) // runs, runs + more)
            totals = range(runs + 1, runs + more)
            assert not any(total % 2 and settled(ahead * total // runs, total) for total in totals)

    @pytest.mark.parametrize("k", [0, 4])
    def test_more_runs_than_there_are_cannot_be_drawn(self, k: int) -> None:
        with pytest.raises(ValueError, match="pass"):
            pass_hat(1, 3, k)


@pytest.mark.parametrize("kept", [{"checks": {}, "score": None}, {"score": None}])
def test_runs_without_verdicts_or_scores_are_counted_and_nothing_is_divided_by_them(
    honest: Path, capsys: pytest.CaptureFixture[str], kept: dict[str, Any]
) -> None:
    runs = [dataclasses.replace(run, **kept) for run in recorded_runs(honest.parent)]
    found = reliability(runs, None)
    print_reliability(found)
    (stage,) = found["stages"]
    assert stage["score"]["mean"] is None
    assert stage["runs"] == (0 if "checks" in kept else len(runs))
    assert ("no run has a verdict" in capsys.readouterr().out) == ("checks" in kept)
