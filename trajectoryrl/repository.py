"""One file of one commit, out of a repository that nobody vouches for.

The URL is rebuilt from a strictly parsed ``owner/repo``; the commit is 40 hex digits or nothing. A bare fetch brings
the commit, without its large files, and the tip of the default branch; when that is another one, a second brings the
branch's commits alone, to see that the commit is among them. There is no checkout, hook, filter, submodule, redirect
or credential; git runs in a process group with limits, an empty HOME and no configuration but ours. What is read is
hashed again here: commit → tree → file.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from .errors import CommitmentInvalid, InvalidInput, RepositoryRejected, RepositoryUnavailable

COMMIT = re.compile(r"[0-9a-f]{40}")
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,38}")
_REPO = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_URL = re.compile(r"https://github\.com/([^/\s?#]+)/([^/\s?#]+?)(?:\.git)?/?", re.ASCII)
_MODES = ("100644", "100755")
_LFS = b"version https://git-lfs"
_MOST_COMMITS = 100_000
_MOST_TREE = 1 << 20


@dataclass(frozen=True, slots=True)
class Host:
    """Where repositories are: the base of git's URLs and of the API's; ``public`` is GitHub itself."""

    git: str = "https://github.com"
    api: str = "https://api.github.com"
    public: bool = True

    @property
    def protocol(self) -> str:
        """The one transport that git may use."""
        return self.git.partition(":")[0]


GITHUB = Host()


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one verification may use: seconds in all, bytes of a file that git writes, of memory, CPU seconds."""

    seconds: float = 25.0
    file_bytes: int = 16 << 20
    memory_bytes: int = 1 << 30
    cpu_seconds: int = 15
    blob_bytes: int = 65_536


def forge_host(url: str, *, public_network: bool) -> Host:
    """The forge at ``url`` (http://127.0.0.1:PORT) as a host.

    Raises InvalidInput for a URL of another form, and on a public network for any.
    """
    if public_network:
        raise InvalidInput.of("FORGE_REFUSED", "a public network takes repositories from GitHub only", "--forge")
    if not re.fullmatch(r"http://(127\.0\.0\.1|localhost|\[::1\]):[0-9]{1,5}", url):
        raise InvalidInput.of("FORGE_URL", "a forge is http://127.0.0.1:PORT", url[:80])
    return Host(url, f"{url}/api", public=False)


def repository_named(text: str) -> str:
    """``owner/repo`` out of itself or of a GitHub URL, exactly as written. Raises CommitmentInvalid."""
    found = _URL.fullmatch(text)
    owner, slash, repo = (found[1], "/", found[2]) if found else text.partition("/")
    if found is None and repo.endswith(".git"):
        repo = repo.removesuffix(".git")
    good = slash and _OWNER.fullmatch(owner) and _REPO.fullmatch(repo)
    if not good or repo.startswith((".", "-")) or repo.lower().endswith(".git"):
        said = "a repository is owner/repo, or https://github.com/owner/repo"
        raise CommitmentInvalid.of("REPOSITORY_NAME", said, f"{text[:80]!a}")
    return f"{owner}/{repo}"


async def fetched(
    host: Host,
    repository: str,
    commit: str,
    path: str = "pack.json",
    *,
    limits: FetchLimits = FetchLimits(),
    scratch: Path | None = None,
) -> bytes:
    """The bytes of ``path`` in the root of ``commit``, which the default branch contains.

    Raises RepositoryRejected for what its owner did, RepositoryUnavailable for what nobody can say yet; its code is
    REPOSITORY_GONE when the host says that there is no such public repository.
    """
    repository = repository_named(repository)
    if not COMMIT.fullmatch(commit):
        raise RepositoryRejected.of("COMMIT_FORMAT", "a commit is 40 lower-case hex digits", f"{commit[:60]!a}")
    folder = Path(tempfile.mkdtemp(prefix="fetch-", dir=scratch))
    git = _Git(host, folder, limits)
    try:
        async with asyncio.timeout(limits.seconds):
            url = f"{host.git}/{repository}.git"
            small = f"--filter=blob:limit={limits.blob_bytes + 1}"
            await git.fetch("files", url, (f"+{commit}:refs/fetched/it", "+HEAD:refs/fetched/head"), "--depth=1", small)
            if git.ref("files", "head") != commit:
                await git.fetch("commits", url, ("+HEAD:refs/fetched/head",), "--filter=tree:0")
                await _contained(git, commit)
            return await _file(git, commit, path)
    except TimeoutError:
        said = f"nothing was decided within {limits.seconds:.0f} s"
        raise RepositoryUnavailable.of("REPOSITORY_TIMEOUT", said, repository) from None
    except (RepositoryRejected, RepositoryUnavailable) as error:
        problem = error.problems[0]
        raise type(error).of(problem.code, problem.message, repository) from None
    except OSError as why:
        raise RepositoryUnavailable.of("FETCH_FAILED", f"git could not be run here: {why}", repository) from None
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _contained(git: _Git, commit: str) -> None:
    """Raises RepositoryRejected unless the default branch contains ``commit``."""
    listed = await git.output("commits", "rev-list", f"--max-count={_MOST_COMMITS}", "refs/fetched/head")
    if commit not in listed.decode("ascii", "replace").split():
        said = "the commit is not on the default branch: a side branch or a fork does not count"
        raise RepositoryRejected.of("NOT_ON_DEFAULT_BRANCH", said)


