"""The web tools: a search and a fetch over the pages that a scenario brings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..world import Record, World
from .arguments import Arguments
from .attribution import entry_size, spans_of_keys, spans_of_list
from .result import ToolResult
from .state import State

_DEFAULT_COUNT = 10
_DEFAULT_CHARS = 50_000
_WORD = re.compile(r"\w+")
_MAX_QUERY = 1000
_MAX_URL = 2048


def web_search(arguments: Arguments, state: State) -> ToolResult:
    """The hits of the scenario's query that is nearest to this one; none if none is near."""
    query = arguments["query"]
    records = _nearest(query[:_MAX_QUERY], state.world)
    records = records[: arguments.get("count", _DEFAULT_COUNT)]
    once = state.index.once
    result = {
        "query": query[:_MAX_QUERY],
        "provider": "brave",
        "count": len(records),
        "tookMs": 234,
        "cached": False,
        "results": [record.data for record in records],
    }
    entries = [(record.ref, once(record, entry_size)) for record in records]
    return ToolResult(True, result, spans_of_list(result, "results", entries))


def _nearest(query: str, world: World) -> Sequence[Record]:
    """The hits of the same query in any letter case, else of the one that shares most words with it.

    At least half the words of the shorter of both must be shared; ``*`` answers what nothing else does.
    """
    wanted = " ".join(query.lower().split())
    words = frozenset(_WORD.findall(wanted))
    best: tuple[int, Sequence[Record]] = (0, world.searches.get("*", ()))
    for known, records in world.searches.items():
        lowered = " ".join(known.lower().split())
        if lowered == wanted:
            return records
        have = frozenset(_WORD.findall(lowered))
        shared = len(words & have)
        if 2 * shared >= min(len(words), len(have)) and shared > best[0]:
            best = (shared, records)
    return best[1]


def web_fetch(arguments: Arguments, state: State) -> ToolResult:
    """A page's text; status 404 for an address that the scenario does not know."""
    url = arguments["url"]
    mode = "text" if arguments.get("extractMode") == "text" else "markdown"
    page = state.world.pages.get(url) or _pages(state).get(_canonical(url))
    found = page is not None
    text = str(page.data.get("text", "")) if page else ""
    limit = arguments.get("maxChars", _DEFAULT_CHARS)
    cut = text[:limit]
    result = {
        "url": url[:_MAX_URL],
        "finalUrl": url[:_MAX_URL],
        "status": 200 if found else 404,
        "contentType": "text/html",
        "title": str(page.data.get("title", "")) if page else "",
        "extractMode": mode,
        "extractor": "mock",
        "truncated": len(cut) < len(text),
        "length": len(cut),
        "text": cut,
        "cached": False,
    }
    if page is None:
        return ToolResult(False, {**result, "error": "Not Found"})
    refs = () if page.ref is None else (page.ref,)
    return ToolResult(True, result, spans_of_keys(result, {"title": refs, "text": refs}))


def _pages(state: State) -> dict[str, Record]:
    return {_canonical(url): page for url, page in state.world.pages.items()}


def _canonical(url: str) -> str:
    """An address without scheme, ``www.``, fragment and last slash, in lower case up to the path."""
    bare = url.strip().partition("#")[0].partition("://")[2] or url.strip().partition("#")[0]
    host, slash, path = bare.partition("/")
    return (host.lower().removeprefix("www.") + slash + path).rstrip("/")
