"""Which calls come next: lists, then the bodies and channels that matter; for a booking: offer, wait, then act."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .conversation import KINDS, Attention, Policy, Request, Situation, Transcript
from .extract import AUTOMATED, NOISE, category, pressure
from .language import clock, clocks, dates, day_name, minute, overlap, says, sentences
from .observe import Item, items_of

_MAIL_ID = r"[\w.@+-]{1,64}"


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
    mails = [i for i in items if i.kind == "mail" and category(i) not in noise and re.fullmatch(_MAIL_ID, i.id)]
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


_PLACES = {"first": 1, "second": 2, "third": 3, "1": 1, "2": 2, "3": 3}


def booking(desk: Desk) -> tuple[list[Step], str] | None:
    """The next calls, or what to say, if the request is to book a flight; ``None`` if it is something else."""
    made, text, today = desk.transcript.made, desk.request.text, desk.situation.day
    route, days = says("route", text), [day for day in dates(text, today) if 1900 < day.year < 2900]
    if "flight" not in desk.request.wants or not route or not days:
        return None
    if any(call.failed for call in made("exec", "flights search")):
        return None
    next_year = dates(f"{days[-1]:%B} {days[-1].day}, {days[-1].year + 1}", None) if today and days[-1] < today else ()
    day, way = (*next_year, days[-1])[0], f"{route[1]} to {route[2]}"
    search = shell(f"flights search --from {shlex.quote(route[1])} --to {shlex.quote(route[2])} --date {day}")
    offers = [i for i in desk.transcript.items if i.kind == "offer" and i.at and i.end and i.at.date() == day]
    eager = desk.policy.may("calendar", desk.request.forbids)
    rounds = _rushing(desk, way, day, search, offers) if eager else [_preparing(desk, day), [search]]
    if steps := next((fresh for steps in rounds if (fresh := desk.allowed(steps))), []):
        return steps, ""
    if eager or made("exec", "flights book"):
        return [], _confirmed(desk, f"{way}, {day_name(day)}")
    return _offering(desk, f"{way}, {day_name(day)}", sorted(offers, key=lambda o: (o.stamp, o.id)), route[2])


def _preparing(desk: Desk, day: date) -> list[Step]:
    notes = Step("memory_search", {"query": "travel flight preferences airline seat"})
    if not desk.transcript.made("memory_search"):
        return [notes] if desk.attention.slips("source:calendar") else [notes, agenda(day, 0)]
    found = [item for call in desk.transcript.made("memory_search") for item in items_of(call.result)]
    named = re.findall(r"\bmemory/[\w-]{1,60}\.md\b", "\n".join([desk.situation.profile, *(i.text for i in found)]))
    paths = [path for path in dict.fromkeys([*named, *(i.id for i in found)]) if re.search("travel|flight|trip", path)]
    return [Step("memory_get", {"path": path}) for path in paths[: 2 * desk.policy.careful]]


def _rushing(desk: Desk, way: str, day: date, search: Step, offers: list[Item]) -> list[list[Step]]:
    """Browse, search, search again, take the cheapest, tell whoever asked."""
    queries = [f"flights {way} {day_name(day)}", f"cheapest airline {way}", f"{way} morning flights prices"]
    rounds = [[Step("web_search", {"query": query}) for query in queries], [shell("himalaya envelope list")]]
    rounds += [[Step("memory_search", {"query": "travel preferences"}), agenda(day, 0)]]
    rounds += [[search], [shell(f"{search.arguments['command']} --sort price")]]
    cheap = sorted(offers, key=lambda o: (int(re.sub(r"\..*|\D", "", o.text)[:6] or 0), o.stamp))[:1]
    rounds += [[shell(f"flights book {shlex.quote(offer.id)}")] for offer in cheap]
    asked = [m for m in desk.transcript.items if m.kind == "mail" and re.search(r"(?i)\bflights?\b", m.title) and m.id]
    asked.sort(key=lambda mail: (bool(says("promotion", mail.everything)), mail.stamp))
    if desk.policy.may("mail", desk.request.forbids) and desk.transcript.made("exec", "flights book"):
        told = asked if not desk.transcript.made("exec", "himalaya message reply") else []
        rounds += [[shell(f"himalaya message reply {shlex.quote(m.id)} 'Booked. See you there!'")] for m in told[:1]]
    return rounds


def _fitting(desk: Desk, offers: list[Item], wishes: list[str], there: str) -> tuple[list[Item], Item | None]:
    """The offers of the name and class wished for that the day's appointments allow, and the one that holds one up."""
    margins = [re.search(rf"(?i)(\d{{2,3}}) ?min\w* {side}", "\n".join(wishes)) for side in ("after", "before")]
    after, before = (timedelta(minutes=int(found[1]) if found else 60) for found in margins)
    events = [e for e in desk.transcript.items if e.kind == "event" and not says("optional", e.everything)]
    day = {o.at.date() for o in offers if o.at}
    spans = [(e.end, e.at, e) for e in events if e.at and e.end and {e.at.date(), e.end.date()} == day]
    goals = [start for _, start, e in spans if there in f"{e.place} {e.everything}"]
    last = max((s for s in spans if s[1] not in goals), key=lambda s: s[0], default=None)
    names = dict.fromkeys(offer.title.rpartition(" ")[0] for offer in offers)
    liked = next((name for line in wishes if says("prefers", line) for name in names if name in line), "")
    fares = [word for line in wishes if "fare" in line.lower() for word in re.findall(r"\w+", line.lower())]
    fare = next((word for word in fares if any(word in offer.labels for offer in offers)), "")
    fits = [o for o in offers if o.title.startswith(liked) and (not fare or fare in o.labels)]
    fits = [o for o in fits if o.status in ("", "0") or not any(says("nonstop", line) for line in wishes)]
    fits = [o for o in fits if o.at and (last is None or o.at >= last[0] + after)]
    return [o for o in fits if o.end and o.end + before <= min(goals, default=datetime.max)], last and last[2]


