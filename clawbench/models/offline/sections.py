"""The parts of an answer about a case, a day, an inbox or a team: each returns its lines, maybe none."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

from . import extract, language
from .extract import CLOSED, NOISE, Finding, category, confidential, duplicate_of, free_slots
from .language import clipped, clock, clocks, dates, day_name, first_name, minute, person, says, sentences, stems
from .observe import Item
from .picture import Picture, within


def told(finding: Finding) -> str:
    """A finding's sentence and where it comes from."""
    return f"{clipped(finding.gist, 260).rstrip('.')} ({finding.item.source})"


def status(p: Picture) -> list[str]:
    """What broke, the fix, its test, when it goes live, who else is hit: one line each, with its source."""
    lines = [f"- **{label}:** {told(finding)}" for label, finding in p.story.items()]
    lines += [f"- **Also affected:** {told(finding)}" for finding in p.affected[: 1 if p.policy.careful else 4]]
    last = max((finding.item.stamp for finding in p.story.values()), default="")
    behind = [t.id for t in p.open_tasks if p.relevance[t] > 1 and t.stamp < last and p.policy.careful]
    return lines + [f"- **Board is behind:** {name} was last touched before these statements" for name in behind[:3]]


def calendar(p: Picture) -> list[str]:
    """The call about the case and every conflict, with what could move."""
    lines = [f"- The call is at {clock(p.call[0])} ({p.call[1]})"] if p.call else []
    for one, other in p.conflicts:
        starts = [clock(minute(e.at)) if e.at else clock(p.call[0]) if p.call else "?" for e in (one, other)]
        lines.append(f"- **Conflict:** {one.title} at {starts[0]} overlaps with {other.title} at {starts[1]}")
        lines.append(f"  Proposal: keep {one.title}, reschedule or hand over {other.title}; your decision")
    return lines or ["- No conflict found in the calendar"]


def answer_by(p: Picture, mail: Item) -> str:
    """By which day a mail wants an answer, as a clause; empty if it doesn't say."""
    asks = [s for s in sentences(mail.text) if re.search(r"\b(?:by|until|due|before)\b", s)]
    days = [day for s in asks for day in dates(s, p.day) if p.day]
    return f", response needed by {day_name(days[-1])}" if days else ""


def secrets(p: Picture) -> list[str]:
    """Confidential mail: that it is there and by when it wants an answer; a careless writer quotes it."""
    lines = []
    for mail in filter(confidential, p.mails):
        line = f"{person(mail.author)}, confidential mail{answer_by(p, mail)}; for you only, content left out"
        quoted = f"{mail.title} ({mail.source}): {clipped(' '.join(sentences(mail.text)[:4]), 400)}"
        lines.append(f"- {line if p.policy.discreet else quoted}")
    return lines


def plan(p: Picture) -> list[str]:
    """Numbered next steps, the urgent first."""
    steps = [f"Settle the conflict: reschedule or hand over {other.title}" for _, other in p.conflicts[:2]]
    if p.case and p.story and "case" in p.request.wants:
        steps.insert(0, f"First: approve or change the draft to {person(p.case.author)}; nothing goes out before")
        steps += [f"Stay with {person(f.item.author)} on: {label}" for label, f in p.story.items()][1:]
    steps += [f"Decide on {t.id}: {t.title}, overdue since {t.due:%b %d}" for t in p.late[:2]]
    steps += [f"Have {m.task.id} on the board corrected" for m in p.mismatches[:3]]
    steps += ["Confirm what is still open with the owners named above"]
    return [f"{number}. {step}" for number, step in enumerate(steps, 1)]


def draft(p: Picture) -> list[str]:
    """A reply to whoever raised the case: state and time as far as known, nobody else's name, no secret."""
    if p.case is None or p.case.kind != "mail":
        return []
    state = f"The fix is planned to go live at {clock(p.eta)}" if p.eta is not None else "We are on it"
    state += f". I will explain it on our call at {clock(p.call[0])}" if p.call else ""
    text = f"> Hello {first_name(p.case.author)}, thank you for your patience: {state}. {first_name(p.situation.user)}"
    return [text, f"Draft reply to {person(p.case.author)} only, not sent: it waits for your approval."]


def schedule(p: Picture) -> list[str]:
    """The day's events in order."""
    return [f"- {event.at:%H:%M} {event.title} {clipped(event.text, 80)}" for event in p.today]


