"""docs/validators.md and deploy/: what they name exists, and says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from trajectoryrl.cli import cli
from trajectoryrl.settings import _OPTIONS, SECRETS, settings_table

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "validators.md").read_text(encoding="utf-8")
OTHERS = {"PYTHONUNBUFFERED", "HOME", "BITTENSOR_RUNTIME_CACHE_DIR"}
KNOWN = {name for option in _OPTIONS for name in option.env} | set(SECRETS)


def test_the_table_of_settings_is_that_of_the_code() -> None:
    table = PAGE.partition("<!-- settings -->\n")[2].partition("<!-- end -->")[0]
    assert table == settings_table()


def test_every_link_and_every_command_of_the_page_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    commands = set(re.findall(r"trajectoryrl ([a-z]+)", PAGE))
    assert len(commands) > 5
    assert commands <= set(cli.list_commands(None))  # type: ignore[arg-type]


def test_the_example_of_an_environment_names_what_there_is() -> None:
    lines = (ROOT / "deploy" / "env.example").read_text().splitlines()
    names = {line.lstrip("#").partition("=")[0] for line in lines if re.match(r"#?[A-Z_]+=", line)}
    assert {"NETUID", "WALLET_HOTKEY", "ANTHROPIC_API_KEY"} <= names <= KNOWN


def test_the_services_set_what_there_is_and_mount_no_coldkey() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    validator, records = compose["services"]["validator"], compose["services"]["records"]
    wallets = [volume for volume in validator["volumes"] if isinstance(volume, dict)]
    assert all(volume["read_only"] and "/hotkeys/" in volume["source"] for volume in wallets)
    assert records["volumes"] == ["records:/records:ro"]
    assert all(port.startswith("127.0.0.1:") for port in records["ports"])
    unit = (ROOT / "deploy" / "trajectoryrl-validator.service").read_text()
    docker = (ROOT / "deploy" / "Dockerfile").read_text()
    joined = f"{unit}\n{docker}".replace("\\\n", " ")
    said = re.findall(r"^(?:ENV|Environment=)\s*(.*)$", joined, re.MULTILINE)
    names = {word.partition("=")[0] for line in said for word in line.split()} - OTHERS
    assert {"STATE_DIR", "HEALTH_PORT"} <= names <= KNOWN
    copied = re.findall(r"^COPY (.*) \S+$", docker, re.MULTILINE)
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []
