"""``grep``: which lines match."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clawbench.sandbox.state import Line

from . import files, patterns
from .command import Output, failure
from .limits import MATCH_COST, MAX_LINES
from .options import BadOption, Option, parsed
from .streams import Call, made, records_of
from .words import HOME

_FLAGS = "ivncoEFGPwxlLqrRhHsaIzbT"
_LONG = {
    "--ignore-case": "i", "--invert-match": "v", "--line-number": "n", "--count": "c", "--only-matching": "o",
    "--extended-regexp": "E", "--fixed-strings": "F", "--basic-regexp": "G", "--perl-regexp": "P",
    "--word-regexp": "w", "--line-regexp": "x", "--files-with-matches": "l", "--files-without-match": "L",
    "--quiet": "q", "--silent": "q", "--recursive": "r", "--no-filename": "h", "--with-filename": "H",
    "--no-messages": "s", "--text": "a", "--regexp": "e", "--max-count": "m", "--after-context": "A",
    "--before-context": "B", "--context": "C", "--color": "", "--colour": "",
    "--include": "*", "--exclude": "/",
}  # fmt: skip


@dataclass(slots=True)
class _Search:
    patterns: tuple[str, ...]
    kind: str
    flags: frozenset[str]
    most: int | None
    before: int
    after: int
    named: bool
    matches: Callable[[str], bool] = bool


def grep(call: Call) -> Output:
    """``grep [OPTIONS] PATTERN [FILE…]``; exit 0 if a line was selected, 1 if none, 2 on an error."""
    try:
        options, operands = parsed(call.argv, _FLAGS, "eABCm*/", _LONG, "0123456789")
        search, operands = _search(call, options, operands)
        return _found(call, search, options, operands)
    except (BadOption, patterns.BadPattern) as problem:
        return failure(f"{call.argv[0]}: {problem}", 2)


def _number(options: Sequence[Option], letters: str) -> int | None:
    number = None
    for letter, value in options:
        if letter in letters:
            if not (value.isascii() and value.isdigit()) or len(value) > 9:
                raise BadOption(f"{value[:40]}: invalid number")
            number = int(value)
    return number


def _search(call: Call, options: Sequence[Option], operands: list[str]) -> tuple[_Search, list[str]]:
    flags = frozenset(letter for letter, _ in options)
    given = [value for letter, value in options if letter == "e"]
    if not given:
        if not operands:
            raise BadOption("usage: grep [OPTION]... PATTERNS [FILE]...")
        given, operands = [operands[0]], operands[1:]
    kind = {"egrep": "extended", "fgrep": "fixed"}.get(call.argv[0], "basic")
    for letter, _ in options:
        kind = {"E": "extended", "F": "fixed", "G": "basic", "P": "perl"}.get(letter, kind)
    digits = "".join([letter for letter, _ in options if letter.isdigit()])[:9]
    around = _number(options, "C") or (int(digits) if digits else 0)
    before, after = _number(options, "B"), _number(options, "A")
    every = tuple(dict.fromkeys(line for pattern in given for line in pattern.split("\n")))
    return (
        _Search(
            every,
            kind,
            flags,
            _number(options, "m"),
            around if before is None else before,
            around if after is None else after,
            False,
        ),
        operands,
    )


def _found(call: Call, search: _Search, options: Sequence[Option], operands: list[str]) -> Output:
    flags = search.flags
    if flags & {"r", "R"}:
        operands = _below(call, operands or ["."], options)
        search.named = "h" not in flags
        streams, errors = files.read(call, operands) if operands else ([], list[str]())
    else:
        streams, errors = files.read(call, operands)
        search.named = "H" in flags or (len(operands) > 1 and "h" not in flags)
    characters = sum(len(line.text) + 1 for _, lines in streams for line in lines)
    pattern = None
    if flags & {"o"}:
        pattern = patterns.compiled(
            patterns.whole(search.patterns, search.kind, "i" in flags, "w" in flags, "x" in flags)
        )
        patterns.charge(call.meter, pattern, characters)
    search.matches = patterns.test_of(
        search.patterns, search.kind, "i" in flags, "w" in flags, "x" in flags, call.meter, characters
    )
    out: list[Line] = []
    any_selected = False
    for name, lines in streams:
        title = "(standard input)" if name == "-" else name
        chosen = _chosen(search, lines)
        any_selected = any_selected or bool(chosen)
        if "q" in flags:
            continue
        if flags & {"l", "L"}:
            if bool(chosen) == ("l" in flags):
                out.append(made(title, records_of(lines)))
        elif "c" in flags:
            prefix = f"{title}:" if search.named else ""
            out.append(made(f"{prefix}{len(chosen)}", records_of(lines)))
        elif pattern is not None:
            out += _pieces(call, search, pattern, title, lines, chosen)
        else:
            out += _shown(search, title, lines, chosen)
    errors = [] if "s" in flags else errors
    if flags & {"L"}:
        any_selected = bool(out)
    return Output(out, 2 if errors and not ("q" in flags and any_selected) else 0 if any_selected else 1, errors)


def _below(call: Call, paths: Sequence[str], options: Sequence[Option]) -> list[str]:
    included = [value for letter, value in options if letter == "*"]
    excluded = [value for letter, value in options if letter == "/"]
    found: list[str] = []
    for path in paths:
        whole = files.located(path, call.variables)
        if files.listing(call.state, whole) is None:
            found.append(path)
            continue
        for name in files.names(call.state):
            absolute = name if name.startswith("/") else f"{HOME}/{name}"
            inside = whole.rstrip("/") + "/"
            base = absolute.rpartition("/")[2]
            if (
                absolute.startswith(inside)
                and (not included or any(fnmatch.fnmatchcase(base, each) for each in included))
                and not any(fnmatch.fnmatchcase(base, each) for each in excluded)
            ):
                found.append(
                    absolute[len(inside) :] if path == "." else f"{path.rstrip('/')}/{absolute[len(inside) :]}"
                )
    return found


def _chosen(search: _Search, lines: Sequence[Line]) -> list[int]:
    test, inverted, most = search.matches, "v" in search.flags, search.most
    if most is None:
        if inverted:
            return [number for number, line in enumerate(lines) if not test(line.text)]
        return [number for number, line in enumerate(lines) if test(line.text)]
    chosen: list[int] = []
    for number, line in enumerate(lines):
        if len(chosen) >= most:
            break
        if test(line.text) != inverted:
            chosen.append(number)
    return chosen


def _shown(search: _Search, title: str, lines: Sequence[Line], chosen: list[int]) -> list[Line]:
    numbered = "n" in search.flags
    if not search.before and not search.after and not numbered and not search.named:
        return [lines[number] for number in chosen]
    selected = set(chosen)
    out: list[Line] = []
    last = -1
    for at in chosen:
        first = max(last + 1, at - search.before)
        if (search.before or search.after) and last >= 0 and first > last + 1:
            out.append(made("--"))
        end = at
        while end < min(len(lines) - 1, at + search.after) and end + 1 not in selected:
            end += 1
        for number in range(first, end + 1):
            line, mark = lines[number], ":" if number in selected else "-"
            prefix = (title + mark if search.named else "") + (f"{number + 1}{mark}" if numbered else "")
            out.append(Line(prefix + line.text, line.records, True) if prefix else line)
        last = max(last, end)
    return out


def _pieces(
    call: Call, search: _Search, pattern: object, title: str, lines: Sequence[Line], chosen: list[int]
) -> list[Line]:
    out: list[Line] = []
    for number in chosen:
        line = lines[number]
        prefix = (f"{title}:" if search.named else "") + (f"{number + 1}:" if "n" in search.flags else "")
        for match in pattern.finditer(line.text.encode("utf-8", "replace")):  # type: ignore[attr-defined]
            call.meter.spend(MATCH_COST)
            if match[0]:
                out.append(Line(prefix + match[0].decode("utf-8", "replace"), line.records, True))
        if len(out) > MAX_LINES:
            break
    call.meter.lines(out)
    return out
