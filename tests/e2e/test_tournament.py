"""``trajectoryrl tournament``, ``audit`` and ``replay`` as a user runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests import golden, interpreters

ROOT = Path(__file__).parent.parent.parent
APART = {"seal.json", "times.jsonl"}


def command(*words: str, status: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "trajectoryrl"), *words],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in APART
    }


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A tournament of the sample packs and of things that are none: its folder and what it printed."""
    folder = tmp_path_factory.mktemp("tournament") / "one"
    packs = sorted(str(path) for path in (ROOT / "packs").iterdir())
    done = command("tournament", *packs, "packs/careful", "README.md", "Makefile", "/nowhere", "--out", str(folder))
    return folder, done.stdout, done.stderr


def manifest_of(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "epoch-1" / "manifest.json").read_bytes())
    return value


def test_careful_wins_and_everyone_is_told_why(played: tuple[Path, str, str]) -> None:
    folder, out, _ = played
    assert "\nwinner: careful\n" in out
    assert "audit: clean" in out
    found = manifest_of(folder)
    names = found["inputs"]["names"]
    exact = {}
    for row in found["submissions"]:
        if row["outcome"] == "ENTRY":
            scored = next(one for one in found["evaluations"] if one["content"] == row["content"])
            exact[names[row["hotkey"]]] = Fraction(scored["score"]["exact"])
    assert exact["baseline"] <= exact["careful"] - Fraction(1, 10)
    why = {names[hotkey]: said for hotkey, said in found["award"]["why"].items()}
    assert why["careful"].startswith("wins")
    assert "critical failure" in why["reckless"]
    assert "below 0.30" in why["stuffer"]
    assert "below 0.30" in why["hoarder"]
    assert {names[row["hotkey"]]: row["outcome"] for row in found["submissions"]}["careful-2"] == "DUPLICATE"
    assert "careful-2: duplicate" in out
    assert all(len(line) <= 80 for line in out.splitlines() if not line.startswith("record kept in"))


def test_what_is_no_pack_is_named_and_skipped(played: tuple[Path, str, str]) -> None:
    _, _, err = played
    skipped = [line for line in err.splitlines() if line.startswith("skipped")]
    assert [line.split()[1].rstrip(":") for line in skipped] == ["README.md", "Makefile", "/nowhere"]
    assert "Traceback" not in err


def test_every_submission_was_pushed_committed_and_witnessed(played: tuple[Path, str, str]) -> None:
    folder, _, _ = played
    found = manifest_of(folder)
    for row in found["submissions"]:
        assert row["evidence"]
        assert all((folder / "epoch-1" / "evidence" / name).exists() for name in row["evidence"])
        assert row["push_ms"] is not None
        assert int(row["commitment"]["commit"], 16)


def test_two_runs_give_the_same_bytes_wherever(played: tuple[Path, str, str], tmp_path: Path) -> None:
    folder, _, _ = played
    packs = sorted(str(path) for path in (ROOT / "packs").iterdir())
    again = tmp_path / "again"
    environment = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "GIT_AUTHOR_NAME": "Somebody"}
    command("tournament", *packs, "packs/careful", "-q", "--out", str(again), **environment)
    assert bytes_of(again) == bytes_of(folder)


def test_an_audit_says_the_same_as_json(played: tuple[Path, str, str]) -> None:
    folder, _, _ = played
    document = json.loads(command("audit", str(folder), "--json").stdout)
    assert document["clean"] is True
    assert [record["problems"] for record in document["records"]] == [[]]
    assert document["records"][0]["runs"] > 20


def test_an_audit_of_a_changed_record_exits_1_and_names_the_file(played: tuple[Path, str, str], tmp_path: Path) -> None:
    shutil.copytree(played[0], tmp_path / "changed")
    pack = next((tmp_path / "changed" / "epoch-1" / "packs").iterdir())
    pack.write_bytes(pack.read_bytes() + b" ")
    done = command("audit", str(tmp_path / "changed"), status=1)
    assert f"packs/{pack.name}" in done.stdout
    assert "Traceback" not in done.stderr


