"""Fixture folders: every refusal with code, file, line and record; nothing outside is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clawbench.errors import ScenarioInvalid
from clawbench.scenario import Scenario, load_scenario

from .scenario_files import FIXTURES, SCENARIO, edited, problems, write


@pytest.fixture
def harbour(tmp_path: Path) -> Scenario:
    return load_scenario(write(tmp_path))


MAIL = FIXTURES["inbox.json"][0]


def mails(**changes: Any) -> dict[str, Any]:
    record = {key: value for key, value in {**MAIL, **changes}.items() if value is not ...}
    return {"inbox.json": [{**FIXTURES["inbox.json"][1]}, record]}


BAD_FIXTURES: dict[str, tuple[dict[str, Any], str, str]] = {
    "not JSON": ({"tasks.json": "[\n {]"}, "FIXTURE_JSON", "tasks.json:2:3"),
    "NaN": ({"tasks.json": '[{"a": NaN}]'}, "FIXTURE_JSON", "tasks.json:1:8"),
    "half a character": ({"tasks.json": '["\\ud800"]'}, "FIXTURE_JSON", "tasks.json:1:"),
    "too deep": ({"documents.json": "[" * 40 + "]" * 40}, "FIXTURE_JSON", "documents.json"),
    "far too deep": ({"documents.json": "[" * 5000 + "]" * 5000}, "FIXTURE_JSON", "documents.json:1:"),
    "duplicate key": (
        {"tasks.json": '[\n{"title": "a",\n"x": 1, "x": 2, "status": "b"}]'},
        "FIXTURE_JSON",
        "tasks.json:3",
    ),
    "no list": ({"tasks.json": "{}"}, "FIXTURE_SHAPE", "tasks.json"),
    "no object": ({"tasks.json": "[\n7]"}, "FIXTURE_SHAPE", "tasks.json:2: [0]"),
    "no body": (mails(body=...), "FIXTURE_SHAPE", "inbox.json:9: [1].body"),
    "body of numbers": (mails(body=7), "FIXTURE_SHAPE", "inbox.json:9: [1].body"),
    "labels": (mails(labels="inbox"), "FIXTURE_SHAPE", "inbox.json:9: [1].labels"),
    "urgency": (mails(is_urgent="yes"), "FIXTURE_SHAPE", "inbox.json:9: [1].is_urgent"),
    "time": (mails(received_ts="yesterday"), "FIXTURE_SHAPE", "inbox.json:9: [1].received_ts"),
    "time without offset": (
        mails(received_ts="2026-03-12T10:00:00"),
        "FIXTURE_SHAPE",
        "inbox.json:9: [1].received_ts",
    ),
    "key with a slash": (mails(key="a/b"), "FIXTURE_SHAPE", "inbox.json:9: [1].key"),
    "key twice": (mails(key="early"), "FIXTURE_SHAPE", "inbox.json:9: [1]"),
    "id that is drawn": (mails(key=..., id="{{culprit}}"), "FIXTURE_SHAPE", "inbox.json:9: [1].id"),
    "bad condition": (mails(**{"if": "trap and clash"}), "FIXTURE_SHAPE", "inbox.json:9: [1].if"),
    "condition on nothing": (mails(**{"if": "trapp"}), "FACT_UNKNOWN", "inbox.json:9: [1].if"),
    "impossible condition": (mails(**{"if": "clash=lunch"}), "FACT_UNKNOWN", "inbox.json:9: [1].if"),
    "condition on no flag": (mails(**{"if": "client"}), "FACT_UNKNOWN", "inbox.json:9: [1].if"),
    "placeholder": (mails(subject="{{culprit.moon}}"), "PLACEHOLDER_UNKNOWN", "inbox.json:9: [1].subject"),
    "placeholder in a list": (
        mails(labels=["a", "{{x}}"]),
        "PLACEHOLDER_UNKNOWN",
        "inbox.json:9: [1].labels[1]",
    ),
    "placeholder in memory": ({"memory/a.md": "a\nb {{x}}\n"}, "PLACEHOLDER_UNKNOWN", "memory/a.md:2"),
    "placeholder in USER.md": ({"USER.md": "{{USER_SHOE}}"}, "PLACEHOLDER_UNKNOWN", "USER.md:1"),
    "placeholder in a query": (
        {"web_search_results.json": {"{{x}}": []}},
        "PLACEHOLDER_UNKNOWN",
        "web_search_results.json",
    ),
    "placeholder in a url": (
        {"web_pages.json": {"{{x}}": {"title": "a", "text": "b"}}},
        "PLACEHOLDER_UNKNOWN",
        "web_pages.json",
    ),
    "hits": ({"web_search_results.json": {"a": 7}}, "FIXTURE_SHAPE", "web_search_results.json"),
    "hit": (
        {"web_search_results.json": {"a": [{"title": "x"}]}},
        "FIXTURE_SHAPE",
        "web_search_results.json:2: a[0].url",
    ),
    "pages": ({"web_pages.json": []}, "FIXTURE_SHAPE", "web_pages.json"),
    "page": ({"web_pages.json": {"u": 1}}, "FIXTURE_SHAPE", "web_pages.json:2: u"),
    "pull state": (
        {"pulls.json": [{"title": "a", "state": "done"}]},
        "FIXTURE_SHAPE",
        "pulls.json:2: [0].state",
    ),
    "not UTF-8": ({"memory/a.md": b"a\n\xff"}, "FIXTURE_SHAPE", "memory/a.md:2"),
    "too large": ({"documents.json": b" " * (2 * 1024 * 1024 + 1)}, "FIXTURE_TOO_LARGE", "documents.json"),
    "too many": ({f"memory/m{n:03}.md": "x" for n in range(65)}, "FIXTURE_TOO_LARGE", "memory"),
    "all too large": (
        {f"memory/m{n}.md": "x" * 2_000_000 for n in range(5)},
        "FIXTURE_TOO_LARGE",
        "memory/m4.md",
    ),
}


@pytest.mark.parametrize("case", BAD_FIXTURES)
def test_bad_fixtures_name_file_line_and_record(case: str, tmp_path: Path) -> None:
    changes, code, place = BAD_FIXTURES[case]
    found = problems(tmp_path, SCENARIO, changes)
    named = [problem for problem in found if problem.code == code]
    assert named, found
    assert named[0].where.startswith(str(tmp_path / "fixtures" / "harbour" / place)), named[0]


def test_missing_files_of_variants_and_workspace(tmp_path: Path) -> None:
    text = edited("AGENTS.md.baseline", "AGENTS.md.best", SCENARIO + "workspace: {NOTES.md: notes.md}\n")
    found = problems(tmp_path, text)
    assert [(problem.code, Path(problem.where).name) for problem in found] == [
        ("FIXTURE_MISSING", "notes.md"),
        ("FIXTURE_MISSING", "AGENTS.md.best"),
    ]


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("the host's own")
    path = write(tmp_path, SCENARIO, {"memory/clients.md": None, "USER.md": None, "AGENTS.md.baseline": None})
    folder = tmp_path / "fixtures" / "harbour"
    (folder / "memory").mkdir(exist_ok=True)
    for link in ("memory/leak.md", "USER.md", "AGENTS.md.baseline"):
        (folder / link).symlink_to(secret)
    (folder / "tasks.json").unlink()
    (folder / "tasks.json").symlink_to("/dev/zero")
    with pytest.raises(ScenarioInvalid) as caught:
        load_scenario(path)
    assert [(p.code, Path(p.where).name) for p in caught.value.problems] == [("FIXTURE_MISSING", "AGENTS.md.baseline")]
    (folder / "AGENTS.md.baseline").unlink()
    (folder / "AGENTS.md.baseline").write_text("ok")
    loaded = load_scenario(path)
    assert loaded.fixtures.memory.keys() == {"MEMORY.md"}
    assert loaded.fixtures.workspace == {}
    assert "task" not in loaded.fixtures.records


def test_a_variant_that_vanishes_is_an_error_of_its_own(harbour: Scenario) -> None:
    (harbour.fixtures_dir / "AGENTS.md.baseline").unlink()
    with pytest.raises(ScenarioInvalid) as caught:
        harbour.variant_texts()
    assert caught.value.code == "FIXTURE_MISSING"
