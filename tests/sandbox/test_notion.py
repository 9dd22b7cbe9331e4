from __future__ import annotations

import json

import pytest

from clawbench.sandbox import Sandbox

API = "https://api.notion.com/v1"


def query(output, body):
    text = output(f"curl -s -X POST {API}/databases/tasks/query -d '{json.dumps(body)}'")
    return [task["id"] for task in json.loads(text)["results"]]


def test_tasks_have_the_shape_of_the_fixture(output, world):
    text = output(f"curl -s -X POST {API}/databases/anything/query")
    assert json.loads(text) == {"results": [dict(task.data) for task in world.tasks]}


@pytest.mark.parametrize(
    "command",
    [
        f"curl -s \\\n  -X POST \\\n  -H 'Authorization: Bearer x' \\\n  '{API}/databases/abc/query'",
        f"curl {API}/databases/abc/query --request POST -sSL --data-raw '{{}}'",
        "curl -sXPOST https://api.notion.so/v1/databases/abc/query -d{}",
        "curl --silent --json '{}' --url https://www.notion.so/v1/databases/abc/query",
        "curl -s -X POST api.notion.com/v1/databases/abc/query",
    ],
)
def test_any_spelling_of_the_request_reaches_the_board(output, command):
    assert [task["id"] for task in json.loads(output(command))["results"]] == ["NW-12", "NW-13", "NW-14"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"property": "Status", "status": {"equals": "In progress"}}, ["NW-12"]),
        ({"property": "status", "select": {"does_not_equal": "in review"}}, ["NW-12", "NW-13"]),
        ({"property": "Assignee", "people": {"contains": "Ines Vale"}}, ["NW-13", "NW-14"]),
        ({"property": "owner", "rich_text": {"equals": "omar.haddad"}}, ["NW-12"]),
        ({"property": "Name", "title": {"contains": "export"}}, ["NW-12"]),
        ({"property": "Name", "title": {"starts_with": "write"}}, ["NW-13"]),
        ({"property": "Priority", "equals": "high"}, ["NW-14"]),
        ({"property": "Labels", "multi_select": {"contains": "p0"}}, ["NW-12"]),
        ({"property": "Labels", "multi_select": {"is_empty": True}}, ["NW-13", "NW-14"]),
        ({"property": "Due date", "date": {"is_empty": True}}, ["NW-13"]),
        ({"property": "Due date", "date": {"is_not_empty": True}}, ["NW-12", "NW-14"]),
        ({"property": "due_date", "date": {"on_or_before": "2026-03-12"}}, ["NW-12"]),
        ({"property": "due_date", "date": {"before": "2026-03-12"}}, []),
        ({"property": "due_date", "date": {"after": "2026-03-12"}}, ["NW-14"]),
        ({"property": "due_date", "date": {"equals": "2026-03-20"}}, ["NW-14"]),
        ({"property": "due_date", "date": {"this_week": {}}}, ["NW-12"]),
        ({"property": "due_date", "date": {"next_week": {}}}, ["NW-12"]),
        ({"property": "due_date", "date": {"next_month": {}}}, ["NW-12", "NW-14"]),
        (
            {
                "and": [
                    {"property": "Assignee", "people": {"contains": "ines.vale"}},
                    {
                        "or": [
                            {"property": "Priority", "select": {"equals": "High"}},
                            {"property": "Status", "status": {"equals": "done"}},
                        ]
                    },
                ]
            },
            ["NW-14"],
        ),
        ({}, ["NW-12", "NW-13", "NW-14"]),
    ],
)
def test_filters(output, condition, expected):
    assert query(output, {"filter": condition}) == expected


@pytest.mark.parametrize(
    ("sorts", "expected"),
    [
        ([{"property": "Priority", "direction": "descending"}], ["NW-12", "NW-14", "NW-13"]),
        ([{"property": "Due date", "direction": "ascending"}], ["NW-12", "NW-14", "NW-13"]),
        ([{"property": "Due date", "direction": "descending"}], ["NW-14", "NW-12", "NW-13"]),
        (
            [{"property": "Assignee"}, {"property": "Name", "direction": "descending"}],
            ["NW-13", "NW-14", "NW-12"],
        ),
    ],
)
def test_sorts(output, sorts, expected):
    assert query(output, {"sorts": sorts}) == expected


