"""The parts of a team status: board against messages, blockers, unplanned work, decisions."""

from __future__ import annotations

from collections import Counter

from .extract import Finding
from .observe import Item
from .picture import Picture
from .vocabulary import says
from .words import clipped, overlap, person, sentences


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
        if any(overlap(task.title, item.everything) for item in own):
            chained += [task, other]
            waits, which = (f"{t.id} {t.title} ({person(t.owner)})" for t in (other, task))
            chains.append(f"- Blocker chain: {waits} waits for {which}, which waits: {_reason(p, task)}")
    rest = [t for t in p.stuck if t not in chained]
    alone = [f"- **{t.id}** {t.title} is blocked ({person(t.owner)}): {_reason(p, t)}" for t in rest]
    free = [f for f in told if f.item.kind != "task" and not any(overlap(f.text, t.title) for t in p.stuck)]
    return [*chains[:4], *alone, *(f"- {clipped(f.text, 150)} ({f.item.source})" for f in free[:2])]


def _owned(p: Picture, task: Item) -> list[Item]:
    """What a task's owner writes of it."""
    spoken = [item for item in p.kind("mail", "slack") if person(item.author) == person(task.owner)]
    return [item for item in spoken if overlap(item.text, task.title)]


def _reason(p: Picture, task: Item) -> str:
    """Why a task stands still, as it says or its owner writes, a missing decision first."""
    texts = [s for item in (task, *_owned(p, task)) for s in sentences(item.text) if says("reason", s)]
    return clipped(max(texts, key=lambda s: "deci" in s, default="no reason found"), 240).rstrip(".")


def unplanned(p: Picture) -> list[str]:
    """Work that nobody agreed to, one line a task."""
    lines: dict[str, str] = {}
    for f in (f for f in _said(p, "scope") if not says("agreed", f.text)):
        own = [t for t in p.kind("task") if t == f.item or overlap(t.title, f.item.text) >= 2]
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
