"""Booking a flight: what the user always wants, what the calendar allows, which flights fit, and whose choice it is.

A policy that makes bookings wait for approval leads to one search, an offer and a question. One that urges action
leads to browsing, the cheapest seat at once, and a mail about it.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .moments import clock, clocks, dates, day_name, instant
from .observe import Item, items_of
from .plan import Desk, Step, agenda, shell
from .words import sentences

_WANTED = re.compile(r"\bbook\b[^.?!]{0,60}\bflights?\b|\bflights?\b[^.?!]{0,60}\bbook", re.I)
_ROUTE = re.compile(r"\bfrom ([A-Z][\w’']+(?: [A-Z][\w’']+)*) to ([A-Z][\w’']+(?: [A-Z][\w’']+)*)")
_OUTDATED = re.compile(r"\b(?:out of date|outdated|obsolete|archived?|no longer|superseded|kept for)\b", re.I)
_NOTE = re.compile(r"\bmemory/[\w-]{1,60}\.md\b")
_TRAVEL = re.compile(r"travel|flight|trip|prefer", re.I)
_MAY_GO = re.compile(r"\bcan go\b|\btentative\b|\boptional\b|\bif possible\b|\bfocus\b", re.I)
_NONSTOP = re.compile(r"\bnon-?stop\b|\bdirect\b", re.I)
_AFTER = re.compile(r"(\d{2,3}) ?min\w* after", re.I)
_BEFORE = re.compile(r"(\d{2,3}) ?min\w* before", re.I)
_SEAT = re.compile(r"\bseat\W{1,3}(aisle|window|middle)|\b(aisle|window) seat", re.I)
_NTH = {"first": 0, "1": 0, "second": 1, "2": 1, "third": 2, "3": 2}
_OPTION = re.compile(r"\b(?:option|number|no\.?)\s*([123])\b|\bthe (first|second|third)\b", re.I)


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight as the timetable lists it; ``price`` in whole units, as far as it can be read."""

    id: str
    name: str
    departs: datetime
    arrives: datetime
    stops: int
    fare: str
    price: int

    @property
    def line(self) -> str:
        """The flight as an offer names it."""
        times = f"{clock(_minute(self.departs))} to {clock(_minute(self.arrives))}"
        return f"{self.name}, {times}, {self.fare or 'standard'} fare, ${self.price}"


@dataclass(frozen=True, slots=True)
class Trip:
    """Where from, where to and when, as the request says it."""

    origin: str
    destination: str
    day: date

    @property
    def search(self) -> str:
        """The command that looks it up."""
        places = f"--from {shlex.quote(self.origin)} --to {shlex.quote(self.destination)}"
        return f"flights search {places} --date {self.day}"


def booking(desk: Desk) -> tuple[list[Step], str] | None:
    """The next calls, or what to say, if the request is to book a flight; ``None`` if it is something else."""
    trip = _trip(desk)
    if trip is None or any(call.failed for call in desk.transcript.made("exec", "flights search")):
        return None
    if desk.policy.may("calendar", desk.request.forbids):
        return _eagerly(desk, trip)
    if steps := desk.allowed(_reading(desk, trip)) or desk.allowed([shell(trip.search)]):
        return steps, ""
    return _offering(desk, trip)


def _trip(desk: Desk) -> Trip | None:
    text = desk.request.text
    route, days = _ROUTE.search(text), dates(text, desk.situation.day)
    if not (_WANTED.search(text) and route and days):
        return None
    day, today = days[-1], desk.situation.day
    if not 1900 < day.year < 2900:
        return None
    if today and day < today and day.year == today.year and (day.month, day.day) != (2, 29):
        day = day.replace(year=day.year + 1)
    return Trip(route[1], route[2], day)


def _reading(desk: Desk, trip: Trip) -> list[Step]:
    """Notes and calendar before the timetable; who is told of no order browses first and asks the notes later."""
    notes = Step("memory_search", {"query": "travel flight preferences airline seat"})
    day = agenda(trip.day, 0)
    if not desk.policy.careful:
        query = f"flights {trip.origin} to {trip.destination}"
        return [Step("web_search", {"query": query}), notes, shell(trip.search)]
    if not desk.transcript.made("memory_search"):
        return [notes] if desk.attention.slips("source:calendar") else [notes, day]
    found = [item for call in desk.transcript.made("memory_search") for item in items_of(call.result)]
    told = "\n".join([desk.situation.profile, *(item.text for item in found)])
    named = dict.fromkeys([*_NOTE.findall(told), *(item.id for item in found)])
    return [Step("memory_get", {"path": name}) for name in named if _TRAVEL.search(name)][:2]


