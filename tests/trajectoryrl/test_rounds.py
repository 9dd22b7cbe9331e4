"""Rounds and controls: what fails alone is the pack's fault, what fails for all is nobody's."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from clawbench.errors import ModelUnavailable
from clawbench.executor import AsyncioExecutor, Unit
from clawbench.models import Reply, Request
from clawbench.models.offline import OfflineModel
from clawbench.outcome import RunOutcome
from tests.golden import KEY, LIBRARY, hotkey_of, inputs, parameters, sign
from tests.test_protocol_doc import vectors
from trajectoryrl.audit import audited
from trajectoryrl.decision import competing, decision
from trajectoryrl.entry import Entry
from trajectoryrl.epoch import plan
from trajectoryrl.evaluation import Attempt, Evaluation, Setting, provoked, settings
from trajectoryrl.manifest import ModelIdentity
from trajectoryrl.record import Epoch, write_record
from trajectoryrl.rounds import Evaluated, Seams, evaluated

SHARED = parameters()
PLAN = plan(11, 4, sha256(b"golden:4").hexdigest(), SHARED)
ENTRIES: tuple[Entry, ...] = competing(inputs(PLAN)[0], PLAN)[0]
UNITS = {entry.pack.sha256[:16]: entry.hotkey for entry in ENTRIES}
NAMES = {hotkey_of(name): name for name in ("careful", "baseline", "reckless", "provoker")}

Fault = Callable[["Asked"], str]


@dataclass(frozen=True)
class Asked:
    """A model call: whose pack's run, on which turn, and how many attempts at that run were begun before."""

    name: str
    turn: int
    attempt: int
    number: int


class Stopped(BaseException):
    """The validator is gone."""


@dataclass
class Trial:
    """One life after another of an epoch's evaluation in one folder; ``fault`` gives a code for a call, or nothing."""

    folder: Path
    fault: Fault
    made: tuple[Setting, ...]
    waits: list[float] = field(default_factory=list)
    begun: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    stop_at: int = 0

    def run(self, entries: tuple[Entry, ...] = ENTRIES, concurrency: int = 4) -> Evaluated:
        async def waited(seconds: float) -> None:
            self.waits.append(seconds)

        seams = Seams(executor=AsyncioExecutor(concurrency), sleep=waited)
        return asyncio.run(evaluated(entries, PLAN, self.made, Playing(self), SHARED, self.folder, seams))


