"""Pull requests and issues of the user's repository: finding them and changing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..world import Record, World
from .state import State


def number_of(record: Record) -> str:
    """A pull request's or issue's number as text."""
    return str(record.data.get("number", ""))


def find(records: Sequence[Record], name: str) -> Record | None:
    """The record with this number (``356``, ``#356``, its URL) or, of a pull request, this branch."""
    wanted = name.rstrip("/").rpartition("/")[2] if "://" in name else name.removeprefix("#")
    by_number = next((record for record in records if number_of(record) == wanted), None)
    return by_number or next((record for record in records if record.data.get("branch") == name), None)


def state_of(record: Record) -> str:
    """``open``, ``merged`` or ``closed``."""
    return str(record.data.get("state", "open")).lower()


def repository(state: State) -> str:
    """``company/platform``: the repository that the user works in."""
    company = state.world.identity.get("COMPANY", "")
    owner = "-".join("".join(letter if letter.isalnum() else " " for letter in company).lower().split())
    return f"{owner or 'company'}/platform"


def titled(record: Record) -> str:
    """``#356 TITLE``: the target of an effect."""
    return f"#{number_of(record)} {record.data.get('title', '')}".strip()


def checks_of(record: Record) -> list[tuple[str, str]]:
    """A pull request's checks as (name, state): from a list of objects or texts, an object, or one text."""
    given = record.data.get("checks")
    if isinstance(given, Mapping):
        return [(str(name), str(state)) for name, state in given.items()]
    if isinstance(given, (list, tuple)):
        return [_check(one) for one in given]
    return [("checks", str(given))] if given else []


def _check(given: Any) -> tuple[str, str]:
    if isinstance(given, Mapping):
        state = given.get("conclusion") or given.get("state") or given.get("status") or "pending"
        return str(given.get("name", "check")), str(state)
    name, colon, state = str(given).partition(":")
    return (name.strip(), state.strip()) if colon else (str(given), "")


def field_values(record: Record, repository: str) -> dict[str, Any]:
    """A record's fields by the names that ``--json`` takes."""
    data = record.data
    state = state_of(record)
    author = str(data.get("author", ""))
    comments = data.get("comments")
    return {
        "number": data.get("number"),
        "title": data.get("title"),
        "state": state.upper(),
        "author": {"login": author},
        "headRefName": data.get("branch"),
        "baseRefName": data.get("base", "main"),
        "body": data.get("body", ""),
        "url": data.get("url") or f"https://github.com/{repository}/pull/{number_of(record)}",
        "createdAt": data.get("created"),
        "updatedAt": data.get("updated") or data.get("merged_at") or data.get("created"),
        "mergedAt": data.get("merged_at"),
        "closedAt": data.get("closed_at") or data.get("merged_at"),
        "isDraft": bool(data.get("draft", False)),
        "labels": [{"name": str(name)} for name in data.get("labels") or ()],
        "assignees": [{"login": str(name)} for name in data.get("assignees") or ()],
        "statusCheckRollup": [{"name": name, "state": result} for name, result in checks_of(record)],
        "reviews": list(data.get("reviews") or ()),
        "reviewDecision": data.get("review_decision", ""),
        "comments": list(comments) if isinstance(comments, (list, tuple)) else [],
        "additions": data.get("additions"),
        "deletions": data.get("deletions"),
        "files": list(data.get("files") or ()),
        "mergeable": data.get("mergeable", "UNKNOWN"),
    }


FIELD_NAMES = tuple(field_values(Record(None, {}), ""))
"""What ``--json`` can be asked for."""


def search_text(record: Record, world: World) -> str:
    """What ``--search`` looks at, in lower case."""
    data = record.data
    return " ".join(str(data.get(key) or "") for key in ("number", "title", "body", "branch", "author")).lower()


def change(
    state: State,
    records: list[Record],
    record: Record,
    kind: str,
    text: str,
    edit: Callable[[dict[str, Any]], None],
) -> bool:
    """Lets ``edit`` change a copy of the record's data; false if that was not allowed."""
    if not state.attempt(kind, titled(record), text):
        return False
    data = dict(record.data)
    edit(data)
    records[records.index(record)] = Record(None, data)
    return True


def create(state: State, records: list[Record], title: str, body: str, branch: str = "") -> Record | None:
    """Opens a pull request or issue; None if that was not allowed."""
    if not state.attempt("code.create", title, f"{title}\n\n{body}"):
        return None
    numbers = [int(text) for text in map(number_of, (*state.pulls, *state.issues)) if text.isdigit() and len(text) < 9]
    record = Record(
        None,
        {
            "number": max(numbers, default=0) + 1,
            "title": title,
            "state": "open",
            "author": state.world.identity.get("USER_HANDLE", "me"),
            "branch": branch,
            "body": body,
            "created": state.world.now.isoformat(),
        },
    )
    records.append(record)
    return record
