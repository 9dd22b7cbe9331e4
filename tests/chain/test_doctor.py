"""The doctor on a chain that lacks one thing at a time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from bittensor.keyfiles import Keypair

from trajectoryrl.chain.bittensor import BittensorChain, Runtime
from trajectoryrl.chain.protocol import Block
from trajectoryrl.doctor import (
    APIS,
    CALLS,
    STORAGE,
    Finding,
    clock_finding,
    examined,
    machine_findings,
    runtime_findings,
)
from trajectoryrl.protocol import shipped
from trajectoryrl.settings import Settings

from .server import Node
from .subtensor import Subtensor

VALIDATOR = Keypair.create_from_uri("//Validator")
OTHER = Keypair.create_from_uri("//Other")


async def _examined(key: object, **rules: object) -> dict[str, Finding]:
    subtensor = Subtensor(genesis=f"doctor {sorted(rules)}")
    permit = bool(rules.pop("permit", True))
    subtensor.add_subnet(11, rate_limit=5, **rules)
    subtensor.register(11, VALIDATOR.ss58_address, VALIDATOR.ss58_address, stake=10**12, permit=permit)
    subtensor.seal(9)
    async with Node(subtensor) as node:
        chain = BittensorChain(node.url, 11, key, fallbacks=[], archives=[], read_seconds=5)
        try:
            found = await examined(Settings(network=node.url), chain, shipped())
        finally:
            await chain.close()
        assert subtensor.submitted == []
        assert node.asked["author_submitAndWatchExtrinsic"] == 0
    return {finding.name: finding for finding in found}


def test_a_network_that_has_everything_is_said_to_be_fine() -> None:
    found = asyncio.run(_examined(VALIDATOR))
    for name in ("network", "runtime", "registration", "permit", "stake", "rate limit", "version key"):
        assert found[name].state == "ok", found[name]
    assert "uid 0 of 1" in found["registration"].said


def test_each_thing_that_stops_a_validator_is_named() -> None:
    assert asyncio.run(_examined(OTHER))["registration"].state == "fail"
    assert asyncio.run(_examined(VALIDATOR, permit=False))["permit"].state == "fail"
    assert asyncio.run(_examined(VALIDATOR, version_key=2**60))["version key"].state == "fail"
    assert asyncio.run(_examined(None))["registration"].state == "warn"


def test_a_network_that_does_not_answer_is_a_finding() -> None:
    async def play() -> list[Finding]:
        chain = BittensorChain("ws://127.0.0.1:1", 11, VALIDATOR, fallbacks=[], archives=[], read_seconds=2)
        return await examined(Settings(), chain, shipped())

    assert asyncio.run(play())[-1].state == "fail"


def _runtime() -> Runtime:
    return Runtime(461, dict(CALLS), {name: kind or "u8" for name, kind in STORAGE.items()}, frozenset(APIS), {})


@pytest.mark.parametrize("name", [*CALLS, *STORAGE, *APIS])
def test_whatever_of_the_runtime_is_gone_is_named(name: str) -> None:
    whole = _runtime()
    assert [finding.state for finding in runtime_findings(whole)] == ["ok"]
    less = replace(
        whole,
        calls={key: value for key, value in whole.calls.items() if key != name},
        storage={key: value for key, value in whole.storage.items() if key != name},
        apis=whole.apis - {name},
    )
    (finding,) = runtime_findings(less)
    assert finding.state == "fail"
    assert name in finding.said


def test_another_type_is_a_failure() -> None:
    whole = _runtime()
    call = {**whole.calls, "Commitments.set_commitment": (("netuid", "NetUidV2"), ("info", "CommitmentInfo"))}
    (finding,) = runtime_findings(replace(whole, calls=call))
    assert "NetUidV2" in finding.said
    (finding,) = runtime_findings(replace(whole, storage={**whole.storage, "SubtensorModule.Uids": "u32"}))
    assert "now u32, not u16" in finding.said


@pytest.mark.parametrize(("late", "state"), [(0, "ok"), (12, "ok"), (-59, "ok"), (-120, "warn"), (600, "warn")])
def test_a_clock_that_is_off_is_a_warning(late: int, state: str) -> None:
    assert clock_finding(Block(5, "00" * 32, 10**12), 10**12 + late * 1000, 12).state == state


def test_a_missing_key_is_named_and_its_value_is_not(tmp_path: Path) -> None:
    settings = Settings(state=str(tmp_path))
    without = {finding.name: finding for finding in machine_findings(settings, {}, "anthropic/some-model")}
    assert without["model"].state == "fail"
    assert "ANTHROPIC_API_KEY" in without["model"].said
    assert without["github"].state == "warn"
    keys = {"ANTHROPIC_API_KEY": "sk-planted", "GITHUB_TOKEN": "ghp-planted"}
    found = machine_findings(settings, keys, "anthropic/some-model")
    assert {finding.name: finding.state for finding in found}["model"] == "ok"
    assert not any("planted" in finding.said for finding in found)


def test_the_command_says_what_it_found_and_exits_with_1(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "trajectoryrl"
    words = ["doctor", "--network", "ws://127.0.0.1:1", "--wallet.path", str(tmp_path)]
    done = subprocess.run([str(script), *words], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "FAIL  hotkey" in done.stdout
    assert "FAIL  network" in done.stdout
    assert "Traceback" not in done.stderr
