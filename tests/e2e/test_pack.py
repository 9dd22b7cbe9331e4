"""``clawbench pack``: from an author's folder to a pack.json, with every mistake told."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from .conftest import ROOT, Run

SAMPLES = sorted(path.name for path in (ROOT / "packs").iterdir() if path.is_dir())


def test_from_nothing_to_a_pack_json(claw: Run, tmp_path: Path) -> None:
    assert claw("pack", "init", "mine").returncode == 0
    assert claw("pack", "lint", "mine", "--strict").stdout == "mine: no problems\n"
    assert claw("pack", "build", "mine", "--check").returncode == 1
    built = claw("pack", "build", "mine")
    assert built.returncode == 0
    raw = (tmp_path / "mine" / "pack.json").read_bytes()
    assert raw == json.dumps(json.loads(raw), sort_keys=True).encode() + b"\n"
    assert built.stdout.splitlines()[-1] == sha256(raw[:-1]).hexdigest()
    assert (
        claw("pack", "hash", "mine").stdout
        == claw("pack", "hash", "mine/pack.json").stdout
        == built.stdout.splitlines()[-1] + "\n"
    )
    assert claw("pack", "build", "mine", "--check").returncode == 0
    with (tmp_path / "mine" / "AGENTS.md").open("a") as file:
        file.write("\r\nMore.\r\n")
    assert claw("pack", "build", "mine", "--check").returncode == 1
    assert "mine/pack.json: found another pack" in claw("pack", "lint", "mine").stdout
    assert claw("pack", "build", "mine", "-o", "other.json").returncode == 0
    assert "More.\\n" in (tmp_path / "other.json").read_text()
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
    assert "exec" in claw("pack", "show", "mine").stdout


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_packs_are_built(claw: Run, name: str) -> None:
    done = claw("pack", "build", f"packs/{name}", "--check", cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, f"packs/{name}/pack.json is up to date\n")


def test_lint_tells_everything_with_line_and_pointer(claw: Run, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "packs" / "careful", tmp_path / "p")
    (tmp_path / "p" / "pack.yaml").write_text(
        "schema_version: 2\ntool_policy:\n  allow:\n    - slack\n    - exec\n"
        "metadata: {pack_name: a b, pack_version: 1}\n"
    )
    (tmp_path / "p" / "SOUL.md").write_text("calm\u202e\n")
    done = claw("pack", "lint", "p", "packs")
    assert done.returncode == 2
    assert "error: p/SOUL.md: /files/SOUL.md: found U+202E in line 1; allowed: " in done.stdout
    assert "error: packs: " in done.stdout
    (tmp_path / "p" / "SOUL.md").unlink()
    done = claw("pack", "lint", "p")
    assert "error: p/pack.yaml:1: /schema_version: found 2; allowed: the integer 1 [PACK_VERSION]\n" in done.stdout
    assert "error: p/pack.yaml:5: /tool_policy/allow/1: found 'exec'" in done.stdout
    assert len(done.stdout.splitlines()) == 5
    report = json.loads(claw("pack", "lint", "p", "--json").stdout)
    assert report["packs"][0]["problems"][0]["pointer"] == "/schema_version"


def test_what_a_pack_says_never_steers_the_terminal(claw: Run, tmp_path: Path) -> None:
    raw = json.dumps(
        {"\x1b]0;owned\x07": "\x1b[2J", "files": {"\x1b[31m.md": "\u202e"}, "metadata": {"pack_name": "\x9b31m"}}
    )
    for name, text in (("raw.json", raw), ("folder.json", raw.replace("u001b", "u202e"))):
        (tmp_path / name).write_text(text)
        for words in (("lint", name), ("hash", name), ("show", name), ("lint", name, "--json"), ("lint", "\x1b[2J")):
            done = claw("pack", *words)
            assert done.returncode == 2
            assert (done.stdout + done.stderr).replace("\n", "").isprintable()


def test_warnings_exit_0_unless_strict(claw: Run, tmp_path: Path) -> None:
    (tmp_path / "short.md").write_text("Be good.\n")
    done = claw("pack", "lint", "short.md")
    assert done.returncode == 0
    assert done.stdout.startswith("warning: short.md: /files/AGENTS.md: found 6 letters; better: ")
    assert claw("pack", "lint", "short.md", "--strict").returncode == 1


@pytest.mark.parametrize(
    "words",
    [
        ("build", "nowhere"),
        ("build", "file.json"),
        ("hash", "nowhere"),
        ("show", "file.json"),
        ("init", "../up"),
        ("build", "good", "-o", "no/such/folder/pack.json"),
        ("build", "good", "-o", "good"),
        ("lint",),
    ],
)
def test_bad_input_exits_2_in_one_line(claw: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "file.json").write_text("{")
    shutil.copytree(ROOT / "packs" / "careful", tmp_path / "good")
    done = claw("pack", *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert done.stderr.rstrip("\n").splitlines()[-1].lower().startswith("error: ")


def test_the_schema_of_packs_is_printed(claw: Run) -> None:
    schema = json.loads(claw("schema", "pack").stdout)
    assert schema["title"] == "Open Policy Pack v1"
    assert "properties" in json.loads(claw("schema").stdout)
