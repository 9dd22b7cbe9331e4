"""One file of one commit, out of a repository that nobody vouches for.

The URL is rebuilt from a strictly parsed ``owner/repo``; the commit is 40 hex digits or nothing. A bare fetch brings
the commit, without its large files, and the tip of the default branch; when that is another one, a second brings the
branch's commits alone, to see that the commit is among them. There is no checkout, hook, filter, submodule, redirect
or credential (:mod:`~trajectoryrl.gitprocess` says how git is kept). What is read is hashed again here: commit →
tree → file. That a host could not answer is never its owner's doing, and what a repository's content could have git
say is never taken for the host's words.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from .errors import CommitmentInvalid, InvalidInput, RepositoryRejected, RepositoryUnavailable
from .faults import reach
from .fetchcache import FetchCache
from .gitprocess import FetchLimits, Finished, GitProcess, ended

__all__ = ["COMMIT", "GITHUB", "FetchLimits", "Host", "fetched", "forge_host", "repository_named"]

COMMIT = re.compile(r"[0-9a-f]{40}")
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,38}")
_REPO = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_URL = re.compile(r"https://github\.com/([^/\s?#]+)/([^/\s?#]+?)(?:\.git)?/?", re.ASCII)
_MODES = ("100644", "100755")
_COMMITTER = re.compile(rb"^committer [^\n]*> ([0-9]{1,12}) ", re.MULTILINE)
_LFS = b"version https://git-lfs"
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
    cache: FetchCache | None = None,
    dated: Callable[[int], None] = lambda seconds: None,
) -> bytes:
    """The bytes of ``path`` in the root of ``commit``, which the default branch contains.

    ``dated`` is told the committer's date, seconds since 1970, if the commit has one; anyone can write any there.

    ``cache`` saves reading a commit's file again, not asking whether the branch still contains it; only when the host
    cannot be asked does it answer alone. Raises RepositoryRejected for what its owner did, RepositoryUnavailable for
    what nobody can say yet; its code is REPOSITORY_GONE when the host says that there is no such public repository.
    """
    repository = repository_named(repository)
    if not COMMIT.fullmatch(commit):
        raise RepositoryRejected.of("COMMIT_FORMAT", "a commit is 40 lower-case hex digits", f"{commit[:60]!a}")
    name = f"dated {host.git}/{repository.lower()}@{commit}:{path}"
    kept = cache.found(name) if cache else None
    known = kept.partition(b"\n")[2] if kept is not None else None
    dates = [int(kept.partition(b"\n")[0])] if kept is not None and not kept.startswith(b"\n") else []
    try:
        raw = await _fetched(host, repository, commit, path, limits, scratch, known, dates.append)
    except RepositoryUnavailable as error:
        if known is None or error.code not in ("HOST_UNREACHABLE", "REPOSITORY_TIMEOUT", "FETCH_FAILED"):
            raise
        raw = known
    if cache and known is None:
        await asyncio.to_thread(cache.keep, name, b"%s\n%s" % (b"".join(b"%d" % date for date in dates), raw))
    for date in dates:
        dated(date)
    return raw


async def _fetched(
    host: Host,
    repository: str,
    commit: str,
    path: str,
    limits: FetchLimits,
    scratch: Path | None,
    known: bytes | None,
    dated: Callable[[int], None],
) -> bytes:
    url = f"{host.git}/{repository}.git"
    folder: Path | None = None
    try:
        folder = Path(tempfile.mkdtemp(prefix="fetch-", dir=scratch)).absolute()  # git runs in it
        reach("git.folder")
        git = _Git(folder, GitProcess(folder, limits, host.protocol))
        async with asyncio.timeout(limits.seconds):
            if known is None:
                small = f"--filter=blob:limit={limits.blob_bytes + 1}"
                await git.fetch("files", url, f"+{commit}:refs/fetched/it", "+HEAD:refs/fetched/head", filter=small)
                tip = git.ref("files", "head")
            else:
                tip = await git.tip(url)
            if tip != commit:
                await git.fetch(
                    "commits", url, "+HEAD:refs/fetched/head", filter="--filter=tree:0", depth=limits.commits
                )
                await _contained(git, commit, limits.commits)
            return await _file(git, commit, path, limits.blob_bytes, dated) if known is None else known
    except TimeoutError:
        said = f"nothing was decided within {limits.seconds:.0f} s"
        raise RepositoryUnavailable.of("REPOSITORY_TIMEOUT", said, repository) from None
    except (RepositoryRejected, RepositoryUnavailable) as error:
        problem = error.problems[0]
        raise type(error).of(problem.code, problem.message, repository) from None
    except OSError as why:
        raise RepositoryUnavailable.of("FETCH_FAILED", f"git could not be run here: {why}", repository) from None
    finally:
        if folder is not None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            reach("git.removed")


async def _contained(git: _Git, commit: str, most: int) -> None:
    """Raises RepositoryRejected unless the default branch contains ``commit``."""
    listed = await git.process.finished(
        f"--git-dir={git.place('commits')}", "rev-list", f"--max-count={4 * most}", "refs/fetched/head"
    )
    if listed.overflowed or listed.status:
        raise _fault("BAD_OBJECTS", "git cannot read the commits that the repository sent")
    if commit not in listed.output.decode("ascii", "replace").split():
        said = "the commit is not on the default branch: a side branch or a fork does not count"
        raise _fault("NOT_ON_DEFAULT_BRANCH", said)


async def _file(git: _Git, commit: str, path: str, most: int, dated: Callable[[int], None]) -> bytes:
    """The file's bytes, hashed up to the commit. Nothing large is read."""
    reach("git.read.before")
    git.forget_remote("files")
    place = f"--git-dir={git.place('files')}"
    about = await git.process.started(place, "cat-file", "--batch-check")
    try:
        whole = await git.process.started(place, "cat-file", "--batch")
        try:
            raw = await _read(_Objects(about, whole), commit, path, most, dated)
        finally:
            await ended(whole)
    finally:
        await ended(about)
    reach("git.read.after")
    return raw


