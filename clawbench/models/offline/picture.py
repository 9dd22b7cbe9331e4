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

from .classify import NOISE, category, confidential, pressure
from .extract import (
    CLOSED,
    HEDGE,
    TICKET,
    Finding,
    Mismatch,
    clashes,
    findings,
    mismatches,
    newest,
    pulls_in,
)
from .lapse import Attention
from .moments import clocks, dates
from .observe import Item
from .policy import Policy
from .request import Request, Situation
from .words import overlap, person, sentences, stems

_CALL = re.compile(r"\b(?:call|phone|bridge|meet(?:ing)?|sync|dial)\b", re.I)
_MOVED = re.compile(r"\b(?:now at|mov(?:es?|ed)|new time|instead|resch?eduled|pushed)\b", re.I)
_TESTED = re.compile(
    r"\bstaging\b|\bvalidat|\breplay|\btests?\b|\btested\b|\bpasse[sd]\b|\bverified\b|\bgreen\b|\bLGTM\b",
    re.I,
)
_PARTIAL = re.compile(
    r"\bso far\b|\bstill (?:running|going|testing)\b|\bhalf\b|\bnow\b|\bneed to\b|\bwants?\b|\bshould I\b|\bif\b|\bnot final\b",
    re.I,
)
_PROPER = re.compile(r"\b[A-Z][\w&’']+(?:[ -][A-Z][\w&’']+)*")


@dataclass(frozen=True, eq=False)
class Picture:
    """Everything an answer is written from; ``relevance`` counts the terms that a record shares with the case."""

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
        """Mail to the user, the most pressing first, the newest among equals; what the user wrote is left out."""
        user, profile = self.situation.user, self.situation.profile
        received = [
            m for m in self.kind("mail") if "sent" not in m.labels and person(m.author) != (user or None)
        ]
        return sorted(received, key=lambda m: (pressure(m, profile), m.stamp, m.id), reverse=True)

    @cached_property
    def readable(self) -> list[Item]:
        """Open mail: neither noise nor confidential."""
        return [m for m in self.mails if category(m) not in NOISE and not confidential(m)]

    def on_day(self) -> list[Item]:
        """The day's events in order of time; all of them if the day is unknown."""
        events = [e for e in self.kind("event") if e.at and (self.day is None or e.at.date() == self.day)]
        return sorted(events, key=lambda e: (e.stamp, e.title))

    def found(self, topic: str, label: str = "", everywhere: bool = False) -> list[Finding]:
        """Findings on a topic, about the case unless ``everywhere``, whose word counts most first.

        An inattentive run may miss the topic altogether.
        """
        if self.attention.slips(f"finding:{label or topic}"):
            return []
        open_items = {item: shared for item, shared in self.relevance.items() if not confidential(item)}
        every = findings(topic, open_items, 0 if everywhere else 1)
        if self.policy.careful:
            return newest(every)
        rank = {"task": 0, "mail": 1, "note": 2, "slack": 3}
        return sorted(every, key=lambda f: (rank.get(f.item.kind, 4), f.item.stamp or "~"))

    @cached_property
    def story(self) -> dict[str, Finding]:
        """What broke, the fix, how far it is tested and when it goes live, as far as anybody says so.

        The fix is the one named where the cause was found, if it is named there; a test is finished and of that fix.
        """
        cause, fixes, etas = self.found("cause"), self.found("fix"), self.found("eta")
        story = {"Root cause": cause[0]} if cause else {}
        named = [f for f in fixes if pulls_in(f.text)]
        beside = [f for f in named if cause and f.item == cause[0].item]
        tests = [f for f in self.found("fix", "tested") if _TESTED.search(f.text)]
        if named:
            fix = story["Fix"] = (beside or named)[0]
            tests = [f for f in tests if pulls_in(f.text) <= pulls_in(fix.text) and f.text != fix.text]
        if self.policy.careful:
            tests = sorted(
                (f for f in tests if not _PARTIAL.search(f.text)), key=lambda f: f.item.stamp, reverse=True
            )
        story |= {"Fix tested": tests[0]} if tests else {}
        return story | ({"Go-live (ETA)": etas[0]} if etas else {})

    @cached_property
    def affected(self) -> list[Finding]:
        """Statements of who else is hit, the one that names the most others first."""
        known = stems(" ".join((*self.request.names, self.situation.user)))
        ranked = []
        for finding in self.found("affected"):
            others = {n for n in _PROPER.findall(finding.text)[1:] if len(n) > 3 and not stems(n) & known}
            others |= set(TICKET.findall(finding.text))
            if others and not HEDGE.search(finding.text):
                ranked.append((len(others), finding))
        return [finding for _, finding in sorted(ranked, key=lambda pair: -pair[0])]

    @cached_property
    def call(self) -> tuple[int, str] | None:
        """When the call about the case is, and who says so: the newest message that fixes it, else the request."""
        told = []
        for item, shared in self.relevance.items():
            for sentence in sentences(item.text) if shared and item.kind in ("mail", "slack") else ():
                times, moved = clocks(sentence), bool(_MOVED.search(sentence))
                other_day = self.day and any(day != self.day for day in dates(sentence, self.day))
                if times and _CALL.search(sentence) and not sentence.endswith("?") and not other_day:
                    told.append((item.stamp, moved, times[-1] if moved else times[0], item.source))
        if told:
            best = max(told) if self.policy.careful else min(told)
            return best[2], best[3]
        return (
            (self.request.clocks[0], "you")
            if self.request.clocks and _CALL.search(self.request.text)
            else None
        )

    @cached_property
    def conflicts(self) -> list[tuple[Item, Item]]:
        """Overlapping pairs on the day. A call that stands in no calendar, or at an old time, is an event of its own."""
        events = self.on_day()
        call = self.call if "case" in self.request.wants else None
        if self.attention.slips("finding:conflicts"):
            return []
        if call is None or self.case is None:
            return clashes(events)
        subject = stems(" ".join((*self.request.names, self.case.author)))
        rest = [e for e in events if not (_CALL.search(e.title) and stems(e.everything) & subject)]
        planned = Item(
            "call", title="the call with " + (self.request.names or (person(self.case.author),))[0]
        )
        hit = [
            e for e in rest if e.at and e.end and _minute(e.at) < call[0] + 30 and call[0] < _minute(e.end)
        ]
        return [(planned, e) for e in hit] + [pair for pair in clashes(rest) if not set(pair) & set(hit)]

    @cached_property
    def mismatches(self) -> list[Mismatch]:
        """Board entries that the newest first-hand message contradicts; a careless reader doesn't look."""
        spoken = [item for item in self.kind("slack", "mail") if not confidential(item)]
        found = mismatches(self.kind("task"), spoken) if self.policy.careful else []
        return [m for m in found if not self.attention.slips(f"finding:mismatch:{m.task.id}")]

    @cached_property
    def late(self) -> list[Item]:
        """Open tasks past their date, the oldest first."""
        tasks = [
            t
            for t in self.kind("task")
            if t.due and self.day and t.due.date() < self.day and t.status not in CLOSED
        ]
        tasks = [t for t in tasks if not self.attention.slips(f"finding:late:{t.id}")]
        return sorted(tasks, key=lambda t: (str(t.due), t.id))


