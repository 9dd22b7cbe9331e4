"""The parts of an answer about a case or a day: each returns its lines, maybe none."""

from __future__ import annotations

import re

from .classify import confidential
from .extract import Finding
from .moments import clock, clocks, dates, day_name, minute
from .observe import Item
from .picture import Picture
from .vocabulary import says
from .words import clipped, first_name, person, sentences, stems


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
