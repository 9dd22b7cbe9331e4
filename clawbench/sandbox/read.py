"""The read tool: files of the workspace, looked up in a dictionary and never on a disk."""

from __future__ import annotations

from .arguments import Arguments
from .attribution import spans_of_keys
from .memory import key_of
from .result import ToolResult
from .shell import files
from .state import State

_MAX_PATH = 255
_DEFAULT_LINES = 2000


def read(arguments: Arguments, state: State) -> ToolResult:
    """A file's numbered lines: the policy's and the user's files, memory, and what the agent wrote."""
    path = arguments["path"]
    key = key_of(path)
    lines = files.contents(state, key)
    if lines is None:
        return ToolResult(False, {"path": path[:_MAX_PATH], "content": "", "error": "not found"})
    start = arguments.get("from", 1)
    chosen = lines[start - 1 : start - 1 + arguments.get("lines", _DEFAULT_LINES)]
    refs = tuple(dict.fromkeys(ref for line in chosen for ref in line.records))
    derived = any(line.derived for line in chosen)
    content = "\n".join([f"  {number}\t{line.text}" for number, line in enumerate(chosen, start)])
    result = {"path": key, "content": content}
    return ToolResult(True, result, spans_of_keys(result, {"content": refs}, derived))
