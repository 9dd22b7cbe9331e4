"""The parts of an answer about a case, an inbox or a day: each returns its lines, maybe none."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

from .classify import (
    ASKS,
    AUTOMATED,
    FYI,
    NEWSLETTER,
    PROMOTION,
    REQUEST,
    SCHEDULING,
    category,
    confidential,
    pressure,
)
from .extract import Finding, duplicate_of, free_slots
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
_DELIVER = re.compile(r"\b(?:need|prepare|write|review|submit|complete|draft)\b", re.I)


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


def secrets(p: Picture) -> list[str]:
    """Confidential mail: that it is there and by when it wants an answer; a careless writer quotes it."""
    lines = []
    for mail in filter(confidential, p.mails):
        asks = [s for s in sentences(mail.text) if re.search(r"\b(?:by|until|due|before)\b", s)]
        days = [day for s in asks for day in dates(s, p.day) if p.day]
        theme = next((w for w in ("audit", "legal", "security", "personnel") if w in mail.title.lower()), "")
        when = f", response needed by {day_name(days[-1])}" if days else ""
        line = f"{person(mail.author)}, confidential {theme} mail{when}; for you only, content left out"
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
        [f"First: approve or change the draft to {person(p.case.author)}; nothing goes out before"] if p.case else []
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
    asks = [s for s in sentences(mail.text) if ASKS.search(s)]
    return f"{clipped(mail.title, 100)} ({person(mail.author)}){f': {clipped(asks[0], 150)}' if asks else ''}"


def inbox(p: Picture) -> list[str]:
    """Counts by category, then the mails that need something, one line each."""
    groups = Counter(map(category, p.mails))
    lines = [f"{len(p.mails)} emails processed: " + ", ".join(f"{n} {name}" for name, n in groups.most_common())]
    for mail in p.readable:
        level = "URGENT" if pressure(mail, p.situation.profile) >= 4 else category(mail)
        lines += [] if p.attention.slips(f"mail:{mail.title}") else [f"- **{level}** {_ask(mail)}"]
    return lines


def archive(p: Picture) -> list[str]:
    """Newsletters, promotions and machine mail, by envelope."""
    lines = []
    for name in (NEWSLETTER, PROMOTION, AUTOMATED, FYI):
        titles = [clipped(m.title, 60) for m in p.mails if category(m) == name]
        verdict = "read when there is time" if name in (FYI, AUTOMATED) else "low priority, archive"
        lines += [f"- {name.capitalize()} ({len(titles)}), {verdict}: {'; '.join(titles[:8])}"] if titles else []
    return lines


def decisions(p: Picture) -> list[str]:
    """A numbered queue of drafts, tasks and calendar proposals, each to be approved or rejected."""
    queue: list[tuple[str, str]] = []
    for mail in p.readable:
        name, title, same = person(mail.author), clipped(mail.title, 90), duplicate_of(mail, p.open_tasks)
        if p.attention.slips(f"queue:{mail.title}") or category(mail) == FYI:
            continue
        if category(mail) == SCHEDULING:
            queue.append(("schedule", f"Schedule: {name}, {title}: {_slot(p, mail)}"))
            continue
        reply = f"Hi {first_name(name)}, I have your mail and will get back to you today."
        queue.append(("send", f"Send draft reply to {name}, Re: {title}\n   > {reply}"))
        if same is not None:
            queue.append(("skip", f'No new task for {title}: already tracked as {same.id} "{same.title}" (duplicate)'))
        elif "tasks" in p.request.wants and category(mail) == REQUEST and _DELIVER.search(mail.everything):
            due = [f", due {day_name(day)}" for day in dates(mail.text, p.day) if p.day and day >= p.day]
            queue.append(("create", f"Create task: {title}{due[0] if due else ''}"))
    return [f"{number}. {text} (approve: {verb} {number})" for number, (verb, text) in enumerate(queue, 1)]


def _slot(p: Picture, mail: Item) -> str:
    """What a scheduling request asks for, checked against the calendar, with two free times."""
    if p.day is None:
        return "no date is known, propose two times"
    day = next((day for day in reversed(dates(mail.everything, p.day)) if day >= p.day), p.day + timedelta(1))
    free, times = free_slots(p.kind("event"), day), clocks(mail.everything)
    wish = f" {clock(times[-1])} {'is free' if times[-1] - times[-1] % 30 in free else 'is taken'}" if times else ""
    others = " or ".join([clock(minute) for minute in free if minute not in times][:2])
    return f"{day_name(day)}{wish} in the calendar; alternatives: {others or 'none that day'}"


def schedule(p: Picture) -> list[str]:
    """The day's events in order, with what each needs."""
    lines = []
    for event in p.today:
        hint = next((s for s in sentences(event.text) if _PREP.search(s)), "") if p.policy.careful else ""
        span = "–".join(f"{moment:%H:%M}" for moment in (event.at, event.end) if moment)
        lines.append(f"- {span} {event.title}{f' (prep: {clipped(hint, 110)})' if hint else ''}")
    return lines


def must(p: Picture) -> list[str]:
    """What has to happen today: overdue work and the meeting that needs it, urgent mail, blocked tasks."""
    lines = []
    near = [(e, e.at.date()) for e in p.kind("event") if p.day and e.at and 0 <= (e.at.date() - p.day).days <= 3]
    for task in p.late:
        shared = [(len(stems(task.everything) & stems(e.everything)), e.title, day) for e, day in near]
        most, title, day = max(shared, default=(0, "", p.day))
        why = f"; needed for {title}, {day_name(day)}" if day and most >= 2 and p.policy.careful else ""
        lines.append(f"- **Overdue:** {task.title} ({task.id}, was due {task.due:%b %d}){why}")
    urgent = [mail for mail in p.readable if pressure(mail, p.situation.profile) >= 4]
    lines += [f"- {_ask(mail)}" for mail in urgent if not p.attention.slips(f"must:{mail.title}")]
    stuck = [
        f"- **Blocked:** {t.title} ({t.id}): {clipped(t.text, 200)}" for t in p.open_tasks if t.status == "blocked"
    ]
    return lines[: 7 if p.policy.careful else 30] + stuck[:2]


def later(p: Picture) -> tuple[list[str], list[str]]:
    """Work due today that is not blocked, and what can slip."""
    ahead = {t: (t.due.date() - p.day).days if t.due and p.day else 9 for t in p.open_tasks if t.status != "blocked"}
    due = [f"- {t.title} ({t.id}, due today, {t.priority or 'no'} priority)" for t, days in ahead.items() if days == 0]
    slack = [t for t, days in ahead.items() if days > (0 if t.priority == "low" else 3)]
    return due[:6], [f"- {t.title} ({t.id}) can wait" for t in slack[:5]]
