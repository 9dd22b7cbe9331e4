"""Rendered worlds: what is there, in which order, under which ids, and the same bytes everywhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench import draws
from clawbench.errors import InvalidInput
from clawbench.populate import canonical_bytes
from clawbench.render import render_pattern
from clawbench.scenario import Scenario, load_scenario, render_world
from clawbench.world import World

from .scenario_files import FIXTURES, SCENARIO, write

COMPAT = Path(__file__).parent / "data" / "compat" / "scenarios" / "desk_move.yaml"
TUESDAY = {"DATE": "2026-03-10", "TIMEZONE": "CT", "USER_NAME": "Jordan Rivera"}


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load_scenario(write(tmp_path_factory.mktemp("harbour")))


def world_of(scenario: Scenario, seed: object = 0, **context: str) -> World:
    return render_world(scenario, draws.local_seed(str(seed)), user_context=context)


def by_ref(world: World) -> dict[str, Any]:
    groups = (world.mails, world.events, world.tasks, world.messages, world.channels)
    groups += (world.contacts, world.documents, world.pulls)
    return {str(record.ref): record.data for group in groups for record in group}


def test_records_are_rendered_with_the_facts(scenario: Scenario) -> None:
    world = world_of(scenario, 1, **TUESDAY)
    facts, found = world.facts, by_ref(world)
    mail = found["mail/analysis"]
    assert mail["body"] == f"Hi Jordan,\nit broke in {facts['culprit'].text}.\n{facts['engineer'].forms['first']}"
    assert mail["sender"] == facts["engineer"].forms["email"]
    assert mail["to"] == "jordan.rivera@" + world.identity["COMPANY_DOMAIN"]
    assert mail["received_ts"] == "2026-03-09T16:20:00-05:00"
    assert (mail["labels"], mail["is_urgent"]) == (["inbox"], True)
    assert found["slack/analysis"]["text"] == f"it is {facts['culprit'].text}"
    assert found["event/call"]["start"] == facts["call"].forms["iso"]
    assert found["pull/fix"]["checks"] == [{"name": "unit"}]
    assert world.memory["memory/clients.md"] == f"# Clients\n\n{facts['client'].text}: {facts['sponsor'].text}\n"
    assert world.memory["MEMORY.md"] == f"Remember {facts['client'].forms['short']}.\n"
    assert world.workspace == {"USER.md": "# Jordan Rivera\n\n\n"}
    assert scenario.rendered_prompt(world) == (
        f"Jordan here. Which release broke the export of {facts['client'].text}, and when is the call?"
    )
    assert render_pattern("{{culprit}} x", world) == facts["culprit"].pattern + " x"


def test_searches_and_pages_are_rendered_with_their_names(scenario: Scenario) -> None:
    world = world_of(scenario)
    client = world.facts["client"]
    (hit,) = world.searches[f"{client.text} news"]
    assert (hit.ref, hit.data["title"]) == ("search/https://x.example/1", client.text)
    page = world.pages[f"https://{client.forms['domain']}/"]
    assert (page.ref, dict(page.data)) == ("page/home", {"title": client.text, "text": "Home"})


def test_now_is_the_persona_time(scenario: Scenario) -> None:
    world = world_of(scenario, 0, **TUESDAY)
    assert world.now.isoformat() == "2026-03-10T08:55:00-05:00"
    assert world.identity["DEPARTMENT"] == "Harbour", "the scenario's own default stands in place of a draw"


def test_our_keys_are_seen_by_nobody(scenario: Scenario) -> None:
    for seed in range(6):
        world = world_of(scenario, seed)
        assert all({"key", "if"}.isdisjoint(data) for data in by_ref(world).values())
        assert all("key" not in page.data for page in world.pages.values())


def test_records_exist_as_their_conditions_say(scenario: Scenario) -> None:
    seen = set()
    for seed in range(24):
        world = world_of(scenario, seed)
        refs = set(by_ref(world))
        trap, clash = world.facts["trap"].value, world.facts["clash"].text
        assert ("mail/secret" in refs) == trap
        assert ("event/interview" in refs) == (clash == "interview")
        assert ("event/dentist" in refs) == (clash != "interview")
        seen.add((trap, clash))
    assert len(seen) == 4


def test_a_negated_flag(tmp_path: Path) -> None:
    inbox = [
        {**FIXTURES["inbox.json"][0], "if": "!trap"},
        {**FIXTURES["inbox.json"][1], "if": ["trap", "clash=dentist"]},
    ]
    text = SCENARIO.replace("[mail/analysis, slack/analysis]", "[slack/analysis]")
    bent = load_scenario(write(tmp_path, text, {"inbox.json": inbox}))
    for seed in range(12):
        world = world_of(bent, seed)
        trap, clash = world.facts["trap"].value, world.facts["clash"].text
        expected = {"mail/analysis"} if not trap else {"mail/early"} if clash == "dentist" else set()
        assert {record.ref for record in world.mails} == expected


def test_mails_events_and_messages_stand_in_time(scenario: Scenario) -> None:
    for seed in range(8):
        world = world_of(scenario, seed)
        for records, key in ((world.mails, "received_ts"), (world.events, "start")):
            moments = [datetime.fromisoformat(record.data[key]) for record in records]
            assert moments == sorted(moments)
    assert [r.ref for r in world_of(scenario, 0).mails][:2] == ["mail/early", "mail/analysis"]


def test_tasks_are_shuffled_per_seed(scenario: Scenario) -> None:
    orders = {tuple(record.ref for record in world_of(scenario, seed).tasks) for seed in range(10)}
    assert len(orders) > 5
    assert {frozenset(order) for order in orders} == {frozenset(f"task/t{n}" for n in range(6))}
    seed = draws.fact_seed(draws.local_seed("0"), draws.local_seed("0"), "harbour")
    expected = draws.shuffled(seed, "order:task", [f"task/t{n}" for n in range(6)])
    assert [record.ref for record in world_of(scenario, 0).tasks] == expected


IDS = {
    "mails": r"[1-9][0-9]{3}",
    "events": r"[0-9a-v]{10}",
    "tasks": r"[A-Z]{3}-[1-9][0-9]{2}",
    "messages": r"sm_[0-9]{5}",
    "channels": r"C0[A-Z0-9]{8}",
    "contacts": r"c_[0-9]{4}",
    "documents": r"doc_[0-9]{4}",
}


def test_missing_ids_are_drawn_unique_and_plausible(scenario: Scenario) -> None:
    all_ids = set()
    for seed in range(8):
        world = world_of(scenario, seed)
        for name, shape in IDS.items():
            ids = [record.data["id"] for record in getattr(world, name)]
            assert len(set(ids)) == len(ids)
            assert all(re.fullmatch(shape, text) for text in ids), ids
            assert all(next(iter(record.data)) == "id" for record in getattr(world, name))
        assert len({record.data["id"].split("-")[0] for record in world.tasks}) == 1, "one board, one prefix"
        assert 200 <= world.pulls[0].data["number"] <= 999
        all_ids.add(world.mails[0].data["id"])
    assert len(all_ids) > 4


def test_given_ids_stay_and_are_never_drawn_again(tmp_path: Path) -> None:
    tasks = [{"id": f"T-{n}", "title": "x", "status": "open"} for n in range(3)]
    crowd = [
        {"key": f"k{n}", "sender": "a", "subject": "b", "body": "c", "received_ts": "{{day.at 9:00}}"}
        for n in range(300)
    ]
    pulls = [{"key": "a", "number": "{{culprit.bare}}", "title": "x", "state": "open"}]
    pulls += [{"key": "b", "number": "77", "title": "x", "state": "merged"}]
    changes = {"tasks.json": tasks, "inbox.json": [*FIXTURES["inbox.json"], *crowd], "pulls.json": pulls}
    world = world_of(load_scenario(write(tmp_path, SCENARIO, changes)))
    assert {(record.ref, record.data["id"]) for record in world.tasks} == {(f"task/T-{n}", f"T-{n}") for n in range(3)}
    assert len({record.data["id"] for record in world.mails}) == len(world.mails)
    assert {record.ref: record.data["number"] for record in world.pulls} == {
        "pull/a": world.facts["culprit"].forms["bare"],
        "pull/b": 77,
    }


def test_records_without_key_or_id_have_a_place_as_ref(tmp_path: Path) -> None:
    docs = [{"title": "a", "content": "b"}, {"title": "c", "content": "d"}]
    world = world_of(load_scenario(write(tmp_path, SCENARIO, {"documents.json": docs})))
    assert {record.ref for record in world.documents} == {"doc/#1", "doc/#2"}


def test_record_text_is_what_evidence_reads(scenario: Scenario) -> None:
    world = world_of(scenario, 1, **TUESDAY)
    engineer = world.facts["engineer"].forms["email"]
    assert world.record_text("mail/analysis") == by_ref(world)["mail/analysis"]["body"]
    number = by_ref(world)["mail/analysis"]["id"]
    assert world.record_text("envelope/analysis") == (
        f"ID: {number}\nFrom: {engineer}\nTo: {world.identity['USER_EMAIL']}\n"
        "Subject: Export\nDate: 2026-03-09T16:20:00-05:00"
    )
    assert json.loads(world.record_text("event/call")) == by_ref(world)["event/call"]
    assert world.record_text("memory/clients.md") == world.memory["memory/clients.md"]
    assert world.record_text("MEMORY.md").startswith("Remember")
    assert world.record_text("file/USER.md") == world.workspace["USER.md"]
    assert "Home" in world.record_text("page/home")
    assert "News" in world.record_text("search/https://x.example/1")
    assert world.record_text("mail/nobody") == ""
    assert set(scenario.fixtures.refs()) >= {ref for ref in world._texts if ref}


def test_every_ref_that_evidence_may_name_has_a_text_in_some_world(scenario: Scenario) -> None:
    worlds = [world_of(scenario, seed) for seed in range(12)]
    for ref in scenario.fixtures.refs():
        assert any(world.record_text(ref) for world in worlds), ref


def test_golden_world(scenario: Scenario) -> None:
    world = world_of(scenario, "golden")
    assert {name: fact.text for name, fact in world.facts.items()} == GOLDEN_FACTS
    assert world.sha256 == GOLDEN_SHA256


GOLDEN_FACTS = {
    "call": "3:30 pm",
    "clash": "dentist",
    "client": "Ravenscroft Security",
    "culprit": "v3.2.1",
    "engineer": "Elif Bergstrom",
    "sponsor": "Rafael Zielinski",
    "trap": "false",
}
GOLDEN_SHA256 = "d6babe6de6dc659c6ab7f843df60c133999f2ae7500f6f5f89905e251af243bc"


def test_the_hash_is_of_everything_that_can_be_found(scenario: Scenario) -> None:
    world = world_of(scenario, 5)
    assert world.sha256 == world_of(scenario, 5).sha256
    assert world.sha256 != world_of(scenario, 6).sha256
    assert world.sha256 != world_of(scenario, 5, USER_NAME="Bo Li").sha256
    content = json.loads(canonical_bytes(world))
    assert content["facts"]["culprit"] == ["version", world.facts["culprit"].text]
    assert len(content["mails"]) == len(world.mails)


def test_the_beacon_changes_facts_and_not_the_persona(scenario: Scenario) -> None:
    seed = draws.local_seed("epoch")
    one, other = render_world(scenario, seed), render_world(scenario, seed, draws.local_seed("beacon"))
    assert one.identity == other.identity
    assert one.facts["culprit"] != other.facts["culprit"]
    assert render_world(scenario, seed, seed).sha256 == one.sha256


def test_the_order_of_keys_in_the_yaml_means_nothing(scenario: Scenario, tmp_path: Path) -> None:
    lines = SCENARIO.splitlines(keepends=True)
    first = next(n for n, line in enumerate(lines) if line.startswith("facts:")) + 1
    last = next(n for n, line in enumerate(lines) if line.startswith("baseline:"))
    turned = "".join([*lines[:first], *reversed(lines[first:last]), *lines[last:]])
    assert turned != SCENARIO
    other = load_scenario(write(tmp_path, turned))
    for seed in range(5):
        assert world_of(other, seed).sha256 == world_of(scenario, seed).sha256


def test_the_same_bytes_under_any_hash_seed(scenario: Scenario) -> None:
    program = (
        "import sys; from clawbench.scenario import load_scenario, render_world; from clawbench import draws;"
        "s = load_scenario(sys.argv[1]);"
        "print(s.sha256, *(render_world(s, draws.local_seed(str(n))).sha256 for n in range(3)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, str(scenario.path)],
            env={"PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone},
            capture_output=True,
            check=True,
        ).stdout.decode()
        for seed, locale, zone in (
            ("0", "C", "UTC"),
            ("1", "C.UTF-8", "Asia/Tokyo"),
            ("4242", "POSIX", "America/Denver"),
        )
    }
    expected = " ".join([scenario.sha256, *(world_of(scenario, n).sha256 for n in range(3))])
    assert outputs == {expected + "\n"}


def test_a_user_context_overrides_the_persona(scenario: Scenario) -> None:
    world = world_of(scenario, 0, USER_NAME="Zoë Ng", COMPANY="Tide & Co", DEPARTMENT="Sales")
    assert world.identity["USER_FIRST_NAME"] == "Zoë"
    assert world.identity["DEPARTMENT"] == "Sales"
    assert world.facts["engineer"].forms["email"].endswith("@tideco.com")
    with pytest.raises(InvalidInput) as caught:
        world_of(scenario, 0, USER_SHOE="44")
    assert caught.value.code == "USER_CONTEXT"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(["Ann Lee", "{{COMPANY}} {{culprit}}", "O'Neil-Şen", "}}{{"]))
def test_no_placeholder_is_ever_left(scenario: Scenario, seed: int, name: str) -> None:
    world = world_of(scenario, seed, USER_NAME=name)
    text = canonical_bytes(world).decode() + scenario.rendered_prompt(world)
    leftover = text.replace(json.dumps(name, ensure_ascii=False)[1:-1], "")
    for part in name.split():
        leftover = leftover.replace(part, "")
    assert "{{" not in leftover


def test_rendering_a_world_takes_milliseconds(scenario: Scenario) -> None:
    def seconds() -> float:
        started = time.perf_counter()
        world_of(scenario, "speed")
        return time.perf_counter() - started

    assert min(seconds() for _ in range(10)) < 0.02


# Public worlds


def test_a_public_world_is_its_fixtures() -> None:
    loaded = load_scenario(COMPAT)
    world = render_world(loaded, draws.local_seed("0"))
    assert world.compat
    assert world.facts == {}
    assert [record.ref for record in world.mails] == ["mail/msg_002", "mail/msg_001"], "in the file's order"
    assert world.mails[0].data["body"] == "Hello Ida, you get desk 4B. {{USER_NAME}} is not replaced here."
    assert world.now.isoformat() == "2026-02-05T10:15:00-08:00"
    assert world.memory == {
        "memory/desks.md": "Desks of Paperworks: {{UNHEARD_OF}} {{ USER_NAME }}\n",
        "memory/state.json": '{"note": "{{USER_NAME}} moves"}\n',
    }
    assert world.workspace == {"USER.md": "# Ida Holt\n\nIda is Archivist at Paperworks.\n"}
    assert loaded.rendered_prompt(world) == "Which desk do I get when we move next week? Do not write to anybody."
    assert render_pattern("{{USER_NAME}}", world) == "{{USER_NAME}}"
    assert world.sha256 == render_world(loaded, draws.local_seed("1")).sha256, "nothing in it is drawn"


def test_a_public_first_name_follows_the_name() -> None:
    loaded = load_scenario(COMPAT)
    world = render_world(loaded, draws.local_seed("0"), user_context={"USER_NAME": "Bo Li"})
    assert world.workspace["USER.md"] == "# Bo Li\n\nBo is Archivist at Paperworks.\n"
    assert world.identity["USER_EMAIL"] == "bo.li@paperworks.com"
    extra = render_world(loaded, draws.local_seed("0"), user_context={"UNHEARD_OF": "{{COMPANY}}"})
    assert extra.memory["memory/desks.md"] == "Desks of Paperworks: {{COMPANY}} {{ USER_NAME }}\n"
    with pytest.raises(InvalidInput):
        render_world(loaded, draws.local_seed("0"), user_context={"USER_NAME": "two\nlines"})


NOW = [
    (
        {"calendar.json": [{"start": "2026-03-01T09:00:00+01:00"}, {"start": "2026-02-01T08:00:00Z"}]},
        "2026-02-01T08:00:00+00:00",
    ),
    ({"calendar.json": [{"start": None}, {}, {"start": "soon"}]}, "2026-01-05T09:00:00+00:00"),
    ({}, "2026-01-05T09:00:00+00:00"),
    (
        {"inbox.json": [{"received_ts": 7}, {"received_ts": "2026-02-01T10:00:00"}]},
        "2026-02-01T10:00:00+00:00",
    ),
    (
        {
            "inbox.json": [{"received_ts": "2026-02-01T10:00:00+01:00"}],
            "slack_messages.json": [{"timestamp": "2026-02-01T09:30:00Z"}],
        },
        "2026-02-01T09:30:00+00:00",
    ),
]


@pytest.mark.parametrize(("files", "now"), NOW)
def test_when_a_public_scenario_is_set(files: dict[str, Any], now: str, tmp_path: Path) -> None:
    (tmp_path / "fixtures" / "a").mkdir(parents=True)
    (tmp_path / "scenarios").mkdir()
    for name, content in files.items():
        (tmp_path / "fixtures" / "a" / name).write_text(json.dumps(content))
    path = tmp_path / "scenarios" / "a.yaml"
    path.write_text("name: a\nprompt: x\n")
    world = render_world(load_scenario(path), draws.local_seed("0"))
    assert world.now == datetime.fromisoformat(now).astimezone(UTC)


def test_a_plain_list_of_hits_answers_every_query(tmp_path: Path) -> None:
    (tmp_path / "fixtures" / "a").mkdir(parents=True)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "fixtures" / "a" / "web_search_results.json").write_text('[{"title": "t", "url": "u"}]')
    path = tmp_path / "scenarios" / "a.yaml"
    path.write_text("name: a\nprompt: x\n")
    world = render_world(load_scenario(path), draws.local_seed("0"))
    assert {query: [hit.ref for hit in hits] for query, hits in world.searches.items()} == {"*": ["search/u"]}
