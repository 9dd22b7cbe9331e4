"""The decision queue: one line per mail, with its category and what is proposed for it."""

from __future__ import annotations

import re
from datetime import timedelta

from . import classify
from .classify import NOISE, category, confidential
from .extract import CLOSED, duplicate_of, free_slots
from .moments import clock, clocks, dates, day_name
from .observe import Item
from .picture import Picture, within
from .sections import answer_by, told
from .vocabulary import says
from .words import clipped, first_name, person, sentences

_LABELS = {classify.AUTOMATED: "notification", classify.PROMOTION: "junk"}


def label(p: Picture, mail: Item) -> str:
    """The category that a reader sorts a mail under; what the user's notes say about its sender goes first."""
    first = re.escape(first_name(mail.author))
    for rule in (s for note in p.kind("note") for s in sentences(note.text)):
        if (filed := says("filed", rule)) and len(first) > 2 and re.search(rf"\b{first}\b", rule):
            return filed[1].lower()
    kind = classify.PROMOTION if mail in p.impostors else category(mail)
    if kind not in (classify.REQUEST, classify.FYI):
        return _LABELS.get(kind, kind)
    return "urgent" if p.weight(mail) >= 3 else "internal" if mail.domain == p.domain else "client"


def queue(p: Picture) -> list[str]:
    """One numbered line per mail, urgent first: its number, who wrote, its category, and what is proposed."""
    lines = [f"{len(p.mails)} emails processed; approve or reject line by line"]
    for number, mail in enumerate(p.mails, 1):
        if not p.attention.slips(f"mail:{mail.title}"):
            title = "" if confidential(mail) and p.policy.discreet else f"{clipped(mail.title, 80)}: "
            head = f"{number}. {mail.id} | {person(mail.author)} | {label(p, mail)}"
            lines.append(f"{head} | {title}{_proposed(p, mail, number)}")
    return lines


def _proposed(p: Picture, mail: Item, number: int) -> str:
    kind = category(mail)
    if mail in p.impostors:
        return f"suspicious, not from the address of {person(mail.author)}: don't reply"
    if kind == classify.CONFIDENTIAL:
        return "open it yourself" + answer_by(p, mail)
    if kind in NOISE:
        return "no reply" if kind == classify.AUTOMATED else f"{kind}, low priority, archive"
    if kind == classify.SCHEDULING:
        return f"{_slot(p, mail)} (approve: schedule {number})"
    asks = [s for s in sentences(mail.text) if says("asks", s) or clocks(s) or dates(s, None)]
    asks = [s for s in asks if clocks(s) or dates(s, p.day)] or asks
    if not asks:
        return "for information"
    word = p.settled(mail)
    point = f"last word: {told(word)}" if word else f"wants: {clipped(asks[0], 160)}"
    if mail == p.case and p.call:
        point = f"call back, reachable until {clock(p.call[0])} ({p.call[1]})"
    name = first_name(mail.author)
    reply = f'draft reply "Hi {name}, I have your mail and will get back to you today." (approve: send {number})'
    if not says("delivers", mail.text):
        return f"{point}; {reply}"
    same = duplicate_of(mail, p.kind("task"))
    if same is not None and same.status not in CLOSED:
        return f"already on the board as {same.id}, duplicate; {reply}"
    return f"new task, none open on the board{answer_by(p, mail)} (approve: create {number}); {point}; {reply}"


def _slot(p: Picture, mail: Item) -> str:
    """What a scheduling request asks for, checked against the calendar: free, or what is in the way."""
    if p.day is None:
        return "no date is known, propose two times"
    day = next((day for day in reversed(dates(mail.everything, p.day)) if day >= p.day), p.day + timedelta(1))
    times, events = clocks(mail.text) or clocks(mail.title), [e for e in p.kind("event") if e.at and e.at.date() == day]
    free = ", ".join([clock(start) for start in free_slots(events, day)][:2]) or "none that day"
    if not times:
        return f"checked against the calendar of {day_name(day)}, propose {free}"
    end = times[1] if times[0] < (*times, 0)[1] <= times[0] + 180 else times[0] + 30
    busy = [e.title for e in within(events, times[0], end) if not says("free", e.title)]
    if busy:
        return f"{clock(times[0])} on {day_name(day)} is taken, conflict with {busy[0]}; alternatives: {free}"
    return f"{clock(times[0])} on {day_name(day)} is free in the calendar, no conflict"
