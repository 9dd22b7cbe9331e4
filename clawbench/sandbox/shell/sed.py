"""``sed``: ``s/a/b/``, ``p``, ``d``, ``q`` and ``=`` with line numbers, ``$`` and patterns as addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from clawbench.sandbox.state import Line

from . import files, patterns
from .command import Output, failure
from .limits import MATCH_COST, Meter, grown
from .options import BadOption, parsed
from .streams import Call, Unended, made, records_of

_MAX_COMMANDS = 32
_BLANK = re.compile(r"[\s;]*")


@dataclass(frozen=True, slots=True)
class _Address:
    number: int = 0
    last: bool = False
    pattern: Any = None


@dataclass(slots=True)
class _Edit:
    letter: str
    addresses: tuple[_Address, ...]
    inverted: bool
    pattern: Any = None
    replacement: tuple[str | int, ...] = ()
    every: bool = False
    nth: int = 1
    show: bool = False
    within: bool = False


def sed(call: Call) -> Output:
    """``sed [-n] [-E] [-e] SCRIPT [FILE…]``; lines that a substitution changed are derived."""
    try:
        options, operands = parsed(
            call.argv,
            "nErsuz",
            "e",
            {"--quiet": "n", "--silent": "n", "--expression": "e", "--regexp-extended": "E"},
        )
        scripts = [value for letter, value in options if letter == "e"]
        if not scripts:
            if not operands:
                raise BadOption("no script specified")
            scripts, operands = [operands[0]], operands[1:]
        flags = {letter for letter, _ in options}
        if "z" in flags:
            raise BadOption("-z is not supported")
        kind = "extended" if flags & {"E", "r"} else "basic"
        edits = _Script("\n".join(scripts), kind).edits()
    except (BadOption, patterns.BadPattern) as problem:
        return failure(f"sed: {problem}")
    streams, errors = files.read(call, operands)
    lines = files.together(streams) if streams else ()
    characters = sum([len(line.text) + 1 for line in lines])
    for edit in edits:
        for pattern in [edit.pattern, *[address.pattern for address in edit.addresses]]:
            if pattern is not None:
                patterns.charge(call.meter, pattern, characters)
    editor = _Editor(edits, "n" in flags, records_of(lines, call.argv), call.meter)
    whole = True
    for number, line in enumerate(lines, 1):
        if not editor.feed(line, number, number == len(lines)):
            whole = number == len(lines)
            break
    out = editor.out
    call.meter.lines(out)
    if isinstance(lines, Unended) and out and whole:
        out = Unended(out)
    return Output(out, 2 if errors else 0, errors)


class _Editor:
    """Takes line after line and collects what is printed."""

    def __init__(self, edits: list[_Edit], quiet: bool, records: tuple[str, ...], meter: Meter) -> None:
        self.edits = edits
        self.quiet = quiet
        self.records = records
        self.meter = meter
        self.out: list[Line] = []
        self.size = 0

    def feed(self, line: Line, number: int, last: bool) -> bool:
        """Edits one line; false if it was the last because of ``q``."""
        going = True
        for edit in self.edits:
            if _addressed(edit, line.text, number, last) == edit.inverted:
                continue
            if edit.letter == "d":
                return True
            if edit.letter == "p":
                self.show(line)
            elif edit.letter == "=":
                self.show(made(str(number)))
            elif edit.letter == "q":
                going = False
                break
            elif (text := _substituted(edit, line.text, self.meter)) is not None:
                line = made(text, self.records)
                if edit.show:
                    self.show(line)
        if not self.quiet:
            self.show(line)
        return going

    def show(self, line: Line) -> None:
        """Prints a line, which a replacement may have made several of."""
        self.size += len(line.text)
        grown(self.size)
        if "\n" in line.text:
            self.out += [Line(text, line.records, line.derived) for text in line.text.split("\n")]
        else:
            self.out.append(line)


def _addressed(edit: _Edit, text: str, number: int, last: bool) -> bool:
    if not edit.addresses:
        return True
    if len(edit.addresses) == 1:
        return _matches(edit.addresses[0], text, number, last)
    first, end = edit.addresses
    if not edit.within:
        if not _matches(first, text, number, last):
            return False
        edit.within = True
        if end.number and end.number <= number:
            edit.within = False
        return True
    if end.number:
        edit.within = number < end.number
        return number <= end.number
    edit.within = not _matches(end, text, number, last)
    return True


def _matches(address: _Address, text: str, number: int, last: bool) -> bool:
    if address.pattern is not None:
        return address.pattern.search(text.encode("utf-8", "replace")) is not None
    return last if address.last else number == address.number


def _substituted(edit: _Edit, text: str, meter: Meter) -> str | None:
    data = text.encode("utf-8", "replace")
    out: list[bytes] = []
    at = size = 0
    changed = False
    for count, match in enumerate(edit.pattern.finditer(data), 1):
        meter.spend(MATCH_COST)
        if count < edit.nth:
            continue
        changed = True
        out.append(data[at : match.start()])
        for piece in edit.replacement:
            out.append((match[piece] or b"") if isinstance(piece, int) else piece.encode("utf-8", "replace"))
            size += len(out[-1])
        at = match.end()
        grown(size)
        if not edit.every:
            break
    return b"".join([*out, data[at:]]).decode("utf-8", "replace") if changed else None


class _Script:
    def __init__(self, text: str, kind: str) -> None:
        self.text = text
        self.kind = kind
        self.at = 0

    def edits(self) -> list[_Edit]:
        found: list[_Edit] = []
        while True:
            blank = _BLANK.match(self.text, self.at)
            self.at = blank.end() if blank else self.at
            if self.at >= len(self.text):
                return found
            if len(found) >= _MAX_COMMANDS:
                raise BadOption(f"more than {_MAX_COMMANDS} commands are not supported")
            found.append(self.edit())

    def edit(self) -> _Edit:
        addresses: list[_Address] = []
        if (first := self.address()) is not None:
            addresses.append(first)
            if self.text.startswith(",", self.at):
                self.at += 1
                if (second := self.address()) is None:
                    raise BadOption("unexpected `,'")
                addresses.append(second)
        self.skip(" ")
        inverted = self.text.startswith("!", self.at)
        self.at += inverted
        self.skip(" ")
        letter = self.text[self.at : self.at + 1]
        self.at += 1
        if letter == "s":
            return self.substitution(tuple(addresses), inverted)
        if not letter or letter not in "pdq=":
            raise BadOption(f"the command `{letter}' is not supported")
        self.ended()
        return _Edit(letter, tuple(addresses), inverted)

    def address(self) -> _Address | None:
        if match := re.compile(r"[0-9]{1,9}").match(self.text, self.at):
            self.at = match.end()
            return _Address(number=int(match[0]))
        if self.text.startswith("$", self.at):
            self.at += 1
            return _Address(last=True)
        if self.text.startswith("/", self.at):
            self.at += 1
            pattern = self.until("/")
            insensitive = self.text.startswith("I", self.at)
            self.at += insensitive
            return _Address(pattern=patterns.compiled(patterns.whole((pattern,), self.kind, insensitive)))
        return None

    def substitution(self, addresses: tuple[_Address, ...], inverted: bool) -> _Edit:
        separator = self.text[self.at : self.at + 1]
        if not separator or separator in "\\\n ":
            raise BadOption("unterminated `s' command")
        self.at += 1
        pattern, replacement = self.until(separator), self.until(separator)
        flags = re.compile(r"[gpiI0-9]*").match(self.text, self.at)
        letters = flags[0] if flags else ""
        self.at += len(letters)
        self.ended()
        digits = "".join(letter for letter in letters if letter.isdigit())
        found = patterns.compiled(patterns.whole((pattern,), self.kind, bool(set(letters) & {"i", "I"})))
        pieces = _replacement(replacement)
        if any(isinstance(piece, int) and piece > found.groups for piece in pieces):
            raise BadOption("invalid reference on `s' command's RHS")
        nth = max(1, int(digits[:6])) if digits else 1
        return _Edit("s", addresses, inverted, found, pieces, "g" in letters, nth, "p" in letters)

    def until(self, separator: str) -> str:
        out: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char == "\\" and self.at < len(self.text):
                following = self.text[self.at]
                self.at += 1
                out.append(
                    following if following == separator and separator not in "|()+?{}.*[]^$&" else char + following
                )
                continue
            if char == separator:
                return "".join(out)
            out.append(char)
        raise BadOption("unterminated address regex or `s' command")

    def skip(self, characters: str) -> None:
        while self.at < len(self.text) and self.text[self.at] in characters:
            self.at += 1

    def ended(self) -> None:
        self.skip(" \t")
        if self.at < len(self.text) and self.text[self.at] not in ";\n":
            raise BadOption("extra characters after command, or a command that is not supported")


def _replacement(text: str) -> tuple[str | int, ...]:
    pieces: list[str | int] = []
    for match in re.finditer(r"\\([0-9])|(&)|\\(.)|([^\\&]+)|(\\)", text, re.S):
        if match[1]:
            pieces.append(int(match[1]))
        elif match[2]:
            pieces.append(0)
        elif match[3]:
            if match[3] in "ULEul":
                raise BadOption(f"\\{match[3]} in a replacement is not supported")
            pieces.append({"n": "\n", "t": "\t"}.get(match[3], match[3]))
        else:
            pieces.append(match[0])
    return tuple(pieces)
