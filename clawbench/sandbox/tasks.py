"""The task board: finding tasks and changing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..world import Record, World
from .agenda import named
from .lines import Fragment, fragment
from .state import State

FIELDS = (
    "title",
    "status",
    "priority",
    "assignee",
    "description",
    "labels",
    "due_date",
    "project",
    "sprint",
    "notes",
    "created",
    "updated",
    "linked_pr",
    "linked_tickets",
    "comments",
)
"""What a task may have besides its id; a task of the world may have more."""

_WRITABLE_TEXT = 20_000


def known_fields(state: State) -> frozenset[str]:
    """The names of every property on the board."""
    return frozenset(("id", *FIELDS)).union(*(task.data for task in state.tasks))


def create(state: State, fields: Mapping[str, Any]) -> Record | None:
    """Adds a task; None if that was not allowed."""
    title = str(fields.get("title") or "Untitled")
    if not state.attempt("task.create", title, described({"title": title, **fields})):
        return None
    now = state.world.now.isoformat()
    data = {
        "id": f"task_new_{state.next_number()}",
        "title": title,
        "status": "open",
        "priority": "medium",
        "assignee": "",
        **{name: value for name, value in fields.items() if name not in ("id", "title")},
        "created": now,
        "updated": now,
    }
    record = Record(None, data)
    state.tasks.append(record)
    return record


def update(state: State, record: Record, changes: Mapping[str, Any]) -> Record | None:
    """Changes a task's fields; None if that was not allowed."""
    if not state.attempt("task.update", named(record), described(changes)):
        return None
    changed = Record(
        None, {**record.data, **changes, "id": record.data.get("id"), "updated": state.world.now.isoformat()}
    )
    state.tasks[state.tasks.index(record)] = changed
    return changed


def delete(state: State, record: Record) -> bool:
    """Archives a task; false if that was not allowed."""
    if not state.attempt("task.delete", named(record)):
        return False
    state.tasks.remove(record)
    return True


def described(fields: Mapping[str, Any]) -> str:
    """Fields as ``name: value`` lines: the text of an effect."""
    rows = []
    for name, value in fields.items():
        if isinstance(value, (list, tuple)):
            value = ", ".join(map(str, value))
        rows.append(f"{name}: {'' if value is None else value}"[:_WRITABLE_TEXT])
    return "\n".join(rows)


def task_item(record: Record, world: World) -> Fragment:
    """A task or document as an element of ``{"results": […]}``."""
    return fragment(record.data, () if record.ref is None else (record.ref,), 4)


def task_alone(record: Record, world: World) -> Fragment:
    """A task or document as a whole answer."""
    return fragment(record.data, () if record.ref is None else (record.ref,))
