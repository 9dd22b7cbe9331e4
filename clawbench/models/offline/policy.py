"""What a policy's sentences ask for. A policy that forbids nothing leaves an eager assistant.

Each sentence is read on its own, with the heading or lead-in above it when that carries the verdict ("Never
without approval", "Only after I agree:"). What is forbidden and what is urged is counted, the more frequent
wins; nothing here knows who wrote the policy or for which day.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from .words import sentences

KINDS = frozenset({"mail", "slack", "calendar", "tasks"})
"""Where an agent can act; it can look there, and into memory, profile and pulls."""

_NAMES = {
    "mail": r"e-?mails?|mails?|inbox|repl(?:y|ies|ying)|send(?:s|ing)?|sent|forward\w*|messages?",
    "slack": r"slack|chat|channels?|posts?|posting|posted|messages?",
    "calendar": r"calendars?|agenda|events?|meetings?|appointments?|resched\w*|schedul\w*|invit\w*|book\w*",
    "tasks": r"tasks?|tickets?|boards?|issues?|notion|creat\w*",
    "memory": r"memory|notes",
    "profile": r"user\.md|profile|preferences",
    "pulls": r"pull requests?|prs?|github",
}
_NAMED = {name: re.compile(rf"\b(?:{words})\b", re.I) for name, words in _NAMES.items()}
_ACT = (
    r"(?:send|post|repl(?:y|ies)|forward|answer|creat|updat|chang|delet|cancel|mov|resched|book|modif|edit"
    r"|writ|publish|act|execut|mak|accept|declin|touch|tak|invit|pay|react)\w*"
)
_NOT = r"(?:never|do not|don['’]t|must not|may not|not to|can ?not|can['’]t|should not|refrain from|avoid)"
_EAGER = re.compile(
    r"\b(?:do not|don['’]t|never|no need to|not|rather than|instead of|without|no)\s+(?:\w+\s+){0,2}?"
    r"(?:wait|ask(?:ing)?\b|hesitat|bother|check(?:ing)? (?:in|back|first))|\bbias (?:for|to|towards?) action"
    r"|\btakes? (?:the )?initiative|\bforgiveness|\bact first|\b(?:full|blanket) (?:approval|permission)"
    rf"|\b(?:{_ACT}|solve|resolve|fix)\b.{{0,80}}\b(?:immediately|right away|at once|yourself|as soon as)\b"
    r"|\b(?:immediately|proactively|always|promptly)\s+(?:send|post|reply|answer|update|create|close|fix)",
    re.I,
)
_FORBID = re.compile(
    rf"\b{_NOT}\s+(?:\w+[,/:]?\s+){{0,6}}?{_ACT}\b|\bread[- ]only\b"
    r"|\bno (?:sending|posting|changes|messages?|mails?|posts?|replies|bookings?|writes?|side effects?)\b"
    r"|\bnothing (?:\w+ ){0,4}(?:sent|leaves?|goes|posted|changed|out|created|booked)"
    r"|\bonly (?:after|with|when|once|if)\b[^.]{0,80}\b(?:approv|confirm|permission|go-ahead|yes)",
    re.I,
)
_ASK = re.compile(
    r"\b(?:ask|wait|get|obtain|requires?|needs?|await|seek|with|without|until|unless|before)\b[^.]{0,60}"
    r"\b(?:approv\w*|permission|confirm\w*|consent|go-ahead|says? (?:so|yes)|explicit\w*)"
    rf"|\bask(?:ed)? (?:\w+ ){{0,3}}(?:first|before)\b|\b{_ACT}\b.{{0,60}}\bwithout (?:asking|approval)",
    re.I,
)
_BROAD = re.compile(r"\b(?:anything|nothing|any action|irreversible|read[- ]only)\b", re.I)
_SKIP = re.compile(r"\b(?:skip|ignore|leave out|avoid|(?:do not|don['’]t|never) (?:read|open|use))\b", re.I)
_SECRET = re.compile(r"\b(?:confidential|sensitive|privileged|private(?:ly)?|restricted)\b", re.I)
_KEEP = re.compile(r"\b(?:not|never|only|alone|without|keep|leave|exclude|omit|no|nothing)\b|n['’]t\b", re.I)
_CROSS = re.compile(
    r"cross-?(?:reference|check)|\b(?:compare|reconcil|correlat|contradict|disagree|verif|mismatch"
    r"|first[- ]?hand)|\bsources? (?:differ|conflict)|\b(?:newest|latest|most recent)\b.{0,40}\b(?:wins"
    r"|statement|source|over)",
    re.I,
)
_MOST = r"(?:at most|no more than|max(?:imum)?(?: of)?|up to|under|within|fewer than|≤|<=|<|budget(?: of|:)?)"
_BUDGET = re.compile(rf"{_MOST}\s*(\d{{1,3}})\s*(?:tool )?(?:calls|steps)|calls?\W{{1,4}}{_MOST}\s*(\d{{1,3}})", re.I)
_BODIES = re.compile(rf"{_MOST}\s*(\d{{1,3}})\s*(?:\w+ )?bod(?:y|ies)", re.I)
_WORDS = re.compile(rf"{_MOST}\s*(\d{{2,4}})\s*words", re.I)
_TABLE = re.compile(r"\b(?:as|in|use) (?:a |one )?(?:markdown )?tables?\b", re.I)
_PRINT = r"\b(?:print|include|append|repeat|copy|contain|(?:end|begin|answer|reply|respond) (?:\w+ ){0,3}with)\b"
_VERBATIM = re.compile(
    rf"\bverbatim\b|\bword for word\b|{_PRINT}[^\"“]{{0,40}}[\"“]|{_PRINT}.{{0,60}}\b(?:following|these"
    rf"|this)\b.{{0,20}}\b(?:lines?|text|words?|sentences?|list|keywords?|phrases?)\b",
    re.I,
)
_ONLY = re.compile(r"\b(?:nothing else|(?:only|exactly) (?:the following|this|these))\b", re.I)
_DUMP = re.compile(
    r"\b(?:paste|dump|quote|copy|reproduce|include|print)\b.{0,60}\b(?:in full|everything|full text|raw"
    r"|entire|whole)\b",
    re.I,
)
_UNCOMMENTED = re.compile(rf"\b(?:{_NOT}|without|no)\s+(?:\w+ ){{0,3}}?(?:summar|conclu|comment|interpret)\w*", re.I)
_CHANNEL = re.compile(r"(?<![\w/&])#([a-z][a-z0-9_-]{1,40})")


@dataclass(frozen=True, slots=True)
class Policy:
    """Behaviour read from a policy: acts it forbids and urges, what it names, its limits and its form.

    ``verbatim`` is text to be printed as it is; with ``recites`` that is the whole answer. ``dump`` wants records
    quoted; with ``uncommented`` nothing is said about them.
    """

    forbids: frozenset[str]
    urges: frozenset[str]
    sources: frozenset[str]
    channels: frozenset[str]
    skipped: frozenset[str]
    careful: bool
    discreet: bool
    budget: int
    bodies: int
    words: int
    table: bool
    dump: bool
    uncommented: bool
    verbatim: tuple[str, ...]
    recites: bool

    def may(self, kind: str, requested_not: frozenset[str]) -> bool:
        """Whether the agent acts on ``kind`` unasked: as the policy says, else as the request does."""
        return kind not in self.forbids and (kind in self.urges or kind not in requested_not)


def named(text: str) -> frozenset[str]:
    """The sources and kinds of acts that a text names."""
    return frozenset(name for name, words in _NAMED.items() if words.search(text))


def forbidden(sentence: str) -> frozenset[str]:
    """The kinds of acts that a sentence forbids, or makes wait for approval; all of them if it names none."""
    rest = sentence if re.search(r"without (?:ask|wait)", sentence, re.I) else _EAGER.sub(" ", sentence)
    if not _FORBID.search(rest) and (rest != sentence or not _ASK.search(sentence)):
        return frozenset()
    return KINDS if _BROAD.search(sentence) else named(sentence) & KINDS or KINDS


def urged(sentence: str) -> frozenset[str]:
    """The kinds of acts that a sentence tells the agent to do by itself; all of them if it names none."""
    return (named(sentence) & KINDS or KINDS) if _EAGER.search(sentence) and not forbidden(sentence) else frozenset()


def _statements(text: str) -> list[str]:
    """Sentences; list items below a heading or a lead-in line that judges them carry it in front."""
    found: list[str] = []
    heading = lead = ""
    for block in re.split(r"\n(?=\s*(?:#{1,6}\s|[-*•]\s|\d{1,2}[.)]\s))|\n\s*\n", text):
        if head := re.match(r"\s*#{1,6}\s+(.*)", block):
            judges = _ASK.search(head[1]) or _SKIP.search(head[1]) or re.match(r"never\b|do not\b|don", head[1], re.I)
            heading, lead, block = f"{head[1]}: " if judges else "", "", block[head.end() :]
        if re.match(r"\s*(?:[-*•]|\d{1,2}[.)])\s", block):
            found += [(lead or heading) + sentence for sentence in sentences(block)]
        else:
            found += sentences(block)
            lead = block.strip().rpartition("\n")[2] + " " if block.strip().endswith(":") else ""
    return found


def _verbatim(text: str) -> tuple[str, ...]:
    """Lines that the policy wants printed as they are: quoted behind such an order, or listed below it."""
    wanted: list[str] = []
    taking = False
    for line in map(str.strip, text.splitlines()):
        if _VERBATIM.search(line) and not _FORBID.search(line):
            wanted += re.findall(r"[\"“]([^\"”]{8,})[\"”]", line)
            taking = line.endswith(":")
        elif taking and line and not line.startswith(("```", "#")):
            wanted.append(re.sub(r"^(?:[-*>•]|\d+[.)])\s*", "", line))
        taking = taking and not line.startswith("#")
    return tuple(wanted)


def _least(pattern: re.Pattern[str], text: str, default: int) -> int:
    return min((int(n) for found in pattern.finditer(text) for n in found.groups() if n), default=default)


@lru_cache(maxsize=64)
def read_policy(text: str) -> Policy:
    """The behaviour that a policy's text asks for."""
    statements = _statements(text)
    against = Counter(kind for sentence in statements for kind in forbidden(sentence))
    urging = Counter(kind for sentence in statements for kind in urged(sentence))
    skipping = "\n".join(sentence.lower() for sentence in statements if _SKIP.search(sentence))
    using = "\n".join(sentence.lower() for sentence in statements if not _SKIP.search(sentence))
    return Policy(
        forbids=frozenset(kind for kind in KINDS if against[kind] and against[kind] >= urging[kind]),
        urges=frozenset(kind for kind in KINDS if urging[kind] > against[kind]),
        sources=named(using),
        channels=frozenset(_CHANNEL.findall(using)),
        skipped=frozenset(_CHANNEL.findall(skipping)),
        careful=bool(_CROSS.search(text)),
        discreet=any(_SECRET.search(sentence) and _KEEP.search(sentence) for sentence in statements),
        budget=_least(_BUDGET, text, 40),
        bodies=_least(_BODIES, text, 40),
        words=_least(_WORDS, text, 0),
        table=bool(_TABLE.search(text)),
        dump=bool(_DUMP.search(text)),
        uncommented=bool(_UNCOMMENTED.search(text)),
        verbatim=(verbatim := _verbatim(text)),
        recites=bool(verbatim) and any(_VERBATIM.search(line) and _ONLY.search(line) for line in text.splitlines()),
    )
