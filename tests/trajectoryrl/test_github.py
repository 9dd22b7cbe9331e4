"""What a host's every answer comes to, over a real socket: none of its faults is a miner's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from trajectoryrl.archive import Archive
from trajectoryrl.github import Pushed, Refused, Repository, Unknown, Witness, all_of, pushed_in

from .github_stub import ABOUT, COMMIT, REF, FakeClock, Reply, Stub, row, stub

NOON = 1_772_366_400_000
REPOSITORY = "/repos/alice/pack"
ACTIVITY = "/repos/alice/pack/activity"
EVENTS = "/repos/alice/pack/events"


@dataclass
class Desk:
    """A stub, an archive, a clock; every question is asked by a witness of its own."""

    stub: Stub
    archive: Archive
    clock: FakeClock = field(default_factory=FakeClock)

    def repository(self, times: int = 1, seconds: float = 10.0, name: str = "alice/pack") -> Any:
        """The last of so many answers about the repository."""

        async def ask() -> Any:
            witness = Witness(self.stub.host, self.archive, token="secret", clock=self.clock, seconds=seconds)
            try:
                return [await witness.repository(name, "5hot") for _ in range(times)][-1]
            finally:
                await witness.close()

        return asyncio.run(ask())

    def pushed(self, seconds: float = 10.0, branch: str = "main") -> Any:
        """What is said of the push."""

        async def ask() -> Any:
            witness = Witness(self.stub.host, self.archive, clock=self.clock, seconds=seconds)
            try:
                return await witness.pushed(Repository(7, "alice/pack", branch, ()), COMMIT)
            finally:
                await witness.close()

        return asyncio.run(ask())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with stub() as said:
        yield Desk(said, Archive(tmp_path))


LIMIT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1780003600"}
FAULTS = {
    "304 unasked": (Reply(304), "GITHUB_UNAVAILABLE"),
    "301 elsewhere": (Reply(301, {}, {"Location": "http://127.0.0.1:1/api/repositories/7"}), "GITHUB_REDIRECT"),
    "302": (Reply(302, {}, {"Location": "/x"}), "GITHUB_UNAVAILABLE"),
    "401": (Reply(401, {"message": "Bad credentials"}), "GITHUB_REFUSED"),
    "403": (Reply(403, {"message": "no"}), "GITHUB_REFUSED"),
    "403 primary": (Reply(403, {"message": "API rate limit exceeded"}, LIMIT), "GITHUB_RATE_LIMITED"),
    "403 secondary": (Reply(403, {"message": "secondary"}, {"Retry-After": "2"}), "GITHUB_RATE_LIMITED"),
    "422": (Reply(422, {"message": "Unprocessable"}), "GITHUB_ANSWER"),
    "429": (Reply(429, {"message": "slow down"}, {"Retry-After": "3"}), "GITHUB_RATE_LIMITED"),
    "429 for an hour": (Reply(429, {}, {"Retry-After": "3600"}), "GITHUB_RATE_LIMITED"),
    "500": (Reply(500, {}), "GITHUB_UNAVAILABLE"),
    "502": (Reply(502, b"<html>"), "GITHUB_UNAVAILABLE"),
    "half body": (Reply(200, ABOUT, cut=True), "GITHUB_UNAVAILABLE"),
    "bad JSON": (Reply(200, b'{"id": 7,'), "GITHUB_UNAVAILABLE"),
    "not UTF-8": (Reply(200, b'"\xff"'), "GITHUB_UNAVAILABLE"),
    "nested": (Reply(200, b"[" * 100_000), "GITHUB_UNAVAILABLE"),
    "too large": (Reply(200, b" " * (3 << 20)), "GITHUB_UNAVAILABLE"),
    "compressed": (Reply(200, b"x", {"Content-Encoding": "gzip"}), "GITHUB_UNAVAILABLE"),
    "another shape": (Reply(200, "text"), "GITHUB_ANSWER"),
}
UNSEEN = {
    "404": (Reply(404, {}), "REPOSITORY_GONE"),
    "410": (Reply(410, {}), "REPOSITORY_GONE"),
    "451": (Reply(451, {}), "REPOSITORY_BLOCKED"),
    "private": (Reply(200, {**ABOUT, "private": True}), "REPOSITORY_NOT_PUBLIC"),
    "no number": (Reply(200, {**ABOUT, "id": "7"}), "GITHUB_ANSWER"),
    "a name that cannot be": (Reply(200, {**ABOUT, "full_name": "../x"}), "GITHUB_ANSWER"),
}


@pytest.mark.parametrize("case", [*FAULTS, *UNSEEN])
def test_what_a_host_cannot_say_of_a_repository_is_unknown(desk: Desk, case: str) -> None:
    reply, code = {**FAULTS, **UNSEEN}[case]
    desk.stub.says(REPOSITORY, reply)
    found = desk.repository()
    assert isinstance(found, Unknown)
    assert found.code == code


@pytest.mark.parametrize("case", FAULTS)
def test_a_repository_that_was_seen_stays_seen_while_the_host_is_at_fault(desk: Desk, case: str) -> None:
    before = desk.repository()
    desk.stub.says(REPOSITORY, FAULTS[case][0])
    after = desk.repository()
    assert isinstance(after, Repository)
    assert after.stale
    assert (after.id, after.name, after.evidence) == (before.id, before.name, before.evidence)


@pytest.mark.parametrize("case", [*FAULTS, "404", "451"])
def test_what_a_host_cannot_say_of_a_push_is_unknown_and_asked_again(desk: Desk, case: str) -> None:
    desk.stub.says(ACTIVITY, {**FAULTS, **UNSEEN}[case][0])
    assert isinstance(desk.pushed(), Unknown)
    desk.stub.says(ACTIVITY, Reply(body=[row()]))
    assert desk.pushed().ms == NOON


@pytest.mark.parametrize("case", FAULTS)
def test_a_push_that_was_seen_is_never_asked_for_again(desk: Desk, case: str) -> None:
    before = desk.pushed()
    desk.stub.says(ACTIVITY, FAULTS[case][0])
    assert desk.pushed() == before
    assert desk.stub.count("/repos/alice/pack/activity") == 1


def test_silence_is_unknown(desk: Desk) -> None:
    desk.stub.says(REPOSITORY, Reply(body=ABOUT, wait=0.6))
    assert desk.repository(seconds=0.1).code == "GITHUB_UNAVAILABLE"
    desk.stub.says(ACTIVITY, Reply(body=[row()], wait=0.6))
    assert desk.pushed(seconds=0.1).code == "GITHUB_UNAVAILABLE"


def test_nobody_listening_is_unknown(desk: Desk) -> None:
    desk.stub.url = "http://127.0.0.1:9"
    assert desk.repository().code == "GITHUB_UNAVAILABLE"


def test_a_passing_fault_passes(desk: Desk) -> None:
    desk.stub.says(REPOSITORY, Reply(502, b""), Reply(429, {}, {"Retry-After": "7"}), Reply(body=ABOUT))
    assert isinstance(desk.repository(), Repository)
    assert desk.clock.waits == [1.0, 7.0]


def test_a_limit_is_waited_for_if_that_is_short_and_obeyed_if_not(desk: Desk) -> None:
    soon = str(desk.clock.ms // 1000 + 15)
    limited = Reply(403, {}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": soon})
    desk.stub.says(REPOSITORY, limited, Reply(body=ABOUT))
    assert isinstance(desk.repository(), Repository)
    assert desk.clock.waits == [15.0]
    desk.stub.says(ACTIVITY, FAULTS["429 for an hour"][0])
    assert desk.pushed().code == "GITHUB_RATE_LIMITED"
    assert desk.stub.count(ACTIVITY) == 1


@pytest.mark.parametrize("wish", ["soon", "-5", "9" * 40, "Wed, 21 Oct 2015 07:28:00 GMT", "²", "1e9"])
def test_a_strange_wish_about_waiting_is_no_trouble(desk: Desk, wish: str) -> None:
    desk.stub.says(REPOSITORY, Reply(429, {}, {"Retry-After": wish}), Reply(body=ABOUT))
    assert isinstance(desk.repository(), Repository)
    assert all(0 <= wait <= 20 for wait in desk.clock.waits)


def test_an_unchanged_answer_is_not_sent_again(desk: Desk) -> None:
    desk.stub.says(REPOSITORY, Reply(body=ABOUT, headers={"ETag": '"a"'}), Reply(304))
    found = desk.repository(times=2)
    assert isinstance(found, Repository)
    assert not found.stale
    assert [headers.get("if-none-match") for _, headers in desk.stub.asked] == [None, '"a"']


def test_the_token_goes_to_the_host_and_nowhere_else(desk: Desk) -> None:
    with stub() as elsewhere:
        place = {"Location": f"{elsewhere.url}/api/repositories/7"}
        desk.stub.says(REPOSITORY, Reply(301, {}, place))
        assert desk.repository().code == "GITHUB_REDIRECT"
        assert elsewhere.asked == []
    assert desk.stub.asked[0][1]["authorization"] == "Bearer secret"


def test_the_environment_sends_nobody_elsewhere(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert isinstance(desk.repository(), Repository)


def test_a_renamed_repository_is_followed_once_by_its_number(desk: Desk) -> None:
    moved = {"Location": f"{desk.stub.url}/api/repositories/7"}
    desk.stub.says(REPOSITORY, Reply(301, {}, moved))
    desk.stub.says("/repositories/7", Reply(body={**ABOUT, "full_name": "bob/pack"}))
    found = desk.repository()
    assert (found.id, found.name) == (7, "bob/pack")
    desk.stub.says("/repositories/7", Reply(301, {}, moved))
    again = desk.repository()
    assert (again.name, bool(again.stale)) == ("bob/pack", True)


@pytest.mark.parametrize("place", ["/api/repositories/7", "/api/repositories/7/x", "/api/repos/bob/pack", "//x", ""])
def test_no_other_redirect_is_followed(desk: Desk, place: str) -> None:
    desk.stub.says(REPOSITORY, Reply(301, {}, {"Location": place}))
    assert desk.repository().code == "GITHUB_REDIRECT"
    assert len(desk.stub.asked) == 1


def test_another_repository_under_the_name_is_its_owners_doing(desk: Desk) -> None:
    assert isinstance(desk.repository(), Repository)
    desk.stub.says(REPOSITORY, Reply(body={**ABOUT, "id": 8}))
    found = desk.repository()
    assert isinstance(found, Refused)
    assert found.code == "REPOSITORY_REPLACED"
    desk.stub.says("/repos/Alice/Pack", Reply(body={**ABOUT, "id": 8}))
    assert desk.repository(name="Alice/Pack").code == "REPOSITORY_REPLACED"


def test_a_vanished_repository_stays_for_half_an_hour_and_comes_back(desk: Desk) -> None:
    assert isinstance(desk.repository(), Repository)
    desk.stub.says(REPOSITORY, Reply(404, {}))
    assert desk.repository().stale
    desk.clock.ms += 30 * 60_000 - 1
    assert desk.repository().stale
    desk.clock.ms += 1
    assert desk.repository().code == "REPOSITORY_NOT_PUBLIC"
    desk.stub.says(REPOSITORY, Reply(body=ABOUT))
    assert not desk.repository().stale
    desk.stub.says(REPOSITORY, Reply(404, {}))
    assert desk.repository().stale


def test_the_earliest_push_of_a_commit_pushed_away_and_back_counts(desk: Desk) -> None:
    rows = [
        row(at="2026-03-01T15:00:00Z", kind="force_push"),
        row("b" * 40, at="2026-03-01T14:00:00Z", kind="force_push"),
        row(at="2026-03-01T12:00:00Z"),
        row(at="2026-03-01T11:00:00Z", ref="refs/heads/side"),
        row("0" * 40, at="2026-03-01T10:00:00Z", kind="branch_deletion"),
    ]
    desk.stub.says(ACTIVITY, Reply(body=rows))
    assert desk.pushed().ms == NOON


def test_a_push_stays_proven_when_the_default_branch_becomes_another(desk: Desk) -> None:
    async def ask() -> tuple[int | None, tuple[str, ...]]:
        witness = Witness(desk.stub.host, desk.archive, clock=desk.clock)
        try:
            repository = await witness.repository("alice/pack", "5hot")
            assert isinstance(repository, Repository)
            pushed = await witness.pushed(repository, COMMIT)
            assert isinstance(pushed, Pushed)
            return pushed.ms, all_of([repository.evidence, pushed.evidence])
        finally:
            await witness.close()

    before, _ = asyncio.run(ask())
    desk.stub.says(REPOSITORY, Reply(body={**ABOUT, "default_branch": "trunk"}))
    desk.stub.says(ACTIVITY, Reply(body=[]))
    after, evidence = asyncio.run(ask())
    assert before == after == NOON
    bodies = [desk.archive.response(name) or b"" for name in evidence]
    assert (len(bodies), pushed_in(bodies, COMMIT)) == (3, NOON)


def test_pages_are_followed_and_one_that_is_missing_is_no_end(desk: Desk) -> None:
    following = {"Link": f'<{desk.stub.url}/api/next?after=1>; rel="next", <http://x>; rel="last"'}
    desk.stub.says(ACTIVITY, Reply(body=[row(at="2026-03-02T12:00:00Z")], headers=following))
    for reply in (Reply(404, {}), Reply(422, {}), Reply(500, {}), Reply(200, {})):
        desk.stub.says("/next", reply)
        assert isinstance(desk.pushed(), Unknown)
    desk.stub.says("/next", Reply(body=[row()]))
    found = desk.pushed()
    assert (found.ms, len(found.evidence)) == (NOON, 1), "the page of the first push proves it"
    assert all(desk.archive.response(name) for name in found.evidence)


def test_a_page_that_shows_nothing_of_the_commit_is_no_part_of_its_proof(desk: Desk) -> None:
    following = {"Link": f'<{desk.stub.url}/api/next?after=1>; rel="next"'}
    desk.stub.says(ACTIVITY, Reply(body=[row("b" * 40)] * 100, headers=following))
    desk.stub.says("/next", Reply(body=[row()]))
    found = desk.pushed()
    (page,) = (desk.archive.response(name) for name in found.evidence)
    assert found.ms == NOON
    assert page is not None
    assert json.loads(page) == [row()]


def test_a_commit_that_is_pushed_again_and_again_is_proved_by_one_page(desk: Desk) -> None:
    rows = [row(at=f"2026-03-02T12:00:{second:02d}Z") for second in range(60)]
    endless = {"Link": f'<{desk.stub.url}/api{ACTIVITY}?x=1>; rel="next"'}
    desk.stub.says(ACTIVITY, Reply(body=rows, headers=endless))
    found = desk.pushed()
    assert desk.stub.count(ACTIVITY) == 10
    assert len(found.evidence) == 1


def test_pages_without_end_and_pages_elsewhere_are_left(desk: Desk) -> None:
    endless = {"Link": f'<{desk.stub.url}/api{ACTIVITY}?x=1>; rel="next"'}
    desk.stub.says(ACTIVITY, Reply(body=[row("b" * 40)], headers=endless))
    assert desk.pushed().ms is None
    assert desk.stub.count(ACTIVITY) == 10
    desk.stub.says(ACTIVITY, Reply(body=[row()], headers={"Link": '<http://127.0.0.1:9/api/x>; rel="next"'}))
    assert desk.pushed().ms == NOON


def test_events_answer_where_activity_does_not(desk: Desk) -> None:
    event = {
        "type": "PushEvent",
        "created_at": "2026-03-01T13:00:00+01:00",
        "payload": {"ref": REF, "head": COMMIT},
    }
    others = [{"type": "WatchEvent"}, {"type": "PushEvent", "payload": None}, 5, {**event, "payload": {"head": COMMIT}}]
    desk.stub.says(EVENTS, Reply(body=[*others, event]))
    for reply in (Reply(404, {}), Reply(422, {}), Reply(body=[])):
        desk.stub.says(ACTIVITY, reply)
        assert desk.pushed().ms == NOON


def test_no_row_anywhere_is_said_as_it_is(desk: Desk) -> None:
    desk.stub.says(ACTIVITY, Reply(body=[]))
    found = desk.pushed()
    assert isinstance(found, Pushed)
    assert (found.ms, len(found.evidence)) == (None, 2)


@pytest.mark.parametrize(
    "at", ["yesterday", None, 5, "2026-13-01T00:00:00Z", "2026-03-01T12:00:00", "٢026-03-01T12:00:00Z", "9" * 99]
)
def test_a_time_that_cannot_be_read_is_unknown(desk: Desk, at: object) -> None:
    desk.stub.says(ACTIVITY, Reply(body=[row(at=at)]))
    assert desk.pushed().code == "GITHUB_ANSWER"


@pytest.mark.parametrize(
    ("at", "ms"),
    [("2026-03-01T12:00:00Z", 0), ("2026-03-01T12:00:00.25Z", 250), ("2026-03-01T13:30:00.123456789+01:30", 123)],
)
def test_times_are_read_to_the_millisecond(desk: Desk, at: str, ms: int) -> None:
    desk.stub.says(ACTIVITY, Reply(body=[row(at=at)]))
    assert desk.pushed().ms == NOON + ms


_JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=9) | some.just(COMMIT) | some.just(REF),
    lambda inner: (
        some.lists(inner, max_size=4)
        | some.dictionaries(
            some.sampled_from(["id", "full_name", "default_branch", "private", "after", "ref", "timestamp", "type"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_JSON.map(lambda value: json.dumps(value).encode()) | some.binary(max_size=40))
def test_any_answer_is_understood_or_unknown_and_refuses_nobody(desk: Desk, raw: bytes) -> None:
    desk.stub.says(REPOSITORY, Reply(200, raw))
    desk.stub.says(ACTIVITY, Reply(200, raw))
    assert isinstance(desk.repository(), Repository | Unknown)
    assert isinstance(desk.pushed(), Pushed | Unknown)
