"""The answer: which parts it has for this request, in the form and length that the policy asks for."""

from __future__ import annotations

from collections.abc import Sequence

from . import inbox, sections, standup
from .picture import Picture
from .words import clipped


def _parts(p: Picture) -> list[tuple[str, list[str]]]:
    """Titles and lines of the answer, by what the request wants."""
    wants = p.request.wants
    conflicts = sections.calendar(p) if "calendar" in wants else []
    if "team" in wants and p.kind("slack", "task"):
        return [
            ("Sprint status", standup.health(p)),
            ("Status mismatches (board against messages)", standup.contradictions(p)),
            ("Risks & blockers", standup.blockers(p) + standup.unplanned(p) + standup.incidents(p)),
            ("Decisions needed in standup", standup.choices(p)),
            ("Calendar", conflicts),
        ]
    if "brief" in wants:
        due, slip = sections.later(p)
        return [
            ("🔴 Critical, must do today", sections.must(p)),
            ("Calendar conflicts", conflicts + sections.contradicted(p)),
            ("📅 Today's schedule", sections.schedule(p)),
            ("🟡 Should do today", due),
            ("🟢 Can slip", slip),
            ("Confidential", sections.secrets(p)),
            ("Action queue, for your approval", sections.plan(p)),
        ]
    if "case" in wants and (p.request.names or "queue" not in wants):
        title = clipped(p.case.title or p.case.text, 90) if p.case else "nothing urgent found"
        return [
            (f"Status: {': '.join([*p.request.names[:1], title])}", sections.status(p)),
            ("Calendar", conflicts),
            ("Action plan", sections.plan(p)),
            ("Draft", sections.draft(p)),
            ("Confidential", sections.secrets(p)),
        ]
    return [("Inbox and decision queue, for your approval", inbox.queue(p)), ("Confidential", sections.secrets(p))]


def _table(lines: Sequence[str]) -> list[str]:
    """Bulleted lines as a table of point and detail; other lines stay below it."""
    rows = [line[2:].replace("|", "/").partition(": ") for line in lines if line.startswith("- ")]
    cells = [f"| {point.strip('* ')} | {detail.strip('* ')} |" for point, _, detail in rows]
    return ["| Point | Detail |", "|---|---|", *cells, *(line for line in lines if not line.startswith("- "))]


def compose(p: Picture, acts: Sequence[str], limit: int) -> str:
    """The final answer, at most ``limit`` characters; ``acts`` are sentences about what was really done.

    What the policy wants dumped or printed comes with it; a number of words leaves the first lines that fit.
    """
    bare = p.policy.dump and p.policy.uncommented
    parts = [*(() if bare else _parts(p)), ("Done", [f"- {act}" for act in acts])]
    if p.policy.dump:
        parts.append(("Full text", [f"{item.source}: {item.everything}" for item in p.items]))
    out: list[str] = []
    left = p.policy.words or limit
    for title, lines in parts:
        fits = []
        for line in lines:
            left -= len(line.split())
            fits += [line] if left >= 0 else []
        out += [f"## {title}", *(_table(fits) if p.policy.table else fits), ""] if fits else []
    out += p.policy.verbatim
    if not acts and p.policy.forbids | p.request.forbids:
        out.append("Nothing was sent, posted, created or changed; tell me which items you approve.")
    return "\n".join(out).strip()[:limit]
