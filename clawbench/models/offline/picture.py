"""What the agent makes of all it has read: the case, what is known about it, the call, clashes, late work.

A careful reading weighs who said a thing first-hand and when; a careless one takes the board's word, then
whatever comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from . import extract
from .classify import NOISE, category, confidential, pressure
from .extract import CLOSED, HEDGE, TICKET, Finding, Mismatch, pulls_in
from .lapse import Attention
from .moments import clocks, dates
from .observe import Item
from .policy import Policy
from .request import Request, Situation
from .words import first_name, overlap, person, sentences, stems

_CALL = re.compile(r"\b(?:call|phone|bridge|meet(?:ing)?|sync|dial)\b", re.I)
_MOVED = re.compile(
    r"\b(?:now at|mov(?:es?|ed)|new time|instead|resch?eduled|pushed|shifted|changed|correct\w*|forget|not)\b", re.I
)
_MANAGER = re.compile(r"\bmy (?:new )?manager\b|^\W*(?:manager|reports? to)\b", re.I)
_FORMER = re.compile(r"\b(?:was|until|former|used to be)\b", re.I)
_TESTED = re.compile(r"\b(?:staging|validat\w*|replay\w*|tests?|tested|passe[sd]|verified|green|LGTM)\b", re.I)
_PARTIAL = re.compile(r"\b(?:so far|still (?:running|going)|half|now|need to|wants?|should I|if|not final)\b", re.I)
_DROPPED = re.compile(r"\bany ?more\b|\bno longer\b|\bnobody needs\b|\bnot (?:needed|due)\b|\bdropped\b", re.I)
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

    @cached_property
    def mails(self) -> list[Item]:
        """Mail to the user, the most pressing first, the newest among equals; the user's own is left out."""
        user = self.situation.user or None
        received = [m for m in self.kind("mail") if "sent" not in m.labels and person(m.author) != user]
        return sorted(received, key=lambda m: (self.weight(m), m.stamp, m.id), reverse=True)

    @cached_property
    def manager(self) -> str:
        """What the user's profile and notes say of their present manager; a careless reader doesn't look."""
        texts = [self.situation.profile, *(note.text for note in self.kind("note"))] if self.policy.careful else []
        return " ".join(s for text in texts for s in sentences(text) if _MANAGER.search(s) and not _FORMER.search(s))

    def weight(self, mail: Item) -> int:
        """How pressing a mail is: the user's manager counts most, an impostor nothing."""
        name = person(mail.author)
        boss = 9 * (len(name) > 4 and name in self.manager)
        return 0 if mail in self.impostors else pressure(mail, self.situation.profile) + boss

    @cached_property
    def impostors(self) -> list[Item]:
        """Mails in a colleague's name from another address than the company's; a careless reader sees none."""
        authors = [(m, person(m.author), m.author.rpartition("@")[2].strip("> ")) for m in self.kind("mail")]
        inside = {name for _, name, domain in authors if domain == self.domain and self.policy.careful}
        return [m for m, name, domain in authors if name in inside and domain != self.domain]

    def settled(self, mail: Item) -> Finding | None:
        """What later messages say of a mail's matter with a figure: its author's correction, or somebody's answer."""
        found = []
        for item in self.kind("mail", "slack") if self.policy.careful else ():
            named = person(item.author) == person(mail.author) or first_name(mail.author) in item.text
            corrects = named and item.stamp > mail.stamp and _MOVED.search(item.text)
            for sentence in sentences(item.text) if item != mail and not confidential(item) else ():
                if re.search(r"\d", sentence) and (corrects or overlap(mail.title, sentence) >= 3):
                    found.append(Finding(sentence, item, 8, True))
        return max(found, key=lambda f: f.item.stamp, default=None)

    @cached_property
    def readable(self) -> list[Item]:
        """Open mail: neither noise nor confidential."""
        return [m for m in self.mails if category(m) not in NOISE and not confidential(m)]

    @cached_property
    def domain(self) -> str:
        """The mail domain of the user's own company: of their address, else the one most mail comes from."""
        own = re.search(r"[\w.+-]+@([\w.-]+\w)", self.situation.profile)
        senders = sorted(m.author.rpartition("@")[2].strip("> ") for m in self.kind("mail"))
        return own[1] if own else max(senders, key=senders.count, default="")

    @cached_property
    def open_tasks(self) -> list[Item]:
        """Tasks that are not closed."""
        return [t for t in self.kind("task") if t.status not in CLOSED]

    @cached_property
    def today(self) -> list[Item]:
        """The day's events in order of time; all of them if the day is unknown."""
        events = [e for e in self.kind("event") if e.at and (self.day is None or e.at.date() == self.day)]
        return sorted(events, key=lambda e: (e.stamp, e.title))

    def found(self, topic: str, label: str = "", least: int = 1) -> list[Finding]:
        """Findings on a topic in what is not confidential, whose word counts most first.

        An inattentive run may miss the topic altogether.
        """
        if self.attention.slips(f"finding:{label or topic}"):
            return []
        usable = {item: shared for item, shared in self.relevance.items() if not confidential(item)}
        every = extract.findings(topic, usable, least)
        if self.policy.careful:
            return extract.newest(every)
        return sorted(every, key=lambda f: ("task mail slack".find(f.item.kind), f.item.stamp or "~"))

    def about(self, task: Item) -> list[Finding]:
        """What mails and appointments say of a task, by two words of its title: the timed first, then the newest."""
        found = []
        for item in [*self.readable, *(e for e in self.kind("event") if e.text)]:
            parts = sentences(item.text)
            for sentence, rest in zip(parts, [*parts[1:], ""], strict=False):
                if len(stems(task.title) & stems(sentence)) >= 2 and not _DROPPED.search(sentence):
                    text = sentence if clocks(sentence) else f"{sentence} {rest}".strip()
                    found.append(Finding(text, item, 8, bool(clocks(text))))
        return sorted(found, key=lambda f: (f.exact, f.item.stamp), reverse=True)

    @staticmethod
    def within(events: Iterable[Item], begin: int, end: int) -> list[Item]:
        """Events that overlap with a span of the day, given as minutes since midnight."""
        return [e for e in events if e.at and e.end and _minute(e.at) < end and begin < _minute(e.end)]

    @cached_property
    def story(self) -> dict[str, Finding]:
        """What broke, the fix, how far it is tested and when it goes live, as far as anybody says so.

        The fix is the one named where the cause was found, if it is named there; the test is of that fix.
        """
        cause, fixes, etas = self.found("cause"), self.found("fix"), self.found("eta")
        story = {"Root cause": cause[0]} if cause else {}
        named = [f for f in fixes if pulls_in(f.text)]
        tests = [f for f in self.found("fix", "tested") if _TESTED.search(f.text)]
        if named:
            story["Fix"] = next((f for f in named if cause and f.item == cause[0].item), named[0])
            fix = story["Fix"].text
            tests = [f for f in tests if pulls_in(f.text) <= pulls_in(fix) and f.text != fix]
        if self.policy.careful:
            tests = sorted((f for f in tests if not _PARTIAL.search(f.text)), key=lambda f: f.item.stamp, reverse=True)
        return story | {label: f[0] for label, f in (("Fix tested", tests), ("Go-live (ETA)", etas)) if f}

    @cached_property
    def affected(self) -> list[Finding]:
        """Statements of who else is hit, the one that names the most others first."""
        known = stems(" ".join((*self.request.names, self.situation.user)))
        ranked = []
        for finding in self.found("affected"):
            names = {n for n in _PROPER.findall(finding.text)[1:] if len(n) > 3 and not stems(n) & known}
            ranked.append((len(names | set(TICKET.findall(finding.text))), finding))
        ranked = [(count, f) for count, f in ranked if count and not HEDGE.search(f.text)]
        return [finding for _, finding in sorted(ranked, key=lambda pair: -pair[0])]

    @cached_property
    def call(self) -> tuple[int, str] | None:
        """When the call about the case is, and who says so: the newest message about it, else the request."""
        told = []
        for item, shared in self.relevance.items() if {"case", "queue"} & self.request.wants else ():
            for sentence in sentences(item.text) if shared and item.kind in ("mail", "slack") else ():
                times, moved = clocks(sentence), bool(_MOVED.search(sentence))
                other_day = self.day and any(day != self.day for day in dates(sentence, self.day))
                if times and _CALL.search(sentence) and not sentence.endswith("?") and not other_day:
                    told.append((item.stamp, moved, times[-1] if moved else times[0], item.source))
        if not told and self.request.clocks and _CALL.search(self.request.text):
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
        rest = [e for e in self.today if not (_CALL.search(e.title) and stems(e.everything) & stems(" ".join(names)))]
        planned = Item("call", title=f"the call with {names[0]}")
        hit = self.within(rest, self.call[0], self.call[0] + 30)
        return [(planned, e) for e in hit] + [pair for pair in extract.clashes(rest) if not set(pair) & set(hit)]

    @cached_property
    def mismatches(self) -> list[Mismatch]:
        """Board entries that the newest first-hand message contradicts; a careless reader doesn't look."""
        spoken = [item for item in self.kind("slack", "mail") if not confidential(item)]
        found = extract.mismatches(self.kind("task"), spoken) if self.policy.careful else []
        return [m for m in found if not self.attention.slips(f"finding:mismatch:{m.task.id}")]

    @cached_property
    def late(self) -> list[Item]:
        """Open tasks past their date, the oldest first."""
        late = [t for t in self.open_tasks if t.due and self.day and t.due.date() < self.day]
        return sorted((t for t in late if not self.attention.slips(f"finding:late:{t.id}")), key=lambda t: str(t.due))


def _minute(moment: date) -> int:
    hour, minute = moment.strftime("%H %M").split()
    return int(hour) * 60 + int(minute)


def working_day(stated: date | None, items: Iterable[Item]) -> date | None:
    """The day it is: as stated if anything happens near it, else by the records"""
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
