"""``neurons/miner.py`` and ``neurons/validator.py``: the flags that operators type, before or after the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neurons.miner import rewritten
from trajectoryrl.errors import InvalidInput

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("BT_", "WALLET", "SUBTENSOR", "NETWORK", "NETUID", "KEY_FILE", "FORGE", "PROTOCOL")):
            monkeypatch.delenv(name)


def test_flags_stand_before_the_command_or_after_it() -> None:
    wanted = ["status", "--netuid", "7", "--network", "test", "--wallet.name", "cold"]
    before = ["--netuid", "7", "--subtensor.network", "test", "--wallet.name", "cold", "status"]
    after = ["status", "--wallet.name", "cold", "--subtensor.chain_endpoint", "test", "--netuid=7"]
    assert rewritten(before) == wanted
    assert rewritten(after) == wanted


def test_what_belongs_to_the_command_is_left_to_it() -> None:
    words = ["publish", "folder", "--repo", "me/pack", "--branch", "main", "--wallet.hotkey", "status"]
    assert rewritten(words) == [
        "publish",
        "--wallet.hotkey",
        "status",
        "folder",
        "--repo",
        "me/pack",
        "--branch",
        "main",
    ]
    assert rewritten(["--help"]) == ["--help"]
    assert rewritten([]) == []


def test_environment_and_env_file_count_and_flags_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("NETUID=5\nWALLET_NAME=filed\n")
    monkeypatch.setenv("BT_WALLET_HOTKEY", "hot")
    assert rewritten(["status"]) == ["status", "--netuid", "5", "--wallet.name", "filed", "--wallet.hotkey", "hot"]
    assert rewritten(["status", "--netuid", "6"])[1:3] == ["--netuid", "6"]
    (tmp_path / "other").write_text("NETUID=8\n")
    assert rewritten(["--env", "other", "status"])[:3] == ["status", "--netuid", "8"]
    with pytest.raises(InvalidInput):
        rewritten(["status", "--netuid", "many"])


@pytest.mark.parametrize(("script", "said"), [("miner.py", "publish"), ("validator.py", "--wallet.hotkey")])
def test_both_neurons_tell_what_they_take(script: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "neurons" / script), "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60, env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip
    assert said in done.stdout
    assert done.stderr == ""


def test_a_setting_without_meaning_is_one_line(tmp_path: Path) -> None:
    for script in ("miner.py", "validator.py"):
        words = ["status"] if script == "miner.py" else []
        done = subprocess.run(
            [sys.executable, str(ROOT / "neurons" / script), *words, "--netuid", "many"],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "error: --netuid: is a whole number, not 'many' [SETTING]\n"
