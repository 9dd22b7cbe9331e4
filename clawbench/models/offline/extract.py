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
    "cause": r"\broot cause|\bcaus(?:ed|ing) (?:by|it)|\bbecause of\b|\bintroduced (?:in|by|with)|\bregress"
    r"|\bculprit|\bsince (?:the )?(?:release|upgrade|deploy|v?\d+\.\d)|\bbroke(?:n)? (?:in|by|since|with)"
    r"|\bbisect|\bnarrowed it|\btraced? (?:it )?(?:back )?to|\bpinned (?:it )?(?:down )?(?:on|to)"
    r"|\bcomes? from\b|\bstarted (?:with|in|after)\b",
    "fix": r"\bfix(?:ed|es)?\b|\bPR ?#?\d+|\bhot-?fix|\bpatch(?:ed)?\b|\bmerged\b|\broll(?:ed|ing)? back"
    r"|\bvalidat|\bstaging\b|\btests? (?:are )?(?:pass|green)|\bLGTM\b|\bready (?:to|for)\b",
    "eta": r"\beta\b|\bdeploy|\bgo-?live|\bship(?:s|ping)?\b|\broll(?:s|ing)?[- ]?out\b|\b(?:in|to|into) prod"
    r"|\b(?:release|maintenance|change) window|\bgo(?:es|ing)? (?:live|out)\b|\blive (?:by|at|in)\b",
    "affected": r"\baffect|\bimpact|\bcustomers?\b|\btenants?\b|\baccounts?\b|\btickets?\b|\balso (?:seeing"
    r"|hit|report)|\bsame (?:issue|problem|bug|error)|\bbesides\b|\b(?:two|three|four|five|\d+) (?:more"
    r"|others?)\b",
    "blocked": r"\bblock(?:ed|ing|er|ers|s)\b|\bwaiting (?:for|on)\b|\bstuck\b|\bdepends? on\b|\bheld up\b"
    r"|\bon hold\b|\bcan(?:['’]t|not) (?:\w+ ){0,5}(?:until|without|before)",
    "decision": r"\bdeci(?:de|sion)|\bsign-?off\b|\byour call\b|\bgo/no-go|\bmake the call|\bchoose\b"
    r"|\bpick (?:one|a)",
    "incident": r"\bINC-\d|\bincident|\boutage|\berror (?:rate|spike)|\bsev ?\d|\bp[01]\b|\bpostmortem|\bdegraded"
    r"|\bpaged\b",
    "scope": r"\bscope creep|\bnot (?:officially |formally |yet )?(?:scoped|planned|approved|agreed"
    r"|on the board)|\bhaven['’]t (?:officially |formally )?(?:decided|agreed|asked)"
    r"|\bwithout (?:\w+ )?(?:sign-?off|approval|a ticket)|\bown initiative|\bwhile I(?:['’]m| was) at it"
    r"|\bno card\b|\bnobody (?:has )?planned|\bon the side\b|\bside project|\bunplanned|\bno ticket\b",
    "deadline": r"\bdue\b|\bdeadline|\bby (?:noon|eod|end of|tomorrow|today|\w+day|\w+ \d|\d)|\bcloses?\b"
    r"|\bbefore the\b",
}
_TOPICS = {topic: re.compile(words, re.I) for topic, words in _CUES.items()}
TICKET = re.compile(r"\b[A-Z][A-Z0-9]{1,9}-\d{1,6}\b|\btask_\d+\b")
_PULL = re.compile(r"(?:\bPR|\bpull request|\bMR)\s?#?(\d{1,6})|(?<![\w&])#(\d{2,6})\b", re.I)
_EXACT = {"cause": re.compile(r"\bv?\d+\.\d+(?:\.\d+)?\b"), "fix": _PULL, "affected": TICKET}
_NAME = re.compile(r"(?<=\w )[A-Z][\w&’']+(?: [A-Z][\w&’']+)*|(?<=: )[A-Z].*")
_SOON = re.compile(r"\beta\b|\bhours?\b", re.I)
HEDGE = re.compile(
    r"\b(?:maybe|might|perhaps|probably|possibly|apparently|supposedly|i (?:think|guess|bet|suspect|heard"
    r"|assume)|could be|sounds like|looks like|not sure|unconfirmed|rumou?r|suspect(?:ed)?|first thought"
    r"|thought it|blamed?|ruled out|wasn['’]t|isn['’]t|not the (?:cause|culprit|problem)|no longer"
    r"|turned out not|i was wrong|wrongly|red herring|unrelated|(?:was|is) fine|my (?:money|bet) is|hunch"
    r"|theory|not (?:one of|ours|affected|related|among))\b",
    re.I,
)
_DONE = re.compile(
    r"\b(?:done|finished|merged|shipped|completed?|closed|fixed|wrapped (?:it )?up|deployed|landed|released"
    r"|is live)\b|^(?:also |just )?(?:updated|pushed|implemented|added|delivered)\b",
    re.I,
)
_REVIEW = re.compile(r"\b(?:in|into|to|for) review\b|\bPR\b.{0,20}\b(?:is )?(?:up|open)\b", re.I)
_UNDONE = re.compile(
    r"\breopen|\brevert|\brolled back|\b(?:not|isn['’]t) (?:done|finished|fixed|merged|complete|ready)"
    r"|\bstill (?:failing|broken|open|not)|\bbroke again|\bpulled it back",
    re.I,
)
_FUTURE = re.compile(
    r"\b(?:will|should|going to|hope|plan|almost|nearly|once|when|after|until|before|if|aim|want|would"
    r"|can be|to be|half)\b[^.,;]{0,40}\b(?:done|finished|merged|shipped|complete|closed|fixed|deployed"
    r"|landed|released)|\d ?%",
    re.I,
)
_HELD = re.compile(r"\bblocked\b|\bstuck\b|\bwaiting (?:on|for)\b|\bcan['’]t (?:\w+ ){0,3}(?:without|until)", re.I)
_CLAIMS = {
    "not done": _UNDONE,
    "dropped": re.compile(r"\b(?:is|was|got) (?:dropped|cancelled|scrapped)\b|\bwon['’]t be built\b", re.I),
    "blocked": _HELD,
    "in progress": re.compile(r"\bin progress\b|\bhalf written\b|\bstill working on\b", re.I),
    "in review": _REVIEW,
    "done": _DONE,
}
_GONE = re.compile(
    r"\b(?:^(?:so )?not|earlier|gone|forget|no longer|previous(?:ly)?|old|instead of|rather than|was|were|used to)\b",
    re.I,
)
CLOSED = frozenset(
    {"done", "closed", "merged", "complete", "completed", "resolved", "shipped", "released", "cancelled"}
)
_AGREES = {
    "done": CLOSED,
    "in review": CLOSED | {"in_review", "review"},
    "blocked": {"blocked", "on_hold", "waiting"},
    "in progress": {"in_progress", "doing", "started"},
    "dropped": {"dropped", "cancelled"},
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about a topic, the record that says it, how much it counts, and whether it names a value."""

    text: str
    item: Item
    strength: int
    exact: bool

    @property
    def gist(self) -> str:
        """The sentence without the clauses that only say which time no longer holds."""
        parts = re.split(r",\s+|;\s+|:\s+|\s[—–-]\s", self.text)
        kept = [part for part in parts if not (_GONE.search(part) and re.search(r"\d", part))]
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


def findings(topic: str, relevance: Mapping[Item, int], least: int = 1) -> list[Finding]:
    """Sentences about a topic, best first, in records sharing ``least`` terms with the matter, notes apart.

    First-hand before hedged, then the exact, then the more relevant record (to three terms), then the newer.
    """
    found = []
    for item, shared in relevance.items():
        for sentence in sentences(item.text) if shared >= least and item.kind not in ("note", "doc", "page") else ():
            if topic in topics(sentence) and len(sentence) > 12:
                timed = topic == "eta" and (clocks(sentence) or _SOON.search(sentence))
                exact = bool(timed or (topic in _EXACT and _EXACT[topic].search(sentence)))
                plain = not HEDGE.search(sentence) and not sentence.endswith("?")
                found.append(Finding(sentence, item, 8 * plain + 4 * exact + min(shared, 3), exact))
    return sorted(found, key=lambda f: (f.strength, f.item.stamp), reverse=True)


def newest(found: Sequence[Finding]) -> list[Finding]:
    """First-hand findings, the exact first, each the newest first; hedged ones if there are no others."""
    first_hand = [finding for finding in found if finding.strength >= 8] or found
    return sorted(first_hand, key=lambda f: (f.exact, f.item.stamp, f.strength), reverse=True)


def _claim(task: Item, message: Item) -> str:
    """What a message says of a task's state: done, in review, not done, blocked, or nothing.

    It speaks of the task if it gives its id, or in its owner's mouth most of its title.
    """
    title, parts = stems(task.title), sentences(message.text)
    own = bool(task.owner) and person(task.owner) == person(message.author)
    for sentence, rest in zip(parts, [*parts[1:], ""], strict=False):
        shared = len(title & stems(sentence)) * (own and not TICKET.search(sentence))
        named = task.id and re.search(rf"(?<![\w-]){re.escape(task.id)}(?![\w-])", sentence, re.I)
        if named or (shared >= 2 and 2 * shared >= len(title)):
            told = [s for s in (sentence, "" if TICKET.search(rest) else rest) if not s.endswith("?")]
            for said, pattern in _CLAIMS.items():
                if any(map(pattern.search, told)):
                    return "" if said == "done" and (_FUTURE.search(sentence) or HEDGE.search(sentence)) else said
    return ""


def mismatches(tasks: Iterable[Item], messages: Iterable[Item]) -> list[Mismatch]:
    """Tasks whose status the newest message about them contradicts, if it is newer than the entry."""
    spoken = sorted((message for message in messages if message.at), key=lambda message: message.stamp)
    found = []
    for task in tasks:
        told = [(said, m) for m in spoken if m.stamp >= task.stamp and (said := _claim(task, m))]
        said, by = told[-1] if told else ("", task)
        if (said == "not done" and task.status in CLOSED) or (said in _AGREES and task.status not in _AGREES[said]):
            found.append(Mismatch(task, said, by))
    return found


def clashes(events: Sequence[Item]) -> list[tuple[Item, Item]]:
    """Pairs of events, in order of time, that overlap; entries of ten hours and more are no appointments."""
    timed = [(e, e.at, e.end) for e in events if e.at and e.end and 0 < (e.end - e.at).total_seconds() < 36_000]
    pairs = [(one, other) for number, one in enumerate(timed) for other in timed[number + 1 :]]
    return [(one[0], other[0]) for one, other in pairs if one[1] < other[2] and other[1] < one[2]]


def free_slots(events: Iterable[Item], day: date) -> list[int]:
    """Starts of free half hours on ``day`` between 9:00 and 17:00, as minutes since midnight."""
    midnight = datetime.combine(day, datetime.min.time())
    taken = [e for e in events if e.at and not re.search(r"\bfree\b|available", e.title, re.I)]
    busy = [tuple((m - midnight).total_seconds() // 60 for m in (e.at, e.end or e.at) if m) for e in taken]
    return [start for start in range(540, 1020, 30) if all(start + 30 <= b[0] or start >= b[1] for b in busy)]


def duplicate_of(mail: Item, tasks: Iterable[Item]) -> Item | None:
    """The task that already covers what a mail asks for, an open one first.

    Half of its title's words, at least two, and one of the names in the title if it has any.
    """
    close = []
    words = stems(f"{mail.everything} {mail.author}")
    for task in tasks:
        names = _NAME.findall(task.title)
        rest = stems(task.title) - stems(" ".join(names))
        named = not names or any(stems(name.split()[0]) & words for name in names)
        if named and len(rest & words) >= max(2, len(rest) / 2):
            close.append((task.status not in CLOSED, len(rest & words), task))
    return max(close, key=lambda entry: entry[:2])[2] if close else None
