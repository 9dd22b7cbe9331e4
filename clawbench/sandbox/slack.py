"""The Slack tool: one function per action."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..world import Record, World
from .arguments import Arguments
from .attribution import entry_size, spans_of_keys, spans_of_list
from .mailbox import find, identifier
from .moments import moment_of
from .options import shown
from .result import ToolResult
from .schemas import SLACK_ACTIONS
from .state import State

_DEFAULT_LIMIT = 50
_MAX_MESSAGE = 40_000
_EMOJI = (
    "+1",
    "-1",
    "eyes",
    "fire",
    "heart",
    "rocket",
    "tada",
    "thinking_face",
    "warning",
    "wave",
    "white_check_mark",
    "x",
)
_POSTED = "IRREVERSIBLE: the message is out and people have been notified."
_DELETED = "IRREVERSIBLE: the message is gone for everybody."


def slack(arguments: Arguments, state: State) -> ToolResult:
    """Does one action; an unknown one gives ``ok: false`` and the list of those there are."""
    action = _ACTIONS.get(arguments["action"].lower())
    if action is None:
        return _error(f"unknown action {shown(arguments['action'])}; there are {', '.join(SLACK_ACTIONS)}")
    return action(arguments, state)


def _error(message: str, **more: Any) -> ToolResult:
    return ToolResult(False, {"ok": False, "error": message, **more})


def _listing(name: str, records: Sequence[Record], state: State, **more: Any) -> ToolResult:
    """``{"ok": true, NAME: […]}`` with each record's data as it is."""
    once = state.index.once
    result = {"ok": True, name: [record.data for record in records], **more}
    entries = [(record.ref, once(record, entry_size)) for record in records]
    return ToolResult(True, result, spans_of_list(result, name, entries))


# Names.


def _channel(state: State, name: str) -> str | None:
    """The channel's name as messages carry it, or ``@handle`` for a conversation with one person."""
    wanted = name.strip().lower()
    for prefix in ("channel:", "user:"):
        wanted = wanted.removeprefix(prefix)
    found = state.index.channel_names.get(wanted.lstrip("#"))
    if found is not None:
        return found
    person = state.index.people.get(wanted.lstrip("@"))
    return None if person is None else "@" + _handle(person)


def _handle(person: Record) -> str:
    data = person.data
    return str(
        data.get("slack") or str(data.get("email") or "").partition("@")[0] or data.get("name") or data.get("id")
    ).lstrip("@")


def _no_channel(state: State, name: str) -> ToolResult:
    known = ", ".join(dict.fromkeys(state.index.channel_names.values())) or "none"
    return _error(f"channel_not_found: {shown(name)}; channels: {known}")


def _message(state: State, arguments: Arguments) -> Record | ToolResult:
    name = arguments.get("messageId", "")
    if not name:
        return _error("messageId is required: the id of a message")
    return find(state.messages, name) or _error(f"message_not_found: {shown(name)}")


def _place(record: Record) -> str:
    return f"{record.data.get('channel', '')} {identifier(record)}"


def _me(state: State) -> str:
    return state.world.identity.get("USER_HANDLE") or state.world.identity.get("USER_NAME") or "me"


# Reading.


def _read_messages(arguments: Arguments, state: State) -> ToolResult:
    name = arguments.get("channelId") or arguments.get("to") or ""
    messages = state.messages
    if name:
        channel = _channel(state, name)
        if channel is None:
            return _no_channel(state, name)
        messages = [message for message in messages if message.data.get("channel") == channel]
    return _selected(messages, arguments, state)


def _search_messages(arguments: Arguments, state: State) -> ToolResult:
    words = arguments.get("content", "").lower().split()[:64]
    if not words:
        return _error("content is required: the words to search for")
    name = arguments.get("channelId") or arguments.get("to") or ""
    channel = _channel(state, name) if name else None
    if name and channel is None:
        return _no_channel(state, name)
    found = [
        message
        for message in state.messages
        if (channel is None or message.data.get("channel") == channel)
        and all(word in f"{message.data.get('text', '')} {message.data.get('author', '')}".lower() for word in words)
    ]
    return _selected(found, arguments, state)


