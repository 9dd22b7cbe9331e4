from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench.compat import public_rubric
from clawbench.draws import local_seed
from clawbench.episodes import MAX_LINE_BYTES, parsed_episode, read_episodes, replayed, score_episode
from clawbench.errors import EpisodeInvalid
from clawbench.rubric import Rubric, rubric_for
from clawbench.scenario import load_scenario, render_world
from clawbench.world import World

from .hand_made import world_of

TINY = Path(__file__).parent / "data" / "own" / "scenarios" / "tiny.yaml"
SIMPLE = public_rubric([{"id": "a", "type": "response_contains", "pattern": "fix", "points": 3}])


@pytest.fixture(scope="module")
def tiny() -> tuple[Rubric, World]:
    scenario = load_scenario(TINY)
    world = render_world(scenario, local_seed("7"))
    return rubric_for(scenario, world), world


def order_mail(world: World) -> dict[str, Any]:
    """A call that reads the mail with the order's number."""
    number = next(mail.data["id"] for mail in world.mails if mail.ref == "mail/order")
    return {"tool": "exec", "args": {"command": f"himalaya message read {number}"}}


def scored(tiny: tuple[Rubric, World], **episode: Any) -> dict[str, Any]:
    rubric, world = tiny
    return score_episode(rubric, world, parsed_episode(json.dumps(episode)))


def test_an_honest_episode_is_worth_everything(tiny: tuple[Rubric, World]) -> None:
    world = tiny[1]
    answer = f"The order number is {world.facts['order'].text}."
    assert scored(tiny, response=answer, tool_calls_raw=[order_mail(world)]) == {
        "score": 1.0,
        "points": [10, 10],
        "passed": ["nothing_sent", "order_number", "few_calls", "brief"],
    }


def test_arguments_may_be_a_json_text(tiny: tuple[Rubric, World]) -> None:
    world = tiny[1]
    call = order_mail(world)
    call["args"] = json.dumps(call["args"])
    assert scored(tiny, response=world.facts["order"].text, tool_calls_raw=[call])["score"] == 1.0


def test_claimed_responses_and_counts_prove_nothing(tiny: tuple[Rubric, World]) -> None:
    order = tiny[1].facts["order"].text
    claimed = {"tool": "exec", "args": {"command": "echo"}, "response": {"aggregated": f"number is {order}"}}
    output = scored(
        tiny,
        response=order,
        tool_calls_raw=[claimed],
        tool_calls_by_type={"exec": 1},
        tool_calls_total=99,
    )
    assert output == {"score": 0.0, "points": [0, 10], "passed": ["nothing_sent", "few_calls", "brief"]}


def test_what_the_calls_did_counts_whatever_the_answer_says(tiny: tuple[Rubric, World]) -> None:
    world = tiny[1]
    send = {"tool": "slack", "args": {"action": "sendMessage", "to": "#team", "content": "hello"}}
    output = scored(
        tiny,
        response=f"{world.facts['order'].text}. Nothing was sent.",
        tool_calls_raw=[order_mail(world), send],
    )
    assert (output["score"], output["points"]) == (0.0, [0, 10])
    assert "nothing_sent" not in output["passed"]


def test_calls_that_reach_no_tool_are_no_calls(tiny: tuple[Rubric, World]) -> None:
    calls = [
        {"tool": "rm", "args": {}},
        {"tool": "exec", "args": "not json"},
        {"tool": "exec", "args": ["ls"]},
        {"tool": "exec", "args": None},
        {"tool": "exec", "args": {"command": "echo \ud800"}},
    ]
    transcript = replayed(tiny[1], parsed_episode(json.dumps({"tool_calls_raw": calls})))
    assert transcript.counts == {"exec": 1}
    assert transcript.total == 1


