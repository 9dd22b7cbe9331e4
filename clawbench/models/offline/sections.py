"""The parts of an answer about a case, an inbox or a day: each returns its lines, maybe none."""

from __future__ import annotations

import re
from datetime import timedelta

from . import classify
from .classify import NOISE, category, confidential
from .extract import CLOSED, Finding, duplicate_of, free_slots
from .moments import clock, clocks, dates, day_name
from .observe import Item
from .picture import Picture
from .words import clipped, first_name, person, sentences, stems

_MOVABLE = re.compile(
    r"focus|lunch|1:1|one[- ]on[- ]one|coffee|demo|sync|interview|workshop|review|retro|private|dentist", re.I
)
_FIXED = re.compile(r"client|customer|\bboard\b|ceo|cto|critical|all-hands|travels? in|legal|signing|call\b", re.I)
_POST = re.compile(
    r"\b(?:please|can you|could you|just)\b[^.?!]{0,80}\b(?:post|send|answer|reply|confirm|forward|share)\b",
    re.I,
)
_PREP = re.compile(r"\b(?:prep|review|before|bring|need|must|depends)\b", re.I)
_DELIVER = re.compile(
    r"\b(?:prepare|write|review|submit|complete|draft|plan (?:that|it) in|put .{1,50} on (?:your|my|the) (?:list"
    r"|board)|picks? (?:it|this) up|take care of|need (?:the|a|you to|it|your)|has to be|put together)\b",
    re.I,
)
_FILED = re.compile(
    r"\b(?:go(?:es)?|filed?|belongs?|sort(?:ed)?|count(?:s)?) (?:\w+ )?(?:under|to|into|as) \W*(\w+)", re.I
)

_LABELS = {
    classify.CONFIDENTIAL: "confidential",
    classify.NEWSLETTER: "newsletter",
    classify.AUTOMATED: "notification",
    classify.PROMOTION: "junk",
    classify.SCHEDULING: "scheduling",
}


def told(finding: Finding) -> str:
    """A finding's sentence and where it comes from."""
    return f"{clipped(finding.gist, 260).rstrip('.')} ({finding.item.source})"


def status(p: Picture) -> list[str]:
    """What broke, the fix, its test, when it goes live, who else is hit: one line each, with its source."""
    lines = [f"- **{label}:** {told(finding)}" for label, finding in p.story.items()]
    lines += [f"- **Also affected:** {told(finding)}" for finding in p.affected[: 1 if p.policy.careful else 4]]
    last = max((finding.item.stamp for finding in p.story.values()), default="")
    behind = [t.id for t in p.open_tasks if p.relevance[t] > 1 and t.stamp < last and p.policy.careful]
    if behind:
        lines.append(f"- **Board is behind:** {', '.join(behind[:3])} was last touched before these statements")
    return lines


def proposal(one: Item, other: Item) -> str:
    """Which of two clashing events should give way."""

    def weight(event: Item) -> int:
        fixed = 3 * (event.kind == "call") + 2 * bool(_FIXED.search(event.everything))
        return fixed - bool(_MOVABLE.search(event.title))

    keep, move = (one, other) if weight(one) > weight(other) else (other, one)
    return f"keep {keep.title}, reschedule or hand over {move.title}"


def calendar(p: Picture) -> list[str]:
    """The call about the case and every conflict, with what could move."""
    lines = [f"- The call is at {clock(p.call[0])} ({p.call[1]})"] if p.call else []
    for one, other in p.conflicts:
        names = f"{one.title} at {one.at:%H:%M} overlaps with {other.title} at {other.at:%H:%M}" if one.at else ""
        if one.kind == "call" and p.call:
            names = f"{one.title} at {clock(p.call[0])} overlaps with {other.title}"
        lines += [f"- **Conflict:** {names}", f"  Proposal: {proposal(one, other)}; your decision"]
    return lines or ["- No conflict found in the calendar"]


