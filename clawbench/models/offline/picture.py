"""What the agent makes of all it has read: the case, what is known about it, the call, clashes, late work."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from . import extract
from .conversation import Attention, Policy, Request, Situation
from .extract import CLOSED, NOISE, Finding, Mismatch, category, confidential, pressure, pulls_in
from .language import clocks, dates, first_name, minute, overlap, person, says, sentences, stems
from .observe import Item

_PROPER = re.compile(r"\b[A-Z][\w&’']+(?:[ -][A-Z][\w&’']+)*")


@dataclass(frozen=True, eq=False)
class Picture:
    """All that an answer is written from; ``relevance`` counts terms that a record shares with the case."""

    policy: Policy
    request: Request
    situation: Situation
    attention: Attention
    items: tuple[Item, ...]
    day: date | None
    case: Item | None
    relevance: dict[Item, int]

    def kind(self, *kinds: str) -> list[Item]:
        """The records of these kinds, in the order they were seen."""
        return [item for item in self.items if item.kind in kinds]

    def told(self, *kinds: str) -> list[Finding]:
        """Every sentence of these kinds of records that are not confidential, and whether it names a time."""
        spoken = [(s, item) for item in self.kind(*kinds) if not confidential(item) for s in sentences(item.text)]
        return [Finding(s, item, 8, bool(clocks(s))) for s, item in spoken]

    @cached_property
    def mails(self) -> list[Item]:
        """Mail to the user, the most pressing first, the newest among equals; the user's own is left out."""
        received = [m for m in self.kind("mail") if "sent" not in m.labels and person(m.author) != self.situation.user]
        return sorted(received, key=lambda m: (self.weight(m), m.stamp, m.id), reverse=True)

    @cached_property
    def readable(self) -> list[Item]:
        """Open mail: neither noise nor confidential."""
        return [m for m in self.mails if category(m) not in NOISE and not confidential(m)]

    def weight(self, mail: Item) -> int:
        """How pressing a mail is: the user's present manager counts most, an impostor nothing."""
        texts = [self.situation.profile, *(note.text for note in self.kind("note"))] if self.policy.careful else []
        rules = [s for text in texts for s in sentences(text) if says("manager", s) and not says("former", s)]
        boss = 9 * any(person(mail.author) in rule for rule in rules)
        return 0 if mail in self.impostors else pressure(mail, self.situation.profile) + boss

    @cached_property
    def domain(self) -> str:
        """The mail domain of the user's own company: of their address, else the one most mail comes from."""
        own = re.search(r"[\w.+-]+@([\w.-]+\w)", self.situation.profile)
        senders = sorted(m.domain for m in self.kind("mail"))
        return own[1] if own else max(senders, key=senders.count, default="")

    @cached_property
    def impostors(self) -> list[Item]:
        """Mails in a colleague's name from another address than the company's; a careless reader sees none."""
        mails = self.kind("mail") if self.policy.careful else []
        inside = {person(m.author) for m in mails if m.domain == self.domain}
        return [m for m in mails if person(m.author) in inside and m.domain != self.domain]

    @cached_property
    def open_tasks(self) -> list[Item]:
        """Tasks that are not closed."""
        return [t for t in self.kind("task") if t.status not in CLOSED]

    @cached_property
    def stuck(self) -> list[Item]:
        """Tasks that the board calls blocked."""
        return [t for t in self.open_tasks if t.status == "blocked"]

    @cached_property
    def late(self) -> list[Item]:
        """Open tasks past their date, the oldest first."""
        late = [t for t in self.open_tasks if t.due and self.day and t.due.date() < self.day]
        return sorted((t for t in late if not self.attention.slips(f"finding:late:{t.id}")), key=lambda t: str(t.due))

    @cached_property
    def mismatches(self) -> list[Mismatch]:
        """Board entries that the newest first-hand message contradicts; a careless reader doesn't look."""
        spoken = [item for item in self.kind("slack", "mail") if not confidential(item)]
        found = extract.mismatches(self.kind("task"), spoken) if self.policy.careful else []
        return [m for m in found if not self.attention.slips(f"finding:mismatch:{m.task.id}")]

    @cached_property
    def today(self) -> list[Item]:
        """The day's events in order of time."""
        events = [e for e in self.kind("event") if e.at and e.at.date() == self.day]
        return sorted(events, key=lambda e: (e.stamp, e.title))

    def found(self, topic: str, label: str = "", least: int = 1) -> list[Finding]:
        """Findings on a topic, whose word counts most first; an inattentive run may miss the topic altogether."""
        if self.attention.slips(f"finding:{label or topic}"):
            return []
        usable = {item: shared for item, shared in self.relevance.items() if not confidential(item)}
        every = extract.findings(topic, usable, least)
        if self.policy.careful:
            return extract.newest(every)
        return sorted(every, key=lambda f: ("task mail slack".find(f.item.kind), f.item.stamp or "~"))

    def about(self, task: Item) -> list[Finding]:
        """What mails and appointments say of a task, by two words of its title: the timed first, then the newest."""
        told = [f for f in self.told("mail", "event") if overlap(task.title, f.text) >= 2]
        kept = [f for f in told if not says("unneeded", f.text) and category(f.item) not in NOISE]
        return sorted(kept, key=lambda f: (f.exact, f.item.stamp), reverse=True)

    def settled(self, mail: Item) -> Finding | None:
        """What later messages say of a mail's matter with a figure: its author's correction, or somebody's answer."""
        found = []
        for said in self.told("mail", "slack") if self.policy.careful else ():
            named = person(said.item.author) == person(mail.author) or first_name(mail.author) in said.item.text
            corrects = named and said.item.stamp > mail.stamp and says("moved", said.item.text)
            if said.item != mail and re.search(r"\d", said.text) and (corrects or overlap(mail.title, said.text) >= 3):
                found.append(said)
        return max(found, key=lambda f: f.item.stamp, default=None)

    @cached_property
    def story(self) -> dict[str, Finding]:
        """What broke, the fix (as named where the cause was found), its test, when it goes live: as far as said."""
        cause, fixes, etas = self.found("cause"), self.found("fix"), self.found("eta")
        named = [f for f in fixes if pulls_in(f.text)]
        fix = [f for f in named if cause and f.item == cause[0].item] or named
        tests = [f for f in self.found("fix", "tested") if says("tested", f.text)]
        if fix:
            tests = [f for f in tests if pulls_in(f.text) <= pulls_in(fix[0].text) and f.text != fix[0].text]
        if self.policy.careful:
            tests = sorted((f for f in tests if not says("partial", f.text)), key=lambda f: f.item.stamp, reverse=True)
        story = {"Root cause": cause, "Fix": fix, "Fix tested": tests, "Go-live (ETA)": etas}
        return {label: found[0] for label, found in story.items() if found}

    @cached_property
    def eta(self) -> int | None:
        """When the fix goes live, as minutes since midnight."""
        times = clocks(self.story["Go-live (ETA)"].gist) if "Go-live (ETA)" in self.story else ()
        return times[0] if times else None

    @cached_property
    def affected(self) -> list[Finding]:
        """Statements of who else is hit, the one that names the most others first."""
        known = " ".join((*self.request.names, self.situation.user))
        named = [(f, _PROPER.findall(f.text)[1:]) for f in self.found("affected") if not says("hedge", f.text)]
        counts = [(f, sum(len(n) > 3 and not overlap(n, known) for n in set(names))) for f, names in named]
        return [f for f, count in sorted(counts, key=lambda pair: -pair[1]) if count or says("ticket", f.text)]

    @cached_property
    def call(self) -> tuple[int, str] | None:
        """When the call about the case is, and who says so: the newest message about it, else the request."""
        told = []
        for said in self.told("mail", "slack") if {"case", "queue"} & self.request.wants else ():
            times, moved = clocks(said.text), bool(says("moved", said.text))
            other_day = self.day and any(day != self.day for day in dates(said.text, self.day))
            about = times and self.relevance[said.item] and says("call", said.text) and "?" not in said.text
            if about and not other_day:
                told.append((said.item.stamp, moved, times[-1] if moved else times[0], said.item.source))
        if not told and self.request.clocks and says("call", self.request.text):
            return self.request.clocks[0], "you"
        return (max(told) if self.policy.careful else min(told))[2:] if told else None

    @cached_property
    def conflicts(self) -> list[tuple[Item, Item]]:
        """Overlapping pairs on the day; a call that the calendar has not counts as an event."""
        if self.attention.slips("finding:conflicts"):
            return []
        if self.call is None or self.case is None:
            return extract.clashes(self.today)
        names = (*self.request.names, person(self.case.author))
        rest = [e for e in self.today if not (says("call", e.title) and overlap(e.everything, " ".join(names)))]
        hit = within(rest, self.call[0], self.call[0] + 30)
        planned = Item("call", title=f"the call with {names[0]}")
        return [(planned, e) for e in hit] + [pair for pair in extract.clashes(rest) if not set(pair) & set(hit)]


