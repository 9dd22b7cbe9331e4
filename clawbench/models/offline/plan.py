"""Which calls come next: lists first, then the bodies and channels that matter, then what came back empty."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .classify import AUTOMATED, NOISE, category, pressure
from .lapse import Attention
from .observe import Item, items_of
from .policy import KINDS, Policy
from .request import Request, Situation
from .transcript import Transcript
from .vocabulary import says
from .words import overlap


@dataclass(frozen=True, slots=True)
class Step:
    """One call to make."""

    tool: str
    arguments: Mapping[str, object]

    @property
    def text(self) -> str:
        """The arguments as the JSON text that a model writes."""
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Desk:
    """What planning looks at: the conversation, what was read out of it, and the tools on offer."""

    transcript: Transcript
    policy: Policy
    request: Request
    situation: Situation
    attention: Attention
    tools: frozenset[str]

    def allowed(self, steps: Sequence[Step]) -> list[Step]:
        """The steps that are offered and were not made before, as many as the policy's budget allows."""
        made = {(call.tool, call.arguments) for call in self.transcript.calls}
        fresh = [step for step in steps if step.tool in self.tools and (step.tool, step.text) not in made]
        return fresh[: max(self.policy.budget - len(self.transcript.calls), 0)]


def shell(command: str) -> Step:
    """A command line for the exec tool."""
    return Step("exec", {"command": command})


def sources(desk: Desk) -> list[str]:
    """The sources to look at: what the request names, and for a thorough policy all that it names besides."""
    wants = desk.request.wants
    asked: list[str] = [name for name in ("mail", "calendar", "tasks", "slack") if name in wants]
    if "mail" not in asked and "team" not in wants:
        asked.insert(0, "mail")
    if desk.policy.careful or desk.policy.dump:
        named = {*(desk.policy.sources or KINDS), "memory", "profile"}
        every = ["mail", "calendar", "tasks", "slack", "memory", "profile", "pulls"]
        every = every[2:] if "team" in wants and not desk.policy.dump else every
        asked += [name for name in every if name in named and name not in asked]
    return [name for name in asked if name in (*wants, asked[0]) or not desk.attention.slips(f"source:{name}")]


def agenda(day: date | None, days: int) -> Step:
    """The calendar from a day on; everything ahead if the day is unknown."""
    return shell(f"gcalcli agenda {day} {day + timedelta(days)}" if day and day.year < 9999 else "gcalcli agenda")


def _opening(desk: Desk) -> list[Step]:
    ahead = 31 if desk.policy.dump else 8 if "queue" in desk.request.wants else 4
    about = " ".join(desk.request.names[:3]) or " ".join(sorted(desk.request.terms)[:4])
    steps = {
        "mail": shell("himalaya envelope list"),
        "calendar": agenda(desk.situation.day, ahead),
        "tasks": shell("curl -s -X POST https://api.notion.com/v1/databases/tasks/query"),
        "slack": Step("slack", {"action": "listChannels"}),
        "memory": Step("memory_search", {"query": f"{about} goal preference rule priority sprint client"}),
        "profile": Step("" if desk.situation.profile else "read", {"path": "USER.md"}),
        "pulls": shell("gh pr list"),
    }
    return [steps[name] for name in sources(desk)]


def channels(desk: Desk, items: Sequence[Item]) -> list[str]:
    """Names of the channels to read, the ones about the request first; social ones only to dump them."""
    policy, ranked = desk.policy, list[tuple[int, int, str]]()
    for item in items:
        name = item.title.lstrip("#").lower()
        social = says("social", re.sub(r"[-_]", " ", item.everything)) and name not in policy.channels
        if item.kind == "channel" and name not in policy.skipped and (policy.dump or not social):
            about = 2 * min(overlap(item.everything, desk.request.text), 2) + bool(says("work", item.everything))
            ranked.append((-3 * (name in policy.channels) - about, len(ranked), item.title))
    return [title for _, _, title in sorted(ranked)[: 20 if policy.dump else 5 if policy.careful else 2]]


def letters(desk: Desk, items: Sequence[Item]) -> list[str]:
    """Ids of the mails to read, the most pressing first, noise apart; a careless reader opens the first few."""
    noise = frozenset() if desk.policy.dump else NOISE - {AUTOMATED} if "queue" in desk.request.wants else NOISE
    mails = [
        i for i in items if i.kind == "mail" and re.fullmatch(r"[\w.@+-]{1,64}", i.id) and category(i) not in noise
    ]
    profile, text = desk.situation.profile, desk.request.text
    mails.sort(key=lambda m: (-pressure(m, profile) - 2 * overlap(text, m.title), m.stamp, m.id))
    return [mail.id for mail in mails[: desk.policy.bodies if desk.policy.careful or desk.policy.dump else 4]]


def _reading(desk: Desk) -> list[Step]:
    transcript, items = desk.transcript, desk.transcript.items
    tried = {word for call in transcript.made("exec", "message read") for word in call.command.split()}
    unread = [name for name in letters(desk, items) if name not in tried]
    found = [shell("himalaya message read " + " ".join(unread))] if unread else []
    rooms = [name for name in channels(desk, items) if not desk.attention.slips(f"channel:{name}")]
    found += [Step("slack", {"action": "readMessages", "channelId": name, "limit": 50}) for name in rooms]
    if desk.policy.careful:
        notes = {i.id for call in transcript.made("memory_search") for i in items_of(call.result) if i.kind == "note"}
        found += [Step("memory_get", {"path": path}) for path in sorted(notes)[:2]]
    if transcript.made("exec", "gcalcli agenda") and not any(item.kind == "event" for item in items):
        days = sorted(item.at.date() for item in items if item.at and item.kind in ("mail", "slack"))
        found.append(agenda(days[-1] if days else None, 4))
    return found


def next_steps(desk: Desk) -> list[Step]:
    """The calls of this turn, none once everything wanted was read or the budget is used up."""
    return desk.allowed(_reading(desk) if desk.transcript.calls else _opening(desk))
