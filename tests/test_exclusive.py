from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench.factkinds import Setting
from clawbench.factspecs import read_spec
from clawbench.identity import identity
from clawbench.verdict import Verdict
from clawbench.world import World

from .hand_made import PERSONA, RELEASE, STATUS, fact, said, verdict_of, world_of

WORLD = world_of(
    status=fact("status", STATUS, "merged"),
    culprit=fact("culprit", RELEASE, "v3.12.4"),
    former=fact("former", RELEASE, "v3.11.0"),
    pr=fact("pr", read_spec({"int": "200..999"}), "356"),
)
SLACK = {"type": "response_contains", "pattern": "slack.{0,40}{{status}}", "exclusive": "status"}
EITHER_WAY = {
    "type": "response_contains",
    "pattern": "{{status}}.{0,60}slack|slack.{0,60}{{status}}",
    "exclusive": "status",
}
CAUSE = {
    "type": "response_contains",
    "pattern": "{{culprit}}.{0,80}(cursor|offset)|(cursor|offset).{0,80}{{culprit}}",
    "exclusive": "culprit",
}
_SETTING = Setting(PERSONA)
STATUSES = ("open", "blocked", "merged")


def verdict(check: dict[str, object], answer: str) -> Verdict:
    return verdict_of(check, said(answer), WORLD)


@pytest.mark.parametrize("check", [SLACK, EITHER_WAY])
@pytest.mark.parametrize(
    "answer",
    [
        "Slack says merged.",
        "The board says open, Slack says merged.",
        "The board still says open; Slack says merged.",
        "Slack says merged while the board says open.",
        "Slack says merged (the board: still open).",
        "Slack says merged, not open.",
        "Slack: merged\nBoard: open",
        "- Board: blocked\n- Slack: merged",
        "## Slack\n\n- status: merged\n\n## Board\n\n- status: open",
        '{"board": "open", "slack": "merged"}',
        "According to Slack it is merged. The ticket is open on the board.",
        "| Source | Status |\n|---|---|\n| Slack | merged |\n| Board | open |",
    ],
)
def test_two_sources_are_no_contradiction(check: dict[str, object], answer: str) -> None:
    assert verdict(check, answer).passed


@pytest.mark.parametrize("check", [SLACK, EITHER_WAY])
@pytest.mark.parametrize(
    "answer",
    [
        "Slack says open, blocked, merged.",
        "Slack says open, blocked or merged.",
        "Slack says merged/open.",
        "Slack says merged, or maybe it is open.",
        "Slack: merged, open",
        "Slack says merged. Slack says open.",
        "Slack: merged\nSlack: open",
        "| Slack | merged | open |",
        "- Slack: open\n- Slack: blocked\n- Slack: merged",
        "Slack says open and Slack says merged.",
    ],
)
def test_a_list_of_values_is_a_contradiction(check: dict[str, object], answer: str) -> None:
    judged = verdict(check, answer)
    assert not judged.passed
    assert judged.reason.startswith("also says ")


def test_the_reason_names_the_other_value() -> None:
    reason = verdict(CAUSE, "v3.12.4 broke the cursor. So v3.9.1 broke the offset.").reason
    assert reason.startswith("also says v3.9.1 where only one culprit may stand; the answer says 'v3.12.4 broke")


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("v3.12.4 broke the cursor.", True),
        ("3.12.4 broke the cursor, V3.12.4 that is.", True),
        ("v3.12.4 broke the cursor. v3.12.3 was fine.", True),
        ("v9.99.9 is out of the pool: v3.12.4 broke the cursor.", True),
        ("v3.12.4, v3.12.5 and v3.12.6 broke the cursor.", False),
        ("v3.12.5 and v3.12.4 broke the cursor.", False),
        ("v3.12.5 broke the cursor.", False),
    ],
)
def test_versions(answer: str, passed: bool) -> None:
    assert verdict(CAUSE, answer).passed is passed


def test_another_value_that_the_pattern_names_may_stand_there() -> None:
    check = {"type": "response_contains", "pattern": "from {{former}} to {{culprit}}", "exclusive": "culprit"}
    assert verdict(check, "It went from v3.11.0 to v3.12.4.").passed
    assert not verdict(check, "It went from v3.11.0 to v3.12.4, v3.12.5.").passed


def test_several_facts_can_be_exclusive() -> None:
    check = {
        "type": "response_contains",
        "pattern": "{{culprit}}.{0,80}#{{pr}}",
        "exclusive": ["culprit", "pr"],
    }
    assert verdict(check, "v3.12.4 is fixed by #356.").passed
    assert not verdict(check, "v3.12.4 is fixed by #356 or #357.").passed
    assert not verdict(check, "v3.12.4, v3.12.5: fixed by #356.").passed


