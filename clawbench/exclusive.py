"""Exclusive claims: in what an answer says about a check's subject, only the true value may stand.

The *claim* is the check's pattern with the true value replaced by the shape of every possible value. Where it
matches, the answer speaks of the subject; every value in that window must be the true one. The window is the
clause that matches by itself, else the sentence or line, else the few sentences that match together. So "the
board says X, Slack says Y" is no contradiction in a claim about Slack, and a list of all values is one.

Windows follow from the answer and the shape alone, never from the truth, and each states a value. An answer
therefore states one set of values whatever is true, passes for at most one of them, and gains nothing by
naming several.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .patterns import Pattern

_TOGETHER = 4
_SENTENCE = re.compile(r"(?<=[.!?;])[ \t]+|\n")
_CLAUSE = re.compile(
    r",(?=\s)|[()—–]|\s-\s|\s(?:and|but|while|whereas|though|although|yet|however|unlike|versus|vs\.?|"
    r"rather than|instead of|not)\s",
    re.IGNORECASE,
)
_FROM = re.compile(rb"\bfrom[ *_#`]*$", re.IGNORECASE)
_TO = re.compile("[ *_`]*(?:to|→|->)[ *_#`]*".encode(), re.IGNORECASE)
_OR = re.compile(
    rb"[^\w]*(?:\w+[^\w]+)?or[^\w]+(?:(?:maybe|perhaps|possibly|else|even|at|by|around|in)[^\w]+){0,2}",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_GLUE = re.compile(
    "a|also|alternatively|an|and|be|could|either|else|even|is|it|may|maybe|might|nor|of|one|or|otherwise|"
    "perhaps|plus|possibly|probably|the|then|was"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What an exclusive check claims about one fact.

    ``claim`` finds where the answer speaks of it, ``shape`` any possible value; ``canon`` turns a text of
    that shape into the value's normal form, ``None`` if it is no value of the fact. ``true`` are the normal
    forms that may stand there; those in ``beside`` (of whatever else the pattern names) may too, but claim
    nothing. ``opened`` says that the pattern names the fact.
    """

    fact: str
    claim: Pattern
    shape: Pattern
    canon: Callable[[str], str | None]
    true: frozenset[str]
    beside: frozenset[str] = frozenset()
    opened: bool = True


def contradiction(claim: Claim, text: str, raw: bytes) -> str | None:
    """Another value that the answer states where only the true one may stand, as it is written, or ``None``.

    ``raw`` is ``text`` in UTF-8.
    """
    if _other(claim, raw) is None:
        return _hedge(claim, text) if b" or " in raw else None
    spans = _sentences(text)
    valued = [_valued(claim, text[start:end]) for start, end in spans]
    windows: list[str] = []
    for (start, end), has_value in zip(spans, valued, strict=True):
        if has_value:
            windows += [window for window in _within(claim, text[start:end]) if _valued(claim, window)]
    for window in windows or _across(claim, text, spans, valued):
        other = _other(claim, window.encode())
        if other is not None:
            return other
    return _hedge(claim, text) if b" or " in raw else None


def _hedge(claim: Claim, text: str) -> str | None:
    """What a sentence with the claim offers beside the true value: "at 2:10 or 4:50", also outside the pool.

    A value that may stand beside the true one is no hedge if the sentence makes the claim only with it.
    """
    for start, end in _sentences(text):
        raw = text[start:end].encode()
        if b" or " not in raw or not claim.claim.search(raw):
            continue
        for pair in pairwise(claim.shape.finditer(raw)):
            if not _OR.fullmatch(raw, pair[0].span()[1], pair[1].span()[0]):
                continue
            values: list[str] = [match.group().decode("utf-8", "replace") for match in pair]
            forms = [claim.canon(value) for value in values]
            for match, value, form, rival in zip(pair, values, forms, reversed(forms), strict=True):
                if rival not in claim.true or form in claim.true:
                    continue
                if form not in claim.beside or claim.claim.search(_without(raw, *match.span())):
                    return value
    return None


def _without(raw: bytes, start: int, end: int) -> bytes:
    """``raw`` with blanks for what stands between ``start`` and ``end``."""
    return raw[:start] + b" " * (end - start) + raw[end:]


