"""The filters that pass lines on, choose them or reorder them: what they hand over keeps its records."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from clawbench.sandbox.state import Line

from . import files
from .command import Output, failure
from .options import BadOption, parsed
from .streams import Call, Unended, made, records_of, text_of

_FIRST_NUMBER = re.compile(r"[ \t]*(-?)([0-9]*(?:\.[0-9]*)?)")
_KEY = re.compile(r"(\d{1,6})(?:\.\d{1,6})?([bdfgniMhVr]*)(?:,(\d{1,6})(?:\.\d{1,6})?([bdfgniMhVr]*))?", re.ASCII)


def cat(call: Call) -> Output:
    """``cat [-n] [FILE…]``."""
    if len(call.argv) == 1:
        return Output(call.stdin or ())
    try:
        options, operands = parsed(
            call.argv, "nbsuvetAET", "", {"--number": "n", "--number-nonblank": "b", "--squeeze-blank": "s"}
        )
    except BadOption as problem:
        return failure(f"cat: {problem}")
    flags = {letter for letter, _ in options}
    streams, errors = files.read(call, operands)
    lines = files.together(streams) if streams else ()
    if flags & {"n", "b"}:
        lines = _numbered(lines, "b" in flags)
    if flags & {"e", "E", "A"}:
        lines = [Line(line.text + "$", line.records, True) for line in lines]
    return Output(lines, 1 if errors else 0, errors)


def nl(call: Call) -> Output:
    """``nl [-ba] [FILE…]``: numbers lines, without ``-ba`` only those with text."""
    try:
        options, operands = parsed(call.argv, "", "bwsnvi")
    except BadOption as problem:
        return failure(f"nl: {problem}")
    streams, errors = files.read(call, operands)
    lines = files.together(streams) if streams else ()
    return Output(_numbered(lines, ("b", "a") not in options), 1 if errors else 0, errors)


def _numbered(lines: Sequence[Line], only_text: bool) -> list[Line]:
    out: list[Line] = []
    number = 0
    for line in lines:
        if line.text or not only_text:
            number += 1
            out.append(Line(f"{number:6d}\t{line.text}", line.records, True))
        else:
            out.append(line)
    return out


def tac(call: Call) -> Output:
    """``tac [FILE…]``."""
    streams, errors = files.read(call, call.argv[1:])
    return Output(list(reversed(files.together(streams) if streams else ())), 1 if errors else 0, errors)


def tee(call: Call) -> Output:
    """``tee [-a] FILE…``."""
    try:
        options, operands = parsed(call.argv, "ai", "", {"--append": "a"})
    except BadOption as problem:
        return failure(f"tee: {problem}")
    lines = call.stdin or ()
    errors: list[str] = []
    for path in operands:
        if path == "/dev/null":
            continue
        opened = files.opened(call.state, path, call.variables, ("a", "") in options)
        if isinstance(opened, str):
            errors.append(f"tee: {path}: {opened}")
        else:
            call.meter.lines(lines)
            opened += lines
    return Output(lines, 1 if errors else 0, errors)


def head(call: Call) -> Output:
    """``head [-n [-]N | -N | -c N] [FILE…]``."""
    return _ends(call, _first)


def tail(call: Call) -> Output:
    """``tail [-n [+]N | -N | -c N] [FILE…]``."""
    return _ends(call, _last)


def _first(lines: Sequence[Line], sign: str, count: int) -> Sequence[Line]:
    if sign == "-":
        return lines[: max(0, len(lines) - count)]
    return lines if count >= len(lines) else list(lines[:count])


def _last(lines: Sequence[Line], sign: str, count: int) -> Sequence[Line]:
    start = max(0, count - 1) if sign == "+" else max(0, len(lines) - count)
    return _tail(lines, start)


def _tail(lines: Sequence[Line], start: int) -> Sequence[Line]:
    if not start:
        return lines
    rest = list(lines[start:])
    return Unended(rest) if isinstance(lines, Unended) and rest else rest


def _ends(call: Call, take: object) -> Output:
    name = call.argv[0]
    words = list(call.argv)
    if name == "tail" and len(words) > 1 and re.fullmatch(r"\+[0-9]+", words[1]):
        words[1] = f"-n{words[1]}"
    try:
        options, operands = parsed(
            words,
            "qvfF",
            "nc",
            {"--lines": "n", "--bytes": "c", "--quiet": "q", "--silent": "q"},
            "0123456789",
        )
    except BadOption as problem:
        return failure(f"{name}: {problem}")
    digits = "".join([letter for letter, _ in options if letter.isdigit()])
    unit, value = "n", digits or "10"
    for letter, given in options:
        if letter in "nc":
            unit, value = letter, given
    match = re.fullmatch(r"([-+]?)([0-9]{1,9})", value)
    if match is None:
        return failure(f"{name}: invalid number of {'lines' if unit == 'n' else 'bytes'}: '{value[:40]}'")
    sign, count = match[1], int(match[2])
    streams, errors = files.read(call, operands)
    headed = (len(operands) > 1 and ("q", "") not in options) or ("v", "") in options
    out: list[Line] = []
    for path, lines in streams:
        if headed:
            out += ([made("")] if out else []) + [made(f"==> {'standard input' if path == '-' else path} <==")]
        if unit == "c":
            part = _characters(lines, sign, count, name == "head")
        else:
            part = _first(lines, sign, count) if name == "head" else _last(lines, sign, count)
        if len(streams) == 1 and not headed:
            return Output(part, 1 if errors else 0, errors)
        out += part
    return Output(out, 1 if errors else 0, errors)


def _characters(lines: Sequence[Line], sign: str, count: int, from_start: bool) -> Sequence[Line]:
    data = text_of(lines).encode("utf-8", "replace")
    if from_start:
        start, end = 0, max(0, len(data) - count) if sign == "-" else min(count, len(data))
    else:
        start, end = max(0, count - 1) if sign == "+" else max(0, len(data) - count), len(data)
    out: list[Line] = []
    at = 0
    for line in lines:
        size = len(line.text.encode("utf-8", "replace"))
        if at >= start and at + size <= end:
            if at + size < end or at < end:
                out.append(line)
        elif at + size >= start and at < end:
            raw = line.text.encode("utf-8", "replace")[max(0, start - at) : max(0, end - at)]
            if raw:
                out.append(Line(raw.decode("utf-8", "replace"), line.records, True))
            elif at + size == start:
                out.append(made(""))
        at += size + 1
    unended = isinstance(lines, Unended) if end == len(data) else data[:end][-1:] != b"\n"
    return Unended(out) if unended and out else out


def sort(call: Call) -> Output:
    """``sort [-nrufbVs] [-k KEY] [-t SEPARATOR] [FILE…]``, by code points."""
    try:
        options, operands = parsed(
            call.argv,
            "nrufbsVghd",
            "kto",
            {
                "--numeric-sort": "n",
                "--reverse": "r",
                "--unique": "u",
                "--ignore-case": "f",
                "--key": "k",
                "--field-separator": "t",
            },
        )
        if any(letter == "o" for letter, _ in options):
            raise BadOption("-o is not supported")
        flags = "".join([letter for letter, _ in options if letter not in "kt"])
        separator = next((value for letter, value in options if letter == "t"), None)
        keys = [_key(value, flags) for letter, value in options if letter == "k"] or [(1, None, flags)]
    except BadOption as problem:
        return failure(f"sort: {problem}", 2)
    streams, errors = files.read(call, operands)
    lines = list(files.together(streams)) if streams else []
    call.meter.spend(16 * len(lines) * len(keys))
    if "u" not in flags and "s" not in flags:
        lines.sort(key=lambda line: line.text, reverse="r" in flags)
    for key in reversed(keys):
        lines.sort(key=_by(key, separator), reverse="r" in key[2])
    if "u" in flags:
        kept: dict[object, Line] = {}
        for line in lines:
            identity = tuple([_by(key, separator)(line) for key in keys])
            before = kept.setdefault(identity, line)
            if before is not line and before.text == line.text and before.records != line.records:
                kept[identity] = replace(before, records=records_of((before, line)))
        lines = list(kept.values())
    return Output(lines, 2 if errors else 0, errors)


def _by(key: tuple[int, int | None, str], separator: str | None) -> Callable[[Line], Any]:
    first, last, how = key
    return lambda line: _ordering(_fields(line.text, separator, first, last), how)


def _key(value: str, flags: str) -> tuple[int, int | None, str]:
    match = _KEY.fullmatch(value)
    if match is None or match[1].strip("0") == "":
        raise BadOption(f"invalid key '{value[:40]}'")
    how = match[2] + (match[4] or "")
    return int(match[1]), int(match[3]) if match[3] else None, how or flags


def _fields(text: str, separator: str | None, first: int, last: int | None) -> str:
    if first == 1 and last is None:
        return text
    if separator:
        return separator.join(text.split(separator)[first - 1 : last])
    return "".join(re.findall(r"[ \t]*[^ \t]+", text)[first - 1 : last])


def _ordering(text: str, how: str) -> object:
    if "n" in how or "g" in how or "h" in how:
        match = _FIRST_NUMBER.match(text)
        digits = match[2][:300] if match else ""
        number = float(digits) if digits.strip(".") else 0.0
        return -number if match and match[1] else number
    if "V" in how:
        return [
            (0, "", int(piece[:300])) if piece.isdigit() else (1, piece, 0)
            for piece in re.findall(r"[0-9]+|[^0-9]+", text, re.ASCII)
        ]
    if "b" in how:
        text = text.lstrip()
    return text.upper() if "f" in how else text


def uniq(call: Call) -> Output:
    """``uniq [-cdui] [FILE]``: of equal neighbours one is left, with the records of all of them."""
    try:
        options, operands = parsed(
            call.argv, "cdui", "", {"--count": "c", "--repeated": "d", "--unique": "u", "--ignore-case": "i"}
        )
        if len(operands) > 1:
            raise BadOption("extra operand")
    except BadOption as problem:
        return failure(f"uniq: {problem}")
    flags = {letter for letter, _ in options}
    streams, errors = files.read(call, operands)
    out: list[Line] = []
    group: list[Line] = []
    last = None
    lines = files.together(streams) if streams else ()
    for line in [*lines, None]:
        text = None if line is None else line.text.lower() if "i" in flags else line.text
        if group and (line is None or text != last):
            chosen = group[0] if len(group) == 1 else replace(group[0], records=records_of(group))
            if not ("d" in flags and len(group) == 1) and not ("u" in flags and len(group) > 1):
                out.append(Line(f"{len(group):7d} {chosen.text}", chosen.records, True) if "c" in flags else chosen)
            group = []
        if line is not None:
            group.append(line)
            last = text
    return Output(out, 1 if errors else 0, errors)