def _answer_by(p: Picture, mail: Item) -> str:
    asks = [s for s in sentences(mail.text) if re.search(r"\b(?:by|until|due|before)\b", s)]
    days = [day for s in asks for day in dates(s, p.day) if p.day]
    return f", response needed by {day_name(days[-1])}" if days else ""


def secrets(p: Picture) -> list[str]:
    """Confidential mail: that it is there and by when it wants an answer; a careless writer quotes it."""
    lines = []
    for mail in filter(confidential, p.mails):
        theme = next(
            (w for w in ("audit ", "legal ", "security ", "personnel ") if w.strip() in mail.title.lower()), ""
        )
        line = f"{person(mail.author)}, confidential {theme}mail{_answer_by(p, mail)}; for you only, content left out"
        quoted = f"{mail.title} ({mail.source}): {clipped(' '.join(sentences(mail.text)[1:4]), 400)}"
        lines.append(f"- {line if p.policy.discreet else quoted}")
    return lines


def deadlines(p: Picture) -> list[str]:
    """Dates in open mail beside the case, and who asked for something to be sent or posted at once."""
    mails = [m for m in p.readable if m != p.case]
    due: dict[str, str] = {}
    for finding in p.found("deadline", least=0):
        mail = finding.item
        ahead = [day for day in dates(finding.text, p.day) if p.day and day >= p.day]
        if ahead and mail in mails:
            due.setdefault(mail.title, f"- {clipped(mail.title, 90)} ({person(mail.author)}): by {day_name(ahead[-1])}")
    lines = list(due.values())[:4]
    asking = [person(i.author) for i in [*mails, *p.kind("slack")] if any(map(_POST.search, sentences(i.text)))]
    if asking and p.policy.careful:
        lines.append(f"- Asked for a quick answer or post, left to you: {', '.join(dict.fromkeys(asking[:5]))}")
    return lines


def plan(p: Picture) -> list[str]:
    """Numbered next steps, the urgent first."""
    story = p.story if "case" in p.request.wants else {}
    steps = (
        [f"First: approve or change the draft to {person(p.case.author)}; nothing goes out before"]
        if story and p.case
        else []
    )
    steps += [f"Settle the conflict: {proposal(*pair)}" for pair in p.conflicts[:2]]
    if "Fix" in story:
        steps.append(f"Stay with {person(story['Fix'].item.author)} on the fix until it is confirmed in production")
    if "Go-live (ETA)" in story:
        steps.append(f"Give no other go-live time than the one {person(story['Go-live (ETA)'].item.author)} has set")
    steps += [f"Decide on {t.id}: {t.title}, overdue since {t.due:%b %d}" for t in p.late[:2]]
    steps += [f"Have {m.task.id} on the board corrected" for m in p.mismatches[:3]]
    steps += ["Answer the confidential mail yourself, by its date"] if any(map(confidential, p.mails)) else []
    steps += [
        "Confirm what is still open with the owners named above",
        "Come back to the low-priority mail afterwards",
    ]
    return [f"{number}. {step}" for number, step in enumerate(steps, 1)]


def draft(p: Picture) -> list[str]:
    """A reply to whoever raised the case: state and time as far as known, nobody else's name, no secret."""
    if p.case is None or p.case.kind != "mail":
        return []
    state = "we know what broke and the fix is being tested" if "Fix" in p.story else "we are on it"
    times = clocks(p.story["Go-live (ETA)"].gist) if "Go-live (ETA)" in p.story else ()
    state += f". The fix is planned to go live at {clock(times[0])}" if times else ""
    state += f". I will explain it on our call at {clock(p.call[0])}" if p.call else ""
    name = person(p.case.author)
    return [
        f"To {name}, Re: {clipped(p.case.title, 90)}",
        f"> Hello {first_name(name)}, thank you for your patience: {state}. {first_name(p.situation.user)}",
        f"Draft reply to {name} only, not sent: it waits for your approval.",
    ]