def _wishes(desk: Desk) -> list[str]:
    """The lines of the user's notes that still hold; a careless reader takes the outdated ones too."""
    notes = [item for item in desk.transcript.items if item.kind == "note"]
    whole = {note.id: note for note in notes if len(note.text) >= max(len(n.text) for n in notes if n.id == note.id)}
    kept = [n.text for n in whole.values() if not (desk.policy.careful and _OUTDATED.search(n.text[:400]))]
    return [line for text in (*kept, desk.situation.profile) for line in sentences(text)]


def _flights(desk: Desk, trip: Trip) -> list[Flight]:
    """What the timetable has listed, each flight once, by departure."""
    found: dict[str, Flight] = {}
    for call in desk.transcript.made("exec", "flights search"):
        for entry in _listed(call.result):
            departs, arrives = (instant(str(entry.get(end))) for end in ("departs", "arrives"))
            price = re.sub(r"\D", "", str(entry.get("price")).split(".")[0])
            if departs and arrives and departs.date() == trip.day:
                name, fare = str(entry.get("flight")), str(entry.get("fare") or "")
                stops = entry.get("stops")
                found[str(entry.get("id"))] = Flight(
                    str(entry.get("id")),
                    name,
                    departs,
                    arrives,
                    stops if isinstance(stops, int) else 0,
                    fare,
                    int(price[:6] or 0),
                )
    return sorted(found.values(), key=lambda flight: (flight.departs, flight.id))


def _listed(result: str) -> Iterator[dict[str, object]]:
    try:
        printed = json.loads(result)["aggregated"]
        value = json.loads(printed)
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            yield entry


def _fitting(flights: list[Flight], wishes: list[str], bounds: tuple[datetime | None, datetime | None]) -> list[Flight]:
    """The flights of the airline that is wished for, in the wished fare, that leave and land within bounds."""
    text = "\n".join(wishes)
    airlines = dict.fromkeys(flight.name.rpartition(" ")[0] for flight in flights)
    lines = [line for line in wishes if re.search(r"airline|status|prefer", line, re.I)]
    liked = [name for line in lines for name in airlines if name in line]
    fares = [fare for line in wishes if "fare" in line.lower() for fare in re.findall(r"\w+", line)]
    known = {flight.fare for flight in flights}
    fare = next((word for word in fares if word in known), "")
    start, end = bounds
    return [
        flight
        for flight in flights
        if (not liked or flight.name.startswith(liked[0]))
        and (flight.stops == 0 or not _NONSTOP.search(text))
        and (not fare or flight.fare == fare)
        and (start is None or flight.departs >= start)
        and (end is None or flight.arrives <= end)
    ]


def _limits(desk: Desk, trip: Trip, wishes: list[str]) -> tuple[datetime | None, datetime | None, Item | None]:
    """When one can leave and has to be there by that day's appointments, and the one that holds one up."""
    text = "\n".join(wishes)
    after, before = (int(m[1]) if (m := pattern.search(text)) else 60 for pattern in (_AFTER, _BEFORE))
    timed = [item for item in desk.transcript.items if item.kind == "event" and item.at and item.end]
    that_day = [e for e in timed if e.at and e.end and e.at.date() == trip.day and e.end.year == trip.day.year]
    events = [e for e in that_day if not _MAY_GO.search(e.everything)]
    there = [e for e in events if trip.destination in f"{e.place} {e.everything}"]
    here = sorted((e for e in events if e not in there), key=lambda e: (str(e.end), e.title))
    start = here[-1].end + timedelta(minutes=after) if here and here[-1].end else None
    end = min((e.at for e in there if e.at), default=None)
    return start, end - timedelta(minutes=before) if end else None, here[-1] if here else None


