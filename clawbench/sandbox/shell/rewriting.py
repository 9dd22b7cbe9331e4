"""The filters that make new lines: what they hand over is derived from the records of all that went in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clawbench.sandbox.state import Line

from . import files
from .command import Output, failure
from .limits import grown
from .options import BadOption, parsed
from .streams import Call, Unended, like, made, records_of, text_of
from .words import unescaped

_CLASSES = {
    "lower": "abcdefghijklmnopqrstuvwxyz",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "digit": "0123456789",
    "space": " \t\n\r\f\v",
    "blank": " \t",
    "punct": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
}
_CLASSES["alpha"] = _CLASSES["upper"] + _CLASSES["lower"]
_CLASSES["alnum"] = _CLASSES["digit"] + _CLASSES["alpha"]
_CLASSES["cntrl"] = "".join(map(chr, [*range(32), 127]))
_CLASSES["print"] = "".join(map(chr, range(32, 127)))
_CLASSES["graph"] = "".join(map(chr, range(33, 127)))
_MAX_SET = 4096


def wc(call: Call) -> Output:
    """``wc [-lwcm] [FILE…]``."""
    try:
        options, operands = parsed(
            call.argv, "lwcm", "", {"--lines": "l", "--words": "w", "--bytes": "c", "--chars": "m"}
        )
    except BadOption as problem:
        return failure(f"wc: {problem}")
    chosen = [letter for letter in "lwmc" if (letter, "") in options] or ["l", "w", "c"]
    streams, errors = files.read(call, operands)
    rows: list[tuple[list[int], str]] = []
    out: list[Line] = []
    for path, lines in streams:
        text = text_of(lines)
        counts: dict[str, int] = {"l": len(lines) - isinstance(lines, Unended), "m": len(text)}
        counts["w"] = sum([len(line.text.split()) for line in lines]) if "w" in chosen else 0
        counts["c"] = len(text.encode("utf-8", "replace"))
        rows.append(([counts[letter] for letter in chosen], "" if path == "-" and not operands else f" {path}"))
    records = records_of([line for _, lines in streams for line in lines])
    if len(rows) > 1:
        rows.append(([sum(column) for column in zip(*[numbers for numbers, _ in rows], strict=True)], " total"))
    width = 1 if len(rows) == 1 and len(chosen) == 1 else 7
    for numbers, name in rows:
        out.append(made(" ".join([f"{count:{width}d}" for count in numbers]) + name, records))
    return Output(out, 1 if errors else 0, errors)


def rev(call: Call) -> Output:
    """``rev [FILE…]``."""
    streams, errors = files.read(call, call.argv[1:])
    lines = files.together(streams) if streams else ()
    records = records_of(lines)
    return Output(like(lines, [made(line.text[::-1], records) for line in lines]), 1 if errors else 0, errors)


def cut(call: Call) -> Output:
    """``cut -f LIST [-d C] [-s] | -c LIST [FILE…]``."""
    try:
        options, operands = parsed(
            call.argv,
            "sn",
            "dfcbO",
            {
                "--delimiter": "d",
                "--fields": "f",
                "--characters": "c",
                "--bytes": "b",
                "--only-delimited": "s",
                "--output-delimiter": "O",
            },
        )
        given = dict(options)
        unit = next((letter for letter in "fcb" if letter in given), None)
        if unit is None:
            raise BadOption("you must specify a list of bytes, characters, or fields")
        delimiter = given.get("d", "\t")
        if len(delimiter) != 1:
            raise BadOption("the delimiter must be a single character")
        ranges = _ranges(given[unit])
    except BadOption as problem:
        return failure(f"cut: {problem}")
    streams, errors = files.read(call, operands)
    lines = files.together(streams) if streams else ()
    records = records_of(lines, call.argv)
    joiner = given.get("O", delimiter if unit == "f" else "")
    out: list[Line] = []
    size = 0
    for line in lines:
        if unit == "f" and delimiter not in line.text:
            if "s" not in given:
                out.append(line)
            continue
        pieces: Sequence[str] = line.text.split(delimiter) if unit == "f" else line.text
        chosen: list[str] = []
        for first, last in ranges:
            part = pieces[first - 1 : last]
            chosen += part if unit == "f" else [str(part)] if part else []
        text = joiner.join(chosen)
        size += len(text)
        grown(size)
        out.append(made(text, records) if records else Line(text, (), line.derived))
    return Output(like(lines, out), 1 if errors else 0, errors)


def _ranges(text: str) -> list[tuple[int, int | None]]:
    found: list[tuple[int, int | None]] = []
    for piece in text.split(","):
        match = re.fullmatch(r"([0-9]{0,6})(-?)([0-9]{0,6})", piece.strip())
        if match is None or not (match[1] or match[3]) or (match[3] and not match[2]):
            raise BadOption(f"invalid list: {text[:40]}")
        first = int(match[1] or 1)
        last = int(match[3]) if match[3] else None if match[2] else first
        if first < 1 or (last is not None and last < first):
            raise BadOption(f"invalid range: {text[:40]}")
        found.append((first, last))
    merged: list[tuple[int, int | None]] = []
    for first, last in sorted(found, key=lambda each: each[0]):
        before = merged[-1][1] if merged else 0
        if merged and before is None:
            break
        first = max(first, (before or 0) + 1)
        if last is None or last >= first:
            merged.append((first, last))
    return merged


def tr(call: Call) -> Output:
    """``tr [-cds] SET1 [SET2]``."""
    try:
        options, operands = parsed(
            call.argv, "cCdst", "", {"--delete": "d", "--squeeze-repeats": "s", "--complement": "c"}
        )
        flags = {letter.lower() for letter, _ in options}
        if not operands or len(operands) > 2 or (len(operands) == 1 and not flags & {"d", "s"}):
            raise BadOption("missing operand" if len(operands) < 2 else "extra operand")
        sets = [_characters(operand) for operand in operands]
    except BadOption as problem:
        return failure(f"tr: {problem}")
    lines = call.stdin or ()
    text = text_of(lines)
    members = set(sets[0])
    if "c" in flags:
        present = set(text) - members
        if "d" in flags:
            table: dict[int, str | None] = {ord(char): None for char in present}
        else:
            table = {ord(char): sets[1][-1] for char in present} if len(sets) > 1 and sets[1] else {}
        members = present
    elif "d" in flags:
        table = {ord(char): None for char in members}
    elif len(sets) > 1:
        if not sets[1]:
            return failure("tr: when not truncating set1, string2 must be non-empty")
        second = sets[1] + sets[1][-1] * (len(sets[0]) - len(sets[1]))
        table = {ord(one): other for one, other in reversed(list(zip(sets[0], second, strict=False)))}
    else:
        table = {}
    changed = text.translate(table)
    if "s" in flags:
        squeezed = set(sets[1]) if len(sets) > 1 else members
        if squeezed:
            changed = re.sub("([" + "".join([re.escape(char) for char in sorted(squeezed)]) + r"])\1+", r"\1", changed)
    records = records_of(lines, call.argv)
    if not changed:
        return Output()
    parts = changed.split("\n")
    ended = parts[-1] == ""
    call.meter.spend(len(parts))
    new = [made(part, records) for part in (parts[:-1] if ended else parts)]
    return Output(new if ended else Unended(new))


def _characters(text: str) -> str:
    out: list[str] = []
    at = 0
    while at < len(text):
        named = re.compile(r"\[:([a-z]+):\]").match(text, at)
        if named:
            if named[1] not in _CLASSES:
                raise BadOption(f"invalid character class '{named[1]}'")
            out.append(_CLASSES[named[1]])
            at = named.end()
            continue
        first, at = _one(text, at)
        if text[at : at + 1] == "-" and at + 1 < len(text):
            last, at = _one(text, at + 1)
            if last < first:
                raise BadOption("range-endpoints are in reverse order")
            if ord(last) - ord(first) > _MAX_SET:
                raise BadOption("range too large")
            out.append("".join(map(chr, range(ord(first), ord(last) + 1))).encode("utf-8", "ignore").decode())
        else:
            out.append(first)
        if sum(map(len, out)) > _MAX_SET:
            raise BadOption("set too large")
    return "".join(out)


def _one(text: str, at: int) -> tuple[str, int]:
    escape = re.compile(r"\\([0-7]{1,3}|.)", re.S).match(text, at)
    if escape is None:
        return text[at], at + 1
    return unescaped(escape[0])[-1], escape.end()


def column(call: Call) -> Output:
    """``column -t [-s SEPARATORS] [FILE…]``: pads fields to columns."""
    try:
        options, operands = parsed(
            call.argv, "t", "so", {"--table": "t", "--separator": "s", "--output-separator": "o"}
        )
    except BadOption as problem:
        return failure(f"column: {problem}")
    given = dict(options)
    streams, errors = files.read(call, operands)
    lines = files.together(streams) if streams else ()
    if "t" not in given:
        return Output(lines, 1 if errors else 0, errors)
    separators = given.get("s")
    splitter = re.compile(f"[{re.escape(separators)}]" if separators else r"[ \t]+")
    rows = [splitter.split(line.text if separators else line.text.strip(" \t")) for line in lines if line.text.strip()]
    call.meter.spend(sum(map(len, rows)))
    widths: list[int] = []
    for row in rows:
        widths += [0] * (len(row) - len(widths))
        for at, field in enumerate(row):
            widths[at] = max(widths[at], len(field))
    call.meter.size((sum(widths) + len(widths) * (2 + len(given.get("o", "")))) * len(rows))
    records = records_of(lines)
    out = []
    for row in rows:
        padded = [field.ljust(width) for field, width in zip(row[:-1], widths, strict=False)]
        out.append(made(given.get("o", "  ").join([*padded, row[-1]]), records))
    return Output(out, 1 if errors else 0, errors)
