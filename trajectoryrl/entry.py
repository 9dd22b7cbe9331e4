"""What becomes of a commitment: an Entry that competes, a Rejection, or Pending."""

from __future__ import annotations

from dataclasses import dataclass, field

from clawbench.pack import Pack


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a hotkey committed on chain: where its pack is, and its hash.

    ``repository`` is ``owner/repo``, ``commit`` 40 hex digits, ``pack_hash`` 64, ``block`` the commitment's block.
    """

    hotkey: str
    repository: str
    commit: str
    pack_hash: str
    block: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A verified submission.

    ``content`` is the hash of exactly what the agent sees (evaluation is shared by it); ``likeness`` the hash of its
    normalised form (equal ones are duplicates). ``push_ms`` is the server's push time if one was found, ``entry_ms``
    the time that orders entries, ``committed_ms`` that of the commitment's block, all in integer milliseconds since
    1970. ``evidence`` are sha256 of archived responses.
    """

    uid: int
    coldkey: str
    commitment: Commitment
    pack: Pack
    content: str
    likeness: str
    push_ms: int | None
    entry_ms: int
    evidence: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    committed_ms: int = 0

    @property
    def hotkey(self) -> str:
        """The hotkey that committed it."""
        return self.commitment.hotkey


@dataclass(frozen=True, slots=True)
class Rejection:
    """A submission that cannot compete, by its miner's own doing; ``code`` is stable, ``message`` one sentence."""

    hotkey: str
    code: str
    message: str
    commitment: Commitment | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """A submission that could not be decided yet, by nobody's fault: left out of this epoch, blocking nothing."""

    hotkey: str
    code: str
    message: str
    commitment: Commitment | None = None
    evidence: tuple[str, ...] = field(default=())


Outcome = Entry | Rejection | Pending
