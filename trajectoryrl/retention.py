"""What a validator no longer keeps: old records and their copies, details of old epochs, evidence that had its use.

What proves who came first never goes: which repository a hotkey's name meant at first sight, when a commit was pushed,
and what the host said of that. Without it a miner could reset its evidence by committing something else for a while.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .archive import Archive
from .commitment import submission_of
from .errors import CommitmentInvalid
from .faults import reach
from .github import bound_name
from .ledger import LINES, Ledger

_RECORD = re.compile(r"epoch-(0|[1-9][0-9]{0,15})")
_LEFT_OVER = re.compile(r"\.epoch-[0-9]{1,16}\.gone|epoch-[0-9]{1,16}\.part")
_FEWEST_RECORDS = 2
"""The chain names the record before until it is told of the newest."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How much is kept: ``epochs`` whole, ``lines`` more in the ledger."""

    epochs: int = 24
    lines: int = LINES


KEEP = Retention()


async def forgotten(
    keep: Retention, number: int, *, ledger: Ledger, archive: Archive, runs: Path, records: Sequence[Path]
) -> None:
    """Drops what is too old when the record of epoch ``number`` is sealed; whatever it leaves it drops the next time.

    ``runs`` has a folder of trajectories per epoch, each of ``records`` one of records or of their copies.
    """
    reach("retention.before")
    await asyncio.to_thread(_runs_gone, runs, number)
    for folder in records:
        await asyncio.to_thread(_records_gone, folder, keep.epochs)
    reach("retention.folders")
    await ledger.forget(keep.epochs, keep.lines)
    reach("retention.ledger")
    await asyncio.to_thread(_evidence_gone, archive, _in_use(ledger))
    reach("retention.after")


def _runs_gone(folder: Path, number: int) -> None:
    for old in folder.iterdir() if folder.exists() else ():
        if old.name.isdigit() and int(old.name) < number:
            shutil.rmtree(old, ignore_errors=True)


def _records_gone(folder: Path, keep: int) -> None:
    """Removes all but the newest records of ``folder``; nobody sees half of one."""
    if not folder.exists():
        return
    numbers = sorted(int(found[1]) for path in folder.iterdir() if (found := _RECORD.fullmatch(path.name)))
    for number in numbers[: -max(_FEWEST_RECORDS, keep)]:
        with suppress(OSError):
            os.rename(folder / f"epoch-{number}", folder / f".epoch-{number}.gone")
    for path in list(folder.iterdir()):
        if _LEFT_OVER.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class InUse:
    """What the epochs that are kept whole speak of: names bound to hotkeys, commits, evidence."""

    names: AbstractSet[str]
    commits: AbstractSet[str]
    evidence: AbstractSet[str]


def _in_use(ledger: Ledger) -> InUse:
    names, commits, evidence = set(), set(), set()
    for number in ledger.epochs():
        for said in (ledger.inputs_of(number) or {}).get("submitted", ()):
            with suppress(CommitmentInvalid):
                commitment = submission_of(said["text"], said["hotkey"], said["block"])
                names.add(bound_name(commitment.hotkey, commitment.repository))
                commits.add(commitment.commit)
        for outcome in ledger.submissions_of(number).values():
            evidence.update(outcome["evidence"])
    return InUse(names, commits, evidence)


def _evidence_gone(archive: Archive, used: InUse) -> None:
    """Drops what helps through a host's outage, of commitments that nobody has made for long, and responses unnamed."""
    for kind in ("gone", "seen"):
        for fact in archive.facts(kind):
            if fact["about"] not in used.names:
                archive.forget(kind, fact["about"])
    for fact in archive.facts("file"):
        if fact["about"].rpartition(":")[2] not in used.commits:
            archive.forget("file", fact["about"])
    named = set(used.evidence)
    for kind in ("push", "seen"):
        for fact in archive.facts(kind):
            named.update(fact["evidence"])
    named.update(fact["sha256"] for fact in archive.facts("file"))
    archive.keep_only(named)
