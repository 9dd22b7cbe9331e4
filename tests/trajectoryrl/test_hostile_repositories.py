"""Every hostile repository and host ends in its code: nothing runs, and little is used."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.trajectoryrl.bare import Bare
from tests.trajectoryrl.hostile_host import PACKS, HostileHost, hostile_host
from tests.trajectoryrl.hostile_repositories import CASES, READ
from tests.trajectoryrl.watch import watched
from trajectoryrl.errors import RepositoryRejected, RepositoryUnavailable
from trajectoryrl.forge import Forge, ForgeServer
from trajectoryrl.gitprocess import FetchLimits
from trajectoryrl.repository import Host, fetched, forge_host

MOST = 64 << 20
SECONDS = 30
PATIENCE = FetchLimits(seconds=2.0)
"""For hosts that never answer: the same limit, sooner."""

HOSTS: dict[str, tuple[type[Exception], str]] = {
    "commit-1gib": (RepositoryRejected, "REPOSITORY_TOO_LARGE"),
    "delta-bomb": (RepositoryRejected, "REPOSITORY_TOO_LARGE"),
    "billion": (RepositoryRejected, "REPOSITORY_TOO_LARGE"),
    "endless": (RepositoryRejected, "REPOSITORY_TOO_LARGE"),
    "endless-refs": (RepositoryRejected, "REPOSITORY_TOO_LARGE"),
    "endless-words": (RepositoryRejected, "REPOSITORY_TOO_LARGE"),
    "unfiltered": (RepositoryRejected, "FILE_TOO_LARGE"),
    "no-commit": (RepositoryUnavailable, "HOST_UNREACHABLE"),
    "no-tree": (RepositoryUnavailable, "HOST_UNREACHABLE"),
    "half": (RepositoryUnavailable, "HOST_UNREACHABLE"),
    "bad-sum": (RepositoryUnavailable, "HOST_UNREACHABLE"),
    "garbage": (RepositoryUnavailable, "HOST_UNREACHABLE"),
    "dumb": (RepositoryUnavailable, "HOST_UNREACHABLE"),
    "page": (RepositoryUnavailable, "REPOSITORY_EMPTY"),
    "redirect": (RepositoryUnavailable, "REPOSITORY_MOVED"),
    "redirect-file": (RepositoryUnavailable, "REPOSITORY_MOVED"),
    "status-401": (RepositoryUnavailable, "REPOSITORY_GONE"),
    "status-403": (RepositoryUnavailable, "REPOSITORY_GONE"),
    "status-404": (RepositoryUnavailable, "REPOSITORY_GONE"),
    "status-429": (RepositoryUnavailable, "HOST_UNREACHABLE"),
    "status-500": (RepositoryUnavailable, "HOST_UNREACHABLE"),
    "status-503": (RepositoryUnavailable, "HOST_UNREACHABLE"),
    "silent": (RepositoryUnavailable, "REPOSITORY_TIMEOUT"),
    "drip": (RepositoryUnavailable, "REPOSITORY_TIMEOUT"),
    "endless-wait": (RepositoryUnavailable, "REPOSITORY_TIMEOUT"),
}
"""What a host that misbehaves comes to. GitHub's faults are nobody's: none of them rejects."""


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForgeServer]:
    with ForgeServer(Forge(tmp_path_factory.mktemp("forge"))) as server:
        yield server


@pytest.fixture(scope="module")
def host() -> Iterator[HostileHost]:
    with hostile_host() as made:
        yield made


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that would be made if git took anything from this process: home, configuration, environment."""
    canary = tmp_path / "canary"
    home = tmp_path / "home"
    (home / "hooks").mkdir(parents=True)
    program = home / "program"
    program.write_text(f"#!/bin/sh\necho $0 >>{canary}\n")
    program.chmod(0o755)
    for name in ("post-checkout", "reference-transaction", "post-merge", "pre-auto-gc"):
        (home / "hooks" / name).symlink_to(program)
    sections = {
        "core": ("fsmonitor", "askPass", "sshCommand"),
        "credential": ("helper",),
        'filter "lfs"': ("smudge",),
        'filter "evil"': ("smudge",),
        'diff "evil"': ("textconv",),
    }
    lines = [f"[{name}]\n" + "".join(f"\t{key} = {program}\n" for key in keys) for name, keys in sections.items()]
    lines.append(f"[core]\n\thooksPath = {home}/hooks\n[protocol]\n\tallow = always\n")
    (home / ".gitconfig").write_text("".join(lines))
    monkeypatch.setenv("HOME", str(home))
    for name in ("GIT_ASKPASS", "SSH_ASKPASS", "GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF", "GIT_PROXY_COMMAND"):
        monkeypatch.setenv(name, str(program))
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_secret")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    return canary


