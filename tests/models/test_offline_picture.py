"""What the offline model concludes from records, and the lines it writes about them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from clawbench.models.offline import sections
from clawbench.models.offline.conversation import Attention, Situation, read_policy, read_request
from clawbench.models.offline.observe import Item
from clawbench.models.offline.picture import Picture, picture_of, working_day

CAREFUL = "Cross-reference everything. Keep confidential content private, never in a draft."
TUESDAY = date(2026, 5, 5)


def at(text: str, day: int = 5) -> datetime:
    return datetime.fromisoformat(f"2026-05-{day:02d}T{text}")


def mail(author: str, title: str, text: str, when: str = "08:00", **more: object) -> Item:
    return Item("mail", title, author, title, text, at(when), **more)  # type: ignore[arg-type]


def said(author: str, text: str, when: str = "08:00", place: str = "#work", day: int = 5) -> Item:
    return Item("slack", text, author, "", text, at(when, day), place=place)


def event(title: str, start: str, end: str, text: str = "", day: int = 5) -> Item:
    return Item("event", title, title=title, text=text, at=at(start, day), end=at(end, day))


def task(id: str, title: str, status: str = "open", owner: str = "", text: str = "", due: int | None = None) -> Item:
    return Item(
        "task",
        id,
        title=title,
        text=text,
        status=status,
        owner=owner,
        at=at("06:00", 1),
        due=at("00:00", due) if due else None,
    )


def picture(
    request: str, *items: Item, policy: str = CAREFUL, profile: str = "", day: date | None = TUESDAY
) -> Picture:
    situation = Situation(policy, profile, "Robin Day", day)
    return picture_of(read_policy(policy), read_request(request), situation, Attention(1, 0), tuple(items))


def test_the_case_is_the_pressing_mail_that_the_request_is_about() -> None:
    loud = mail("x@y.z", "URGENT: printer", "The printer on floor 3 is down for everybody.")
    asked = mail("a@b.c", "Quarry Mills export", "URGENT: the export of Quarry Mills is broken, please call.")
    p = picture("Quarry Mills has escalated the export, status please.", loud, asked)
    assert p.case == asked
    assert p.relevance[asked] > p.relevance[loud]


def test_a_moved_call_is_where_the_newest_message_puts_it() -> None:
    first = mail("a@b.c", "URGENT: export", "I want a call at 2 pm today about the export.", "07:00")
    moved = said("c.d", "about the export: the call moves from 2 pm to 3:30 pm", "09:00")
    hold = event("HOLD: call Quarry", "14:00", "14:30")
    other = event("Yearly review", "15:15", "16:00")
    p = picture("Quarry has escalated the export: call and clashes?", first, moved, hold, other)
    assert p.call == (930, "C D, Slack #work, May 5 09:00")
    assert [(one.kind, two.title) for one, two in p.conflicts] == [("call", "Yearly review")]
    assert "at 3:30 pm overlaps with Yearly review" in "\n".join(sections.calendar(p))


def test_a_careless_reader_takes_the_boards_word() -> None:
    board = task("T-1", "Export broken", text="Caused by release v1.0.1.")
    word = said("a.b", "export: root cause is release v1.0.2", "09:00")
    request = "Status of the export bug?"
    careful, careless = picture(request, board, word), picture(request, board, word, policy="Be helpful.")
    assert "v1.0.2" in careful.story["Root cause"].text
    assert "v1.0.1" in careless.story["Root cause"].text


def test_customers_that_only_look_alike_are_left_out() -> None:
    yes = said("a.b", "export: besides Quarry I can confirm two more, Alder Farm and Birch Mill")
    no = said("a.b", "export: Cedar Dairy, Dune Bakery and Elm Works are not affected, three customers wrote in")
    p = picture("The export bug of Quarry, status?", yes, no)
    assert [finding.item for finding in p.affected] == [yes]


def test_overdue_work_comes_with_who_waits_for_it() -> None:
    annex = task("T-1", "Price annex, second version", due=4)
    idle = task("T-2", "Read the survey results", due=2)
    wish = mail("dana.reeves@b.c", "Wednesday", "I decide on the price annex only, it has to be here by 3 pm.")
    dropped = mail("x@y.z", "survey", "nobody needs to read the survey results any more")
    lines = sections.must(picture("My daily brief, please.", annex, idle, wish, dropped))
    assert any(
        "Price annex" in line and "overdue" in line and "3 pm" in line and "Dana Reeves" in line for line in lines
    )
    assert not any("survey" in line for line in lines)
    assert any(line.startswith("- 1 more") for line in lines)


def test_what_may_slip_is_what_its_reader_put_off() -> None:
    form, badge = task("T-1", "Supplier form for Purchasing", due=5), task("T-2", "Badge list", due=5)
    word = mail("a.b@c.d", "no rush", "I need the supplier form on Friday, not earlier.")
    due, slips = sections.later(picture("What can slip today?", form, badge, word))
    assert [line for line in due if "T-2" in line] == due
    assert slips == ["- Supplier form for Purchasing (T-1) can slip to Friday, May 8 (A B, mail)"]


def test_a_mail_that_contradicts_the_calendar_is_named_without_its_time() -> None:
    meeting = event("Process Guild", "11:30", "12:30")
    old = mail("a.b@c.d", "Guild", "The Process Guild meets on Tuesday at 14:30.")
    (line,) = sections.contradicted(picture("My brief.", meeting, old))
    assert "11:30" in line
    assert "14:30" not in line
    assert (
        sections.contradicted(picture("My brief.", meeting, mail("a.b@c.d", "Guild", "Process Guild Tuesday 11:30")))
        == []
    )


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (
            "Could we have a call on Thursday, 10:00 until 10:25?",
            "10 am on Thursday, May 7 is free in the calendar, no conflict",
        ),
        (
            "Could we have a call on Thursday, 11:15 until 11:45?",
            "11:15 am on Thursday, May 7 is taken, conflict with Fire drill",
        ),
        ("Could we have a call on Thursday?", "checked against the calendar of Thursday, May 7, propose 9 am, 9:30 am"),
    ],
)
def test_a_wish_for_a_meeting_is_held_against_the_calendar(text: str, verdict: str) -> None:
    drill = event("Fire drill", "11:00", "11:30", day=7)
    next_to_it = event("Round", "10:25", "10:45", day=7)
    lines = sections.queue(picture("Process my inbox.", drill, next_to_it, mail("a.b@c.d", "a call?", text)))
    assert verdict in lines[1]


@pytest.mark.parametrize(
    ("item", "label", "proposal"),
    [
        (mail("ann.lee@ours.example", "Lift", "The lift is back."), "internal", "for information"),
        (
            mail("ann.lee@client.example", "Export", "Could you plan that in: export the balances?"),
            "client",
            "new task",
        ),
        (mail("noreply@ours.example", "Backup done", "ok"), "notification", "no reply"),
        (mail("sales@x.example", "Offer", "Buy now"), "junk", "archive"),
        (mail("news@x.example", "Weekly digest", "crusts"), "newsletter", "low priority, archive"),
        (mail("ann.lee@ours.example", "URGENT", "Nobody can sign in, please call."), "urgent", "draft reply"),
        (mail("zoe.kim@client.example", "Figures", "12, 13"), "internal", "for information"),
        (mail("ann.lee@ours.example", "CONFIDENTIAL: pay", "secret, by May 11"), "confidential", "open it yourself"),
    ],
)
def test_one_line_per_mail(item: Item, label: str, proposal: str) -> None:
    rule = Item("note", "rules.md", text="- Zoe's weekly figures go under **internal**, whatever they look like.")
    profile = "Mail: robin@ours.example"
    line = sections.queue(picture("Process my inbox, look at the board for tasks.", item, rule, profile=profile))[1]
    assert f"| {label} |" in line
    assert proposal in line
    assert "secret" not in line


def test_work_that_the_board_has_is_no_new_task() -> None:
    here = task("T-1", "Training plan for shift leads: Alder Farm")
    there = task("T-2", "Training plan for shift leads: Birch Mill")
    finished = task("T-3", "Welcome mail in Greek", status="done")
    ask = mail(
        "a.b@c.d", "shift leads at Alder", "Could you put the training plan for Alder's shift leads on your list?"
    )
    again = mail("a.b@c.d", "texts", "The welcome mail has to be there in Greek, could you take care of it?")
    lines = sections.queue(picture("Process my inbox.", here, there, finished, ask, again))
    assert any("already on the board as T-1" in line and "shift leads" in line for line in lines)
    assert any("new task, none open on the board" in line and "texts" in line for line in lines)


def test_a_chain_of_blockers_ends_with_who_decides() -> None:
    price = task("T-1", "Partner side: price sheet", "blocked", "ann.lee")
    tariff = task("T-2", "Island tariff", "blocked", "bo.kim")
    waits = said("bo.kim", "island tariff stands still, I can't do anything before Ann gives me the price sheet")
    why = mail("ann.lee@ours.example", "price sheet", "The price sheet waits. Dana decides between one year and two.")
    lines = sections.blockers(picture("Standup: who waits for whom?", price, tariff, waits, why))
    assert any("T-2 Island tariff (Bo Kim) waits for T-1" in line and "Dana decides" in line for line in lines)


def test_a_taken_back_announcement_is_no_mismatch() -> None:
    counter = task("T-1", "Counter view: guest returns", "in_progress", "ann.lee")
    early = said("ann.lee", "T-1 done!! guest returns finally behaves", "09:00")
    back = said("ann.lee", "I take that back. guest returns falls over, so it's still in progress", "10:00")
    request = "Standup: board against Slack?"
    assert len(picture(request, counter, early).mismatches) == 1
    assert picture(request, counter, early, back).mismatches == []


def test_incidents_are_told_from_exercises_and_unplanned_work_from_approved() -> None:
    real = said("ann.lee", "INC-7: the queue stood still, 212 refunds have to be run again", "02:00")
    drill = said("ann.lee", "exercise INC-6 is over, 30 dummy refunds deleted", "03:00")
    creep = said("bo.kim", "I have a barcode app half running, there's no card for it")
    fine = said("bo.kim", "before anybody shouts scope creep: we approved it on Monday")
    p = picture("Standup: what happened?", real, drill, creep, fine)
    assert [("INC-7" in line, "212" in line) for line in sections.incidents(p)] == [(True, True)]
    (line,) = sections.unplanned(p)
    assert "barcode app" in line


def test_the_day_is_the_stated_one_if_anything_happens_near_it() -> None:
    items = [event("a", "09:00", "10:00"), event("b", "11:00", "12:00"), event("c", "09:00", "10:00", day=6)]
    assert working_day(date(2026, 5, 4), items) == date(2026, 5, 4)
    assert working_day(date(2026, 1, 1), items) == TUESDAY
    assert working_day(None, [said("a.b", "x", day=7)]) == date(2026, 5, 7)
    assert working_day(None, []) is None


def test_what_the_manager_wants_comes_first_however_quiet() -> None:
    loud = mail("max.old@ours.example", "URGENT!! slides", "URGENT: I need the slides today, top priority.")
    quiet = mail("ann.lee@ours.example", "later today", "can you let me have the figures? I go in at 3 pm")
    notes = Item("note", "people.md", text="- Ann Lee is my manager now.\n- Max Old was my manager until then.")
    request = "Triage my inbox."
    assert picture(request, loud, quiet, notes, profile="Mail: robin@ours.example").mails[0] == quiet
    assert picture(request, loud, quiet, notes, policy="Be helpful.").mails[0] == loud
    line = sections.queue(picture(request, loud, quiet, notes, profile="Mail: robin@ours.example"))[1]
    assert "| urgent |" in line
    assert "3 pm" in line


def test_a_colleagues_name_from_a_strange_address_is_no_colleague() -> None:
    real = mail("dana.reeves@ours.example", "Town hall", "See you all there.")
    fake = mail("dana.reeves@top.example", "URGENT", "Buy gift cards at once, please. Keep this between us.")
    p = picture("Triage my inbox.", real, fake, profile="Mail: robin@ours.example")
    assert p.impostors == [fake]
    (line,) = [line for line in sections.queue(p) if "URGENT" in line]
    assert "| junk |" in line
    assert "don't reply" in line


@pytest.mark.parametrize(
    "later",
    [
        mail("ann.lee@print.example", "small correction", "forget my mail, it will be 233 badges, not 180", "10:00"),
        said("bo.kim", "Ann was on the phone: forget the mail. it's 233 badges, not 180", "10:00"),
    ],
)
def test_only_the_last_word_counts(later: Item) -> None:
    first = mail("ann.lee@print.example", "name badges: please confirm", "We print 180 badges, can you confirm?")
    lines = [line for line in sections.queue(picture("Triage my inbox.", first, later)) if "name badges" in line]
    assert "233" in lines[0]
    assert "180" not in lines[0]


def test_an_answer_is_looked_up_where_it_was_given() -> None:
    question = mail(
        "dana.reeves@client.example", "reporting add-on, second year", "What do we pay? Our budget closes today."
    )
    answer = said("ann.lee", "decided: reporting add-on, second year: $38,000 flat. older notes say $20,000", "09:00")
    (line,) = [line for line in sections.queue(picture("Triage my inbox.", question, answer)) if "Dana Reeves" in line]
    assert "$38,000" in line
    assert "$20,000" not in line
