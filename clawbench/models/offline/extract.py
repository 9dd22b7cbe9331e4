"""General extraction: kinds of mail; statements on a topic and whose word counts; time, duplicates, disagreement."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from .language import cue, cues, person, says, sentences, stems
from .observe import Item

CONFIDENTIAL, SCHEDULING, REQUEST, FYI = "confidential", "scheduling", "reply needed", "fyi"
AUTOMATED, NEWSLETTER, PROMOTION = "automated", "newsletter", "promotion"
NOISE = frozenset({AUTOMATED, NEWSLETTER, PROMOTION})


def category(item: Item) -> str:
    """One of the mail categories above; how urgent it is, :func:`pressure` says."""
    head = f"{item.author} {' '.join(item.labels)} {item.title}"
    robot = bool(says("robot", item.author)) or "automated" in item.labels
    if "confidential" in item.labels or says("secret", item.everything):
        return CONFIDENTIAL
    if says("newsletter", head):
        return NEWSLETTER
    if says("promotion", head) or (says("promotion", item.text) and not says("asks", item.title)):
        return PROMOTION
    if says("scheduling", item.everything) and (not robot or "nvit" in item.title):
        return SCHEDULING
    if robot:
        return AUTOMATED
    return FYI if re.match(r"(?i)fyi\b|heads[- ]up", item.title) or not says("asks", item.everything) else REQUEST


def confidential(item: Item) -> bool:
    """Whether a record is marked confidential, by a label or by its own words; the user's notes never are."""
    return item.kind != "note" and category(item) == CONFIDENTIAL


def pressure(item: Item, profile: str = "") -> int:
    """How pressing a record is, from 0; a sender whom the user's notes name counts two more."""
    name, labels = person(item.author), set(item.labels)
    points = 3 * bool({"urgent", "flagged"} & labels) + 2 * bool({"important", "vip"} & labels)
    points += sum(int(weight) for weight, words in cues("pressing").items() if words.search(item.everything))
    return 0 if category(item) in NOISE else points + 2 * (len(name) > 4 and name in profile)


_NAME = re.compile(r"(?<=\w )[A-Z][\w&’']+(?: [A-Z][\w&’']+)*|(?<=: )[A-Z].*")
_EXACT = {"cause": "version", "fix": "pull", "affected": "ticket", "eta": "soon"}
CLOSED = frozenset({"done", "closed", "merged", "complete", "completed", "resolved", "shipped", "cancelled"})
_AGREES = {"done": CLOSED, "in review": CLOSED | {"in_review", "review"}, "blocked": {"blocked", "on_hold", "waiting"}}
_AGREES |= {"in progress": {"in_progress", "doing", "started"}, "dropped": {"dropped", "cancelled"}}


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
        kept = [part for part in parts if not (says("gone", part) and re.search(r"\d", part))]
        return ", ".join(kept) if 0 < len(kept) < len(parts) else self.text


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A task, and the newest first-hand statement that disagrees with its status on the board."""

    task: Item
    said: str
    by: Item


def pulls_in(text: str) -> set[str]:
    """The numbers of the pull requests that a text names."""
    return {one or two for one, two in cue("pull").findall(text)}


def findings(topic: str, relevance: Mapping[Item, int], least: int = 1) -> list[Finding]:
    """Sentences about a topic in records sharing ``least`` terms with the matter: first-hand, exact, relevant first."""
    found = []
    for item, shared in relevance.items():
        for sentence in sentences(item.text) if shared >= least and item.kind not in ("note", "doc", "page") else ():
            if says(topic, sentence) and len(sentence) > 12:
                exact = bool(topic in _EXACT and says(_EXACT[topic], sentence))
                plain = not says("hedge", sentence) and not sentence.endswith("?")
                found.append(Finding(sentence, item, 8 * plain + 4 * exact + min(shared, 3), exact))
    return sorted(found, key=lambda f: (f.strength, f.item.stamp), reverse=True)


def newest(found: Sequence[Finding]) -> list[Finding]:
    """First-hand findings, the exact first, each the newest first; hedged ones if there are no others."""
    first_hand = [finding for finding in found if finding.strength >= 8] or found
    return sorted(first_hand, key=lambda f: (f.exact, f.item.stamp, f.strength), reverse=True)


def _claim(task: Item, message: Item) -> str:
    """What a message says of a task's state, if it gives the task's id, or in its owner's mouth most of its title."""
    title, parts = stems(task.title), sentences(message.text)
    own = bool(task.owner) and person(task.owner) == person(message.author)
    for sentence, rest in zip(parts, [*parts[1:], ""], strict=False):
        shared = len(title & stems(sentence)) * (own and not says("ticket", sentence))
        named = task.id and re.search(rf"(?<![\w-]){re.escape(task.id)}(?![\w-])", sentence, re.I)
        if named or (shared >= 2 and 2 * shared >= len(title)):
            told = [s for s in (sentence, "" if says("ticket", rest) else rest) if not s.endswith("?")]
            for state, words in cues("says").items():
                if any(map(words.search, told)):
                    return "" if state == "done" and (says("future", sentence) or says("hedge", sentence)) else state
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
    taken = [e for e in events if e.at and not says("free", e.title)]
    busy = [tuple((m - midnight).total_seconds() // 60 for m in (e.at, e.end or e.at) if m) for e in taken]
    return [start for start in range(540, 1020, 30) if all(start + 30 <= b[0] or start >= b[1] for b in busy)]


def duplicate_of(mail: Item, tasks: Iterable[Item]) -> Item | None:
    """The task, an open one first, half of whose title's words a mail has, and one of its names if it has any."""
    words = stems(f"{mail.everything} {mail.author}")
    close = []
    for task in tasks:
        names = _NAME.findall(task.title)
        rest = stems(task.title) - stems(" ".join(names))
        named = not names or any(stems(name.split()[0]) & words for name in names)
        if named and len(rest & words) >= max(2, len(rest) / 2):
            close.append((task.status not in CLOSED, len(rest & words), task))
    return max(close, key=lambda entry: entry[:2])[2] if close else None