def bounded(folder: Path, host: Host, name: str, commit: str, limits: FetchLimits = FetchLimits()) -> bytes:
    """Fetches, and holds the fetch to what it may use; nothing of it stays."""
    scratch = folder / "scratch"
    scratch.mkdir()
    began = time.monotonic()
    try:
        with watched(scratch) as used:
            return asyncio.run(fetched(host, name, commit, limits=limits, scratch=scratch))
    finally:
        assert time.monotonic() - began <= SECONDS
        assert used.disk <= MOST
        assert used.memory <= MOST
        assert list(scratch.iterdir()) == []


def test_the_canary_would_sing(tmp_path: Path, canary: Path) -> None:
    words = ["git", "-c", "user.name=m", "-c", "user.email=m@x"]
    subprocess.run(["git", "init", "-q", str(tmp_path / "r")], check=True, capture_output=True)
    done = [*words, "-C", str(tmp_path / "r"), "commit", "-q", "--allow-empty", "-m", "x"]
    subprocess.run(done, check=True, capture_output=True)
    assert "reference-transaction" in canary.read_text()


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_repository_ends_in_its_code(case: str, forge: ForgeServer, tmp_path: Path, canary: Path) -> None:
    build, code = CASES[case]
    name = f"mallory/r{list(CASES).index(case)}"
    commit = build(Bare(forge.forge.git_folder(forge.forge.created(name).id)), canary)
    with pytest.raises((RepositoryRejected, RepositoryUnavailable)) as failed:
        bounded(tmp_path, forge_host(forge.url, public_network=False), name, commit)
    assert failed.value.code == code, failed.value
    assert isinstance(failed.value, RepositoryUnavailable) == (code in ("HOST_UNREACHABLE", "REPOSITORY_EMPTY"))
    assert failed.value.problems[0].where == name
    assert not canary.exists()


@pytest.mark.parametrize("case", READ)
def test_what_lies_around_a_file_changes_nothing(case: str, forge: ForgeServer, tmp_path: Path, canary: Path) -> None:
    build, raw = READ[case]
    name = f"alice/r{list(READ).index(case)}"
    commit = build(Bare(forge.forge.git_folder(forge.forge.created(name).id)), canary)
    assert bounded(tmp_path, forge_host(forge.url, public_network=False), name, commit) == raw
    assert not canary.exists()


@pytest.mark.parametrize("how", HOSTS)
def test_a_hostile_host_ends_in_its_code(how: str, host: HostileHost, tmp_path: Path, canary: Path) -> None:
    commit = host.commit(how)
    limits = PATIENCE if HOSTS[how][1] == "REPOSITORY_TIMEOUT" else FetchLimits()
    with pytest.raises((RepositoryRejected, RepositoryUnavailable)) as failed:
        bounded(tmp_path, Host(host.url, host.url, public=False), f"mallory/{how}", commit, limits)
    assert (type(failed.value), failed.value.code) == HOSTS[how], failed.value
    assert host.lured == []
    assert not canary.exists()


@pytest.mark.parametrize("how", ["honest", "deep-deltas"])
def test_any_host_can_be_read(how: str, host: HostileHost, tmp_path: Path) -> None:
    raw = bounded(tmp_path, Host(host.url, host.url, public=False), f"mallory/{how}", host.commit(how))
    assert raw.startswith(b"{")


def test_nothing_of_ours_is_told_to_a_host(host: HostileHost, tmp_path: Path, canary: Path) -> None:
    del host.asked[:]
    bounded(tmp_path, Host(host.url, host.url, public=False), "mallory/honest", host.commit("honest"))
    assert host.asked
    assert not any("authorization" in asked.lower() or "secret" in asked for asked in host.asked)
    assert not canary.exists()


def test_each_case_is_a_case() -> None:
    assert len(CASES) >= 25
    assert {*PACKS} - {"honest", "deep-deltas"} <= {*HOSTS}


def test_a_fetch_that_is_cancelled_leaves_nothing_behind(host: HostileHost, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    async def cancelled() -> None:
        task = asyncio.create_task(
            fetched(Host(host.url, host.url, public=False), "mallory/silent", "0" * 40, scratch=scratch)
        )
        while not any(scratch.glob("*/files")):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert list(scratch.iterdir()) == []
    assert not any(_works_in(pid, scratch) for pid in filter(str.isdigit, os.listdir("/proc")))


def _works_in(pid: str, folder: Path) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd").startswith(str(folder))
    except OSError:
        return False
