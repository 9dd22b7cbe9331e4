"""Named places where a validator may be stopped: each durable write and each call to the outside has one.

``TRAJECTORYRL_FAULT=NAME:N`` raises :class:`Crash` when the place NAME is reached the N-th time; ``NAME:N:kill`` ends
the process there by SIGKILL. Tests use it to die everywhere and go on. Otherwise :func:`reach` does nothing.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

VARIABLE = "TRAJECTORYRL_FAULT"

POINTS = {
    "archive.write.before": "a forge's answer has come and is not kept",
    "archive.write.part": "it is on disk under another name",
    "archive.write.after": "it is kept",
    "archive.forget.before": "a fact no longer holds, and stands",
    "archive.forget.after": "it is removed",
    "bench.folders": "the folders of the runs stand",
    "bench.blob.written": "a text that runs share stands whole under another name",
    "bench.blob.synced": "it is on disk",
    "bench.blob.named": "it has its name",
    "bench.run.opened": "a run's file stands under another name, empty",
    "bench.run.written": "it is whole",
    "bench.run.synced": "it is on disk",
    "bench.run.named": "it has its name; its time is not noted",
    "bench.failed.written": "a run that infrastructure ended stands whole under another name",
    "bench.failed.synced": "it is on disk",
    "bench.failed.named": "it has its name",
    "bench.aside.before": "a run was found torn",
    "bench.aside.after": "it is out of the way",
    "cache.write.before": "a file was read out of a commit and is not in the cache",
    "cache.write.part": "it is there under another name",
    "cache.write.after": "it is there",
    "cache.room": "what was not used longest is removed",
    "control.before": "a control has completed; that it stands after what failed is not written",
    "control.part": "it is written under another name",
    "control.after": "it is written",
    "forge.ask.before": "the forge is about to be asked",
    "forge.ask.after": "it has answered",
    "forge.fetch.before": "git is about to fetch a pack",
    "forge.fetch.after": "the pack is in memory",
    "git.folder": "a folder for a fetch stands, empty",
    "git.run.before": "a git is about to be started",
    "git.run.started": "it runs",
    "git.run.after": "it has ended",
    "git.read.before": "what was fetched is about to be read",
    "git.read.after": "it is in memory",
    "git.removed": "the fetch's folder is gone",
    "ledger.open.before": "the ledger is about to be opened, or made",
    "ledger.open.after": "it is open",
    "ledger.commit": "rows are written and not committed",
    "log.line.before": "a line is not in the log file",
    "log.line.after": "it is",
    "model.reply.before": "the model is about to be asked; a part of the run is on disk",
    "model.reply.after": "it has answered, and the answer is not on disk",
    "publish.copy.before": "the record is sealed, and not published",
    "publish.copy.part": "its copy stands under another name",
    "publish.copy.after": "it is published",
    "record.begun": "an empty folder with another name stands where the record will",
    "record.trajectories": "the trajectories are in it",
    "record.packs": "the packs, too",
    "record.evidence": "the evidence, too",
    "record.manifest": "the manifest and the times, too",
    "record.sealed": "it is signed",
    "record.synced": "it is on disk",
    "record.renamed": "it has its name, and the ledger does not know",
    "retention.before": "what is too old is about to be deleted",
    "retention.folders": "runs, records and their copies are deleted",
    "retention.ledger": "the ledger has shrunk, too",
    "retention.after": "evidence that nothing names is deleted, too",
    "run.begun": "a run begins",
    "run.ended": "its trajectory is whole on disk",
    "scratch.before": "what a killed validator was reading may lie about",
    "scratch.after": "it is removed",
    **{
        f"ledger.{table}.{when}": said
        for table, what in {
            "epochs": "the epoch's inputs",
            "submissions": "what a submission came to",
            "runs": "how an attempt at a run ended",
            "verdicts": "what a content scored",
            "awards": "who gets what",
            "weights": "how far the weights have come",
            "records": "where the record stands",
            "forget": "that old epochs are deleted",
        }.items()
        for when, said in (("before", f"{what}: not written"), ("after", f"{what}: durable"))
    },
    **{
        f"chain.{call}.{when}": said
        for call, what in {
            "head": "the newest block",
            "finalized": "the newest final block",
            "block": "a block",
            "metagraph": "who is registered",
            "commitments": "who has committed what",
            "commit": "a commitment",
            "set_weights": "setting weights",
            "weights": "which weights stand",
            "sign": "a signature",
        }.items()
        for when, said in (("before", f"{what}: not asked"), ("after", f"{what}: answered, and we do not know yet"))
    },
}
"""Every place, and what has happened when it is reached."""


class Crash(BaseException):
    """A test's crash: no handler of errors takes it for one."""


Hook = Callable[[str], None]


def _unread(name: str) -> None:
    """Stands in until the first place is reached; then the environment decides once."""
    arm(_asked_for(os.environ.get(VARIABLE, "")))
    reach(name)


_hook: Hook | None = _unread


def arm(hook: Hook | None) -> None:
    """Calls ``hook`` with the name of each place that is reached from here on; ``None`` for nothing."""
    global _hook
    _hook = hook


def reach(name: str) -> None:
    """Says that a place is reached."""
    if _hook is not None:
        _hook(name)


def crash_at(name: str, occurrence: int, *, kill: bool = False) -> Hook:
    """A hook that crashes when ``name`` is reached for the ``occurrence``-th time, counted from 1."""
    left = occurrence

    def hook(reached: str) -> None:
        nonlocal left
        if reached == name:
            left -= 1
            if left == 0:
                if kill:
                    os.kill(os.getpid(), signal.SIGKILL)
                raise Crash(name)

    return hook


def _asked_for(text: str) -> Hook | None:
    name, _, rest = text.partition(":")
    count, _, how = rest.partition(":")
    return crash_at(name, int(count), kill=how == "kill") if name in POINTS and count.isdigit() else None
