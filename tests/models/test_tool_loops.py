"""Whole runs against each vendor's stub: tools in parallel and in sequence, mistakes, limits, storms."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clawbench.bench import AsyncioExecutor, Bench
from clawbench.limits import Limits
from clawbench.models.replay import ReplayModel
from clawbench.stage import Stage
from clawbench.trajectory import read_trajectory
from tests.models.vendors import KEY, QUICK, VENDORS, model_at, said
from tests.stages import mail_id, tiny_stage
from tests.stub_models import Answer, Asked, Script, message, refused

Turn = tuple[str | None, list[tuple[str, Any]]]


def good_turns(stage: Stage) -> list[Turn]:
    """Two calls at once, one call with broken arguments, one more, then the answer."""
    order = stage.world.facts["order"].text
    read = ("exec", {"command": f"himalaya message read {mail_id(stage, 'mail/order')}"})
    return [
        ("Let me look.", [("exec", {"command": "himalaya envelope list"}), ("memory_search", {"query": "order"})]),
        (None, [read]),
        (f"It is {order}.", []),
    ]


def script_of(vendor: str, turns: list[Turn]) -> Script:
    """The turns on the vendor's wire; which one is due is told by the conversation."""
    return lambda asked: Answer(said(vendor, *turns[asked.turn]))


def bench_of(model: Any, stage: Stage, folder: Path, runs: int = 1, at_a_time: int = 1) -> Any:
    """A stage's outcome."""
    bench = Bench(folder=folder, model=model, runs=runs, executor=AsyncioExecutor(at_a_time))
    return asyncio.run(bench.results([stage]))[0]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_run_earns_its_points_and_tells_its_tokens(vendor: str, tmp_path: Path) -> None:
    stage = tiny_stage()
    with model_at(vendor, script_of(vendor, good_turns(stage))) as (model, provider):
        outcome = bench_of(model, stage, tmp_path)
        name = model.name
    run = outcome.runs[0]
    assert (run.status, outcome.score, run.tool_calls) == ("COMPLETED", 1, 3)
    assert (run.usage.prompt, run.usage.completion, run.usage.cached, run.usage.reasoning) == (300, 60, 90, 15)
    assert len(provider.asked) == 3
    recorded = read_trajectory(next(tmp_path.rglob("run-0.jsonl")))
    assert recorded.start["model"]["name"] == name
    assert recorded.start["model"]["settings"]["model"] == "stub-1"
    assert recorded.steps[0]["served"] == ("claude-stub-20260101" if vendor == "anthropic" else "stub-2026-01-01")
    assert recorded.steps[0]["usage"] == [100, 20, 30, 5]
    assert {result["ok"] for step in recorded.steps for result in step["results"]} == {True}


def test_signed_thoughts_survive_a_run_and_its_replay(tmp_path: Path) -> None:
    stage = tiny_stage()
    turns = good_turns(stage)

    def script(asked: Asked) -> Answer:
        text, calls = turns[asked.turn]
        return Answer(message(text, calls, thinking=f"thought {asked.turn}"))

    with model_at("anthropic", script) as (model, provider):
        bench_of(model, stage, tmp_path)
    thoughts = [
        block
        for turn in provider.asked[-1].body["messages"]
        if turn["role"] == "assistant"
        for block in turn["content"]
        if block["type"] == "thinking"
    ]
    assert [thought["thinking"] for thought in thoughts] == ["thought 0", "thought 1"]
    assert {thought["signature"] for thought in thoughts} == {"c2lnbmVk"}
    again = bench_of(ReplayModel(tmp_path), stage, tmp_path / "again")
    assert again.score == 1


