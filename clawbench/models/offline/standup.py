"""The parts of a team status: board against messages, blockers, unplanned work, people."""

from __future__ import annotations

import re
from collections import Counter

from .extract import Finding
from .observe import Item
from .picture import Picture
from .words import clipped, person, sentences, stems

_GOAL = re.compile(r"\bgoal\b[\"'*]*\s*[:=]\s*[\"'*]*([^\"\n]{8,240})", re.I)
_BOT = re.compile(r"\bbot\b|-bot|alert|notif", re.I)
_REASON = re.compile(r"\b(?:block|wait|need|decision)", re.I)


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
    """Blocked work, what it waits for, and what waits for it."""
    told, lines = _said(p, "blocked"), []
    stuck = [t for t in p.open_tasks if t.status == "blocked"]
    for task in stuck:
        reason = next(filter(_REASON.search, sentences(task.text)), "")
        lines.append(f"- **{task.id}** {task.title} is blocked ({person(task.owner)}): {clipped(reason, 160)}")
        chain = [f"{t.id} {t.title}" for t in p.open_tasks if t != task and _waits(t, task, told)][:3]
        if chain and p.policy.careful:
            chain += ["the sprint goal"] if stems(goal(p)) & stems(" ".join(chain) + task.title) else []
            lines.append(f"  Blocker chain: {' → '.join([task.title, *chain])}")
    free = [f for f in told if f.item.kind != "task" and not any(stems(f.text) & stems(t.title) for t in stuck)]
    return lines + [f"- {clipped(f.text, 180)} ({f.item.source})" for f in free[:3]]


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
        lines.setdefault(name, f"- {name}: scope creep, not approved: {clipped(f.text, 200)} ({f.item.source})")
    return list(lines.values())[:3]


def incidents(p: Picture) -> list[str]:
    """Production incidents: the newest of what messages say about them, and the cause."""
    found = sorted((f for f in _said(p, "incident") if f.item.kind != "task"), key=lambda f: f.item.stamp)
    causes = [f for f in _said(p, "cause") if "inc" in f.item.place]
    picked = [*found[:-3:-1], *causes[:1]]
    return [f"- Production incident: {clipped(f.text, 200)} ({f.item.source})" for f in picked]


def people(p: Picture) -> list[str]:
    """Per person: the newest of what they wrote, and their open tasks."""
    said: dict[str, list[str]] = {}
    lines = []
    for item in sorted(p.kind("slack"), key=lambda m: m.stamp):
        if not _BOT.search(item.author) and sentences(item.text):
            said.setdefault(person(item.author), []).append(clipped(sentences(item.text)[0], 110))
    for name, words in list(said.items())[:12]:
        own = ", ".join([t.id for t in p.open_tasks if person(t.owner) == name][:5])
        line = f"- **{name}**: {'; '.join(words[-2:])}{f' (open: {own})' if own else ''}"
        lines += [] if p.attention.slips(f"person:{name}") else [line]
    return lines


def choices(p: Picture) -> list[str]:
    """Decisions that somebody waits for, numbered."""
    found = list({clipped(f.text, 170): f.item.source for f in _said(p, "decision")}.items())[:4]
    return [f"{number}. {text} ({source})" for number, (text, source) in enumerate(found, 1)]
