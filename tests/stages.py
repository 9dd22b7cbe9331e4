"""Small stages and scripted models for tests of the agent loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clawbench.episode import run_episode
from clawbench.models.protocol import Model, Reply, ToolCall, Usage
from clawbench.models.script import ScriptModel
from clawbench.outcome import RunOutcome
from clawbench.pack import Pack, load_pack, pack_from_text
from clawbench.scenario import load_scenario
from clawbench.stage import Stage, staged
from clawbench.trajectory import BlobStore

OWN = Path(__file__).parent / "data" / "own"
TINY = OWN / "scenarios" / "tiny.yaml"


def tiny_stage(pack: Pack | None = None, **options: Any) -> Stage:
    """The tiny scenario with a pack that allows everything."""
    return staged(load_scenario(TINY), pack or pack_from_text("# Policy\n\nBe helpful.", "plain"), **options)


def pack_with(tmp_path: Path, **keys: Any) -> Pack:
    """A pack with these keys beside the required ones."""
    document = {
        "schema_version": 1,
        "files": {"AGENTS.md": "# Policy\n\nBe helpful."},
        "tool_policy": {"allow": ["exec", "slack", "read"], "deny": ["admin_*"]},
        "metadata": {"pack_name": "test", "pack_version": "1.0.0", "target_suite": "clawbench_v1"},
        **keys,
    }
    path = tmp_path / "pack.json"
    path.write_text(json.dumps(document))
    return load_pack(path)


def call(tool: str, _id: str = "", **arguments: Any) -> Reply:
    """A reply that makes one call."""
    return Reply(calls=(ToolCall(_id or "c1", tool, json.dumps(arguments)),), usage=Usage(100, 20), finish="calls")


def calls(*parts: tuple[str, str]) -> Reply:
    """A reply that makes several calls with raw argument texts."""
    made = tuple(ToolCall(f"c{n}", tool, text) for n, (tool, text) in enumerate(parts))
    return Reply(calls=made, usage=Usage(100, 20), finish="calls")


def says(text: str) -> Reply:
    """A final answer."""
    return Reply(text=text, usage=Usage(200, 30))


def mail_id(stage: Stage, ref: str) -> str:
    """The id by which himalaya knows the mail ``ref``."""
    return str(next(record.data["id"] for record in stage.world.mails if record.ref == ref))


def run(stage: Stage, model: Model | list[Reply], tmp_path: Path) -> tuple[RunOutcome, list[Mapping[str, Any]]]:
    """One run, and its records."""
    played = ScriptModel(model) if isinstance(model, list) else model
    records: list[Mapping[str, Any]] = []
    start = stage.started(stage.start(played, BlobStore(tmp_path / "blobs")), 0)
    outcome = asyncio.run(run_episode(stage, 0, played, start, records.append))
    return outcome, json.loads(json.dumps(records, default=str))
