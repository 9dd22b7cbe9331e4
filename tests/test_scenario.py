"""Scenario files of ours: what loads, and what cannot be a scenario at all."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from clawbench.checkspec import CHECK_MODELS
from clawbench.errors import ScenarioInvalid
from clawbench.scenario import Scenario, load_scenario
from clawbench.schema import scenario_schema

from .scenario_files import SCENARIO, edited, problems, write


@pytest.fixture
def harbour(tmp_path: Path) -> Scenario:
    return load_scenario(write(tmp_path))


def test_a_scenario_of_ours(harbour: Scenario) -> None:
    assert (harbour.name, harbour.difficulty, harbour.now, harbour.compat) == (
        "harbour",
        "easy",
        "08:55",
        False,
    )
    assert harbour.weight == Fraction(5, 4)
    assert harbour.tools == ("exec", "slack", "memory_search", "memory_get", "read")
    assert [check.id for check in harbour.checks] == ["nothing_sent", "culprit", "few_calls"]
    assert harbour.gate is not None
    assert (harbour.gate.category, harbour.gate.at_least) == ("correctness", Fraction(1, 2))
    assert harbour.baseline is not None
    assert (harbour.baseline.tool_calls, harbour.baseline.tokens) == (9, 5000)
    assert harbour.user.grants == ("task.create",)
    assert set(harbour.specs) == {"client", "engineer", "sponsor", "culprit", "call", "clash", "trap"}
    assert harbour.fixtures_dir.name == "harbour"
    assert harbour.variant_texts() == {"baseline": "Help. {{NOT_RENDERED}}\n"}


def test_checks_are_models_of_their_type(harbour: Scenario) -> None:
    sent, culprit, calls = (dict(check) for check in harbour.checks)
    assert (sent["effect"], sent["severity"]) == (("mail.send", "slack.*"), "critical")
    assert (culprit["exclusive"], culprit["case_insensitive"]) == (("culprit",), True)
    assert culprit["evidence"] == {"culprit": ["mail/analysis", "slack/analysis"]}
    assert (calls["max"], calls["tool"], calls["evidence"]) == (9, None, None)


def test_defaults(tmp_path: Path) -> None:
    text = edited("weight: 1.25\n", "", edited("difficulty: easy\n", "", edited('now: "08:55"\n', "")))
    text = edited("user: {grants: [task.create]}\n", "", edited("baseline: {tool_calls: 9, tokens: 5000}\n", "", text))
    loaded = load_scenario(write(tmp_path, edited("  gate: {category: correctness, at_least: 50%}\n", "", text)))
    assert (loaded.weight, loaded.difficulty, loaded.now) == (1, "medium", "09:30")
    assert (loaded.user.grants, loaded.baseline, loaded.gate) == ((), None, None)


def test_every_check_type_has_a_model_that_takes_it(tmp_path: Path) -> None:
    parameters = {
        "tool_called": "tool: exec",
        "tool_not_called": "tools: [exec, read]",
        "tool_count_max": "max: 3, tool: exec",
        "tool_count_min": "min: 3",
        "tool_count_score": "min: 3, max: 9",
        "tool_called_before": "before: read, after: exec",
        "response_length_max": "max: 100",
        "effect_absent": "effect: mail.send, to: x, pattern: y",
        "effect_present": "effect: ['*.create', task.update]",
    }
    for name in CHECK_MODELS:
        rest = parameters.get(name, "pattern: x")
        line = f"    - {{id: more, type: {name}, points: 1, category: structure, {rest}}}\n"
        loaded = load_scenario(write(tmp_path, SCENARIO + line))
        assert dict(loaded.checks[-1])["type"] == name


def test_the_hash_names_file_and_fixtures(tmp_path: Path) -> None:
    first = load_scenario(write(tmp_path)).sha256
    assert load_scenario(write(tmp_path)).sha256 == first
    assert load_scenario(write(tmp_path, SCENARIO + "# more\n")).sha256 != first
    assert load_scenario(write(tmp_path, SCENARIO, {"MEMORY.md": "other"})).sha256 != first


def test_files_that_are_no_scenario(tmp_path: Path) -> None:
    cases: dict[str, tuple[bytes, str]] = {
        "empty": (b"", "SCENARIO_EMPTY"),
        "list": (b"- a\n", "SCENARIO_TYPE"),
        "text": (b"hello", "SCENARIO_TYPE"),
        "nul": (b"a: \x00", "YAML_SYNTAX"),
        "binary": (b"\xff\xfe\x00", "YAML_ENCODING"),
        "large": (b"x" * 10_000_000, "SCENARIO_TOO_LARGE"),
    }
    for name, (content, code) in cases.items():
        path = tmp_path / f"{name}.yaml"
        path.write_bytes(content)
        with pytest.raises(ScenarioInvalid) as caught:
            load_scenario(path)
        assert [problem.code for problem in caught.value.problems] == [code]
    with pytest.raises(ScenarioInvalid) as caught:
        load_scenario(tmp_path / "none.yaml")
    assert caught.value.code == "SCENARIO_MISSING"


def test_hostile_sizes_are_refused_in_time(tmp_path: Path) -> None:
    key = "k" * 100_000
    cases = [
        SCENARIO + f"{key}: 1\n",
        SCENARIO + "".join(f"k{n}: 1\n" for n in range(9000)),
        edited("facts:\n", "facts:\n" + "".join(f"  f{n}: 1\n" for n in range(9000))),
        edited('"{{culprit}}"', '"' + "{{x}}" * 20_000 + '"'),
        edited("mail/analysis", "m" * 100_000),
        edited('"{{culprit}}"', "'" + "(" * 4000 + ")" * 90 + "'"),
        edited("weight: 1.25", "weight: " + "9" * 399),
    ]
    for text in cases:
        started = time.perf_counter()
        assert problems(tmp_path, text)
        assert time.perf_counter() - started < 3
    names = ",".join(f'"a": {n}' for n in range(100_000))
    started = time.perf_counter()
    assert problems(tmp_path, SCENARIO, {"documents.json": f"[{{{names}}}]"})
    assert time.perf_counter() - started < 3


def test_a_bad_pattern_says_nothing_on_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    problems(tmp_path, edited('"{{culprit}}"', '"(?=x)"\n      case_insensitive: false'))
    assert capfd.readouterr() == ("", "")


def test_schema_is_one_and_takes_our_scenario() -> None:
    import jsonschema
    import yaml

    schema = scenario_schema()
    assert schema["$schema"].endswith("2020-12/schema")
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(yaml.safe_load(SCENARIO))) == []
    wrong = yaml.safe_load(edited("max: 9", "maxx: 9"))
    assert list(validator.iter_errors(wrong))
    assert json.loads(json.dumps(schema)) == schema


def test_schema_describes_every_key() -> None:
    def described(schema: Any, path: str) -> list[str]:
        if isinstance(schema, list):
            return [p for item in schema for p in described(item, path)]
        if not isinstance(schema, dict):
            return []
        missing = [
            f"{path}.{name}" for name, field in schema.get("properties", {}).items() if "description" not in field
        ]
        return missing + [p for key, item in schema.items() for p in described(item, f"{path}.{key}")]

    assert described(scenario_schema(), "") == []
