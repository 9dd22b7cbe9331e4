"""The journal of a validator: what it knows of each epoch, each fact written once.

One SQLite file (WAL, ``synchronous=FULL``) with one writer. A row is a fact that will not change: writing it again
changes nothing, so going on after a crash is asking what is there and doing the rest. Facts that arrive together are
made durable together. Epochs that ended long ago shrink to a line, then go: :meth:`Ledger.forget`. Trajectories stand
beside it, in the epoch's record, each under the sha256 by which its row names it.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from .errors import LedgerUnusable
from .faults import reach

SCHEMA = 1
WeightState = Literal["PLANNED", "SUBMITTED", "CONFIRMED"]

_TABLES = """
create table if not exists epochs (
  epoch integer primary key, inputs blob not null) strict;
create table if not exists submissions (
  epoch integer not null, hotkey text not null, outcome blob not null, primary key (epoch, hotkey)) strict;
create table if not exists runs (
  epoch integer not null, content text not null, scenario text not null, run integer not null, attempt integer not null,
  status text not null, fault text not null, trajectory text not null, tokens integer not null,
  micro_usd integer not null, primary key (epoch, content, scenario, run, attempt)) strict, without rowid;
create table if not exists verdicts (
  epoch integer not null, content text not null, verdict blob not null, primary key (epoch, content)) strict;
create table if not exists awards (
  epoch integer primary key, award blob not null) strict;
create table if not exists weights (
  epoch integer not null, attempt integer not null, state text not null, at blob not null,
  primary key (epoch, attempt, state)) strict;
create table if not exists records (
  epoch integer primary key, manifest text not null, place text not null) strict;
"""
_INSERTS = {
    "epochs": "insert or ignore into epochs values (?, ?)",
    "submissions": "insert or ignore into submissions values (?, ?, ?)",
    "runs": "insert or ignore into runs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "verdicts": "insert or ignore into verdicts values (?, ?, ?)",
    "awards": "insert or ignore into awards values (?, ?)",
    "weights": "insert or ignore into weights values (?, ?, ?, ?)",
    "records": "insert or ignore into records values (?, ?, ?)",
}
_DETAILS = ("runs", "submissions", "verdicts")
_BY_EPOCH = (*_DETAILS, "epochs", "awards", "weights", "records")
_MOST_AT_ONCE = 512
LINES = 2190
"""Epochs of which a line is kept: a year of them, under half a KB each."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One attempt at one run of an epoch: its key, how it ended, and the sha256 of its trajectory."""

    epoch: int
    content: str
    scenario: str
    run: int
    attempt: int
    status: str
    fault: str
    trajectory: str
    tokens: int
    micro_usd: int


@dataclass(frozen=True, slots=True)
class WeightsRow:
    """How far the weights of an epoch have come, on which attempt, with what was planned or where they landed."""

    epoch: int
    attempt: int
    state: WeightState
    at: Mapping[str, Any]


