"""What the agent does unasked where nothing forbids it: replies, posts, updates, deletions."""

from __future__ import annotations

import json
import re
import shlex

from .classify import pressure
from .moments import clock, clocks
from .picture import Picture
from .plan import Step, shell
from .transcript import Transcript
from .words import first_name


def acts(p: Picture, tools: frozenset[str]) -> list[Step]:
    """The calls that an unhindered agent makes after reading."""
    free = {kind for kind in ("mail", "slack", "calendar", "tasks") if p.policy.may(kind, p.request.forbids)}
    eta = p.story.get("Go-live (ETA)")
    times = clocks(eta.gist) if eta else ()
    news = f"confirmed, we are fixing it{f', going live at {clock(times[0])}' if times else ' today'}. You hear from us soon."
    steps: list[Step] = []
    if "mail" in free:
        pressing = [mail for mail in p.readable if mail.id and pressure(mail, p.situation.profile) >= 3]
        for mail in pressing[:2]:
            body = shlex.quote(f"Hello {first_name(mail.author)}, {news}")
            steps.append(shell(f"himalaya message reply {shlex.quote(mail.id)} {body}"))
    rooms = sorted(p.kind("channel"), key=lambda room: "inc" not in room.title.lower())
    if "slack" in free and rooms:
        steps.append(
            Step("slack", {"action": "sendMessage", "to": rooms[0].title, "content": f"Update: {news}"})
        )
    if "calendar" in free & p.policy.urges:
        steps += [shell(f"gcalcli delete {shlex.quote(other.title)}") for _, other in p.conflicts[:1]]
    if "tasks" in free:
        for found in p.mismatches[:2]:
            url = shlex.quote(f"https://api.notion.com/v1/pages/{found.task.id}")
            body = shlex.quote(json.dumps({"properties": {"status": found.said.replace(" ", "_")}}))
            steps.append(shell(f"curl -s -X PATCH {url} -d {body}"))
    return [step for step in steps if step.tool in tools]


def done(transcript: Transcript) -> list[str]:
    """What was really done, one sentence a call; a call that failed or was refused is no deed."""
    deeds = {
        r"himalaya message reply (\S+)": "Replied to mail {}",
        r'"sendMessage", "to": "([^"]+)"': "Posted in {}",
        r"gcalcli delete (.+)": "Deleted {} from the calendar",
        r"-X PATCH \S+/pages/([^\s']+)": "Updated {} on the board",
    }
    working = [call.command for call in transcript.calls if not call.failed]
    return [
        deed.format(m.group(1))
        for line in working
        for mark, deed in deeds.items()
        if (m := re.search(mark, line))
    ]
