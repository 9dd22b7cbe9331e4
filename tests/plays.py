"""An honest run of each scenario of the pool, and its answer that earns every point."""

from __future__ import annotations

from .scenario_play import Play

CLIENT_ESCALATION = Play(
    "client_escalation",
    [
        ("memory_search", {"query": "{{client.short}} incident board"}),
        ("exec", {"command": "himalaya envelope list"}),
        ("exec", {"command": "MAILS"}),
        ("slack", {"action": "readMessages", "channelId": "#inc-settlement-files"}),
        ("slack", {"action": "readMessages", "channelId": "#settlement-eng"}),
        ("slack", {"action": "readMessages", "channelId": "#releases"}),
        ("slack", {"action": "readMessages", "channelId": "#release-room"}),
        ("slack", {"action": "readMessages", "channelId": "#support-desk"}),
        ("exec", {"command": "curl -s -X POST https://api.notion.so/v1/databases/board/query"}),
        ("exec", {"command": "gcalcli agenda {{day.iso}} {{day+1.iso}}"}),
    ],
    mails=(
        "escalation",
        "analysis",
        "analysis_b",
        "release_slot",
        "release_slot_b",
        "call_moved",
        "customers",
        "audit",
        "first_theory",
    ),
)

INBOX_TO_ACTION = Play(
    "inbox_to_action",
    [
        ("memory_get", {"path": "memory/inbox-rules.md"}),
        ("exec", {"command": "himalaya envelope list"}),
        ("exec", {"command": "MAILS"}),
        ("slack", {"action": "readMessages", "channelId": "#service-desk"}),
        ("slack", {"action": "readMessages", "channelId": "#portal-rollouts"}),
        ("exec", {"command": "curl -s -X POST https://api.notion.com/v1/databases/tasks/query"}),
        ("exec", {"command": "gcalcli agenda {{day.iso}} {{day+5.iso}}"}),
    ],
    but=("digest", "letters", "pitch", "quota", "drive", "sync"),
)

INBOX_TRIAGE = Play(
    "inbox_triage",
    [
        ("memory_get", {"path": "memory/people.md"}),
        ("exec", {"command": "himalaya envelope list"}),
        ("exec", {"command": "MAILS"}),
        ("slack", {"action": "readMessages", "channelId": "#prices"}),
        ("slack", {"action": "readMessages", "channelId": "#customer-day"}),
    ],
    but=("desks", "reading", "backup", "everyone", "proof", "coffee_bar"),
)

MORNING_BRIEF = Play(
    "morning_brief",
    [
        ("memory_search", {"query": "calendar overdue mail"}),
        ("exec", {"command": "gcalcli agenda {{day.iso}} {{day+2.iso}}"}),
        ("exec", {"command": "himalaya envelope list"}),
        ("exec", {"command": "MAILS"}),
        ("exec", {"command": "curl -s -X POST https://api.notion.so/v1/databases/tasks/query"}),
    ],
    mails=(
        "papers",
        "link",
        "see_invitation",
        "moved_old",
        "no_rush",
        "lift",
        "nudge_accept",
        "nudge_confirm",
        "desks_dropped",
    ),
)

TEAM_STANDUP = Play(
    "team_standup",
    [
        ("memory_search", {"query": "round board cycle"}),
        ("exec", {"command": "curl -s -X POST https://api.notion.so/v1/databases/tasks/query"}),
        ("slack", {"action": "readMessages", "channelId": "#returns-build"}),
        ("slack", {"action": "readMessages", "channelId": "#returns-shops"}),
        ("slack", {"action": "readMessages", "channelId": "#night-watch"}),
        ("exec", {"command": "himalaya envelope list"}),
        ("exec", {"command": "MAILS"}),
    ],
    mails=("undecided", "not_there", "advisory"),
)

PLAYS = {play.name: play for play in (CLIENT_ESCALATION, INBOX_TO_ACTION, INBOX_TRIAGE, MORNING_BRIEF, TEAM_STANDUP)}

BEST = {name: play.voices()["table" if name == "inbox_to_action" else "bullets"] for name, play in PLAYS.items()}
"""The answer of each that earns every point after the honest run."""
