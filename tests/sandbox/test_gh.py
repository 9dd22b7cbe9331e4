from __future__ import annotations

import json

import pytest

from clawbench.sandbox import Sandbox


def test_the_default_list_is_open_pull_requests(output):
    assert output("gh pr list") == "356\tKeep the cursor\tfix/cursor\tOPEN\t2026-03-11T12:00:00-05:00"


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ("--state all", ["356", "350"]),
        ("-s merged", ["350"]),
        ("--state all --limit 1", ["356"]),
        ("--state all --author ines.vale", ["350"]),
        ("--state all --search cursor", ["356"]),
        ("--head fix/cursor", ["356"]),
    ],
)
def test_lists_filter(output, options, numbers):
    assert [row.split("\t")[0] for row in output(f"gh pr list {options}").split("\n")] == numbers


def test_nothing_found_is_said_and_no_failure(shell, make_world):
    assert (
        shell("gh pr list --state closed").result["aggregated"]
        == "no pull requests match your search in north-wind/platform"
    )
    empty = Sandbox(make_world(pulls=())).call("exec", {"command": "gh pr list"})
    assert (empty.ok, empty.result["aggregated"]) == (
        True,
        "no pull requests match your search in north-wind/platform",
    )


def test_json_fields(output):
    assert json.loads(output("gh pr list --json number,title,state")) == [
        {"number": 356, "title": "Keep the cursor", "state": "OPEN"}
    ]
    assert json.loads(output("gh pr view 350 --json mergedAt,author")) == {
        "mergedAt": "2026-03-02T12:00:00-05:00",
        "author": {"login": "ines.vale"},
    }


def test_jq_works_on_the_json(shell):
    result = shell("gh pr list --json number,title --jq '.[].title'")
    assert result.result["aggregated"] == "Keep the cursor"
    assert [(span.records, span.derived) for span in result.spans] == [(("pull/fix",), True)]


@pytest.mark.parametrize("name", ["356", "#356", "fix/cursor", "https://github.com/north-wind/platform/pull/356"])
def test_views_by_any_name(output, name):
    text = output(f"gh pr view '{name}'")
    assert text.startswith("title:\tKeep the cursor\nstate:\tOPEN\nauthor:\tomar.haddad\nnumber:\t356\n")
    assert text.endswith("--\nFixes the reset.\nTwelve lines.")


def test_checks_and_status(shell, output):
    result = shell("gh pr checks 356")
    assert (result.result["exitCode"], result.result["aggregated"]) == (1, "unit\tpass\nload\tfail")
    assert output("gh pr checks 350") == "checks\tall green"
    assert "356\tKeep the cursor" in output("gh pr status")
    assert output("gh repo view").startswith("name:\tnorth-wind/platform")


@pytest.mark.parametrize(
    ("command", "kind", "target", "text"),
    [
        ("gh pr merge 356 --squash --delete-branch", "code.merge", "#356 Keep the cursor", "squash"),
        ("gh pr comment 356 --body 'Looks right'", "code.comment", "#356 Keep the cursor", "Looks right"),
        ("gh pr review 356 --approve", "code.comment", "#356 Keep the cursor", "APPROVED"),
        ("gh pr review 356 -r -b 'No'", "code.comment", "#356 Keep the cursor", "CHANGES_REQUESTED No"),
        ("gh pr close 356", "code.close", "#356 Keep the cursor", ""),
        ("gh pr create -t New -b Body", "code.create", "New", "New\n\nBody"),
        ("echo Body | gh issue create --title Bug --body-file -", "code.create", "Bug", "Bug\n\nBody"),
    ],
)
def test_changes_are_effects(shell, command, kind, target, text):
    result = shell(command)
    assert result.ok, result.result
    assert result.result["_irreversible"] is True
    assert [(e.kind, e.target, e.text) for e in result.effects] == [(kind, target, text)]


def test_changes_are_seen_afterwards(shell, output):
    shell("gh pr comment 356 --body 'Looks right'")
    assert "ines.vale: Looks right" in output("gh pr view 356 --comments")
    shell("gh pr merge 356")
    assert output("gh pr list -s merged").split("\n")[0].startswith("356\t")
    shell("gh issue create --title Bug --body B")
    assert output("gh issue list").startswith("357\tBug")
    shell("gh issue close 357")
    assert "no issues match" in output("gh issue list")


@pytest.mark.parametrize(
    "command",
    [
        "gh",
        "gh pr",
        "gh api repos/x",
        "gh pr checkout 356",
        "gh pr merge 999",
        "gh pr merge",
        "gh pr merge 350",
        "gh pr comment 356",
        "gh pr create --body x",
        "gh pr list --state odd",
        "gh pr list --limit none",
        "gh pr list --json colour",
        "gh pr comment 356 --body-file /etc/passwd",
        "gh issue view 356",
        "gh --bogus",
    ],
)
def test_what_cannot_be_done_changes_nothing(sandbox, shell, world, command):
    result = shell(command)
    assert not result.ok
    assert result.effects == ()
    assert tuple(sandbox.state.pulls) == world.pulls
