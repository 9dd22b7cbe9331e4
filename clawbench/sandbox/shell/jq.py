"""``jq``: the flags, the refusals, and what comes back from the worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from . import files
from .command import Output, failure
from .jq_program import readable
from .limits import MAX_STREAM, Exhausted
from .options import BadOption, parsed
from .streams import Call, lines_of, records_of, text_of

_CACHED_TEXT = 64 * 1024
_COST = 5000
_LONG = {
    "--raw-output": "r", "--compact-output": "c", "--exit-status": "e", "--null-input": "n", "--slurp": "s",
    "--raw-input": "R", "--join-output": "j", "--sort-keys": "S", "--monochrome-output": "M",
    "--color-output": "C", "--ascii-output": "a", "--unbuffered": "", "--tab": "", "--indent": "i",
}  # fmt: skip


def jq(call: Call) -> Output:
    """``jq [-rcensRjSa] [--arg NAME VALUE] [--argjson NAME JSON] PROGRAM [FILE…]``, exit codes as jq's.

    Programs that read the environment, the clock or files, or generate without end, are refused with exit 3.
    """
    try:
        argv, values = _values(list(call.argv))
        options, operands = parsed(argv, "rcensRjSMCa", "i", _LONG)
        given = dict(options)
        if not operands:
            raise BadOption("a program is missing")
        indent = given.get("i", "2")
        if indent not in tuple("01234567"):
            raise BadOption("cannot indent by that")
    except BadOption as problem:
        return failure(f"jq: error: {problem}", 2)
    program, refusal = readable(operands[0])
    if refusal:
        return failure(f"jq: error: {refusal}", 3)
    streams, errors = files.read(call, operands[1:])
    lines = files.together(streams) if streams else ()
    text = "" if "n" in given else text_of(lines).encode("utf-8", "replace").decode()
    call.meter.jq_run()
    call.meter.spend(_COST + len(text))
    request: dict[str, Any] = {
        "program": program.encode("utf-8", "replace").decode(),
        "args": values,
        "text": text,
        "null": "n" in given,
        "slurp": "s" in given,
        "raw_input": "R" in given,
        "raw": "r" in given or "j" in given,
        "join": "j" in given,
        "ascii": "a" in given,
        "sort": "S" in given,
        "indent": 0 if "c" in given else int(indent),
    }
    answer = _answered(request)
    if answer["stage"] == "size":
        raise Exhausted("jq: error: stopped: more than 1 MiB of output")
    records = records_of(lines if "n" not in given else (), call.argv)
    out = lines_of(answer["out"][:MAX_STREAM], records)
    return Output(out, _exit(answer, "e" in given, bool(errors)), [*errors, *_complaints(answer)])


def _values(argv: list[str]) -> tuple[list[str], dict[str, Any]]:
    values: dict[str, Any] = {}
    words: list[str] = []
    while argv:
        word = argv.pop(0)
        if word not in ("--arg", "--argjson"):
            words.append(word)
            continue
        if len(argv) < 2:
            raise BadOption(f"{word} takes two parameters (e.g. {word} name value)")
        name, text = str(argv.pop(0)), str(argv.pop(0))
        try:
            values[name] = json.loads(text) if word == "--argjson" else text.encode("utf-8", "replace").decode()
        except (ValueError, RecursionError):
            raise BadOption(f"invalid JSON text passed to --argjson {name[:40]}") from None
    return words, values


def _exit(answer: Mapping[str, Any], by_value: bool, missing: bool) -> int:
    stage = answer["stage"]
    if stage:
        return {"compile": 3, "input": 2}.get(stage, 5)
    if missing:
        return 2
    return {"none": 4, "empty": 1}.get(answer["last"], 0) if by_value else 0


def _complaints(answer: Mapping[str, Any]) -> list[str]:
    message = str(answer["error"])[:1000]
    if not answer["stage"]:
        return []
    if answer["stage"] == "compile":
        return [message if message.startswith("jq: ") else f"jq: error: {message}"]
    if answer["stage"] == "input":
        return [f"jq: {message}"]
    return [f"jq: error (at <stdin>): {message}"]


def _answered(request: Mapping[str, Any]) -> Mapping[str, Any]:
    key = json.dumps(request, sort_keys=True)
    return _remembered(key) if len(key) <= _CACHED_TEXT else _asked(key)


def _asked(key: str) -> Mapping[str, Any]:
    from .jq_process import WORKER, Died

    try:
        return WORKER.ask(json.loads(key))
    except Died:
        raise Exhausted("jq: error: stopped: the program needs too much time or memory") from None


_remembered = lru_cache(maxsize=128)(_asked)
