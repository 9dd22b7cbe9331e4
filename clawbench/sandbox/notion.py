"""The Notion API over the world's tasks and documents, with flat objects in the public fixtures' shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..world import Record, World
from . import tasks
from .agenda import refs_of
from .lines import Fragment, Line, fragment, listing_lines, text_lines
from .mailbox import find, identifier
from .notionquery import (
    QueryInvalid,
    compiled_filter,
    flat_properties,
    folded,
    plain_value,
    rich_text,
    sorted_by,
)
from .options import shown
from .rest import Request, Response, notion_error, refused
from .state import State

_ROUTES = (
    "GET databases, POST databases/ID/query, GET/PATCH pages/ID, POST pages, "
    "GET/PATCH blocks/ID/children, POST comments, GET users, POST search"
)
_DATABASES = (("tasks", "Tasks"), ("documents", "Documents"))


def notion(request: Request, state: State) -> Response:
    """Answers one request to ``/v1/…``; total, and nothing changes unless an effect was allowed."""
    path = request.path[1:] if request.path[:1] == ("v1",) else request.path
    body = request.body()
    if body is None:
        return notion_error(400, "invalid_json", "Error parsing JSON body.")
    try:
        return _routed(request, tuple(path), body, state)
    except QueryInvalid as error:
        return notion_error(400, "validation_error", str(error))


def _routed(request: Request, path: tuple[str, ...], body: dict[str, Any], state: State) -> Response:
    method = request.method
    match path:
        case ("databases",) if method == "GET":
            return _databases(state)
        case ("databases" | "data_sources", name) if method == "GET":
            return _database(name)
        case ("databases" | "data_sources", name, "query") if method in ("GET", "POST"):
            return _query(name, body, state)
        case ("pages",) if method == "POST":
            return _create(body, state)
        case ("pages", name) if method == "GET":
            return _page(name, state)
        case ("pages", name) if method == "PATCH":
            return _update(name, body, state)
        case ("blocks", name) if method == "DELETE":
            return _archive(_task(name, state), state)
        case ("blocks", name, "children") if method == "GET":
            return _children(name, state)
        case ("blocks", name, "children") if method == "PATCH":
            return _append(name, _blocks_text(body.get("children")), "notes", state)
        case ("comments",) if method == "POST":
            parent = body.get("parent")
            name = str(parent.get("page_id", "")) if isinstance(parent, dict) else ""
            return _append(name, rich_text(body.get("rich_text")), "comments", state)
        case ("comments",) if method == "GET":
            return _comments(request.query.get("block_id", request.query.get("page_id", "")), state)
        case ("users",) if method == "GET":
            once = state.index.once
            return _listed([once(contact, _user) for contact in state.world.contacts], body, request)
        case ("search",) if method == "POST":
            return _search(body, request, state)
    return notion_error(400, "invalid_request_url", f"Invalid request: {method}. There are {_ROUTES}.")


# Reading.


def _databases(state: State) -> Response:
    once = state.index.once
    documents = [once(document, tasks.task_item) for document in state.world.documents]
    if state.world.compat:
        return Response(200, listing_lines("results", documents))
    entries = [fragment({"object": "database", "id": name, "title": title}, (), 4) for name, title in _DATABASES]
    return Response(200, listing_lines("results", [*entries, *documents]))


def _database(name: str) -> Response:
    title = "Documents" if name == "documents" else "Tasks"
    return Response(200, fragment({"object": "database", "id": name[:100], "title": title}))


def _query(name: str, body: dict[str, Any], state: State) -> Response:
    """Any database is the task board, except ``documents`` where a scenario is not a public one."""
    documents = folded(name) == "documents" and not state.world.compat
    source: Sequence[Record] = state.world.documents if documents else state.tasks
    known = frozenset(("id", "title", "content")) if documents else _known(state)
    keeps = compiled_filter(body.get("filter"), known, state.world.now)
    found = sorted_by([record for record in source if keeps(record)], body.get("sorts"), known)
    once = state.index.once
    return _listed([once(record, tasks.task_item) for record in found], body, None)


def _known(state: State) -> frozenset[str]:
    return tasks.known_fields(state)


def _listed(entries: Sequence[Fragment], body: dict[str, Any], request: Request | None) -> Response:
    """One page of results: ``page_size`` of them (1 to 100) from ``start_cursor`` on."""
    query = request.query if request else {}
    size = _whole(body.get("page_size", query.get("page_size")), "page_size")
    start = _whole(body.get("start_cursor", query.get("start_cursor")), "start_cursor") or 0
    if size is None:
        return Response(200, listing_lines("results", entries[start:]))
    size = min(max(size, 1), 100)
    end = start + size
    more = {"has_more": True, "next_cursor": str(end)} if end < len(entries) else None
    return Response(200, listing_lines("results", entries[start:end], more))


def _whole(value: Any, name: str) -> int | None:
    if value is None or value == "":
        return None
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or len(text) > 6:
        raise QueryInvalid(f"{name} should be a whole number, instead was {shown(text)}")
    return int(text)


def _page(name: str, state: State) -> Response:
    record = find(state.tasks, name) or find(state.world.documents, name)
    if record is None:
        return _missing(name)
    return Response(200, state.index.once(record, tasks.task_alone))


def _children(name: str, state: State) -> Response:
    record = find(state.tasks, name) or find(state.world.documents, name)
    if record is None:
        return _missing(name)
    return Response(200, state.index.once(record, _blocks))


def _blocks(record: Record, world: World) -> tuple[Line, ...]:
    """A document's lines, or a task's description and notes, as blocks."""
    data = record.data
    text = "\n".join(str(data[key]) for key in ("content", "description", "notes") if data.get(key))
    blocks = []
    for number, row in enumerate((line.text for line in text_lines(text)), 1):
        if row.strip():
            block = {
                "object": "block",
                "id": f"{identifier(record)}-{number}",
                "type": _block_type(row),
                "text": row,
            }
            blocks.append(fragment(block, refs_of(record), 4))
    return tuple(listing_lines("results", blocks))


def _block_type(row: str) -> str:
    if row.startswith("#"):
        return f"heading_{min(len(row) - len(row.lstrip('#')), 3)}"
    return "bulleted_list_item" if row.lstrip().startswith(("- ", "* ")) else "paragraph"


def _user(record: Record, world: World) -> Fragment:
    return fragment({"object": "user", **record.data}, refs_of(record), 4)


def _comments(name: str, state: State) -> Response:
    record = _task(name, state)
    if record is None:
        return _missing(name)
    given = record.data.get("comments")
    comments = given if isinstance(given, (list, tuple)) else []
    entries = [fragment({"object": "comment", "text": str(text)}, refs_of(record), 4) for text in comments]
    return Response(200, listing_lines("results", entries))


def _search(body: dict[str, Any], request: Request, state: State) -> Response:
    words = folded(body.get("query", "")).split()
    wanted = body.get("filter")
    if isinstance(wanted, dict) and wanted.get("value") in ("database", "data_source"):
        return _databases(state)
    once = state.index.once
    entries = []
    for kind, records in (("document", state.world.documents), ("task", state.tasks)):
        build = _document_hit if kind == "document" else _task_hit
        entries += [once(one, build) for one in records if all(word in once(one, _search_text) for word in words)]
    return _listed(entries, body, request)


def _search_text(record: Record, world: World) -> str:
    data = record.data
    return folded(" ".join(str(data.get(key) or "") for key in ("id", "title", "content", "description")))


def _document_hit(record: Record, world: World) -> Fragment:
    return _hit(record, "document")


def _task_hit(record: Record, world: World) -> Fragment:
    return _hit(record, "task")


def _hit(record: Record, kind: str) -> Fragment:
    entry = {"object": "page", "id": record.data.get("id"), "type": kind, "title": record.data.get("title")}
    return fragment(entry, refs_of(record), 4)


# Changing.


def _task(name: str, state: State) -> Record | None:
    return find(state.tasks, name) if name else None


def _create(body: dict[str, Any], state: State) -> Response:
    given = body.get("properties")
    if given is None:  # a flat object in the fixtures' own shape
        given = {name: value for name, value in body.items() if name not in ("parent", "children", "icon", "cover")}
    fields = flat_properties(given, _known(state))
    if not fields.get("title"):
        return notion_error(400, "validation_error", "body failed validation: properties needs a title")
    text = _blocks_text(body.get("children"))
    if text:
        fields.setdefault("description", text)
    record = tasks.create(state, fields)
    if record is None:
        return refused(state)
    return Response(200, tasks.task_alone(record, state.world))


def _update(name: str, body: dict[str, Any], state: State) -> Response:
    record = _task(name, state)
    if record is None:
        if find(state.world.documents, name) is not None:
            return notion_error(403, "restricted_resource", "This document is read-only.")
        return _missing(name)
    if body.get("archived") is True or body.get("in_trash") is True:
        return _archive(record, state)
    given = body.get("properties")
    if given is None:
        given = {key: value for key, value in body.items() if key not in ("archived", "in_trash", "icon", "cover")}
    changes = flat_properties(given, _known(state))
    if not changes:
        return notion_error(400, "validation_error", "body failed validation: properties names nothing to change")
    changed = tasks.update(state, record, changes)
    if changed is None:
        return refused(state)
    return Response(200, tasks.task_alone(changed, state.world))


def _archive(record: Record | None, state: State) -> Response:
    if record is None:
        return notion_error(404, "object_not_found", "Could not find a task with this ID.")
    if not tasks.delete(state, record):
        return refused(state)
    return Response(200, fragment({"object": "page", "id": record.data.get("id"), "archived": True}))


def _append(name: str, text: str, field: str, state: State) -> Response:
    """Adds text to a task's notes or comments."""
    record = _task(name, state)
    if record is None:
        return _missing(name)
    if not text:
        return notion_error(400, "validation_error", "body failed validation: there is no text")
    before = record.data.get(field)
    if field == "comments":
        value: Any = [*(before if isinstance(before, (list, tuple)) else ()), text]
    else:
        value = f"{before}\n{text}" if before else text
    changed = tasks.update(state, record, {field: value})
    if changed is None:
        return refused(state)
    return Response(200, tasks.task_alone(changed, state.world))


def _blocks_text(children: Any) -> str:
    rows = []
    for block in children[:200] if isinstance(children, list) else ():
        if isinstance(block, dict):
            kind = block.get("type")
            inner = block.get(kind) if isinstance(kind, str) else None
            if inner is None:
                inner = next((value for value in block.values() if isinstance(value, dict)), block.get("text"))
            rows.append(
                rich_text(inner.get("rich_text", inner.get("text")))
                if isinstance(inner, dict)
                else str(plain_value(inner))
            )
    return "\n".join(row for row in rows if row)[:20_000]


def _missing(name: str) -> Response:
    return notion_error(404, "object_not_found", f"Could not find page with ID: {shown(name)}.")
