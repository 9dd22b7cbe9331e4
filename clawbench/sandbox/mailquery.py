"""himalaya's query language: ``from alice and (subject export or flag unseen) order by date desc``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..world import Record
from .mailbox import listed
from .moments import Moment, moment_of
from .options import shown

Predicate = Callable[[Record], bool]

_TEXT_FIELDS = ("from", "to", "subject", "body")
_DATE_FIELDS = ("date", "before", "after", "since")
_FIELDS = frozenset((*_TEXT_FIELDS, *_DATE_FIELDS, "flag"))
_KEYWORDS = _FIELDS | {"and", "or", "not", "order", "(", ")"}
_TOKEN = re.compile(r"\"([^\"]*)\"|'([^']*)'|([()])|([^\s()\"']+)")
_ORDERS = ("date", "from", "to", "subject")
_MAX_TOKENS = 200


@dataclass(frozen=True, slots=True)
class MailQuery:
    """Which mails, and in what order: ``order`` is (field, descending) pairs, the first counting most."""

    matches: Predicate
    order: tuple[tuple[str, bool], ...] = ()


class QueryError(ValueError):
    """The query cannot be read; the text says where."""


def mail_query(words: Sequence[str], now: datetime) -> MailQuery:
    """Reads a query from a command line's words. Words that are no condition are searched for anywhere.

    Raises QueryError.
    """
    tokens = _tokens(words)
    if len(tokens) > _MAX_TOKENS:
        raise QueryError(f"a query has at most {_MAX_TOKENS} words")
    return _Parser(tokens, now).query()


def text_of(record: Record, field: str) -> str:
    """What a text condition looks at, in lower case."""
    data = record.data
    if field == "from":
        return str(data.get("sender", "")).lower()
    if field == "to":
        return " ".join((*listed(data.get("to")), *listed(data.get("cc")))).lower()
    return str(data.get(field, "")).lower()


def flags_of(record: Record) -> frozenset[str]:
    """A mail's flags: its labels, ``flagged`` if urgent, ``seen`` or ``unseen``."""
    labels = record.data.get("labels")
    flags = {str(label).lower() for label in labels} if isinstance(labels, (list, tuple)) else set()
    if record.data.get("is_urgent"):
        flags.add("flagged")
    flags.add("seen" if flags & {"seen", "read"} else "unseen")
    return frozenset(flags | ({"unread"} if "unseen" in flags else {"read"}))


def _tokens(words: Sequence[str]) -> list[tuple[str, bool]]:
    """(text, may it be a keyword) pairs. A quoted text never is one; neither is the value behind a field."""
    tokens: list[tuple[str, bool]] = []
    for word in words:
        follows_field = bool(tokens) and tokens[-1][1] and tokens[-1][0] in _FIELDS
        if follows_field and len(words) > 1:
            tokens.append((word, False))
            continue
        for found in _TOKEN.finditer(word):
            quoted = found[1] if found[1] is not None else found[2]
            if quoted is not None:
                tokens.append((quoted, False))
            else:
                text = found[3] or found[4]
                tokens.append((text.lower(), True) if text.lower() in _KEYWORDS else (text, False))
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, bool]], now: datetime) -> None:
        self.tokens = tokens
        self.now = now
        self.at = 0

    def query(self) -> MailQuery:
        matches = _everything if self.peek() in ("", "order") else self.alternatives()
        order = self.order() if self.peek() == "order" else ()
        if self.at < len(self.tokens):
            raise QueryError(f"cannot read the query from {shown(self.tokens[self.at][0])} on")
        return MailQuery(matches, order)

    def peek(self) -> str:
        """The keyword that comes next, ``"word"`` for anything else, ``""`` at the end."""
        if self.at >= len(self.tokens):
            return ""
        text, keyword = self.tokens[self.at]
        return text if keyword else "word"

    def alternatives(self) -> Predicate:
        options = [self.conjunction()]
        while self.peek() == "or":
            self.at += 1
            options.append(self.conjunction())
        return options[0] if len(options) == 1 else lambda record: any(option(record) for option in options)

    def conjunction(self) -> Predicate:
        parts = [self.condition()]
        while self.peek() not in ("", "or", ")", "order"):
            if self.peek() == "and":
                self.at += 1
            parts.append(self.condition())
        return parts[0] if len(parts) == 1 else lambda record: all(part(record) for part in parts)

    def condition(self) -> Predicate:
        keyword = self.peek()
        self.at += 1
        if keyword == "not":
            inner = self.condition()
            return lambda record: not inner(record)
        if keyword == "(":
            inner = self.alternatives()
            if self.peek() != ")":
                raise QueryError("a parenthesis is not closed")
            self.at += 1
            return inner
        if keyword == "word":
            return _anywhere(self.tokens[self.at - 1][0].lower())
        if keyword not in _FIELDS:
            raise QueryError(f"expected a condition ({', '.join(sorted(_FIELDS))}), not {shown(keyword)}")
        if self.at >= len(self.tokens):
            raise QueryError(f"{keyword} needs a value")
        value = self.tokens[self.at][0]
        self.at += 1
        while self.peek() == "word":
            value += " " + self.tokens[self.at][0]
            self.at += 1
        return self.field(keyword, value)

    def field(self, name: str, value: str) -> Predicate:
        lowered = value.lower()
        if name == "flag":
            return lambda record: lowered in flags_of(record)
        if name in _TEXT_FIELDS:
            return lambda record: lowered in text_of(record, name)
        day = moment_of(value, self.now)
        if day is None:
            raise QueryError(f"{name}: {shown(value)} is no date; write YYYY-MM-DD")
        return _dated(name, day, self.now)

    def order(self) -> tuple[tuple[str, bool], ...]:
        self.at += 1
        names = [text.lower() for text, _ in self.tokens[self.at :]]
        self.at = len(self.tokens)
        if names[:1] == ["by"]:
            names = names[1:]
        order: list[tuple[str, bool]] = []
        for name in names:
            if name in ("asc", "desc") and order:
                order[-1] = (order[-1][0], name == "desc")
            elif name in _ORDERS:
                order.append((name, False))
            else:
                raise QueryError(f"order by {', '.join(_ORDERS)} asc or desc, not {shown(name)}")
        return tuple(order)


def _everything(record: Record) -> bool:
    return True


def _anywhere(text: str) -> Predicate:
    return lambda record: any(text in text_of(record, field) for field in _TEXT_FIELDS)


def _dated(name: str, day: Moment, now: datetime) -> Predicate:
    start, end = day.at, day.end

    def matches(record: Record) -> bool:
        arrived = moment_of(str(record.data.get("received_ts", "")), now)
        if arrived is None:
            return False
        if name == "date":
            return start <= arrived.at < max(end, start.replace(microsecond=999_999))
        if name == "before":
            return arrived.at < start
        # himalaya's "after DAY" means later than that day's midnight; the day itself stays in
        return arrived.at >= start

    return matches
