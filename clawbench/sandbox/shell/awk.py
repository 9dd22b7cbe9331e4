"""``awk`` as far as agents use it: an optional condition, then ``{print …}`` of fields and texts."""

from __future__ import annotations

import re

from . import files, patterns
from .command import Output, failure
from .limits import grown
from .options import BadOption, parsed
from .streams import Call, made, records_of
from .words import unescaped

_PROGRAM = re.compile(
    r"\s*(?:NR\s*(==|!=|>=|<=|>|<)\s*([0-9]{1,9})|(!?)/((?:[^/\\]|\\.)*)/)?\s*(?:\{\s*print\b([^{}]*?);?\s*\})?\s*",
    re.S,
)
_ITEM = re.compile(r'\s*(?:\$(NF|[0-9]{1,4})|(NR|NF)|"((?:[^"\\]|\\.)*)"|(,))', re.S)


def awk(call: Call) -> Output:
    """``awk [-F SEPARATOR] '[NR==N | /re/] {print …}' [FILE…]``; anything else is refused with exit 2."""
    try:
        options, operands = parsed(call.argv, "", "F")
        match = _PROGRAM.fullmatch(operands[0]) if operands else None
        if match is None or not match[0].strip():
            raise BadOption("only [NR==N or /re/] {print FIELDS} is supported here")
        items = _items(match[5] or "")
        pattern = patterns.compiled(patterns.whole((match[4],), "extended", False)) if match[4] is not None else None
    except (BadOption, patterns.BadPattern) as problem:
        return failure(f"awk: {problem}", 2)
    separator = unescaped(dict(options).get("F", " "))
    try:
        splitter = (
            None
            if separator == " "
            else re.compile(
                re.escape(separator) if len(separator) == 1 else f"(?:{patterns.translated(separator, 'fixed')})"
            )
        )
    except patterns.BadPattern as problem:
        return failure(f"awk: {problem}", 2)
    streams, errors = files.read(call, operands[1:])
    lines = files.together(streams) if streams else ()
    records = records_of(lines, call.argv)
    if pattern is not None:
        patterns.charge(call.meter, pattern, sum([len(line.text) for line in lines]))
    out = []
    size = 0
    for number, line in enumerate(lines, 1):
        if pattern is not None and (pattern.search(line.text.encode("utf-8", "replace")) is None) == (not match[3]):
            continue
        if match[1] and not _compared(number, match[1], int(match[2])):
            continue
        if not items:
            out.append(line)
            continue
        fields = splitter.split(line.text) if splitter else line.text.split()
        values = {
            "NR": str(number),
            "NF": str(len(fields)),
            "0": line.text,
            "$NF": fields[-1] if fields else "",
        }
        text = "".join([_value(item, values, fields) for item in items])
        size += len(text)
        grown(size)
        out.append(line if items == ["$0"] else made(text, records))
    return Output(out, 2 if errors else 0, errors)


def _items(text: str) -> list[str]:
    items: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = _ITEM.match(text, at)
        if match is None:
            raise BadOption("only fields, texts, NR and NF can be printed here")
        at = match.end()
        items.append("$" + match[1] if match[1] else match[2] or ("' " if match[4] else "'" + unescaped(match[3])))
    return items if items else ["$0"] if text.strip() else []


def _value(item: str, values: dict[str, str], fields: list[str]) -> str:
    if item[0] == "'":
        return item[1:]
    if item in values:
        return values[item]
    number = int(item[1:])
    return values["0"] if number == 0 else fields[number - 1] if number <= len(fields) else ""


def _compared(number: int, operator: str, other: int) -> bool:
    order = (number > other) - (number < other)
    return order in {"==": (0,), "!=": (-1, 1), ">": (1,), "<": (-1,), ">=": (0, 1), "<=": (-1, 0)}[operator]