async def _read(objects: _Objects, commit: str, path: str, most: int, dated: Callable[[int], None]) -> bytes:
    whole = await objects.read(commit, "commit", 65_536)
    if found := _COMMITTER.search(whole.partition(b"\n\n")[0]):
        dated(int(found[1]))
    header = whole.split(b"\n", 1)[0]
    tree = header.removeprefix(b"tree ").decode("ascii", "replace")
    if not header.startswith(b"tree ") or not COMMIT.fullmatch(tree):
        raise _fault("BAD_OBJECTS", "the commit names no tree")
    oid, mode = _entry(await objects.read(tree, "tree", _MOST_TREE), path)
    if mode not in _MODES:
        kind = {"120000": "a symbolic link", "160000": "a submodule", "040000": "a folder"}.get(mode, f"mode {mode}")
        raise _fault("NOT_A_FILE", f"{path} is {kind}, not a regular file")
    raw = await objects.read(oid, "blob", most)
    if raw.startswith(_LFS):
        raise _fault("LFS_POINTER", f"{path} is a Git LFS pointer: commit the file itself")
    return raw


def _entry(tree: bytes, path: str) -> tuple[str, str]:
    """Object and mode, six octal digits, of the one entry of a tree that is called exactly ``path``."""
    from git.objects.fun import tree_entries_from_data

    try:
        entries = [one for one in tree_entries_from_data(tree) if one[2] == path]
    except (ValueError, IndexError, AssertionError):
        raise _fault("BAD_OBJECTS", "the commit's folder cannot be read") from None
    if len(entries) != 1:
        said = f"there is no {path} in the root of the commit" if not entries else f"{path} stands there twice"
        raise _fault("FILE_MISSING", said)
    return entries[0][0].hex(), f"{entries[0][1]:06o}"


