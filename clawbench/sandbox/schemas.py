"""The seven tools an agent sees: their parameters, and the schemas that a model is offered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

Kind = Literal["string", "integer", "number", "boolean"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a tool. ``name_like`` texts (ids, channels) may also come as a number."""

    name: str
    kind: Kind
    description: str
    required: bool = False
    minimum: int = 0
    choices: tuple[str, ...] = ()
    name_like: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool's name, what it is for, and its parameters."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]


SLACK_ACTIONS = (
    "readMessages",
    "searchMessages",
    "listChannels",
    "memberInfo",
    "listPins",
    "reactions",
    "emojiList",
    "sendMessage",
    "editMessage",
    "deleteMessage",
    "react",
    "pinMessage",
    "unpinMessage",
)

_EXEC = """\
Run a shell command and return its output. Programs:
- himalaya: mail. `himalaya envelope list [--folder F] [--page-size N] [from X | subject X | after DATE]`, \
`himalaya message read ID`, `himalaya template write` (saves a draft), `himalaya template reply ID`, \
`himalaya message send`, `himalaya message delete ID`, `himalaya message move FOLDER ID`, \
`himalaya flag add ID FLAG`, `himalaya folder list`
- gcalcli, gcal: calendar. `gcalcli agenda [START [END]]`, `gcalcli search TEXT`, \
`gcalcli add --title T --when TIME --duration MIN`, `gcal list-events --from DAY --to DAY`, \
`gcal delete-event ID`
- gh: code. `gh pr list --state all`, `gh pr view N --comments`, `gh pr checks N`, `gh issue list`
- curl: Notion (https://api.notion.com/v1/databases/tasks/query, /v1/pages/ID, \
/v1/blocks/ID/children, /v1/search) and Google Calendar (https://www.googleapis.com/calendar/v3/calendars/primary/events)
{programs}- text filters over pipes: grep, head, tail, sort, uniq, wc, cut, tr, jq; also echo, printf, cat, ls, \
pwd, date
Nothing else is installed."""

_FLIGHTS = """\
- flights: timetable and booking. `flights search --from PLACE --to PLACE --date DAY [--airline X] [--nonstop] \
[--max N]`, `flights show ID`, `flights book ID [--seat aisle|window]`, `flights bookings`, `flights cancel ID`
"""

TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "exec",
            _EXEC.format(programs=""),
            (
                Parameter("command", "string", "The command line to run", required=True),
                Parameter("workdir", "string", "Directory to run it in"),
                Parameter("timeout", "number", "Seconds after which it is stopped"),
                Parameter("background", "boolean", "Run it in the background"),
            ),
        ),
        Tool(
            "slack",
            "Read and write Slack. Reading: readMessages, searchMessages, listChannels, memberInfo, listPins,"
            " reactions, emojiList. Writing: sendMessage, editMessage, deleteMessage, react, pinMessage,"
            " unpinMessage.",
            (
                Parameter("action", "string", "What to do", required=True, choices=SLACK_ACTIONS),
                Parameter("to", "string", "Channel or person: '#name', an id, or a user", name_like=True),
                Parameter("content", "string", "Text of the message, or what to search for"),
                Parameter("threadTs", "string", "Message to reply to in its thread", name_like=True),
                Parameter("channelId", "string", "Channel to read or act in: '#name' or id", name_like=True),
                Parameter("limit", "integer", "Latest messages to return (50)", minimum=1),
                Parameter("before", "string", "Only messages before this time or message id", name_like=True),
                Parameter("after", "string", "Only messages after this time or message id", name_like=True),
                Parameter("threadId", "string", "Only this thread", name_like=True),
                Parameter("messageId", "string", "Message to edit, delete, pin or react to", name_like=True),
                Parameter("emoji", "string", "Name of the emoji"),
                Parameter("remove", "boolean", "Take the reaction away instead"),
                Parameter("userId", "string", "Person to look up", name_like=True),
            ),
        ),
        Tool(
            "memory_search",
            "Search MEMORY.md and memory/*.md for lines that contain any of the words.",
            (
                Parameter("query", "string", "Words to look for", required=True),
                Parameter("maxResults", "integer", "Results to return (5)", minimum=1),
                Parameter("minScore", "number", "Leave out results below this score"),
            ),
        ),
        Tool(
            "memory_get",
            "Read a memory file, or some of its lines.",
            (
                Parameter("path", "string", "The file, such as memory/clients.md", required=True),
                Parameter("from", "integer", "First line, counted from 1", minimum=1),
                Parameter("lines", "integer", "Number of lines", minimum=1),
            ),
        ),
        Tool(
            "web_search",
            "Search the web.",
            (
                Parameter("query", "string", "What to search for", required=True),
                Parameter("count", "integer", "Results to return (10)", minimum=1),
                Parameter("country", "string", "Two-letter country code"),
                Parameter("freshness", "string", "Age of the results: pd, pw, pm or py"),
            ),
        ),
        Tool(
            "web_fetch",
            "Fetch a web page as text.",
            (
                Parameter("url", "string", "Address of the page", required=True),
                Parameter("extractMode", "string", "markdown or text", choices=("markdown", "text")),
                Parameter("maxChars", "integer", "Longest text to return", minimum=1),
            ),
        ),
        Tool(
            "read",
            "Read a file of the workspace with numbered lines, such as USER.md or memory/clients.md.",
            (
                Parameter("path", "string", "The file", required=True),
                Parameter("from", "integer", "First line, counted from 1", minimum=1),
                Parameter("lines", "integer", "Number of lines", minimum=1),
            ),
        ),
    )
}
"""Every tool by its name, in the order in which they are offered."""


def tool_schemas(names: Iterable[str], *, flights: bool = False) -> tuple[dict[str, Any], ...]:
    """The OpenAI function schemas of the named tools, each once, in the order of TOOLS.

    ``flights`` says that exec has the travel program. Other names are left out. The same arguments give the same
    objects: they are not to be changed.
    """
    wanted = frozenset(names)
    return _schemas(tuple(name for name in TOOLS if name in wanted), flights)


@lru_cache(maxsize=128)
def _schemas(names: tuple[str, ...], flights: bool) -> tuple[dict[str, Any], ...]:
    tools = {**TOOLS, "exec": _with_flights(TOOLS["exec"])} if flights else TOOLS
    return tuple(_schema(tools[name]) for name in names)


def _with_flights(exec_: Tool) -> Tool:
    return replace(exec_, description=_EXEC.format(programs=_FLIGHTS))


def _schema(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": {
                "type": "object",
                "properties": {one.name: _property(one) for one in tool.parameters},
                "required": [one.name for one in tool.parameters if one.required],
            },
        },
    }


def _property(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"type": parameter.kind, "description": parameter.description}
    if parameter.choices:
        described["enum"] = list(parameter.choices)
    if parameter.minimum:
        described["minimum"] = parameter.minimum
    return described
