"""Real processes and a real endpoint: killed in mid-bench, out of reach, out of money; and no key anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from .conftest import ROOT, SCRIPT, Run

KEY = "sk-planted-4c1d7e88a90b"
ENV = {"OPENAI_COMPATIBLE_API_KEY": KEY}
CALLS = 4


def reply(content: str | None, command: str = "") -> dict[str, Any]:
    function = {"name": "exec", "arguments": json.dumps({"command": command})}
    said = {"role": "assistant", "content": content}
    if command:
        said["tool_calls"] = [{"id": "c", "type": "function", "function": function}]
    return {
        "id": "r",
        "object": "chat.completion",
        "created": 1,
        "model": "stub",
        "choices": [{"index": 0, "message": said, "finish_reason": "tool_calls" if command else "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }


class Endpoint:
    """A stub of a provider in a process of its own, which answers every run alike."""

    def __init__(self, folder: Path, latency: float, port: int = 0) -> None:
        script = folder / "script.json"
        commands = ["himalaya envelope list", "himalaya message read 1", "gcalcli agenda"]
        script.write_text(json.dumps([*(reply(None, command) for command in commands), reply("Nothing to report.")]))
        words = [sys.executable, str(ROOT / "benchmarks" / "stub.py"), str(port), str(latency), str(script)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.model = f"openai-compatible/stub@http://127.0.0.1:{self.port}/v1"

    def requests(self) -> int:
        """Requests since this was asked last."""
        with urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=10) as answer:
            return int(json.load(answer)["requests"])

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    served = Endpoint(tmp_path, 0.05)
    yield served
    served.stop()


def words(model: str, out: Path, *more: str) -> list[str]:
    return ["run", "client_escalation", "--packs", "packs", "--model", model, "--out", str(out), "-j", "6", *more]


def whole(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("run-*.jsonl"))}


def test_killed_in_mid_bench_the_same_command_repeats_no_finished_run(
    claw: Run, tmp_path: Path, endpoint: Endpoint
) -> None:
    calm = claw(*words(endpoint.model, tmp_path / "calm", "--json"), cwd=ROOT, env=ENV)
    runs = len(whole(tmp_path / "calm"))
    assert endpoint.requests() == CALLS * runs == CALLS * 15

    out = tmp_path / "killed"
    finished: dict[str, bytes] = {}
    asked = 0
    for _ in range(3):
        process = subprocess.Popen(
            [str(SCRIPT), *words(endpoint.model, out, "--json", "-j", "2")],  # few at a time: some must be left
            cwd=ROOT,
            env={**os.environ, **ENV},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and len(whole(out)) <= len(finished):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        asked += endpoint.requests()
        before, finished = finished, whole(out)
        assert {name: finished[name] for name in before} == before
    assert 3 <= len(finished) < runs, "it was killed in the middle"
    stamps = {name: (out / name).stat().st_mtime_ns for name in finished}
    resumed = claw(*words(endpoint.model, out, "--json"), cwd=ROOT, env=ENV)
    assert endpoint.requests() == CALLS * (runs - len(finished)), "0 finished runs are repeated"
    assert {name: (out / name).stat().st_mtime_ns for name in finished} == stamps
    assert whole(out) == whole(tmp_path / "calm")
    one, two = json.loads(calm.stdout), json.loads(resumed.stdout)
    assert one.pop("out") != two.pop("out")
    assert json.dumps(one) == json.dumps(two), "byte for byte the verdicts of a bench that nobody disturbed"
    assert resumed.returncode == calm.returncode
    journal = [json.loads(line) for line in (out / "spent.jsonl").read_text().splitlines()]
    assert CALLS * runs <= len(journal) <= asked + CALLS * runs


def test_a_dead_endpoint_ends_in_3_with_the_runs_so_far(claw: Run, tmp_path: Path, endpoint: Endpoint) -> None:
    out = tmp_path / "out"
    assert claw(*words(endpoint.model, out, "--runs", "1", "-q"), cwd=ROOT, env=ENV).returncode in {0, 1}
    kept = whole(out)
    assert len(kept) == 5
    endpoint.stop()
    dead = claw(*words(endpoint.model, out, "--attempts", "1", "-j", "2"), cwd=ROOT, env=ENV)
    assert dead.returncode == 3, dead.stdout + dead.stderr
    assert whole(out) == kept
    assert "undecided" in dead.stdout
    assert "MODEL_CONNECTION" in dead.stdout
    assert "Traceback" not in dead.stdout + dead.stderr
    failed = sorted(out.rglob("failed-run-*-1.jsonl"))
    assert 0 < len(failed) < 10, "the rest was not begun: the provider was down"
    shown = claw("show", str(failed[0]))
    assert "INFRA  MODEL_CONNECTION" in shown.stdout
    back = Endpoint(tmp_path, 0.01, endpoint.port)
    try:
        claw(*words(endpoint.model, out, "--retry-errors", "-q"), cwd=ROOT, env=ENV)
        assert back.requests() == CALLS * len(failed)
        assert len(whole(out)) == 5 + len(failed), "what was never begun is still missing"
        assert sorted(out.rglob("failed-run-*")) == failed, "failed attempts are kept"
        assert claw(*words(endpoint.model, out, "-q"), cwd=ROOT, env=ENV).returncode in {0, 1}
        assert back.requests() == CALLS * (10 - len(failed))
    finally:
        back.stop()
    assert len(whole(out)) == 15


def test_errors_of_nothing_cannot_be_retried(claw: Run, tmp_path: Path) -> None:
    none = claw("run", "client_escalation", "--retry-errors", "--out", str(tmp_path / "none"), cwd=ROOT)
    assert none.returncode == 2
    assert "no run is in" in none.stderr
    assert claw("run", "client_escalation", "--retry-errors", cwd=ROOT).returncode == 2


def test_a_budget_ends_in_3_and_says_what_is_left(claw: Run, tmp_path: Path, endpoint: Endpoint) -> None:
    out = tmp_path / "out"
    prices = tmp_path / "prices.toml"
    prices.write_text('date = "2026-01-01"\n[models]\n"openai-compatible/stub" = { input = 3, output = 15 }\n')
    unknown = claw(*words(endpoint.model, out, "--budget", "1"), cwd=ROOT, env=ENV)
    assert (unknown.returncode, "PRICE_UNKNOWN" in unknown.stderr) == (2, True)
    some = claw(*words(endpoint.model, out, "--budget", "0.20", "--prices", str(prices), "-v"), cwd=ROOT, env=ENV)
    assert some.returncode == 3, some.stdout + some.stderr
    assert "BUDGET_BENCH: not begun" in " ".join(some.stdout.split())
    assert 0 < len(whole(out)) < 15
    assert sum(json.loads(line)["usage"][0] for line in (out / "spent.jsonl").read_text().splitlines()) <= 45_000
    more = claw(*words(endpoint.model, out, "--budget", "5", "--prices", str(prices), "--json"), cwd=ROOT, env=ENV)
    document = json.loads(more.stdout)
    assert document["usd"] == "0.27000000", "15 runs of 4 calls of 1000 tokens read and 100 written"
    assert document["packs"][0]["scenarios"][0]["runs"][0]["usd"] == "0.01800000"
    assert len(whole(out)) == 15


def test_a_cassette_plays_the_bench_again_without_its_provider(claw: Run, tmp_path: Path, endpoint: Endpoint) -> None:
    tape, cache = tmp_path / "tape.jsonl", tmp_path / "cache"
    more = ("--record", str(tape), "--cache", str(cache), "--json")
    live = json.loads(claw(*words(endpoint.model, tmp_path / "live", *more), cwd=ROOT, env=ENV).stdout)
    endpoint.stop()
    played = claw(*words(f"replay:{tape}", tmp_path / "played", "--json"), cwd=ROOT)
    replayed = json.loads(played.stdout)
    assert replayed["model"]["name"] == f"replay:{endpoint.model}"
    assert (live["simulated"], replayed["simulated"]) == (False, False)
    for document in (live, replayed):
        del document["out"], document["model"]
    assert [p["score"] for p in replayed["packs"]] == [p["score"] for p in live["packs"]]
    assert [s["checks"] for p in replayed["packs"] for s in p["scenarios"]] == [
        s["checks"] for p in live["packs"] for s in p["scenarios"]
    ]
    cached = claw(*words(endpoint.model, tmp_path / "cached", "--cache", str(cache)), cwd=ROOT, env=ENV)
    assert "cache: 60 of 60 replies were known" in cached.stderr
    assert whole(tmp_path / "cached") == whole(tmp_path / "live")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 100
    assert [path for path in written if KEY.encode() in path.read_bytes()] == [], "a key is in no file"
    assert KEY not in cached.stdout + cached.stderr + played.stdout + played.stderr
