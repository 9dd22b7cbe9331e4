"""A miner's side: build and publish a pack, commit it, and see what validators will see."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clawbench.pack import Pack, load_pack, pack_of

from .chain.protocol import Chain
from .commitment import submission_of, submission_text
from .entry import Entry, Outcome, Rejection
from .errors import CommitmentInvalid, InvalidInput, RepositoryUnavailable
from .protocol import Parameters
from .repository import Host, repository_named
from .snapshot import Snapshot
from .submission import Verifier

_SLACK = 24
"""A push older than one epoch less its 24th part (ten minutes of four hours) is about to lose age when committed."""


@dataclass(frozen=True, slots=True)
class Published:
    """A pack as it was pushed: where, which commit, and the hash to commit on chain."""

    repository: str
    commit: str
    pack_hash: str


def owned_pack(folder: Path, hotkey: str) -> Pack:
    """The pack in ``folder`` with ``metadata.hotkey`` written into it. Raises PackRejected."""
    pack = load_pack(folder)
    value: dict[str, Any] = json.loads(pack.canonical)
    return pack_of({**value, "metadata": {**value["metadata"], "hotkey": hotkey}}, str(folder))


def published(folder: Path, hotkey: str, repository: str, host: Host, *, branch: str = "main") -> Published:
    """Builds the pack of ``folder`` for ``hotkey``, commits pack.json, and pushes to ``repository``.

    The folder becomes a git repository if it is none; git uses the miner's own configuration and credentials.
    Raises PackRejected, InvalidInput (``GIT_COMMIT``), RepositoryUnavailable (``GIT_PUSH``, ``GIT_MISSING``).
    """
    try:
        import git
    except ImportError:
        raise RepositoryUnavailable.of("GIT_MISSING", "publishing needs the program git, which is not here") from None

    repository = repository_named(repository)
    pack = owned_pack(folder, hotkey)
    try:
        _replaced(folder / "pack.json", pack.canonical)
        try:
            repo = git.Repo(folder, expand_vars=False)
        except git.InvalidGitRepositoryError:
            repo = git.Repo.init(folder, initial_branch=branch)
        with repo:
            repo.index.add([name for name in _committed(folder) if (folder / name).is_file()])
            if not repo.head.is_valid() or repo.index.diff("HEAD"):
                repo.index.commit(f"{pack.name} {pack.version}")
            commit = repo.head.commit.hexsha
            repo.git.push("--quiet", f"{host.git}/{repository}.git", f"HEAD:refs/heads/{branch}")
    except git.GitCommandError as why:
        message = f"git could not push to {host.git}/{repository}: {_reason(str(why.stderr))}"
        raise RepositoryUnavailable.of("GIT_PUSH", message, str(folder)) from None
    except (OSError, ValueError) as why:
        raise InvalidInput.of("GIT_COMMIT", f"the folder cannot be committed: {why}", str(folder)) from None
    return Published(repository, commit, pack.sha256)


def _replaced(place: Path, raw: bytes) -> None:
    """Writes a file in place of whatever has its name; a link is replaced, not followed."""
    part = place.with_name(f"{place.name}.part")
    part.unlink(missing_ok=True)
    part.write_bytes(raw)
    part.replace(place)


def _reason(said: str) -> str:
    """The line of git's complaint that says why, else its end."""
    lines = [line.strip() for line in said.replace("stderr: '", "\n").splitlines()]
    telling = [line for line in lines if line.startswith(("! [", "fatal:", "remote: error", "error:"))]
    if any("non-fast-forward" in line or "fetch first" in line for line in telling):
        return "its branch has commits that this folder has not: pull them first, or use another repository"
    return (telling[0] if telling else " ".join(lines))[-200:]


def _committed(folder: Path) -> list[str]:
    """What of a pack's folder goes into its repository: the built pack, and what it was built from."""
    return ["pack.json", "pack.yaml", *sorted(path.name for path in folder.glob("*.md"))]


async def checked(verifier: Verifier, snap: Snapshot, made: Published, hotkey: str, now_ms: int) -> Outcome:
    """What validators would say of this submission if it were committed now."""
    text = submission_text(made.repository, made.commit, made.pack_hash)
    commitment = submission_of(text, hotkey, snap.graph.block)
    neuron = snap.graph.by_hotkey(hotkey)
    uid, coldkey = (neuron.uid, neuron.coldkey) if neuron is not None else (0, hotkey)
    later = now_ms + verifier.parameters.push_unknown_seconds * 1000
    outcome = await verifier.judged(commitment, uid, coldkey, now_ms, later)
    if neuron is None and isinstance(outcome, Entry):
        said = "all else is right, but the hotkey is not registered on this subnet"
        return Rejection(hotkey, "NOT_REGISTERED", said, commitment, outcome.evidence)
    return outcome


async def overtaken_by(chain: Chain, entry: Entry, parameters: Parameters, now_ms: int) -> tuple[str, ...] | None:
    """Who could stand before this entry because its push is too old to count whole; ``None`` if it counts.

    An entry's time is never more than one epoch before its commitment. A push older than that (less ten minutes)
    loses its age, and whoever committed since then may stand before it.
    """
    if entry.push_ms is None or now_ms - entry.push_ms <= parameters.epoch_ms - parameters.epoch_ms // _SLACK:
        return None
    head = await chain.head()
    since = []
    for hotkey, said in sorted((await chain.commitments(head)).items()):
        if hotkey == entry.hotkey:
            continue
        try:
            submission_of(said.text, hotkey, said.block)
        except CommitmentInvalid:
            continue
        if (await chain.block(said.block)).time_ms >= entry.push_ms:
            since.append(hotkey)
    return tuple(since)
