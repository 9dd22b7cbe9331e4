"""From a commitment on chain to an Entry, a Rejection or Pending: what every validator verifies alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from clawbench.errors import PackRejected
from clawbench.likeness import content_hash, likeness
from clawbench.pack import Pack, parse_pack

from .chain.protocol import Chain, OnChain
from .commitment import submission_of
from .entry import Commitment, Entry, Outcome, Pending, Rejection
from .errors import ChainUnavailable, CommitmentInvalid, RepositoryRejected, RepositoryUnavailable
from .faults import reach
from .fetchcache import FetchCache
from .github import Pushed, Refused, Unknown, Witness, all_of
from .protocol import Parameters
from .repository import FetchLimits, Host, fetched
from .snapshot import Snapshot

_DATES_AGREE_MS = 300_000
_OURS = ("HOST_UNREACHABLE", "REPOSITORY_TIMEOUT", "FETCH_FAILED")
"""Codes of a fetch that say nothing of the repository: what was fetched before holds."""
_UNSEEN = ("REPOSITORY_GONE", "REPOSITORY_MOVED")
"""The same, as long as the host's API is not believed either."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """Verifies submissions of one subnet: where repositories are, who witnesses pushes, what the rules are.

    ``scratch`` is a folder for what is fetched, emptied after each; ``cache`` keeps the files that were read.
    """

    chain: Chain
    host: Host
    witness: Witness
    parameters: Parameters
    limits: FetchLimits = field(default_factory=FetchLimits)
    scratch: Path | None = None
    cache: FetchCache | None = None

    async def __call__(self, inputs: Snapshot, said: OnChain) -> Outcome:
        """What the submission ``said`` comes to in the epoch of ``inputs``."""
        try:
            commitment = submission_of(said.text, said.hotkey, said.block)
        except CommitmentInvalid as error:
            return _rejected(said.hotkey, error.code, error.problems[0].message)
        neuron = inputs.graph.by_hotkey(said.hotkey)
        if neuron is None:
            return _rejected(said.hotkey, "NOT_REGISTERED", "the hotkey is not registered on this subnet", commitment)
        try:
            committed_ms = (await self.chain.block(said.block)).time_ms
        except ChainUnavailable as error:
            return _pending(commitment, "CHAIN_UNAVAILABLE", error.problems[0].message)
        return await self.judged(commitment, neuron.uid, neuron.coldkey, committed_ms, inputs.first.time_ms)

    async def judged(self, commitment: Commitment, uid: int, coldkey: str, committed_ms: int, epoch_ms: int) -> Outcome:
        """The same, given when the commitment was made and when the epoch began, both in milliseconds."""
        repository = await self.witness.repository(commitment.repository, commitment.hotkey)
        if isinstance(repository, Unknown):
            return _pending(commitment, repository.code, repository.message, repository.evidence)
        if isinstance(repository, Refused):
            return _rejected(commitment.hotkey, repository.code, repository.message, commitment, repository.evidence)
        seen = repository.evidence
        reach("forge.fetch.before")
        notes = [] if repository.name == commitment.repository else [f"the repository is now {repository.name}"]
        if repository.stale:
            notes.append(f"the repository is as it was seen before: {repository.stale}")
        dates: list[int] = []
        try:
            raw = await fetched(
                self.host,
                repository.name,
                commitment.commit,
                limits=self.limits,
                scratch=self.scratch,
                cache=self.cache,
                dated=dates.append,
            )
            self.witness.keep_file(repository, commitment.commit, raw, dates)
        except RepositoryRejected as error:
            return _rejected(commitment.hotkey, error.code, error.problems[0].message, commitment, seen)
        except RepositoryUnavailable as error:
            kept = self.witness.kept_file(repository, commitment.commit)
            ours = error.code in _OURS or (bool(repository.stale) and error.code in _UNSEEN)
            if kept is None or not ours:
                return _pending(commitment, error.code, error.problems[0].message, seen)
            raw = kept
            notes.append(f"the pack is as it was fetched before: {error.problems[0].message}")
        reach("forge.fetch.after")
        pack = _pack_of(raw, commitment, seen)
        if isinstance(pack, Rejection):
            return pack
        pushed = await self.witness.pushed(repository, commitment.commit)
        if isinstance(pushed, Unknown):
            return _pending(commitment, pushed.code, pushed.message, all_of([seen, pushed.evidence]))
        told = self.witness.git_date(repository, commitment.commit)
        if told is not None and pushed.ms is not None and abs(told - pushed.ms) > _DATES_AGREE_MS:
            minutes, way = abs(told - pushed.ms) // 60_000, "before" if told < pushed.ms else "after"
            notes.append(f"git's own date is {minutes} min {way} the push; it decides nothing")
        return entered(
            commitment,
            pack,
            pushed,
            uid=uid,
            coldkey=coldkey,
            committed_ms=committed_ms,
            epoch_ms=epoch_ms,
            parameters=self.parameters,
            evidence=all_of([seen, pushed.evidence]),
            notes=tuple(notes),
        )


def entered(
    commitment: Commitment,
    pack: Pack,
    pushed: Pushed,
    *,
    uid: int,
    coldkey: str,
    committed_ms: int,
    epoch_ms: int,
    parameters: Parameters,
    evidence: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Outcome:
    """A verified pack with its place in the order, by the chain's clock and the host's witness."""
    tolerance = parameters.push_tolerance_seconds * 1000
    if pushed.ms is not None and pushed.ms > committed_ms + tolerance:
        late = (pushed.ms - committed_ms) // 1000
        said = f"the commit was pushed {late} s after it was committed on chain: push first, then submit"
        return _rejected(commitment.hotkey, "PUSH_AFTER_COMMITMENT", said, commitment, evidence)
    if pushed.ms is None and epoch_ms - committed_ms < parameters.push_unknown_seconds * 1000:
        said = "the host shows no push of this commit yet; after six hours the commitment's own time counts"
        return _pending(commitment, "PUSH_UNKNOWN", said, evidence)
    push_ms = committed_ms if pushed.ms is None else pushed.ms
    return Entry(
        uid=uid,
        coldkey=coldkey,
        commitment=commitment,
        pack=pack,
        content=content_hash(pack),
        likeness=likeness(pack),
        push_ms=pushed.ms,
        entry_ms=max(push_ms, committed_ms - parameters.epoch_ms),
        evidence=evidence,
        notes=notes,
        committed_ms=committed_ms,
    )


def _pack_of(raw: bytes, commitment: Commitment, seen: tuple[str, ...]) -> Pack | Rejection:
    """The pack in the file, if it is the one that was committed to, by the one who committed to it."""
    hotkey = commitment.hotkey
    try:
        pack = parse_pack(raw)
    except PackRejected as error:
        first = error.problems[0]
        more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
        said = f"{first.code}: {first.where}: {first.message}{more}"[:400]
        return _rejected(hotkey, "PACK_INVALID", said, commitment, seen)
    if pack.sha256 != commitment.pack_hash:
        said = f"pack.json has the hash {pack.sha256[:16]}…, the commitment says {commitment.pack_hash[:16]}…"
        return _rejected(hotkey, "HASH_MISMATCH", said, commitment, seen)
    if pack.hotkey is None:
        said = "metadata.hotkey is missing: `trajectoryrl miner publish` writes it"
        return _rejected(hotkey, "HOTKEY_MISMATCH", said, commitment, seen)
    if pack.hotkey != hotkey:
        said = f"metadata.hotkey is {pack.hotkey}, and {hotkey} committed it"
        return _rejected(hotkey, "HOTKEY_MISMATCH", said, commitment, seen)
    return pack


def _rejected(
    hotkey: str, code: str, message: str, commitment: Commitment | None = None, evidence: tuple[str, ...] = ()
) -> Rejection:
    return Rejection(hotkey, code, message, commitment, evidence)


def _pending(commitment: Commitment, code: str, message: str, evidence: tuple[str, ...] = ()) -> Pending:
    return Pending(commitment.hotkey, code, message, commitment, evidence)
