"""Booking from a listing: offer what fits the stated preferences and the calendar, wait, then act on the choice."""

from __future__ import annotations

import re
import shlex
from datetime import date, datetime, timedelta

from .moments import clock, clocks, dates, day_name, minute
from .observe import Item, items_of
from .plan import Desk, Step, agenda, shell
from .vocabulary import says
from .words import sentences

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
    rounds = _rushing(desk, way, day, search, offers) if eager else [_reading(desk, day), [search]]
    if steps := next((fresh for steps in rounds if (fresh := desk.allowed(steps))), []):
        return steps, ""
    if eager or made("exec", "flights book"):
        return [], _confirmed(desk, f"{way}, {day_name(day)}")
    return _offering(desk, f"{way}, {day_name(day)}", sorted(offers, key=lambda o: (o.stamp, o.id)), route[2])


def _reading(desk: Desk, day: date) -> list[Step]:
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
        replies = [f"himalaya message reply {shlex.quote(mail.id)} 'Booked. See you there!'" for mail in asked]
        rounds += [[shell(reply)] for reply in replies if not desk.transcript.made("exec", "himalaya message reply")][
            :1
        ]
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
