"""The doctor on a network of one machine: what there is is looked at, what there is not is said."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from trajectoryrl.chain.keys import derived_key, write_key
from trajectoryrl.chain.local import LocalNetwork, Rules
from trajectoryrl.chain.localserver import LocalServer
from trajectoryrl.doctor import Finding, examined_local
from trajectoryrl.forge import Forge, ForgeServer
from trajectoryrl.protocol import Parameters, shipped
from trajectoryrl.settings import Settings

KEY = derived_key("doctor:validator")


@dataclass
class Net:
    settings: Settings
    network: LocalNetwork

    def found(self, key: Any = KEY, given: Parameters | None = None, **changed: Any) -> dict[str, Finding]:
        now_ms = self.network.block(self.network.head()).time_ms
        settings = replace(self.settings, **changed)
        rows = asyncio.run(examined_local(settings, given or shipped(), key, now_ms))
        return {row.name: row for row in rows}


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    rules = Rules(genesis="doctor", genesis_ms=time.time_ns() // 1_000_000 - 10**9, clock="wall", min_version_key=1)
    late_ms = [24_000]  # what was registered stands in the block after

    def now() -> int:
        return time.time_ns() // 1_000_000 - late_ms[0]

    network = LocalNetwork(tmp_path / "chain.sqlite", rules, now_ms=now)
    network.register(str(KEY.ss58_address), stake=10**12, permit=True)
    network.register(str(derived_key("doctor:miner").ss58_address))
    late_ms[0] = 0
    server = LocalServer(network)
    with ForgeServer(Forge(tmp_path / "forge")) as forge:
        yield Net(Settings(network=server.url, forge=forge.url, model="offline", state=str(tmp_path)), network)
    server.close()
    network.close()


def test_a_network_that_has_everything_is_said_to_be_fine(net: Net) -> None:
    found = net.found()
    for name in ("network", "clock", "protocol", "forge", "registration", "permit", "rate limit", "version key"):
        assert found[name].state == "ok", found[name]
    assert {name for name, row in found.items() if row.state == "none"} == {"github", "runtime", "stake"}


def test_each_thing_that_stops_a_validator_is_named(net: Net) -> None:
    assert net.found(derived_key("doctor:stranger"))["registration"].state == "fail"
    assert net.found(derived_key("doctor:miner"))["permit"].state == "fail"
    assert net.found(None)["registration"].state == "warn"
    assert net.found(forge="http://127.0.0.1:9")["forge"].state == "fail"
    assert net.found(forge="")["forge"].state == "warn"
    assert net.found(netuid=12)["network"].state == "fail"
    assert net.found(network="http://127.0.0.1:9")["network"].state == "fail"
    quick = net.found(given=replace(shipped(), seconds_per_block=1))["protocol"]
    assert quick.state == "fail"
    assert "every 12 s, the parameters say 1 s" in quick.said


def test_a_chain_by_hand_has_no_clock(tmp_path: Path) -> None:
    place = tmp_path / "hand.sqlite"
    LocalNetwork(place, Rules(genesis="hand")).close()
    settings = Settings(network=f"local:{place}", model="offline", state=str(tmp_path))
    found = {row.name: row for row in asyncio.run(examined_local(settings, shipped(), KEY))}
    assert (found["network"].state, found["clock"].state) == ("ok", "none")
    assert found["registration"].state == "fail"


def test_the_command_takes_the_flags_of_the_validator(net: Net, tmp_path: Path) -> None:
    write_key(tmp_path / "key.json", "doctor:validator")
    script = Path(sys.executable).parent / "trajectoryrl"
    words = ["doctor", "--network", net.settings.network, "--forge", net.settings.forge, "--model", "offline"]
    words += ["--state", str(tmp_path)]
    for more, status in (["--key", str(tmp_path / "key.json")], 0), ([], 1):
        done = subprocess.run(
            [str(script), *words, *more], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
        )
        assert (done.returncode, done.stderr) == (status, ""), done.stdout
        assert "n/a   runtime" in done.stdout
        assert done.stdout.splitlines()[-1].endswith("3 not applicable" if more else "2 not applicable")
    assert "FAIL  hotkey        give --key" in done.stdout