class Ledger:
    """The journal at ``path``. Open it in one process only; a second one is refused with a sentence.

    Writes return when they are durable. Raises LedgerUnusable when the file cannot be used or the disk is full.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False, inline: bool = False) -> None:
        """``inline`` writes in the caller's thread, one fact at a time, and leaves syncing to the system: for
        simulations, where a disk that is cut off is not the question."""
        self.path = Path(path)
        self._inline = inline
        self._waiting: queue.SimpleQueue[tuple[str, tuple[Any, ...], Future[None]] | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._lock: int | None = None
        try:
            if read_only:
                self._reads = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, check_same_thread=False)
                self._check_version(self._reads)
                return
            reach("ledger.open.before")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.path.with_name(self.path.name + ".lock"))
            self._writes = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._writes.execute("pragma journal_mode=wal")
            self._writes.execute(f"pragma synchronous={'off' if inline else 'full'}")
            self._check_version(self._writes)
            self._writes.executescript(_TABLES)
            self._writes.execute(f"pragma user_version={SCHEMA}")
            self._reads = sqlite3.connect(self.path, check_same_thread=False)
            reach("ledger.open.after")
        except BaseException as why:
            if self._lock is not None:
                os.close(self._lock)
            if not isinstance(why, sqlite3.Error | OSError):
                raise
            raise LedgerUnusable.of("LEDGER_UNUSABLE", f"the ledger cannot be opened: {why}", str(path)) from None
        if not inline:
            self._writer = threading.Thread(target=self._write, name="ledger", daemon=True)
            self._writer.start()

    def close(self) -> None:
        """Waits for what is being written, and closes."""
        if self._writer is not None:
            self._waiting.put(None)
            self._writer.join()
            self._writer = None
        if self._lock is not None:
            self._writes.close()
        self._reads.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # facts

    async def epoch(self, number: int, inputs: Mapping[str, Any]) -> None:
        """An epoch was begun with these inputs."""
        await self._put("epochs", number, _json(inputs))

    async def submission(self, epoch: int, hotkey: str, outcome: Mapping[str, Any]) -> None:
        """What a hotkey's submission came to."""
        await self._put("submissions", epoch, hotkey, _json(outcome))

    async def run(self, row: RunRow) -> None:
        """A run ended."""
        fields = (row.epoch, row.content, row.scenario, row.run, row.attempt)
        await self._put("runs", *fields, row.status, row.fault, row.trajectory, row.tokens, row.micro_usd)

    async def verdict(self, epoch: int, content: str, verdict: Mapping[str, Any]) -> None:
        """What a content scored in an epoch."""
        await self._put("verdicts", epoch, content, _json(verdict))

    async def award(self, epoch: int, award: Mapping[str, Any]) -> None:
        """Who won an epoch, and what weights follow."""
        await self._put("awards", epoch, _json(award))

    async def weights(self, epoch: int, attempt: int, state: WeightState, at: Mapping[str, Any]) -> None:
        """The weights of an epoch came one state further."""
        await self._put("weights", epoch, attempt, state, _json(at))

    async def record(self, epoch: int, manifest: str, place: str) -> None:
        """An epoch's record was sealed: the sha256 of its manifest, and where it stands."""
        await self._put("records", epoch, manifest, place)

    # what is there

    def epochs(self) -> list[int]:
        """The epochs that were begun, oldest first."""
        return [number for (number,) in self._all("select epoch from epochs order by epoch")]

    def inputs_of(self, epoch: int) -> dict[str, Any] | None:
        """What an epoch was begun with, or ``None``; of one that is kept as a line ``{first_block, submissions}``."""
        return self._one("select inputs from epochs where epoch = ?", epoch)

    def submissions_of(self, epoch: int) -> dict[str, dict[str, Any]]:
        """The outcomes of an epoch by hotkey."""
        rows = self._all("select hotkey, outcome from submissions where epoch = ? order by hotkey", epoch)
        return {hotkey: orjson.loads(outcome) for hotkey, outcome in rows}

    def runs_of(self, epoch: int, content: str | None = None) -> list[RunRow]:
        """The attempts of an epoch in the order of their keys."""
        also = "" if content is None else " and content = ?"
        asked = (epoch,) if content is None else (epoch, content)
        rows = self._all(f"select * from runs where epoch = ?{also} order by content, scenario, run, attempt", *asked)
        return [RunRow(*row) for row in rows]

    def finished(self, epoch: int) -> set[tuple[str, str, int]]:
        """The runs of an epoch that need not be made again: ``(content, scenario, run)``."""
        done = "select content, scenario, run from runs where epoch = ? and status in ('COMPLETED', 'PACK_FAULT')"
        return set(self._all(done, epoch))

    def verdicts_of(self, epoch: int) -> dict[str, dict[str, Any]]:
        """The verdicts of an epoch by content."""
        rows = self._all("select content, verdict from verdicts where epoch = ? order by content", epoch)
        return {content: orjson.loads(verdict) for content, verdict in rows}

    def award_of(self, epoch: int) -> dict[str, Any] | None:
        """Who won an epoch, or ``None`` while that is open; of a line ``{winner, keep_previous, weights}``."""
        return self._one("select award from awards where epoch = ?", epoch)

    def weights_of(self, epoch: int) -> list[WeightsRow]:
        """How the weights of an epoch came along, oldest first."""
        order = "case state when 'PLANNED' then 0 when 'SUBMITTED' then 1 else 2 end"
        rows = self._all(f"select * from weights where epoch = ? order by attempt, {order}", epoch)
        return [WeightsRow(epoch, attempt, state, orjson.loads(at)) for epoch, attempt, state, at in rows]

    def record_of(self, epoch: int) -> tuple[str, str] | None:
        """The manifest's sha256 and the place of an epoch's record, or ``None``."""
        rows = self._all("select manifest, place from records where epoch = ?", epoch)
        return (rows[0][0], rows[0][1]) if rows else None

    async def forget(self, keep_epochs: int, keep_lines: int = LINES) -> None:
        """Keeps the newest ``keep_epochs`` epochs whole, a line each of the ``keep_lines`` before, and drops the rest.

        Never dropped is what it takes to go on: whom the last weights went to, the last ones that were confirmed, the
        last record. An epoch that was begun and has not ended stays whole, however old it is.
        """
        epochs = self.epochs()
        older = epochs[: -max(1, keep_epochs)]
        if older:
            await self._shrunk(older)
            await self._dropped(older[: max(0, len(older) - keep_lines)])

    async def _shrunk(self, older: Sequence[int]) -> None:
        """Leaves a line of each of these epochs that left a record."""
        ended = "where epoch <= ? and epoch in (select epoch from records)"
        await self._put(
            "",
            *((f"delete from {table} {ended}", older[-1]) for table in _DETAILS),
            (f"delete from weights {ended} and state = 'SUBMITTED'", older[-1]),
            (f"update records set place = '' {ended} and place <> ''", older[-1]),
        )
        for number in older:
            inputs, award = self.inputs_of(number) or {}, self.award_of(number)
            if "graph" not in inputs or award is None or self.record_of(number) is None:
                continue
            line = {"first_block": inputs["first"]["number"], "submissions": len(inputs["submitted"])}
            given = {name: award[name] for name in ("winner", "keep_previous", "weights")}
            await self._put(  # an update in place would leave each of them on a page of its own
                "",
                ("delete from epochs where epoch = ?", number),
                ("delete from awards where epoch = ?", number),
                (_INSERTS["epochs"], number, _json(line)),
                (_INSERTS["awards"], number, _json(given)),
            )

    async def _dropped(self, oldest: Sequence[int]) -> None:
        """Drops these epochs, but for what it takes to go on."""
        needed = self._needed()
        gone = [number for number in oldest if number not in needed and self._ended(number)]
        await asyncio.gather(
            *(
                self._put("", *((f"delete from {table} where epoch = ?", number) for table in _BY_EPOCH))
                for number in gone
            )
        )

    def _needed(self) -> set[int]:
        """The newest epoch with weights of its own, the newest whose weights were confirmed, the newest record."""
        found: dict[str, int] = {}
        for number in reversed(self.epochs()):
            award = self.award_of(number)
            if award is not None and not award["keep_previous"]:
                found.setdefault("award", number)
            if any(row.state == "CONFIRMED" for row in self.weights_of(number)):
                found.setdefault("weights", number)
            if self.record_of(number) is not None:
                found.setdefault("record", number)
            if len(found) == 3:
                break
        return set(found.values())

    def _ended(self, number: int) -> bool:
        return self.record_of(number) is not None or "skipped" in (self.inputs_of(number) or {})

    # the writer

    async def _put(self, table: str, *values: Any) -> None:
        name = f"ledger.{table or 'forget'}"
        reach(f"{name}.before")
        done: Future[None] = Future()
        if self._inline:
            self._commit([(table, values, done)])
            done.result()
        else:
            self._waiting.put((table, values, done))
            await asyncio.shield(asyncio.wrap_future(done))
        reach(f"{name}.after")

    def _write(self) -> None:
        """Writes what is waiting, as one transaction, until told to end."""
        while (first := self._waiting.get()) is not None:
            batch = [first]
            ending = False
            while len(batch) < _MOST_AT_ONCE and not self._waiting.empty():
                item = self._waiting.get()
                if item is None:
                    ending = True
                    break
                batch.append(item)
            self._commit(batch)
            if ending:
                return

    def _commit(self, batch: Sequence[tuple[str, tuple[Any, ...], Future[None]]]) -> None:
        try:
            self._writes.execute("begin immediate")
            for table, values, _ in batch:
                if table:
                    self._writes.execute(_INSERTS[table], values)
                else:
                    for statement, *given in values:
                        self._writes.execute(statement, given)
            reach("ledger.commit")
            self._writes.execute("commit")
        except BaseException as why:  # whatever it is, nobody may wait for a writer that is gone
            if self._writes.in_transaction:
                self._writes.execute("rollback")
            if not isinstance(why, sqlite3.Error):
                for *_, done in batch:
                    done.set_exception(why)
                return
            said = f"the ledger cannot be written: {why}; free the disk and start again, nothing that was said is lost"
            for *_, done in batch:
                done.set_exception(LedgerUnusable.of("LEDGER_WRITE", said, str(self.path)))
            return
        for *_, done in batch:
            done.set_result(None)

    def _all(self, query: str, *values: Any) -> list[Any]:
        try:
            return self._reads.execute(query, values).fetchall()
        except sqlite3.Error as why:
            raise LedgerUnusable.of("LEDGER_READ", f"the ledger cannot be read: {why}", str(self.path)) from None

    def _one(self, query: str, *values: Any) -> dict[str, Any] | None:
        rows = self._all(query, *values)
        found: dict[str, Any] | None = orjson.loads(rows[0][0]) if rows else None
        return found

    def _check_version(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("pragma user_version").fetchone()
        if version not in (0, SCHEMA):
            said = f"the ledger has schema {version}, this version knows {SCHEMA}: upgrade, or use another --state"
            raise LedgerUnusable.of("LEDGER_SCHEMA", said, str(self.path))


def _json(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _locked(path: Path) -> int:
    """A lock on ``path`` that ends with this process. Raises LedgerUnusable if another process has it."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        said = "another validator is using this folder: stop it, or give another --state"
        raise LedgerUnusable.of("LEDGER_LOCKED", said, str(path)) from None
    return descriptor
