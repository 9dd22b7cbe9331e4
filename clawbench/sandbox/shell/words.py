"""Reading one word of a command text: quoting, ``$`` and backticks."""

from __future__ import annotations

import re

from . import arithmetic
from .limits import MAX_COMMANDS, MAX_DEPTH
from .syntax import Arithmetic, Parameter, Part, Script, Substitution, Text, Unreadable, Word

HOME = "/workspace"

_RUN = re.compile(r"[^ \t\n;&|<>()'\"\\$`]+")
_QUOTED_RUN = re.compile(r"[^\"\\$`]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9?@*#$!-]")
_IN_BRACES = re.compile(r"([A-Za-z_][A-Za-z0-9_]*|[0-9?@*#$!-])(:[-+]|[-+]|:(?=[ 0-9]))?")
_ESCAPE = re.compile(r"x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|[0-7]{1,3}|c.|.", re.S)
_SINGLE = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "E": "\x1b",
}
_BRACE = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(-?\d{1,9})\.\.(-?\d{1,9})(?:\.\.-?(\d{1,9}))?|([A-Za-z])\.\.([A-Za-z])")


def character(number: int) -> str:
    """The character of a code point; U+FFFD where there is none that text can carry."""
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF or number == 0:
        return "�"
    return chr(number)


def unescaped(text: str) -> str:
    r"""``\n``, ``\t``, ``\xHH``, ``\uHHHH`` … as ``$'…'`` and ``echo -e`` read them."""
    if "\\" not in text:
        return text
    out: list[str] = []
    at = 0
    while (back := text.find("\\", at)) >= 0:
        out.append(text[at:back])
        match = _ESCAPE.match(text, back + 1)
        if match is None:
            return "".join([*out, "\\"])
        code = match[0]
        at = match.end()
        if code in _SINGLE:
            out.append(_SINGLE[code])
        elif code[0] in "xuU" and len(code) > 1:
            out.append(character(int(code[1:], 16)))
        elif code[0] in "01234567":
            out.append(character(int(code, 8)))
        elif code in "\\'\"?":
            out.append(code)
        else:
            out.append("\\" + code)
    out.append(text[at:])
    return "".join(out)


def quoted(word: Word) -> Word:
    """The word as if it stood in double quotes: expanded, never split."""
    if isinstance(word, str):
        return word
    return tuple(
        [
            Text(part.text, True)
            if isinstance(part, Text)
            else Parameter(part.name, True, part.operator, part.word)
            if isinstance(part, Parameter)
            else Substitution(part.script, True)
            if isinstance(part, Substitution)
            else Arithmetic(part.tokens, True)
            for part in word
        ]
    )


def _word(parts: list[Part]) -> Word:
    if all(isinstance(part, Text) for part in parts):
        return "".join([part.text for part in parts if isinstance(part, Text)])
    return tuple(parts)


