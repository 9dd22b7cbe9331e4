"""Three validators, twelve miners of every kind, three epochs, on both chains: everybody agrees, and rightly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trajectoryrl.commitment import submission_text

from .network import EPOCH, ROOT, Network, mediocre, network

PACKS = ROOT / "packs"
SCRIPT = Path(sys.executable).parent / "trajectoryrl"


def _field(net: Network) -> None:
    """Eleven of the twelve miners; the newcomer comes later."""
    net.mined("honest", mediocre(net.folder))
    net.mined("copier", mediocre(net.folder))
    net.mined("stuffer", PACKS / "stuffer")
    net.mined("reckless", PACKS / "reckless")

    def reworded(value: dict[str, Any]) -> None:
        value["files"]["AGENTS.md"] = "\n\n<!-- mine -->\n" + value["files"]["AGENTS.md"].replace("\n- ", "\n* ")

    net.mined("duplicate", mediocre(net.folder), edit=reworded)
    _committed(net, "malformed", net.push("malformed", b'{"schema_version": 1, '), "0" * 64)
    _committed(net, "huge", net.push("huge", b'{"pad": "' + b"x" * 100_000 + b'"}'), "0" * 64)
    _committed(net, "unreachable", "1" * 40, "2" * 64)
    commit, pack_hash = net.pushed["honest"]
    net.chain.register(net.hotkey("hijacker"), net.hotkey("hijacker-cold"))
    net.chain.commit(net.key("hijacker"), submission_text("honest/pack", commit, pack_hash))
    net.mined("rewriter", PACKS / "careful")
    raw, _ = net.written("rewriter", PACKS / "baseline")
    net.push("rewriter", raw, fresh=True)
    raw, pack_hash = net.written("late", PACKS / "careful")
    net.push("late", b"{}")  # a repository's first branch is its default one
    commit = net.push("late", raw, branch="waiting")
    _committed(net, "late", commit, pack_hash)
    net.chain.advance(20)
    net.git("late", "push", "-q", f"{net.forge.url}/late/pack.git", "HEAD:main")


def _committed(net: Network, name: str, commit: str, pack_hash: str) -> None:
    net.chain.register(net.hotkey(name), net.hotkey(f"{name}-cold"))
    net.chain.commit(net.key(name), submission_text(f"{name}/pack", commit, pack_hash))


EXPECTED = {
    "honest": "ENTRY",
    "copier": "DUPLICATE",
    "stuffer": "ENTRY",
    "reckless": "ENTRY",
    "duplicate": "DUPLICATE",
    "malformed": "PACK_INVALID",
    "huge": "FILE_TOO_LARGE",
    "unreachable": "REPOSITORY_GONE",
    "hijacker": "HOTKEY_MISMATCH",
    "rewriter": "NOT_ON_DEFAULT_BRANCH",
    "late": "PUSH_AFTER_COMMITMENT",
}


@pytest.mark.parametrize("kind", ["local", "socket"])
def test_three_validators_agree_over_three_epochs_of_twelve_miners(kind: str, tmp_path: Path) -> None:
    with network(tmp_path, kind) as net:
        _field(net)
        assert net.chain.head() < EPOCH, "the field must be there before the first epoch"
        with net.validating():
            net.chain.advance(max(0, EPOCH - 1 - net.chain.head()))
            net.epoch_sealed(1, 10)
            net.mined("newcomer", PACKS / "careful")
            net.epoch_sealed(2, 11)
            net.epoch_sealed(3, 11)
        for epoch in (1, 2, 3):
            winner = "honest" if epoch == 1 else "newcomer"
            _agreed(net, epoch, winner)
        for name in net.validators:
            found = net.chain.weights(net.hotkey(name))
            assert found is not None
            assert found[1] == net.chain.weights(net.hotkey(net.validators[0]))[1]  # type: ignore[index]
            done = subprocess.run(
                [str(SCRIPT), "audit", str(net.record(name, 2))], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr


def _agreed(net: Network, epoch: int, winner: str) -> None:
    manifests = [net.manifest(name, epoch) for name in net.validators]
    awards = [json.dumps(manifest["award"], sort_keys=True) for manifest in manifests]
    assert len(set(awards)) == 1, f"epoch {epoch}: the awards differ"
    assert net.name_of(manifests[0]["award"]["winner"]) == winner, manifests[0]["award"]
    outcomes = _outcomes(net, manifests[0])
    for name, code in EXPECTED.items():
        assert outcomes[name] == code, f"epoch {epoch}: {name} is {outcomes[name]}, not {code}"
    assert sum(manifest["weights"] == manifests[0]["weights"] for manifest in manifests) == len(manifests)


def _outcomes(net: Network, manifest: dict[str, Any]) -> dict[str, str]:
    """By the miner's name: ``ENTRY``, or the code of what kept it out."""
    found = {}
    for row in manifest["submissions"]:
        name = net.name_of(row["hotkey"])
        assert name is not None
        found[name] = row.get("code", row["outcome"])
    return found