@pytest.mark.parametrize("vendor", ["openai-compatible", "openai"])
def test_broken_arguments_are_the_models_mistake(vendor: str, tmp_path: Path) -> None:
    stage = tiny_stage()
    turns: list[Turn] = [(None, [("exec", "{broken"), ("nothing_like_it", {})]), *good_turns(stage)]
    with model_at(vendor, script_of(vendor, turns)) as (model, _):
        outcome = bench_of(model, stage, tmp_path)
    assert outcome.runs[0].status == "COMPLETED"
    recorded = read_trajectory(next(tmp_path.rglob("run-0.jsonl")))
    assert [result["disposition"] for result in recorded.steps[0]["results"]] == ["invalid", "denied"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_fifth_of_the_calls_limited_ends_no_run(vendor: str, tmp_path: Path) -> None:
    stage = tiny_stage()
    turns = good_turns(stage)

    def script(asked: Asked) -> Answer:
        if asked.number % 5 == 2:
            return refused(vendor, 429, "slower", "rate_limit_error", retry_after="1")
        return Answer(said(vendor, *turns[asked.turn]))

    with model_at(vendor, script, patience=replace(QUICK, limited_attempts=50)) as (model, provider):
        outcome = bench_of(model, stage, tmp_path, runs=21, at_a_time=7)
        waits, left = model.limiter.rate_limit_waits, (model.limiter.in_flight, model.limiter.waiting)
    assert [run.status for run in outcome.runs] == ["COMPLETED"] * 21
    assert outcome.score == 1
    assert len(provider.asked) == 63 + waits
    assert waits >= 10
    assert left == (0, 0)


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_outage_is_nobodys_fault_and_finished_runs_are_kept(vendor: str, tmp_path: Path) -> None:
    stage = tiny_stage()
    turns = good_turns(stage)

    def script(asked: Asked) -> Answer:
        return Answer(said(vendor, *turns[asked.turn])) if asked.number < 3 else refused(vendor, 500, "down")

    with model_at(vendor, script) as (model, provider):
        outcome = bench_of(model, stage, tmp_path, runs=3)
    assert [run.status for run in outcome.runs] == ["COMPLETED", "INFRA", "INFRA"]
    assert outcome.voted is None
    assert outcome.runs[1].fault.startswith("MODEL_SERVER: HTTP 500")
    assert len(list(tmp_path.rglob("run-*.jsonl"))) == 1
    assert len(list(tmp_path.rglob("failed-*.jsonl"))) == 2
    before = len(provider.asked)
    with model_at(vendor, script_of(vendor, turns)) as (model, provider):
        model.name, model.version = outcome.model.name, outcome.model.version  # the stub's port is another one
        again = bench_of(model, stage, tmp_path, runs=3)
    assert again.score == 1
    assert (before, len(provider.asked)) == (3 + 2 * 3, 2 * 3)


@pytest.mark.parametrize(
    ("turn", "fault"),
    [
        (lambda told: told["choices"][0].update(finish_reason="length"), "LIMIT_OUTPUT"),
        (lambda told: told["choices"][0].update(finish_reason="content_filter"), "REFUSAL"),
        (lambda told: told["choices"][0]["message"].update(refusal="No."), "REFUSAL"),
        (lambda told: told["usage"].update(completion_tokens=20_000), "LIMIT_TOKENS"),
    ],
)
def test_refusals_and_limits_are_the_packs(turn: Any, fault: str, tmp_path: Path) -> None:
    told = said("openai", "Well")
    turn(told)
    with model_at("openai-compatible", lambda asked: Answer(told)) as (model, _):
        run = bench_of(model, tiny_stage(), tmp_path).runs[0]
    assert run.status == "PACK_FAULT"
    assert run.fault.startswith(fault)


def test_a_full_context_is_the_packs(tmp_path: Path) -> None:
    full = refused("openai", 400, "This model's maximum context length is 8192 tokens", "context_length_exceeded")
    with model_at("openai-compatible", lambda asked: full) as (model, _):
        run = bench_of(model, tiny_stage(), tmp_path).runs[0]
    assert (run.status, run.fault.split(":")[0]) == ("PACK_FAULT", "LIMIT_CONTEXT")


def test_waits_and_failed_attempts_are_not_the_runs_time(tmp_path: Path) -> None:
    stage = tiny_stage(limits=Limits(seconds=1))
    turns = good_turns(stage)

    def script(asked: Asked) -> Answer:
        if asked.number < 2:
            return refused("openai", 429, "slower", retry_after="0.8")
        return Answer(said("openai", *turns[asked.turn]))

    with model_at("openai-compatible", script, patience=replace(QUICK, wish=10)) as (model, _):
        outcome = bench_of(model, stage, tmp_path)
        waited = model.limiter.waited
    assert waited > 1.5  # longer than the run's whole time
    assert outcome.runs[0].status == "COMPLETED"


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_key_is_nowhere_on_disk_or_in_a_log(
    vendor: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")

    def script(asked: Asked) -> Answer:
        if asked.number % 3 == 1:
            return refused(vendor, (500, 401)[asked.number > 5], f"you sent {KEY}, which is wrong")
        return Answer(said(vendor, f"heard {json.dumps(dict(asked.headers))}"))

    with model_at(vendor, script) as (model, provider):
        outcome = bench_of(model, tiny_stage(), tmp_path, runs=7)
        shown = repr(model) + repr(vars(model)) + repr(outcome) + str([run.fault for run in outcome.runs])
    assert any(KEY in value for asked in provider.asked for value in asked.headers.values())
    assert {run.status for run in outcome.runs} == {"COMPLETED", "INFRA"}
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"***" in kept
    assert KEY.encode() not in kept
    assert KEY not in shown + caplog.text + "".join(capfd.readouterr())