def test_a_form_of_the_fact_is_opened_too() -> None:
    check = {"type": "response_contains", "pattern": "release {{culprit.bare}}", "exclusive": "culprit"}
    assert verdict(check, "release 3.12.4 broke it").passed
    assert not verdict(check, "release 3.12.4 broke it\nrelease 3.12.5 broke it").passed


def test_a_person_may_be_addressed_by_the_name_of_the_user() -> None:
    owner, other = (read_spec({"person": "colleague"}).fact("owner", index, _SETTING) for index in (0, 500))
    user = identity("0" * 64, {"USER_NAME": other.text}).values
    world = replace(world_of(owner=owner), identity=user)
    check = {"type": "response_contains", "pattern": "owner.{0,40}{{owner}}", "exclusive": "owner"}
    answer = f"{other.forms['first']}, the owner is {owner.text}."
    assert verdict_of(check, said(answer), world).passed
    assert not verdict_of(check, said(answer), world_of(owner=owner)).passed


def test_weekdays_and_dates_are_one_value() -> None:
    drawn = [read_spec({"day": "1..5"}).fact("due", index, _SETTING) for index in range(3)]
    world = world_of(due=drawn[1])
    check = {"type": "response_contains", "pattern": "due.{0,60}{{due}}", "exclusive": "due"}
    weekday, other = drawn[1].forms["weekday"], drawn[2].forms["weekday"]
    assert verdict_of(check, said(f"It is due {weekday}, {drawn[1].text}."), world).passed
    assert not verdict_of(check, said(f"It is due {weekday}, {other}."), world).passed


def test_without_the_fact_in_its_pattern_the_window_is_where_it_matches() -> None:
    check = {"type": "response_contains", "pattern": "root cause", "exclusive": "culprit"}
    assert verdict(check, "Root cause: v3.12.4. Before that v3.12.3 ran.").passed
    assert not verdict(check, "Root cause: v3.12.4, v3.12.3.").passed


def test_a_check_that_fails_anyway_keeps_its_reason() -> None:
    assert "does not match" in verdict(SLACK, "open, blocked, merged").reason


def test_a_time_may_be_named_by_its_distance_to_another() -> None:
    call = fact("call", read_spec({"clock": "13:00..16:00", "step": "30m"}), "2:30 pm")
    check = {"type": "response_contains", "pattern": "call.{0,30}{{call+30m}}", "exclusive": "call"}
    answers = [
        "call at 3 pm",
        "call at 3:00 pm instead of 2:30 pm",
        "call at 3 pm or 3:30 pm",
        "call at 2:30 pm",
    ]
    passes = [verdict_of(check, said(answer), world_of(call=call)).passed for answer in answers]
    assert passes == [True, True, False, False]


def passing_worlds(check: dict[str, object], answer: str, worlds: list[World]) -> int:
    return sum(verdict_of(check, said(answer), world).passed for world in worlds)


NUMBER = {"type": "response_contains", "pattern": "pr.{0,40}{{pr}}", "exclusive": "pr"}
NUMBERS = [world_of(pr=fact("pr", read_spec({"int": "200..999"}), text)) for text in ("356", "357", "358")]
OWNER = {"type": "response_contains", "pattern": "owner.{0,40}{{owner}}", "exclusive": "owner"}
_PEOPLE = [read_spec({"person": "colleague"}).fact("owner", index, _SETTING) for index in (0, 150, 300)]
_USER = identity("0" * 64, {"USER_NAME": read_spec({"person": "colleague"}).fact("x", 450, _SETTING).text}).values
OWNERS = [replace(world_of(owner=person), identity=_USER) for person in _PEOPLE]


def test_a_number_outside_the_pool_hides_nothing() -> None:
    assert passing_worlds(NUMBER, "PR 2 is nice.\nPR:\n356\nPR:\n357\nPR:\n358", NUMBERS) == 0


def test_a_clause_with_a_number_outside_the_pool_keeps_the_others_apart() -> None:
    check = {"type": "response_contains", "pattern": "{{pr}}.{0,60}files", "exclusive": "pr"}
    answer = 'All 356 files pass. The board has PR #412 and "0 files".'
    assert verdict(check, answer).passed
    assert not verdict(check, answer.replace("0", "413")).passed


