"""Names of repositories, the fetch of an honest one, and what the cache may and may not decide."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.trajectoryrl.bare import MAIN, Bare
from trajectoryrl import gitprocess
from trajectoryrl.errors import CommitmentInvalid, InvalidInput, RepositoryRejected, RepositoryUnavailable
from trajectoryrl.fetchcache import FetchCache
from trajectoryrl.forge import Forge, ForgeServer
from trajectoryrl.repository import GITHUB, FetchLimits, Host, fetched, forge_host, repository_named

COMMIT = "0123456789abcdef0123456789abcdef01234567"

GOOD = {
    "alice/pack": "alice/pack",
    "alice/pack.git": "alice/pack",
    "Alice/My-Pack_1.0": "Alice/My-Pack_1.0",
    "a/b": "a/b",
    "0-0/0": "0-0/0",
    "a" * 39 + "/" + "b" * 100: "a" * 39 + "/" + "b" * 100,
    "alice/_": "alice/_",
    "alice/pack.github": "alice/pack.github",
    "https://github.com/alice/pack": "alice/pack",
    "https://github.com/alice/pack/": "alice/pack",
    "https://github.com/alice/pack.git": "alice/pack",
    "https://github.com/alice/pack.git/": "alice/pack",
    "https://github.com/A-1/p.q.git": "A-1/p.q",
}
"""What names a repository, and which."""
BAD = [
    "",
    " ",
    "/",
    "alice",
    "alice/",
    "/pack",
    "alice//pack",
    "alice/pack/",
    "alice/pack/tree/main",
    "alice/pack pack",
    " alice/pack",
    "alice/pack ",
    "alice/pack\n",
    "alice/pack\0",
    "alice/pack\r\nHost: evil",
    "alice/..",
    "alice/.",
    "alice/.git",
    "alice/pack.git.git",
    "alice/pack.GIT",
    "../pack",
    "./pack",
    "-alice/pack",
    "alice-/pack",
    "al--ice/pack",
    "alice/-pack",
    "--upload-pack=touch x/pack",
    "-c/core.fsmonitor=x",
    "a" * 40 + "/pack",
    "alice/" + "b" * 101,
    "alice_x/pack",
    "alice.x/pack",
    "аlice/pack",  # a Cyrillic letter
    "alice/pаck",
    "alice/pack‍",
    "alice/ｐack",
    "alice/pack‮",
    "alice/٣",
    "alice/pa%63k",
    "alice/$(touch x)",
    "alice/`touch x`",
    "alice/${HOME}",
    "alice/pack;x",
    "alice/pack&x",
    "alice/pack|x",
    "alice/pack#x",
    "alice/pack?x",
    "alice\\pack",
    "alice:pack",
    "alice/pack@main",
    "alice/pack~1",
    "/home/val/secrets",
    "/etc/passwd",
    "file:///etc/passwd",
    "file://github.com/alice/pack",
    "ext::sh -c touch% x",
    "ext::https://github.com/alice/pack",
    "fd::17/foo",
    "git://github.com/alice/pack",
    "ssh://git@github.com/alice/pack",
    "ssh://-oProxyCommand=touch/x",
    "git@github.com:alice/pack.git",
    "github.com/alice/pack",
    "http://github.com/alice/pack",
    "HTTPS://github.com/alice/pack",
    "https://GitHub.com/alice/pack",
    "https://www.github.com/alice/pack",
    "https://github.com./alice/pack",
    "https://github.com:443/alice/pack",
    "https://user:word@github.com/alice/pack",
    "https://github.com@evil.example/alice/pack",
    "https://evil.example/github.com/alice/pack",
    "https://github.com.evil.example/alice/pack",
    "https://github.com\\@evil.example/alice/pack",
    "https://evil.example/x/y#/alice/pack",
    "https://evil.example/alice/pack",
    "https://gist.github.com/alice/pack",
    "https://raw.githubusercontent.com/alice/pack",
    "https://github.com//alice/pack",
    "https://github.com/alice/../pack",
    "https://github.com/x/.git",
    "https://github.com/alice",
    "https://github.com/alice/pack/tree/main",
    "https://github.com/alice/pack?x=1",
    "https://github.com/alice/pack#main",
    "https://github.com/alice/pack\n",
    "https://github.com/alice%2Fpack/x",
    "https://github.com/-alice/pack",
    "https://xn--gthub-n4a.com/alice/pack",
    "http://169.254.169.254/latest/meta-data",
    "http://127.0.0.1:9944/alice/pack",
    "http://[::1]/alice/pack",
    "https://0x7f000001/alice/pack",
    "javascript:alert(1)/x",
    "data:text/plain,alice/pack",
]
"""What names none."""
COMMITS = [
    "HEAD",
    "main",
    "main~0",
    "",
    COMMIT[:39],
    f"{COMMIT}0",
    COMMIT.upper(),
    f"{COMMIT}\n",
    f" {COMMIT}",
    f"{COMMIT}^{{tree}}",
    "--output=/tmp/x",
    "refs/heads/main",
    f"+{COMMIT[1:]}",
    "٠" * 40,
    "a" * 64,
]


@pytest.mark.parametrize(("text", "name"), GOOD.items())
def test_a_name_is_read(text: str, name: str) -> None:
    assert repository_named(text) == name
    assert repository_named(name) == name


@pytest.mark.parametrize("text", BAD)
def test_what_names_no_repository_is_refused_before_anything_runs(text: str, no_process: None) -> None:
    with pytest.raises(CommitmentInvalid) as refused:
        asyncio.run(fetched(GITHUB, text, COMMIT))
    assert refused.value.code == "REPOSITORY_NAME"
    assert refused.value.problems[0].where.isascii()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("commit", COMMITS)
def test_a_commit_is_forty_digits_before_anything_runs(commit: str, no_process: None) -> None:
    with pytest.raises(RepositoryRejected) as refused:
        asyncio.run(fetched(GITHUB, "alice/pack", commit))
    assert refused.value.code == "COMMIT_FORMAT"


@given(some.text(max_size=60) | some.text(alphabet="a-./:@git", max_size=24).map("https://github.com/".__add__))
def test_any_text_is_a_name_or_refused_and_a_name_means_itself(text: str) -> None:
    try:
        name = repository_named(text)
    except CommitmentInvalid:
        return
    assert repository_named(name) == repository_named(f"https://github.com/{name}.git") == name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./")


def test_there_are_enough_of_them() -> None:
    assert len({*GOOD, *BAD}) >= 60


def test_the_page_on_the_protocol_tells_the_limits() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
    section = page.split("## Repositories\n", 1)[1].split("\n## ", 1)[0]
    limits = FetchLimits()
    for value in (limits.blob_bytes, limits.commits, limits.file_bytes, int(limits.seconds), 1 << 20):
        assert f" {value:,} |" in section


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*words: Any, **rest: Any) -> NoReturn:
        raise AssertionError(f"nothing may run: {words}")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)


def test_another_host_is_a_forge_of_this_machine_and_never_on_a_public_network() -> None:
    assert forge_host("http://127.0.0.1:8080", public_network=False).protocol == "http"
    for url in ("https://github.com", "http://example.org:80", "http://127.0.0.1", "http://127.0.0.1:1/x", "ext::x"):
        with pytest.raises(InvalidInput, match=r"127\.0\.0\.1"):
            forge_host(url, public_network=False)
    with pytest.raises(InvalidInput, match="GitHub only"):
        forge_host("http://127.0.0.1:8080", public_network=True)


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[ForgeServer]:
    with ForgeServer(Forge(tmp_path / "forge")) as server:
        yield server


@pytest.fixture
def bare(forge: ForgeServer) -> Bare:
    return Bare(forge.forge.git_folder(forge.forge.created("alice/pack").id))


def read(forge: ForgeServer, commit: str, cache: FetchCache | None = None, name: str = "alice/pack") -> bytes:
    return asyncio.run(fetched(forge_host(forge.url, public_network=False), name, commit, cache=cache))


def test_the_tip_and_what_came_before_it_are_read(forge: ForgeServer, bare: Bare) -> None:
    first = bare.honest(b"1")
    second = bare.commit(bare.tree(("100644", b"pack.json", bare.blob(b"2"))), first, ref=MAIN)
    merged = bare.commit(bare.tree(), bare.honest(b"side", ref="refs/heads/side"), second, ref=MAIN)
    assert (read(forge, first), read(forge, second)) == (b"1", b"2")
    assert read(forge, bare.honest(b"side", ref=None)) == b"side"
    with pytest.raises(RepositoryRejected, match=r"no pack\.json"):
        read(forge, merged)


def test_a_scratch_folder_may_be_named_from_where_one_stands(
    forge: ForgeServer, bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.chdir(tmp_path)
    host = forge_host(forge.url, public_network=False)
    assert asyncio.run(fetched(host, "alice/pack", bare.honest(b"1"), scratch=Path("scratch"))) == b"1"


def test_a_cached_file_is_not_fetched_again_but_must_still_be_on_the_branch(
    forge: ForgeServer, bare: Bare, tmp_path: Path
) -> None:
    cache = FetchCache(tmp_path / "cache")
    commit = bare.honest(b"1")
    assert read(forge, commit, cache) == b"1"
    blob = bare.blob(b"1")
    (bare.folder / "objects" / blob[:2] / blob[2:]).unlink()
    assert read(forge, commit, cache, "ALICE/Pack") == b"1"
    bare.commit(bare.tree(), commit, ref=MAIN)
    assert read(forge, commit, cache) == b"1"
    bare.honest(b"2")
    with pytest.raises(RepositoryRejected) as gone:
        read(forge, commit, cache)
    assert gone.value.code == "NOT_ON_DEFAULT_BRANCH"
    bare.head("ref: refs/heads/nowhere")
    with pytest.raises(RepositoryUnavailable) as empty:
        read(forge, commit, cache)
    assert empty.value.code == "REPOSITORY_EMPTY"
    forge.forge.delete("alice/pack")
    with pytest.raises(RepositoryUnavailable) as deleted:
        read(forge, commit, cache)
    assert deleted.value.code == "REPOSITORY_GONE"


def test_a_host_that_is_down_does_not_undo_what_was_verified(forge: ForgeServer, bare: Bare, tmp_path: Path) -> None:
    cache = FetchCache(tmp_path / "cache")
    commit = bare.honest(b"1")
    host = Host("http://127.0.0.1:9", "http://127.0.0.1:9", public=False)
    with pytest.raises(RepositoryUnavailable) as down:
        asyncio.run(fetched(host, "alice/pack", commit, cache=cache))
    assert down.value.code == "HOST_UNREACHABLE"
    cache.keep(f"dated {host.git}/alice/pack@{commit}:pack.json", b"1700000000\n1")
    assert asyncio.run(fetched(host, "alice/pack", commit, cache=cache)) == b"1"


def test_the_cache_is_bounded_and_forgets_what_was_not_used_longest(tmp_path: Path) -> None:
    cache = FetchCache(tmp_path, most_files=3, most_bytes=10_000)
    for number in range(3):
        cache.keep(str(number), b"x")
        os.utime(max(tmp_path.iterdir(), key=lambda p: p.stat().st_mtime_ns), ns=(number, number))
    assert cache.found("0") == b"x"
    cache.keep("3", b"x")
    assert [cache.found(str(number)) for number in range(4)] == [b"x", None, b"x", b"x"]
    cache.keep("large", b"y" * 9_900)
    assert cache.found("large") == b"y" * 9_900
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 10_000


def test_what_is_damaged_in_the_cache_is_absent(tmp_path: Path) -> None:
    cache = FetchCache(tmp_path)
    cache.keep("a", b"whole")
    (place,) = tmp_path.iterdir()
    for raw in (b"", b"\n", place.read_bytes()[:-1], b"x" * 64 + b"\nwhole", b"\xff\n"):
        place.write_bytes(raw)
        assert cache.found("a") is None
    FetchCache(tmp_path / "no" / "where", most_files=0).keep("a", b"whole")
    assert FetchCache(place / "below-a-file").found("a") is None


def test_without_git_nothing_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    gitprocess._git.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    try:
        with pytest.raises(RepositoryUnavailable, match="no program git") as failed:
            asyncio.run(fetched(GITHUB, "alice/pack", COMMIT))
        assert failed.value.code == "FETCH_FAILED"
    finally:
        gitprocess._git.cache_clear()


def test_a_scratch_folder_that_is_gone_decides_nothing(tmp_path: Path) -> None:
    with pytest.raises(RepositoryUnavailable) as failed:
        asyncio.run(fetched(GITHUB, "alice/pack", COMMIT, scratch=tmp_path / "gone"))
    assert failed.value.code == "FETCH_FAILED"


def test_limits_hold_before_git_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in git's place tells its limits and environment."""
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nulimit -c; ulimit -f; ulimit -t; ulimit -n; ulimit -d; ulimit -v; env; trap\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(gitprocess, "_git", lambda: str(program))
    monkeypatch.setattr(gitprocess, "_bubblewrap", lambda: None)
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_secret")
    limits = FetchLimits()
    process = gitprocess.GitProcess(tmp_path, limits, "https")
    done = asyncio.run(process.finished("--version"))
    lines = done.output.decode().splitlines()
    expected = [
        0,
        limits.file_bytes // 512,
        limits.cpu_seconds,
        128,
        limits.data_bytes >> 10,
        limits.memory_bytes >> 10,
    ]
    assert [int(line) for line in lines[:6]] == expected
    names = {line.partition("=")[0] for line in lines[6:]}
    assert {"HOME", "GIT_ALLOW_PROTOCOL", "GIT_TERMINAL_PROMPT", "GIT_CONFIG_NOSYSTEM"} <= names
    assert not names & {"GITHUB_TOKEN", "http_proxy", "https_proxy", "SSH_AUTH_SOCK", "PYTHONPATH"}