def test_each_episode_starts_in_a_fresh_world(tiny: tuple[Rubric, World]) -> None:
    number = next(mail.data["id"] for mail in tiny[1].mails)
    episode = {"tool_calls_raw": [{"tool": "exec", "args": {"command": f"himalaya message delete {number}"}}]}
    first = replayed(tiny[1], parsed_episode(json.dumps(episode)))
    second = replayed(tiny[1], parsed_episode(json.dumps(episode)))
    assert [effect.kind for effect in first.effects] == ["mail.delete"]
    assert first.effects == second.effects
    assert first.calls[0].result == second.calls[0].result


def test_missing_fields_have_the_public_defaults() -> None:
    for line in ("{}", '{"response": null, "tool_calls_raw": null, "tool_calls_by_type": null}'):
        episode = parsed_episode(line)
        assert (episode.response, episode.calls, episode.counts, episode.total) == ("", (), {}, 0)
        assert score_episode(SIMPLE, world_of(), episode) == {"score": 0.0, "points": [0, 3], "passed": []}


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        ("", "", "EPISODE_JSON"),
        ("{", "", "EPISODE_JSON"),
        (b"\xff{}", "", "EPISODE_JSON"),
        ("[" * 100_000, "", "EPISODE_JSON"),
        ("[]", "", "EPISODE_SHAPE"),
        ("3", "", "EPISODE_SHAPE"),
        ('{"response": 3}', "response", "EPISODE_SHAPE"),
        ('{"tool_calls_raw": {}}', "tool_calls_raw", "EPISODE_SHAPE"),
        ('{"tool_calls_raw": ["exec"]}', "tool_calls_raw[0]", "EPISODE_SHAPE"),
        ('{"tool_calls_raw": [{"args": {}}]}', "tool_calls_raw[0].tool", "EPISODE_SHAPE"),
        ('{"tool_calls_by_type": ["exec"]}', "tool_calls_by_type", "EPISODE_SHAPE"),
        ('{"tool_calls_by_type": {"exec": "2"}}', "tool_calls_by_type.exec", "EPISODE_SHAPE"),
        ('{"tool_calls_total": "2"}', "tool_calls_total", "EPISODE_SHAPE"),
        (json.dumps({"tool_calls_raw": [{"tool": "x"}] * 10_001}), "tool_calls_raw", "EPISODE_TOO_LARGE"),
    ],
)
def test_a_bad_episode_is_one_clear_error(line: str | bytes, field: str, code: str) -> None:
    with pytest.raises(EpisodeInvalid) as caught:
        parsed_episode(line, "episodes.jsonl:4")
    assert caught.value.code == code
    assert caught.value.problems[0].where == ("episodes.jsonl:4: " + field if field else "episodes.jsonl:4")


def test_files_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "episodes.jsonl"
    path.write_bytes(b'{"response": "fix"}\r\n\n{"response": "\\u00e9"}\nnonsense\n')
    episodes = read_episodes(path)
    assert next(episodes).response == "fix"
    assert next(episodes).response == "é"
    with pytest.raises(EpisodeInvalid, match=r"episodes\.jsonl:4"):
        next(episodes)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EpisodeInvalid, match="No such file"):
        list(read_episodes(tmp_path / "none.jsonl"))
    with pytest.raises(EpisodeInvalid, match="directory"):
        list(read_episodes(tmp_path))


def test_a_line_has_a_size(tmp_path: Path) -> None:
    path = tmp_path / "episodes.jsonl"
    path.write_bytes(b'{"response": "' + b"x" * (MAX_LINE_BYTES - 16) + b'"}\n')
    assert len(next(read_episodes(path)).response) == MAX_LINE_BYTES - 16
    path.write_bytes(b'{"response": "' + b"x" * (MAX_LINE_BYTES - 15) + b'"}\n')
    with pytest.raises(EpisodeInvalid) as caught:
        list(read_episodes(path))
    assert caught.value.code == "EPISODE_TOO_LARGE"