def test_an_audit_needs_no_sdk_no_network_and_no_model(played: tuple[Path, str, str]) -> None:
    script = """
import socket, sys
from pathlib import Path
def refused(*_, **__): raise AssertionError("an audit asked the network")
socket.socket.connect = refused
from trajectoryrl.audit import audited_chain
assert all(audit.clean for audit in audited_chain(Path(sys.argv[1])))
used = {"bittensor", "anthropic", "openai", "git", "httpx", "clawbench.models.offline"} & set(sys.modules)
sys.exit(f"an audit loads {used}" if used else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(played[0])], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_folder_that_holds_the_record_already_is_refused_before_anything_runs(
    played: tuple[Path, str, str],
) -> None:
    done = command("tournament", "packs/careful", "--out", str(played[0]), status=2)
    assert "RECORD_EXISTS" in done.stderr
    assert "evaluated" not in done.stderr


def test_a_replay_shows_another_pack_beside_the_winner(played: tuple[Path, str, str]) -> None:
    folder, _, _ = played
    done = command("replay", str(folder), "--pack", "baseline")
    assert "baseline            careful" in done.stdout
    assert "would not have won" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    same = command("replay", str(folder), "--pack", "careful").stdout
    assert "✗" not in same


def test_several_epochs_leave_records_that_name_each_other(tmp_path: Path) -> None:
    out = tmp_path / "three"
    done = command("tournament", "packs/careful", "packs/reckless", "--epoch", "5", "--epochs", "2", "--out", str(out))
    assert done.stdout.count("winner: careful") == 2
    before = None
    for number in (5, 6):
        raw = (out / f"epoch-{number}" / "manifest.json").read_bytes()
        assert json.loads(raw)["previous"] == before
        before = sha256(raw).hexdigest()
    manifests = [json.loads((path / "manifest.json").read_bytes()) for path in out.iterdir()]
    scenarios = {tuple(found["plan"]["scenarios"]) for found in manifests}
    assert len(scenarios) > 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Makefile"], "none of these is a pack"),
        (["packs/careful", "--epoch", "0"], "EPOCH"),
        (["packs/careful", "--epochs", "0"], "--epochs"),
        (["packs/careful", "--runs", "2"], "runs"),
        (["packs/careful", "--model", "nobody"], "MODEL_UNKNOWN"),
        ([], "PACK"),
    ],
)
def test_bad_input_is_one_clear_line(words: list[str], said: str, tmp_path: Path) -> None:
    done = command("tournament", *words, "--out", str(tmp_path / "out"), status=2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_every_interpreter_makes_and_audits_the_same_record(
    tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    """``make test`` prepares a .venv-X.Y for every CPython of the machine; this one is always among them."""
    prepared = interpreters.ready()
    record_property("interpreters", " ".join(prepared))
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert own in prepared
    kinds = [
        {"LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"},
        {"LC_ALL": "C.UTF-8", "TZ": "America/St_Johns", "PYTHONHASHSEED": "4242"},
    ]
    told = {}
    manifests = {}
    for number, (version, python) in enumerate(sorted(prepared.items())):
        environment = {**os.environ, **kinds[number % 2], "PYTHONDONTWRITEBYTECODE": "1"}
        place = tmp_path / version

        def run(*words: str, python: Path = python, environment: dict[str, str] = environment) -> str:
            return subprocess.run(
                [str(python), "-m", *words],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
                timeout=120,
            ).stdout

        run("tests.golden", str(place))
        told[version] = run("trajectoryrl", "audit", str(golden.GOLDEN), "--library", str(golden.LIBRARY), "--json")
        made = command("audit", str(place), "--library", str(golden.LIBRARY), "--json").stdout
        assert json.loads(made)["clean"], f"a record made by Python {version}"
        value = json.loads((place / f"epoch-{golden.EPOCHS[-1]}" / "manifest.json").read_bytes())
        manifests[version] = {**value, "made": None, "previous": None}
    assert set(told.values()) == {told[own]}
    assert json.loads(told[own])["clean"]
    assert all(found == manifests[own] for found in manifests.values()), list(manifests)
