"""Command text to program: everything that can be wrong with it is found before anything runs."""

from __future__ import annotations

import re
from functools import lru_cache

from .limits import MAX_COMMAND, MAX_COMMANDS
from .syntax import (
    Chain,
    Command,
    For,
    Group,
    If,
    Part,
    Pipeline,
    Program,
    Redirect,
    Script,
    Simple,
    Text,
    Unreadable,
    While,
    Word,
)
from .words import Scanner, quoted

_CACHED_LENGTH = 4096
_BLANK = re.compile(r"(?:[ \t]|\\\n)+")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_REDIRECT = re.compile(r"(\d{0,2})(<<<|<<-|<<|<>|<&|<\(|<|>\(|>>|>\||>&|>)|(&>>|&>)", re.ASCII)
_RESERVED = re.compile(r"(\{|\}|!|\[\[|[a-z]+)(?=[ \t\n;&|<>()]|$)")
_OPENERS = ("{", "for", "while", "until", "if", "case", "select", "function", "[[", "coproc")
_CLOSERS = frozenset({"}", "do", "done", "then", "elif", "else", "fi", "esac"})
_DECLARES = ("export", "readonly")


def parse(command: str) -> Program:
    """The program of a text; its ``problem`` is set, and nothing else, if the text cannot be read."""
    return _remembered(command) if len(command) <= _CACHED_LENGTH else _parsed(command)


def _parsed(command: str) -> Program:
    if len(command) > MAX_COMMAND or len(command.encode("utf-8", "replace")) > MAX_COMMAND:
        return Program(Script(()), problem=f"sh: a command longer than {MAX_COMMAND} bytes: not supported")
    text = command.replace("\r\n", "\n")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    parser = Parser(text)
    try:
        if "\0" in text:
            raise Unreadable("the NUL character: not supported")
        script = parser.script(frozenset())
        if parser.at < len(parser.text):
            raise Unreadable(f"near unexpected {parser.token()!r}")
        parser.newline()
    except Unreadable as problem:
        return Program(Script(()), problem=f"sh: syntax error: {problem}")
    return Program(script, tuple(parser.bodies))


_remembered = lru_cache(maxsize=256)(_parsed)