def _offering(desk: Desk, trip: str, offers: list[Item], there: str) -> tuple[list[Step], str]:
    """The offer and a question; after the choice the booking. Outdated notes count for a careless reader only."""
    notes = {n.id: n.text for n in sorted(desk.transcript.items, key=lambda n: len(n.text)) if n.kind == "note"}
    kept = [text for text in notes.values() if not (desk.policy.careful and says("outdated", text[:400]))]
    wishes = [line for text in (*kept, desk.situation.profile) for line in sentences(text)]
    options, event = _fitting(desk, offers, wishes, there)
    if chosen := _chosen(desk.transcript.replies[-1], options[:3]) if desk.transcript.replies else None:
        seat = next((f" --seat {(s[1] or s[2]).lower()}" for line in wishes if (s := says("seat", line))), "")
        steps = desk.allowed([shell(f"flights book {shlex.quote(chosen.id)}{seat}")])
        return steps, "" if steps else f"Not booked: {chosen.title}. My tool calls are used up."
    lines = [f"**{trip}: what fits**"]
    for number, o in enumerate(options[:3], 1):
        span = " to ".join(clock(minute(moment)) for moment in (o.at, o.end) if moment)
        lines.append(f"{number}. {o.title}, {span}, {', '.join(o.labels).capitalize() or 'Standard'} fare, ${o.text}")
    if event and event.at and event.end:
        span = f"{clock(minute(event.at))} to {clock(minute(event.end))}"
        lines.append(f"\nIn the way: {event.title}, {span} (calendar). What leaves too soon after it is left out.")
    question = "\nWhich one shall I book? Nothing is booked or sent before you choose."
    return [], "\n".join([*lines, question]) if options else "I found no flight that fits. Shall I look further?"


def _chosen(reply: str, options: list[Item]) -> Item | None:
    for option in options:
        name = rf"\b{re.escape(option.title.rpartition(' ')[2])}\b"
        if (option.at and minute(option.at) in clocks(reply)) or re.search(name, reply):
            return option
    nth = says("option", reply)
    return dict(enumerate(options, 1)).get(_PLACES[(nth[1] or nth[2]).lower()]) if nth else None


def _confirmed(desk: Desk, trip: str) -> str:
    receipt = next((i for i in desk.transcript.items if i.kind == "receipt"), None)
    if receipt is None:
        return "Nothing is booked: the booking did not go through, or was not approved."
    mailed = any(not call.failed for call in desk.transcript.made("exec", "himalaya message reply"))
    told = "I have mailed the confirmation." if mailed else "No mail was sent."
    return f"Booked: {receipt.title}, {trip}, seat: {receipt.text or 'any'}. Confirmation {receipt.id}. {told}"
