"""What a policy's sentences ask for, each read on its own; one that forbids nothing leaves an eager assistant."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from .vocabulary import cue, cues, says
from .words import sentences

KINDS = frozenset({"mail", "slack", "calendar", "tasks"})
"""Where an agent can act; it can look there, and into memory, profile and pulls."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Acts that a policy forbids and urges, what it names, its limits and its form.

    ``verbatim`` is printed as it is, with ``recites`` alone; ``dump`` quotes records, with ``uncommented`` only that.
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
    return frozenset(name for name, words in cues("about").items() if words.search(text))


def forbidden(sentence: str) -> frozenset[str]:
    """The kinds of acts that a sentence forbids, or makes wait for approval; all of them if it names none."""
    rest = sentence if re.search(r"(?i)without (?:ask|wait)", sentence) else cue("urges").sub(" ", sentence)
    if not says("forbids", rest) and (rest != sentence or not says("waits", sentence)):
        return frozenset()
    return KINDS if says("broad", sentence) else named(sentence) & KINDS or KINDS


def urged(sentence: str) -> frozenset[str]:
    """The kinds of acts that a sentence tells the agent to do by itself; all of them if it names none."""
    return (named(sentence) & KINDS or KINDS) if says("urges", sentence) and not forbidden(sentence) else frozenset()


def _statements(text: str) -> list[str]:
    """Sentences; list items below a heading or a lead-in line that judges them carry it in front."""
    found: list[str] = []
    heading = lead = ""
    for block in re.split(r"\n(?=\s*(?:#{1,6}\s|[-*•]\s|\d{1,2}[.)]\s))|\n\s*\n", text):
        if head := re.match(r"\s*#{1,6}\s+(.*)", block):
            judges = says("waits", head[1]) or says("skips", head[1]) or re.match(r"(?i)never\b|don|do not", head[1])
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
        if says("verbatim", line) and not says("forbids", line):
            wanted += re.findall(r"[\"“]([^\"”]{8,})[\"”]", line)
            taking = line.endswith(":")
        elif taking and line and not line.startswith(("```", "#")):
            wanted.append(re.sub(r"^(?:[-*>•]|\d+[.)])\s*", "", line))
        taking = taking and not line.startswith("#")
    return tuple(wanted)


def _least(name: str, text: str, default: int) -> int:
    return min((int(n) for found in cue(name).finditer(text) for n in found.groups() if n), default=default)


@lru_cache(maxsize=64)
def read_policy(text: str) -> Policy:
    """The behaviour that a policy's text asks for."""
    statements, verbatim = _statements(text), _verbatim(text)
    against = Counter(kind for sentence in statements for kind in forbidden(sentence))
    urging = Counter(kind for sentence in statements for kind in urged(sentence))
    skipping = "\n".join(sentence.lower() for sentence in statements if says("skips", sentence))
    using = "\n".join(sentence.lower() for sentence in statements if not says("skips", sentence))
    return Policy(
        forbids=frozenset(kind for kind in KINDS if against[kind] and against[kind] >= urging[kind]),
        urges=frozenset(kind for kind in KINDS if urging[kind] > against[kind]),
        sources=named(using),
        channels=frozenset(cue("channel").findall(using)),
        skipped=frozenset(cue("channel").findall(skipping)),
        careful=bool(says("compares", text)),
        discreet=any(says("sensitive", sentence) and says("withholds", sentence) for sentence in statements),
        budget=_least("budget", text, 40),
        bodies=_least("bodies", text, 40),
        words=_least("length", text, 0),
        table=bool(says("table", text)),
        dump=bool(says("dump", text)),
        uncommented=bool(says("uncommented", text)),
        verbatim=verbatim,
        recites=bool(verbatim) and any(says("verbatim", line) and says("alone", line) for line in text.splitlines()),
    )
