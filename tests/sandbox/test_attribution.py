"""Every line handed over names the records whose text it carries, and no others."""

from __future__ import annotations

import pytest

from clawbench.sandbox import Sandbox, ToolResult
from clawbench.sandbox.attribution import spans_of_lines
from clawbench.sandbox.lines import Line, array_lines, fragment, listing_lines


def owners(result: ToolResult, text: str) -> set[str]:
    """The records of every line of the body that contains ``text``; fails if there is none."""
    rows = result.body.split("\n")
    places = [number for number, row in enumerate(rows) if text in row]
    assert places, (text, result.body)
    spans = [span for span in result.spans if any(span.start <= place < span.start + span.count for place in places)]
    assert all(span.start + span.count <= len(rows) for span in result.spans)
    return {ref for span in spans for ref in span.records}


@pytest.mark.parametrize(
    ("tool", "arguments", "text", "refs"),
    [
        ("exec", {"command": "himalaya envelope list"}, "Cause of the outage", {"envelope/cause"}),
        ("exec", {"command": "himalaya list -o plain"}, "ESCALATION", {"envelope/escalation"}),
        ("exec", {"command": "himalaya message read 4101"}, "v3.1.4", {"mail/cause"}),
        ("exec", {"command": "himalaya message read 4101"}, "Subject:", {"envelope/cause"}),
        ("exec", {"command": "himalaya read 4101 4102"}, "14:30", {"mail/escalation"}),
        ("exec", {"command": "himalaya -o json read 4101"}, "v3.1.4", {"mail/cause"}),
        ("exec", {"command": "himalaya -o json read 4101"}, '"subject"', {"envelope/cause"}),
        ("exec", {"command": "himalaya template reply 4101"}, "> The release v3.1.4", {"mail/cause"}),
        ("exec", {"command": "himalaya message read 4101 | grep v3"}, "v3.1.4", {"mail/cause"}),
        ("exec", {"command": "gcalcli agenda"}, "Interview: Kim", {"event/interview"}),
        ("exec", {"command": "gcalcli --tsv agenda"}, "Planning", {"event/planning"}),
        ("exec", {"command": "gcal get-event evt_1"}, "Room B", {"event/interview"}),
        ("exec", {"command": "curl -s api.notion.com/v1/databases/t/query"}, "Write docs", {"task/docs"}),
        ("exec", {"command": "curl -s api.notion.com/v1/pages/NW-12"}, "omar.haddad", {"task/export"}),
        (
            "exec",
            {"command": "curl -s api.notion.com/v1/blocks/doc_1/children"},
            "call the client",
            {"doc/playbook"},
        ),
        (
            "exec",
            {"command": "curl -s -X POST api.notion.com/v1/search"},
            "Incident playbook",
            {"doc/playbook"},
        ),
        ("exec", {"command": "curl -s api.notion.com/v1/users"}, "Pat Reyes", {"contact/pat"}),
        (
            "exec",
            {"command": "curl -s www.googleapis.com/calendar/v3/calendars/p/events"},
            "Offsite",
            {"event/offsite"},
        ),
        ("exec", {"command": "gh pr list"}, "Keep the cursor", {"pull/fix"}),
        ("exec", {"command": "gh pr view 356"}, "Twelve lines", {"pull/fix"}),
        ("exec", {"command": "gh pr list --state all --json number,title"}, "Faster start", {"pull/done"}),
        ("exec", {"command": "gh pr checks 356 || true"}, "load", {"pull/fix"}),
        ("exec", {"command": "cat memory/clients.md"}, "$240,000", {"memory/clients.md"}),
        ("exec", {"command": "cat USER.md"}, "Ines", {"file/USER.md"}),
        ("slack", {"action": "readMessages"}, "ETA is one hour", {"slack/eta"}),
        ("slack", {"action": "readMessages", "channelId": "#platform", "limit": 1}, "ETA", {"slack/eta"}),
        ("slack", {"action": "searchMessages", "content": "lunch"}, "lunch?", {"slack/lunch"}),
        ("slack", {"action": "listChannels"}, "#incidents", {"channel/inc"}),
        ("slack", {"action": "memberInfo", "userId": "U_OMAR"}, "Engineer", {"contact/omar"}),
        ("memory_search", {"query": "hates"}, "surprises", {"memory/clients.md"}),
        ("memory_search", {"query": "come first"}, "Clients come first", {"MEMORY.md"}),
        ("memory_get", {"path": "clients.md"}, "$240,000", {"memory/clients.md"}),
        ("read", {"path": "USER.md"}, "Ines", {"file/USER.md"}),
        ("read", {"path": "memory/rules.md"}, "approval", {"memory/rules.md"}),
        ("web_search", {"query": "export cursor bug"}, "More.", {"search/b"}),
        ("web_fetch", {"url": "https://docs.example/c"}, "moves.", {"page/c"}),
    ],
)
def test_a_line_belongs_to_its_record(sandbox, tool, arguments, text, refs):
    assert owners(sandbox.call(tool, arguments), text) == refs


