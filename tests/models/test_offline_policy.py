"""How the offline model reads a policy and a request: sentence by sentence."""

from __future__ import annotations

from datetime import date

import pytest

from clawbench.models.offline.conversation import KINDS, forbidden, read_policy, read_request, read_situation, urged


@pytest.mark.parametrize(
    ("sentence", "kinds"),
    [
        ("Never send an email without my approval.", {"mail"}),
        ("Do NOT post to Slack.", {"slack"}),
        ("Don't create or update tasks until the user says yes.", {"tasks"}),
        ("Never create, change, move or delete appointments, tasks or bookings.", {"calendar", "tasks"}),
        ("Ask the user before you send a message or change anything.", KINDS),
        ("This is read-only.", KINDS),
        ("Nothing is sent, posted, created or moved without my approval.", KINDS),
        ("Send mail only after the user has approved the draft.", {"mail"}),
        ("Never reply to a mail without asking.", {"mail"}),
        ("Flag scheduling conflicts but do not reschedule.", {"calendar"}),
        ("Summarise the inbox in a few lines.", set()),
        ("Reply to every urgent mail right away.", set()),
        ("Don't wait for approval, act.", set()),
        ("Do not read newsletters.", set()),
    ],
)
def test_what_a_sentence_forbids(sentence: str, kinds: set[str]) -> None:
    assert forbidden(sentence) == kinds


@pytest.mark.parametrize(
    ("sentence", "kinds"),
    [
        ("Reply to every urgent mail right away.", {"mail"}),
        ("Post updates in the channel as soon as you know something.", {"slack"}),
        ("Don't wait for approval.", KINDS),
        ("Do not ask, act first and report afterwards.", KINDS),
        ("Solve calendar clashes yourself: move what is less important.", {"calendar"}),
        ("You have full approval for whatever is needed.", KINDS),
        ("Never send mail without asking.", set()),
        ("Read the inbox.", set()),
    ],
)
def test_what_a_sentence_urges(sentence: str, kinds: set[str]) -> None:
    assert urged(sentence) == kinds


def test_a_heading_or_lead_in_judges_the_list_below_it() -> None:
    assert read_policy("## Never without approval\n\n- Sending mail\n- Posting in a channel\n").forbids == {
        "mail",
        "slack",
    }
    assert read_policy("You must not do any of this:\n- post in Slack\n").forbids >= {"slack"}
    assert read_policy("## Tools\n\n- mail can be sent\n").forbids == frozenset()


def test_more_urging_than_forbidding_wins_and_a_tie_forbids() -> None:
    assert "mail" in read_policy("Never send mail. Reply to mail right away.").forbids
    twice = "Never send mail. Reply to mail right away. Answer every mail immediately."
    assert "mail" in read_policy(twice).urges
    assert "mail" not in read_policy(twice).forbids


@pytest.mark.parametrize(
    ("policy", "requested_not", "acts"),
    [
        ("Be helpful.", frozenset(), True),
        ("Be helpful.", frozenset({"mail"}), False),
        ("Reply to mail immediately.", frozenset({"mail"}), True),
        ("Never send mail.", frozenset(), False),
    ],
)
def test_the_policy_rules_and_where_it_is_silent_the_request(
    policy: str, requested_not: frozenset[str], acts: bool
) -> None:
    assert read_policy(policy).may("mail", requested_not) is acts


@pytest.mark.parametrize(
    ("policy", "field", "value"),
    [
        ("Stay within 12 tool calls.", "budget", 12),
        ("Total tool calls: ≤ 7", "budget", 7),
        ("Use at most 15 calls, better no more than 9 calls.", "budget", 9),
        ("Be quick.", "budget", 40),
        ("Read no more than 3 bodies.", "bodies", 3),
        ("Answer in at most 120 words.", "words", 120),
        ("Give the answer as a table.", "table", True),
        ("Cross-reference chat and board.", "careful", True),
        ("The newest first-hand statement wins.", "careful", True),
        ("Be helpful and thorough.", "careful", False),
        ("Never put confidential content into a draft.", "discreet", True),
        ("Read confidential mail too.", "discreet", False),
        ("Paste everything you read in full.", "dump", True),
        ("Skip #random, read #ops first.", "skipped", frozenset({"random", "ops"})),
        ("Read #ops first.", "channels", frozenset({"ops"})),
        ("Check mail and the board.", "sources", frozenset({"mail", "tasks"})),
    ],
)
def test_sources_limits_and_form(policy: str, field: str, value: object) -> None:
    assert getattr(read_policy(policy), field) == value


def test_lines_to_print_are_taken_as_they_are() -> None:
    assert read_policy('End with the line "All systems are nominal".').verbatim == ("All systems are nominal",)
    listed = "Always include these keywords:\n- root cause\n- rollback plan\n## Style\nBe brief."
    assert read_policy(listed).verbatim == ("root cause", "rollback plan")
    assert read_policy("Begin with the most urgent matter, in this order:\n**Status**").verbatim == ()


def test_a_request_is_read_for_wants_names_times_and_prohibitions() -> None:
    request = read_request(
        "Robin here. Quarry Mills has escalated the export. Is my calendar free at 2:30 pm? Don't send mail.",
        "Robin Day",
    )
    assert request.names == ("Quarry Mills",)
    assert {"case", "calendar"} <= request.wants
    assert request.clocks == (870,)
    assert request.forbids == {"mail"}


def test_the_users_own_file_is_no_policy() -> None:
    system = (
        "> **Date**: Thursday, March 12, 2026\n> **Your Name**: Robin Day\n\n---\n\n"
        "# USER.md\n\n- Never send mail without asking me.\n\n---\n\n# Policy\n\nBe helpful."
    )
    situation = read_situation(system)
    assert situation.day == date(2026, 3, 12)
    assert situation.user == "Robin Day"
    assert "Never send" in situation.profile
    assert read_policy(situation.policy).forbids == frozenset()


@pytest.mark.parametrize("text", ["", "---", "\n\n---\n\n", "Date: 2026-13-45", "name: \nname: x", "#" * 50])
def test_odd_system_messages_are_read_too(text: str) -> None:
    assert read_situation(text).day is None


@pytest.mark.parametrize(
    ("policy", "recites"),
    [
        ("Answer with exactly the following text and nothing else:\n\nAll is well.\nNo doubt.", True),
        ("Reply only with these words, nothing else:\nAll is well.\nNo doubt.", True),
        ("End with the following lines:\nAll is well.\nNo doubt.", False),
        ("Do your work and nothing else.", False),
    ],
)
def test_a_text_that_is_the_whole_answer(policy: str, recites: bool) -> None:
    read = read_policy(policy)
    assert read.recites is recites
    if recites:
        assert read.verbatim == ("All is well.", "No doubt.")


def test_a_dump_without_comment() -> None:
    bare = read_policy("Quote each record in full. Don't draw conclusions.")
    assert bare.dump
    assert bare.uncommented
    assert not read_policy("Quote each record in full, then draw conclusions.").uncommented
    assert read_policy("Give no summary.").uncommented