def _selected(messages: list[Record], arguments: Arguments, state: State) -> ToolResult:
    """The latest of the messages that ``before``, ``after`` and ``threadId`` leave."""
    thread = arguments.get("threadId") or arguments.get("threadTs")
    if thread:
        messages = [message for message in messages if thread in _threads(message)]
    for name in ("before", "after"):
        if arguments.get(name):
            bound = _bound(arguments[name], state)
            if bound is None:
                return _error(f"{name} must be a time (2026-03-12T14:00) or a message's id")
            once = state.index.once
            if name == "before":
                messages = [message for message in messages if _time(once(message, _at)) < bound]
            else:
                messages = [message for message in messages if _time(once(message, _at)) > bound]
    limit = arguments.get("limit", _DEFAULT_LIMIT)
    more = len(messages) > limit
    return _listing("messages", messages[-limit:], state, hasMore=more)


def _threads(message: Record) -> tuple[str, ...]:
    data = message.data
    return tuple(str(data[key]) for key in ("id", "thread_ts", "threadTs", "threadId") if data.get(key))


def _at(message: Record, world: World) -> tuple[float | None]:
    moment = moment_of(str(message.data.get("timestamp", "")), world.now)
    return (moment.at.timestamp() if moment else None,)


def _time(at: tuple[float | None]) -> float:
    return at[0] if at[0] is not None else 0.0


def _bound(text: str, state: State) -> float | None:
    message = find(state.messages, text)
    if message is not None:
        return _time(state.index.once(message, _at))
    digits, _, rest = text.partition(".")
    if digits.isascii() and digits.isdigit() and 9 <= len(digits) <= 11 and (not rest or rest.isdigit()):
        return float(text)
    moment = moment_of(text, state.world.now)
    return moment.at.timestamp() if moment else None


def _list_channels(arguments: Arguments, state: State) -> ToolResult:
    if state.world.channels:
        return _listing("channels", state.world.channels, state)
    names = dict.fromkeys(state.index.channel_names.values())
    return ToolResult(True, {"ok": True, "channels": [{"name": name} for name in names]})


def _member_info(arguments: Arguments, state: State) -> ToolResult:
    name = arguments.get("userId") or arguments.get("to") or ""
    if not name:
        return _error("userId is required: an id, a handle or a name")
    person = state.index.people.get(name.strip().lower().removeprefix("user:").lstrip("@"))
    if person is None:
        return _error(f"user_not_found: {shown(name)}", member={"id": name[:100], "name": "Unknown User"})
    result = {"ok": True, "member": person.data}
    return ToolResult(True, result, spans_of_keys(result, {"member": () if person.ref is None else (person.ref,)}))


def _list_pins(arguments: Arguments, state: State) -> ToolResult:
    name = arguments.get("channelId") or arguments.get("to") or ""
    channel = _channel(state, name) if name else None
    if name and channel is None:
        return _no_channel(state, name)
    pinned = [
        message
        for message in state.messages
        if (identifier(message) in state.pins or message.data.get("pinned") is True)
        and (channel is None or message.data.get("channel") == channel)
    ]
    return _listing("pins", pinned, state)


def _reactions(arguments: Arguments, state: State) -> ToolResult:
    message = _message(state, arguments)
    if isinstance(message, ToolResult):
        return message
    given = message.data.get("reactions")
    own = state.reactions.get(identifier(message), [])
    result = {"ok": True, "reactions": given if isinstance(given, list) else [], "own": list(own)}
    return ToolResult(True, result, spans_of_keys(result, {"reactions": () if message.ref is None else (message.ref,)}))


def _emoji_list(arguments: Arguments, state: State) -> ToolResult:
    return ToolResult(True, {"ok": True, "emoji": list(_EMOJI)})


# Writing.


