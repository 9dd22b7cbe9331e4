from __future__ import annotations

from dataclasses import replace

import pytest

from clawbench.sandbox import Sandbox
from clawbench.world import Record


@pytest.mark.parametrize(
    "query", ["export cursor bug", "Export  CURSOR bug", "bug with the cursor in our export", "cursor"]
)
def test_a_near_query_has_the_hits(sandbox, query):
    result = sandbox.call("web_search", {"query": query}).result
    assert [hit["title"] for hit in result["results"]] == ["Cursors", "Exports"]
    assert (result["query"], result["provider"], result["count"], result["cached"]) == (
        query,
        "brave",
        2,
        False,
    )


@pytest.mark.parametrize("query", ["weather in Oslo", "", "exporters"])
def test_another_query_has_none(sandbox, query):
    result = sandbox.call("web_search", {"query": query})
    assert (result.ok, result.result["count"], result.result["results"]) == (True, 0, [])


def test_a_star_answers_what_nothing_else_does(world):
    hit = Record("search/any", {"title": "Any", "url": "https://any.example", "description": ""})
    sandbox = Sandbox(replace(world, searches={**world.searches, "*": (hit,)}))
    assert sandbox.call("web_search", {"query": "weather"}).result["results"][0]["title"] == "Any"
    assert sandbox.call("web_search", {"query": "cursor"}).result["results"][0]["title"] == "Cursors"


def test_count_limits(sandbox):
    assert sandbox.call("web_search", {"query": "export cursor bug", "count": 1}).result["count"] == 1


@pytest.mark.parametrize(
    "url",
    ["https://docs.example/c", "https://docs.example/c/", "http://www.docs.example/c#top", "docs.example/c"],
)
def test_a_page_is_fetched(sandbox, url):
    assert sandbox.call("web_fetch", {"url": url}).result == {
        "url": url,
        "finalUrl": url,
        "status": 200,
        "contentType": "text/html",
        "title": "Cursors",
        "extractMode": "markdown",
        "extractor": "mock",
        "truncated": False,
        "length": 16,
        "text": "A cursor\nmoves.",
        "cached": False,
    } | {"length": len("A cursor\nmoves.")}


def test_a_long_page_is_cut(sandbox):
    result = sandbox.call("web_fetch", {"url": "https://docs.example/c", "maxChars": 8, "extractMode": "text"}).result
    assert (result["text"], result["length"], result["truncated"], result["extractMode"]) == (
        "A cursor",
        8,
        True,
        "text",
    )


@pytest.mark.parametrize(
    "url",
    ["https://other.example", "file:///etc/passwd", "", "https://docs.example", "http://[", "x" * 50_000],
)
def test_an_unknown_page_is_not_found(sandbox, url):
    result = sandbox.call("web_fetch", {"url": url})
    assert (result.ok, result.result["status"], result.result["error"], result.result["text"]) == (
        False,
        404,
        "Not Found",
        "",
    )
    assert len(result.handed) < 6000