def _minute(moment: object) -> int:
    hour, minute = str(moment)[11:16].split(":")
    return int(hour) * 60 + int(minute)


def working_day(stated: date | None, items: Iterable[Item]) -> date | None:
    """The day it is: as stated if anything happens near it, else the day with most events, else of the newest record."""
    moments = sorted(item.at.date() for item in items if item.at and item.kind in ("mail", "slack", "event"))
    if not moments or (stated and any(abs((moment - stated).days) <= 3 for moment in moments)):
        return stated
    events = [item.at.date() for item in items if item.kind == "event" and item.at]
    return max(sorted(set(events)), key=events.count) if events else moments[-1]


def picture_of(
    policy: Policy, request: Request, situation: Situation, attention: Attention, items: tuple[Item, ...]
) -> Picture:
    """The picture of a conversation; the case is the most pressing mail, else message or task, about the request."""
    mails = [i for i in items if i.kind == "mail" and category(i) not in NOISE and not confidential(i)]
    candidates = mails or [i for i in items if i.kind in ("slack", "task")]
    ranked = [
        (pressure(i) + 2 * min(overlap(request.text, i.everything), 4), i.stamp, i.id, i) for i in candidates
    ]
    case = max(ranked, key=lambda entry: entry[:3])[3] if ranked else None
    terms = stems(" ".join(request.names))
    if case is not None:
        terms |= stems(case.title) | (request.terms & stems(case.text))
    relevance = {i: len(stems(i.everything) & terms) for i in items if i.kind not in ("channel", "event")}
    return Picture(
        policy, request, situation, attention, items, working_day(situation.day, items), case, relevance
    )
