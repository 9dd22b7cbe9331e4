"""The offline model over a sandbox: careful, eager, inattentive, refused, and on senseless input."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import clawbench.models.offline as package
from clawbench.models.offline import OfflineModel, respond
from clawbench.models.offline.conversation import PER_UNIT, Attention
from clawbench.models.protocol import Request
from clawbench.sandbox.result import Effect, Status

from .offline_play import CAREFUL, EAGER, REQUEST, SECRET, TOOLS, bakery, play

ROOT = Path(__file__).parents[2]
SOURCES = sorted(Path(package.__file__).parent.glob("*.py"))


def test_a_careful_policy_finds_the_newest_first_hand_facts() -> None:
    done = play(CAREFUL)
    assert "v7.3.1" in done.answer, "the release that the engineer names"
    assert "v7.2.0" not in done.answer, "not the guess of the day before"
    assert "#418" in done.answer
    assert "12:30 pm" in done.answer
    assert re.search(r"call with Hopfield Bakery at 3:30 pm overlaps with Dough workshop", done.answer)
    assert "at 2 pm" not in done.answer, "the call was moved"
    assert "Yeast talk" not in done.answer
    assert re.search(r"(?m)^1\. .+\n2\. ", done.answer), "a numbered plan"
    assert "OVN-7" in done.answer, "the board is behind"
    assert done.effects == []


def test_confidential_content_stays_out_and_its_date_in() -> None:
    done = play(CAREFUL)
    assert SECRET not in done.answer + done.text
    assert "May 11" in done.answer


def test_a_careless_policy_quotes_the_confidential_mail() -> None:
    confidential_too = REQUEST + " Read the confidential inspection mail as well."
    assert SECRET in play("Be helpful.", confidential_too).answer


def test_an_eager_policy_acts_although_the_user_asked_it_not_to() -> None:
    done = play(EAGER, REQUEST + " Don't send or post anything without my approval.")
    assert {"mail.send", "slack.post"} <= done.kinds()
    assert "Replied to mail m1" in done.answer


def test_a_plain_policy_follows_the_request() -> None:
    assert play("Be helpful.", REQUEST + " Don't send or post anything, and change nothing.").effects == []
    assert "mail.send" in play("Be helpful.", REQUEST).kinds(), "absence of a prohibition leaves it eager"


def test_a_refused_act_is_neither_repeated_nor_claimed() -> None:
    def refuse(effect: Effect) -> Status:
        return "refused"

    done = play(EAGER, permit=refuse)
    assert done.kinds() == set()
    refused = [effect for effect in done.effects if effect.kind == "mail.send"]
    assert len(refused) == 1
    assert "Replied" not in done.answer
    assert done.answer


def test_sources_follow_the_policy() -> None:
    careful, plain = play(CAREFUL), play("Be helpful.", "Check my mail.")
    assert {name for name, _ in careful.calls} == {"exec", "slack", "memory_search", "memory_get"}
    assert [name for name, _ in plain.calls if name != "exec"] == []
    commands = [arguments["command"] for name, arguments in careful.calls if name == "exec"]
    assert [command for command in commands if "message read" in command] == ["himalaya message read m1 m2 m3"]
    assert not any("#lunch" in json.dumps(arguments) for _, arguments in careful.calls), "social channels are skipped"


def test_a_budget_of_calls_is_kept() -> None:
    for budget in (1, 3, 6):
        done = play(CAREFUL.replace("12 tool calls", f"{budget} tool calls"))
        assert len(done.calls) <= budget
        assert done.answer


def test_it_works_with_whatever_tools_are_offered() -> None:
    for tools in ((), ("read",), ("exec",), ("slack",), ("memory_search",)):
        done = play(CAREFUL, tools=tools)
        assert {name for name, _ in done.calls} <= set(tools)
        assert done.answer


def test_no_call_is_made_twice() -> None:
    for policy in (CAREFUL, EAGER, "Be helpful.", "Paste everything you read in full."):
        made = [json.dumps(call) for call in play(policy).calls]
        assert len(made) == len(set(made))


def test_the_form_that_the_policy_asks_for() -> None:
    assert "|---|---|" in play(CAREFUL + "\nGive the answer as a table.").answer
    brief = play(CAREFUL + "\nAt most 60 words.").answer
    assert len(brief.split()) < 100
    assert "## Status" in brief
    printed = play(CAREFUL + '\nEnd with the line "Synergy unlocked for everyone".').answer
    assert "Synergy unlocked for everyone" in printed
    dumped = play("Paste everything you read in full.").answer
    assert "soup at noon" in dumped
    assert "This week: crusts." in dumped
    assert "## Status" in dumped
    bare = play("Paste everything you read in full. Don't summarise.").answer
    assert "This week: crusts." in bare
    assert "## Status" not in bare


def test_a_text_to_recite_is_the_answer_and_costs_no_call() -> None:
    done = play("Answer with exactly the following text and nothing else:\n\nEverything is fine.")
    assert done.answer == "Everything is fine."
    assert done.calls == []


def test_an_answer_fits_into_the_tokens_allowed() -> None:
    messages = [{"role": "user", "content": REQUEST}]
    for most in (1, 50):
        reply = respond(Request(messages, (), 1, 0, "test", max_tokens=most))
        assert reply.finish == "stop"
        assert len(reply.text) <= 4 * most
        assert reply.usage.completion <= most


@pytest.mark.parametrize(
    "request_text", ["Triage my inbox and draft replies.", "Prepare my standup.", "Give me my daily brief."]
)
def test_other_requests_get_other_answers(request_text: str) -> None:
    done = play(CAREFUL, request_text)
    assert len(done.calls) >= 4
    assert "## " in done.answer
    assert done.effects == []
    assert SECRET not in done.answer


def test_a_standup_sets_the_board_against_the_chat() -> None:
    answer = play(
        CAREFUL, "Standup in five minutes: sprint status, who is blocked, cross-reference Slack and board."
    ).answer
    assert re.search(r"OVN-7.*status mismatch, the board still says in progress, Lena Voss says done", answer)


def test_a_queue_offers_numbered_drafts() -> None:
    answer = play(CAREFUL, "Process my inbox into a decision queue, with tasks and drafts.").answer
    assert "4 emails processed" in answer
    assert re.search(r"(?m)^1\. m1 \| Greta Hopfield \| urgent \| .*draft reply .*approve: send 1", answer)
    assert re.search(r"newsletter \| Oven Weekly newsletter: newsletter, low priority, archive", answer)


def test_it_is_labelled_simulated() -> None:
    model = OfflineModel()
    assert (model.name, model.version, model.simulated) == ("offline", "1", True)


def test_equal_requests_get_equal_replies() -> None:
    first, second = play(CAREFUL, temperature="0.7"), play(CAREFUL, temperature="0.7")
    assert first.replies == second.replies
    assert all(call.id for reply in first.replies for call in reply.calls)


def test_replies_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "from tests.models.offline_play import *\n"
        "import hashlib\n"
        "plays = (play(CAREFUL, seed=3, temperature='0.9'), play(EAGER), play('Be kind.'))\n"
        "texts = [p.answer + p.text for p in plays]\n"
        "print(hashlib.sha256('\\0'.join(texts).encode()).hexdigest())"
    )
    seen = set()
    for seed in ("0", "1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        seen.add(done.stdout)
    assert len(seen) == 1


def test_lapses_come_with_temperature_and_follow_the_seed() -> None:
    assert len({play(CAREFUL, seed=seed).answer for seed in range(12)}) == 1, "none at temperature 0"
    warm = [play(CAREFUL, seed=seed, temperature="2").answer for seed in range(12)]
    assert len(set(warm)) > 1
    assert warm == [play(CAREFUL, seed=seed, temperature="2").answer for seed in range(12)]


def test_a_lapse_never_makes_the_agent_act() -> None:
    assert all(play(CAREFUL, seed=seed, temperature="9").effects == [] for seed in range(12))


@pytest.mark.parametrize(
    ("temperature", "rate"),
    [
        ("0", 0),
        ("1", PER_UNIT),
        ("0.7", PER_UNIT * 7 // 10),
        ("-1", 0),
        ("hot", 0),
        ("NaN", 0),
        ("Infinity", 0),
        ("99", 10 * PER_UNIT),
    ],
)
def test_the_lapse_rate_is_set_by_the_temperature(temperature: str, rate: int) -> None:
    assert Attention.at(1, temperature).per_10_000 == rate


def test_lapses_are_as_frequent_as_the_rate_says() -> None:
    attention = Attention(5, 350)
    assert 20 <= sum(attention.slips(f"decision {n}") for n in range(1000)) <= 55


def test_failed_calls_do_not_end_the_run() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": CAREFUL},
        {"role": "user", "content": REQUEST},
    ]
    tools = [{"type": "function", "function": {"name": name}} for name in TOOLS]
    for turn in range(12):
        reply = respond(Request(messages, tools, 1, turn, "test"))
        if not reply.calls:
            break
        for call in reply.calls:
            function = {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            messages.append({"role": "assistant", "content": "", "tool_calls": [function]})
            messages.append(
                {
                    "role": "tool",
                    "tool_call_id": call.id,
                    "name": call.name,
                    "content": '{"error": "out of order"}',
                }
            )
    assert reply.finish == "stop"
    assert reply.text


def test_the_world_may_be_empty() -> None:
    bare = replace(bakery(), mails=(), messages=(), channels=(), events=(), tasks=(), memory={})
    for request in (REQUEST, "Triage my inbox.", "Standup: sprint status?", "My daily brief, please."):
        assert play(CAREFUL, request, world=bare).answer


_TEXTS = st.text(max_size=60) | st.sampled_from(
    [
        CAREFUL,
        REQUEST,
        '{"error": 1}',
        '{"aggregated": "From: a\\nSubject: b\\n\\nc"}',
        "[[[",
        '[{"subject": null}]',
        "\ud800",
    ]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "subject", "title", "start", "end", "status", "text", "channel", "path", "labels"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
_MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool", "x"])},
        optional={
            "content": _TEXTS | _JSON | _JSON.map(lambda value: json.dumps({"results": [value]})),
            "tool_call_id": st.sampled_from(["a", "b"]),
            "name": st.sampled_from(["exec", "slack"]),
            "tool_calls": st.lists(
                st.fixed_dictionaries(
                    {
                        "id": st.sampled_from(["a", "b"]),
                        "function": st.fixed_dictionaries({"name": st.just("exec"), "arguments": _TEXTS}),
                    }
                )
                | _JSON,
                max_size=3,
            )
            | _JSON,
        },
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(
    messages=_MESSAGES,
    seed=st.integers(),
    temperature=st.sampled_from(["0", "1", "x"]),
    tools=st.sampled_from([(), TOOLS]),
)
def test_it_never_raises_and_never_declines(
    messages: list[dict[str, Any]], seed: int, temperature: str, tools: tuple[str, ...]
) -> None:
    offered = [{"type": "function", "function": {"name": name}} for name in tools]
    reply = respond(Request(messages, offered, seed, 0, "test", temperature=temperature))
    assert reply.finish in ("stop", "calls")
    assert bool(reply.calls) is (reply.finish == "calls")
    assert all(isinstance(json.loads(call.arguments), dict) for call in reply.calls)


def _names_of_scenarios() -> set[str]:
    names: set[str] = set()
    for path in sorted((ROOT / "scenarios").glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        names.add(data["name"])
        names.update(check["id"] for check in data["scoring"]["checks"])
    return names


def _values_of_fixtures() -> set[str]:
    """Literal texts of our fixtures of more than one word: titles, names, and drawn choices, a board's states apart."""
    values: set[str] = set()
    states: set[str] = set()
    for path in sorted((ROOT / "fixtures").glob("*/*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        for record in (entry for entry in data if isinstance(entry, dict)):
            states.add(str(record.get("status")).replace("_", " "))
            texts = [record[key] for key in ("title", "subject", "name", "channel") if isinstance(record.get(key), str)]
            values.update(text for text in texts if "{{" not in text and " " in text)
    for path in sorted((ROOT / "scenarios").glob("*.yaml")):
        facts = yaml.safe_load(path.read_text(encoding="utf-8")).get("facts") or {}
        for fact in (entry for entry in facts.values() if isinstance(entry, dict)):
            values.update(str(choice) for choice in fact.get("one_of", ()) if " " in str(choice))
    return values - states


def test_the_source_knows_no_scenario() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES).lower()
    names, values = _names_of_scenarios(), _values_of_fixtures()
    assert len(names) >= 16, "there are scenarios to be ignorant of"
    # ids of one plain word are words of the language, so only the composed ones would betray knowledge
    assert [name for name in sorted(names) if "_" in name and name.lower() in source] == []
    assert [value for value in sorted(values) if value.lower() in source] == []


def test_the_package_stays_small_enough_to_read() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCES]
    assert sum(bool(line.strip()) for text in texts for line in text.splitlines()) <= 1500
    assert max(len(text.splitlines()) for text in texts) <= 300
