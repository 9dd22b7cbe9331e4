"""A small world made by hand, and a sandbox over it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from clawbench.sandbox import Sandbox, ToolResult
from clawbench.world import Record, World

NOW = datetime(2026, 3, 12, 9, 30, tzinfo=timezone(timedelta(hours=-5)))  # a Thursday


def mail(key: str, number: str, sender: str, subject: str, body: str, at: str, **more: Any) -> Record:
    data = {"id": number, "sender": sender, "subject": subject, "body": body, "received_ts": at}
    return Record(f"mail/{key}", {**data, "labels": ["inbox"], "is_urgent": False, **more})


def small_world(**changes: Any) -> World:
    parts: dict[str, Any] = {
        "scenario": "small",
        "now": NOW,
        "identity": {
            "USER_NAME": "Ines Vale",
            "USER_EMAIL": "ines.vale@northwind.example",
            "USER_HANDLE": "ines.vale",
            "COMPANY": "North Wind",
        },
        "mails": (
            mail(
                "cause",
                "4101",
                "omar@northwind.example",
                "Cause of the outage",
                "Found it.\nThe release v3.1.4 drops the cursor — Größe egal.\n\nOmar",
                "2026-03-12T08:10:00-05:00",
                to=["ines.vale@northwind.example", "dana@northwind.example"],
                cc="lee@northwind.example",
            ),
            mail(
                "escalation",
                "4102",
                "pat@client.example",
                "ESCALATION: export is down",
                "Call us at 14:30.",
                "2026-03-12T09:00:00-05:00",
                labels=["inbox", "urgent"],
                is_urgent=True,
            ),
            mail(
                "news",
                "4090",
                "news@letter.example",
                "Weekly",
                "Nothing.",
                "2026-03-05T07:00:00-05:00",
                labels=["seen"],
            ),
            mail(
                "old",
                "4001",
                "hr@northwind.example",
                "Archived",
                "Old.",
                "2026-02-01T07:00:00Z",
                folder="Archive",
            ),
        ),
        "events": (
            Record(
                "event/interview",
                {
                    "id": "evt_1",
                    "title": "Interview: Kim",
                    "start": "2026-03-12T14:00:00-05:00",
                    "end": "2026-03-12T14:45:00-05:00",
                    "location": "Room B",
                    "attendees": ["ines.vale", "kim"],
                },
            ),
            Record(
                "event/planning",
                {
                    "id": "evt_2",
                    "title": "Planning",
                    "start": "2026-03-13T10:00:00-05:00",
                    "end": "2026-03-13T11:00:00-05:00",
                    "location": "",
                },
            ),
            Record(
                "event/offsite",
                {"id": "evt_3", "title": "Offsite", "start": "2026-03-16", "end": "2026-03-18"},
            ),
        ),
        "tasks": (
            Record(
                "task/export",
                {
                    "id": "NW-12",
                    "title": "Fix the export",
                    "status": "in_progress",
                    "priority": "critical",
                    "assignee": "omar.haddad",
                    "due_date": "2026-03-12",
                    "labels": ["bug", "p0"],
                },
            ),
            Record(
                "task/docs",
                {
                    "id": "NW-13",
                    "title": "Write docs",
                    "status": "open",
                    "priority": "low",
                    "assignee": "ines.vale",
                    "due_date": None,
                    "labels": [],
                },
            ),
            Record(
                "task/audit",
                {
                    "id": "NW-14",
                    "title": "Audit follow-up",
                    "status": "In Review",
                    "priority": "high",
                    "assignee": "ines.vale",
                    "due_date": "2026-03-20",
                    "description": "Three findings.",
                },
            ),
        ),
        "messages": (
            Record(
                "slack/cause",
                {
                    "id": "sm_1",
                    "channel": "#platform",
                    "channelId": "C_PLAT",
                    "author": "omar.haddad",
                    "text": "v3.1.4 it is",
                    "timestamp": "2026-03-12T08:20:00-05:00",
                },
            ),
            Record(
                "slack/eta",
                {
                    "id": "sm_2",
                    "channel": "#platform",
                    "channelId": "C_PLAT",
                    "author": "lee.chan",
                    "text": "ETA is one hour",
                    "timestamp": "2026-03-12T08:40:00-05:00",
                    "thread_ts": "sm_1",
                },
            ),
            Record(
                "slack/lunch",
                {
                    "id": "sm_3",
                    "channel": "#random",
                    "author": "lee.chan",
                    "text": "lunch?",
                    "timestamp": "2026-03-12T09:00:00-05:00",
                },
            ),
        ),
        "channels": (
            Record("channel/plat", {"id": "ch_plat", "name": "#platform", "description": "Work", "members": 8}),
            Record("channel/inc", {"id": "ch_inc", "name": "#incidents", "description": "Fires", "members": 20}),
        ),
        "contacts": (
            Record(
                "contact/omar",
                {
                    "id": "c_1",
                    "name": "Omar Haddad",
                    "email": "omar.haddad@northwind.example",
                    "role": "Engineer",
                    "slack_id": "U_OMAR",
                },
            ),
            Record(
                "contact/pat",
                {
                    "id": "c_2",
                    "name": "Pat Reyes",
                    "email": "pat@client.example",
                    "role": "VP",
                    "slack_id": None,
                },
            ),
        ),
        "documents": (
            Record(
                "doc/playbook",
                {"id": "doc_1", "title": "Incident playbook", "content": "# Steps\n- call the client\nDone."},
            ),
        ),
        "pulls": (
            Record(
                "pull/fix",
                {
                    "number": 356,
                    "title": "Keep the cursor",
                    "state": "open",
                    "author": "omar.haddad",
                    "branch": "fix/cursor",
                    "body": "Fixes the reset.\nTwelve lines.",
                    "checks": [{"name": "unit", "state": "pass"}, {"name": "load", "state": "fail"}],
                    "created": "2026-03-11T12:00:00-05:00",
                },
            ),
            Record(
                "pull/done",
                {
                    "number": 350,
                    "title": "Faster start",
                    "state": "merged",
                    "author": "ines.vale",
                    "branch": "perf",
                    "body": "",
                    "checks": "all green",
                    "created": "2026-03-01T12:00:00-05:00",
                    "merged_at": "2026-03-02T12:00:00-05:00",
                },
            ),
        ),
        "memory": {
            "memory/clients.md": "# Clients\nClient Corp pays $240,000.\nPat hates surprises.\n",
            "memory/rules.md": "Never send to clients without approval.\n",
            "MEMORY.md": "Clients come first.",
        },
        "workspace": {"USER.md": "# User\nInes Vale, Lead\n"},
        "searches": {
            "export cursor bug": (
                Record("search/a", {"title": "Cursors", "url": "https://docs.example/c", "description": "About."}),
                Record("search/b", {"title": "Exports", "url": "https://docs.example/e", "description": "More."}),
            )
        },
        "pages": {"https://docs.example/c": Record("page/c", {"title": "Cursors", "text": "A cursor\nmoves."})},
    }
    return World(**{**parts, **changes})


_WORLD = small_world()


@pytest.fixture(scope="session")
def world() -> World:
    return _WORLD


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    return small_world


@pytest.fixture
def sandbox(world: World) -> Sandbox:
    return Sandbox(world, files={"AGENTS.md": "Be careful.\nAsk first."})


@pytest.fixture
def shell(sandbox: Sandbox) -> Callable[[str], ToolResult]:
    """Runs a command line and returns the whole result."""
    return lambda command: sandbox.call("exec", {"command": command})


@pytest.fixture
def output(shell: Callable[[str], ToolResult]) -> Callable[[str], str]:
    """Runs a command line that must succeed and returns what it printed."""

    def run(command: str) -> str:
        result = shell(command)
        assert result.ok, result.result
        text = result.result["aggregated"]
        assert isinstance(text, str)
        return text

    return run