class Scanner:
    """A position in the text, and what a word is made of; the parser adds commands."""

    def __init__(self, text: str, depth: int = 0) -> None:
        self.text = text
        self.at = 0
        self.depth = depth

    def substituted(self, closer: str) -> Script:
        """Reads the script of a substitution, up to and including ``closer``."""
        raise TypeError("a scanner alone reads no scripts")

    def inner(self, text: str) -> Scanner:
        """A scanner for text taken out of this one: a backtick's, a here-document's."""
        return type(self)(text, self.depth)

    def deeper(self) -> None:
        """Counts one level of nesting."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable(f"nesting deeper than {MAX_DEPTH} levels: not supported")

    def peek(self, count: int = 1) -> str:
        """The next characters, fewer at the end."""
        return self.text[self.at : self.at + count]

    def parts(self) -> list[Part] | None:
        """The parts of the word that starts here, or None if none does."""
        text, start, out = self.text, self.at, list[Part]()
        if self.peek() == "~" and (len(text) == self.at + 1 or text[self.at + 1] in "/ \t\n;&|<>()"):
            out.append(Text(HOME, True))
            self.at += 1
        while self.at < len(text):
            run = _RUN.match(text, self.at)
            if run:
                out.append(Text(run[0], False))
                self.at = run.end()
                continue
            char = text[self.at]
            if char == "\\":
                self._backslash(out)
            elif char == "'":
                out.append(Text(self._single(), True))
            elif char == '"':
                self.at += 1
                out.append(Text("", True))
                self.double(out)
            elif char == "$":
                self.dollar(out, False)
            elif char == "`":
                self.backtick(out, False)
            else:
                break
        return out if self.at > start else None

    def word(self) -> Word | None:
        """The word that starts here, braces left alone."""
        parts = self.parts()
        return None if parts is None else _word(parts)

    def words(self) -> list[Word] | None:
        """The words that the next word stands for: ``{1..3}`` makes three."""
        parts = self.parts()
        if parts is None:
            return None
        done: list[Word] = []
        waiting = [parts]
        while waiting:
            first = waiting.pop(0)
            spread = _spread(first)
            if spread is None:
                done.append(_word(first))
            else:
                waiting[:0] = spread
            if len(done) + len(waiting) > MAX_COMMANDS:
                raise Unreadable(f"a brace expansion to more than {MAX_COMMANDS} words: not supported")
        return done

    def _backslash(self, out: list[Part]) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        self.at += 2 if following else 1
        if following != "\n":
            out.append(Text(following or "\\", True))

    def _single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise Unreadable("unexpected end of text inside '…'")
        inside = self.text[self.at + 1 : end]
        self.at = end + 1
        return inside

    def double(self, out: list[Part], closer: str = '"') -> None:
        """Reads up to the closing quote, or to the end for a here-document (``closer`` empty)."""
        text = self.text
        while self.at < len(text):
            run = (_QUOTED_RUN if closer else _BODY_RUN).match(text, self.at)
            if run:
                out.append(Text(run[0], True))
                self.at = run.end()
                continue
            char = text[self.at]
            if char == '"':
                self.at += 1
                return
            if char == "\\":
                following = text[self.at + 1 : self.at + 2]
                self.at += 2 if following else 1
                if following == "\n":
                    continue
                out.append(Text(following if following and following in f"$`\\{closer}" else "\\" + following, True))
            elif char == "$":
                self.dollar(out, True)
            else:
                self.backtick(out, True)
        if closer:
            raise Unreadable('unexpected end of text inside "…"')

    def dollar(self, out: list[Part], within: bool) -> None:
        """Reads what ``$`` starts; a lone ``$`` is itself. ``within``: inside double quotes."""
        following = self.text[self.at + 1 : self.at + 2]
        if following == "(":
            if self.peek(3) == "$((":
                out.append(self._arithmetic(within))
                return
            self.at += 2
            self.deeper()
            out.append(Substitution(self.substituted(")"), within))
            self.depth -= 1
        elif following == "{":
            self.at += 2
            self.deeper()
            out.append(self._braced(within))
            self.depth -= 1
        elif following == "'" and not within:
            out.append(Text(self._ansi(), True))
        elif following == '"' and not within:
            self.at += 1
        elif match := _NAME.match(self.text, self.at + 1):
            self.at = match.end()
            out.append(Parameter(match[0], within))
        else:
            self.at += 1
            out.append(Text("$", True))

    def _ansi(self) -> str:
        at = self.at + 2
        while at < len(self.text) and self.text[at] != "'":
            at += 2 if self.text[at] == "\\" else 1
        if at >= len(self.text):
            raise Unreadable("unexpected end of text inside $'…'")
        inside = self.text[self.at + 2 : at]
        self.at = at + 1
        return unescaped(inside)

    def _braced(self, within: bool) -> Parameter:
        text = self.text
        if text.startswith("#", self.at) and not text.startswith("#}", self.at):
            name = _NAME.match(text, self.at + 1)
            if name is None or not text.startswith("}", name.end()):
                raise Unreadable("this form of ${…}: not supported")
            self.at = name.end() + 1
            return Parameter(name[0], within, "#")
        match = _IN_BRACES.match(text, self.at)
        if match is None:
            raise Unreadable("this form of ${…}: not supported")
        self.at = match.end()
        if not match[2]:
            if self.peek() != "}":
                raise Unreadable("this form of ${…}: not supported")
            self.at += 1
            return Parameter(match[1], within)
        parts: list[Part] = []
        while self.at < len(text) and text[self.at] != "}":
            run = re.compile(r"[^}'\"\\$`]+").match(text, self.at)
            if run:
                parts.append(Text(run[0], within))
                self.at = run.end()
                continue
            char = text[self.at]
            if char == "\\":
                self._backslash(parts)
            elif char == "'" and not within:
                parts.append(Text(self._single(), True))
            elif char == "'":
                parts.append(Text("'", True))
                self.at += 1
            elif char == '"':
                self.at += 1
                self.double(parts)
            elif char == "$":
                self.dollar(parts, within)
            else:
                self.backtick(parts, within)
        if self.at >= len(text):
            raise Unreadable("unexpected end of text inside ${…}")
        self.at += 1
        return Parameter(match[1], within, match[2], _word(parts))

    def backtick(self, out: list[Part], within: bool) -> None:
        """Reads a command substitution in backticks."""
        at, inside = self.at + 1, list[str]()
        while at < len(self.text) and self.text[at] != "`":
            if self.text[at] == "\\" and self.text[at + 1 : at + 2] in ("`", "\\", "$"):
                at += 1
            inside.append(self.text[at])
            at += 1
        if at >= len(self.text):
            raise Unreadable("unexpected end of text inside `…`")
        self.at = at + 1
        self.deeper()
        out.append(Substitution(self.inner("".join(inside)).substituted(""), within))
        self.depth -= 1

    def _arithmetic(self, within: bool) -> Arithmetic:
        depth, at = 2, self.at + 3
        while at < len(self.text) and depth:
            depth += {"(": 1, ")": -1}.get(self.text[at], 0)
            at += 1
        if depth or self.text[at - 2 : at] != "))":
            raise Unreadable("unexpected end of text inside $((…))")
        tokens = arithmetic.tokens(self.text[self.at + 3 : at - 2])
        if tokens is None:
            raise Unreadable("this arithmetic in $((…)): not supported")
        self.at = at
        return Arithmetic(tokens, within)


_BODY_RUN = re.compile(r"[^\\$`]+")


def _spread(parts: list[Part]) -> list[list[Part]] | None:
    for number, part in enumerate(parts):
        if not isinstance(part, Text) or part.quoted or "{" not in part.text:
            continue
        for match in _BRACE.finditer(part.text):
            choices = _choices(match[1])
            if choices:
                before, after = part.text[: match.start()], part.text[match.end() :]
                return [
                    [
                        *parts[:number],
                        Text(before, False),
                        Text(choice, True),
                        Text(after, False),
                        *parts[number + 1 :],
                    ]
                    for choice in choices
                ]
    return None


def _choices(inside: str) -> list[str]:
    if match := _RANGE.fullmatch(inside):
        if match[4]:
            first, last, step = ord(match[4]), ord(match[5]), 1
        else:
            first, last, step = int(match[1]), int(match[2]), int(match[3] or 1) or 1
        if abs(last - first) // step >= MAX_COMMANDS:
            raise Unreadable(f"a brace expansion to more than {MAX_COMMANDS} words: not supported")
        numbers = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
        return [chr(number) if match[4] else str(number) for number in numbers]
    return inside.split(",") if "," in inside else []
