"""``trajectoryrl epochs | leaderboard | runs | why`` on a ledger: true, at 80 columns, nothing that can act."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from trajectoryrl.cli import cli
from trajectoryrl.errors import InvalidInput
from trajectoryrl.ledger import Ledger, WeightsRow
from trajectoryrl.ledgerview import weights_said

from .ledgers import made_ledger


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    made_ledger(folder)
    return folder


def ran(state: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--state", str(state)], standalone_mode=False)


def told(state: Path, *words: str) -> str:
    done = ran(state, *words)
    assert done.exception is None, done.exception
    assert done.output.replace("\n", "").isprintable()
    assert "--json" in words or max(len(line) for line in done.output.splitlines()) <= 80
    return done.output


def told_json(state: Path, *words: str) -> Any:
    return json.loads(told(state, *words, "--json"))


def test_epochs_say_how_far_each_came(state: Path) -> None:
    rows = [line.split() for line in told(state, "epochs").splitlines()[1:]]
    assert [row[2] for row in rows] == ["skipped", "recorded", "decided", "verifying"]
    assert rows[1][4:] == ["252", "5Alice", "5Alice/pack"]
    assert told(state, "epochs", "--last", "1").count("\n") == 2
    assert "joined 90 blocks" in told(state, "epochs", "--epoch", "1")
    one = told_json(state, "epochs", "--epoch", "3")["epochs"][0]
    assert one["weights"] == "sent at block 250, attempt 1, not confirmed yet"
    assert (one["manifest"], one["weights_block"]) == (None, None)


def test_the_leaderboard_is_of_the_newest_decided_epoch(state: Path) -> None:
    said = told(state, "leaderboard")
    assert said.startswith("epoch 3: decided, 5 submissions\n")
    lines = {line.split()[-1]: line for line in said.splitlines()[2:7]}
    assert "0.9750  77.8%" in lines["winner"]
    assert set(lines) == {"winner", "2", "duplicate", "hash_mismatch", "git_timeout"}
    found = told_json(state, "leaderboard", "--epoch", "2")
    assert [row["hotkey"] for row in found["standings"]] == ["5Alice", "5Bobby", "5Copier", "5Dora", "5Eve"]
    assert [row["place"] for row in found["standings"]] == [1, 2, None, None, None]
    assert found["standings"][0]["share"] == "7/9"


def test_runs_by_miner_and_by_fault(state: Path) -> None:
    assert "5 attempts, 1 broken by infrastructure, 4,800 tokens" in told(state, "runs")
    assert len(told_json(state, "runs", "--hotkey", "5Ali")["runs"]) == 2
    faults = told_json(state, "runs", "--faults")["runs"]
    assert [(row["status"], row["run"]) for row in faults] == [("INFRA", 2)]
    assert "5Dora was not run: HASH_MISMATCH" in told(state, "runs", "--hotkey", "5Dora")


@pytest.mark.parametrize(
    ("hotkey", "sentences"),
    [
        ("5Alice", ("ENTRY: wins", "0.9750 exactly", "place 1, 77.8%", "weights  set in block 252", "(uid 1)")),
        ("5Bobby", ("place 2 gets 22.2%", "1 broken by infrastructure")),
        ("5Copier", ("DUPLICATE: ", "5Alice")),
        ("5Dora", ("HASH_MISMATCH: ", "\\u001b[2J", "\\u202e")),
        ("5Eve", ("GIT_TIMEOUT: the forge did not answer in time",)),
    ],
)
def test_why_tells_everyone_what_became_of_them(state: Path, hotkey: str, sentences: tuple[str, ...]) -> None:
    said = told(state, "why", hotkey, "--epoch", "2")
    assert [sentence for sentence in sentences if sentence not in said] == []
    assert told_json(state, "why", hotkey[:5], "--epoch", "2")["hotkey"] == hotkey


def test_why_before_anything_is_decided(state: Path) -> None:
    assert "ENTRY: it competes; nothing is decided yet" in told(state, "why", "5Alice", "--epoch", "4")
    assert "UNDECIDED: it is being verified" in told(state, "why", "5Bobby", "--epoch", "4")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("why", "5Nobody"), "HOTKEY_UNKNOWN"),
        (("epochs", "--epoch", "77"), "EPOCH_UNKNOWN"),
        (("runs", "--hotkey", "\x1b[2J"), "HOTKEY_UNKNOWN"),
    ],
)
def test_what_is_not_there_is_one_sentence(state: Path, words: tuple[str, ...], code: str) -> None:
    error = ran(state, *words).exception
    assert isinstance(error, InvalidInput)
    assert error.code == code


def test_a_missing_ledger_an_empty_one_and_two_of_them(tmp_path: Path) -> None:
    for words in (("epochs",), ("leaderboard",), ("runs",), ("why", "5A")):
        missing = ran(tmp_path, *words).exception
        assert isinstance(missing, InvalidInput)
        assert missing.code == "LEDGER_MISSING"
    Ledger(tmp_path / "ledger.db").close()
    assert "no epoch yet" in told(tmp_path, "epochs")
    empty = ran(tmp_path, "leaderboard").exception
    assert isinstance(empty, InvalidInput)
    assert empty.code == "EPOCH_UNKNOWN"
    other = made_ledger(tmp_path)
    which = ran(tmp_path, "epochs").exception
    assert isinstance(which, InvalidInput)
    assert which.code == "LEDGER_WHICH"
    assert "recorded" in told(tmp_path, "epochs", "--ledger", str(other))


def test_a_ledger_that_a_validator_is_writing_is_read_and_not_changed(tmp_path: Path) -> None:
    place = made_ledger(tmp_path)
    with Ledger(place):
        before = place.read_bytes()
        assert "recorded" in told(tmp_path, "epochs")
        assert place.read_bytes() == before


def test_what_retention_dropped_is_said(tmp_path: Path) -> None:
    place = made_ledger(tmp_path)
    with Ledger(place) as ledger:
        asyncio.run(ledger.forget(2))
    for words in (("why", "5Alice"), ("runs", "--hotkey", "5Alice")):
        error = ran(tmp_path, *words, "--epoch", "2").exception
        assert isinstance(error, InvalidInput)
        assert error.code == "EPOCH_FORGOTTEN"
    for words in (("runs",), ("leaderboard",), ("epochs",)):
        assert "keeps no more of this epoch than a line" in told(tmp_path, *words, "--epoch", "2").replace("\n", " ")
    assert told(tmp_path, "epochs").splitlines()[2].split() == ["2", "240", "recorded", "5", "252", "5Alice"]
    assert f"manifest {'ab' * 32}" in told(tmp_path, "epochs", "--epoch", "2")
    assert "ENTRY: wins" in told(tmp_path, "why", "5Alice", "--epoch", "3")


def test_how_weights_stand_in_every_state() -> None:
    given = {"keep_previous": False, "weights": {"a": "1"}}
    row = WeightsRow(1, 0, "PLANNED", {})
    assert weights_said(None, [])[0] == "not decided yet"
    assert weights_said({**given, "keep_previous": True}, [])[0] == "the previous ones stay"
    assert weights_said({**given, "weights": {}}, [])[0] == "none: nobody gets any"
    assert weights_said(given, [])[0] == "about to be set"
    assert weights_said(given, [row])[0] == "planned, not sent yet"
    assert weights_said(given, [row], sealed=True)[0] == "not set: given up after trying"
    assert weights_said(given, [], sealed=True)[0] == "not set: forbidden here, the log says why"
    assert weights_said(given, [row, WeightsRow(1, 0, "CONFIRMED", {"block": 9})]) == ("set in block 9", 9)
