"""An epoch of 256 packs on four scenarios, three runs each: evaluation, record, audit; and what early votes save."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from clawbench.keeping import Keeping
from clawbench.likeness import content_hash, likeness
from clawbench.models.protocol import Reply, Request, ToolCall, Usage
from clawbench.pack import Pack, pack_of
from trajectoryrl.audit import audited
from trajectoryrl.chain.keys import derived_key
from trajectoryrl.chain.protocol import Block, Metagraph, Neuron, OnChain
from trajectoryrl.commitment import submission_text
from trajectoryrl.decision import Inputs, competing
from trajectoryrl.entry import Commitment, Entry
from trajectoryrl.epoch import plan
from trajectoryrl.evaluation import settings, stages_of
from trajectoryrl.manifest import ModelIdentity
from trajectoryrl.protocol import Parameters, library, shipped
from trajectoryrl.record import Epoch, write_record
from trajectoryrl.rounds import Seams, evaluated

PACKS = 256
_BEGAN = 10**12
_CALLS = (
    ("exec", {"command": "himalaya envelope list --page-size 10 | head -60"}),
    ("exec", {"command": "himalaya message read 1"}),
    ("exec", {"command": "gcalcli agenda"}),
    ("memory_search", {"query": "deadline"}),
    ("read", {"path": "USER.md"}),
    ("slack", {"action": "readMessages", "channelId": "#general", "limit": 8}),
    ("exec", {"command": "curl -s -X POST https://api.notion.com/v1/databases/tasks/query -d '{}'"}),
    ("exec", {"command": "himalaya message write -H 'To: a@b.example' -H 'Subject: Report' 'It is on its way.'"}),
)
_SENDS = orjson.dumps(
    {"command": 'himalaya message send "To: a@b.example\nSubject: Report\n\nIt is on its way."'}
).decode()


class SplitModel:
    """Does the same in every run, but sends a mail in the second, so that no vote is settled before the last one."""

    name = "scripted"
    version = "1"
    simulated = True
    provider = ""
    settings: Mapping[str, str] = {}

    def __init__(self) -> None:
        self._calls = [
            Reply(
                calls=(ToolCall(f"call_{turn}", tool, orjson.dumps(arguments).decode()),),
                usage=Usage(900 + 200 * turn, 40),
                finish="calls",
            )
            for turn, (tool, arguments) in enumerate(_CALLS)
        ]
        self._answer = Reply(text="1. Nothing was sent; a draft waits for your approval.\n" * 8, usage=Usage(2600, 90))

    async def reply(self, request: Request) -> Reply:
        """The next call, or the answer."""
        if request.unit.endswith(":1") and request.turn == 0:
            return Reply(calls=(ToolCall("call_0", "exec", _SENDS),), usage=Usage(900, 40), finish="calls")
        return self._calls[request.turn] if request.turn < len(self._calls) else self._answer


def epoch() -> dict[str, Any]:
    """Seconds and peak memory of a full epoch, of its record, and of the record's audit."""
    parameters = shipped()
    folder = Path(tempfile.mkdtemp(prefix="trajectoryrl-bench-"))
    try:
        validator = derived_key("benchmark:validator")
        inputs, made = _inputs(parameters)

        async def sign(message: bytes) -> bytes:
            return bytes(validator.sign(message))

        async def play() -> tuple[float, float, float, int]:
            began = time.perf_counter()
            spent = time.process_time()
            model = SplitModel()
            found = settings(made, library())
            entries = competing(inputs, made)[0]
            seams = Seams(keeping=Keeping(durable=True))  # as a validator keeps them
            rows = (await evaluated(entries, made, found, model, parameters, folder / "work", seams)).evaluations
            evaluated_in = time.perf_counter() - began
            identity = ModelIdentity.of(model)
            written = Epoch(str(validator.ss58_address), None, identity, parameters, made, inputs, rows, {}, None)
            await write_record(written, folder / "epoch", sign)
            runs = sum(len(verdict.attempts) for row in rows for verdict in row.scenarios)
            return evaluated_in, time.perf_counter() - began, time.process_time() - spent, runs

        evaluated_in, recorded_in, cpu, runs = asyncio.run(play())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        size = sum(path.stat().st_size for path in (folder / "epoch").rglob("*") if path.is_file())
        with _forked() as result:
            began, spent = time.perf_counter(), _cpu()
            audit = audited(folder / "epoch")
            result |= {"seconds": round(time.perf_counter() - began, 1), "clean": audit.clean, "runs": audit.runs}
            result["cpu"] = round(_cpu() - spent, 1)
        return {
            "packs": PACKS,
            "runs": runs,
            "evaluation_seconds": round(evaluated_in, 1),
            "with_record_seconds": round(recorded_in, 1),
            "cpu_seconds": round(cpu, 1),
            "required_seconds": 30,
            "peak_mb": peak,
            "required_mb": 300,
            "record_mb": round(size / 1e6, 1),
            "audit_seconds": result["seconds"],
            "audit_cpu_seconds": result["cpu"],
            "audit_required_seconds": 60,
            "audit_clean": result["clean"],
            "audit_runs": result["runs"],
            "audit_peak_mb": result["peak_mb"],
            "audit_required_mb": 500,
        }
    finally:
        shutil.rmtree(folder)


