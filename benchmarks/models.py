"""Real models on a stub with latency: ours, the plain clients and Inspect, on one machine in one go."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from clawbench.bench import AsyncioExecutor, Bench
from clawbench.models import model_named
from clawbench.rescorer import collect_rarely

from .desk import desk_model, desk_stage

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
INSPECT = ROOT / "build" / "bench-venv"
CALLS = 9  # of one run
AT_A_TIME = 200


def model_throughput(runs: int = 201, latency: float = 1.0) -> dict[str, Any]:
    """Runs of nine calls, all at a time, at a second's latency: the share of the ideal, and CPU of a call.

    The ideal is nine seconds. ``inspect`` is a sentence if it cannot be installed.
    """
    found: dict[str, Any] = {"runs": runs, "latency_s": latency, "required": {"of_ideal": 0.92, "cpu_ms_per_call": 1.2}}
    with tempfile.TemporaryDirectory(prefix="clawbench-bench-") as folder:
        conversation = written_conversation(Path(folder))
        with stub(conversation, latency) as url:
            ideal = CALLS * latency
            found["ours_lean"] = _rated(_alone("run_ours", "openai-compatible", str(runs), url), ideal)
            found["ours_openai_sdk"] = _rated(_alone("run_ours", "openai", str(runs), url), ideal)
            for client in ("httpx", "openai"):
                words = [sys.executable, str(HERE / "rivals" / "plain.py"), client]
                told = _told([*words, str(runs), str(runs), url, str(conversation)])
                found[f"plain_{client}"] = _rated(told, ideal)
            found["inspect"] = _rated(inspect("http", runs, url, conversation), ideal)
    return found


def model_epoch(runs: int = 3073) -> dict[str, Any]:
    """An epoch's worth of runs, 200 at a time, at a second's latency; and what memory they take."""
    with (
        tempfile.TemporaryDirectory(prefix="clawbench-bench-") as folder,
        stub(written_conversation(Path(folder)), 1.0) as url,
    ):
        told = _alone("run_ours", "openai-compatible", str(runs), url, str(AT_A_TIME))
    ideal = runs * CALLS / AT_A_TIME
    return {"runs": runs, **_rated(told, ideal), "required": {"wall_s": 160, "peak_mb": 300}}


def model_storm(runs: int = 51, latency: float = 0.1) -> dict[str, Any]:
    """Every fifth call answered with 429 and ``Retry-After: 1``: all runs must complete."""
    with (
        tempfile.TemporaryDirectory(prefix="clawbench-bench-") as folder,
        stub(written_conversation(Path(folder)), latency, fail_rate=0.2) as url,
    ):
        told = _alone("run_ours", "openai-compatible", str(runs), url)
    return {"runs": runs, "wall_s": round(told["wall_s"], 2), "completed": told["completed"], "required_wall_s": 12}


def model_rivals(runs: int = 201) -> dict[str, Any]:
    """Inspect without latency: one run's overhead, runs re-scored a second, seconds until it has started."""
    with tempfile.TemporaryDirectory(prefix="clawbench-bench-") as folder:
        conversation = written_conversation(Path(folder))
        null = inspect("null", runs, "", conversation)
        if "cpu_s" not in null:
            return null
        again = inspect("rescore", runs, "", conversation)
    began = time.perf_counter()
    subprocess.run([INSPECT / "bin" / "inspect", "--help"], capture_output=True, check=True)
    return {
        "inspect_cpu_ms_per_run": round(1000 * null["cpu_s"] / runs, 1),
        "inspect_rescored_per_second": round(runs / again["wall_s"], 1),
        "inspect_help_s": round(time.perf_counter() - began, 2),
        "inspect_peak_mb": null["peak_mb"],
        "ours": "overhead, rescoring, startup",
    }


