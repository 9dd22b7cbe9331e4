"""The parts of a team status: board against messages, blockers, unplanned work, people."""

from __future__ import annotations

import re
from collections import Counter

from .extract import Finding
from .observe import Item
from .picture import Picture
from .words import clipped, overlap, person, sentences, stems

_GOAL = re.compile(r"\bgoal\b[\"'*]*\s*[:=]\s*[\"'*]*([^\"\n]{8,240})", re.I)
_BOT = re.compile(r"\bbot\b|-bot|alert|notif", re.I)
_REASON = re.compile(r"\b(?:block|wait|need|decision|decide|depend|can['’]t)", re.I)
_AGREED = re.compile(r"\b(?<!not )approved (?:it|this|them)\b|\bwas approved\b", re.I)
_EXERCISE = re.compile(r"\bexercise\b|\bdrill\b|\bdummy\b", re.I)


def goal(p: Picture) -> str:
    """The sprint's goal as notes or the user's profile state it."""
    texts = [*(note.text for note in p.kind("note")), p.situation.profile]
    return next((found[1].strip(" \"',*") for text in texts if (found := _GOAL.search(text))), "")


def health(p: Picture) -> list[str]:
    """The goal, counts by status, and whether the goal is at risk, and why."""
    counts = Counter(task.status.replace("_", " ") for task in p.kind("task"))
    lines = [f"- Sprint goal: {clipped(goal(p), 200)}"] if goal(p) else []
    lines.append("- Board: " + (", ".join(f"{n} {name}" for name, n in counts.most_common()) or "nothing found"))
    why = [f"{t.id} {t.title} is blocked" for t in p.open_tasks if t.status == "blocked"][:2]
    why += [f"{t.id} {t.title} is overdue" for t in p.late[:2]]
    lines.append(
        f"- Status: the sprint goal is **at risk**: {'; '.join(why)}" if why else "- Status: on track, by the board"
    )
    return lines


def contradictions(p: Picture) -> list[str]:
    """One line per task whose board status its owner's newest message contradicts."""
    return [
        f"- **{m.task.id}** {m.task.title}: status mismatch, the board still says "
        f"{m.task.status.replace('_', ' ')}, {person(m.by.author)} says {m.said} ({m.by.source})"
        for m in p.mismatches
    ]


def _said(p: Picture, topic: str) -> list[Finding]:
    return [f for f in p.found(topic, least=0) if not f.text.endswith("?")]


def blockers(p: Picture) -> list[str]:
    """The chains from what stands still to what, or who, it waits for; then other blocked work, and why."""
    told, chains, chained = _said(p, "blocked"), [], []
    stuck = [t for t in p.open_tasks if t.status == "blocked"]
    for task, other in ((t, o) for t in stuck for o in p.open_tasks if o != t and p.policy.careful):
        if _waits(other, task, told):
            aim = ", and with it the sprint goal" if stems(goal(p)) & stems(other.title + task.title) else ""
            chained += [task, other]
            chains.append(
                f"- Blocker chain: {other.id} {other.title} ({person(other.owner)}) waits for {task.id} {task.title} "
                f"({person(task.owner)}), which waits: {_reason(p, task).rstrip('.')}{aim}"
            )
    alone = [
        f"- **{t.id}** {t.title} is blocked ({person(t.owner)}): {_reason(p, t)}" for t in stuck if t not in chained
    ]
    free = [f for f in told if f.item.kind != "task" and not any(stems(f.text) & stems(t.title) for t in stuck)]
    return [*chains[:4], *alone, *(f"- {clipped(f.text, 150)} ({f.item.source})" for f in free[:2])]


def _reason(p: Picture, task: Item) -> str:
    """Why a task stands still, as it says or its owner writes, a missing decision first."""
    owned = [
        i for i in p.kind("mail", "slack") if person(i.author) == person(task.owner) and overlap(i.text, task.title)
    ]
    texts = [s for item in (task, *owned) for s in sentences(item.text) if _REASON.search(s)]
    return clipped(next((s for s in texts if "deci" in s), texts[0] if texts else "no reason found"), 240)


def _waits(task: Item, blocked: Item, told: list[Finding]) -> bool:
    """Whether a task, or its owner speaking of it, says that it waits for ``blocked``."""
    owned = [f.item for f in told if f.item.author == task.owner and stems(task.title) & stems(f.item.text)]
    own = [*owned, *(f.item for f in told if f.item == task)]
    return any(stems(blocked.title) & stems(item.everything) for item in own)


def unplanned(p: Picture) -> list[str]:
    """Work that nobody agreed to, one line a task."""
    lines: dict[str, str] = {}
    for f in _said(p, "scope"):
        own = [t for t in p.kind("task") if t == f.item or len(stems(t.title) & stems(f.item.text)) >= 2]
        name = f"{own[0].id} {own[0].title}" if own else person(f.item.author)
        if not _AGREED.search(f.text):
            lines.setdefault(name, f"- {name}: scope creep, unplanned: {clipped(f.item.text, 260)} ({f.item.source})")
    return list(lines.values())[:3]


def incidents(p: Picture) -> list[str]:
    """Production incidents: the newest messages of people about one, exercises apart, and the cause."""
    found = [f.item for f in [*_said(p, "incident"), *_said(p, "cause")] if f.item.kind == "slack"]
    real = {i: i.stamp for i in found if not _BOT.search(i.author) and not _EXERCISE.search(i.text)}
    items = sorted(real, key=lambda i: i.stamp, reverse=True)
    return [f"- Production incident: {clipped(i.text, 300)} ({i.source})" for i in items[:2]]


def people(p: Picture) -> list[str]:
    """Per person: the newest of what they wrote, and their open tasks."""
    said: dict[str, list[str]] = {}
    lines = []
    for item in sorted(p.kind("slack"), key=lambda m: m.stamp):
        if not _BOT.search(item.author) and sentences(item.text):
            said.setdefault(person(item.author), []).append(clipped(sentences(item.text)[0], 80))
    for name, words in list(said.items())[:12]:
        own = ", ".join([t.id for t in p.open_tasks if person(t.owner) == name][:5])
        line = f"- **{name}**: {words[-1]}{f' (open: {own})' if own else ''}"
        lines += [] if p.attention.slips(f"person:{name}") else [line]
    return lines


def choices(p: Picture) -> list[str]:
    """What to bring up, numbered: decisions that somebody waits for, then blocked work, contradictions, extra work."""
    points = [f"{clipped(f.text, 170)} ({f.item.source})" for f in _said(p, "decision")[:3]]
    points += [f"Unblock {t.id} {t.title}" for t in p.open_tasks if t.status == "blocked"][:3]
    points += [f"Ask {person(m.task.owner)} to correct {m.task.id} on the board" for m in p.mismatches[:3]]
    points += ["Settle the unplanned work named above"] if unplanned(p) else []
    return [f"{number}. {point}" for number, point in enumerate(dict.fromkeys(points), 1)]