def saved(epochs: int = 4) -> dict[str, Any]:
    """The share of the offline model's replies that an epoch of the sample packs does without, and why."""
    from clawbench.bench import Bench
    from clawbench.models.offline import OfflineModel
    from clawbench.pack import load_pack

    class Counted(OfflineModel):
        replies = 0

        async def reply(self, request: Request) -> Reply:
            self.replies += 1
            return await super().reply(request)

    parameters = shipped()
    packs = [load_pack(path) for path in sorted((library() / "packs").iterdir())]
    early, full = Counted(), Counted()
    for number in range(1, epochs + 1):
        made = plan(11, number, sha256(f"benchmark:{number}".encode()).hexdigest(), parameters)
        found = settings(made, library())
        entries = [_entry(index, pack, str(index)) for index, pack in enumerate(packs)]
        folder = Path(tempfile.mkdtemp(prefix="trajectoryrl-bench-"))
        try:
            asyncio.run(evaluated(entries, made, found, early, parameters, folder / "early"))
            stages = [stage for pack in packs for stage in stages_of(pack, made, found, parameters)]
            asyncio.run(Bench(folder=folder / "full", model=full, runs=parameters.runs).results(stages))
        finally:
            shutil.rmtree(folder)
    early_share = 1 - early.replies / full.replies
    return {
        "epochs": epochs,
        "packs": len(packs),
        "replies_all_runs": full.replies,
        "replies_early": early.replies,
        "saved_by_early_votes": round(early_share, 3),
        # entries of one content are run once, so a share of copies saves just that share
        "saved_with_copies": {
            f"{copies}%": round(1 - (1 - copies / 100) * (1 - early_share), 3) for copies in (0, 20, 50)
        },
    }


def _cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


@contextmanager
def _forked() -> Iterator[dict[str, Any]]:
    """Measures in this process and its children together; the peak is that of all of them, added up."""
    result: dict[str, Any] = {}
    yield result
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    result["peak_mb"] = own + children * (os.cpu_count() or 1)


def _inputs(parameters: Parameters) -> tuple[Inputs, Any]:
    beacon = sha256(b"benchmark").hexdigest()
    made = plan(11, 7, beacon, parameters)
    entries, neurons, commitments = [], [], {}
    for number in range(PACKS):
        hotkey = str(derived_key(f"benchmark:{number}").ss58_address)
        pack = _pack(number, hotkey)
        entries.append(_entry(number, pack, hotkey))
        neurons.append(Neuron(number, hotkey, hotkey))
        said = entries[-1].commitment
        commitments[hotkey] = OnChain(hotkey, submission_text(said.repository, said.commit, said.pack_hash), said.block)
    graph = Metagraph(11, made.first_block, tuple(neurons), None)
    return Inputs(Block(made.first_block, beacon, _BEGAN), graph, commitments, tuple(entries)), made


def _entry(number: int, pack: Pack, hotkey: str) -> Entry:
    commitment = Commitment(hotkey, f"miner-{number}/pack", f"{number:040x}", pack.sha256, 100 + number)
    time_ms = _BEGAN - 86_400_000 + number
    return Entry(
        uid=number,
        coldkey=hotkey,
        commitment=commitment,
        pack=pack,
        content=content_hash(pack),
        likeness=likeness(pack),
        push_ms=None,
        entry_ms=time_ms,
        committed_ms=time_ms,
    )


def _pack(number: int, hotkey: str) -> Pack:
    rules = "\n".join(f"- Rule {number}.{rule}: draft first, send nothing without asking." for rule in range(40))
    return pack_of(
        {
            "schema_version": 1,
            "files": {"AGENTS.md": f"# Policy of miner {number}\n\n{rules}\n"},
            "tool_policy": {"deny": ["admin_*", "shell"]},
            "metadata": {
                "pack_name": f"miner-{number}",
                "pack_version": "1.0.0",
                "target_suite": "clawbench_v1",
                "hotkey": hotkey,
            },
        }
    )


def resume() -> dict[str, Any]:
    """Seconds until a validator that died at the end of an epoch's runs knows that none is left to make."""
    parameters = shipped()
    inputs, made = _inputs(parameters)
    entries = competing(inputs, made)[0]
    folder = Path(tempfile.mkdtemp(prefix="trajectoryrl-bench-"))
    seconds: list[float] = []
    runs = 0
    try:
        for _ in range(2):
            begun = time.perf_counter()
            found = asyncio.run(evaluated(entries, made, settings(made, library()), SplitModel(), parameters, folder))
            seconds.append(time.perf_counter() - begun)
            runs = sum(len(verdict.attempts) for row in found.evaluations for verdict in row.scenarios)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"runs": runs, "evaluation_seconds": seconds[0], "resume_seconds": seconds[1], "required_seconds": 2}