class Parser(Scanner):
    """Recursive descent over one text; scanners of text within share the count of commands and the bodies."""

    def __init__(self, text: str, depth: int = 0, outer: Parser | None = None) -> None:
        super().__init__(text, depth)
        self.bodies: list[Word] = [] if outer is None else outer.bodies
        self.commands: list[None] = [] if outer is None else outer.commands
        self.awaited: list[tuple[int, str, bool, bool]] = []

    def inner(self, text: str) -> Parser:
        return Parser(text, self.depth, self)

    def substituted(self, closer: str) -> Script:
        if not closer:
            script = self.script(frozenset())
            if self.at < len(self.text):
                raise Unreadable(f"near unexpected {self.token()!r}")
            self.newline()
            return script
        return self.enclosed(closer)

    def enclosed(self, closer: str) -> Script:
        """A script up to ``closer``, which is read too."""
        script = self.script(frozenset({closer}))
        self.expect(closer)
        return script

    def script(self, closers: frozenset[str]) -> Script:
        """Chains up to one of ``closers``, which is left to be read, or the end."""
        self.deeper()
        chains: list[Chain] = []
        while True:
            self.blank(newlines=True)
            if self.at >= len(self.text) or self.closing(closers):
                break
            chains.append(self.chain())
            self.blank()
            if self.peek() in ";&" and self.peek(2) not in (";;", ";&") and self.at < len(self.text):
                self.at += 1
            elif self.at < len(self.text) and self.peek() != "\n" and not self.closing(closers):
                raise Unreadable(f"near unexpected {self.token()!r}")
        self.depth -= 1
        return Script(tuple(chains))

    def chain(self) -> Chain:
        """Pipelines joined by ``&&`` and ``||``."""
        links = [("", self.pipeline())]
        while True:
            self.blank()
            operator = self.peek(2)
            if operator not in ("&&", "||"):
                return Chain(tuple(links))
            self.at += 2
            self.blank(newlines=True)
            links.append((operator, self.pipeline()))

    def pipeline(self) -> Pipeline:
        """Commands joined by ``|`` and ``|&``."""
        negated = False
        while self.reserved() == "!":
            self.at += 1
            self.blank()
            negated = not negated
        stages, merged = [self.command()], list[bool]()
        while True:
            self.blank()
            if self.peek() != "|" or self.peek(2) == "||":
                return Pipeline(tuple(stages), (*merged, False), negated)
            merged.append(self.peek(2) == "|&")
            self.at += 2 if merged[-1] else 1
            self.blank(newlines=True)
            stages.append(self.command())

    def command(self) -> Command:
        """One simple or compound command."""
        self.commands.append(None)
        if len(self.commands) > MAX_COMMANDS:
            raise Unreadable(f"more than {MAX_COMMANDS} commands in one text: not supported")
        if self.peek(2) == "((":
            raise Unreadable("((…)): not supported")
        if self.peek() == "(":
            self.at += 1
            return Group(self.enclosed(")"), True, self.redirects())
        word = self.reserved()
        if word in _CLOSERS:
            raise Unreadable(f"near unexpected {word!r}")
        if word not in _OPENERS:
            return self.simple()
        self.at += len(word)
        if word == "{":
            return Group(self.enclosed("}"), False, self.redirects())
        if word == "for":
            return self.loop_over_words()
        if word in ("while", "until"):
            condition = self.filled("do")
            return While(condition, self.filled("done"), word == "until", self.redirects())
        if word == "if":
            return self.branches()
        raise Unreadable(f"{word}: not supported")

    def filled(self, closer: str) -> Script:
        """A script up to ``closer`` that may not be empty."""
        script = self.enclosed(closer)
        if not script.chains:
            raise Unreadable(f"near unexpected {closer!r}")
        return script

    def loop_over_words(self) -> For:
        """``NAME in WORDS; do …; done`` after ``for``."""
        self.blank()
        if self.peek(2) == "((":
            raise Unreadable("for ((…)): not supported")
        match = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").match(self.text, self.at)
        if match is None:
            raise Unreadable("a name is missing after 'for'")
        self.at = match.end()
        self.blank(newlines=True)
        words: list[Word] = []
        if self.reserved() == "in":
            self.at += 2
            self.blank()
            while (found := self.words()) is not None:
                words += found
                self.blank()
            if self.peek() not in ("\n", ";"):
                raise Unreadable(f"near unexpected {self.token()!r}")
        if self.peek() == ";":
            self.at += 1
        self.blank(newlines=True)
        self.expect("do")
        return For(match[0], tuple(words), self.filled("done"), self.redirects())

    def branches(self) -> If:
        """The rest of an ``if``."""
        found: list[tuple[Script, Script]] = []
        while True:
            condition = self.filled("then")
            body = self.script(frozenset({"elif", "else", "fi"}))
            found.append((condition, body))
            word = self.reserved()
            if word != "elif":
                break
            self.at += len(word)
        otherwise = None
        if word == "else":
            self.at += len(word)
            otherwise = self.filled("fi")
        else:
            self.expect("fi")
        return If(tuple(found), otherwise, self.redirects())

    def simple(self) -> Simple:
        """Assignments, words and redirections up to an operator."""
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            redirect = self.redirect()
            if redirect is not None:
                redirects.append(redirect)
            elif not words and (match := _ASSIGNMENT.match(self.text, self.at)):
                assignments.append((match[1], self.assigned(match)))
            elif words and words[0] in _DECLARES and (match := _ASSIGNMENT.match(self.text, self.at)):
                words.append(self.declared(match))
            elif (found := self.words()) is not None:
                words += found
            else:
                break
            self.blank()
        if not (assignments or words or redirects):
            raise Unreadable(f"near unexpected {self.token()!r}")
        if self.peek() == "(":
            raise Unreadable("functions and arrays: not supported" if words else "near unexpected '('")
        plain = tuple([word for word in words if isinstance(word, str)])
        is_plain = len(plain) == len(words) and not assignments and not redirects
        return Simple(tuple(assignments), tuple(words), tuple(redirects), plain if is_plain else None)

    def assigned(self, match: re.Match[str]) -> Word:
        """The value of ``NAME=value`` or ``NAME+=value``."""
        self.at = match.end()
        if self.peek() == "(":
            raise Unreadable("arrays: not supported")
        value: Word = self.word() or ""
        if match[2]:
            before = Scanner("${" + match[1] + "}").word()
            old: tuple[Part, ...] = before if isinstance(before, tuple) else ()
            value = (*old, *((Text(value, True),) if isinstance(value, str) else value))
        return quoted(value)

    def declared(self, match: re.Match[str]) -> Word:
        """``NAME=value`` as a word of ``export``: never split."""
        value = self.assigned(match)
        if isinstance(value, str):
            return f"{match[1]}={value}"
        return (Text(f"{match[1]}=", True), *value)

    def redirects(self) -> tuple[Redirect, ...]:
        """The redirections after a compound command."""
        found: list[Redirect] = []
        self.blank()
        while (redirect := self.redirect()) is not None:
            found.append(redirect)
            self.blank()
        return tuple(found)

    def redirect(self) -> Redirect | None:
        """The redirection that starts here, or None."""
        match = _REDIRECT.match(self.text, self.at)
        if match is None:
            return None
        operator = match[3] or match[2]
        fd = int(match[1]) if match[1] else 0 if operator[0] == "<" else 1
        if operator in ("<>", "<&", "<(", ">(") or fd not in ((0,) if operator[0] == "<" else (1, 2)):
            raise Unreadable(f"the redirection {match[0]}: not supported")
        self.at = match.end()
        self.blank()
        if operator in ("<<", "<<-"):
            return Redirect(fd, "<<", self.awaiting(operator == "<<-"))
        word = self.word()
        if word is None:
            raise Unreadable(f"near unexpected {self.token()!r}")
        if operator == ">&" and word not in ("1", "2"):
            if match[1] or word == "-" or not isinstance(word, str):
                raise Unreadable(f"the redirection {match[0]}: not supported")
            operator = "&>"
        return Redirect(fd, ">" if operator == ">|" else operator, word)

    def awaiting(self, strip: bool) -> int:
        """Notes a here-document whose body follows after this line; returns the body's number."""
        parts = self.parts()
        if parts is None or not all(isinstance(part, Text) for part in parts):
            raise Unreadable("a here-document without a plain delimiter: not supported")
        texts = [part for part in parts if isinstance(part, Text)]
        self.bodies.append("")
        literal = any(part.quoted for part in texts)
        self.awaited.append((len(self.bodies) - 1, "".join(part.text for part in texts), strip, literal))
        return len(self.bodies) - 1

    def newline(self) -> None:
        """Reads a newline, and the bodies of the here-documents that the line before it announced."""
        self.at = min(self.at + 1, len(self.text))
        while self.awaited:
            number, delimiter, strip, literal = self.awaited.pop(0)
            lines: list[str] = []
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self.at = min(end + 1, len(self.text))
                line = line.lstrip("\t") if strip else line
                if line == delimiter:
                    break
                lines.append(line + "\n")
            body = "".join(lines)
            self.bodies[number] = body if literal else self.inner(body).body()

    def body(self) -> Word:
        """This whole text as the body of a here-document."""
        parts: list[Part] = []
        self.double(parts, "")
        return (
            "".join([p.text for p in parts if isinstance(p, Text)])
            if all(isinstance(p, Text) for p in parts)
            else tuple(parts)
        )

    def blank(self, newlines: bool = False) -> None:
        """Skips blanks, continued lines and comments, and newlines if told."""
        while True:
            if match := _BLANK.match(self.text, self.at):
                self.at = match.end()
            if self.peek() == "#" and (self.at == 0 or self.text[self.at - 1] in " \t\n;&|()`"):
                self.at = self.text.find("\n", self.at)
                if self.at < 0:
                    self.at = len(self.text)
            if not newlines or self.peek() != "\n":
                return
            self.newline()

    def reserved(self) -> str:
        """The reserved word that may stand here, or an empty text."""
        match = _RESERVED.match(self.text, self.at)
        return match[1] if match else ""

    def closing(self, closers: frozenset[str]) -> bool:
        """Whether one of the closers stands here."""
        return bool(closers) and ((self.peek() == ")" and ")" in closers) or self.reserved() in closers)

    def expect(self, closer: str) -> None:
        """Reads the closer; its absence is an error."""
        if not self.closing(frozenset({closer})):
            if self.at >= len(self.text):
                raise Unreadable(f"unexpected end of text, {closer!r} is missing")
            raise Unreadable(f"near unexpected {self.token()!r}")
        self.at += len(closer)

    def token(self) -> str:
        """What stands here, for a message."""
        if self.at >= len(self.text):
            return "end of text"
        match = re.compile(r"&&|\|\||;;|[;&|<>()\n]|[^\s;&|<>()]{1,40}").match(self.text, self.at)
        return match[0] if match else self.text[self.at]
