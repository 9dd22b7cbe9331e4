"""Tool results into records: one generic shape for mail, messages, events, tasks, notes, offers and pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from .language import MAX_TEXT, instant, person

LIMIT = 500  # records taken from one result; the rest is not looked at


@dataclass(frozen=True, slots=True)
class Item:
    """One record as the agent saw it: ``kind`` is one of the shapes below, ``at`` when it was written or starts.

    ``text`` is the body or an offer's price; ``status`` a task's, or an offer's stops; ``labels`` may be its class.
    """

    kind: str
    id: str = ""
    author: str = ""
    title: str = ""
    text: str = ""
    at: datetime | None = None
    end: datetime | None = None
    due: datetime | None = None
    place: str = ""
    status: str = ""
    priority: str = ""
    owner: str = ""
    labels: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Who said it, where, and when: ``Dana Reeves, mail, Mar 12 09:15``."""
        where = {"slack": f"Slack {self.place}".strip(), "task": f"board {self.id}".strip()}.get(self.kind, self.kind)
        when = f"{self.at:%b} {self.at.day} {self.at:%H:%M}" if self.at and self.kind in ("mail", "slack") else ""
        return ", ".join(filter(None, (person(self.author), where, when)))

    @property
    def everything(self) -> str:
        """Title and text."""
        return f"{self.title}\n{self.text}"

    @property
    def domain(self) -> str:
        """The domain of the author's address."""
        return self.author.rpartition("@")[2].strip("> ")

    @property
    def stamp(self) -> str:
        """When, as text that sorts by time; empty if unknown."""
        return self.at.isoformat() if self.at else ""


# kind: the keys that tell it; then, field by field, the keys its value may stand under
_SHAPES = """
receipt: confirmation; id confirmation; title flight; text seat
offer: departs arrives; title flight name; text price; at departs; end arrives; status stops; labels fare
mail: subject; author sender from; title subject; text body; at date received_ts; labels labels flags
slack: text channel; author author user; at timestamp ts; place channel
slack: text author; author author; at timestamp ts
event: start; text notes description attendees; at start; end end; place location
channel: members name; text description purpose
pull: number title; author author; text body branch headRefName checks; status state
task: title status; text description notes linked_pr; at updated created; due due_date; owner assignee
note: path snippet; id path; text snippet
note: path text; id path
note: path content; id path; text content
page: url title; id url; text description text
doc: title content; text content
"""
_COMMON = "id id number; title title summary name; text text; status status; priority priority"
_HEADER = re.compile(r"(?m)^From: ?(.*)\n(?=(?:[A-Z][\w-]{1,20}: ?.*\n)*?(?:Subject|Date):)")


@lru_cache(maxsize=1)
def _shapes() -> list[tuple[str, list[str], dict[str, list[str]]]]:
    shapes = []
    for line in _SHAPES.strip().splitlines():
        kind, _, rest = line.partition(": ")
        told, *fields = rest.split("; ")
        named = {name: keys for name, *keys in map(str.split, [*_COMMON.split("; "), *fields])}
        shapes.append((kind, told.split(), named))
    return shapes