def test_pages_of_results(output):
    first = json.loads(output(f"curl -s {API}/databases/x/query -d '{{\"page_size\": 2}}'"))
    assert ([task["id"] for task in first["results"]], first["has_more"]) == (["NW-12", "NW-13"], True)
    assert query(output, {"page_size": 2, "start_cursor": first["next_cursor"]}) == ["NW-14"]


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {"property": "Colour", "select": {"equals": "red"}}},
        {"filter": {"property": "Status", "status": {"resembles": "x"}}},
        {"filter": {"property": "Status"}},
        {"filter": {"property": "due_date", "date": {"before": "soon"}}},
        {"filter": {"and": {"property": "Status"}}},
        {"filter": "open"},
        {"filter": {"and": [{"and": [{"and": [{"and": [{"and": [{"and": [{"and": []}]}]}]}]}]}]}},
        {"sorts": [{"direction": "ascending"}]},
        {"sorts": {"property": "Status"}},
        {"page_size": "many"},
    ],
)
def test_a_query_that_means_nothing_is_a_validation_error(shell, body):
    result = shell(f"curl -s {API}/databases/tasks/query -d '{json.dumps(body)}'")
    assert json.loads(result.result["aggregated"])["code"] == "validation_error"


def test_a_page_is_a_task_or_a_document(output, world):
    assert json.loads(output(f"curl -s {API}/pages/NW-12")) == dict(world.tasks[0].data)
    assert json.loads(output(f"curl -s {API}/pages/doc_1")) == dict(world.documents[0].data)


def test_a_documents_blocks(output):
    blocks = json.loads(output(f"curl -s {API}/blocks/doc_1/children"))["results"]
    assert [(block["type"], block["text"]) for block in blocks] == [
        ("heading_1", "# Steps"),
        ("bulleted_list_item", "- call the client"),
        ("paragraph", "Done."),
    ]


def test_search_finds_documents_and_tasks(output):
    hits = json.loads(output(f'curl -s {API}/search -d \'{{"query": "client"}}\''))["results"]
    assert [(hit["id"], hit["type"]) for hit in hits] == [("doc_1", "document")]
    everything = json.loads(output(f"curl -s -X POST {API}/search"))["results"]
    assert [hit["id"] for hit in everything] == ["doc_1", "NW-12", "NW-13", "NW-14"]


def test_databases_lead_to_the_documents(output, make_world):
    found = json.loads(output(f"curl -s {API}/databases"))["results"]
    assert [entry["id"] for entry in found] == ["tasks", "documents", "doc_1"]
    assert json.loads(output(f"curl -s -X POST {API}/databases/documents/query"))["results"][0]["id"] == "doc_1"
    public = Sandbox(make_world(compat=True)).call("exec", {"command": f"curl -s {API}/databases"})
    assert [entry["id"] for entry in json.loads(public.result["aggregated"])["results"]] == ["doc_1"]


def test_users_are_the_contacts(output):
    assert [user["name"] for user in json.loads(output(f"curl -s {API}/users"))["results"]] == [
        "Omar Haddad",
        "Pat Reyes",
    ]


def test_a_created_task_is_found(shell, output):
    body = {
        "parent": {"database_id": "tasks"},
        "properties": {
            "Name": {"title": [{"text": {"content": "Call "}}, {"plain_text": "Pat"}]},
            "Status": {"status": {"name": "To do"}},
            "Priority": {"select": {"name": "High"}},
            "Assignee": {"people": [{"name": "Ines Vale"}]},
            "Due date": {"date": {"start": "2026-03-13"}},
            "Tags": {"multi_select": [{"name": "client"}, {"name": "p0"}]},
        },
        "children": [{"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": "At 14:30."}}]}}],
    }
    result = shell(f"curl -s -X POST {API}/pages -d '{json.dumps(body)}'")
    assert [(e.kind, e.target) for e in result.effects] == [("task.create", "Call Pat")]
    assert "priority: High" in result.effects[0].text
    task = json.loads(output(f"curl -s {API}/pages/task_new_1"))
    assert {
        key: task[key] for key in ("title", "status", "priority", "assignee", "due_date", "labels", "description")
    } == {
        "title": "Call Pat",
        "status": "To do",
        "priority": "High",
        "assignee": "Ines Vale",
        "due_date": "2026-03-13",
        "labels": ["client", "p0"],
        "description": "At 14:30.",
    }
    assert query(output, {"filter": {"property": "Tags", "multi_select": {"contains": "client"}}}) == ["task_new_1"]


