"""Runs git on what nobody vouches for: within limits, without configuration, and boxed in where bubblewrap works.

Every child is a process group of its own and is killed as one. It inherits no environment: no token, no proxy, no
configuration, an empty HOME. Its limits are set by a shell that then becomes git, so they hold before git begins and
for every process that git starts; words are handed to the shell as arguments, never as its text.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .faults import reach

_MOST_OUTPUT = 2 << 20
_KEPT_ERRORS = 8192
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "core.bigFileThreshold=1m",
    "core.packedGitLimit=16m",
    "core.packedGitWindowSize=1m",
    "core.deltaBaseCacheLimit=4m",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.fsync=none",
    "credential.helper=",
    "fetch.fsckObjects=true",
    "transfer.fsckObjects=true",
    "fetch.unpackLimit=1",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "pack.threads=1",
    "index.threads=1",
    "protocol.version=2",
    "protocol.allow=never",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=8",
)
_SEEN_IN_THE_BOX = (
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/run/systemd/resolve",
)


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one verification may use.

    ``seconds`` in all; ``file_bytes`` of any file that git writes (there are at most four, and the small ones beside
    them); ``data_bytes`` of memory that a process allocates and ``memory_bytes`` that it maps; ``cpu_seconds`` of each
    process; ``blob_bytes`` of the file that is read; ``commits`` of the default branch that are looked through.
    """

    seconds: float = 25.0
    file_bytes: int = 12 << 20
    data_bytes: int = 32 << 20
    memory_bytes: int = 512 << 20
    cpu_seconds: int = 10
    blob_bytes: int = 65_536
    commits: int = 10_000


@dataclass(frozen=True, slots=True)
class Finished:
    """How git ended: its exit status, negative for a signal; what it printed; the end of what it complained of.

    ``overflowed`` says that it was stopped because it printed too much.
    """

    status: int
    output: bytes
    errors: str
    overflowed: bool = False


@dataclass(frozen=True, slots=True)
class GitProcess:
    """Starts git in ``folder``; ``protocol`` is the one transport it may use, by commands that may use one."""

    folder: Path
    limits: FetchLimits
    protocol: str

    async def finished(self, *words: str, network: bool = False) -> Finished:
        """Runs git to its end. A cancelled call ends it, too. Raises OSError if there is no git."""
        reach("git.run.before")
        child = await self.started(*words, network=network, errors=True)
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdin.close()
        output, errors = bytearray(), bytearray()

        async def read(stream: asyncio.StreamReader, into: bytearray, kept: int) -> bool:
            total = 0
            while part := await stream.read(1 << 16):
                total += len(part)
                into += part
                del into[:-kept]
                if total > _MOST_OUTPUT:
                    _killed(child)
                    return True
            return False

        try:
            reach("git.run.started")
            over = await asyncio.gather(
                read(child.stdout, output, _MOST_OUTPUT), read(child.stderr, errors, _KEPT_ERRORS)
            )
            status = await child.wait()
        finally:
            await ended(child)
        reach("git.run.after")
        if status > 128:  # the box's way of telling that a signal ended what was in it
            status = 128 - status
        return Finished(status, bytes(output), errors.decode("utf-8", "replace"), any(over))

    async def started(self, *words: str, network: bool = False, errors: bool = False) -> asyncio.subprocess.Process:
        """A running git; the caller ends it. Raises OSError if there is no git."""
        settings = (*_SETTINGS, f"protocol.{self.protocol}.allow=always") if network else _SETTINGS
        options = [word for setting in settings for word in ("-c", setting)]
        return await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            f"trap '' XFSZ && {_ulimits(self.limits)} && exec \"$@\"",
            "sh",
            *_box(self.folder, network),
            _git(),
            *options,
            *words,
            cwd=self.folder,
            env=self._environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE if errors else asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(_git()).parent}:/usr/bin:/bin",
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
            "GIT_ALLOW_PROTOCOL": self.protocol,
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }


def isolation() -> str:
    """How children are kept: ``bubblewrap and limits`` where bubblewrap works, else ``limits``."""
    return "bubblewrap and limits" if _bubblewrap() else "limits"


async def ended(child: asyncio.subprocess.Process) -> None:
    """Ends a child and everything that it started."""
    _killed(child)
    try:
        await child.wait()
    finally:
        child._transport.close()  # type: ignore[attr-defined]  # its pipes may hold what nobody will read


def _killed(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _ulimits(limits: FetchLimits) -> str:
    """Shell text that sets them: blocks of 512 bytes, kibibytes, seconds.

    A file that would grow too large is an error that git tells (its signal is ignored); a process that uses up its
    CPU ends by SIGXCPU, so that SIGKILL means the machine's trouble.
    """
    orders = [
        "ulimit -c 0",
        f"ulimit -f {limits.file_bytes // 512}",
        f"ulimit -S -t {limits.cpu_seconds}",
        f"ulimit -H -t {limits.cpu_seconds + 5}",
        "ulimit -n 128",
    ]
    if sys.platform == "linux":
        orders += [f"ulimit -d {limits.data_bytes // 1024}", f"ulimit -v {limits.memory_bytes // 1024}"]
    return " && ".join(orders)


@lru_cache(maxsize=1)
def _git() -> str:
    found = shutil.which("git")
    if found is None:
        raise FileNotFoundError("there is no program git")
    return found


def _box(folder: Path, network: bool) -> tuple[str, ...]:
    """The words before git's: a file system with programs, certificates and ``folder`` alone."""
    program = _bubblewrap()
    return _boxed(program, folder, network) if program else ()


def _boxed(program: str, folder: Path, network: bool) -> tuple[str, ...]:
    words = [program, "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr"]
    if network:
        words.append("--share-net")
    for name in ("bin", "sbin", "lib", "lib64", "lib32"):
        place = Path("/", name)
        if place.is_symlink():
            words += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            words += ["--ro-bind", str(place), str(place)]
    for name in _SEEN_IN_THE_BOX:
        words += ["--ro-bind-try", name, name]
    words += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    return (*words, "--bind", str(folder), str(folder), "--chdir", str(folder))


@lru_cache(maxsize=1)
def _bubblewrap() -> str | None:
    """bubblewrap's program, if it can box git in here: many containers do not let it."""
    program = shutil.which("bwrap")
    if program is None or not _git().startswith("/usr/"):
        return None
    try:
        words = [*_boxed(program, Path("/usr"), network=False), _git(), "--version"]
        words[words.index("--bind")] = "--ro-bind"
        done = subprocess.run(words, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return program if done.returncode == 0 else None
