"""Caches and cassettes: the same question is asked once, another one never gets its answer."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawbench.bench import Bench, StageOutcome
from clawbench.errors import InvalidInput, ReplayMiss
from clawbench.models import model_named
from clawbench.models.answers import kept, reply_in, request_key
from clawbench.models.cached import MAX_ENTRY_BYTES, CachedModel
from clawbench.models.cassette import CassetteModel, RecordingModel
from clawbench.models.protocol import Model, Reply, Request, ToolCall, Usage, identity_of
from clawbench.written import encodable

from ..stages import call, says, tiny_stage

STAGE = tiny_stage()


class Counting:
    """A model of a provider that counts what it is asked, and never says the same twice."""

    name, version, simulated, provider = "anthropic/some", "7", False, "anthropic"
    settings = {"model": "some"}

    def __init__(self) -> None:
        self.asked = 0

    async def reply(self, request: Request) -> Reply:
        self.asked += 1
        if request.turn == 0:
            return call("exec", command=f"echo {self.asked}")
        return says(f"answer {self.asked}")


def request(**changes: object) -> Request:
    return replace(
        Request(messages=[], tools=({},), seed=1, turn=0, unit="p:s:w:e:0", context="c", temperature="0.7"),
        **changes,  # type: ignore[arg-type]
    )


def bench_of(folder: Path, model: Model, runs: int = 3) -> StageOutcome:
    return asyncio.run(Bench(folder=folder, model=model, runs=runs).results([STAGE]))[0]


def trajectories(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("run-*.jsonl"))}


texts = st.text() | st.sampled_from(["\ud800", "a\udfffb", "\x00"])
replies = st.builds(
    Reply,
    text=texts,
    calls=st.lists(st.builds(ToolCall, texts, texts, texts), max_size=3).map(tuple),
    usage=st.builds(Usage, *[st.integers(0, 2**40)] * 4),
    finish=st.sampled_from(["stop", "calls", "length", "refusal", "context"]),
    reasoning=st.none() | texts,
    fingerprint=st.none() | texts,
    served=st.none() | texts,
    carry=st.none() | texts,
)


@given(replies)
def test_a_kept_reply_is_the_reply(reply: Reply) -> None:
    assert reply_in(orjson.loads(orjson.dumps(kept(reply)))) == encodable(reply)


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": "p:s:w:e:1"},
        {"unit": "q:s:w:e:0"},
        {"turn": 1},
        {"context": "d"},
        {"seed": 2},
        {"temperature": "0"},
        {"max_tokens": 5},
        {"tools": ()},
    ],
)
def test_whatever_matters_is_in_the_key(changes: dict[str, object]) -> None:
    identity = identity_of(Counting())
    assert request_key(request(), identity) == request_key(request(messages=[{"role": "user"}]), identity)
    assert request_key(request(**changes), identity) != request_key(request(), identity)
    for key, value in (("name", "openai/some"), ("version", "8"), ("provider", "x"), ("settings", {"model": "b"})):
        assert request_key(request(), identity | {key: value}) != request_key(request(), identity)


class TestCache:
    def test_another_bench_asks_nothing_again_and_no_two_runs_share_a_reply(self, tmp_path: Path) -> None:
        model = Counting()
        bench_of(tmp_path / "a", CachedModel(model, tmp_path / "cache"))
        assert model.asked == 6
        assert len(set(trajectories(tmp_path / "a").values())) == 3
        again = CachedModel(model, tmp_path / "cache")
        bench_of(tmp_path / "b", again)
        assert (model.asked, again.hits, again.misses) == (6, 6, 0)
        assert trajectories(tmp_path / "b") == trajectories(tmp_path / "a")
        bench_of(tmp_path / "c", CachedModel(model, tmp_path / "cache"), runs=5)
        assert model.asked == 10, "only the runs that are new"

    @pytest.mark.parametrize("damage", [b"", b"x", b"0" * 64 + b"\n{}", b"\xff" * 2000])
    def test_a_damaged_entry_is_asked_for_again(self, tmp_path: Path, damage: bytes) -> None:
        model = Counting()
        asyncio.run(CachedModel(model, tmp_path).reply(request()))
        (entry,) = tmp_path.rglob("[0-9a-f]" * 64)
        whole = entry.read_bytes()
        for content in (damage, whole[:-1], whole.replace(b"echo", b"exho")):
            entry.write_bytes(content)
            cached = CachedModel(model, tmp_path)
            asyncio.run(cached.reply(request()))
            assert (cached.damaged, cached.hits, cached.misses) == (1, 0, 1)
        assert asyncio.run(CachedModel(model, tmp_path).reply(request())).calls

    def test_it_grows_to_its_limit_and_no_further(self, tmp_path: Path) -> None:
        cached = CachedModel(Counting(), tmp_path, limit=4000)
        for turn in range(60):
            asyncio.run(cached.reply(request(turn=turn)))
            for number, path in enumerate(sorted(tmp_path.rglob("[0-9a-f]" * 64), key=os.path.getmtime)):
                os.utime(path, ns=(number, number))
        assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 4000
        asyncio.run(cached.reply(request(turn=59)))
        assert cached.hits == 1, "the newest are kept"

    def test_a_reply_beyond_all_measure_is_not_kept(self, tmp_path: Path) -> None:
        class Endless(Counting):
            async def reply(self, request: Request) -> Reply:
                return says("x" * MAX_ENTRY_BYTES)

        asyncio.run(CachedModel(Endless(), tmp_path).reply(request()))
        assert not any(path.is_file() for path in tmp_path.rglob("*"))

    def test_a_place_that_cannot_be_is_bad_input(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(InvalidInput, match="CACHE_UNUSABLE"):
            CachedModel(Counting(), tmp_path / "file" / "cache")


class TestCassette:
    def test_it_plays_what_was_recorded_and_says_whose_replay_it_is(self, tmp_path: Path) -> None:
        tape = tmp_path / "tape.jsonl"
        first = bench_of(tmp_path / "a", RecordingModel(Counting(), tape))
        played = model_named(f"replay:{tape}")
        assert (played.name, played.simulated, played.provider) == ("replay:anthropic/some", False, "")
        again = bench_of(tmp_path / "b", played)
        assert again.voted == first.voted
        assert [run.answer for run in again.runs] == [run.answer for run in first.runs]
        more = bench_of(tmp_path / "c", model_named(f"replay:{tape}"), runs=5)
        assert [run.fault.partition(":")[0] for run in more.runs] == ["", "", "", "REPLAY_MISS", "REPLAY_MISS"]

    def test_another_question_is_refused(self, tmp_path: Path) -> None:
        tape = tmp_path / "tape.jsonl"
        asyncio.run(RecordingModel(Counting(), tape).reply(request()))
        asyncio.run(CassetteModel(tape).reply(request()))
        with pytest.raises(ReplayMiss, match="REPLAY_MISS"):
            asyncio.run(CassetteModel(tape).reply(request(temperature="0")))

    def test_a_bench_that_goes_on_goes_on_recording(self, tmp_path: Path) -> None:
        tape = tmp_path / "tape.jsonl"
        asyncio.run(RecordingModel(Counting(), tape).reply(request()))
        with tape.open("ab") as file:
            file.write(b'{"key":"torn')
        asyncio.run(RecordingModel(Counting(), tape).reply(request(turn=1)))
        played = CassetteModel(tape)
        assert asyncio.run(played.reply(request())).calls
        assert asyncio.run(played.reply(request(turn=1))).text == "answer 1"
        other = Counting()
        other.version = "8"
        with pytest.raises(InvalidInput, match="CASSETTE_OF_ANOTHER"):
            RecordingModel(other, tape)

    @pytest.mark.parametrize(
        ("lines", "place"),
        [
            (b'{"schema":"clawbench/cassette/1"}\n', ":1"),
            (b'{"schema":"clawbench/cassette/1","model":{"name":"a","version":"1","simulated":true}}\n[]\n', ":2"),
            (
                b'{"schema":"clawbench/cassette/1","model":{"name":"a","version":"1","simulated":true}}\n{"key":1}\n',
                ":2",
            ),
            (b'{"schema":"clawbench/cassette/1"', ""),
        ],
    )
    def test_what_is_no_cassette_is_refused_with_its_line(self, tmp_path: Path, lines: bytes, place: str) -> None:
        tape = tmp_path / "tape.jsonl"
        tape.write_bytes(lines)
        with pytest.raises(InvalidInput, match="CASSETTE_SHAPE") as refused:
            model_named(f"replay:{tape}")
        assert refused.value.problems[0].where == f"{tape}{place}"