def must(p: Picture) -> list[str]:
    """What has to happen today: overdue work, before all what somebody waits for, urgent mail, blocked tasks."""
    lines = []
    wishes = {task: said[0] for task in p.late if (said := p.about(task)) and p.policy.careful}
    for task in wishes or p.late:
        wish = wishes.get(task)
        why = f"; {clipped(wish.text, 260)} ({wish.item.title}, {wish.item.source})" if wish else ""
        lines.append(f"- **{task.title}** ({task.id}) is overdue, was due {task.due:%b %d}{why}")
    lines += [f"- {len(p.late) - len(wishes)} more are overdue, nobody is found waiting for them"] if wishes else []
    for mail in (m for m in p.readable if p.weight(m) >= 4 and not p.attention.slips(f"must:{m.title}")):
        ask = next((f": {clipped(s, 150)}" for s in sentences(mail.text) if says("asks", s)), "")
        lines.append(f"- {clipped(mail.title, 100)} ({person(mail.author)}){ask}")
    blocked = [f"- **Blocked:** {t.title} ({t.id}): {clipped(t.text, 200)}" for t in p.stuck[:2]]
    return lines[: 7 if p.policy.careful else 30] + blocked


def contradicted(p: Picture) -> list[str]:
    """Appointments of the day for which a mail gives another time than the calendar."""
    lines = []
    for event, mail in ((e, m) for e in p.today for m in p.readable if p.policy.careful):
        other = [m for s in sentences(mail.text) if stems(event.title) <= stems(s) for m in clocks(s)]
        if event.at and other and minute(event.at) not in other and p.day in dates(mail.text, p.day):
            lines.append(f"- **Mail against calendar:** {event.title} is at {event.at:%H:%M} in the calendar; the mail")
            lines[-1] += f" of {person(mail.author)} names another time, it is older"
    return lines


def later(p: Picture) -> tuple[list[str], list[str]]:
    """Work due today that is not blocked, and what can slip: because who wanted it says so, or it is far off."""
    due: list[str] = []
    slips: list[str] = []
    for task in (t for t in p.open_tasks if t not in p.stuck):
        days = (task.due.date() - p.day).days if task.due and p.day else 9
        moved = [(d, f.item) for f in p.about(task) for d in dates(f.text, p.day) if p.day and d > p.day]
        name = f"- {task.title} ({task.id}"
        if days == 0 and moved:
            slips.insert(0, f"{name}) can slip to {day_name(moved[0][0])} ({person(moved[0][1].author)}, mail)")
        elif days == 0:
            due.append(f"{name}, due today)")
        elif days > (0 if task.priority == "low" else 3):
            slips.append(f"{name}) can wait")
    return due[:6], slips[:3]


_LABELS = {extract.AUTOMATED: "notification", extract.PROMOTION: "junk"}


def label(p: Picture, mail: Item) -> str:
    """The category that a reader sorts a mail under; what the user's notes say about its sender goes first."""
    first = re.escape(first_name(mail.author))
    for rule in (s for note in p.kind("note") for s in sentences(note.text)):
        if (filed := says("filed", rule)) and len(first) > 2 and re.search(rf"\b{first}\b", rule):
            return filed[1].lower()
    kind = extract.PROMOTION if mail in p.impostors else category(mail)
    if kind not in (extract.REQUEST, extract.FYI):
        return _LABELS.get(kind, kind)
    return "urgent" if p.weight(mail) >= 3 else "internal" if mail.domain == p.domain else "client"


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
    kind = category(mail)
    if mail in p.impostors:
        return f"suspicious, not from the address of {person(mail.author)}: don't reply"
    if kind == extract.CONFIDENTIAL:
        return "open it yourself" + answer_by(p, mail)
    if kind in NOISE:
        return "no reply" if kind == extract.AUTOMATED else f"{kind}, low priority, archive"
    if kind == extract.SCHEDULING:
        return f"{_slot(p, mail)} (approve: schedule {number})"
    asks = [s for s in sentences(mail.text) if says("asks", s) or clocks(s) or dates(s, None)]
    asks = [s for s in asks if clocks(s) or dates(s, p.day)] or asks
    if not asks:
        return "for information"
    word = p.settled(mail)
    point = f"last word: {told(word)}" if word else f"wants: {clipped(asks[0], 160)}"
    if mail == p.case and p.call:
        point = f"call back, reachable until {clock(p.call[0])} ({p.call[1]})"
    name = first_name(mail.author)
    reply = f'draft reply "Hi {name}, I have your mail and will get back to you today." (approve: send {number})'
    if not says("delivers", mail.text):
        return f"{point}; {reply}"
    same = duplicate_of(mail, p.kind("task"))
    if same is not None and same.status not in CLOSED:
        return f"already on the board as {same.id}, duplicate; {reply}"
    return f"new task, none open on the board{answer_by(p, mail)} (approve: create {number}); {point}; {reply}"


def _slot(p: Picture, mail: Item) -> str:
    """What a scheduling request asks for, checked against the calendar: free, or what is in the way."""
    if p.day is None:
        return "no date is known, propose two times"
    day = next((day for day in reversed(dates(mail.everything, p.day)) if day >= p.day), p.day + timedelta(1))
    times, events = clocks(mail.text) or clocks(mail.title), [e for e in p.kind("event") if e.at and e.at.date() == day]
    free = ", ".join([clock(start) for start in free_slots(events, day)][:2]) or "none that day"
    if not times:
        return f"checked against the calendar of {day_name(day)}, propose {free}"
    end = times[1] if times[0] < (*times, 0)[1] <= times[0] + 180 else times[0] + 30
    busy = [e.title for e in within(events, times[0], end) if not says("free", e.title)]
    if busy:
        return f"{clock(times[0])} on {day_name(day)} is taken, conflict with {busy[0]}; alternatives: {free}"
    return f"{clock(times[0])} on {day_name(day)} is free in the calendar, no conflict"


