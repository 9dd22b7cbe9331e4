"""Reads a jq program far enough to refuse what would make its result depend on the host or on time.

A program's result must be a function of its text and input. So whatever reads the environment, the clock,
files or further inputs, and whatever generates without end, is refused by name before jq sees it. Names count
only where jq would read them as functions: not in strings, fields (``.range``), object keys or variables.
"""

from __future__ import annotations

import re

MAX_PROGRAM = 8192
MAX_NESTING = 100
MAX_REPEAT = 1000

REFUSED = frozenset({
    "combinations", "debug", "def", "env", "get_search_list", "halt", "halt_error", "import", "include",
    "input", "input_filename", "input_line_number", "inputs", "localtime", "modulemeta", "now", "range",
    "repeat", "stderr", "strflocaltime", "until", "while",
})  # fmt: skip
"""Functions that are not available."""

REFUSED_VARIABLES = frozenset({"ENV", "__loc__", "__prog_args", "__prog_name"})

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n]+)"
    r"|(?P<comment>\#[^\n]*)"
    r"|(?P<dots>\.\.)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<field>\.[a-zA-Z_][a-zA-Z_0-9]*)"
    r"|(?P<format>@[a-zA-Z0-9_]+)"
    r"|(?P<variable>\$[ \t\r\n]*(?:[a-zA-Z_][a-zA-Z_0-9]*::)*[a-zA-Z_][a-zA-Z_0-9]*)"
    r"|(?P<name>(?:[a-zA-Z_][a-zA-Z_0-9]*::)*[a-zA-Z_][a-zA-Z_0-9]*)"
    r"|(?P<mark>.)",
    re.S,
)
_STRING = re.compile(r"[^\"\\]+|\\[^(]", re.S)
_PAIRS = {")": "(", "]": "[", "}": "{"}


def readable(program: str) -> tuple[str, str]:
    """The program as jq is to get it, comments left out, and why it is refused, empty if it isn't."""
    if len(program) > MAX_PROGRAM:
        return "", f"a program longer than {MAX_PROGRAM} characters is not available here"
    kept: list[str] = []
    open_marks: list[str] = []
    before = two_before = ""
    at = 0
    while at < len(program):
        match = _TOKEN.match(program, at)
        if match is None:
            break
        at, kind, text = match.end(), match.lastgroup, match[0]
        if kind in ("blank", "comment"):
            kept.append(" ")
            continue
        if text == '"' or (text == ")" and open_marks and open_marks[-1] == '"('):
            # Either a string begins here, or it goes on after what was interpolated into it.
            if text == ")":
                open_marks.pop()
            kept.append(text)
            while at < len(program) and (piece := _STRING.match(program, at)):
                kept.append(piece[0])
                at = piece.end()
            if program.startswith("\\(", at):
                kept.append("\\(")
                open_marks.append('"(')
                at += 2
                before, two_before = "(", before
            else:
                kept.append(program[at : at + 1])
                at += 1
                if before == "*" and _large(two_before):
                    return "", f"repeating a text more than {MAX_REPEAT} times is not available here"
                before, two_before = '"', before
        else:
            kept.append(text)
            if reason := _refusal(kind or "", text, program[at : at + 200], open_marks, before, two_before):
                return "", reason
            is_name = kind == "name" and not _is_key(open_marks, before)
            if text in ("(", "[", "{") or (is_name and text == "if"):
                open_marks.append(text)
            elif open_marks and open_marks[-1] == ("if" if is_name and text == "end" else _PAIRS.get(text)):
                open_marks.pop()
            before, two_before = text, before
        if len(open_marks) > MAX_NESTING:
            return "", f"nesting deeper than {MAX_NESTING} is not available here"
    return "".join(kept), ""


def _refusal(kind: str, text: str, rest: str, open_marks: list[str], before: str, two_before: str) -> str:
    if kind == "variable" and text[1:].strip() in REFUSED_VARIABLES:
        return f"${text[1:].strip()} is not available here"
    if kind == "number" and before == "*" and two_before == '"' and _large(text):
        return f"repeating a text more than {MAX_REPEAT} times is not available here"
    if kind != "name" or _is_key(open_marks, before):
        return ""
    if text in REFUSED or before == "$" or "::" in text:
        return f"{text} is not available here"
    if text == "recurse" and re.match(r"\s*(?:#[^\n]*\n\s*)*\(", rest):
        return "recurse(f) is not available here"
    return ""


def _is_key(open_marks: list[str], before: str) -> bool:
    return bool(open_marks) and open_marks[-1] == "{" and before in ("{", ",")


def _large(number: str) -> bool:
    try:
        return float(number) > MAX_REPEAT
    except ValueError:
        return False
