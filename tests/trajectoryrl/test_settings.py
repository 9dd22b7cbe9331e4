"""Flags over environment over .env over defaults, and sentences for what has no meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from trajectoryrl.errors import InvalidInput
from trajectoryrl.settings import Settings, settings


def _settings(*words: str) -> Settings:
    return settings(words, prog="validator", about="")


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("NETUID", "WALLET_NAME", "BT_WALLET", "NETWORK", "SUBTENSOR_NETWORK", "ONCE"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_given_is_the_public_subnet() -> None:
    assert _settings() == Settings()


def test_a_folder_for_the_state_is_where_the_operator_stands(tmp_path: Path) -> None:
    assert _settings("--state", "localnet/validator-1").state_folder == tmp_path / "localnet" / "validator-1"


def test_the_flags_that_operators_type_are_known() -> None:
    words = "--netuid 7 --wallet.name cold --wallet.hotkey hot --subtensor.network test --once --dry-run"
    found = _settings(
        *words.split(), "--logging.debug", "--subtensor.archive", "wss://a", "--subtensor.archive", "wss://b"
    )
    assert (found.netuid, found.wallet_name, found.wallet_hotkey, found.network) == (7, "cold", "hot", "test")
    assert (found.once, found.dry_run, found.log_level) == (True, True, "debug")
    assert found.archives == ("wss://a", "wss://b")
    assert _settings("--neuron.disable_set_weights").dry_run
    assert _settings("--subtensor.chain_endpoint", "ws://x").network == "ws://x"


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        "# ours\nexport NETUID=1\nWALLET_NAME='from file'\nSUBTENSOR_ARCHIVE=wss://a,wss://b\n"
    )
    assert (_settings().netuid, _settings().wallet_name) == (1, "from file")
    assert _settings().archives == ("wss://a", "wss://b")
    monkeypatch.setenv("NETUID", "2")
    assert _settings().netuid == 2
    assert _settings("--netuid", "3").netuid == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--netuid", "eleven"], "whole number"),
        (["--netuid", "9" * 40], "whole number"),
        (["--netuid", "-1"], "whole number"),
        (["--logging.level", "loud"], "one of debug"),
        (["--env", "missing.env"], "no such file"),
    ],
)
def test_a_value_without_meaning_is_a_sentence(words: list[str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as raised:
        _settings(*words)
    assert raised.value.exit_status == 2


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONCE", "perhaps")
    with pytest.raises(InvalidInput) as raised:
        _settings("--netuid", "x", "--health.port", "y")
    assert [problem.where for problem in raised.value.problems] == ["--netuid", "ONCE", "--health.port"]


@pytest.mark.parametrize("text", ["no equals sign\n", "1X=3\n", "A=1\n" * 40_000])
def test_a_file_that_is_no_env_file_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / ".env").write_text(text)
    with pytest.raises(InvalidInput) as raised:
        _settings()
    assert raised.value.code == "ENV_FILE"


def test_only_the_settings_asked_for_have_flags() -> None:
    with pytest.raises(SystemExit):
        settings(["--budget.usd", "3"], prog="miner", about="", only=["netuid", "network"])
    assert settings(["--netuid", "5"], prog="miner", about="", only=["netuid", "network"]).netuid == 5
