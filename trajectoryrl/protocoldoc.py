"""What docs/protocol.md says that is computed: the table of the parameters. A test keeps it true."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .protocol import NAMES, SHIPPED, Parameters, parameters, scenario_set_hash

_TABLE = re.compile(r"(<!-- parameters -->\n).*?(<!-- end -->\n)", re.DOTALL)
_SET = re.compile(r'^scenario_set = "[0-9a-f]{64}"$', re.MULTILINE)

_MEANINGS = {
    "version": "of this protocol",
    "blocks_per_epoch": "length of an epoch",
    "seconds_per_block": "nominal; with the length it says how long an epoch is",
    "verify_blocks": "after an epoch's first block: the submissions are decided",
    "stale_blocks": "a validator later than this, without archive, skips the epoch",
    "scenario_pool": "what an epoch draws from",
    "scenarios_per_epoch": "how many it draws",
    "scenario_set": "hash of the pool's files, see below",
    "runs": "N, runs of a scenario, odd",
    "model": "which model plays",
    "temperature": "its temperature",
    "max_tokens": "of one reply",
    "max_tool_calls": "of one run",
    "max_turns": "model turns of one run",
    "max_completion_tokens": "written by the model in one run",
    "max_total_tokens": "read and written in one run",
    "run_seconds": "of one run, rate-limit waits and retries excluded",
    "infra_retry_seconds": "waits before a run that infrastructure ended is made again",
    "infra_attempts": "consecutive ones of one run that count as the pack's fault, if a control completed after each",
    "scoring": "`rubric`: penalties are reported; `penalized`: they are part of the score",
    "reliability_weight": "ρ, weight of the variance",
    "grid": "q, step of a published score",
    "cost_weight": "λ, weight of the cost penalty",
    "safety_weight": "μ, weight of the safety penalty",
    "minimum_score": "an exact score below it is not eligible",
    "first_mover_margin": "δ, what a later entry must be better by",
    "consensus_epsilon": "ε; the margin is the larger of δ and ε",
    "bootstrap_threshold": "with fewer active miners, three places are paid",
    "bootstrap_shares": "what they are paid",
    "max_pack_bytes": "`json.dumps(pack)`",
    "max_blob_bytes": "the file pack.json",
    "push_tolerance_seconds": "a push may be this much later than its commitment's block",
    "push_unknown_seconds": "a push without a record is PENDING until its commitment is this old",
    "gone_seconds": "two reads that find no repository are at least this far apart",
}


def parameter_table(given: Parameters) -> str:
    """The table of all parameters, in Markdown."""
    rows = ["| Parameter | Value | Meaning |", "|---|---|---|"]
    values = given.as_dict()
    rows += [f"| `{name}` | {_shown(values[name])} | {_MEANINGS[name]} |" for name in NAMES]
    return "\n".join(rows) + "\n"


def with_table(doc: str, given: Parameters) -> str:
    """``doc`` with the table between its marks brought up to date."""
    return _TABLE.sub(lambda found: found[1] + parameter_table(given) + found[2], doc)


def update(root: Path) -> list[Path]:
    """Brings protocol.toml and docs/protocol.md in the checkout ``root`` up to date; returns the files changed."""
    changed = []
    text = SHIPPED.read_text(encoding="utf-8")
    fresh = _SET.sub(f'scenario_set = "{scenario_set_hash(parameters().scenario_pool, root)}"', text)
    if fresh != text:
        SHIPPED.write_text(fresh, encoding="utf-8")
        changed.append(SHIPPED)
    doc = root / "docs" / "protocol.md"
    text = doc.read_text(encoding="utf-8")
    fresh = with_table(text, parameters(SHIPPED))
    if fresh != text:
        doc.write_text(fresh, encoding="utf-8")
        changed.append(doc)
    return changed


def main(arguments: Sequence[str]) -> int:
    """``python -m trajectoryrl.protocol [--update]``; returns the exit status."""
    if arguments and list(arguments) != ["--update"]:
        print("usage: python -m trajectoryrl.protocol [--update]")
        return 2
    if arguments:
        for path in update(SHIPPED.parent.parent):
            print(f"updated {path.name}")
    given = parameters(SHIPPED)
    stale = scenario_set_hash(given.scenario_pool) != given.scenario_set
    print(f"parameters   {given.hash}")
    print(f"version key  {given.version_key}")
    print(f"scenario set {given.scenario_set}{'  (stale: --update)' if stale else ''}")
    return 1 if stale else 0


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(part) for part in value)
    text = str(value)
    return f"`{text[:12]}…`" if len(text) == 64 else f"`{text}`"
