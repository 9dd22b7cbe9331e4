"""A chain in one SQLite file, owned by one process: blocks, registrations, commitments, weights, signatures.

Blocks come by the wall clock; one per transaction (``instant``, with further ones on demand); or by hand alone. What
has been read at a block never changes: a transaction lands in the block after the newest one.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import ChainRefused, ChainUnavailable, InvalidInput
from .keys import is_address, verified
from .localrules import Rules, check_text, check_weights, commit_message, u16_of, weights_message
from .protocol import Block, Metagraph, Neuron, OnChain, WeightsSet

__all__ = ["LocalChain", "LocalNetwork", "OwnedChain", "Rules"]

MAX_NEURONS = 4096

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS neurons (
  seq INTEGER PRIMARY KEY, block INTEGER NOT NULL, uid INTEGER NOT NULL, hotkey TEXT NOT NULL, coldkey TEXT NOT NULL,
  stake TEXT NOT NULL, permit INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS commitments (
  seq INTEGER PRIMARY KEY, block INTEGER NOT NULL, hotkey TEXT NOT NULL, text TEXT NOT NULL, signature TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS weights (
  seq INTEGER PRIMARY KEY, block INTEGER NOT NULL, hotkey TEXT NOT NULL, weights TEXT NOT NULL,
  version_key INTEGER NOT NULL, signature TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS neurons_block ON neurons (block);
CREATE INDEX IF NOT EXISTS commitments_hotkey ON commitments (hotkey, block);
CREATE INDEX IF NOT EXISTS weights_hotkey ON weights (hotkey, block);
"""


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class LocalNetwork:
    """The state of a local network; ``path`` ``None`` keeps it in memory. Safe to use from several threads.

    An existing file keeps the rules that it was made with. Raises ChainUnavailable (``CHAIN_IN_USE``,
    ``CHAIN_FILE``).
    """

    path: Path | None = None
    rules: Rules = field(default_factory=Rules)
    now_ms: Callable[[], int] = _wall_ms
    _db: sqlite3.Connection = field(init=False, repr=False)
    _lock: threading.RLock = field(init=False, repr=False, default_factory=threading.RLock)
    _head: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        where = str(self.path) if self.path is not None else ":memory:"
        try:
            self._db = sqlite3.connect(where, timeout=1, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise ChainUnavailable.of("CHAIN_FILE", f"cannot be opened: {error}", where) from None
        try:
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
            self._db.execute("BEGIN IMMEDIATE")
            self._read_rules()
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._db.close()
            if "locked" in str(error):
                said = "another process owns this chain: use the http address that it serves"
                raise ChainUnavailable.of("CHAIN_IN_USE", said, where) from None
            raise ChainUnavailable.of("CHAIN_FILE", f"is no local chain: {error}", where) from None
        except (KeyError, TypeError, ValueError):
            self._db.close()
            raise ChainUnavailable.of("CHAIN_FILE", "is no local chain of this version", where) from None

    # blocks

    def head(self) -> int:
        """The height of the newest block."""
        with self._lock:
            if self.rules.clock == "wall":
                self._head = max(self._head, (self.now_ms() - self.rules.genesis_ms) // self.rules.block_ms)
            return self._head

    def finalized(self) -> int:
        """The height of the newest finalized block."""
        return max(0, self.head() - self.rules.finality_lag)

    def block(self, number: int) -> Block:
        """The block at this height."""
        self._known(number)
        return Block(number, self.hash_of(number), self.rules.genesis_ms + number * self.rules.block_ms)

    def hash_of(self, number: int) -> str:
        """The hash that a block has or will have: ``sha256("{genesis}:{number}")``."""
        return sha256(f"{self.rules.genesis}:{number}".encode()).hexdigest()

    def advance_to(self, number: int) -> int:
        """Makes blocks up to ``number``; returns the head. A chain of the wall clock refuses (ValueError)."""
        if self.rules.clock == "wall":
            raise ValueError("this chain's blocks come by the clock")
        with self._lock, self._transaction():
            self._set_head(max(self._head, number))
            return self._head

    def advance(self, blocks: int = 1) -> int:
        """Makes that many blocks; returns the head."""
        return self.advance_to(self.head() + blocks)

    # reads

    def metagraph(self, block: int) -> Metagraph:
        """Everyone registered as of ``block``."""
        self._readable(block)
        with self._lock:
            rows = self._db.execute(
                "SELECT uid, hotkey, coldkey, stake, permit, MAX(seq) FROM neurons WHERE block <= ?"
                " GROUP BY uid ORDER BY uid",
                (block,),
            ).fetchall()
            since = dict(self._db.execute("SELECT uid, MIN(block) FROM neurons GROUP BY uid"))
            latest = dict(
                self._db.execute("SELECT hotkey, MAX(block) FROM weights WHERE block <= ? GROUP BY hotkey", (block,))
            )
        neurons = []
        for uid, hotkey, coldkey, stake, permit, _ in rows:
            updated = max(int(since[uid]), int(latest.get(hotkey, 0)))
            active = block - updated <= self.rules.activity_cutoff
            neurons.append(Neuron(uid, hotkey, coldkey, int(stake), bool(permit), active, updated))
        return Metagraph(self.rules.netuid, block, tuple(neurons), self.rules.owner or None)

    def commitments(self, block: int) -> dict[str, OnChain]:
        """Every hotkey's latest commitment as of ``block``, by hotkey in sorted order."""
        self._readable(block)
        with self._lock:
            rows = self._db.execute(
                "SELECT hotkey, text, block, MAX(seq) FROM commitments WHERE block <= ? GROUP BY hotkey"
                " ORDER BY hotkey",
                (block,),
            ).fetchall()
        return {hotkey: OnChain(hotkey, text, made) for hotkey, text, made, _ in rows}

    def weights(self, hotkey: str) -> WeightsSet | None:
        """What ``hotkey`` last set, as of the newest block."""
        with self._lock:
            row = self._db.execute(
                "SELECT block, weights FROM weights WHERE hotkey = ? AND block <= ? ORDER BY seq DESC LIMIT 1",
                (hotkey, self.head()),
            ).fetchone()
        return WeightsSet(row[0], dict(json.loads(row[1]))) if row is not None else None

    def nonce(self, hotkey: str) -> int:
        """How many transactions ``hotkey`` has made: the next one signs this number."""
        with self._lock:
            made = self._db.execute(
                "SELECT (SELECT COUNT(*) FROM commitments WHERE hotkey = ?)"
                " + (SELECT COUNT(*) FROM weights WHERE hotkey = ?)",
                (hotkey, hotkey),
            ).fetchone()
        return int(made[0])

    def registered(self, hotkey: str) -> Neuron | None:
        """The registration of ``hotkey`` as it will be in the next block."""
        with self._lock:
            row = self._db.execute(
                "SELECT uid, coldkey, stake, permit FROM neurons WHERE hotkey = ? ORDER BY seq DESC LIMIT 1", (hotkey,)
            ).fetchone()
        return Neuron(row[0], hotkey, row[1], int(row[2]), bool(row[3])) if row is not None else None

    # transactions

    def register(self, hotkey: str, coldkey: str = "", stake: int = 0, permit: bool = False) -> int:
        """Registers ``hotkey``, or changes what it is registered with; returns its uid.

        Raises InvalidInput (``ADDRESS``) for what is no ss58 address, ChainRefused (``CHAIN_FULL``).
        """
        coldkey = coldkey or hotkey
        for address in (hotkey, coldkey):
            if not is_address(address):
                raise InvalidInput.of("ADDRESS", "is no ss58 address", str(address)[:80])
        with self._lock, self._transaction():
            row = self._db.execute("SELECT uid FROM neurons WHERE hotkey = ? LIMIT 1", (hotkey,)).fetchone()
            uid = (
                row[0] if row is not None else self._db.execute("SELECT COUNT(DISTINCT uid) FROM neurons").fetchone()[0]
            )
            if uid >= MAX_NEURONS:
                raise ChainRefused.of("CHAIN_FULL", f"there is room for {MAX_NEURONS} neurons")
            self._db.execute(
                "INSERT INTO neurons (block, uid, hotkey, coldkey, stake, permit) VALUES (?, ?, ?, ?, ?, ?)",
                (self._seal(), uid, hotkey, coldkey, str(stake), int(permit)),
            )
        return int(uid)

    def commit(self, hotkey: str, text: str, nonce: int, signature: bytes) -> int:
        """Takes a signed commitment; returns the block that it lands in.

        Raises InvalidInput (``COMMITMENT_SIZE``), ChainRefused (``CHAIN_NOT_REGISTERED``, ``CHAIN_NONCE``,
        ``CHAIN_SIGNATURE``).
        """
        check_text(text)
        with self._lock, self._transaction():
            self._registered(hotkey)
            self._signed(hotkey, commit_message(self.rules, text, nonce), nonce, signature)
            block = self._seal()
            self._db.execute(
                "INSERT INTO commitments (block, hotkey, text, signature) VALUES (?, ?, ?, ?)",
                (block, hotkey, text, signature.hex()),
            )
        return block

    def set_weights(
        self, hotkey: str, weights: Mapping[int, int], version_key: int, nonce: int, signature: bytes
    ) -> int:
        """Takes signed weights (u16 by uid); returns the block that they land in.

        Raises InvalidInput (``WEIGHTS_EMPTY``, ``WEIGHTS_INVALID``), ChainRefused (``CHAIN_NOT_REGISTERED``,
        ``CHAIN_NO_PERMIT``, ``CHAIN_RATE_LIMITED``, ``CHAIN_VERSION_KEY``, ``CHAIN_NONCE``, ``CHAIN_SIGNATURE``).
        """
        check_weights(weights)
        with self._lock, self._transaction():
            neuron = self._registered(hotkey)
            if not neuron.permit:
                raise ChainRefused.of("CHAIN_NO_PERMIT", f"{hotkey} has no validator permit")
            if version_key < self.rules.min_version_key:
                least = self.rules.min_version_key
                raise ChainRefused.of("CHAIN_VERSION_KEY", f"the version key {version_key} is below {least}")
            count = self._db.execute("SELECT COUNT(DISTINCT uid) FROM neurons").fetchone()[0]
            if any(uid >= count for uid in weights):
                raise InvalidInput.of("WEIGHTS_INVALID", "there is weight on a uid that nobody has")
            self._signed(hotkey, weights_message(self.rules, weights, version_key, nonce), nonce, signature)
            last = self._db.execute("SELECT MAX(block) FROM weights WHERE hotkey = ?", (hotkey,)).fetchone()[0]
            wait = self.rules.rate_limit - (self.head() + 1 - last) if last is not None else 0
            if wait > 0:
                raise ChainRefused.of("CHAIN_RATE_LIMITED", f"weights were set too recently: retry in {wait} blocks")
            block = self._seal()
            self._db.execute(
                "INSERT INTO weights (block, hotkey, weights, version_key, signature) VALUES (?, ?, ?, ?, ?)",
                (block, hotkey, json.dumps(sorted(weights.items())), version_key, signature.hex()),
            )
        return block

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    # inside

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        head = self._head
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            self._head = head
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise ChainUnavailable.of("CHAIN_FILE", f"cannot be written: {error}", str(self.path)) from None
            raise

    def _read_rules(self) -> None:
        kept = dict(self._db.execute("SELECT name, value FROM meta").fetchall())
        if not kept:
            named = {name: getattr(self.rules, name) for name in Rules.__slots__}
            self._db.execute("INSERT INTO meta VALUES ('rules', ?), ('head', '0')", (json.dumps(named),))
            return
        self.rules = Rules(**json.loads(kept["rules"]))
        landed = [
            self._db.execute(f"SELECT MAX(block) FROM {table}").fetchone()[0] or 0
            for table in ("neurons", "commitments", "weights")
        ]
        self._head = max(int(kept["head"]), *landed if self.rules.clock == "wall" else [0])

    def _seal(self) -> int:
        """The block that this transaction lands in, made at once on an instant chain."""
        block = self.head() + 1
        if self.rules.clock == "instant":
            self._set_head(block)
        return block

    def _set_head(self, number: int) -> None:
        self._head = number
        self._db.execute("UPDATE meta SET value = ? WHERE name = 'head'", (str(number),))

    def _known(self, number: int) -> None:
        if not 0 <= number <= self.head():
            raise ChainUnavailable.of("CHAIN_NO_BLOCK", f"the chain has no block {number} yet")

    def _readable(self, block: int) -> None:
        self._known(block)
        if self.rules.kept is not None and block < self.head() - self.rules.kept:
            raise ChainUnavailable.of("CHAIN_PRUNED", f"the state of block {block} is no longer kept")

    def _registered(self, hotkey: str) -> Neuron:
        found = self.registered(hotkey)
        if found is None:
            raise ChainRefused.of("CHAIN_NOT_REGISTERED", f"{str(hotkey)[:80]} is not registered")
        return found

    def _signed(self, hotkey: str, message: bytes, nonce: int, signature: bytes) -> None:
        expected = self.nonce(hotkey)
        if nonce != expected:
            raise ChainRefused.of("CHAIN_NONCE", f"the next transaction of {hotkey} has the nonce {expected}")
        if not verified(hotkey, message, signature):
            raise ChainRefused.of("CHAIN_SIGNATURE", f"this is no signature by {hotkey}")


@dataclass(frozen=True)
class LocalChain:
    """A network of this process as one hotkey sees it: the Chain protocol. ``key`` is a keypair, or ``None``."""

    network: LocalNetwork
    key: Any = None

    @property
    def netuid(self) -> int:
        """The subnet's number."""
        return self.network.rules.netuid

    @property
    def public(self) -> bool:
        """Never: this is a network of one machine."""
        return False

    @property
    def hotkey(self) -> str | None:
        """The address of the key that signs."""
        return str(self.key.ss58_address) if self.key is not None else None

    async def head(self) -> int:
        """The height of the newest block."""
        return self.network.head()

    async def finalized(self) -> int:
        """The height of the newest finalized block."""
        return self.network.finalized()

    async def block(self, number: int) -> Block:
        """The block at this height."""
        return self.network.block(number)

    async def metagraph(self, block: int) -> Metagraph:
        """Everyone registered as of ``block``."""
        return self.network.metagraph(block)

    async def commitments(self, block: int) -> Mapping[str, OnChain]:
        """Every hotkey's latest commitment as of ``block``."""
        return self.network.commitments(block)

    async def commit(self, text: str) -> int:
        """Commits ``text``; returns the block, which exists unless blocks are made by hand."""
        check_text(text)
        hotkey, nonce = self._signer(), self.network.nonce(str(self.hotkey))
        signature = bytes(self.key.sign(commit_message(self.network.rules, text, nonce)))
        return await self._included(self.network.commit(hotkey, text, nonce, signature))

    async def set_weights(self, weights: Mapping[int, Fraction], version_key: int) -> int:
        """Sets the weights; returns the block, which exists unless blocks are made by hand."""
        hotkey, rows = self._signer(), u16_of(weights)
        nonce = self.network.nonce(hotkey)
        signature = bytes(self.key.sign(weights_message(self.network.rules, rows, version_key, nonce)))
        return await self._included(self.network.set_weights(hotkey, rows, version_key, nonce, signature))

    async def weights(self, hotkey: str) -> WeightsSet | None:
        """What ``hotkey`` last set."""
        return self.network.weights(hotkey)

    async def sign(self, message: bytes) -> bytes:
        """The sr25519 signature of ``message``."""
        self._signer()
        return bytes(self.key.sign(message))

    async def close(self) -> None:
        """Nothing: the network belongs to whoever opened it."""

    def _signer(self) -> str:
        if self.key is None:
            raise InvalidInput.of("HOTKEY_NEEDED", "this needs a hotkey to sign with")
        return str(self.hotkey)

    async def _included(self, block: int) -> int:
        while self.network.rules.clock == "wall" and self.network.head() < block:
            await asyncio.sleep(min(1, self.network.rules.block_ms / 4000))
        return block


@dataclass(frozen=True)
class OwnedChain(LocalChain):
    """A network that this client opened, and closes."""

    async def close(self) -> None:
        """Closes the network."""
        self.network.close()
