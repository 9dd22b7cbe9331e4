"""deploy/: what the systemd unit, the image and compose start does start, with what they set, and is found healthy.

Only folders and ports are others here. Neither docker nor systemd runs: their files are read, and done by hand.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from trajectoryrl.chain.keys import write_key

from .network import NETUID, ROOT, Network, mediocre, network
from .test_operating import SCRIPT, free_port, ran

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
UNIT = (DEPLOY / "trajectoryrl-validator.service").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


def environment_of(lines: list[str]) -> dict[str, str]:
    words = (word.partition("=") for line in lines for word in shlex.split(line))
    return {name: value for name, _, value in words}


def listed(instruction: str) -> list[str]:
    """The words of an instruction of the Dockerfile in JSON form."""
    (found,) = re.findall(rf"^{instruction} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    words: list[str] = json.loads(found)
    return words


def unit() -> tuple[list[str], dict[str, str]]:
    (command,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    program, *words = shlex.split(command)
    assert Path(program).name == SCRIPT.name
    return [str(SCRIPT), *words], environment_of(re.findall(r"^Environment=(.*)$", UNIT, re.MULTILINE))


def image() -> tuple[list[str], dict[str, str]]:
    program, *words = listed("ENTRYPOINT")
    assert program == SCRIPT.name
    assert listed("CMD") == COMPOSE["validator"]["command"]
    return [str(SCRIPT), *words, *listed("CMD")], environment_of(re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE))


def elsewhere(given: Mapping[str, str], folder: Path, port: int) -> dict[str, str]:
    """What a file sets, its folders in ``folder``, its port another."""
    places = {"STATE_DIR": "state/validator-0", "PUBLISH_DIR": "published", "WALLET_PATH": "wallets", "HOME": "home"}
    places["BITTENSOR_RUNTIME_CACHE_DIR"] = "sdk"
    found = {name: str(folder / places[name]) if name in places else value for name, value in given.items()}
    assert {"STATE_DIR", "PUBLISH_DIR", "HEALTH_PORT"} <= set(found)
    return {**found, "HEALTH_PORT": str(port)}


def operators(net: Network) -> dict[str, str]:
    """What an operator writes into the environment file, for this network."""
    key = net.folder / "key.json"
    write_key(key, "network:validator-0")
    given = {"NETUID": NETUID, "SUBTENSOR_NETWORK": net.chain.url, "FORGE_URL": net.forge.url, "KEY_FILE": key}
    return {name: str(value) for name, value in {**given, "PROTOCOL_FILE": net.rules, "MODEL": "offline"}.items()}


def healthy(words: list[str], port: int, theirs: str) -> bool:
    """Whether a health check says so, asked at another port."""
    program, *rest = words
    assert program == "python"
    assert any(theirs in word for word in rest)
    told = [sys.executable, *(word.replace(theirs, f":{port}/") for word in rest)]
    return subprocess.run(told, capture_output=True, timeout=30, check=False).returncode == 0


@pytest.mark.parametrize("started_by", [unit, image])
def test_a_validator_is_started_as_deploy_says(tmp_path: Path, started_by: object) -> None:
    assert callable(started_by)
    command, given = started_by()
    check = listed("HEALTHCHECK .* CMD")
    with network(tmp_path, "local", validators=1) as net:
        net.mined("honest", mediocre(tmp_path))
        port = free_port()
        environment = {"PATH": os.environ["PATH"], **elsewhere(given, tmp_path, port), **operators(net)}
        with (tmp_path / "validator-0.log").open("wb") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=tmp_path)
        try:
            net.epoch_sealed(1, 1)
            assert healthy(check, port, ":9110/")
            child.send_signal(signal.SIGTERM)
            assert child.wait(timeout=30) == 0
            assert not healthy(check, port, ":9110/")
        finally:
            child.kill()
            child.wait()
    records_served(tmp_path / "published")


def records_served(published: Path) -> None:
    """The service ``records`` serves what was published, and is found healthy."""
    service = COMPOSE["records"]
    port = free_port()
    places = {"/records": str(published), "0.0.0.0": "127.0.0.1", "8088": str(port)}
    words = [places.get(word, word) for word in service["command"]]
    server = subprocess.Popen([str(SCRIPT), *listed("ENTRYPOINT")[1:], *words], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        server.stdout.readline()
        assert healthy(service["healthcheck"]["test"][1:], port, ":8088/")
        assert "epoch 1: clean" in ran("audit", f"http://127.0.0.1:{port}/epoch-1")
    finally:
        server.kill()
        server.communicate()


def test_a_setting_that_cannot_work_is_not_tried_for_ever(tmp_path: Path) -> None:
    (status,) = re.findall(r"^RestartPreventExitStatus=([0-9]+)$", UNIT, re.MULTILINE)
    command, given = unit()
    environment = {"PATH": os.environ["PATH"], **elsewhere(given, tmp_path, 0), "NETUID": "many"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == int(status)