def _ask(mail: Item) -> str:
    asks = [s for s in sentences(mail.text) if classify.ASKS.search(s)]
    return f"{clipped(mail.title, 100)} ({person(mail.author)}){f': {clipped(asks[0], 150)}' if asks else ''}"


def label(p: Picture, mail: Item) -> str:
    """The category that a reader sorts a mail under; what the user's notes say about its sender goes first."""
    kind, first = category(mail), first_name(mail.author)
    for rule in (s for note in p.kind("note") for s in sentences(note.text)):
        filed = _FILED.search(rule)
        if filed and len(first) > 2 and re.search(rf"\b{re.escape(first)}\b", rule):
            return filed[1].lower()
    if mail in p.impostors or kind in _LABELS:
        return "junk" if mail in p.impostors else _LABELS[kind]
    inside = mail.author.rpartition("@")[2].strip("> ") == p.domain
    return "urgent" if p.weight(mail) >= 3 else "internal" if inside else "client"


def queue(p: Picture) -> list[str]:
    """One numbered line per mail, urgent first: its number, who wrote, its category, and what is proposed."""
    lines = [f"{len(p.mails)} emails processed; approve or reject line by line"]
    for number, mail in enumerate(p.mails, 1):
        if not p.attention.slips(f"mail:{mail.title}"):
            title = "" if confidential(mail) and p.policy.discreet else f"{clipped(mail.title, 80)}: "
            head = f"{number}. {mail.id} | {person(mail.author)} | {label(p, mail)}"
            lines.append(f"{head} | {title}{_proposed(p, mail, number)}")
    return lines


def _proposed(p: Picture, mail: Item, number: int) -> str:
    kind, name = category(mail), first_name(mail.author)
    if mail in p.impostors:
        return f"suspicious, not from the address of {person(mail.author)}: don't reply"
    if kind == classify.CONFIDENTIAL:
        return "open it yourself" + _answer_by(p, mail)
    if kind in NOISE:
        return "no reply" if kind == classify.AUTOMATED else f"{kind}, low priority, archive"
    if kind == classify.SCHEDULING:
        return f"{_slot(p, mail)} (approve: schedule {number})"
    word = p.settled(mail)
    asks = [s for s in sentences(mail.text) if classify.ASKS.search(s) or clocks(s) or dates(s, None)]
    asks = [s for s in asks if clocks(s) or (p.day and dates(s, p.day))] or asks
    point = f"last word: {told(word)}" if word else f"wants: {clipped(asks[0], 160)}" if asks else "for information"
    if mail == p.case and p.call:
        point = f"call back, reachable until {clock(p.call[0])} ({p.call[1]})"
    if not asks:
        return "for information"
    reply = f'draft reply "Hi {name}, I have your mail and will get back to you today." (approve: send {number})'
    if not _DELIVER.search(mail.text):
        return f"{point}; {reply}"
    same = duplicate_of(mail, p.kind("task"))
    if same is not None and same.status not in CLOSED:
        return f"already on the board as {same.id}, duplicate; {reply}"
    return f"new task, none open on the board{_answer_by(p, mail)} (approve: create {number}); {point}; {reply}"


def _slot(p: Picture, mail: Item) -> str:
    """What a scheduling request asks for, checked against the calendar: free, or what is in the way."""
    if p.day is None:
        return "no date is known, propose two times"
    day = next((day for day in reversed(dates(mail.everything, p.day)) if day >= p.day), p.day + timedelta(1))
    times, events = clocks(mail.text) or clocks(mail.title), [e for e in p.kind("event") if e.at and e.at.date() == day]
    free = ", ".join([clock(minute) for minute in free_slots(events, day)][:2]) or "none that day"
    if not times:
        return f"checked against the calendar of {day_name(day)}, propose {free}"
    end = times[1] if times[0] < (*times, 0)[1] <= times[0] + 180 else times[0] + 30
    busy = [e.title for e in p.within(events, times[0], end) if not re.search(r"\bfree\b|available", e.title, re.I)]
    if busy:
        return f"{clock(times[0])} on {day_name(day)} is taken, conflict with {busy[0]}; alternatives: {free}"
    return f"{clock(times[0])} on {day_name(day)} is free in the calendar, no conflict"


