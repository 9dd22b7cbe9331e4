"""What is sent to each vendor, and what their answers mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench.models import chat, messages
from clawbench.models.faults import AttemptFailed
from clawbench.models.protocol import Message, Reply, ToolCall, Usage
from tests.models.vendors import KEY, TOOL, VENDORS, model_at, reply, request, said
from tests.stub_models import Answer
from tests.stub_models import chat as completion
from tests.stub_models import message as anthropic_message

CONVERSATION: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hello"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "exec", "arguments": '{"command": "ls"}'}},
            {"id": "b", "type": "function", "function": {"name": "exec", "arguments": "{broken"}},
        ],
    },
    {"role": "tool", "tool_call_id": "a", "name": "exec", "content": "file"},
    {"role": "tool", "tool_call_id": "b", "name": "exec", "content": "not valid JSON"},
    {"role": "assistant", "content": "Done."},
    {"role": "user", "content": "Thanks"},
]


def test_a_chat_conversation_holds_nothing_but_its_wire() -> None:
    sent = chat.messages_of(CONVERSATION)
    assert sent[2]["content"] is None
    assert [call["function"]["arguments"] for call in sent[2]["tool_calls"]] == [
        '{"command": "ls"}',
        '{"invalid": "{broken"}',
    ]
    assert sent[3] == {"role": "tool", "tool_call_id": "a", "content": "file"}
    assert sent[5:] == [{"role": "assistant", "content": "Done."}, {"role": "user", "content": "Thanks"}]


def test_a_messages_conversation_alternates() -> None:
    system, turns = messages.conversation_of(CONVERSATION)
    assert system == "Be brief."
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user", "assistant", "user"]
    assert turns[1]["content"] == [
        {"type": "tool_use", "id": "a", "name": "exec", "input": {"command": "ls"}},
        {"type": "tool_use", "id": "b", "name": "exec", "input": {"invalid": "{broken"}},
    ]
    assert [block["tool_use_id"] for block in turns[2]["content"]] == ["a", "b"]


def test_a_last_turn_without_tools_still_names_those_that_were_used() -> None:
    sent = messages.tools_of(request(messages=CONVERSATION, tools=()))
    assert sent == {
        "tools": [{"name": "exec", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "none"},
    }
    assert messages.tools_of(request(tools=())) == {}


def test_a_completion_is_read_with_all_that_it_tells() -> None:
    read = chat.reply_of(
        json.dumps(completion("Two calls.", [("exec", {"command": "ls"}), ("read", "{oops")])).encode()
    )
    assert read.text == "Two calls."
    assert read.calls == (ToolCall("call_0", "exec", '{"command": "ls"}'), ToolCall("call_1", "read", "{oops"))
    assert (read.finish, read.served, read.fingerprint) == ("calls", "stub-2026-01-01", "fp_stub")
    assert read.usage == Usage(100, 20, 30, 5)
    assert read.carry is None


def test_a_message_is_read_with_all_that_it_tells() -> None:
    told = anthropic_message("One call.", [("exec", {"command": "ls"})], thinking="Hm.")
    read = messages.reply_of(json.dumps(told).encode())
    assert (read.text, read.reasoning, read.finish) == ("One call.", "Hm.", "calls")
    assert read.calls == (ToolCall("toolu_0", "exec", '{"command": "ls"}'),)
    assert read.usage == Usage(100, 20, 30, 5)
    assert read.served == "claude-stub-20260101"


@pytest.mark.parametrize(
    ("changes", "text", "reasoning"),
    [
        ({"content": None, "reasoning_content": "Hm."}, "", "Hm."),
        ({"content": "", "reasoning": "Hm."}, "", "Hm."),
        ({"content": [{"type": "text", "text": "He"}, {"type": "text", "text": "llo"}]}, "Hello", None),
    ],
)
def test_empty_and_split_contents_are_answers(changes: dict[str, Any], text: str, reasoning: str | None) -> None:
    read = (
        chat.reply_of(json.dumps(completion(**{"text": None, **changes})).encode())
        if "content" not in changes
        else (chat.reply_of(json.dumps(_with_message(changes)).encode()))
    )
    assert (read.text, read.reasoning, read.finish) == (text, reasoning, "stop")


def _with_message(changes: dict[str, Any]) -> dict[str, Any]:
    told = completion("")
    told["choices"][0]["message"] |= changes
    return told


def test_what_must_come_back_comes_back() -> None:
    told = completion(
        None, [("exec", {"command": "ls"})], reasoning_details=[{"type": "reasoning.encrypted", "data": "x"}]
    )
    told["choices"][0]["message"]["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": "s"}}
    read = chat.reply_of(json.dumps(told).encode())
    assert read.carry is not None
    sent = chat.messages_of([_as_said(read)])[0]
    assert sent["reasoning_details"] == [{"type": "reasoning.encrypted", "data": "x"}]
    assert sent["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s"}}


def test_signed_thoughts_come_back_as_they_came() -> None:
    told = anthropic_message("So.", [("exec", {"command": "ls"})], thinking="Hm.")
    read = messages.reply_of(json.dumps(told).encode())
    _, turns = messages.conversation_of([_as_said(read)])
    assert turns[0]["content"] == told["content"]


def _as_said(read: Any) -> Message:
    """The reply as the loop puts it into the conversation."""
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in read.calls
    ]
    return {"role": "assistant", "content": read.text, "tool_calls": calls, "carry": read.carry}


def test_a_reply_without_usage_is_counted_by_its_length() -> None:
    told = completion("x" * 400)
    del told["usage"]
    with model_at("openai-compatible", lambda asked: Answer(told)) as (model, provider):
        used = reply(model).usage
    assert used.completion == 100
    assert used.prompt == int(provider.asked[0].headers["content-length"]) // 4


def test_a_failure_inside_status_200_is_a_failure() -> None:
    for told in (
        {"error": {"code": 429, "message": "slower"}},
        {"choices": [{"error": {"code": 429, "message": "s"}}]},
    ):
        with pytest.raises(AttemptFailed) as raised:
            chat.reply_of(json.dumps(told).encode())
        assert raised.value.code == "MODEL_RATE_LIMITED"


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "content",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "usage",
                    "type",
                    "error",
                    "input",
                    "text",
                    "thinking",
                    "finish_reason",
                    "id",
                    "stop_reason",
                    "prompt_tokens",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(_json)
def test_no_answer_is_worse_than_a_bad_one(told: Any) -> None:
    body = json.dumps(told).encode()
    for read in (chat.reply_of, messages.reply_of):
        assert _end(read, body) in {"stop", "calls", "length", "refusal", "context"} | FAILURES


FAILURES = {f"MODEL_{end}" for end in ("BAD_REPLY", "SERVER", "RATE_LIMITED", "OVERLOADED", "TIMEOUT", "REJECTED")}


def _end(read: Callable[[bytes], Reply], body: bytes) -> str:
    try:
        return read(body).finish
    except AttemptFailed as failed:
        return failed.code


@pytest.mark.parametrize(
    ("vendor", "name", "sent", "absent"),
    [
        (
            "openai-compatible",
            "stub-1",
            {"temperature": 0.7, "max_tokens": 512, "seed": 0},
            {"tool_choice"},
        ),
        ("openai", "gpt-4.1", {"temperature": 0.7, "max_completion_tokens": 512}, {"max_tokens"}),
        (
            "openai",
            "gpt-5-mini?effort=low",
            {"reasoning_effort": "low", "max_completion_tokens": 512},
            {"temperature", "seed"},
        ),
        ("openai", "o3", {"max_completion_tokens": 512}, {"temperature", "seed"}),
        ("anthropic", "claude-sonnet-4-5", {"temperature": 0.7, "max_tokens": 512, "system": "Be brief."}, {"seed"}),
        ("anthropic", "claude-opus-5", {"max_tokens": 512}, {"temperature"}),
        (
            "anthropic",
            "claude-sonnet-4-5?thinking=2048",
            {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 2560},
            {"temperature"},
        ),
        (
            "anthropic",
            "claude-opus-5?thinking=adaptive&effort=high",
            {"output_config": {"effort": "high"}},
            {"temperature"},
        ),
    ],
)
def test_each_family_is_sent_what_it_takes(vendor: str, name: str, sent: dict[str, Any], absent: set[str]) -> None:
    with model_at(vendor, lambda asked: Answer(said(vendor, "ok")), name=name) as (model, provider):
        assert reply(model).text == "ok"
    body = provider.asked[0].body
    sent = sent | ({"seed": 7_000_000_001 % 2**31} if "seed" in sent else {})
    assert {key: body.get(key) for key in sent} == sent
    assert not absent & set(body)
    assert "stream" not in body
    assert body["tools"] == [
        {"name": "exec", "description": "Runs a command.", "input_schema": TOOL["function"]["parameters"]}
        if vendor == "anthropic"
        else TOOL
    ]
    assert len(provider.asked) == 1


def test_settings_and_version_tell_what_steers() -> None:
    versions = set()
    for name in ("m", "m?temperature=omit", "m?seed=omit", "m?top_p=0.9", "n", "m"):
        with model_at("openai-compatible", lambda asked: Answer(completion("ok")), name=name) as (model, provider):
            url = provider.url
            assert KEY not in json.dumps(dict(model.settings)) + model.name + model.provider + repr(vars(model))
            versions.add(model.version if url else "")
    assert len(versions) == 6  # the endpoint's port differs each time, and is part of it


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_key_goes_into_its_header_and_nowhere_else(vendor: str) -> None:
    def echo(asked: Any) -> Answer:
        return Answer(said(vendor, f"you sent {json.dumps(dict(asked.headers))}"))

    with model_at(vendor, echo) as (model, provider):
        answered = reply(model)
    assert [KEY in value for value in provider.asked[0].headers.values()].count(True) == 1
    assert KEY not in answered.text
    assert "***" in answered.text