def run_ours(vendor: str, runs: str, url: str, at_a_time: str = "") -> dict[str, Any]:
    """A bench of ours against the stub at ``url``; to be called in a process of its own."""
    os.environ["OPENAI_BASE_URL"] = url
    os.environ["OPENAI_API_KEY"] = "none"
    model = model_named(f"{vendor}/stub" + (f"@{url}" if vendor == "openai-compatible" else ""))
    stage = desk_stage()
    collect_rarely()  # as the command does
    with tempfile.TemporaryDirectory(prefix="clawbench-bench-") as folder:
        bench = Bench(
            folder=Path(folder), model=model, runs=int(runs), executor=AsyncioExecutor(int(at_a_time or runs))
        )
        wall, cpu = time.perf_counter(), time.process_time()
        outcome = asyncio.run(bench.results([stage]))[0]
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert outcome.score == 1, f"the scripted run must earn every point, not {outcome.score}"
    return {
        "wall_s": wall,
        "cpu_s": cpu,
        "calls": int(runs) * CALLS,
        "completed": sum(run.status == "COMPLETED" for run in outcome.runs),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def written_conversation(folder: Path) -> Path:
    """A file with the desk's whole conversation, and beside it the script that the stub plays."""
    from clawbench.episode import run_episode
    from clawbench.models.protocol import Reply, Request
    from clawbench.trajectory import BlobStore

    stage = desk_stage()
    model = desk_model(stage)
    turns: list[int] = []
    replies: list[Reply] = []
    messages: list[Any] = []

    class Listening:
        name, version, simulated, provider = "script", "1", True, ""
        settings: dict[str, str] = {}

        async def reply(self, request: Request) -> Reply:
            messages[:] = request.messages
            turns.append(len(messages))
            replies.append(await model.reply(request))
            return replies[-1]

    start = stage.started(stage.start(Listening(), BlobStore(folder / "blobs")), 0)
    asyncio.run(run_episode(stage, 0, Listening(), start, lambda line: None))
    told = {"turns": turns, "messages": messages, "tools": stage.tools, "answer": replies[-1].text}
    (folder / "conversation.json").write_bytes(orjson.dumps(told))
    (folder / "script.json").write_bytes(orjson.dumps([_completion(reply) for reply in replies]))
    return folder / "conversation.json"


def _completion(reply: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.calls
        ]
    usage = {"prompt_tokens": reply.usage.prompt, "completion_tokens": reply.usage.completion}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "stub",
        "system_fingerprint": "fp_stub",
        "choices": [{"index": 0, "finish_reason": "tool_calls" if reply.calls else "stop", "message": message}],
        "usage": {**usage, "total_tokens": reply.usage.prompt + reply.usage.completion},
    }


@contextmanager
def stub(conversation: Path, latency: float, fail_rate: float = 0.0) -> Iterator[str]:
    """The stub's base URL, in a process of its own."""
    words = [sys.executable, str(HERE / "stub.py"), "0", str(latency), str(conversation.parent / "script.json")]
    environment = {**os.environ, "FAIL_RATE": str(fail_rate)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.kill()


def inspect(do: str, runs: int, url: str, conversation: Path) -> dict[str, Any]:
    """What Inspect takes, from an environment that is made for it; ``{"absent": why}`` if it cannot be."""
    python = INSPECT / "bin" / "python"
    if not (INSPECT / ".installed").exists():
        print("installing Inspect into build/bench-venv …", file=sys.stderr)
        made = subprocess.run([sys.executable, "-m", "venv", str(INSPECT)], capture_output=True, text=True, check=False)
        words = [str(python), "-m", "pip", "install", "-q", "inspect-ai", "openai", "aiohttp"]
        made = made if made.returncode else subprocess.run(words, capture_output=True, text=True, check=False)
        if made.returncode:
            return {"absent": "Inspect could not be installed: " + (made.stderr.strip().splitlines() or ["?"])[-1]}
        (INSPECT / ".installed").touch()
    script = str(HERE / "rivals" / "with_inspect.py")
    return _told([str(python), script, do, str(runs), str(runs), url, str(conversation)])


def _alone(function: str, *words: str) -> dict[str, Any]:
    """A function of this module in a fresh process."""
    code = f"import json; from benchmarks.models import {function}; print(json.dumps({function}(*{words!r})))"
    return _told([sys.executable, "-c", code])


def _told(words: list[str]) -> dict[str, Any]:
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"absent": "it failed: " + (done.stderr.strip().splitlines() or ["?"])[-1][:300]}
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _rated(told: dict[str, Any], ideal: float) -> dict[str, Any]:
    if "wall_s" not in told:
        return told
    return {
        "of_ideal": round(ideal / told["wall_s"], 3),
        "wall_s": round(told["wall_s"], 2),
        "cpu_ms_per_call": round(1000 * told["cpu_s"] / told["calls"], 2),
        "peak_mb": told["peak_mb"],
    }
