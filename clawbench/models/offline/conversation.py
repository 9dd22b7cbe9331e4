"""The conversation as the model reads it: policy, request, calls and results, and how attentive this run is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from clawbench.draws import draw

from .language import clocks, cue, cues, dates, says, sentences, stems
from .observe import Item, failed, merged, value_of

KINDS = frozenset({"mail", "slack", "calendar", "tasks"})
"""Where an agent can act; it can look there, and into memory, profile and pulls."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a policy forbids, urges and names; its limits; ``verbatim`` (``recites``: alone) is printed as it is."""

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


@dataclass(frozen=True, slots=True)
class Call:
    """One earlier call; ``arguments`` is its JSON text, ``command`` exec's shell text, else the arguments."""

    tool: str
    arguments: str
    command: str
    result: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Transcript:
    """System text, the user's request, the calls in order, and what the user said after an answer."""

    system: str
    request: str
    calls: tuple[Call, ...]
    replies: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """Every record seen so far, each once."""
        return merged(tuple(call.result for call in self.calls if not call.failed))

    def made(self, tool: str, part: str = "") -> list[Call]:
        """Earlier calls of ``tool`` whose command contains ``part``, whatever came of them."""
        return [call for call in self.calls if call.tool == tool and part in call.command]


@lru_cache(maxsize=2048)
def _command(arguments: str) -> str:
    value = value_of(arguments)
    command = value.get("command") if isinstance(value, dict) else None
    return command if isinstance(command, str) else arguments


def content_of(message: Mapping[str, Any]) -> str:
    """A message's text, whether it is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def read_transcript(messages: Sequence[Mapping[str, Any]]) -> Transcript:
    """The conversation, whatever shape its messages have; unknown parts are passed over."""
    asked: dict[str, tuple[str, str]] = {}
    calls: list[Call] = []
    answered = False
    texts: dict[object, list[str]] = {"system": [], "user": [], "reply": []}
    for message in messages:
        role, content, proposed = message.get("role"), content_of(message), message.get("tool_calls")
        if role in ("system", "user"):
            texts["reply" if role == "user" and answered else role].append(content)
        answered = answered or role == "assistant"
        for call in proposed if isinstance(proposed, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                asked[str(call.get("id"))] = (str(function.get("name")), str(function.get("arguments")))
        if role == "tool":
            name, arguments = asked.get(str(message.get("tool_call_id")), (str(message.get("name")), "{}"))
            calls.append(Call(name, arguments, _command(arguments), content, failed(content)))
    system, request = "\n\n---\n\n".join(texts["system"]), "\n\n".join(texts["user"])
    return Transcript(system, request, tuple(calls), tuple(texts["reply"]))


_NAME = re.compile(
    r"(?P<start>(?:^|[.!?:\n]\s*|\d[.)]\s+))?\b(?P<name>[A-Z][\w&'’-]*[a-z0-9](?: (?:& )?[A-Z][\w&'’-]*[a-z0-9])*)"
)
_NO_NAME = re.compile(
    r"(?:(?:Slack|Notion|GitHub|I['’]m|[A-Z]\w+day|Can|Check|Give|Triage|For|Don['’]t|What|Then|Please|If|The|My)\b ?)+"
)
_USER = re.compile(
    r"(?i)\bname\*{0,2}\s*(?::\*{0,2}|\n)\s*([A-Z][\w'’-]+(?: [A-Z][\w'’.-]+)+)"
    r"|\b(?:assist\w*|work\w* for|on behalf of|user is) ([A-Z][\w'’-]+ [A-Z][\w'’-]+)"
)


@dataclass(frozen=True, slots=True)
class Request:
    """The user's request, read. ``forbids`` holds kinds of acts, ``clocks`` minutes since midnight."""

    text: str
    wants: frozenset[str]
    forbids: frozenset[str]
    names: tuple[str, ...]
    terms: frozenset[str]
    clocks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """The system message apart: the policy, the user's own files, their name, and the stated day."""

    policy: str
    profile: str
    user: str
    day: date | None


@lru_cache(maxsize=256)
def read_request(text: str, user: str = "") -> Request:
    """What a request wants, forbids and names; ``user`` is the user's own name, which says nothing."""
    found = [(bool(m["start"]), _NO_NAME.sub("", m["name"]).strip()) for m in _NAME.finditer(text)]
    names = [name for first, name in found if len(name) > 2 and (" " in name or not first) and name not in user]
    return Request(
        text=text,
        wants=frozenset(want for want, pattern in cues("wants").items() if pattern.search(text)),
        forbids=frozenset().union(*map(forbidden, sentences(text))),
        names=tuple(dict.fromkeys(name for name in names if not any(name != n and name in n for n in names))),
        terms=stems(" ".join(part for part in sentences(text) if not forbidden(part))),
        clocks=clocks(text),
    )


@lru_cache(maxsize=64)
def read_situation(system: str) -> Situation:
    """The policy on one side, the user's own files and the identity in front of it on the other."""
    parts = [part for part in re.split(r"(?m)^---[ \t]*$", system) if part.strip()] or [""]
    own = [part for part in parts if re.match(r"\s*#\s*(?:USER|MEMORY)\.md\b", part)]
    about = "\n".join([*own, parts[0]])
    name = _USER.search(about)
    days = [day for line in re.findall(r"(?im)^.*\b(?:date|today)\b.*$", about) for day in dates(line, None)]
    policy = "\n\n".join(part for part in parts if part not in own)
    return Situation(policy, "\n\n".join(own), (name[1] or name[2]) if name else "", days[0] if days else None)


PER_UNIT = 500  # chance of a lapse per decision at temperature 1, in 1/10,000; at 0.7 it is 3.5 %


@dataclass(frozen=True, slots=True)
class Attention:
    """How attentive one run is. Equal seeds and temperatures lapse at the same decisions."""

    seed: int
    per_10_000: int

    @classmethod
    def at(cls, seed: int, temperature: str) -> Attention:
        """The attention at a temperature: no lapse at 0 or below, nor for text that is no number."""
        try:
            value = Decimal(temperature)
        except InvalidOperation:
            value = Decimal(0)
        return cls(seed, int(min(value, Decimal(10)) * PER_UNIT) if value.is_finite() and value > 0 else 0)

    def slips(self, decision: str) -> bool:
        """Whether this decision is one that the run gets wrong by inattention."""
        label = f"lapse:{decision}".encode("utf-8", "replace").decode()
        return self.per_10_000 > 0 and draw(str(self.seed), label, 10_000) < self.per_10_000