async def _file(git: _Git, commit: str, path: str) -> bytes:
    """The file's bytes, hashed up to the commit. Nothing large is read."""
    git.forget_remote("files")
    objects = await git.objects("files")
    try:
        return await _read(objects, commit, path, git.limits.blob_bytes)
    finally:
        await _ended(objects.child)


async def _read(objects: _Objects, commit: str, path: str, most: int) -> bytes:
    from git.objects.fun import tree_entries_from_data

    header = (await objects.read(commit, "commit", 65_536)).split(b"\n", 1)[0]
    tree = header.removeprefix(b"tree ").decode("ascii", "replace")
    if not header.startswith(b"tree ") or not COMMIT.fullmatch(tree):
        raise RepositoryRejected.of("BAD_OBJECTS", "the commit names no tree")
    entries = [
        (oid.hex(), f"{mode:06o}")
        for oid, mode, name in tree_entries_from_data(await objects.read(tree, "tree", _MOST_TREE))
        if name == path
    ]
    if len(entries) != 1:
        said = f"there is no {path} in the root of the commit" if not entries else f"{path} stands there twice"
        raise RepositoryRejected.of("FILE_MISSING", said)
    oid, mode = entries[0]
    if mode not in _MODES:
        kind = {"120000": "a symbolic link", "160000": "a submodule", "040000": "a folder"}.get(mode, f"mode {mode}")
        raise RepositoryRejected.of("NOT_A_FILE", f"{path} is {kind}, not a regular file")
    raw = await objects.read(oid, "blob", most)
    if raw.startswith(_LFS):
        raise RepositoryRejected.of("LFS_POINTER", f"{path} is a Git LFS pointer: commit the file itself")
    return raw