@dataclass(frozen=True, slots=True)
class _Git:
    """Bare repositories in ``folder``, each made for one fetch."""

    folder: Path
    process: GitProcess

    def place(self, name: str) -> Path:
        """Where the repository ``name`` is."""
        return self.folder / name

    async def fetch(self, name: str, url: str, *what: str, filter: str, depth: int = 1) -> None:
        """Fetches ``what`` from ``url`` into the repository ``name``."""
        self._make(name)
        done = await self.process.finished(
            f"--git-dir={self.place(name)}",
            "fetch",
            "-q",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            f"--depth={depth}",
            filter,
            "--end-of-options",
            url,
            *what,
            network=True,
        )
        if done.status or done.overflowed:
            raise _failure(done)

    async def tip(self, url: str) -> str:
        """The commit that the default branch of ``url`` points at."""
        self._make("none")
        words = ("ls-remote", "-q", "--end-of-options", url, "HEAD")
        done = await self.process.finished(f"--git-dir={self.place('none')}", *words, network=True)
        if done.status or done.overflowed:
            raise _failure(done)
        found = done.output.decode("ascii", "replace").split()
        if len(found) < 2 or found[1] != "HEAD" or not COMMIT.fullmatch(found[0]):
            raise RepositoryUnavailable.of("REPOSITORY_EMPTY", _SENTENCES["REPOSITORY_EMPTY"])
        return found[0]

    def ref(self, name: str, ref: str) -> str:
        """The commit that a fetched ref names."""
        return (self.place(name) / "refs" / "fetched" / ref).read_text().strip()

    def forget_remote(self, name: str) -> None:
        """Leaves a repository that cannot ask anybody for an object that it lacks."""
        (self.place(name) / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")

    def _make(self, name: str) -> None:
        place = self.place(name)
        (place / "objects").mkdir(parents=True)
        (place / "refs").mkdir()
        (place / "HEAD").write_text("ref: refs/heads/none\n")
        self.forget_remote(name)


@dataclass(frozen=True, slots=True)
class _Objects:
    """Two ``git cat-file``: ``about`` tells an object's kind and size, ``whole`` gives it."""

    about: asyncio.subprocess.Process
    whole: asyncio.subprocess.Process

    async def read(self, oid: str, kind: str, most: int) -> bytes:
        """An object of this kind and at most so many bytes, whose hash was computed again here."""
        parts = await _answer(self.about, oid)
        if parts[1:] == ["missing"]:
            if kind == "blob":
                raise _fault("FILE_TOO_LARGE", f"the file has more than {most:,} bytes")
            raise RepositoryUnavailable.of("HOST_UNREACHABLE", f"the host did not send the {kind} {oid[:12]}")
        if len(parts) != 3 or not parts[2].isdigit():
            raise RepositoryUnavailable.of("FETCH_FAILED", "git stopped while it was asked for objects")
        if parts[1] != kind:
            raise _fault("BAD_OBJECTS", f"{oid[:12]} is a {parts[1][:10]}, not a {kind}")
        size = int(parts[2])
        if size > most:
            code = "FILE_TOO_LARGE" if kind == "blob" else "REPOSITORY_TOO_LARGE"
            raise _fault(code, f"the {kind} has {size:,} bytes, at most {most:,} are read")
        raw = await self._contents(oid, parts, size)
        if sha1(f"{kind} {size}\0".encode() + raw).hexdigest() != oid:
            raise _fault("BAD_OBJECTS", f"the {kind} {oid[:12]} is not what its name says")
        return raw

    async def _contents(self, oid: str, parts: list[str], size: int) -> bytes:
        assert self.whole.stdout is not None
        try:
            if await _answer(self.whole, oid) == parts:
                return (await self.whole.stdout.readexactly(size + 1))[:-1]
        except asyncio.IncompleteReadError:
            pass
        raise RepositoryUnavailable.of("FETCH_FAILED", f"git could not give the {parts[1]} {oid[:12]}")


async def _answer(child: asyncio.subprocess.Process, oid: str) -> list[str]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{oid}\n".encode())
    with suppress(ConnectionError):
        await child.stdin.drain()
    return (await child.stdout.readline()).decode("ascii", "replace").split()


_SENTENCES = {
    "COMMIT_MISSING": "the repository has no such commit",
    "BAD_OBJECTS": "what is in the repository is broken, and git refuses it",
    "REPOSITORY_TOO_LARGE": "the repository is too large to be read within the limits",
    "REPOSITORY_EMPTY": "the host shows no default branch",
    "REPOSITORY_GONE": "the host says that there is no such public repository",
    "REPOSITORY_MOVED": "the host points elsewhere: a redirect is not followed",
}
_OWNERS = (
    ("COMMIT_MISSING", r"(fatal|error): (remote error: )?(upload-pack: )?not our ref\b.*"),
    ("COMMIT_MISSING", r"(fatal|error): couldn't find remote ref [0-9a-f]{40}"),
    ("COMMIT_MISSING", r"(fatal|error): Server does not allow request for unadvertised object .*"),
    ("REPOSITORY_TOO_LARGE", r"(fatal|error): (.*: )?(Out of memory\b.*|File too large|Cannot allocate memory)"),
    ("REPOSITORY_TOO_LARGE", r"(fatal|error): \S+ died of signal (24|25)"),
    ("BAD_OBJECTS", r"error: object [0-9a-f]{40}: .*|fatal: fsck error in pack(ed)? objects?.*"),
    ("BAD_OBJECTS", r"fatal: (mismatched algorithms|the receiving end does not support|unknown object format).*"),
)
"""What only the owner can have done, by the whole line that git prints of it."""
_ACCESS = r"fatal: unable to access '[^']*': The requested URL returned error: "
_HOSTS = (
    ("REPOSITORY_EMPTY", r"fatal: couldn't find remote ref HEAD"),  # a page that is no git's looks the same
    ("REPOSITORY_MOVED", _ACCESS + r"30\d|fatal: unable to update url base from redirection:.*"),
    ("REPOSITORY_GONE", r"fatal: repository '[^']*' not found|" + _ACCESS + r"(40[134]|410|451)"),
    ("REPOSITORY_GONE", r"fatal: (could not read (Username|Password) for|Authentication failed for) .*"),
)
"""What the host says of a repository that it does not show."""


def _failure(done: Finished) -> RepositoryRejected | RepositoryUnavailable:
    """What a git that failed means: the owner's doing only if git's own words say so."""
    lines = [line for line in done.errors.splitlines() if line.startswith(("fatal: ", "error: "))]
    if done.overflowed or done.status in (-signal.SIGXFSZ, -signal.SIGXCPU):
        return _fault("REPOSITORY_TOO_LARGE", _SENTENCES["REPOSITORY_TOO_LARGE"])
    # first: what an owner wrote may be quoted below git's own verdict, and look like the host's
    for code, form in _OWNERS:
        if any(re.fullmatch(form, line) for line in lines):
            return _fault(code, _SENTENCES[code])
    for code, form in _HOSTS:
        if any(re.fullmatch(form, line) for line in lines):
            return RepositoryUnavailable.of(code, _SENTENCES[code])
    said = lines[0] if lines else f"git ended with status {done.status}"
    said = "".join(letter if letter.isprintable() else "?" for letter in said[:160])
    return RepositoryUnavailable.of("HOST_UNREACHABLE", f"the host did not answer as it should: {said}")


def _fault(code: str, message: str) -> RepositoryRejected:
    return RepositoryRejected.of(code, message)
