"""Packs of simulated miners."""

from __future__ import annotations

from clawbench.pack import Pack, pack_of


def pack_of_miner(hotkey: str, name: str, policy: str) -> Pack:
    """A valid pack called ``name``, submitted by ``hotkey``, whose AGENTS.md is ``policy``."""
    return pack_of(
        {
            "schema_version": 1,
            "files": {"AGENTS.md": policy},
            "tool_policy": {"deny": ["admin_*", "shell"]},
            "metadata": {
                "pack_name": name,
                "pack_version": "1.0.0",
                "target_suite": "clawbench_v1",
                "hotkey": hotkey,
            },
        }
    )
