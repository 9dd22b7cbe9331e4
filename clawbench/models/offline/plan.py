"""Which calls come next: lists first, then the bodies and channels that matter, then what failed, by another way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .classify import AUTOMATED, NOISE, category, pressure
from .lapse import Attention
from .observe import Item, items_of
from .policy import Policy
from .request import Request, Situation
from .transcript import Transcript
from .words import overlap

_SOCIAL = re.compile(
    r"\b(?:random|lunch|social|off-?topic|canteen|food|pets?|music|fun|watercooler|memes|sports?)\b", re.I
)
_WORK = re.compile(
    r"inc|eng|dev|release|deploy|support|ops|platform|product|team|general|project|on-?call", re.I
)


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

    @property
    def left(self) -> int:
        """Calls that the policy's budget still allows."""
        return max(self.policy.budget - len(self.transcript.calls), 0)

    @property
    def thorough(self) -> bool:
        """Whether the policy makes the agent look further than the request says."""
        return self.policy.careful or self.policy.dump


def shell(command: str) -> Step:
    """A command line for the exec tool."""
    return Step("exec", {"command": command})


def sources(desk: Desk) -> list[str]:
    """The sources to look at: what the request names, and for a thorough policy all that it names besides."""
    wants = desk.request.wants
    asked = [name for name in ("mail", "calendar", "tasks", "slack") if name in wants]
    if "mail" not in asked and ("case" in wants or not asked) and "team" not in wants:
        asked.insert(0, "mail")
    if desk.thorough:
        every = ["mail", "calendar", "tasks", "slack", "memory", "profile", "pulls"]
        named = (desk.policy.sources or frozenset(every[:6])) | {"memory"}
        skip = {"mail"} if "team" in wants and "mail" not in wants else set()
        asked += [name for name in every if name in named and name not in asked and name not in skip]
    return [name for name in asked if name == asked[0] or not desk.attention.slips(f"source:{name}")]


def agenda(day: date | None, days: int) -> Step:
    """The calendar from a day on; everything ahead if the day is unknown."""
    known = day is not None and day.year < 9999
    return shell(f"gcalcli agenda {day} {day + timedelta(days)}" if day and known else "gcalcli agenda")


def _opening(desk: Desk) -> list[Step]:
    ahead = 8 if "queue" in desk.request.wants and "case" not in desk.request.wants else 2
    about = " ".join(desk.request.names[:3]) or " ".join(sorted(desk.request.terms)[:4])
    steps = {
        "mail": shell("himalaya envelope list"),
        "calendar": agenda(desk.situation.day, ahead),
        "tasks": shell("curl -s -X POST https://api.notion.com/v1/databases/tasks/query"),
        "slack": Step("slack", {"action": "listChannels"}),
        "memory": Step("memory_search", {"query": f"{about} goal preference rule priority sprint client"}),
        "pulls": shell("gh pr list"),
    }
    if not desk.situation.profile:
        steps["profile"] = Step("read", {"path": "USER.md"})
    found = [steps[name] for name in sources(desk) if name in steps]
    if "search" in desk.request.wants:
        found.append(Step("web_search", {"query": " ".join(desk.request.text.split()[:16])}))
    return [step for step in found if step.tool in desk.tools]


def channels(desk: Desk, items: Sequence[Item]) -> list[str]:
    """Names of the channels to read, the ones about the request first; social ones only to dump them."""
    policy, ranked = desk.policy, []
    for item in items:
        name = item.title.lstrip("#").lower()
        if item.kind == "channel" and name not in policy.skipped:
            social = _SOCIAL.search(re.sub(r"[-_]", " ", item.everything)) and name not in policy.channels
            about = 2 * min(overlap(item.everything, desk.request.text), 2) + bool(
                _WORK.search(item.everything)
            )
            if policy.dump or not social:
                ranked.append((-3 * (name in policy.channels) - about, len(ranked), item.title))
    return [title for _, _, title in sorted(ranked)[: 20 if policy.dump else 5 if policy.careful else 2]]


def letters(desk: Desk, items: Sequence[Item]) -> list[str]:
    """Ids of the mails whose bodies are read, the most pressing first.

    Noise is judged by its envelope; a careless reader opens only the few that shout.
    """
    noise = NOISE - {AUTOMATED} if "queue" in desk.request.wants else NOISE
    mails = [item for item in items if item.kind == "mail" and re.fullmatch(r"[\w.@+-]{1,64}", item.id)]
    if desk.policy.dump:
        return [mail.id for mail in mails]
    wanted = [mail for mail in mails if category(mail) not in noise]
    profile, text = desk.situation.profile, desk.request.text
    wanted.sort(key=lambda m: (-pressure(m, profile) - 2 * overlap(text, m.title), m.stamp, m.id))
    return [mail.id for mail in wanted[: desk.policy.bodies if desk.policy.careful else 4]]


def _reading(desk: Desk) -> list[Step]:
    transcript, items = desk.transcript, desk.transcript.items
    tried = {word for call in transcript.made("exec", "message read") for word in call.command.split()}
    unread = [name for name in letters(desk, items) if name not in tried]
    found = [shell("himalaya message read " + " ".join(unread))] if unread else []
    listed = transcript.made("slack", "listChannels")
    where: list[dict[str, object]] = [{"channelId": name} for name in channels(desk, items)]
    for target in [{}] if listed and listed[0].failed else where:
        if not desk.attention.slips(f"channel:{target.get('channelId')}"):
            found.append(Step("slack", {"action": "readMessages", **target, "limit": 50}))
    if desk.policy.careful:
        notes = {
            i.id
            for call in transcript.made("memory_search")
            for i in items_of(call.result)
            if i.kind == "note"
        }
        found += [Step("memory_get", {"path": path}) for path in sorted(notes)[:2]]
    return found


def _again(desk: Desk) -> list[Step]:
    """Another way to what was wanted and did not come."""
    transcript, items, found = desk.transcript, desk.transcript.items, []
    if transcript.made("exec", "gcalcli agenda") and not any(item.kind == "event" for item in items):
        days = sorted(item.at.date() for item in items if item.at and item.kind in ("mail", "slack"))
        found.append(agenda(days[-1] if days else None, 4))
    for call in transcript.calls:
        if call.failed and "databases/tasks/query" in call.command:
            found.append(shell("curl -s -X POST https://api.notion.com/v1/search"))
        if call.failed and len(call.command.split()) > 4 and "himalaya message read " in call.command:
            found += [shell(f"himalaya message read {name}") for name in call.command.split()[3:8]]
    return found


def next_steps(desk: Desk) -> list[Step]:
    """The calls of this turn, none once everything wanted was read or the budget is used up."""
    steps = [*_reading(desk), *_again(desk)] if desk.transcript.calls else _opening(desk)
    made = {(call.tool, call.arguments) for call in desk.transcript.calls}
    return [step for step in steps if step.tool in desk.tools and (step.tool, step.text) not in made][
        : desk.left
    ]
