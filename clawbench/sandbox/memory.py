"""The memory tools: searching the notes, and reading one of them."""

from __future__ import annotations

from typing import Any

from .arguments import Arguments
from .attribution import line_count, spans_of_keys, spans_of_list
from .index import file_ref
from .result import ToolResult
from .state import State

_DEFAULT_RESULTS = 5
_MAX_RESULTS = 100
_MAX_WORDS = 64
_MAX_PATH = 255
_SCORE, _ROOT_SCORE = 0.85, 0.80


def memory_search(arguments: Arguments, state: State) -> ToolResult:
    """Lines that contain any of the words, those with most words first, each with its neighbours."""
    words = list(dict.fromkeys(arguments["query"].lower().split()))[:_MAX_WORDS]
    lowest = arguments.get("minScore", 0.0)
    hits: list[tuple[int, int, int]] = []  # minus the words found, the file's place, the line's place
    files = state.index.memory_lines
    for place, (_, _, lowered) in enumerate(files):
        for at, line in enumerate(lowered):
            count = sum([word in line for word in words])
            if count:
                hits.append((-count, place, at))
    hits.sort()
    results: list[dict[str, Any]] = []
    refs = []
    limit = min(arguments.get("maxResults", _DEFAULT_RESULTS), _MAX_RESULTS)
    for _, place, at in hits:
        path, lines, _ = files[place]
        score = _ROOT_SCORE if path == "MEMORY.md" else _SCORE
        if score < lowest:
            continue
        if len(results) == limit:
            break
        start, end = max(at - 1, 0), min(at + 3, len(lines))
        results.append(
            {
                "snippet": "\n".join(lines[start:end]),
                "path": path,
                "startLine": start + 1,
                "endLine": end,
                "score": score,
                "citation": f"{path}#L{start + 1}-L{end}",
            }
        )
        refs.append(file_ref(path))
    result = {"results": results, "provider": "mock", "citations": "on"}
    entries = [(ref, line_count(entry)) for ref, entry in zip(refs, results, strict=True)]
    return ToolResult(True, result, spans_of_list(result, "results", entries))


def memory_get(arguments: Arguments, state: State) -> ToolResult:
    """A memory file's text, or ``lines`` of it from line ``from`` on."""
    path = arguments["path"]
    memory = state.index.memory
    found = next((key for key in (key_of(path), f"memory/{key_of(path)}") if key in memory), None)
    if found is None:
        return ToolResult(False, {"path": path[:_MAX_PATH], "text": "", "error": "not found"})
    text = memory[found]
    if "from" in arguments or "lines" in arguments:
        start = arguments.get("from", 1) - 1
        lines = text.split("\n")
        text = "\n".join(lines[start : start + arguments.get("lines", len(lines))])
    result = {"path": found, "text": text}
    return ToolResult(True, result, spans_of_keys(result, {"text": (file_ref(found),)}))


def key_of(path: str) -> str:
    """A path as the workspace's files are keyed, if it is in the workspace; nothing else is done to it."""
    key = path.strip()
    for prefix in ("/workspace/", "workspace/", "~/"):
        if key.startswith(prefix):
            key = key[len(prefix) :]
            break
    while key.startswith("./"):
        key = key[2:]
    return key
