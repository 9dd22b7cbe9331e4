from __future__ import annotations

import pytest

from clawbench.sandbox import Sandbox

HOSTILE_PATHS = [
    "../x",
    "../../../../etc/passwd",
    "/etc/passwd",
    "/workspace/../etc/passwd",
    "..%2fUSER.md",
    "memory%2fclients.md",
    "memory/../USER.md",
    "memory/\x00clients.md",
    "clients.md\x00",
    "/proc/self/environ",
    "inbox.json",
    "tasks.json",
    "AGENTS.md.optimized",
    "scenarios/small.yaml",
    "../fixtures/small/inbox.json",
    "memory",
    "memory/",
    ".",
    "",
    "x" * 10_000,
    "~root/.ssh/id_rsa",
    "memory\\clients.md",
]


def test_search_has_the_public_shape(sandbox):
    result = sandbox.call("memory_search", {"query": "surprises $240,000"})
    assert result.result == {
        "results": [
            {
                "snippet": "# Clients\nClient Corp pays $240,000.\nPat hates surprises.\n",
                "path": "memory/clients.md",
                "startLine": 1,
                "endLine": 4,
                "score": 0.85,
                "citation": "memory/clients.md#L1-L4",
            },
            {
                "snippet": "Client Corp pays $240,000.\nPat hates surprises.\n",
                "path": "memory/clients.md",
                "startLine": 2,
                "endLine": 4,
                "score": 0.85,
                "citation": "memory/clients.md#L2-L4",
            },
        ],
        "provider": "mock",
        "citations": "on",
    }


def test_lines_with_more_of_the_words_come_first(sandbox):
    results = sandbox.call("memory_search", {"query": "clients approval", "maxResults": 1}).result["results"]
    assert [hit["path"] for hit in results] == ["memory/rules.md"]


def test_the_root_file_comes_last_and_scores_lower(sandbox):
    results = sandbox.call("memory_search", {"query": "clients"}).result["results"]
    assert [(hit["path"], hit["score"]) for hit in results][-1] == ("MEMORY.md", 0.80)
    above = sandbox.call("memory_search", {"query": "clients", "minScore": 0.82}).result["results"]
    assert "MEMORY.md" not in [hit["path"] for hit in above]


@pytest.mark.parametrize("query", ["", "   ", "zebra"])
def test_no_hit_is_no_result(sandbox, query):
    result = sandbox.call("memory_search", {"query": query})
    assert (result.ok, result.result["results"]) == (True, [])


def test_long_queries_are_bounded(sandbox):
    result = sandbox.call("memory_search", {"query": "a b c " * 15_000, "maxResults": 10**12})
    assert result.ok
    assert len(result.result["results"]) <= 100


@pytest.mark.parametrize(
    "path", ["memory/clients.md", "clients.md", "./memory/clients.md", "/workspace/memory/clients.md"]
)
def test_get_finds_a_file_by_its_usual_names(sandbox, world, path):
    assert sandbox.call("memory_get", {"path": path}).result == {
        "path": "memory/clients.md",
        "text": world.memory["memory/clients.md"],
    }


def test_get_gives_some_lines(sandbox):
    assert (
        sandbox.call("memory_get", {"path": "clients.md", "from": 2, "lines": "1"}).result["text"]
        == "Client Corp pays $240,000."
    )
    assert sandbox.call("memory_get", {"path": "clients.md", "from": 99}).result["text"] == ""
    assert sandbox.call("memory_get", {"path": "MEMORY.md"}).result["text"] == "Clients come first."


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_get_finds_nothing_else(sandbox, path):
    result = sandbox.call("memory_get", {"path": path})
    assert (result.ok, result.result["text"], result.result["error"]) == (False, "", "not found")
    assert len(result.handed) < 1000


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_read_finds_nothing_else(sandbox, path):
    result = sandbox.call("read", {"path": path})
    assert (result.ok, result.result["content"], result.result["error"]) == (False, "", "not found")
    assert len(result.handed) < 1000


@pytest.mark.parametrize("path", ["AGENTS.md", "./AGENTS.md", "/workspace/AGENTS.md", "~/AGENTS.md"])
def test_read_numbers_the_lines(sandbox, path):
    assert sandbox.call("read", {"path": path}).result == {
        "path": "AGENTS.md",
        "content": "  1\tBe careful.\n  2\tAsk first.",
    }


def test_read_gives_some_lines(sandbox):
    assert sandbox.call("read", {"path": "AGENTS.md", "from": 2}).result["content"] == "  2\tAsk first."
    assert sandbox.call("read", {"path": "memory/clients.md", "from": 2, "lines": 1}).result["content"] == (
        "  2\tClient Corp pays $240,000."
    )


def test_read_sees_what_the_agent_wrote(sandbox):
    sandbox.call("exec", {"command": "echo note > notes.md"})
    assert sandbox.call("read", {"path": "notes.md"}).result["content"] == "  1\tnote"


def test_the_policys_files_cannot_replace_memory(world):
    sandbox = Sandbox(world, files={"memory/clients.md": "mine", "MEMORY.md": "mine"})
    assert "mine" not in sandbox.call("read", {"path": "memory/clients.md"}).result["content"]
    assert "mine" not in sandbox.call("read", {"path": "MEMORY.md"}).result["content"]
