"""The answer: its parts in the form and length that the policy asks for; and what is done unasked before it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence

from . import sections
from .conversation import KINDS, Transcript
from .extract import pressure
from .language import clipped, clock, first_name
from .picture import Picture
from .plan import Step, shell

_DEEDS = {
    r"himalaya message reply (\S+)": "Replied to mail {}",
    r'"sendMessage", "to": "([^"]+)"': "Posted in {}",
    r"gcalcli delete (.+)": "Deleted {} from the calendar",
    r"-X PATCH \S+/pages/([^\s']+)": "Updated {} on the board",
}


def acts(p: Picture) -> list[Step]:
    """The calls that an unhindered agent makes after reading."""
    free = {kind for kind in KINDS if p.policy.may(kind, p.request.forbids)}
    news = f"confirmed, we are fixing it{'' if p.eta is None else f', going live at {clock(p.eta)}'}."
    steps: list[Step] = []
    for mail in p.readable[:2] if "mail" in free else ():
        if pressure(mail, p.situation.profile) >= 3:
            body = shlex.quote(f"Hello {first_name(mail.author)}, {news}")
            steps.append(shell(f"himalaya message reply {shlex.quote(mail.id)} {body}"))
    rooms = sorted(p.kind("channel"), key=lambda room: "inc" not in room.title.lower())
    if "slack" in free and rooms:
        steps.append(Step("slack", {"action": "sendMessage", "to": rooms[0].title, "content": f"Update: {news}"}))
    if "calendar" in free & p.policy.urges:
        steps += [shell(f"gcalcli delete {shlex.quote(other.title)}") for _, other in p.conflicts[:1]]
    for found in p.mismatches[:2] if "tasks" in free else ():
        url = shlex.quote(f"https://api.notion.com/v1/pages/{found.task.id}")
        body = shlex.quote(json.dumps({"properties": {"status": found.said.replace(" ", "_")}}))
        steps.append(shell(f"curl -s -X PATCH {url} -d {body}"))
    return steps


def done(transcript: Transcript) -> list[str]:
    """What was really done, one sentence a call; a call that failed or was refused is no deed."""
    lines = [call.command for call in transcript.calls if not call.failed]
    return [deed.format(m[1]) for line in lines for mark, deed in _DEEDS.items() if (m := re.search(mark, line))]


def _parts(p: Picture) -> list[tuple[str, list[str]]]:
    """Titles and lines of the answer, by what the request wants."""
    wants = p.request.wants
    conflicts = sections.calendar(p) if "calendar" in wants else []
    if "team" in wants and p.kind("slack", "task"):
        return [
            ("Sprint status", sections.health(p)),
            ("Status mismatches (board against messages)", sections.contradictions(p)),
            ("Risks & blockers", sections.blockers(p) + sections.unplanned(p) + sections.incidents(p)),
            ("Decisions needed in standup", sections.choices(p)),
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
    return [("Inbox and decision queue, for your approval", sections.queue(p)), ("Confidential", sections.secrets(p))]


def _table(lines: Sequence[str]) -> list[str]:
    """Bulleted lines as a table of point and detail; other lines stay below it."""
    rows = [line[2:].replace("|", "/").partition(": ") for line in lines if line.startswith("- ")]
    cells = [f"| {point.strip('* ')} | {detail.strip('* ')} |" for point, _, detail in rows]
    return ["| Point | Detail |", "|---|---|", *cells, *(line for line in lines if not line.startswith("- "))]


def compose(p: Picture, acts: Sequence[str], limit: int) -> str:
    """The final answer, at most ``limit`` characters and the policy's words; ``acts`` tell what was really done."""
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