class Playing(OfflineModel):
    """The offline model, failing as a trial says."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.trial = trial

    async def reply(self, request: Request) -> Reply:
        trial = self.trial
        if request.turn == 0:
            trial.begun[request.unit] += 1
        trial.calls += 1
        if trial.calls == trial.stop_at:
            raise Stopped
        name = NAMES[UNITS[request.unit.partition(":")[0]]]
        asked = Asked(name, request.turn, trial.begun[request.unit], trial.calls)
        if code := trial.fault(asked):
            raise ModelUnavailable.of(code, "no reply")
        return await super().reply(request)


@pytest.fixture(scope="module")
def made() -> tuple[Setting, ...]:
    return settings(PLAN, LIBRARY)


def by_name(found: Evaluated) -> dict[str, Evaluation]:
    owner = {entry.content: NAMES[entry.hotkey] for entry in ENTRIES}
    return {owner[row.content]: row for row in found.evaluations}


def no_fault(asked: Asked) -> str:
    return ""


def provoking(asked: Asked) -> str:
    return "MODEL_REJECTED" if asked.name == "provoker" else ""


def audits_clean(found: Evaluated, folder: Path) -> bool:
    given, evidence = inputs(PLAN)
    model = ModelIdentity.of(OfflineModel())
    epoch = Epoch(str(KEY.ss58_address), None, model, SHARED, PLAN, given, found.evaluations, evidence)
    asyncio.run(write_record(epoch, folder, sign))
    return audited(folder, scenarios=LIBRARY).problems == ()


def test_what_fails_alone_five_times_is_the_packs_fault(made: tuple[Setting, ...], tmp_path: Path) -> None:
    trial = Trial(tmp_path / "runs", provoking, made)
    found = trial.run()
    rows = by_name(found)
    assert rows["provoker"].score is not None
    assert rows["provoker"].score.exact == 0
    for verdict in rows["provoker"].scenarios:
        assert verdict.provoked == (0, 1, 2)
        assert set("".join(verdict.votes.values())) == {"0"}
        assert [attempt.status for attempt in verdict.attempts] == ["INFRA"] * 15
    assert trial.waits == [20, 60, 180, 180], "the protocol's waits, the last one again"
    controls = [control for row in found.evaluations for control in row.controls]
    assert len(controls) == 5, "one after each round"
    assert found.keep == ""
    assert audits_clean(found, tmp_path / "epoch-4")


def test_what_fails_alone_changes_nobody_elses_score(made: tuple[Setting, ...], tmp_path: Path) -> None:
    well = by_name(Trial(tmp_path / "well", no_fault, made).run())
    rows = by_name(Trial(tmp_path / "runs", provoking, made).run())
    assert {name: row.score for name, row in rows.items() if name != "provoker"} == {
        name: row.score for name, row in well.items() if name != "provoker"
    }
    assert well["careful"].score is not None


def test_a_run_that_completes_at_the_fifth_attempt_votes_as_it_ran(made: tuple[Setting, ...], tmp_path: Path) -> None:
    def late(asked: Asked) -> str:
        return "MODEL_SERVER" if asked.name == "careful" and asked.attempt <= 4 else ""

    rows = by_name(Trial(tmp_path, late, made).run())
    assert rows["careful"].score is not None
    assert rows["careful"].score.exact == 1
    assert not any(verdict.provoked for verdict in rows["careful"].scenarios)


@pytest.mark.parametrize("size", [0, 100])
def test_a_failed_attempt_that_a_power_cut_tore_is_none(size: int, made: tuple[Setting, ...], tmp_path: Path) -> None:
    def once(asked: Asked) -> str:
        return "MODEL_SERVER" if asked.name == "careful" and asked.attempt == 1 else ""

    trial = Trial(tmp_path, once, made)
    before = by_name(trial.run())["careful"]
    torn = list(tmp_path.glob("*/*/failed-run-*.jsonl"))
    assert torn
    for path in torn:
        path.write_bytes(path.read_bytes()[:size])
    after = by_name(trial.run())["careful"]
    assert after.score == before.score
    assert {a.status for verdict in after.scenarios for a in verdict.attempts} == {"COMPLETED"}


@pytest.mark.parametrize("code", ["INTERNAL", "REPLAY_MISS", "SCRIPT_ENDED"])
def test_a_bug_of_ours_is_never_the_packs_fault(code: str, made: tuple[Setting, ...], tmp_path: Path) -> None:
    trial = Trial(tmp_path, lambda asked: code if asked.name == "careful" else "", made)
    found = trial.run()
    rows = by_name(found)
    assert (rows["careful"].score, rows["careful"].cause) == (None, code)
    assert trial.waits == [], "it would fail again at once"
    assert found.keep == "", "the others are decided all the same"


def test_a_single_content_has_no_control(made: tuple[Setting, ...], tmp_path: Path) -> None:
    alone = tuple(entry for entry in ENTRIES if NAMES[entry.hotkey] == "provoker")
    found = Trial(tmp_path, provoking, made).run(alone)
    assert [(row.score, row.cause) for row in found.evaluations] == [(None, "MODEL_REJECTED")]
    assert "did not answer (MODEL_REJECTED)" in found.keep


def test_a_provider_that_goes_down_for_all_is_nobodys_fault(made: tuple[Setting, ...], tmp_path: Path) -> None:
    trial = Trial(tmp_path / "runs", lambda asked: "MODEL_SERVER" if asked.number > 40 else "", made)
    found = trial.run(concurrency=1)
    assert any(row.score is not None for row in found.evaluations), "some were decided before"
    undecided = [row for row in found.evaluations if row.score is None]
    assert undecided
    assert not any(verdict.provoked for row in undecided for verdict in row.scenarios)
    assert "did not answer (MODEL_SERVER)" in found.keep
    assert trial.waits == [20, 60, 180, 180]
    assert audits_clean(found, tmp_path / "epoch-4")


def test_one_round_without_a_control_saves_a_pack_from_blame(made: tuple[Setting, ...], tmp_path: Path) -> None:
    trial = Trial(tmp_path, no_fault, made)

    def fault(asked: Asked) -> str:
        down = len(trial.waits) == 2 and asked.name != "provoker"
        return "MODEL_SERVER" if asked.name == "provoker" or down else ""

    trial.fault = fault
    found = trial.run()
    provoker = by_name(found)["provoker"]
    assert (provoker.score, provoker.cause) == (None, "MODEL_SERVER")
    assert sum(len(row.controls) for row in found.evaluations) == 4
    assert found.keep == "", "the provider answered at last: the one pack is left out"


def test_a_winner_that_provokes_errors_with_a_friend_does_not_keep_its_weights(
    made: tuple[Setting, ...], tmp_path: Path
) -> None:
    fault = lambda asked: "MODEL_REJECTED" if asked.name in ("provoker", "baseline") else ""  # noqa: E731
    found = Trial(tmp_path, fault, made).run()
    given, _ = inputs(PLAN)
    from dataclasses import replace

    award = decision(
        replace(given, previous=hotkey_of("provoker"), keep=found.keep), PLAN, found.evaluations, SHARED
    ).award
    assert award.winner == hotkey_of("careful")
    assert not award.keep_previous


def test_a_key_that_never_worked_is_told_at_once(made: tuple[Setting, ...], tmp_path: Path) -> None:
    trial = Trial(tmp_path, lambda asked: "MODEL_AUTH", made)
    found = trial.run()
    assert trial.waits == []
    assert "MODEL_AUTH" in found.keep
    assert [row.score for row in found.evaluations] == [None] * 4


def test_a_budget_that_ends_between_two_attempts_keeps_the_weights(made: tuple[Setting, ...], tmp_path: Path) -> None:
    trial = Trial(tmp_path, lambda asked: "MODEL_SERVER" if asked.name == "careful" else "", made)

    class Purse:
        async def admitted(self, unit: Unit) -> str:
            return "BUDGET_BENCH: not begun" if trial.waits else ""

        def left(self, unit: Unit, outcome: RunOutcome | None) -> None:
            pass

    async def waited(seconds: float) -> None:
        trial.waits.append(seconds)

    seams = Seams(sleep=waited, admission=Purse())
    found = asyncio.run(evaluated(ENTRIES, PLAN, made, Playing(trial), SHARED, tmp_path, seams))
    assert found.keep == "the budget was spent before every pack had been evaluated"
    assert by_name(found)["careful"].score is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'[{"content": 1}]', b'[{"content": "x", "scenario": "desk", "after": [[1, 2]]}]', b"7"]
)
def test_controls_that_were_damaged_blame_nobody(body: bytes, made: tuple[Setting, ...], tmp_path: Path) -> None:
    trial = Trial(tmp_path, provoking, made)
    assert by_name(trial.run())["provoker"].score is not None
    for path in (tmp_path / "controls").glob("*.json"):
        path.write_bytes(body)
    found = trial.run()
    assert by_name(found)["provoker"].score is None
    assert by_name(found)["careful"].score is not None


def test_a_pack_that_fails_at_once_shuts_nobody_out(made: tuple[Setting, ...], tmp_path: Path) -> None:
    class Slow(Playing):
        async def reply(self, request: Request) -> Reply:
            if UNITS[request.unit.partition(":")[0]] != hotkey_of("provoker"):
                await asyncio.sleep(0.01)
            return await super().reply(request)

    trial = Trial(tmp_path, provoking, made)

    async def at_once(seconds: float) -> None:
        trial.waits.append(seconds)
        raise Stopped

    seams = Seams(executor=AsyncioExecutor(16), sleep=at_once)
    decided: list[Evaluation] = []
    seams = Seams(executor=AsyncioExecutor(16), sleep=at_once, done=decided.append)
    with pytest.raises(Stopped):
        asyncio.run(evaluated(ENTRIES, PLAN, made, Slow(trial), SHARED, tmp_path, seams))
    assert len(decided) == 3, "in the first round, before any wait"


def test_killed_anywhere_it_comes_to_the_same_attempts_and_controls(made: tuple[Setting, ...], tmp_path: Path) -> None:
    whole = Trial(tmp_path / "whole", provoking, made)
    expected = _told(whole.run(concurrency=1))
    stops = range(3, whole.calls, max(1, whole.calls // 25))
    for stop in stops:
        trial = Trial(tmp_path / str(stop), provoking, made, stop_at=stop)
        with pytest.raises(Stopped):
            trial.run(concurrency=1)
        trial.begun.clear()
        assert _told(trial.run(concurrency=1)) == expected, f"stopped at call {stop}"
    assert len(stops) >= 20


def _told(found: Evaluated) -> list[object]:
    return [
        [
            row.content,
            row.score,
            [(verdict.scenario, verdict.provoked, verdict.votes) for verdict in row.scenarios],
            [(a.run, a.number, a.status, a.fault) for verdict in row.scenarios for a in verdict.attempts],
            [(c.scenario, c.attempt.run, c.attempt.number, c.after) for c in row.controls],
        ]
        for row in found.evaluations
    ]


def test_the_protocols_vectors() -> None:
    given = vectors("provoked")
    for row in given:
        attempts = [
            Attempt(0, number, "INFRA" if fault else "COMPLETED", f"{fault}: said", Path("x"))
            for number, fault in enumerate(row["attempts"])
        ]
        controlled = {(0, number) for number in row["controlled"]}
        assert provoked(attempts, controlled, SHARED.infra_attempts) == ((0,) if row["provoked"] else ()), row
    assert {row["provoked"] for row in given} == {True, False}