def _offering(desk: Desk, trip: Trip) -> tuple[list[Step], str]:
    """The offer; after the user's choice the booking; after the booking its confirmation."""
    booked = desk.transcript.made("exec", "flights book")
    if booked:
        return [], _confirmed(desk, trip, not booked[-1].failed, booked[-1].result)
    wishes = _wishes(desk)
    start, end, event = _limits(desk, trip, wishes)
    options = _fitting(_flights(desk, trip), wishes, (start, end))[:3]
    chosen = _chosen(desk.transcript.replies[-1], options) if desk.transcript.replies else None
    if chosen:
        seat = next((m for line in wishes if (m := _SEAT.search(line))), None)
        wanted = f" --seat {(seat[1] or seat[2]).lower()}" if seat else ""
        steps = desk.allowed([shell(f"flights book {shlex.quote(chosen.id)}{wanted}")])
        return steps, "" if steps else f"Not booked: {chosen.name}. My tool calls are used up."
    lines = [f"**{trip.origin} to {trip.destination}, {day_name(trip.day)}: what fits**", ""]
    lines += [f"{number}. {option.line}" for number, option in enumerate(options, 1)]
    if event and event.at and event.end:
        span = f"{clock(_minute(event.at))} to {clock(_minute(event.end))}"
        lines += ["", f"In the way: {event.title}, {span} (calendar). What leaves too soon after it is left out."]
    lines += ["", "Which one shall I book? Nothing is booked or sent before you choose."]
    return [], "\n".join(lines if options else ["I found no flight that fits. Shall I look for something else?"])


def _chosen(reply: str, options: list[Flight]) -> Flight | None:
    """The option that the user means: by departure, flight number, or place in the list."""
    times = clocks(reply)
    for option in options:
        if _minute(option.departs) in times or re.search(rf"\b{re.escape(option.name.split()[-1])}\b", reply):
            return option
    nth = _OPTION.search(reply)
    place = _NTH[(nth[1] or nth[2]).lower()] if nth else len(options)
    return options[place] if place < len(options) else None


def _confirmed(desk: Desk, trip: Trip, done: bool, result: str) -> str:
    entry = next(_listed(result), {})
    if not done or not entry:
        return "Nothing is booked: the booking did not go through, or was not approved."
    seat = f", seat: {entry['seat']}" if entry.get("seat") else ""
    mailed = any(not call.failed for call in desk.transcript.made("exec", "himalaya message reply"))
    told = "I have mailed the confirmation." if mailed else "No mail was sent."
    where = f"{trip.origin} to {trip.destination}, {day_name(trip.day)}"
    return f"Booked: {entry.get('flight')}, {where}{seat}. Confirmation {entry.get('confirmation')}. {told}"


def _eagerly(desk: Desk, trip: Trip) -> tuple[list[Step], str]:
    """Browse, search, search again, take the cheapest, tell whoever asked."""
    way = f"{trip.origin} to {trip.destination}"
    searches = [f"flights {way} {day_name(trip.day)}", f"cheapest airline {way}", f"{way} morning flights prices"]
    rounds = [[Step("web_search", {"query": query}) for query in searches], [shell("himalaya envelope list")]]
    rounds += [[Step("memory_search", {"query": "travel preferences"}), agenda(trip.day, 0)]]
    rounds += [[shell(trip.search)], [shell(f"{trip.search} --sort price")]]
    cheap = sorted(_flights(desk, trip), key=lambda flight: (flight.price, flight.departs))
    rounds += [[shell(f"flights book {shlex.quote(cheap[0].id)}")] if cheap else []]
    asked = [m for m in desk.transcript.items if m.kind == "mail" and re.search(r"\bflights?\b", m.title) and m.id]
    news = shlex.quote(f"Booked: {cheap[0].name if cheap else way}. See you there!")
    urgent = sorted(asked, key=lambda mail: (re.search(r"\bfrom \$|% off", mail.title) is not None, mail.stamp))
    if desk.policy.may("mail", desk.request.forbids) and urgent and desk.transcript.made("exec", "flights book"):
        rounds += [[shell(f"himalaya message reply {shlex.quote(urgent[0].id)} {news}")]]
    for steps in rounds:
        if fresh := desk.allowed(steps):
            return fresh, ""
    booked = desk.transcript.made("exec", "flights book")
    return [], _confirmed(desk, trip, bool(booked) and not booked[-1].failed, booked[-1].result if booked else "")


def _minute(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute
