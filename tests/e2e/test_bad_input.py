"""Bad input: one clear line each, a stable code, exit 2, no traceback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ROOT, Run

SCENARIO = (ROOT / "tests" / "data" / "own" / "scenarios" / "tiny.yaml").read_text()
PACK = {
    "schema_version": 1,
    "files": {"AGENTS.md": "# Policy"},
    "tool_policy": {"allow": ["read"]},
    "metadata": {"pack_name": "p", "pack_version": "1.0.0", "target_suite": "clawbench_v1"},
}


def scenario(text: str | bytes) -> Callable[[Path], list[str]]:
    def words(folder: Path) -> list[str]:
        shutil.copytree(ROOT / "tests" / "data" / "own" / "fixtures", folder / "fixtures")
        path = folder / "scenarios" / "tiny.yaml"
        path.parent.mkdir()
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return [str(path)]

    return words


def pack(content: bytes | None, name: str = "pack.json") -> Callable[[Path], list[str]]:
    def words(folder: Path) -> list[str]:
        if content is not None:
            (folder / name).write_bytes(content)
        return [str(ROOT / "tests/data/own/scenarios/tiny.yaml"), "--pack", str(folder / name)]

    return words


def options(*given: str) -> Callable[[Path], list[str]]:
    return lambda folder: [str(ROOT / "tests/data/own/scenarios/tiny.yaml"), *given]


def edited(old: str, new: str) -> str:
    assert old in SCENARIO
    return SCENARIO.replace(old, new, 1)


BOMB = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True))

CASES: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "missing file": (lambda folder: [str(folder / "none.yaml")], "SCENARIO_MISSING"),
    "unknown name": (lambda folder: ["no_such_scenario"], "SCENARIO_MISSING"),
    "empty file": (scenario(""), "SCENARIO_EMPTY"),
    "only comments": (scenario("# nothing\n"), "SCENARIO_EMPTY"),
    "wrong type": (scenario(edited("difficulty: easy", "difficulty: [easy]")), "SCENARIO_TYPE"),
    "unknown key": (scenario(edited("difficulty:", "dificulty:")), "SCENARIO_KEY"),
    "duplicate check id": (scenario(edited("id: few_calls", "id: nothing_sent")), "CHECK_DUPLICATE_ID"),
    "bad regex": (scenario(edited('"{{order}}"', '"({{order}}"')), "CHECK_PATTERN"),
    "regex RE2 cannot take": (scenario(edited('"{{order}}"', '"(?=x){{order}}"')), "CHECK_PATTERN"),
    "unknown check type": (scenario(edited("tool_count_max", "tool_count_maximum")), "CHECK_TYPE"),
    "unknown placeholder": (scenario(edited("{{asker.first}}", "{{asker.shoe}}")), "PLACEHOLDER_UNKNOWN"),
    "duplicate key": (scenario(SCENARIO + "weight: 2.0\n"), "YAML_DUPLICATE_KEY"),
    "merge key": (scenario(SCENARIO + "<<: {a: 1}\n"), "YAML_MERGE_KEY"),
    "alias bomb": (scenario(BOMB), "YAML_ALIAS"),
    "ten megabytes": (scenario("x" * 10_000_000), "SCENARIO_TOO_LARGE"),
    "not yaml": (scenario("a: [1, 2\nb: }"), "YAML_SYNTAX"),
    "not text": (scenario(b"\xff\xfe\x00name: x"), "YAML_"),
    "missing fixtures": (scenario(SCENARIO + "fixtures: nowhere\n"), "FIXTURE_MISSING"),
    "pack that is missing": (pack(None), "PACK_MISSING"),
    "pack without AGENTS.md": (
        pack(json.dumps({**PACK, "files": {"SOUL.md": "x"}}).encode()),
        "PACK_NO_AGENTS",
    ),
    "pack that is not JSON": (pack(b"{nope"), "PACK_NOT_JSON"),
    "pack that is a list": (pack(b"[]"), "PACK_TYPE"),
    "pack that is too large": (pack(b" " * 70_000), "PACK_TOO_LARGE"),
    "unknown model": (options("--model", "gpt-99"), "MODEL_UNKNOWN"),
    "replay of nothing": (options("--model", "replay:/nonexistent/place"), "TRAJECTORY_MISSING"),
    "a folder that is a file": (options("--out", "/dev/null"), "OUT_UNUSABLE"),
    "two runs": (options("--runs", "2"), "RUNS_EVEN"),
    "no runs": (options("--runs", "0"), "RUNS_EVEN"),
    "user context that is not JSON": (options("--user-context", "{nope"), "USER_CONTEXT_JSON"),
    "user context that is no object of texts": (
        options("--user-context", '{"USER_NAME": 3}'),
        "USER_CONTEXT_TYPE",
    ),
    "user context that is missing": (options("--user-context", "nowhere.json"), "USER_CONTEXT_MISSING"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_clear_line(case: str, claw: Run, tmp_path: Path) -> None:
    words, code = CASES[case]
    done = claw("run", *words(tmp_path))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert code in done.stderr
    lines = [line for line in done.stderr.splitlines() if line]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert not (tmp_path / "runs").exists(), "nothing is begun before the input is known to be good"


@pytest.mark.parametrize(
    "words",
    [
        ["--fail-under", "two"],
        ["--fail-under", "1.5"],
        ["-j", "0"],
        ["--runs", "many"],
        ["--temperature", "hot"],
    ],
)
def test_bad_options_are_usage_errors(words: list[str], claw: Run) -> None:
    done = claw("run", str(ROOT / "tests/data/own/scenarios/tiny.yaml"), *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Error" in done.stderr


def test_all_errors_of_a_file_come_in_one_go(claw: Run, tmp_path: Path) -> None:
    text = edited("difficulty: easy", "difficulty: soft").replace("points: 3", "points: none")
    done = claw("run", *scenario(text.replace("max: 4", "maximum: 4"))(tmp_path))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) >= 3
    assert "tiny.yaml:2" in done.stderr


def test_names_in_errors_cannot_steer_the_terminal(claw: Run) -> None:
    done = claw("run", "x\x1b[2Jy\nerror: fake.yaml")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [("nope", "EPISODE_JSON"), ("[]", "EPISODE_SHAPE"), ('{"response": 3}', "EPISODE_SHAPE")],
)
def test_bad_episodes_name_file_and_line(line: str, code: str, claw: Run, tmp_path: Path) -> None:
    path = tmp_path / "episodes.jsonl"
    path.write_text('{"response": ""}\n' + line + "\n")
    done = claw("score", "--scenario", str(ROOT / "tests/data/own/scenarios/tiny.yaml"), "--episode", str(path))
    assert done.returncode == 2
    assert f"{path}:2" in done.stderr
    assert code in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", 7, None])
def test_a_record_that_was_tampered_with_is_one_line(name: object, claw: Run, tmp_path: Path) -> None:
    tiny = str(ROOT / "tests" / "data" / "own" / "scenarios" / "tiny.yaml")
    assert claw("run", tiny, "--runs", "1", "--out", "out", "-q").returncode in {0, 1}
    path = next(tmp_path.rglob("run-0.jsonl"))
    start, *rest = [json.loads(line) for line in path.read_text().splitlines()]
    start["clawbench"]["scenario"]["name"] = name
    path.write_text("".join(json.dumps(record) + "\n" for record in [start, *rest]))
    forged = claw("score", str(path))
    assert forged.returncode == 2
    assert "TRAJECTORY_SHAPE" in forged.stderr
    del start["clawbench"]["unit"], start["clawbench"]["seed"]
    path.write_text("".join(json.dumps(record) + "\n" for record in [start, *rest]))
    for words in (
        ["score", str(path)],
        ["run", tiny, "--runs", "1", "--out", "out"],
        ["run", tiny, "--model", "replay:out"],
    ):
        done = claw(*words)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "TRAJECTORY_SHAPE" in done.stderr