def _sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences and lines of ``text`` that say something begin and end."""
    cuts = [(found.start(), found.end()) for found in _SENTENCE.finditer(text)]
    starts = [0, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), len(text)]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if text[start:end].strip()]


def _values(claim: Claim, raw: bytes) -> Iterator[tuple[str, str]]:
    """The values in ``raw`` that claim something, as written and in their normal form.

    What something was moved from claims nothing if the value that it was moved to follows.
    """
    held: tuple[int, str, str] | None = None
    for match in claim.shape.finditer(raw):
        value = match.group().decode("utf-8", "replace")
        canon = claim.canon(value)
        if canon is None or canon in claim.beside:
            continue
        start, end = match.span()
        if held is not None and not _TO.fullmatch(raw, held[0], start):
            yield held[1:]
        held = None
        if _FROM.search(raw, max(0, start - 12), start):
            held = (end, value, canon)
        else:
            yield value, canon
    if held is not None:
        yield held[1:]


def _other(claim: Claim, raw: bytes) -> str | None:
    """The first value in ``raw`` that is not the true one."""
    for value, canon in _values(claim, raw):
        if canon not in claim.true:
            return value
    return None


def _valued(claim: Claim, text: str) -> bool:
    return next(_values(claim, text.encode()), None) is not None


def _speaks(claim: Claim, text: str) -> bool:
    return claim.claim.search(text.encode()) is not None


def _speaks_of_a_value(claim: Claim, text: str) -> bool:
    """Whether ``text`` makes the claim by a value, if the pattern names the fact, not by what else it names."""
    raw = text.encode()
    if not claim.opened:
        return claim.claim.search(raw) is not None
    plain = raw
    for match in claim.shape.finditer(raw):
        if claim.canon(match.group().decode("utf-8", "replace")) is None:
            plain = _without(plain, *match.span())
    matches = claim.claim.finditer(plain)
    return any(next(_values(claim, match.group()), None) is not None for match in matches)


def _within(claim: Claim, sentence: str) -> list[str]:
    """The clauses of a sentence that make the claim by themselves; else the fewest together; else the sentence.

    A clause may make it with a number that is no value of the fact: then the others are not meant.
    """
    clauses = _clauses(claim, sentence)
    for count in range(1, min(len(clauses), _TOGETHER + 1)):
        runs = ["".join(clauses[first : first + count]) for first in range(len(clauses) - count + 1)]
        windows = [run for run in runs if _speaks(claim, run) and (count == 1 or _valued(claim, run))]
        if windows:
            return windows
    return [sentence] if _speaks(claim, sentence) else []


def _clauses(claim: Claim, sentence: str) -> list[str]:
    """The sentence cut at commas, brackets and contrasts; a clause that only lists values joins the last."""
    start = 0
    last_is_bare = False
    clauses: list[str] = []
    for cut in [*(found.start() for found in _CLAUSE.finditer(sentence)), len(sentence)]:
        clause = sentence[start:cut]
        is_bare = _bare(claim, clause)
        if clauses and (is_bare or last_is_bare):
            clauses[-1] += clause
            last_is_bare = last_is_bare and is_bare
        else:
            clauses.append(clause)
            last_is_bare = is_bare
        start = cut
    return clauses


def _bare(claim: Claim, clause: str) -> bool:
    """Whether a clause has no words of its own beside values and what joins them in a list."""
    raw = clause.encode()
    rest = bytearray(raw)
    for match in claim.shape.finditer(raw):
        start, end = match.span()
        rest[start:end] = b" " * (end - start)
    return all(_GLUE.fullmatch(word) for word in _WORD.findall(rest.decode("utf-8", "replace").lower()))


def _across(claim: Claim, text: str, spans: Sequence[tuple[int, int]], valued: Sequence[bool]) -> list[str]:
    """The shortest runs of sentences that make the claim together; else everything said.

    A pattern that names the fact has matched. Unless it did so by something else that it names, the answer
    states the true value somewhere: it must not stand beside others.
    """
    for count in range(2, _TOGETHER + 1):
        windows = []
        for first in range(len(spans) - count + 1):
            if any(valued[first : first + count]):
                window = text[spans[first][0] : spans[first + count - 1][1]]
                if _speaks_of_a_value(claim, window):
                    windows.append(window)
        if windows:
            return windows
    stated = claim.opened and any(canon in claim.true for _, canon in _values(claim, text.encode()))
    return [text] if stated else []