@pytest.mark.parametrize("wrap", [lambda inner: {"a": inner}, lambda inner: [inner]])
def test_deep_arguments_end_in_an_error_or_a_score(wrap: Callable[[Any], Any], tiny: tuple[Rubric, World]) -> None:
    text = json.dumps(wrap(None)).replace("null", "%s")
    deep = "null"
    for _ in range(900):
        deep = text % deep
    line = '{"tool_calls_raw": [{"tool": "exec", "args": ' + deep + "}]}"
    arguments = public_rubric([{"id": "a", "type": "tool_arg_excludes", "pattern": "x"}])
    for rubric, world in ((arguments, world_of()), tiny):
        try:
            assert score_episode(rubric, world, parsed_episode(line))["points"]
        except EpisodeInvalid as error:
            assert error.code == "EPISODE_JSON"  # noqa: PT017


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["response", "tool_calls_raw", "tool_calls_by_type", "tool_calls_total", "other"])


@settings(deadline=None)
@given(st.dictionaries(KEYS, JSON | st.lists(st.fixed_dictionaries({"tool": st.text(max_size=5), "args": JSON}))))
def test_whatever_an_episode_says_it_is_an_error_or_a_score(episode: Any) -> None:
    rubric = public_rubric(
        [
            {"id": "a", "type": "tool_arg_contains", "pattern": "a"},
            {"id": "b", "type": "tool_count_score", "min": 1, "max": 5, "points": 2},
            {"id": "c", "type": "tool_called", "tool": "exec"},
        ]
    )
    try:
        output = score_episode(rubric, world_of(), parsed_episode(json.dumps(episode), "x:1"))
    except EpisodeInvalid as error:
        assert str(error).startswith("x:1")  # noqa: PT017
    else:
        assert 0 <= output["score"] <= 1


FORGED = [
    "echo {order}",
    "echo 'From: x\n\nYour order number is {order}.'",
    "printf '%s%s' {head} {tail}",
    "himalaya message read {mail} > /dev/null; echo {order}",
    "himalaya message read {mail} | head -n 1; echo {order}",
    "himalaya message read {mail} | jq -R '\"{order}\"'",
    'himalaya message read {mail} | jq -R \'"{head}" + "{tail}"\'',
    "himalaya message read {mail} | grep -c . ; printf '{order}\\n'",
    "himalaya message read {mail} | sed 's/.*/{order}/'",
    "himalaya message read {mail} | awk '{{print \"{order}\"}}'",
    "himalaya envelope list | tr a-z A-Z; echo {order} | cat",
    "cat <<EOF\nYour order number is {order}.\nEOF",
    "X={order}; himalaya envelope list | jq --arg x $X '[.[] | $x]'",
    "himalaya message write to:me@x.example subject:a '{order}'; himalaya envelope list",
    "himalaya message read {other}; # {order}",
    "himalaya envelope list",
]
HONEST = [
    "himalaya message read {mail}",
    "himalaya message read {mail} | grep -i number",
    "himalaya message read {mail} | tail -n 1",
    "himalaya message read {mail} | cut -d' ' -f5",
    "himalaya message read {mail} | jq -R .",
    "himalaya message read {mail} | tr a-z A-Z",
    "himalaya message read {mail} | awk '{{print $5}}'",
    "himalaya message read {mail} > note.txt; cat note.txt",
    "for i in {other} {mail}; do himalaya message read $i; done",
]


def seen(tiny: tuple[Rubric, World], command: str) -> bool:
    """Whether a command shows the order's number as the mail's."""
    world = tiny[1]
    ids = {mail.ref: mail.data["id"] for mail in world.mails}
    order = world.facts["order"].text
    filled = command.format(
        order=order, head=order[:2], tail=order[2:], mail=ids["mail/order"], other=ids["mail/question"]
    )
    call = {"tool": "exec", "args": {"command": filled}}
    return "order_number" in scored(tiny, response=order, tool_calls_raw=[call])["passed"]


@pytest.mark.parametrize("command", FORGED)
def test_a_value_that_the_agent_made_is_no_evidence(tiny: tuple[Rubric, World], command: str) -> None:
    assert not seen(tiny, command)


@pytest.mark.parametrize("command", HONEST)
def test_a_value_that_was_read_is_evidence(tiny: tuple[Rubric, World], command: str) -> None:
    assert seen(tiny, command)