def test_a_flat_object_creates_a_task_too(shell):
    result = shell(f'curl -s {API}/pages -d \'{{"title": "Call Pat", "status": "open"}}\'')
    assert result.effects[0].target == "Call Pat"


def test_an_update_is_seen_by_the_next_query(sandbox, shell, output):
    body = {"properties": {"Status": {"status": {"name": "Done"}}}}
    result = shell(f"curl -s -X PATCH {API}/pages/NW-12 -d '{json.dumps(body)}'")
    assert [(e.kind, e.target, e.text) for e in result.effects] == [
        ("task.update", "NW-12 Fix the export", "status: Done")
    ]
    assert query(output, {"filter": {"property": "Status", "status": {"equals": "done"}}}) == ["NW-12"]
    assert sandbox.state.tasks[0].ref is None


@pytest.mark.parametrize(
    "command",
    [
        f"curl -s -X PATCH {API}/pages/NW-12 -d '{{\"archived\": true}}'",
        f"curl -s -X PATCH {API}/pages/NW-12 -d '{{\"in_trash\": true}}'",
        f"curl -s -X DELETE {API}/blocks/NW-12",
    ],
)
def test_an_archived_task_is_gone(shell, output, command):
    assert [(e.kind, e.target) for e in shell(command).effects] == [("task.delete", "NW-12 Fix the export")]
    assert query(output, {}) == ["NW-13", "NW-14"]


def test_comments_and_blocks_are_added(shell, output):
    comment = {"parent": {"page_id": "NW-13"}, "rich_text": [{"text": {"content": "Later."}}]}
    assert shell(f"curl -s {API}/comments -d '{json.dumps(comment)}'").effects[0].kind == "task.update"
    assert json.loads(output(f"curl -s '{API}/comments?block_id=NW-13'"))["results"][0]["text"] == "Later."
    block = {"children": [{"paragraph": {"rich_text": [{"text": {"content": "More."}}]}}]}
    assert (
        shell(f"curl -s -X PATCH {API}/blocks/NW-13/children -d '{json.dumps(block)}'").effects[0].text
        == "notes: More."
    )


@pytest.mark.parametrize(
    ("request_line", "code"),
    [
        (f"-X PATCH {API}/pages/NW-99 -d '{{\"properties\": {{}}}}'", "object_not_found"),
        (f"-X PATCH {API}/pages/NW-12 -d '{{\"properties\": {{}}}}'", "validation_error"),
        (f'-X PATCH {API}/pages/NW-12 -d \'{{"properties": {{"Colour": "red"}}}}\'', "validation_error"),
        (f"-X PATCH {API}/pages/NW-12 -d '{{'", "invalid_json"),
        (f"-X PATCH {API}/pages/doc_1 -d '{{\"archived\": true}}'", "restricted_resource"),
        (f"-X POST {API}/pages -d '{{\"properties\": {{}}}}'", "validation_error"),
        (f"-X DELETE {API}/pages/NW-12", "invalid_request_url"),
        (f"-X DELETE {API}/blocks/NW-99", "object_not_found"),
        (f"-X POST {API}/comments -d '{{}}'", "object_not_found"),
        (f"{API}/secrets", "invalid_request_url"),
    ],
)
def test_a_bad_request_changes_nothing(sandbox, shell, world, request_line, code):
    result = shell(f"curl -s {request_line}")
    assert json.loads(result.result["aggregated"])["code"] == code
    assert result.effects == ()
    assert tuple(sandbox.state.tasks) == world.tasks
