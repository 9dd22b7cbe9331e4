from pathlib import Path

import pytest

from clawbench.errors import InvalidInput
from clawbench.library import default_pack, pack_path, scenario_path, scenario_paths


def test_what_lies_here_wins_over_what_was_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    installed = scenario_path("client_escalation")
    assert installed.is_file()
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "client_escalation.yaml").write_text("mine")
    assert scenario_path("client_escalation") == Path("scenarios/client_escalation.yaml")
    assert Path("scenarios/client_escalation.yaml") in scenario_paths()


def test_an_unknown_name_says_which_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match="client_escalation"):
        scenario_path("client_escalatoin")


def test_packs_go_by_name_and_the_default_is_mine_or_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert pack_path("careful").name == "careful"
    assert pack_path("nowhere/careful") == Path("nowhere/careful")
    assert default_pack() is not None
    assert default_pack().name == "baseline"  # type: ignore[union-attr]
    (tmp_path / "pack").mkdir()
    assert default_pack() == Path("pack")