def within(events: Iterable[Item], begin: int, end: int) -> list[Item]:
    """Events that overlap with a span of the day, given as minutes since midnight."""
    return [e for e in events if e.at and e.end and minute(e.at) < end and begin < minute(e.end)]


def working_day(stated: date | None, items: Iterable[Item]) -> date | None:
    """The day it is: as stated if anything happens near it, else by the records."""
    dated = [(item.kind, item.at.date()) for item in items if item.at and item.kind in ("mail", "slack", "event")]
    if not dated or (stated and any(abs((day - stated).days) <= 3 for _, day in dated)):
        return stated
    events = sorted(day for kind, day in dated if kind == "event")
    return max(events, key=events.count) if events else max(day for _, day in dated)


def picture_of(
    policy: Policy, request: Request, situation: Situation, attention: Attention, items: tuple[Item, ...]
) -> Picture:
    """The picture of a conversation; its case is the most pressing mail about the request."""
    mails = [i for i in items if i.kind == "mail" and category(i) not in NOISE and not confidential(i)]
    candidates = mails or [i for i in items if i.kind in ("slack", "task")]
    ranked = [(pressure(i) + 2 * min(overlap(request.text, i.everything), 4), i.stamp, i.id, i) for i in candidates]
    case = max(ranked, key=lambda entry: entry[:3])[3] if ranked else None
    terms = stems(" ".join(request.names))
    if case is not None:
        terms |= stems(case.title) | (request.terms & stems(case.text))
    relevance = {i: len(stems(i.everything) & terms) for i in items if i.kind not in ("channel", "event")}
    return Picture(policy, request, situation, attention, items, working_day(situation.day, items), case, relevance)
