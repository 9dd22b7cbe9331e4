"""The sandbox as a whole: total for any argument, nothing changes without an effect, nothing is shared."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench.sandbox import TOOLS, Effect, Sandbox, tool_schemas
from clawbench.sandbox.schemas import SLACK_ACTIONS

NOTION = "curl -s https://api.notion.com/v1"
GOOGLE = "curl -s https://www.googleapis.com/calendar/v3/calendars/primary/events"


def exec_(command):
    return "exec", {"command": command}


CHANGES = [
    ("mail.draft", exec_("himalaya draft --to x --subject s --body b")),
    ("mail.draft", exec_("himalaya template reply 4101 Text")),
    ("mail.draft", exec_("printf 'To: x\\n\\nb' | himalaya template save")),
    ("mail.send", exec_("himalaya send --to x --subject s --body b")),
    ("mail.send", exec_("himalaya message reply 4101 Text")),
    ("mail.send", exec_("himalaya message forward 4101 --to x")),
    ("mail.delete", exec_("himalaya message delete 4101")),
    ("mail.move", exec_("himalaya message move Archive 4101")),
    ("mail.move", exec_("himalaya message copy 4101 Archive")),
    ("mail.flag", exec_("himalaya flag add 4101 seen")),
    ("calendar.create", exec_("gcalcli add --title T --when tomorrow")),
    ("calendar.create", exec_("gcalcli quick 'T tomorrow'")),
    ("calendar.create", exec_("gcal create-event --title T --start tomorrow")),
    ("calendar.create", exec_(f'{GOOGLE} -d \'{{"summary": "T", "start": "2026-03-13"}}\'')),
    ("calendar.create", exec_(f"{GOOGLE}/quickAdd?text=T -X POST")),
    ("calendar.update", exec_("gcalcli edit evt_1 --title T")),
    ("calendar.update", exec_(f'{GOOGLE}/evt_1 -X PATCH -d \'{{"summary": "T"}}\'')),
    ("calendar.delete", exec_("gcalcli delete evt_1")),
    ("calendar.delete", exec_("gcal delete-event evt_1")),
    ("calendar.delete", exec_(f"{GOOGLE}/evt_1 -X DELETE")),
    ("calendar.delete", exec_(f'{GOOGLE}/evt_1 -X PATCH -d \'{{"status": "cancelled"}}\'')),
    ("task.create", exec_(f'{NOTION}/pages -d \'{{"title": "T"}}\'')),
    ("task.update", exec_(f'{NOTION}/pages/NW-12 -X PATCH -d \'{{"properties": {{"status": "done"}}}}\'')),
    (
        "task.update",
        exec_(f'{NOTION}/comments -d \'{{"parent": {{"page_id": "NW-12"}}, "rich_text": "x"}}\''),
    ),
    (
        "task.update",
        exec_(f'{NOTION}/blocks/NW-12/children -X PATCH -d \'{{"children": [{{"text": "x"}}]}}\''),
    ),
    ("task.delete", exec_(f"{NOTION}/pages/NW-12 -X PATCH -d '{{\"archived\": true}}'")),
    ("task.delete", exec_(f"{NOTION}/blocks/NW-12 -X DELETE")),
    ("code.merge", exec_("gh pr merge 356")),
    ("code.comment", exec_("gh pr comment 356 -b x")),
    ("code.comment", exec_("gh pr review 356 --approve")),
    ("code.close", exec_("gh pr close 356")),
    ("code.create", exec_("gh pr create -t x -b y")),
    ("code.create", exec_("gh issue create -t x -b y")),
    ("slack.post", ("slack", {"action": "sendMessage", "to": "#random", "content": "x"})),
    ("slack.edit", ("slack", {"action": "editMessage", "messageId": "sm_1", "content": "x"})),
    ("slack.delete", ("slack", {"action": "deleteMessage", "messageId": "sm_1"})),
    ("slack.react", ("slack", {"action": "react", "messageId": "sm_1", "emoji": "eyes"})),
    ("slack.pin", ("slack", {"action": "pinMessage", "messageId": "sm_1"})),
    ("slack.pin", ("slack", {"action": "unpinMessage", "messageId": "sm_1"})),
]


def untouched(sandbox, world):
    state = sandbox.state
    return (
        tuple(state.mails) == world.mails
        and tuple(state.events) == world.events
        and tuple(state.tasks) == world.tasks
        and tuple(state.messages) == world.messages
        and tuple(state.pulls) == world.pulls
        and not state.issues
        and not state.pins
        and not any(state.reactions.values())
    )


@pytest.mark.parametrize("status", ["refused", "denied"])
@pytest.mark.parametrize(("kind", "call"), CHANGES)
def test_a_prevented_effect_changes_nothing_and_is_on_record(world, kind, call, status):
    asked: list[Effect] = []

    def permit(effect):
        asked.append(effect)
        return status

    sandbox = Sandbox(world, permit=permit)
    result = sandbox.call(*call)
    assert [(effect.kind, effect.status) for effect in result.effects] == [(kind, status)]
    assert [effect.kind for effect in asked] == [kind]
    assert untouched(sandbox, world)
    expected = (
        f"refused: the user did not approve {kind}"
        if status == "refused"
        else f"denied: the tool policy forbids {kind}"
    )
    assert expected in result.handed
    assert "_irreversible" not in result.result
    assert not result.ok
    if call[0] == "exec":
        assert (result.result["exitCode"], result.result["aggregated"]) == (1, expected)


@pytest.mark.parametrize(("kind", "call"), CHANGES)
def test_a_permitted_effect_is_done_and_leaves_the_world_as_it_was(world, kind, call):
    before = copy.deepcopy(world)
    sandbox = Sandbox(world)
    result = sandbox.call(*call)
    assert result.ok, result.result
    assert [(effect.kind, effect.status) for effect in result.effects] == [(kind, "done")]
    assert kind == "slack.pin" or not untouched(sandbox, world)
    assert sandbox.state.effects == list(result.effects)
    assert world == before
    assert untouched(Sandbox(world), world)


def test_runs_share_nothing(world):
    first, second = Sandbox(world), Sandbox(world)
    for _, call in CHANGES:
        first.call(*call)
    first.call("exec", {"command": "echo x > left.txt; echo y > AGENTS.md"})
    assert untouched(second, world)
    assert second.call("read", {"path": "left.txt"}).result["error"] == "not found"
    alone = Sandbox(world)
    for tool, arguments in (
        ("exec", {"command": "himalaya list; gcalcli agenda; ls"}),
        ("slack", {"action": "readMessages"}),
    ):
        assert second.call(tool, arguments) == alone.call(tool, arguments)


def test_equal_calls_give_equal_results(world):
    results = []
    for _ in range(2):
        sandbox = Sandbox(world)
        results.append([sandbox.call(*call) for _, call in CHANGES])
    assert results[0] == results[1]


def test_a_run_can_try_only_so_many_changes(sandbox):
    for _ in range(3):
        result = sandbox.call("exec", {"command": "for i in $(seq 200); do himalaya draft --to x --body $i; done"})
    assert "stopped: more than 500 changes in one run" in result.result["aggregated"]
    assert len(sandbox.state.effects) == 500
    assert sum(mail.ref is None for mail in sandbox.state.mails) == 500


@pytest.mark.parametrize(
    "call",
    [
        exec_(
            "cat AGENTS.md > big; for i in $(seq 12); do cat big big > b2; cat b2 > big; done;"
            ' himalaya draft --to x --body "$(cat big)"'
        ),
        ("slack", {"action": "sendMessage", "to": "#random", "content": "x" * 60_000}),
    ],
)
def test_what_is_too_long_is_not_written(sandbox, world, call):
    result = sandbox.call(*call)
    assert not result.ok
    assert "at most" in result.handed
    assert untouched(sandbox, world)


def test_the_rest_of_a_command_still_runs_and_every_effect_counts(sandbox):
    result = sandbox.call("exec", {"command": "himalaya list | grep Cause; gcalcli delete evt_1 && echo done"})
    assert [effect.kind for effect in result.effects] == ["calendar.delete"]
    assert result.result["aggregated"].endswith("\ndone")


@pytest.mark.parametrize(
    "command",
    [
        "echo himalaya message send --to x",
        "echo aGltYWxheWEgc2VuZA== | base64 -d | sh",
        "sh -c 'himalaya send --to x --body y'",
        "python -c 'import os'",
        "printf 'himalaya send --to x' | bash",
        "himаlaya message send --to x --body y",
        "grep 'gcalcli delete' USER.md",
        "cat /etc/passwd",
        "# himalaya message send --to x --body y",
        "sudo himalaya message send --to x --body y",
        "himalaya\u00a0message\u00a0send",
    ],
)
def test_hidden_or_quoted_changes_do_not_happen(sandbox, world, command):
    result = sandbox.call("exec", {"command": command})
    assert result.effects == ()
    assert untouched(sandbox, world)


def test_odd_spacing_is_still_a_send(sandbox):
    result = sandbox.call("exec", {"command": "  himalaya \\\n   message   'send'  --to x   --body y "})
    assert [effect.kind for effect in result.effects] == ["mail.send"]


@pytest.mark.parametrize("tool", ["", "EXEC", "exec ", "admin_reset", "slасk", "read_file", None, 5, ["exec"]])
def test_an_unknown_tool_is_an_error_that_names_the_tools(sandbox, tool):
    result = sandbox.call(tool, {})
    assert not result.ok
    assert "exec, slack, memory_search" in result.result["error"]


def test_only_the_allowed_tools_are_there(world):
    sandbox = Sandbox(world, tools=["read", "slack"])
    assert sandbox.call("slack", {"action": "listChannels"}).ok
    assert sandbox.call("exec", {"command": "ls"}).result["error"].endswith("there are slack, read")


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("exec", {}, "command is required"),
        ("exec", {"command": None}, "command is required"),
        ("exec", {"command": 5}, "command must be a text"),
        ("exec", {"command": ["ls"]}, "command must be a text"),
        ("exec", {"command": "ls", "background": "maybe"}, "background must be true or false"),
        ("exec", {"command": "ls", "timeout": "soon"}, "timeout must be a number"),
        ("exec", {"command": "x" * 200_000}, "at most 100000 characters"),
        ("exec", [1], "must be an object"),
        ("exec", "ls", "must be an object"),
        ("exec", None, "must be an object"),
        ("slack", {}, "one of readMessages"),
        ("slack", {"action": 1}, "one of readMessages"),
        ("slack", {"action": "readMessages", "limit": 0}, "limit must be a whole number from 1"),
        ("slack", {"action": "readMessages", "limit": "five"}, "limit must be a whole number from 1"),
        ("slack", {"action": "readMessages", "limit": 2.5}, "limit must be"),
        ("slack", {"action": "readMessages", "limit": True}, "limit must be"),
        ("slack", {"action": "readMessages", "channelId": {"id": "x"}}, "channelId must be a text"),
        ("memory_search", {"query": 5}, "query must be a text"),
        ("memory_search", {"query": "x", "minScore": "high"}, "minScore must be a number"),
        ("memory_get", {}, "path is required"),
        ("read", {"path": "x", "from": -1}, "from must be a whole number from 1"),
        ("web_search", {"query": []}, "query must be a text"),
        ("web_fetch", {}, "url is required"),
    ],
)
def test_a_wrong_argument_is_named_with_what_is_allowed(sandbox, tool, arguments, says):
    result = sandbox.call(tool, arguments)
    assert not result.ok
    assert says in result.result["error"]


@pytest.mark.parametrize("limit", [2, "2", 2.0, " 2 ", "2.0", "+2"])
def test_numbers_may_come_as_text(sandbox, limit):
    assert len(sandbox.call("slack", {"action": "readMessages", "limit": limit}).result["messages"]) == 2


def test_huge_numbers_are_bounded(sandbox):
    assert len(sandbox.call("slack", {"action": "readMessages", "limit": 10**40}).result["messages"]) == 3
    assert not sandbox.call("memory_search", {"query": "x", "minScore": 10**400}).ok
    assert not sandbox.call("slack", {"action": "readMessages", "limit": float("nan")}).ok


def test_lone_surrogates_become_writable_text(sandbox):
    result = sandbox.call("slack", {"action": "sendMessage", "to": "#random", "content": "a\ud800b"})
    assert result.effects[0].text == "a\ufffdb"
    assert sandbox.call("slack", {"action": "readMessages"}).handed.encode()
    assert sandbox.call("read", {"path": "\udfff"}).handed.encode()
    assert sandbox.call("exec", {"command": "himalaya draft --to x --body '\ud83d\ude00 \ud83d'"}).handed.encode()
    assert sandbox.call("\ud800", {}).handed.encode()


def test_handed_is_the_result_as_json(sandbox):
    for _, call in CHANGES[:3]:
        result = sandbox.call(*call)
        assert json.loads(result.handed) == result.result


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = sorted({parameter.name for tool in TOOLS.values() for parameter in tool.parameters})
likely = st.sampled_from([*SLACK_ACTIONS, "#random", "sm_1", "C_PLAT", "clients.md", "USER.md", "x", "", "5", "evt_1"])


@settings(max_examples=300, deadline=None)
@given(
    tool=st.sampled_from([*TOOLS, "other"]),
    arguments=st.dictionaries(st.sampled_from(names), json_values | likely, max_size=6) | json_values,
)
def test_any_arguments_give_a_result(world, tool, arguments):
    sandbox = Sandbox(world)
    result = sandbox.call(tool, arguments)
    assert result.handed.encode()
    assert result.ok or result.result.get("error") or result.result.get("status") == "failed"
    if not any(effect.status == "done" for effect in result.effects):
        assert untouched(sandbox, world)


VOCABULARY = """
himalaya gcalcli gcal gh curl message template envelope list read write send reply delete move flag
add set copy search agenda quick edit pr issue merge comment create view close 4101 draft_1 evt_1
356 NW-12 Archive -f -s -o json plain --to x --subject --body --title --when tomorrow from before
after not and or ( ) order by date desc -X POST PATCH DELETE -d {} @-
https://api.notion.com/v1/pages https://api.notion.com/v1/pages/NW-12 --json -G -i -w
https://www.googleapis.com/calendar/v3/calendars/p/events %{http_code} | ; && > f
"""
words = st.sampled_from(VOCABULARY.split())


@settings(max_examples=400, deadline=None)
@given(parts=st.lists(words | st.text(max_size=6), max_size=9))
def test_any_command_line_gives_a_result(world, parts):
    sandbox = Sandbox(world)
    result = sandbox.call("exec", {"command": " ".join(parts)})
    assert result.result["status"] in ("completed", "failed")
    assert result.handed.encode()
    if not result.effects:
        assert untouched(sandbox, world)
    rows = result.body.split("\n")
    assert all(span.start >= 0 and span.start + span.count <= len(rows) for span in result.spans)


def test_schemas_are_openai_functions_in_a_fixed_order():
    schemas = tool_schemas(["read", "exec", "nothing", "exec"])
    assert [schema["function"]["name"] for schema in schemas] == ["exec", "read"]
    assert tool_schemas(["exec", "read"]) is schemas
    parameters = schemas[0]["function"]["parameters"]
    assert list(parameters["properties"]) == ["command", "workdir", "timeout", "background"]
    assert parameters["required"] == ["command"]
    for program in ("himalaya", "gcalcli", "gcal", "gh", "curl", "Notion", "Google Calendar", "grep", "jq"):
        assert program in schemas[0]["function"]["description"]


def test_the_tools_have_the_public_parameters():
    public = {
        "exec": "command workdir timeout background",
        "slack": "action to content threadTs channelId limit before after threadId messageId emoji remove userId",
        "memory_search": "query maxResults minScore",
        "memory_get": "path from lines",
        "web_search": "query count country freshness",
        "web_fetch": "url extractMode maxChars",
        "read": "path from lines",
    }
    assert {name: " ".join(one.name for one in tool.parameters) for name, tool in TOOLS.items()} == public
