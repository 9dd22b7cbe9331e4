from __future__ import annotations

import pytest

from clawbench.sandbox import Sandbox


@pytest.fixture
def slack(sandbox):
    return lambda action, **arguments: sandbox.call("slack", {"action": action, **arguments})


def ids(result, key="messages"):
    assert result.ok, result.result
    return [message["id"] for message in result.result[key]]


@pytest.mark.parametrize(
    "arguments",
    [
        {"channelId": "C_PLAT"},
        {"channelId": "ch_plat"},
        {"channelId": "#platform"},
        {"channelId": "C_Plat"},
        {"channelId": "platform"},
        {"to": "#Platform"},
        {"to": "channel:C_PLAT"},
        {"channelId": "platform", "to": "#random"},
    ],
)
def test_a_channel_goes_by_name_or_id(slack, arguments):
    assert ids(slack("readMessages", **arguments)) == ["sm_1", "sm_2"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["sm_1", "sm_2", "sm_3"]),
        ({"limit": 1}, ["sm_3"]),
        ({"limit": "2"}, ["sm_2", "sm_3"]),
        ({"before": "2026-03-12T08:40:00-05:00"}, ["sm_1"]),
        ({"after": "sm_1"}, ["sm_2", "sm_3"]),
        ({"after": "1773321600.000100"}, ["sm_2", "sm_3"]),
        ({"before": "2026-03-12 09:00", "after": "2026-03-12T13:20:00Z"}, ["sm_2"]),
        ({"threadId": "sm_1"}, ["sm_1", "sm_2"]),
        ({"channelId": "incidents"}, []),
        ({"channelId": "C_INC"}, []),
    ],
)
def test_reading_filters(slack, arguments, expected):
    assert ids(slack("readMessages", **arguments)) == expected


def test_more_is_said(slack):
    assert slack("readMessages", limit=2).result["hasMore"] is True
    assert slack("readMessages").result["hasMore"] is False


def test_searching(slack):
    assert ids(slack("searchMessages", content="ETA hour")) == ["sm_2"]
    assert ids(slack("searchMessages", content="lee", channelId="#random")) == ["sm_3"]


def test_an_unknown_channel_names_the_channels(slack):
    result = slack("readMessages", channelId="C_NOPE")
    assert (result.ok, result.result["ok"]) == (False, False)
    assert "#platform, #random, #incidents" in result.result["error"]


def test_an_unknown_action_names_the_actions(slack):
    result = slack("nuke")
    assert result.result["ok"] is False
    assert "readMessages" in result.result["error"]
    assert "unpinMessage" in result.result["error"]


def test_channels_members_and_emoji(slack):
    assert ids(slack("listChannels"), "channels") == ["ch_plat", "ch_inc"]
    for name in ("U_OMAR", "c_1", "omar.haddad", "@omar.haddad", "Omar Haddad", "user:U_OMAR"):
        assert slack("memberInfo", userId=name).result["member"]["email"] == "omar.haddad@northwind.example"
    assert slack("memberInfo", userId="U_X").result["error"].startswith("user_not_found")
    assert "eyes" in slack("emojiList").result["emoji"]


def test_a_posted_message_is_read_back(sandbox, slack):
    result = slack("sendMessage", to="incidents", content="We are on it ✅")
    assert result.result["warning"].startswith("IRREVERSIBLE")
    assert [(e.kind, e.target, e.text) for e in result.effects] == [("slack.post", "#incidents", "We are on it ✅")]
    [message] = slack("readMessages", channelId="ch_inc").result["messages"]
    assert (message["id"], message["author"], message["text"]) == (
        result.result["messageId"],
        "ines.vale",
        "We are on it ✅",
    )
    assert sandbox.state.messages[-1].ref is None


def test_a_direct_message(slack):
    result = slack("sendMessage", to="U_OMAR", content="Hi")
    assert result.effects[0].target == "@omar.haddad"
    assert [m["text"] for m in slack("readMessages", to="omar.haddad").result["messages"]] == ["Hi"]


def test_a_reply_is_in_its_thread(slack):
    slack("sendMessage", channelId="platform", content="Thanks", threadTs="sm_1")
    assert [m["text"] for m in slack("readMessages", threadId="sm_1").result["messages"]][-1] == "Thanks"


def test_editing_and_deleting(sandbox, slack):
    assert [(e.kind, e.target, e.text) for e in slack("editMessage", messageId="sm_3", content="dinner?").effects] == [
        ("slack.edit", "#random sm_3", "dinner?")
    ]
    assert slack("readMessages", channelId="random").result["messages"][0]["text"] == "dinner?"
    assert sandbox.state.messages[2].ref is None
    deleted = slack("deleteMessage", messageId="sm_3")
    assert deleted.effects[0].kind == "slack.delete"
    assert deleted.result["warning"].startswith("IRREVERSIBLE")
    assert ids(slack("readMessages", channelId="random")) == []


def test_reactions(slack):
    assert slack("react", messageId="sm_1", emoji=":eyes:").effects[0].text == "eyes"
    assert slack("reactions", messageId="sm_1").result["own"] == ["eyes"]
    assert slack("react", messageId="sm_1", emoji="eyes", remove=True).effects[0].kind == "slack.react"
    assert slack("reactions", messageId="sm_1").result["own"] == []


def test_pins(slack):
    assert ids(slack("listPins"), "pins") == []
    assert slack("pinMessage", messageId="sm_1").effects[0].kind == "slack.pin"
    assert ids(slack("listPins", channelId="#platform"), "pins") == ["sm_1"]
    slack("unpinMessage", messageId="sm_1")
    assert ids(slack("listPins"), "pins") == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"action": "sendMessage", "to": "#nowhere", "content": "x"},
        {"action": "sendMessage", "content": "x"},
        {"action": "sendMessage", "to": "#random"},
        {"action": "sendMessage", "to": "#random", "content": "  "},
        {"action": "sendMessage", "to": "#random", "content": "x" * 50_000},
        {"action": "editMessage", "messageId": "sm_9", "content": "x"},
        {"action": "editMessage", "messageId": "sm_1"},
        {"action": "deleteMessage", "messageId": "sm_9"},
        {"action": "deleteMessage"},
        {"action": "react", "messageId": "sm_1"},
        {"action": "pinMessage"},
        {"action": "readMessages", "before": "soon"},
        {"action": "searchMessages"},
        {"action": "reactions", "messageId": "sm_9"},
        {"action": "sendMessagе", "to": "#random", "content": "a Cyrillic e"},
    ],
)
def test_what_cannot_be_done_changes_nothing(sandbox, world, arguments):
    result = sandbox.call("slack", arguments)
    assert (result.ok, result.result["ok"]) == (False, False)
    assert result.effects == ()
    assert tuple(sandbox.state.messages) == world.messages


def test_without_a_channel_list_the_messages_name_the_channels(make_world):
    sandbox = Sandbox(make_world(channels=()))
    assert sandbox.call("slack", {"action": "listChannels"}).result["channels"] == [
        {"name": "#platform"},
        {"name": "#random"},
    ]