def test_a_result_names_no_record_that_it_does_not_hand_over(sandbox):
    result = sandbox.call("exec", {"command": "himalaya envelope list from pat"})
    assert {ref for span in result.spans for ref in span.records} == {"envelope/escalation"}


@pytest.mark.parametrize(
    ("change", "look", "text"),
    [
        ("himalaya draft --to x --subject v3.1.4 --body v3.1.4", "himalaya list -f Drafts", "v3.1.4"),
        ("himalaya draft --to x --subject v3.1.4 --body v3.1.4", "himalaya read draft_1", "v3.1.4"),
        ("himalaya message forward 4101 --to x", "himalaya read sent_1", "v3.1.4"),
        ("gcalcli add --title v3.1.4 --when tomorrow", "gcalcli agenda", "v3.1.4"),
        ("gcalcli edit evt_1 --title v3.1.4", "gcalcli agenda", "v3.1.4"),
        (
            'curl -s api.notion.com/v1/pages -d \'{"title": "v3.1.4"}\'',
            "curl -s api.notion.com/v1/databases/t/query",
            "v3.1.4",
        ),
        ("gh pr comment 356 -b v3.1.4", "gh pr view 356 --comments", "v3.1.4"),
        ("gh issue create -t v3.1.4", "gh issue list", "v3.1.4"),
    ],
)
def test_what_the_agent_wrote_is_nobodys(sandbox, change, look, text):
    created = sandbox.call("exec", {"command": change})
    assert created.effects, created.result
    assert owners(sandbox.call("exec", {"command": look}), text) == set()


def test_a_message_the_agent_posted_or_edited_is_nobodys(sandbox):
    sandbox.call("slack", {"action": "sendMessage", "to": "#incidents", "content": "v9.9.9"})
    sandbox.call("slack", {"action": "editMessage", "messageId": "sm_1", "content": "v8.8.8"})
    result = sandbox.call("slack", {"action": "readMessages"})
    assert owners(result, "v9.9.9") == set()
    assert owners(result, "v8.8.8") == set()
    assert owners(result, "ETA") == {"slack/eta"}


def test_the_policys_own_file_is_nobodys(world):
    sandbox = Sandbox(world, files={"SOUL.md": "v3.1.4", "AGENTS.md": "v3.1.4"})
    assert owners(sandbox.call("read", {"path": "SOUL.md"}), "v3.1.4") == set()
    assert owners(sandbox.call("exec", {"command": "cat AGENTS.md"}), "v3.1.4") == set()


def test_a_file_that_held_a_mail_still_belongs_to_it(sandbox):
    sandbox.call("exec", {"command": "himalaya message read 4101 > mail.txt"})
    assert "mail/cause" in owners(sandbox.call("read", {"path": "mail.txt"}), "v3.1.4")


def test_text_is_handed_over_unescaped(sandbox):
    assert "Größe" in sandbox.call("exec", {"command": "himalaya read 4101"}).handed


def test_neighbours_of_equal_records_are_one_span():
    lines = [
        Line("a"),
        Line("b", ("x",)),
        Line("c", ("x",)),
        Line("d", ("x",), True),
        Line("e"),
        Line("f", ("y",)),
    ]
    assert [(s.start, s.count, s.records, s.derived) for s in spans_of_lines(lines)] == [
        (1, 2, ("x",), False),
        (3, 1, ("x",), True),
        (5, 1, ("y",), False),
    ]


def test_lists_are_json_whatever_their_length():
    import json

    for count in range(4):
        parts = [fragment({"n": n, "inner": [n]}, (f"r/{n}",), 4) for n in range(count)]
        text = "\n".join(line.text for line in listing_lines("items", parts, {"more": False}))
        assert json.loads(text) == {"items": [{"n": n, "inner": [n]} for n in range(count)], "more": False}
        assert text == json.dumps(json.loads(text), indent=2)
        flat = [fragment({"n": n}, (), 2) for n in range(count)]
        text = "\n".join(line.text for line in array_lines(flat))
        assert text == json.dumps([{"n": n} for n in range(count)], indent=2)
