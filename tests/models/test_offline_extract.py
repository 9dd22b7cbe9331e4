"""General extraction, on records made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime

import pytest

from clawbench.models.offline.extract import (
    Finding,
    category,
    clashes,
    confidential,
    duplicate_of,
    findings,
    free_slots,
    mismatches,
    newest,
    pressure,
    pulls_in,
)
from clawbench.models.offline.language import clipped, clock, clocks, dates, instant, person, sentences, stems
from clawbench.models.offline.observe import Item, failed, items_of, merged

TUESDAY = date(2026, 5, 5)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-05-05T{text}")


def event(title: str, start: str, end: str) -> Item:
    return Item("event", title, title=title, at=at(start), end=at(end))


def said(author: str, text: str, when: str) -> Item:
    return Item("slack", text, author, "", text, at(when), place="#work")


def task(id: str, title: str, status: str, owner: str = "", when: str = "08:00") -> Item:
    return Item("task", id, title=title, status=status, owner=owner, at=at(when))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("at 2pm", (840,)),
        ("at 2:30 pm or 14:45", (870, 885)),
        ("noon", (720,)),
        ("12 am", (0,)),
        ("11.15 a.m.", (675,)),
        ("v2.14.5 and 10:77", ()),
        ("at 25:00", ()),
    ],
)
def test_clock_times(text: str, minutes: tuple[int, ...]) -> None:
    assert clocks(text) == minutes


def test_clock_times_are_written_as_people_do() -> None:
    assert [clock(m) for m in (870, 720, 0, 1425)] == ["2:30 pm", "12 pm", "12 am", "11:45 pm"]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("by Friday", [8]),
        ("today and tomorrow", [5, 6]),
        ("on Tuesday", [5]),
        ("March 3rd, 2026", [3]),
        ("2026-05-09", [9]),
        ("the 7th of nothing", []),
        ("12 May", [12]),
        ("2026-02-31", []),
    ],
)
def test_days(text: str, days: list[int]) -> None:
    assert [day.day for day in dates(text, TUESDAY)] == days


def test_without_a_day_only_full_dates_count() -> None:
    assert dates("by Friday, May 8", None) == ()
    assert dates("Friday, May 8, 2026", None) == (date(2026, 5, 8),)


def test_sentences_survive_wrapping_lists_and_abbreviations() -> None:
    text = (
        "The deploy of the new release to production has been\nset for noon, e.g. the slot. then we rest\n- one\n- two"
    )
    wrapped = "The deploy of the new release to production has been set for noon, e.g. the slot."
    assert sentences(text) == (wrapped, "then we rest", "one", "two")


def test_words_meet_across_their_endings() -> None:
    assert stems("exports exporting exported") == stems("export")
    assert stems("the and of") == frozenset()
    assert person("dana.reeves@corp.example") == "Dana Reeves"
    assert person("Dana Reeves <vp@corp.example>") == "Dana Reeves"
    assert clipped("one two three", 9) == "one two …"


def test_records_are_told_by_their_keys() -> None:
    mail = {"id": 7, "sender": "a@b.c", "subject": "Hi", "date": "2026-05-05T07:00:00Z", "flags": ["Urgent"]}
    tasks = {
        "results": [{"id": "T-1", "title": "Do", "status": "In Progress", "due_date": "2026-05-04", "assignee": "x.y"}]
    }
    text = json.dumps(
        {
            "status": "completed",
            "exitCode": 0,
            "aggregated": json.dumps([mail], indent=2) + "\n" + json.dumps(tasks),
        }
    )
    first, second = items_of(text)
    assert (first.kind, first.id, first.labels, first.at) == ("mail", "7", ("urgent",), at("07:00"))
    assert (second.kind, second.status, second.due) == ("task", "in_progress", datetime(2026, 5, 4))


def test_an_envelope_and_a_body_become_one_mail() -> None:
    envelope = json.dumps(
        [{"id": "9", "sender": "vp@b.c", "subject": "Hi", "date": "2026-05-05T07:00:00Z", "flags": []}]
    )
    body = {
        "aggregated": "From: vp@b.c\nTo: x@y.z\nSubject: Hi\nDate: 2026-05-05T07:00:00Z\n\nHello\n\nDana Reeves\nVP"
    }
    (mail,) = merged((envelope, json.dumps(body)))
    assert (mail.id, person(mail.author)) == ("9", "Dana Reeves")
    assert mail.text.startswith("Hello")


@pytest.mark.parametrize(
    ("result", "bad"),
    [
        ('{"error": "the user did not approve this call"}', True),
        ('{"ok": false}', True),
        ('{"status": "failed", "aggregated": "himalaya: cannot find message 7"}', True),
        ('{"status": "completed", "aggregated": ""}', False),
        ("plain text", False),
        ("[" * 100_000, False),
    ],
)
def test_failed_calls_are_told_from_working_ones(result: str, bad: bool) -> None:
    assert failed(result) is bad


@pytest.mark.parametrize(
    ("title", "text", "author", "kind"),
    [
        ("CONFIDENTIAL: plan", "x", "a@b.c", "confidential"),
        ("heads up", "please don't share this", "a@b.c", "confidential"),
        ("Cheese Weekly", "this week", "newsletter@b.c", "newsletter"),
        ("40% off", "use code X", "shop@b.c", "promotion"),
        ("Build failed", "job 7", "noreply@b.c", "automated"),
        ("Can we move Thursday's call to Friday?", "same time", "a@b.c", "scheduling"),
        ("Slides", "Can you send them by Friday?", "a@b.c", "reply needed"),
        ("Notes of the meeting", "All went well.", "a@b.c", "fyi"),
    ],
)
def test_mail_categories(title: str, text: str, author: str, kind: str) -> None:
    mail = Item("mail", "1", author, title, text)
    assert category(mail) == kind
    assert confidential(mail) is (kind == "confidential")


def test_urgency_comes_from_words_labels_and_known_senders() -> None:
    calm = Item("mail", "1", "ana.kim@b.c", "Notes", "All went well.")
    assert pressure(calm) == 0
    assert pressure(calm, "My manager is Ana Kim.") > 0
    assert pressure(replace(calm, labels=("urgent",))) >= 3
    assert pressure(replace(calm, title="P0: outage")) >= 3
    assert pressure(replace(calm, title="URGENT newsletter")) == 0


def test_the_newest_first_hand_statement_wins() -> None:
    old = said("a.b", "Root cause is release v1.2.3, traced to the parser", "08:00")
    guess = said("c.d", "maybe it was caused by v1.2.9", "10:00")
    new = said("a.b", "Root cause found: introduced in v1.2.4", "09:00")
    best = newest(findings("cause", {old: 1, guess: 1, new: 1}))
    assert [finding.item for finding in best] == [new, old]
    assert newest(findings("cause", {guess: 1}))[0].item == guess, "hearsay counts where there is nothing else"
    assert findings("cause", {new: 0}) == [], "what shares nothing with the matter is not about it"


def test_what_no_longer_holds_is_left_out_of_a_quote() -> None:
    item = said("a.b", "x", "08:00")
    text = "the deploy is set for 3:40 pm, the 1:10 pm slot I gave you earlier is gone"
    assert Finding(text, item, 8, True).gist == "the deploy is set for 3:40 pm"
    assert Finding("all done, thanks", item, 8, False).gist == "all done, thanks"


def test_overlaps_by_time_not_by_equal_start() -> None:
    a, b, c = event("a", "14:00", "15:00"), event("b", "14:45", "15:30"), event("c", "15:30", "16:00")
    all_day = event("holiday", "00:00", "23:59")
    assert clashes([a, b, c, all_day]) == [(a, b)]


@pytest.mark.parametrize(
    ("status", "text", "said_of_it"),
    [
        ("in_progress", "T-1 is done, moved on", "done"),
        ("in_progress", "T-1 is done, moved to review", "in review"),
        ("done", "T-1 is reopened, still failing", "not done"),
        ("in_progress", "T-1: blocked on the vendor", "blocked"),
        ("in_progress", "T-1 will be done tomorrow", None),
        ("in_progress", "is T-1 done?", None),
        ("in_review", "T-1 is up for review now", None),
        ("done", "T-1 is done", None),
        ("in_progress", "finished the ledger import refactor", "done"),
        ("in_progress", "T-2 is done", None),
    ],
)
def test_board_against_messages(status: str, text: str, said_of_it: str | None) -> None:
    entry = task("T-1", "Ledger import refactor", status, "a.b")
    found = mismatches([entry], [said("a.b", text, "09:00")])
    assert [mismatch.said for mismatch in found] == ([said_of_it] if said_of_it else [])


def test_a_message_older_than_the_board_entry_says_nothing() -> None:
    assert mismatches([task("T-1", "x", "in_progress", when="10:00")], [said("a.b", "T-1 is done", "09:00")]) == []


def test_another_persons_words_need_the_tasks_id() -> None:
    entry = task("T-1", "Ledger import refactor", "in_progress", "a.b")
    assert mismatches([entry], [said("c.d", "finished the ledger import refactor", "09:00")]) == []


def test_duplicates_between_mail_and_tasks() -> None:
    tasks = [task("T-1", "Write job descriptions", "open"), task("T-2", "Order paper", "open")]
    mail = Item("mail", "1", "a@b.c", "Hiring", "please write the job descriptions by May")
    assert duplicate_of(mail, tasks) == tasks[0]
    assert duplicate_of(replace(mail, text="lunch?"), tasks) is None


def test_free_half_hours() -> None:
    busy = [event("x", "09:00", "12:15"), event("free slot", "13:00", "15:00"), event("y", "13:00", "16:40")]
    assert [clock(m) for m in free_slots(busy, TUESDAY)] == ["12:30 pm"]


def test_pull_requests_by_any_spelling() -> None:
    assert pulls_in("PR #356, pull request 12 and #78") == {"356", "12", "78"}
    assert instant("not a date") is None
