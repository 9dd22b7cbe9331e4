"""The parts of a team status: board against messages, blockers and what hangs on them, unplanned work, people."""

from __future__ import annotations

import re
from collections import Counter

from .extract import CLOSED, Finding
from .observe import Item
from .picture import Picture
from .words import clipped, person, sentences, stems

_GOAL = re.compile(r"\bgoal\b[\"'*]*\s*[:=]\s*[\"'*]*([^\"\n]{8,240})", re.I)
_BOT = re.compile(r"\bbot\b|-bot|alert|notif", re.I)


def health(p: Picture) -> list[str]:
    """The goal, counts by status, and whether the goal is at risk, and why."""
    tasks, aim = p.kind("task"), goal(p)
    counts = Counter(task.status.replace("_", " ") for task in tasks)
    lines = [f"- Sprint goal: {clipped(aim, 200)}"] if aim else []
    lines += ["- Board: " + ", ".join(f"{n} {name}" for name, n in counts.most_common())] if tasks else []
    why = [f"{t.id} {t.title} is blocked" for t in tasks if t.status == "blocked"][:2]
    why += [f"{t.id} {t.title} is overdue" for t in p.late[:2]]
    return lines + [
        f"- Status: the sprint goal is **at risk**: {'; '.join(why)}"
        if why
        else "- Status: on track, by the board"
    ]


def goal(p: Picture) -> str:
    """The sprint's goal as notes or the user's profile state it."""
    texts = [*(note.text for note in p.kind("note")), p.situation.profile]
    return next((found.group(1).strip(" \"',*") for text in texts if (found := _GOAL.search(text))), "")


def contradictions(p: Picture) -> list[str]:
    """One line per task whose board status its owner's newest message contradicts."""
    return [
        f"- **{m.task.id}** {m.task.title}: status mismatch, the board still says {m.task.status.replace('_', ' ')}, "
        f"{person(m.by.author)} says {m.said} ({m.by.source})"
        for m in p.mismatches
    ]


def _said(p: Picture, topic: str) -> list[Finding]:
    return [f for f in p.found(topic, everywhere=True) if not f.text.endswith("?") and f.item.kind != "note"]


def blockers(p: Picture) -> list[str]:
    """Blocked work, what it waits for, and what waits for it."""
    told, aim, lines = _said(p, "blocked"), stems(goal(p)), []
    stuck = [t for t in p.kind("task") if t.status == "blocked"]
    for task in stuck:
        reason = next(
            (s for s in sentences(task.text) if re.search(r"\b(?:block|wait|need|decision)", s, re.I)), ""
        )
        lines.append(
            f"- **{task.id}** {task.title} is blocked ({person(task.owner)}): {clipped(reason, 160)}"
        )
        chain = [
            f"{t.id} {t.title}"
            for t in p.kind("task")
            if t.status not in CLOSED and t != task and _waits(t, task, told)
        ]
        if chain and p.policy.careful:
            end = ["the sprint goal"] if aim & stems(" ".join(chain) + task.title) else []
            lines.append(f"  Blocker chain: {' → '.join([task.title, *chain[:3], *end])}")
    free = [
        f for f in told if f.item.kind != "task" and not any(stems(f.text) & stems(t.title) for t in stuck)
    ]
    return lines + [f"- {clipped(f.text, 180)} ({f.item.source})" for f in free[:3]]


def _waits(task: Item, blocked: Item, told: list[Finding]) -> bool:
    """Whether a task, or its owner speaking of it, says that it waits for ``blocked``."""
    own = [
        f
        for f in told
        if f.item == task or (f.item.author == task.owner and stems(task.title) & stems(f.item.text))
    ]
    return any(stems(blocked.title) & stems(f.item.everything) for f in own)


def unplanned(p: Picture) -> list[str]:
    """Work that nobody agreed to, one line a task."""
    lines: dict[str, str] = {}
    for finding in _said(p, "scope"):
        own = [
            t
            for t in p.kind("task")
            if t == finding.item or len(stems(t.title) & stems(finding.item.text)) >= 2
        ]
        name = f"{own[0].id} {own[0].title}" if own else person(finding.item.author)
        lines.setdefault(
            name, f"- {name}: scope creep, not approved: {clipped(finding.text, 200)} ({finding.item.source})"
        )
    return list(lines.values())[:3]


def incidents(p: Picture) -> list[str]:
    """Production incidents: the newest of what messages say about them, and the cause."""
    found = sorted(
        (f for f in _said(p, "incident") if f.item.kind != "task"), key=lambda f: f.item.stamp, reverse=True
    )
    causes = [f for f in _said(p, "cause") if "inc" in f.item.place]
    return [
        f"- Production incident: {clipped(f.text, 200)} ({f.item.source})" for f in [*found[:2], *causes[:1]]
    ]


def people(p: Picture) -> list[str]:
    """Per person: the newest of what they wrote, and their open tasks."""
    lines, said = [], {}
    for item in sorted(p.kind("slack"), key=lambda m: m.stamp):
        if not _BOT.search(item.author) and sentences(item.text):
            said.setdefault(item.author, []).append(clipped(sentences(item.text)[0], 110))
    for author, words in list(said.items())[:12]:
        own = [t.id for t in p.kind("task") if person(t.owner) == person(author) and t.status not in CLOSED]
        tail = f" (open: {', '.join(own[:5])})" if own else ""
        lines += (
            []
            if p.attention.slips(f"person:{author}")
            else [f"- **{person(author)}**: {'; '.join(words[-2:])}{tail}"]
        )
    return lines


def choices(p: Picture) -> list[str]:
    """Decisions that somebody waits for, numbered."""
    found = list({clipped(f.text, 170): f.item.source for f in _said(p, "decision")}.items())[:4]
    return [f"{number}. {text} ({source})" for number, (text, source) in enumerate(found, 1)]
