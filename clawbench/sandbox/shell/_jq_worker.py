"""The process that runs jq programs: reads framed requests, writes framed answers, holds nothing.

It is started with an empty environment as a plain script, so it imports nothing of the package. A request
may take ``CPU_SECONDS`` of processor time and ``MEMORY`` of address space; one that takes more ends the
process, and only itself with it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

CPU_SECONDS = 1.0
MEMORY = 512 * 1024 * 1024
MAX_ANSWER = 1024 * 1024


def answer(jq: Any, request: dict[str, Any]) -> dict[str, Any]:
    """``{"out": text, "last": …, "error": text, "stage": compile|input|run|""}`` for one request."""
    out: list[str] = []
    size = 0
    last: Any = None
    try:
        program = jq.compile(request["program"], args=request["args"])
    except ValueError as problem:
        return {"out": "", "last": "none", "error": str(problem), "stage": "compile"}
    error = stage = ""
    try:
        for value in results(program, request):
            last = value
            text = written(value, request)
            size += len(text)
            if size > MAX_ANSWER:
                return {"out": "", "last": "none", "error": "more than 1 MiB of output", "stage": "size"}
            out.append(text)
    except ValueError as problem:
        error, stage = str(problem), "input" if str(problem).startswith("parse error") else "run"
    except RecursionError:
        error, stage = "a value nested too deep", "run"
    kind = "none" if not out else "empty" if last is None or last is False else "value"
    return {"out": "".join(out), "last": kind, "error": error, "stage": stage}


def results(program: Any, request: dict[str, Any]) -> Iterator[Any]:
    """What the program gives for the request's input."""
    text = request["text"]
    if request["null"]:
        return iter(program.input_value(None))
    if request["raw_input"]:
        if request["slurp"]:
            return iter(program.input_value(text))
        lines = text.split("\n")
        return iter(program.input_values(lines[:-1] if lines[-1] == "" else lines))
    return iter(program.input_text(text, slurp=request["slurp"]))


def written(value: Any, request: dict[str, Any]) -> str:
    """One result as jq prints it."""
    if isinstance(value, str) and request["raw"]:
        return value if request["join"] else value + "\n"
    indent = request["indent"]
    text = json.dumps(
        value,
        ensure_ascii=request["ascii"],
        indent=indent or None,
        separators=(",", ": ") if indent else (",", ":"),
        sort_keys=request["sort"],
    )
    text = text.replace("\x7f", "\\u007f")
    return text if request["join"] else text + "\n"


def serve() -> None:
    """Answers requests until there are no more."""
    sys.path += sys.argv[1:2]
    import jq

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass  # Not every system has these; the time limit below holds everywhere.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    reader, writer = os.fdopen(0, "rb"), os.fdopen(1, "wb")
    reply(writer, {"ready": True})
    while header := reader.read(4):
        request = json.loads(reader.read(int.from_bytes(header, "big")))
        # The default action of SIGPROF ends the process even while jq's C code runs.
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        found = answer(jq, request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        reply(writer, found)


def reply(writer: Any, message: dict[str, Any]) -> None:
    """Writes one frame: its length in four bytes, then JSON."""
    data = json.dumps(message).encode()
    writer.write(len(data).to_bytes(4, "big") + data)
    writer.flush()


if __name__ == "__main__":
    serve()