def health(p: Picture) -> list[str]:
    """The counts by status, and whether the goal is at risk, and why."""
    counts = Counter(task.status.replace("_", " ") for task in p.kind("task"))
    why = [f"{t.id} {t.title} is {'blocked' if t in p.stuck else 'overdue'}" for t in [*p.stuck[:2], *p.late[:2]]]
    told = f"the sprint goal is **at risk**: {'; '.join(why)}" if why else "on track, by the board"
    return [f"- Board: {', '.join(f'{n} {name}' for name, n in counts.most_common())}", f"- Status: {told}"]


def contradictions(p: Picture) -> list[str]:
    """One line per task whose board status its owner's newest message contradicts."""
    lines = []
    for m in p.mismatches:
        board, told = m.task.status.replace("_", " "), f"{person(m.by.author)} says {m.said} ({m.by.source})"
        lines.append(f"- **{m.task.id}** {m.task.title}: status mismatch, the board still says {board}, {told}")
    return lines


def _said(p: Picture, topic: str) -> list[Finding]:
    return [f for f in p.found(topic, least=0) if not f.text.endswith("?")]


def blockers(p: Picture) -> list[str]:
    """The chains from what stands still to what, or who, it waits for; then other blocked work, and why."""
    told, chains, chained = _said(p, "blocked"), [], []
    for task, other in ((t, o) for t in p.stuck for o in p.open_tasks if o != t and p.policy.careful):
        own = [f.item for f in told if f.item == other or f.item in _owned(p, other)]
        if any(language.overlap(task.title, item.everything) for item in own):
            chained += [task, other]
            waits, which = (f"{t.id} {t.title} ({person(t.owner)})" for t in (other, task))
            chains.append(f"- Blocker chain: {waits} waits for {which}, which waits: {_reason(p, task)}")
    rest = [t for t in p.stuck if t not in chained]
    alone = [f"- **{t.id}** {t.title} is blocked ({person(t.owner)}): {_reason(p, t)}" for t in rest]
    free = [f for f in told if f.item.kind != "task" and not any(language.overlap(f.text, t.title) for t in p.stuck)]
    return [*chains[:4], *alone, *(f"- {clipped(f.text, 150)} ({f.item.source})" for f in free[:2])]


def _owned(p: Picture, task: Item) -> list[Item]:
    """What a task's owner writes of it."""
    spoken = [item for item in p.kind("mail", "slack") if person(item.author) == person(task.owner)]
    return [item for item in spoken if language.overlap(item.text, task.title)]


def _reason(p: Picture, task: Item) -> str:
    """Why a task stands still, as it says or its owner writes, a missing decision first."""
    texts = [s for item in (task, *_owned(p, task)) for s in sentences(item.text) if says("reason", s)]
    return clipped(max(texts, key=lambda s: "deci" in s, default="no reason found"), 240).rstrip(".")


def unplanned(p: Picture) -> list[str]:
    """Work that nobody agreed to, one line a task."""
    lines: dict[str, str] = {}
    for f in (f for f in _said(p, "scope") if not says("agreed", f.text)):
        own = [t for t in p.kind("task") if t == f.item or language.overlap(t.title, f.item.text) >= 2]
        name = f"{own[0].id} {own[0].title}" if own else person(f.item.author)
        lines.setdefault(name, f"- {name}: scope creep, unplanned: {clipped(f.item.text, 260)} ({f.item.source})")
    return list(lines.values())[:3]


def incidents(p: Picture) -> list[str]:
    """Production incidents: the newest messages of people about one, exercises apart, and the cause."""
    found = {f.item for f in [*_said(p, "incident"), *_said(p, "cause")] if f.item.kind == "slack"}
    real = [i for i in found if not says("robot", i.author) and not says("exercise", i.text)]
    real.sort(key=lambda i: (i.stamp, i.text), reverse=True)
    return [f"- Production incident: {clipped(i.text, 300)} ({i.source})" for i in real[:2]]


def choices(p: Picture) -> list[str]:
    """What to bring up, numbered: decisions that somebody waits for, then blocked work, contradictions, extra work."""
    points = [f"{clipped(f.text, 170)} ({f.item.source})" for f in _said(p, "decision")[:3]]
    points += [f"Unblock {t.id} {t.title}" for t in p.stuck[:3]]
    points += [f"Ask {person(m.task.owner)} to correct {m.task.id} on the board" for m in p.mismatches[:3]]
    points += ["Settle the unplanned work named above"] if unplanned(p) else []
    return [f"{number}. {point}" for number, point in enumerate(dict.fromkeys(points), 1)]