def _send_message(arguments: Arguments, state: State) -> ToolResult:
    name = arguments.get("to") or arguments.get("channelId") or ""
    content = arguments.get("content", "")
    if not name:
        return _error("to is required: a channel or a person")
    if not content.strip():
        return _error("content is required: the text of the message")
    if len(content) > _MAX_MESSAGE:
        return _error(f"msg_too_long: content has at most {_MAX_MESSAGE} characters")
    channel = _channel(state, name)
    if channel is None:
        return _no_channel(state, name)
    if not state.attempt("slack.post", channel, content):
        return _error(state.refusal())
    data = {
        "id": f"slack_msg_{state.next_number()}",
        "channel": channel,
        **({"channelId": state.index.channel_ids[channel]} if channel in state.index.channel_ids else {}),
        "author": _me(state),
        "text": content,
        "timestamp": state.world.now.isoformat(),
        **({"thread_ts": arguments["threadTs"]} if arguments.get("threadTs") else {}),
    }
    state.messages.append(Record(None, data))
    return ToolResult(
        True,
        {
            "ok": True,
            "messageId": data["id"],
            "to": name,
            "channel": channel,
            "content": content,
            "warning": _POSTED,
        },
    )


def _edit_message(arguments: Arguments, state: State) -> ToolResult:
    message = _message(state, arguments)
    if isinstance(message, ToolResult):
        return message
    content = arguments.get("content", "")
    if not content.strip() or len(content) > _MAX_MESSAGE:
        return _error(f"content is required: the new text, at most {_MAX_MESSAGE} characters")
    if not state.attempt("slack.edit", _place(message), content):
        return _error(state.refusal())
    changed = Record(None, {**message.data, "text": content, "edited": state.world.now.isoformat()})
    state.messages[state.messages.index(message)] = changed
    return ToolResult(True, {"ok": True, "messageId": message.data.get("id"), "content": content})


def _delete_message(arguments: Arguments, state: State) -> ToolResult:
    message = _message(state, arguments)
    if isinstance(message, ToolResult):
        return message
    if not state.attempt("slack.delete", _place(message)):
        return _error(state.refusal())
    state.messages.remove(message)
    return ToolResult(True, {"ok": True, "messageId": message.data.get("id"), "warning": _DELETED})


def _react(arguments: Arguments, state: State) -> ToolResult:
    message = _message(state, arguments)
    if isinstance(message, ToolResult):
        return message
    emoji = arguments.get("emoji", "").strip(": ")
    if not emoji or len(emoji) > 100:
        return _error("emoji is required: a name such as eyes")
    remove = arguments.get("remove", False)
    if not state.attempt("slack.react", _place(message), f"remove {emoji}" if remove else emoji):
        return _error(state.refusal())
    given = state.reactions.setdefault(identifier(message), [])
    if remove and emoji in given:
        given.remove(emoji)
    elif not remove and emoji not in given:
        given.append(emoji)
    return ToolResult(True, {"ok": True, "messageId": message.data.get("id"), "emoji": emoji, "removed": remove})


def _pin(unpin: bool) -> Action:
    def run(arguments: Arguments, state: State) -> ToolResult:
        message = _message(state, arguments)
        if isinstance(message, ToolResult):
            return message
        if not state.attempt("slack.pin", _place(message), "unpin" if unpin else "pin"):
            return _error(state.refusal())
        name = identifier(message)
        if unpin and message.data.get("pinned") is True:
            state.messages[state.messages.index(message)] = Record(message.ref, {**message.data, "pinned": False})
        if unpin and name in state.pins:
            state.pins.remove(name)
        elif not unpin and name not in state.pins:
            state.pins.append(name)
        return ToolResult(True, {"ok": True, "messageId": message.data.get("id"), "pinned": not unpin})

    return run


Action = Callable[[Arguments, State], ToolResult]

_ACTIONS: Mapping[str, Action] = {
    "readmessages": _read_messages,
    "searchmessages": _search_messages,
    "listchannels": _list_channels,
    "memberinfo": _member_info,
    "listpins": _list_pins,
    "reactions": _reactions,
    "emojilist": _emoji_list,
    "sendmessage": _send_message,
    "editmessage": _edit_message,
    "deletemessage": _delete_message,
    "react": _react,
    "pinmessage": _pin(unpin=False),
    "unpinmessage": _pin(unpin=True),
}
