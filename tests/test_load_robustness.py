"""Whatever stands in place of any value of a scenario or fixture, loading ends in a scenario or in clean problems."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clawbench import draws
from clawbench.errors import Problem, ScenarioInvalid
from clawbench.lint import lint_scenario
from clawbench.scenario import load_scenario, render_world

from .scenario_files import FIXTURES, SCENARIO, write

COMPAT = Path(__file__).parent / "data" / "compat" / "scenarios" / "desk_move.yaml"
JUNK: list[Any] = [None, True, 7, -1.5, "", "x{{", "(", "{{day}}", [], [None], ["a", 7], {}, {"a": 1}, {"any": [[]]}]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    changed = copy.deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    return changed


def outcome(path: Path) -> tuple[Problem, ...]:
    """The problems of a scenario; none if it loads, and then it renders, too."""
    try:
        scenario = load_scenario(path)
    except ScenarioInvalid as error:
        return error.problems
    assert render_world(scenario, draws.local_seed("0")).sha256
    return ()


def clean(found: tuple[Problem, ...]) -> bool:
    return all(p.code.isupper() and p.where and p.message and "\n" not in p.message for p in found)


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_anywhere_in_a_scenario_of_ours(junk: Any, tmp_path: Path) -> None:
    value = yaml.safe_load(SCENARIO)
    path = write(tmp_path)
    bad = 0
    for place in places(value):
        path.write_text(yaml.safe_dump(replaced(value, place, junk)))
        found = outcome(path)
        assert clean(found), (place, found)
        bad += bool(found)
    assert bad > 40


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_anywhere_in_a_public_scenario(junk: Any, tmp_path: Path) -> None:
    value = yaml.safe_load(COMPAT.read_text())
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "fixtures").symlink_to(COMPAT.parent.parent / "fixtures")
    path = tmp_path / "scenarios" / "desk_move.yaml"
    seen = 0
    for place in places(value):
        path.write_text(yaml.safe_dump(replaced(value, place, junk)))
        assert clean(outcome(path)), place
        seen += 1
    assert seen > 50


@pytest.mark.parametrize("name", [name for name in FIXTURES if name.endswith(".json")])
def test_junk_anywhere_in_a_fixture(name: str, tmp_path: Path) -> None:
    path = write(tmp_path)
    file = tmp_path / "fixtures" / "harbour" / name
    bad = 0
    for junk in JUNK:
        file.write_text(json.dumps(junk))
        assert clean(outcome(path)), junk
        for place in places(FIXTURES[name]):
            file.write_text(json.dumps(replaced(FIXTURES[name], place, junk)))
            found = outcome(path)
            assert clean(found), (place, junk, found)
            bad += bool(found)
    assert bad > 10


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_in_a_public_fixture_loads_or_is_refused(junk: Any, tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    folder = tmp_path / "fixtures" / "a"
    folder.mkdir(parents=True)
    path = tmp_path / "scenarios" / "a.yaml"
    path.write_text("name: a\nprompt: x\n")
    for name in (name for name in FIXTURES if name.endswith(".json")):
        for content in (junk, [junk], {"a": junk}, {"a": [junk]}, [{"id": junk, "received_ts": junk, "start": junk}]):
            (folder / name).write_text(json.dumps(content))
            assert clean(outcome(path)), content
        (folder / name).unlink()


def test_lint_never_fails_on_what_loads(tmp_path: Path) -> None:
    value = yaml.safe_load(SCENARIO)
    path = write(tmp_path)
    linted = 0
    for place in places(value):
        for junk in ("x", "{{day}}", ["slack/analysis"]):
            path.write_text(yaml.safe_dump(replaced(value, place, junk)))
            if not outcome(path):
                report = lint_scenario(path)
                assert report.problems == ()
                assert clean(report.warnings)
                linted += 1
    assert linted > 5