def _text(value: object) -> str:
    """A JSON value as text: lists joined, objects by their telling key, what says nothing empty."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)[:MAX_TEXT]
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value[:40])))
    keys = ("plain_text", "content", "name", "dateTime", "start", "date", "login") if isinstance(value, dict) else ()
    return next((found for key in keys if isinstance(value, dict) and (found := _text(value.get(key)))), "")


def item_of(data: Mapping[str, Any]) -> Item | None:
    """The record that a JSON object describes, told by the keys it has."""
    shape = next((s for s in _shapes() if all(data.get(key) is not None for key in s[1])), None)
    if shape is None:
        return None
    fields: dict[str, Any] = {}
    for field, keys in shape[2].items():
        found = [text for key in keys if (text := _text(data.get(key)))]
        fields[field] = "\n".join(found) if field == "text" else next(iter(found), "")
    fields |= {field: instant(fields.get(field, "")) for field in ("at", "end", "due")}
    fields |= {field: fields[field].lower().replace(" ", "_") for field in ("status", "priority")}
    tags = fields.get("labels", "").lower().split(", ")
    unnumbered = re.sub(r"(?m)^\s*\d+\t", "", fields["text"])
    return Item(shape[0], **fields | {"labels": tuple(filter(None, tags)), "text": unnumbered})


def _mails(text: str) -> Iterator[Item]:
    """Mails printed one after the other: headers, a blank line, the body, signed at its end."""
    heads = list(_HEADER.finditer(text))[:LIMIT]
    for head, stop in zip(heads, [*(h.start() for h in heads[1:]), len(text)], strict=False):
        block, _, body = text[head.end() : stop].partition("\n\n")
        fields = dict(re.findall(r"(?m)^([A-Z][\w-]{1,20}): ?(.*)$", block))
        author = head[1].strip()
        signed = re.search(r"\n([A-Z][\w'’-]+ [A-Z][\w'’-]+)(?:\n.*){0,2}\s*$", body)
        if signed and "." not in author.split("@")[0] and "<" not in author:
            author = f"{signed[1]} <{author}>"
        yield Item("mail", "", author, fields.get("Subject", ""), body.strip(), instant(fields.get("Date", "")))


def _walk(value: object, depth: int = 0) -> Iterator[Item]:
    if isinstance(value, list) and depth < 5:
        for part in value[:LIMIT]:
            yield from _walk(part, depth + 1)
    elif isinstance(value, dict) and depth < 5:
        printed = value.get("aggregated")
        if item := item_of(value):
            yield item
        elif isinstance(printed, str):
            yield from _printed(printed)
        else:
            yield from _walk([value.get(key) for key in ("results", "items", "messages", "channels", "events")], depth)


def _printed(text: str) -> Iterator[Item]:
    """Records in a command's output: JSON documents wherever a line begins one, printed mails in between."""
    at = 0
    for start in re.finditer(r"(?m)^[\[{]", text):
        if start.start() >= at:
            try:
                value, end = json.JSONDecoder().raw_decode(text, start.start())
            except (ValueError, RecursionError):
                continue
            yield from _mails(text[at : start.start()])
            yield from _walk(value)
            at = end
    yield from _mails(text[at:] + "\n")


def value_of(result: str) -> Any:
    """What a tool result says as JSON; text that is none counts as a command's output."""
    try:
        return json.loads(result)
    except (ValueError, RecursionError):
        return {"aggregated": result}


@lru_cache(maxsize=2048)
def items_of(result: str) -> tuple[Item, ...]:
    """The records in one tool result, as the model was handed it."""
    return tuple(_walk(value_of(result)))[:LIMIT]


@lru_cache(maxsize=2048)
def failed(result: str) -> bool:
    """Whether a result says that the call failed or was refused."""
    value = value_of(result)
    told = value if isinstance(value, dict) else {}
    return bool(told.get("error")) or told.get("status") == "failed" or told.get("ok") is False


@lru_cache(maxsize=256)
def merged(results: tuple[str, ...]) -> tuple[Item, ...]:
    """All records of several results, each once: a mail's envelope and body become one record."""
    found: dict[tuple[object, ...], Item] = {}
    for item in (item for result in results for item in items_of(result)):
        key: tuple[object, ...] = (item.kind, item.id or item.author, item.title)
        if item.kind == "mail":
            key = ("mail", item.title, item.author.rpartition("<")[2].rstrip(">"), item.at)
        elif item.kind == "note" or not item.id:
            key = (*key, item.text)
        known = found.get(key)
        if known is not None:
            longer = item if len(item.text) > len(known.text) else known
            item = replace(longer, id=known.id or item.id, labels=known.labels or item.labels)
        found[key] = item
    return tuple(found.values())