@dataclass(frozen=True, slots=True)
class _Git:
    """Runs git in ``folder``, within limits."""

    host: Host
    folder: Path
    limits: FetchLimits

    async def fetch(self, name: str, url: str, what: tuple[str, ...], *options: str) -> None:
        """Fetches ``what`` from ``url`` into the bare repository ``name``, which is made for it."""
        place = self.folder / name
        (place / "objects").mkdir(parents=True)
        (place / "refs").mkdir()
        (place / "HEAD").write_text("ref: refs/heads/none\n")
        self.forget_remote(name)
        status, said = await self._run(
            f"--git-dir={place}",
            *self._config(network=True),
            "fetch",
            "-q",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            *options,
            "--end-of-options",
            url,
            *what,
        )
        if status:
            raise _fetch_failure(status, said.decode("utf-8", "replace"))

    def ref(self, name: str, ref: str) -> str:
        """The commit that a fetched ref names."""
        return (self.folder / name / "refs" / "fetched" / ref).read_text().strip()

    async def output(self, name: str, *words: str) -> bytes:
        """What a command that needs no network prints."""
        status, said = await self._run(f"--git-dir={self.folder / name}", *self._config(), *words)
        if status:
            raise RepositoryRejected.of("BAD_OBJECTS", "git cannot read what the repository sent")
        return said

    async def objects(self, name: str) -> _Objects:
        """A reader of the objects of ``name``; close it."""
        words = (f"--git-dir={self.folder / name}", *self._config(), "cat-file", "--batch-command")
        return _Objects(await self._started(words, stderr=asyncio.subprocess.DEVNULL))

    def forget_remote(self, name: str) -> None:
        """Leaves a repository that cannot ask anybody for an object that it lacks."""
        (self.folder / name / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")

    def _config(self, *, network: bool = False) -> list[str]:
        settings = [
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            "core.symlinks=false",
            "core.bigFileThreshold=1m",
            "core.protectHFS=true",
            "core.protectNTFS=true",
            "credential.helper=",
            "fetch.fsckObjects=true",
            "transfer.fsckObjects=true",
            "fetch.unpackLimit=1",
            "fetch.recurseSubmodules=false",
            "submodule.recurse=false",
            "gc.auto=0",
            "maintenance.auto=false",
            "pack.threads=1",
            "protocol.version=2",
            "protocol.allow=never",
            "http.followRedirects=false",
            "http.lowSpeedLimit=1000",
            "http.lowSpeedTime=8",
        ]
        if network:
            settings.append(f"protocol.{self.host.protocol}.allow=always")
        return [word for setting in settings for word in ("-c", setting)]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
            "LANG": "C",
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "GIT_ALLOW_PROTOCOL": self.host.protocol,
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }

    async def _started(self, words: tuple[str, ...], stderr: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            "git",
            *words,
            cwd=self.folder,
            env=self._environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=self._limit,
        )

    async def _run(self, *words: str) -> tuple[int, bytes]:
        """Runs git; its exit status (negative for a signal) and what it printed, errors included when it failed."""
        child = await self._started(words, stderr=asyncio.subprocess.PIPE)
        try:
            out, err = await child.communicate()
        finally:
            await _ended(child)
        status = child.returncode or 0
        return status, out if not status else err[-2000:]

    def _limit(self) -> None:
        import resource

        for what, most in (
            (resource.RLIMIT_FSIZE, self.limits.file_bytes),
            (resource.RLIMIT_AS, self.limits.memory_bytes),
            (resource.RLIMIT_CPU, self.limits.cpu_seconds),
            (resource.RLIMIT_NOFILE, 128),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(what, (most, most))


async def _ended(child: asyncio.subprocess.Process) -> None:
    """Ends a child and everything that it started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    await child.wait()


@dataclass(frozen=True, slots=True)
class _Objects:
    """One ``git cat-file`` that is asked for objects, one after the other."""

    child: asyncio.subprocess.Process

    async def read(self, oid: str, kind: str, most: int) -> bytes:
        """An object of this kind and at most so many bytes, whose hash was computed again here."""
        parts = await self._asked(f"info {oid}")
        if len(parts) < 3:
            if kind == "blob":
                raise RepositoryRejected.of("FILE_TOO_LARGE", f"the file has more than {most:,} bytes")
            raise RepositoryRejected.of("BAD_OBJECTS", f"the repository did not send the {kind} {oid[:12]}")
        if parts[1] != kind:
            raise RepositoryRejected.of("BAD_OBJECTS", f"{oid[:12]} is a {parts[1][:10]}, not a {kind}")
        if not parts[2].isdigit() or int(parts[2]) > most:
            code = "FILE_TOO_LARGE" if kind == "blob" else "REPOSITORY_TOO_LARGE"
            raise RepositoryRejected.of(code, f"the {kind} has {parts[2]} bytes, at most {most:,} are read")
        size = int(parts[2])
        if await self._asked(f"contents {oid}") != parts:
            raise RepositoryRejected.of("BAD_OBJECTS", f"the {kind} {oid[:12]} cannot be read")
        assert self.child.stdout is not None
        try:
            raw = (await self.child.stdout.readexactly(size + 1))[:-1]
        except asyncio.IncompleteReadError:
            raise RepositoryRejected.of("BAD_OBJECTS", f"the {kind} {oid[:12]} cannot be read") from None
        if sha1(f"{kind} {size}\0".encode() + raw).hexdigest() != oid:
            raise RepositoryRejected.of("BAD_OBJECTS", f"the {kind} {oid[:12]} is not what its name says")
        return raw

    async def _asked(self, line: str) -> list[str]:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(f"{line}\n".encode())
        with suppress(ConnectionError):
            await self.child.stdin.drain()
        return (await self.child.stdout.readline()).decode("ascii", "replace").split()


_FAULTS = (
    (("not our ref", "couldn't find remote ref", "remote error: want", "unadvertised object"), "COMMIT_MISSING"),
    (("fsck error", "fsckobjects", "bad object", "index-pack failed", "unpack-objects failed"), "BAD_OBJECTS"),
    (("file too large", "signal 25", "out of memory", "cannot allocate"), "REPOSITORY_TOO_LARGE"),
)
_SENTENCES = {
    "COMMIT_MISSING": "the repository has no such commit",
    "BAD_OBJECTS": "what the repository sent is broken",
    "REPOSITORY_TOO_LARGE": "the repository is too large to be read within the limits",
}
_GONE = ("not found", "could not read username", "authentication failed", "error: 404", "error: 403", "error: 401")


def _fetch_failure(status: int, said: str) -> RepositoryRejected | RepositoryUnavailable:
    """What a fetch that failed means: the owner's doing only if git's own words say so."""
    lower = said.lower()
    if status in (-signal.SIGXFSZ, -signal.SIGXCPU, -signal.SIGKILL) or any(one in lower for one in _FAULTS[2][0]):
        return RepositoryRejected.of("REPOSITORY_TOO_LARGE", _SENTENCES["REPOSITORY_TOO_LARGE"])
    if "redirect" in lower or "returned error: 30" in lower:
        return RepositoryUnavailable.of("REPOSITORY_MOVED", "the host points elsewhere: a redirect is not followed")
    if any(one in lower for one in _GONE):
        return RepositoryUnavailable.of("REPOSITORY_GONE", "the host says that there is no such public repository")
    if "couldn't find remote ref head" in lower:
        return RepositoryRejected.of("REPOSITORY_EMPTY", "the repository has no default branch")
    for needles, code in _FAULTS[:2]:
        if any(one in lower for one in needles):
            return RepositoryRejected.of(code, _SENTENCES[code])
    line = next((line for line in said.splitlines() if line.startswith(("fatal:", "error:"))), said[:120])
    return RepositoryUnavailable.of("HOST_UNREACHABLE", f"the host did not answer as it should: {line[:160]}")
