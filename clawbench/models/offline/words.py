"""Text as the offline model sees it: sentences, word stems, names, and how much two texts share."""

from __future__ import annotations

import re
from functools import lru_cache

MAX_TEXT = 20_000  # characters of one text that are looked at; the rest is passed over
_STOP_WORDS = """
about above after again all already also and any anyone are around ask back because been before being below both but can
come could day did does doing don done down each even every few for from get give going got had has have having her here
him his how into its just keep know let like look make makes many may more most much must need needs new nor not now off
once one only other our out over own per please put really right said same say see send set she should some still such
sure take than thank thanks that the their them then there these they thing this those through till time today tomorrow
too under until very via want was way well were what when where which while who will with would yes you your urgent week
"""
_STOP = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:['’.&][A-Za-z0-9]+)*|\d{3,}")
_SPLIT = re.compile(r"(?<=[.!?…])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\b[DM]r\.)(?<!\b[A-Z]\.)[\"')\]*_]*\s+")
_MARKER = re.compile(r"^\s*(?:[-*•·>]+|\(?\d{1,2}[.)]|#{1,6}|\[[ xX]?\])\s+")
_SUFFIX = re.compile(r"(?:'s|’s|ings?|ers?|ed|es|s|e)$")


@lru_cache(maxsize=8192)
def stems(text: str) -> frozenset[str]:
    """The rough stems of a text's content words, so that ``exports`` meets ``exporting``; and long numbers."""
    words = {word for word in _WORD.findall(text[:MAX_TEXT].lower()) if len(word) > 2 and word not in _STOP}
    cut = ((word, _SUFFIX.sub("", word) if len(word) > 3 else "") for word in words)
    return frozenset(short if len(short) >= 3 else word for word, short in cut)


@lru_cache(maxsize=4096)
def sentences(text: str) -> tuple[str, ...]:
    """A text's sentences in order: hard-wrapped lines joined, list items and ``Field:`` lines apart."""
    joined: list[str] = []
    wrapped = False
    for line in text[:MAX_TEXT].splitlines():
        bare = line.strip()
        apart = _MARKER.match(line) or re.match(r"[A-Z][\w ]{2,24}: ", bare)
        if bare and joined and not apart and (wrapped or bare[0].islower()):
            joined[-1] += " " + bare
        elif bare:
            joined.append(_MARKER.sub("", bare))
        wrapped = len(bare) >= 50 and not re.search(r"[.!?:;…]['\")*_]*$", bare)
    return tuple(part.strip() for line in joined for part in _SPLIT.split(line) if part.strip(" -_=—"))


def overlap(one: str, other: str) -> int:
    """How many stems two texts share."""
    return len(stems(one) & stems(other))


@lru_cache(maxsize=2048)
def person(handle: str) -> str:
    """A readable name for an address or handle: ``dana.reeves@corp.example`` is ``Dana Reeves``."""
    named = re.match(r"\s*\"?([^\"<@]{2,60}?)\"?\s*<", handle)
    local = named[1] if named else handle.strip().lstrip("@").split("@")[0]
    plain = re.fullmatch(r"[a-z0-9]+(?:[._][a-z0-9]+)*", local)
    return (" ".join(map(str.capitalize, re.split(r"[._]", local))) if plain else local)[:60]


def first_name(handle: str) -> str:
    """The first word of :func:`person`."""
    return (person(handle).split() or ["there"])[0]


def clipped(text: str, limit: int) -> str:
    """The text on one line, cut at a word before ``limit`` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[:limit].rpartition(" ")[0].rstrip(" ,;:-") + " …"
