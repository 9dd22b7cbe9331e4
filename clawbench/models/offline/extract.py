"""General extraction: sentences that state a cause, a fix, a time, a blocker; tasks that messages contradict.

Whose word counts: a statement about the matter at hand, first-hand before hearsay, the newest of those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from .moments import clocks
from .observe import Item
from .words import person, sentences, stems

_CUES = {
    "cause": r"\broot cause|\bcaus(?:ed|ing) (?:by|it)|\bbecause of\b|\bintroduced (?:in|by|with)|\bregress|\bsince (?:the )?"
    r"(?:release|upgrade|deploy|v?\d+\.\d)|\bbroke(?:n)? (?:in|by|since|with)|\btraced? (?:it )?(?:back )?to|\bculprit"
    r"|\bbisect|\bpinned (?:it )?(?:down )?(?:on|to)|\bcomes? from\b|\bstarted (?:with|in|after)\b|\bnarrowed it",
    "fix": r"\bfix(?:ed|es)?\b|\bPR ?#?\d+|\bhot-?fix|\bpatch(?:ed)?\b|\bmerged\b|\broll(?:ed|ing)? back|\bvalidat|\bstaging\b"
    r"|\btests? (?:are )?(?:pass|green)|\bLGTM\b|\bready (?:to|for)\b",
    "eta": r"\beta\b|\bdeploy|\bgo-?live|\bship(?:s|ping)?\b|\broll(?:s|ing)?[- ]?out\b|\b(?:release|maintenance|change) window"
    r"|\bgo(?:es|ing)? (?:live|out)\b|\b(?:in|to|into) prod|\blive (?:by|at|in)\b",
    "affected": r"\baffect|\bimpact|\bcustomers?\b|\btenants?\b|\baccounts?\b|\btickets?\b|\bsame (?:issue|problem|bug|error)"
    r"|\balso (?:seeing|hit|report|see)|\bbesides\b|\b(?:two|three|four|five|\d+) (?:more|others?)\b",
    "blocked": r"\bblock(?:ed|ing|er|ers|s)\b|\bwaiting (?:for|on)\b|\bstuck\b|\bcan(?:['’]t|not) (?:\w+ ){0,5}(?:until|without"
    r"|before)|\bdepends? on\b|\bheld up\b|\bon hold\b",
    "decision": r"\bdeci(?:de|sion)|\bsign-?off\b|\byour call\b|\bgo/no-go|\bmake the call|\bchoose\b|\bpick (?:one|a)",
    "incident": r"\bincident|\boutage|\berror (?:rate|spike)|\bsev ?\d|\bp[01]\b|\bpostmortem|\bdegraded|\bpaged\b",
    "scope": r"\bscope creep|\bnot (?:officially |formally |yet )?(?:scoped|planned|approved|agreed|on the board|in the sprint)"
    r"|\bhaven['’]t (?:officially |formally )?(?:decided|agreed|asked)|\bwithout (?:\w+ )?(?:sign-?off|approval|a ticket)"
    r"|\bown initiative|\bwhile I(?:['’]m| was) at it|\bon the side\b|\bside project|\bunplanned|\bno ticket\b",
    "deadline": r"\bdue\b|\bdeadline|\bby (?:noon|eod|end of|tomorrow|today|\w+day|\w+ \d|\d)|\bcloses?\b|\bbefore the\b",
}
_TOPICS = {topic: re.compile(words, re.I) for topic, words in _CUES.items()}
VERSION = re.compile(r"\bv?\d+\.\d+(?:\.\d+)?\b")
TICKET = re.compile(r"\b[A-Z][A-Z0-9]{1,9}-\d{1,6}\b|\btask_\d+\b")
_PULL = re.compile(r"(?:\bPR|\bpull request|\bMR)\s?#?(\d{1,6})|(?<![\w&])#(\d{2,6})\b", re.I)
HEDGE = re.compile(
    r"\b(?:maybe|might|perhaps|probably|possibly|apparently|supposedly|i (?:think|guess|bet|suspect|heard|assume)|could be|sounds"
    r" like|looks like|not sure|unconfirmed|rumou?r|suspect(?:ed)?|first thought|thought it|blamed?|ruled out|wasn['’]t|isn['’]t"
    r"|not the (?:cause|culprit|problem)|no longer|turned out not|wrong(?:ly)?|red herring|unrelated|(?:was|is) fine"
    r"|my (?:money|bet) is|hunch|theory|not (?:one of|ours|affected|related|among)|n['’]t (?:count|one of|affected|ours))\b",
    re.I,
)
_DONE = re.compile(
    r"\b(?:done|finished|merged|shipped|completed?|closed|fixed|wrapped (?:it )?up|deployed|landed|released|live now|is live)\b"
    r"|^(?:also |just )?(?:updated|pushed|implemented|added|delivered)\b",
    re.I,
)
_REVIEW = re.compile(
    r"\b(?:in|into|to|for) review\b|\bPR\b.{0,20}\b(?:is )?(?:up|open)\b|\breview(?:er)? needed\b", re.I
)
_UNDONE = re.compile(
    r"\breopen|\brevert|\brolled back|\bnot (?:done|finished|fixed|merged|complete|ready)|\bisn['’]t (?:done|finished|fixed"
    r"|merged)|\bstill (?:failing|broken|open|not)|\bbroke again|\bpulled it back",
    re.I,
)
_FUTURE = re.compile(
    r"\b(?:will|should|going to|hope|plan|almost|nearly|once|when|after|until|before|if|aim|want|would|can be|to be|half)\b"
    r"[^.,;]{0,40}\b(?:done|finished|merged|shipped|complete|closed|fixed|deployed|landed|released)|\d ?%",
    re.I,
)
_HELD = re.compile(
    r"\bblocked (?:on|by)\b|\bstuck\b|\bwaiting (?:on|for)\b|\bcan['’]t (?:\w+ ){0,3}(?:without|until)", re.I
)
_GONE = re.compile(
    r"\b(?:earlier|gone|forget|no longer|previous(?:ly)?|old|instead of|rather than|was|were|used to)\b", re.I
)
CLOSED = frozenset(
    ["done", "closed", "merged", "complete", "completed", "resolved", "shipped", "released", "cancelled"]
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about a topic, the record that says it, and how much its word counts; ``exact`` if it names a value."""

    text: str
    item: Item
    strength: int = 0
    exact: bool = False

    @property
    def gist(self) -> str:
        """The sentence without the clauses that only say which time no longer holds."""
        parts = re.split(r"(?<!\d),\s+|;\s+|\s[—–-]\s", self.text)
        kept = [part for part in parts if not (_GONE.search(part) and clocks(part))]
        return ", ".join(kept) if 0 < len(kept) < len(parts) else self.text


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A task whose board status and whose newest first-hand statement disagree."""

    task: Item
    said: str
    by: Item


@lru_cache(maxsize=8192)
def topics(sentence: str) -> frozenset[str]:
    """The topics that a sentence's wording points to."""
    return frozenset(topic for topic, pattern in _TOPICS.items() if pattern.search(sentence))


