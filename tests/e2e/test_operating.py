"""A validator as an operator has it: .env, health, logs, SIGTERM, --once, --dry-run, a budget; then every command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from clawbench.prices import load_prices
from trajectoryrl.protocol import shipped

from .network import EPOCH, ROOT, Network, mediocre, network

SCRIPT = Path(sys.executable).parent / "trajectoryrl"
SECRETS = {"ANTHROPIC_API_KEY": "sk-ant-thisissecret", "GITHUB_TOKEN": "ghp_thisissecrettoo"}


def ran(*words: str, status: int = 0) -> str:
    done = subprocess.run(
        [str(SCRIPT), *words],
        capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (status, ""), done.stdout + done.stderr
    return done.stdout


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def events(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_an_operators_day(tmp_path: Path) -> None:
    port = free_port()
    with network(tmp_path, "local", validators=1) as net:
        log, published = tmp_path / "validator.jsonl", tmp_path / "published"
        settings = {"HEALTH_PORT": port, "LOG_FILE": log, "PUBLISH_DIR": published, **SECRETS}
        settings["PUBLISH_URL"] = "https://records.example/mine"
        (tmp_path / ".env").write_text("# mine\n" + "".join(f"{name}='{value}'\n" for name, value in settings.items()))
        net.mined("honest", mediocre(tmp_path))
        net.mined("reckless", ROOT / "packs" / "reckless")
        with net.validating():
            net.epoch_sealed(1, 2)
            answer = httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
            assert answer.status_code == 200
            assert answer.json()["events"]["award"]["winner"] == net.hotkey("honest")
            assert answer.json()["well"] is True
            assert answer.json()["phase"] in ("weighing", "sealing", "waiting")
            assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 404
        net.chain.advance(1)  # what was sent stands in the next block
        assert net.chain.weights(net.hotkey("validator-0")) is not None
        said = [event["event"] for event in events(log)]
        assert (said[0], said[-1]) == ("started", "stopped")
        assert {"award", "weights", "record"} <= set(said)
        kept = (path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != ".env")
        assert not any(secret.encode() in body for body in kept for secret in SECRETS.values())
        everything_told(net, tmp_path)
        record_from_anywhere(published)


def everything_told(net: Network, folder: Path) -> None:
    """Every command that reads the ledger, and the estimate."""
    own = ("--state", str(folder / "state" / "validator-0"), "--protocol", str(net.rules))
    outputs = {name: ran(name, *own) for name in ("epochs", "leaderboard", "runs")}
    outputs |= {name: ran("why", net.hotkey(name), *own) for name in ("honest", "reckless")}
    for shown in outputs.values():
        lines = [line for line in shown.splitlines() if str(folder) not in line]
        assert max(map(len, lines)) <= 80
    assert "honest/pack" in outputs["epochs"]
    assert "winner" in outputs["leaderboard"]
    assert " 0 tokens" not in outputs["runs"]
    assert "ENTRY: wins" in outputs["honest"]
    assert "critical failure" in outputs["reckless"]
    model = shipped().model
    assert load_prices().named(model) is not None
    words = ("validator", "estimate", "--network", net.chain.url, "--netuid", "11", *own)
    estimate = ran(*words)
    assert "2 submissions, at most 2 distinct packs" in estimate
    assert "runs of this validator's ledger" in estimate
    assert "$" in estimate
    assert "the budget pays for 0 packs: too little" in ran(*words, "--budget.usd", "0.01", status=1)


def record_from_anywhere(published: Path) -> None:
    """The published record, served by a process and audited by its URL."""
    command = [str(SCRIPT), "validator", "serve", str(published), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split(" at ")[1].split(" ")[0]
        assert "epoch 1: clean" in ran("audit", f"{url}epoch-1")
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=20) == 0
    finally:
        server.kill()
        server.communicate()


def test_once_dry_and_on_a_budget(tmp_path: Path) -> None:
    with network(tmp_path, "local", validators=1) as net:
        net.mined("honest", mediocre(tmp_path))
        for epoch, words in ((1, ("--once", "--dry-run")), (2, ("--once", "--budget.tokens", "1"))):
            net.chain.advance(epoch * EPOCH - net.chain.head())
            child = net.started("validator-0", *words)
            net.epoch_sealed(epoch, 1)
            assert child.wait(timeout=60) == 0
        net.chain.advance(1)
        assert net.chain.weights(net.hotkey("validator-0")) is None
        assert net.manifest("validator-0", 1)["award"]["winner"] == net.hotkey("honest")
        second = net.manifest("validator-0", 2)
        assert second["evaluations"] == []
        assert "the budget pays for 0 packs, and there are 1" in json.dumps(second["award"]["trace"])
        said = events(tmp_path / "validator-0.log")
        assert [event["packs"] for event in said if event["event"] == "budget"] == [0]
        assert "this is a dry run" in {event.get("why") for event in said if event["event"] == "no_weights"}