def test_the_name_of_the_user_hides_nothing() -> None:
    names = ".\n".join(person.forms["first"] for person in _PEOPLE)
    answer = f"Owner: {_USER['USER_FIRST_NAME']}.\n{names}"
    assert [verdict_of(OWNER, said(answer), world).passed for world in OWNERS] == [True, False, False]


JOINS = st.sampled_from([",", ".", "\n", ";", "while", "and", "or", "(", ")", "not", "maybe", "|", "- "])
STATUS_WORDS = st.sampled_from(["slack", "Slack says", "the board", "open", "blocked", "merged", "says"])
NUMBER_WORDS = st.sampled_from(["PR", "pr:", "2", "356", "357", "358", "14:30", "users", "merged"])
OWNER_WORDS = st.sampled_from(["owner", "Owner:", "the ticket", *[p.forms["first"] for p in _PEOPLE], *_USER.values()])
STATUS_WORLDS = [world_of(status=fact("status", STATUS, truth)) for truth in STATUSES]


@pytest.mark.parametrize(
    ("check", "words", "worlds"),
    [
        (SLACK, STATUS_WORDS, STATUS_WORLDS),
        (EITHER_WAY, STATUS_WORDS, STATUS_WORLDS),
        (NUMBER, NUMBER_WORDS, NUMBERS),
        (OWNER, OWNER_WORDS, OWNERS),
    ],
)
@settings(deadline=None)
@given(data=st.data())
def test_no_answer_passes_for_two_different_truths(
    check: dict[str, object], words: st.SearchStrategy[str], worlds: list[World], data: st.DataObject
) -> None:
    """Naming several values never pays: whatever is said, it is right for at most one world."""
    answer = " ".join(data.draw(st.lists(words | JOINS, max_size=14)))
    assert passing_worlds(check, answer, worlds) <= 1


@pytest.mark.parametrize(
    "answer", ["Slack merged open, " * 900, "Slack merged. open. " * 800, "open\n" * 3000 + "slack merged"]
)
def test_hostile_answers_are_judged_quickly(answer: str) -> None:
    began = time.perf_counter()
    verdict(EITHER_WAY, answer)
    assert time.perf_counter() - began < 2


DEPLOY = {"type": "response_contains", "pattern": "live.{0,60}{{deploy}}", "exclusive": "deploy"}
SLOTS = world_of(deploy=fact("deploy", read_spec({"clock": "11:40..16:40", "step": "30m"}), "2:10 pm"))


@pytest.mark.parametrize(
    "answer",
    [
        "It goes live at 2:10 pm or 4:40 pm.",
        "It goes live at 2:10 pm or maybe 4:50 pm.",
        "It goes live at 4:50 pm today or at 2:10 pm.",
        "It goes live at either 2:10 pm or 4:40 pm today.",
    ],
)
def test_two_offers_are_none_even_if_one_is_outside_the_pool(answer: str) -> None:
    assert not verdict_of(DEPLOY, said(answer), SLOTS).passed


@pytest.mark.parametrize(
    "answer",
    [
        "It goes live at 2:10 pm, the 4:50 pm slot is gone.",
        "It goes live at 2:10 pm. Is the page ready by 1:15 pm or 1:30 pm?",
        "Go-live moved from 4:40 pm to 2:10 pm.",
    ],
)
def test_what_was_withdrawn_is_no_offer(answer: str) -> None:
    assert verdict_of(DEPLOY, said(answer), SLOTS).passed


def test_what_it_was_moved_to_is_what_counts() -> None:
    assert not verdict_of(DEPLOY, said("Go-live moved from 2:10 pm to 4:40 pm."), SLOTS).passed
    assert not verdict_of(DEPLOY, said("Live from 4:40 pm, they say."), SLOTS).passed


def test_the_fewest_clauses_that_make_the_claim_together_are_its_window() -> None:
    answer = "The live version comes, if all goes well, at 2:10 pm today (your notes say 4:40 pm, which is old)."
    assert verdict_of(DEPLOY, said(answer), SLOTS).passed
    assert not verdict_of(DEPLOY, said(answer.replace("2:10", "4:10")), SLOTS).passed


def test_a_value_elsewhere_is_not_meant_if_the_claim_was_made_by_something_else() -> None:
    check = {"type": "response_contains", "pattern": "(scanner|{{pr}}).{0,30}overdue", "exclusive": "pr"}
    assert verdict(check, "The scanner task is overdue.\nThe printer task (#357) can wait.").passed
    assert not verdict(check, "The task #357 is overdue.\nThe scanner task is #356.").passed