def test_bubblewrap_is_used_where_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that shows its words: the folder, programs and certificates are all that is seen."""
    assert gitprocess.isolation() in ("limits", "bubblewrap and limits")
    program = tmp_path / "bwrap"
    program.write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    program.chmod(0o755)
    monkeypatch.setattr(gitprocess, "_bubblewrap", lambda: str(program))
    assert gitprocess.isolation() == "bubblewrap and limits"
    folder = tmp_path / "work"
    folder.mkdir()
    process = gitprocess.GitProcess(folder, FetchLimits(), "https")
    alone = asyncio.run(process.finished("--version")).output.decode().splitlines()
    online = asyncio.run(process.finished("--version", network=True)).output.decode().splitlines()
    assert alone[0] == "--unshare-all"
    assert alone[-1] == "--version"
    assert "--share-net" not in alone
    assert "--share-net" in online
    writable = [alone[at + 1] for at, word in enumerate(alone) if word == "--bind"]
    assert writable == [str(folder)]
    seen = {alone[at + 1] for at, word in enumerate(alone) if word in ("--ro-bind", "--ro-bind-try", "--bind")}
    assert not {"/", "/home", "/root", "/etc", "/var", "/tmp"} & seen


def test_an_honest_file_is_read_in_bubblewrap_where_there_is_one(
    forge: ForgeServer, bare: Bare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where bubblewrap cannot work, its absence must not be a failure either."""
    program = shutil.which("bwrap")
    commit = bare.honest(b"boxed")
    gitprocess._bubblewrap.cache_clear()
    assert (gitprocess._bubblewrap() is None) or program is not None
    assert read(forge, commit) == b"boxed"