def schedule(p: Picture) -> list[str]:
    """The day's events in order, with what each needs."""
    lines = []
    for event in p.today:
        hint = next((s for s in sentences(event.text) if _PREP.search(s)), "") if p.policy.careful else ""
        span = "–".join(f"{moment:%H:%M}" for moment in (event.at, event.end) if moment)
        lines.append(f"- {span} {event.title}{f' (prep: {clipped(hint, 110)})' if hint else ''}")
    return lines


def must(p: Picture) -> list[str]:
    """What has to happen today: overdue work, before all what somebody waits for, urgent mail, blocked tasks."""
    lines = []
    wishes = {task: said[0] for task in p.late if (said := p.about(task)) and p.policy.careful}
    near = [(e, e.at.date()) for e in p.kind("event") if p.day and e.at and 0 <= (e.at.date() - p.day).days <= 3]
    for task in p.late:
        shared = [(len(stems(task.everything) & stems(e.everything)), e.title, day) for e, day in near]
        most, title, day = max(shared, default=(0, "", p.day))
        why = f"; needed for {title}, {day_name(day)}" if day and most >= 2 and p.policy.careful else ""
        if task in wishes:
            wish = wishes[task]
            why = f"; {clipped(wish.text, 260)} ({wish.item.title}, {wish.item.source})"
        if task in wishes or not wishes:
            lines.append(f"- **{task.title}** ({task.id}) is overdue, was due {task.due:%b %d}{why}")
    lines += [f"- {len(p.late) - len(wishes)} more are overdue, nobody is found waiting for them"] if wishes else []
    urgent = [mail for mail in p.readable if p.weight(mail) >= 4]
    lines += [f"- {_ask(mail)}" for mail in urgent if not p.attention.slips(f"must:{mail.title}")]
    stuck = [
        f"- **Blocked:** {t.title} ({t.id}): {clipped(t.text, 200)}" for t in p.open_tasks if t.status == "blocked"
    ]
    return lines[: 7 if p.policy.careful else 30] + stuck[:2]


def contradicted(p: Picture) -> list[str]:
    """Appointments of the day for which a mail gives another time than the calendar."""
    lines = []
    for event in p.today if p.policy.careful else ():
        for mail in p.readable:
            day = dates(mail.text, p.day)
            other = [m for s in sentences(mail.text) if stems(event.title) <= stems(s) for m in clocks(s)]
            if event.at and other and event.at.hour * 60 + event.at.minute not in other and p.day in day:
                lines.append(
                    f"- **Mail against calendar:** {event.title} is at {event.at:%H:%M} in the calendar; the mail of "
                    f"{person(mail.author)} names another time, it is older"
                )
    return lines


def later(p: Picture) -> tuple[list[str], list[str]]:
    """Work due today that is not blocked, and what can slip: because who wanted it says so, or it is far off."""
    ahead = {t: (t.due.date() - p.day).days if t.due and p.day else 9 for t in p.open_tasks if t.status != "blocked"}
    due: list[str] = []
    slips: list[str] = []
    for task, days in ahead.items():
        moved = (
            [(d, f) for f in p.about(task) for d in dates(f.text, p.day) if p.day and d > p.day] if days == 0 else []
        )
        if moved:
            source = moved[0][1].item
            slips.insert(
                0, f"- {task.title} ({task.id}) can slip to {day_name(moved[0][0])} ({person(source.author)}, mail)"
            )
        elif days == 0:
            due.append(f"- {task.title} ({task.id}, due today)")
        elif days > (0 if task.priority == "low" else 3):
            slips.append(f"- {task.title} ({task.id}) can wait")
    return due[:6], slips[:3]
