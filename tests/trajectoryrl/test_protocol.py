"""The parameters: read strictly, hashed by value, and true in the docs."""

from __future__ import annotations

import json
import subprocess
import tomllib
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from trajectoryrl.errors import ParametersInvalid
from trajectoryrl.protocol import (
    NAMES,
    SHIPPED,
    decimal,
    library,
    parameters,
    parameters_of,
    scenario_set_hash,
)
from trajectoryrl.protocoldoc import with_table

ROOT = Path(__file__).parent.parent.parent
UPDATE = "run `make protocol`"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "protocol.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_is_up_to_date() -> None:
    shipped = parameters()
    assert shipped.scenario_set == scenario_set_hash(shipped.scenario_pool), UPDATE


def test_the_table_in_the_docs_is_up_to_date() -> None:
    doc = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert with_table(doc, parameters()) == doc, UPDATE


def test_values_are_exact_and_hashed() -> None:
    shipped = parameters()
    assert shipped.reliability_weight == Fraction(1, 10)
    assert shipped.bootstrap_shares == (Fraction(7, 10), Fraction(1, 5), Fraction(1, 10))
    assert shipped.steps == 20
    assert shipped.epoch_ms == 14_400_000
    assert shipped.limits.tool_calls == 40
    canonical = json.dumps(shipped.as_dict(), sort_keys=True, separators=(",", ":"))
    assert shipped.hash == sha256(canonical.encode()).hexdigest()
    assert shipped.version_key == int(shipped.hash[:13], 16) < 2**52
    assert tuple(tomllib.loads(SHIPPED.read_text(encoding="utf-8"))) == NAMES
    assert parameters_of(json.loads(canonical)) == shipped
    assert not any(isinstance(value, float) for value in shipped.as_dict().values())


def test_a_comment_changes_nothing_and_a_value_does(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    same = parameters(written(tmp_path, "# mine\n" + text))
    assert (same.hash, same.changed) == (parameters().hash, False)
    other = parameters(written(tmp_path, text.replace("runs = 3", "runs = 5")))
    assert (other.runs, other.changed) == (5, True)
    assert other.version_key != same.version_key


@pytest.mark.parametrize(
    ("old", "new", "code", "name"),
    [
        ("runs = 3\n", "", "PARAMETER_MISSING", "runs"),
        ("runs = 3", "runs = 3\nrun = 3", "PARAMETER_UNKNOWN", "run"),
        ("runs = 3", "runs = 4", "PARAMETER_RANGE", "runs"),
        ("runs = 3", "runs = true", "PARAMETER_RANGE", "runs"),
        ("runs = 3", "runs = 3.0", "PARAMETER_RANGE", "runs"),
        ('grid = "0.05"', "grid = 0.05", "PARAMETER_RANGE", "grid"),
        ('grid = "0.05"', 'grid = "0.06"', "PARAMETER_RANGE", "grid"),
        ('grid = "0.05"', 'grid = "0.050"', "PARAMETER_RANGE", "grid"),
        ('grid = "0.05"', 'grid = "0"', "PARAMETER_RANGE", "grid"),
        ('grid = "0.05"', 'grid = "1e-2"', "PARAMETER_RANGE", "grid"),
        ('minimum_score = "0.3"', 'minimum_score = "1.1"', "PARAMETER_RANGE", "minimum_score"),
        ('minimum_score = "0.3"', 'minimum_score = "-0.1"', "PARAMETER_RANGE", "minimum_score"),
        ('["0.7", "0.2", "0.1"]', '["0.7", "0.2"]', "PARAMETER_RANGE", "bootstrap_shares"),
        ('["0.7", "0.2", "0.1"]', '["0.1", "0.2", "0.7"]', "PARAMETER_RANGE", "bootstrap_shares"),
        ('["client_escalation", ', '["zeta", "client_escalation", ', "PARAMETER_RANGE", "scenario_pool"),
        ("scenarios_per_epoch = 4", "scenarios_per_epoch = 6", "PARAMETER_RANGE", "scenarios_per_epoch"),
        ("verify_blocks = 50", "verify_blocks = 1200", "PARAMETER_RANGE", "verify_blocks"),
        ('scoring = "rubric"', 'scoring = "vibes"', "PARAMETER_RANGE", "scoring"),
        ("runs = 3", "runs = ", "PARAMETERS_UNREADABLE", "protocol.toml"),
        ("# Runs.", "# Runs." + " " * 70_000, "PARAMETERS_UNREADABLE", "protocol.toml"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, code: str, name: str) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ParametersInvalid) as caught:
        parameters(written(tmp_path, text.replace(old, new)))
    assert caught.value.code == code
    assert caught.value.problems[0].where.endswith(name)


def test_every_problem_of_a_file_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ParametersInvalid) as caught:
        parameters(written(tmp_path, "a = 1\nversion = 0\n"))
    assert len(caught.value.problems) == 1 + len(NAMES)
    for broken in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(ParametersInvalid):
            parameters(broken)
    (tmp_path / "latin.toml").write_bytes(b"# \xff\n")
    with pytest.raises(ParametersInvalid):
        parameters(tmp_path / "latin.toml")


def test_the_scenario_set_is_what_sha256sum_prints(tmp_path: Path) -> None:
    pool = parameters().scenario_pool
    names: list[Any] = [Path("scenarios") / f"{name}.yaml" for name in pool]
    for name in pool:
        names += [path.relative_to(library()) for path in (library() / "fixtures" / name).rglob("*") if path.is_file()]
    arguments = sorted(str(name) for name in names)
    shown = subprocess.run(["sha256sum", *arguments], cwd=library(), capture_output=True, check=True)
    assert sha256(shown.stdout).hexdigest() == scenario_set_hash(pool)


def test_every_byte_and_name_of_a_scenario_enters_its_set(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "fixtures" / "one" / "memory").mkdir(parents=True)
    (tmp_path / "scenarios" / "one.yaml").write_text("a")
    (tmp_path / "fixtures" / "one" / "memory" / "n.md").write_text("b")
    seen = {scenario_set_hash(("one",), tmp_path)}
    (tmp_path / "fixtures" / "one" / ".DS_Store").write_text("ignored")
    assert scenario_set_hash(("one",), tmp_path) in seen
    (tmp_path / "fixtures" / "one" / "memory" / "n.md").write_text("c")
    seen.add(scenario_set_hash(("one",), tmp_path))
    (tmp_path / "fixtures" / "one" / "memory" / "n.md").rename(tmp_path / "fixtures" / "one" / "n.md")
    seen.add(scenario_set_hash(("one",), tmp_path))
    assert len(seen) == 3
    with pytest.raises(ParametersInvalid):
        scenario_set_hash(("one", "two"), tmp_path)


@pytest.mark.parametrize(("value", "text"), [("1/20", "0.05"), ("3", "3"), ("0", "0"), ("-1/8", "-0.125")])
def test_decimals(value: str, text: str) -> None:
    assert decimal(Fraction(value)) == text


def test_a_third_is_no_decimal() -> None:
    with pytest.raises(ValueError, match="1/3"):
        decimal(Fraction(1, 3))
