"""``trajectoryrl localnet up`` as a process: chain and forge answer, Ctrl-C is clean, and it goes on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from trajectoryrl.chain import named_chain
from trajectoryrl.chain.keys import read_key
from trajectoryrl.localnet import localnet
from trajectoryrl.protocol import parameters

SCRIPT = Path(sys.executable).parent / "trajectoryrl"


@contextmanager
def running(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The process, and what it says about where it serves."""
    command = [str(SCRIPT), "localnet", "up", "--dir", str(folder), *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "80"}
    )
    try:
        said = folder / "localnet.json"
        deadline = time.monotonic() + 30
        while not said.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        yield process, json.loads(said.read_text())
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def test_chain_and_forge_are_served_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    with running(folder, "--validators", "1", "--miners", "2") as (process, net):
        key = read_key(folder / "keys" / "miner-1.json")
        env = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines())
        assert (env["SUBTENSOR_NETWORK"], env["FORGE_URL"]) == (net["chain"], net["forge"])
        assert parameters(Path(env["PROTOCOL_FILE"])).blocks_per_epoch == 120

        async def commit() -> tuple[int, int, str | None]:
            chain = await named_chain(net["chain"], 11, key)
            block = await chain.commit("trl1:hello")
            graph = await chain.metagraph(block)
            await chain.close()
            return block, len(graph.neurons), graph.owner

        block, neurons, owner = asyncio.run(commit())
        assert neurons == 4
        assert owner == read_key(folder / "keys" / "owner.json").ss58_address
        work = tmp_path / "work"
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", "init", "-q", str(work)], check=True)
        subprocess.run(["git", "-C", str(work), *who, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
        subprocess.run(["git", "-C", str(work), "push", "-q", f"{net['forge']}/me/pack.git", "HEAD:main"], check=True)
        activity = httpx.get(f"{net['forge']}/api/repos/me/pack/activity", trust_env=False).json()
        assert activity[0]["activity_type"] == "branch_creation"
        shown = subprocess.run(
            [str(SCRIPT), "epoch", "show", "--chain", net["chain"], "--protocol", str(folder / "protocol.toml")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "epoch 0 of subnet 11, blocks 0 to 119" in shown.stdout
        assert "(not the shipped ones)" in shown.stdout
        other = subprocess.run(
            [str(SCRIPT), "localnet", "up", "--dir", str(folder)], capture_output=True, text=True, check=False
        )
        assert (other.returncode, other.stdout) == (3, "")
        assert "CHAIN_IN_USE" in other.stderr
        assert "Traceback" not in other.stderr
        status, out, err = ended(process)
    assert (status, err) == (0, "")
    assert net["chain"] in out
    assert max(len(line) for line in out.splitlines() if str(tmp_path) not in line) <= 80
    assert not {"localnet.json", "env"} & {path.name for path in folder.iterdir()}
    with running(folder, "--miners", "3") as (process, net):

        async def read() -> tuple[str, int]:
            chain = await named_chain(net["chain"], 11)
            kept = (await chain.commitments(await chain.head()))[key.ss58_address]
            graph = await chain.metagraph(await chain.head())
            await chain.close()
            return f"{kept.text} {kept.block}", len(graph.neurons)

        kept, neurons = asyncio.run(read())
        assert kept == f"trl1:hello {block}"
        assert neurons >= 4
        assert ended(process)[0] == 0


@pytest.mark.parametrize(
    ("seconds", "blocks", "window", "changed"), [(12, 1200, 50, False), (1, 120, 30, True), (1, 20, 10, True)]
)
def test_its_rules_are_the_shipped_ones_but_for_shorter_epochs(
    tmp_path: Path, seconds: int, blocks: int, window: int, changed: bool
) -> None:
    with localnet(tmp_path / "net", 1, 1, seconds, blocks) as up:
        given = up.parameters
        assert (given.seconds_per_block, given.blocks_per_epoch) == (seconds, blocks)
        assert (given.verify_blocks, given.changed) == (window, changed)
        assert up.network.rules.rate_limit < blocks
        assert up.keys == ("owner", "validator-1", "miner-1")


@pytest.mark.parametrize("words", [("--miners", "999"), ("--block-seconds", "0"), ("--chain-port", "99999")])
def test_what_cannot_be_is_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    command = [str(SCRIPT), "localnet", "up", "--dir", str(tmp_path / "net"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert not (tmp_path / "net").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    command = [str(SCRIPT), "localnet", "up", "--dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "LOCALNET_FOLDER" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