def pulls_in(text: str) -> set[str]:
    """The numbers of the pull requests that a text names."""
    return {one or two for one, two in _PULL.findall(text)}


def _exact(topic: str, sentence: str) -> bool:
    if topic == "eta":
        return bool(clocks(sentence) or re.search(r"\beta\b|\bhours?\b", sentence, re.I))
    pattern = {"cause": VERSION, "fix": _PULL, "affected": TICKET}.get(topic)
    return bool(pattern and pattern.search(sentence))


def findings(topic: str, relevance: Mapping[Item, int], least: int = 1) -> list[Finding]:
    """Sentences about a topic in records that share at least ``least`` terms with the matter, the best first.

    First-hand before hedged, then the exact, then the more relevant record (to three terms), then the newer.
    """
    found = []
    for item, shared in relevance.items():
        for sentence in (
            sentences(item.text) if shared >= least and item.kind not in ("channel", "event") else ()
        ):
            if topic in topics(sentence) and len(sentence) > 12:
                exact = _exact(topic, sentence)
                plain = not HEDGE.search(sentence) and not sentence.endswith("?")
                found.append(Finding(sentence, item, 8 * plain + 4 * exact + min(shared, 3), exact))
    return sorted(found, key=lambda f: (f.strength, f.item.stamp), reverse=True)


