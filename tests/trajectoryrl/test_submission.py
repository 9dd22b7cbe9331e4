"""A commitment through forge, git and witness to its outcome, with real git over http."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from clawbench.pack import pack_of
from trajectoryrl.archive import Archive
from trajectoryrl.entry import Commitment, Entry, Outcome, Pending, Rejection
from trajectoryrl.forge import Forge, ForgeServer
from trajectoryrl.github import Pushed, Witness
from trajectoryrl.protocol import shipped
from trajectoryrl.repository import forge_host
from trajectoryrl.submission import Verifier, entered

from ..test_protocol_doc import vectors
from .entries import some_pack
from .github_stub import FakeClock

HOTKEY = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
OTHER = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
NOON = 1_780_000_000_000
HOUR = 3_600_000


@dataclass
class World:
    """A forge at a settable time, and a miner's working folder."""

    server: ForgeServer
    folder: Path
    time: list[int]
    archive: Archive
    clock: FakeClock = field(default_factory=FakeClock)

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def pushed(self, at: int, hotkey: str | None = HOTKEY, text: str = "# Policy\nAsk first.\n") -> tuple[str, str]:
        """Commits and pushes a pack at this time; returns commit and pack hash."""
        metadata: dict[str, Any] = {"pack_name": "p", "pack_version": "1.0.0", "target_suite": "clawbench_v1"}
        if hotkey is not None:
            metadata["hotkey"] = hotkey
        value = {
            "schema_version": 1,
            "files": {"AGENTS.md": text},
            "tool_policy": {"deny": ["admin_*", "shell"]},
            "metadata": metadata,
        }
        (self.folder / "pack.json").write_text(json.dumps(value))
        self.git("add", "-A")
        self.git("-c", "user.name=m", "-c", "user.email=m@x", "commit", "-qm", "pack", "--allow-empty")
        self.time[0] = at
        self.git("push", "-qf", f"{self.server.url}/alice/pack.git", "HEAD:main")
        return self.git("rev-parse", "HEAD"), pack_of(value).sha256

    def outcome(
        self,
        commit: str,
        pack_hash: str,
        *,
        hotkey: str = HOTKEY,
        committed: int = NOON,
        epoch: int = NOON + 7 * HOUR,
        name: str = "alice/pack",
    ) -> Outcome:
        async def verify() -> Outcome:
            host = forge_host(self.server.url, public_network=False)
            witness = Witness(host, self.archive, clock=self.clock)
            try:
                verifier = Verifier(None, host, witness, shipped())  # type: ignore[arg-type]
                commitment = Commitment(hotkey, name, commit, pack_hash, 5)
                return await verifier.judged(commitment, 3, "cold", committed, epoch)
            finally:
                await witness.close()

        return asyncio.run(verify())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    time = [NOON]
    (tmp_path / "work").mkdir()
    with ForgeServer(Forge(tmp_path / "forge", lambda: time[0])) as server:
        made = World(server, tmp_path / "work", time, Archive(tmp_path / "archive"))
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{NOON // 1000 - 300} +0000")
        made.git("init", "-q", "-b", "main")
        made.git("config", "user.name", "m")
        made.git("config", "user.email", "m@x")
        yield made


def _code(outcome: Outcome, kind: type) -> str:
    assert isinstance(outcome, kind), outcome
    return str(outcome.code)  # type: ignore[attr-defined]


def test_an_honest_submission_is_an_entry_with_the_time_of_its_push(world: World) -> None:
    found = world.outcome(*world.pushed(NOON - HOUR))
    assert isinstance(found, Entry)
    assert (found.push_ms, found.entry_ms) == (NOON - HOUR, NOON - HOUR)
    assert all(world.archive.response(name) for name in found.evidence)
    assert len(found.evidence) == 2


def test_an_old_push_gains_at_most_one_epoch(world: World) -> None:
    found = world.outcome(*world.pushed(NOON - 400 * HOUR))
    assert isinstance(found, Entry)
    assert found.entry_ms == NOON - shipped().epoch_ms


@pytest.mark.parametrize(
    ("seconds", "notes"),
    [
        (-300, ()),
        (300, ()),
        (-301, ("git's own date is 5 min before the push; it decides nothing",)),
        (7200, ("git's own date is 120 min after the push; it decides nothing",)),
    ],
)
def test_gits_own_date_decides_nothing_and_is_told_when_it_differs(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: int, notes: tuple[str, ...]
) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{NOON // 1000 + seconds} +0100")
    pushed = world.pushed(NOON)
    for _ in range(2):
        found = world.outcome(*pushed)
        assert isinstance(found, Entry)
        assert (found.entry_ms, found.notes) == (NOON, notes)


def test_the_push_comes_before_the_commitment_give_or_take_two_minutes(world: World) -> None:
    assert isinstance(world.outcome(*world.pushed(NOON + 120_000)), Entry)
    late = world.outcome(*world.pushed(NOON + 121_000, text="# Later\n"))
    assert _code(late, Rejection) == "PUSH_AFTER_COMMITMENT"


def test_a_pack_belongs_to_the_hotkey_in_it(world: World) -> None:
    assert _code(world.outcome(*world.pushed(NOON), hotkey=OTHER), Rejection) == "HOTKEY_MISMATCH"
    assert _code(world.outcome(*world.pushed(NOON, hotkey=None)), Rejection) == "HOTKEY_MISMATCH"


def test_the_hash_is_of_what_is_there(world: World) -> None:
    commit, _ = world.pushed(NOON)
    assert _code(world.outcome(commit, "0" * 64), Rejection) == "HASH_MISMATCH"


def test_a_file_that_is_no_pack_is_said(world: World) -> None:
    world.pushed(NOON)
    (world.folder / "pack.json").write_text("{")
    world.git("add", "-A")
    world.git("-c", "user.name=m", "-c", "user.email=m@x", "commit", "-qm", "broken")
    world.git("push", "-q", f"{world.server.url}/alice/pack.git", "HEAD:main")
    broken = world.outcome(world.git("rev-parse", "HEAD"), "0" * 64)
    assert _code(broken, Rejection) == "PACK_INVALID"


def test_an_earlier_commit_of_the_branch_counts_and_a_commit_off_it_does_not(world: World) -> None:
    first = world.pushed(NOON - HOUR)
    world.pushed(NOON, text="# Second\n")
    assert isinstance(world.outcome(*first), Entry)
    world.git("checkout", "-q", "-b", "side", first[0])
    (world.folder / "pack.json").write_text("{}")
    world.git("add", "-A")
    world.git("-c", "user.name=m", "-c", "user.email=m@x", "commit", "-qm", "side")
    world.git("push", "-q", f"{world.server.url}/alice/pack.git", "HEAD:side")
    side = world.git("rev-parse", "HEAD")
    assert _code(world.outcome(side, "0" * 64), Rejection) == "NOT_ON_DEFAULT_BRANCH"


def test_a_push_seen_once_is_never_asked_for_again(world: World) -> None:
    pushed = world.pushed(NOON - HOUR)
    before = world.outcome(*pushed)
    kept = world.server.forge.found("alice/pack")
    assert kept is not None
    kept.activity.clear()
    assert world.outcome(*pushed) == before


def test_a_push_that_the_host_does_not_show_is_pending_and_then_the_commitment_counts(world: World) -> None:
    pushed = world.pushed(NOON - HOUR)
    kept = world.server.forge.found("alice/pack")
    assert kept is not None
    kept.activity.clear()
    assert _code(world.outcome(*pushed, epoch=NOON + 5 * HOUR), Pending) == "PUSH_UNKNOWN"
    later = world.outcome(*pushed, epoch=NOON + 6 * HOUR)
    assert isinstance(later, Entry)
    assert (later.push_ms, later.entry_ms) == (None, NOON)


def test_renamed_hidden_and_deleted_repositories_end_as_documented(world: World) -> None:
    pushed = world.pushed(NOON)
    forge = world.server.forge
    assert isinstance(world.outcome(*pushed), Entry)
    forge.rename("alice/pack", "alice/renamed")
    renamed = world.outcome(*pushed)
    assert isinstance(renamed, Entry)
    assert renamed.notes == ("the repository is now alice/renamed",)
    forge.hide("alice/renamed")
    hidden = world.outcome(*pushed)
    assert isinstance(hidden, Entry)
    assert (hidden.entry_ms, len(hidden.notes)) == (renamed.entry_ms, 3)
    world.clock.ms += HOUR // 2
    assert _code(world.outcome(*pushed), Pending) == "REPOSITORY_NOT_PUBLIC"
    forge.hide("alice/renamed", private=False)
    assert world.outcome(*pushed) == renamed
    forge.delete("alice/renamed")
    assert isinstance(world.outcome(*pushed), Entry)
    world.clock.ms += HOUR // 2
    assert _code(world.outcome(*pushed), Pending) == "REPOSITORY_NOT_PUBLIC"


def test_a_repository_that_was_never_seen_is_pending_at_its_first_404(world: World) -> None:
    pushed = world.pushed(NOON)
    world.server.forge.hide("alice/pack")
    assert _code(world.outcome(*pushed), Pending) == "REPOSITORY_GONE"


def test_a_repository_without_its_branch_is_pending_although_it_was_verified(world: World) -> None:
    pushed = world.pushed(NOON)
    assert isinstance(world.outcome(*pushed), Entry)
    kept = world.server.forge.found("alice/pack")
    assert kept is not None
    bare = str(world.server.forge.git_folder(kept.id))
    subprocess.run(["git", "--git-dir", bare, "update-ref", "-d", "refs/heads/main"], check=True)
    assert _code(world.outcome(*pushed), Pending) in ("REPOSITORY_EMPTY", "REPOSITORY_GONE")


def test_what_was_verified_once_holds_while_everything_is_down(world: World) -> None:
    pushed = world.pushed(NOON)
    before = world.outcome(*pushed)
    assert isinstance(before, Entry)
    world.server.url = "http://127.0.0.1:9"
    after = world.outcome(*pushed)
    assert isinstance(after, Entry)
    assert replace(after, notes=()) == before
    assert len(after.notes) == 2


def test_a_commit_that_was_pushed_away_is_rejected_and_back_again_as_old_as_it_was(world: World) -> None:
    first = world.pushed(NOON - HOUR)
    before = world.outcome(*first)
    world.git("commit", "-q", "--amend", "--allow-empty", "-m", "another", "--author", "m <m@x>")
    world.git("push", "-qf", f"{world.server.url}/alice/pack.git", "HEAD:main")
    assert isinstance(world.outcome(*first), Rejection)
    world.git("push", "-qf", f"{world.server.url}/alice/pack.git", f"{first[0]}:main")
    assert world.outcome(*first) == before


def test_another_repository_under_the_same_name_is_rejected(world: World) -> None:
    pushed = world.pushed(NOON)
    assert isinstance(world.outcome(*pushed), Entry)
    world.server.forge.rename("alice/pack", "mallory/stolen")
    world.git("push", "-q", f"{world.server.url}/alice/pack.git", "HEAD:main")
    assert _code(world.outcome(*pushed), Rejection) == "REPOSITORY_REPLACED"


def test_a_forge_that_is_down_is_pending(world: World) -> None:
    pushed = world.pushed(NOON)
    world.server.url = "http://127.0.0.1:9"
    assert isinstance(world.outcome(*pushed), Pending)


def test_the_protocols_vectors_of_entry_times() -> None:
    doc = vectors("entry_time")
    rules = shipped()
    ours = (rules.epoch_ms, rules.push_tolerance_seconds * 1000, rules.push_unknown_seconds * 1000)
    assert ours == (doc["epoch_ms"], doc["tolerance_ms"], doc["unknown_ms"])
    said = Commitment(HOTKEY, "alice/pack", "c" * 40, "f" * 64, 5)
    for row in doc["rows"]:
        found = entered(
            said, some_pack(), Pushed(row["push_ms"], ()), uid=3, coldkey="cold",
            committed_ms=row["committed_ms"], epoch_ms=row["epoch_first_ms"], parameters=rules,
        )  # fmt: skip
        assert (found.entry_ms if isinstance(found, Entry) else found.code) == row["is"]


@given(some.integers(0, 10**13), some.integers(0, 10**13), some.integers(0, 10**13))
def test_an_entry_is_never_older_than_its_push_nor_an_epoch_before_its_commitment(
    push: int, committed: int, epoch: int
) -> None:
    said = Commitment(HOTKEY, "alice/pack", "c" * 40, "f" * 64, 5)
    found = entered(
        said, some_pack(), Pushed(push, ()), uid=3, coldkey="cold",
        committed_ms=committed, epoch_ms=epoch, parameters=shipped(),
    )  # fmt: skip
    if push > committed + 120_000:
        assert isinstance(found, Rejection)
    else:
        assert isinstance(found, Entry)
        assert found.entry_ms in (push, committed - shipped().epoch_ms)
        assert found.entry_ms >= push
