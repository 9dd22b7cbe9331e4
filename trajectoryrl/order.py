"""The order of entries: who came first, and who brought what somebody else had brought before."""

from __future__ import annotations

from collections.abc import Iterable

from clawbench.draws import digest

from .entry import Entry, Rejection


def in_order(entries: Iterable[Entry], beacon: str) -> tuple[Entry, ...]:
    """The entries from the earliest to the latest.

    Ties of the entry time are broken by the commitment's block, then by ``sha256("{pack_hash}:{beacon}")``, which
    nobody knew when committing, then by the hotkey.
    """

    def rank(entry: Entry) -> tuple[int, int, str, str]:
        said = entry.commitment
        return entry.entry_ms, said.block, digest(said.pack_hash, beacon), entry.hotkey

    return tuple(sorted(entries, key=rank))


def without_duplicates(ordered: Iterable[Entry]) -> tuple[tuple[Entry, ...], tuple[Rejection, ...]]:
    """The entries whose content nobody brought earlier, and the others as DUPLICATE; ``ordered`` is in Order."""
    owners: dict[str, Entry] = {}
    duplicates = []
    for entry in ordered:
        owner = owners.setdefault(entry.likeness, entry)
        if owner is not entry:
            said = f"the agent would see the same as in the earlier entry of {owner.hotkey}; the earliest owns it"
            duplicates.append(Rejection(entry.hotkey, "DUPLICATE", said, entry.commitment, entry.evidence))
    return tuple(owners.values()), tuple(duplicates)