def newest(found: Sequence[Finding]) -> list[Finding]:
    """First-hand findings, the exact before the rest, each the newest first; hedged ones if there is nothing else."""
    first_hand = [finding for finding in found if finding.strength >= 8] or found
    return sorted(first_hand, key=lambda f: (f.exact, f.item.stamp, f.strength), reverse=True)


def _claim(task: Item, message: Item) -> str:
    """What a message says of a task's state: done, in review, not done, blocked, or nothing."""
    parts = sentences(message.text)
    own = bool(task.owner) and person(task.owner) == person(message.author)
    for number, sentence in enumerate(parts):
        named = task.id and re.search(rf"(?<![\w-]){re.escape(task.id)}(?![\w-])", sentence, re.I)
        shared = len(stems(task.title) & stems(sentence))
        if not named and not (
            own and shared >= 2 and 2 * shared >= len(stems(task.title)) and not TICKET.search(sentence)
        ):
            continue
        rest = parts[number + 1] if number + 1 < len(parts) and not TICKET.search(parts[number + 1]) else ""
        for said, pattern in (
            ("not done", _UNDONE),
            ("blocked", _HELD),
            ("in review", _REVIEW),
            ("done", _DONE),
        ):
            if any(pattern.search(s) and not s.endswith("?") for s in (sentence, rest)):
                return "" if said == "done" and (_FUTURE.search(sentence) or HEDGE.search(sentence)) else said
    return ""


def mismatches(tasks: Iterable[Item], messages: Iterable[Item]) -> list[Mismatch]:
    """Tasks whose board status the newest message about them contradicts; what is older than the entry counts not."""
    agreeing = {
        "done": CLOSED,
        "in review": CLOSED | {"in_review", "review"},
        "blocked": {"blocked", "on_hold", "waiting"},
    }
    spoken = sorted((message for message in messages if message.at), key=lambda message: message.stamp)
    found = []
    for task in tasks:
        told = [(said, m) for m in spoken if m.stamp >= task.stamp and (said := _claim(task, m))]
        if told:
            said, by = told[-1]
            if (task.status in CLOSED) if said == "not done" else task.status not in agreeing[said]:
                found.append(Mismatch(task, said, by))
    return found


def clashes(events: Sequence[Item]) -> list[tuple[Item, Item]]:
    """Pairs of events that overlap in time; entries of ten hours and more are no appointments."""
    timed = [e for e in events if e.at and e.end and 0 < (e.end - e.at).total_seconds() < 36_000]
    return [
        (one, other)
        for number, one in enumerate(timed)
        for other in timed[number + 1 :]
        if one.at and one.end and other.at and other.end and one.at < other.end and other.at < one.end
    ]


def free_slots(events: Iterable[Item], day: date) -> list[int]:
    """Starts of free half hours on ``day`` between 9:00 and 17:00, as minutes since midnight."""
    midnight = datetime.combine(day, datetime.min.time())
    busy = [
        ((e.at - midnight).total_seconds() // 60, ((e.end or e.at) - midnight).total_seconds() // 60)
        for e in events
        if e.kind == "event" and e.at and not re.search(r"\bfree\b|available", e.title, re.I)
    ]
    return [start for start in range(540, 1020, 30) if all(start + 30 <= a or start >= b for a, b in busy)]


def duplicate_of(mail: Item, tasks: Iterable[Item]) -> Item | None:
    """The task that already covers what a mail asks for: most of its title's words, at least two."""
    words = stems(mail.everything)
    shared = [(len(stems(task.title) & words), task) for task in tasks]
    close = [(n, task) for n, task in shared if n >= 2 and 2 * n >= len(stems(task.title))]
    return max(close, key=lambda pair: pair[0])[1] if close else None
