"""A network of real processes: a chain, a forge, miners with real git, validators as operators start them.

The test makes the blocks. It makes them quickly while validators verify and evaluate, and never begins the next epoch
before every validator has sealed this one, so that a slow machine sees the same epochs as a fast one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from clawbench.pack import load_pack, pack_of
from trajectoryrl.chain.keys import derived_key, write_key
from trajectoryrl.commitment import submission_text
from trajectoryrl.forge import Forge, ForgeServer
from trajectoryrl.miner import owned_pack
from trajectoryrl.protocol import Parameters, parameters, shipped

ROOT = Path(__file__).resolve().parents[2]
NETUID = 11
EPOCH = 60
TICK = 0.1
WINDOW = 30
PATIENCE = 100.0


class Blocks(Protocol):
    """A chain under the test's hand: its address, its height, and what a test may do to it."""

    url: str

    def head(self) -> int: ...
    def advance(self, blocks: int) -> None: ...
    def now_ms(self) -> int: ...
    def register(self, hotkey: str, coldkey: str, *, permit: bool = False) -> None: ...
    def commit(self, key: Any, text: str) -> None: ...
    def weights(self, hotkey: str) -> tuple[int, dict[int, int]] | None: ...


@dataclass
class Network:
    """A running network. ``names`` are what the test calls hotkeys."""

    folder: Path
    chain: Blocks
    forge: ForgeServer
    rules: Path
    validators: list[str]
    keys: dict[str, Any] = field(default_factory=dict)
    pushed: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def parameters(self) -> Parameters:
        return parameters(self.rules)

    def key(self, name: str) -> Any:
        if name not in self.keys:
            self.keys[name] = derived_key(f"network:{name}")
        return self.keys[name]

    def hotkey(self, name: str) -> str:
        return str(self.key(name).ss58_address)

    def name_of(self, hotkey: str | None) -> str | None:
        return next((name for name, key in self.keys.items() if str(key.ss58_address) == hotkey), hotkey)

    def git(self, name: str, *words: str) -> str:
        place = self.folder / "work" / name
        place.mkdir(parents=True, exist_ok=True)
        identity = ("-c", f"user.name={name}", "-c", f"user.email={name}@example.org")
        done = subprocess.run(["git", *identity, *words], cwd=place, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def push(self, name: str, raw: bytes, *, branch: str = "main", fresh: bool = False) -> str:
        """Pushes ``raw`` as pack.json of ``name/pack``; ``fresh`` begins another history. Returns the commit."""
        place = self.folder / "work" / name
        if not (place / ".git").exists():
            self.git(name, "init", "-q", "-b", "main")
        if fresh:
            self.git(name, "checkout", "-q", "--orphan", f"again-{time.monotonic_ns()}")
        (place / "pack.json").write_bytes(raw)
        self.git(name, "add", "-A")
        self.git(name, "commit", "-q", "--allow-empty", "-m", "pack")
        self.git(name, "push", "-qf", f"{self.forge.url}/{name}/pack.git", f"HEAD:{branch}")
        return self.git(name, "rev-parse", "HEAD")

    def mined(self, name: str, source: Path, *, edit: Callable[[dict[str, Any]], None] | None = None) -> None:
        """Registers ``name``, pushes the pack of ``source`` as its own, and commits it on chain."""
        self.chain.register(self.hotkey(name), self.hotkey(f"{name}-cold"))
        raw, pack_hash = self.written(name, source, edit=edit)
        commit = self.push(name, raw)
        self.pushed[name] = (commit, pack_hash)
        self.chain.advance(1)
        self.chain.commit(self.key(name), submission_text(f"{name}/pack", commit, pack_hash))

    def written(
        self, name: str, source: Path, *, edit: Callable[[dict[str, Any]], None] | None = None
    ) -> tuple[bytes, str]:
        """The pack of ``source`` with ``name``'s hotkey in it, and its hash."""
        pack = owned_pack(source, self.hotkey(name))
        if edit is not None:
            value = json.loads(pack.canonical)
            edit(value)
            pack = pack_of(value)
        return pack.canonical, pack.sha256

    @contextmanager
    def validating(self, *words: str) -> Iterator[list[subprocess.Popen[bytes]]]:
        """All validators as processes; they are asked to end, and must, with status 0."""
        children = [self.started(name, *words) for name in self.validators]
        try:
            yield children
        except BaseException:
            for child in children:
                child.kill()
            raise
        finally:
            for child in children:
                if child.poll() is None:
                    child.send_signal(signal.SIGTERM)
            codes = [child.wait(timeout=30) for child in children]
        assert codes == [0] * len(children), [self.log(name)[-1500:] for name in self.validators]

    def started(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """A validator's process; what it says goes to its log."""
        key = self.folder / "keys" / f"{name}.json"
        key.parent.mkdir(exist_ok=True)
        if not key.exists():
            write_key(key, f"network:{name}")
        state = f"state/{name}"  # below the process's own folder, as people type it
        command = [sys.executable, str(ROOT / "neurons" / "validator.py"), "--netuid", str(NETUID)]
        command += ["--network", self.chain.url, "--forge", self.forge.url, "--protocol", str(self.rules)]
        command += ["--key", str(key), "--model", "offline", "--state", state, *words]
        environment = {**os.environ, "BITTENSOR_RUNTIME_CACHE_DIR": str(self.folder / "sdk")}
        environment["BTCLI_TOKEN_SYMBOLS_CACHE"] = str(self.folder / "sdk" / "symbols.json")
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=self.folder)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def record(self, name: str, epoch: int) -> Path:
        """Where a validator's record of an epoch stands, or will."""
        return self.folder / "state" / name / f"{NETUID}-{self.hotkey(name)}" / "records" / f"epoch-{epoch}"

    def manifest(self, name: str, epoch: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.record(name, epoch) / "manifest.json").read_bytes())
        return found

    def epoch_sealed(self, epoch: int, decided: int) -> None:
        """Makes blocks until every validator has sealed ``epoch``, in which ``decided`` submissions can be decided.

        The window stays open until they are: how fast this machine is decides nothing.
        """
        first = epoch * EPOCH
        closing, last = first + WINDOW - 2, first + EPOCH - 8
        self._until(lambda name: '"started"' in self.log(name), "started")
        self.chain.advance(max(0, first - self.chain.head()))
        self._until(lambda name: self._said(name, epoch, "epoch_begun") == 1, f"began epoch {epoch}")
        self.chain.advance(max(0, closing - self.chain.head()))
        self._until(lambda name: self._said(name, epoch, "submission") >= decided, f"verified epoch {epoch}")

        def sealed(name: str) -> bool:
            if self.chain.head() < last:
                self.chain.advance(1)
            return self.record(name, epoch).exists()

        self._until(sealed, f"sealed epoch {epoch}")

    def _said(self, name: str, epoch: int, event: str) -> int:
        lines = (json.loads(line) for line in self.log(name).splitlines() if line.startswith("{"))
        return sum(line["event"] == event and line.get("epoch") == epoch for line in lines)

    def _until(self, true_of: Callable[[str], bool], what: str) -> None:
        patience = time.monotonic() + PATIENCE
        waiting = list(self.validators)
        while waiting := [name for name in waiting if not true_of(name)]:
            if time.monotonic() > patience:
                logs = "\n\n".join(f"{name}: {self.log(name)[-1500:]}" for name in self.validators)
                raise AssertionError(f"not all have {what} at block {self.chain.head()}:\n{logs}")
            time.sleep(TICK)


class LocalBlocks:
    """The local chain, served over HTTP from this process."""

    def __init__(self, folder: Path) -> None:
        from trajectoryrl.chain.local import LocalNetwork
        from trajectoryrl.chain.localrules import Rules
        from trajectoryrl.chain.localserver import LocalServer

        rules = Rules(
            netuid=NETUID,
            genesis="e2e",
            block_ms=1000,
            genesis_ms=1_780_000_000_000,
            owner=str(derived_key("network:owner").ss58_address),
            clock="hand",
            rate_limit=10,
        )
        self.network = LocalNetwork(folder / "chain.db", rules=rules)
        self.server = LocalServer(self.network)
        self.url = self.server.url

    def close(self) -> None:
        self.server.close()
        self.network.close()

    def head(self) -> int:
        return self.network.head()

    def advance(self, blocks: int) -> None:
        if blocks:
            self.network.advance(blocks)

    def now_ms(self) -> int:
        return self.network.block(self.network.head()).time_ms

    def register(self, hotkey: str, coldkey: str, *, permit: bool = False) -> None:
        self.network.register(hotkey, coldkey, stake=10**12 if permit else 0, permit=permit)

    def commit(self, key: Any, text: str) -> None:
        import asyncio

        from trajectoryrl.chain.local import LocalChain

        asyncio.run(LocalChain(self.network, key).commit(text))

    def weights(self, hotkey: str) -> tuple[int, dict[int, int]] | None:
        found = self.network.weights(hotkey)
        return (found.block, dict(found.weights)) if found else None


class SocketBlocks:
    """The websocket chain that the real SDK talks to, in a thread of this process."""

    def __init__(self) -> None:
        import asyncio

        from tests.chain.server import Node
        from tests.chain.subtensor import Subtensor

        self.subtensor = Subtensor(genesis="e2e", block_ms=1000)
        self.subtensor.add_subnet(NETUID, rate_limit=10)
        self.node = Node(self.subtensor)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self.node.__aenter__())
        self.url = self.node.url

    def _run(self, work: Any) -> Any:
        import asyncio

        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _call(self, what: Callable[[], Any]) -> Any:
        async def call() -> Any:
            return what()

        return self._run(call())

    def close(self) -> None:
        self._run(self.node.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def head(self) -> int:
        return self.subtensor.head

    def advance(self, blocks: int) -> None:
        self._run(self.node.seal(blocks))

    def now_ms(self) -> int:
        return self.subtensor.time_ms(self.subtensor.head)

    def register(self, hotkey: str, coldkey: str, *, permit: bool = False) -> None:
        def act() -> None:
            self.subtensor.register(NETUID, hotkey, coldkey, stake=10**12 if permit else 0, permit=permit)
            self.subtensor.seal()

        self._call(act)

    def commit(self, key: Any, text: str) -> None:
        from trajectoryrl.chain.bittensor import BittensorChain

        async def commit() -> None:
            chain = BittensorChain(self.url, NETUID, key, fallbacks=[], archives=[], block_seconds=0.05)
            try:
                await chain.commit(text)
            finally:
                await chain.close()

        self._run(commit())

    def weights(self, hotkey: str) -> tuple[int, dict[int, int]] | None:
        own = [sent for sent in self.subtensor.submitted if sent.signer == hotkey and sent.error is None]
        sets = [sent for sent in own if sent.function == "set_mechanism_weights"]
        if not sets:
            return None
        return sets[-1].block, dict(zip(sets[-1].args["dests"], sets[-1].args["weights"], strict=True))


@contextmanager
def network(folder: Path, kind: str, validators: int = 3) -> Iterator[Network]:
    """A chain of this kind (``local`` or ``socket``), a forge on its time, and registered validators."""
    chain: LocalBlocks | SocketBlocks = LocalBlocks(folder) if kind == "local" else SocketBlocks()
    changed = {
        "blocks_per_epoch": EPOCH,
        "seconds_per_block": 1,
        "verify_blocks": WINDOW,
        "push_tolerance_seconds": 2,
        "infra_retry_seconds": [1],
    }
    rules = folder / "protocol.toml"
    values = {**shipped().as_dict(), **changed}
    rules.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    names = [f"validator-{number}" for number in range(validators)]
    with ForgeServer(Forge(folder / "forge", chain.now_ms)) as forge:
        made = Network(folder, chain, forge, rules, names)
        try:
            for name in names:
                chain.register(made.hotkey(name), made.hotkey(f"{name}-cold"), permit=True)
            yield made
        finally:
            chain.close()


def mediocre(folder: Path) -> Path:
    """A pack that does most days well, and has no chat: clearly better than a plain prompt, worse than careful."""
    import shutil

    place = folder / "mediocre"
    if not place.exists():
        shutil.copytree(ROOT / "packs" / "careful", place)
        (place / "pack.json").unlink()
        settings = (place / "pack.yaml").read_text().replace("slack, ", "")
        (place / "pack.yaml").write_text(settings.replace("pack_name: careful", "pack_name: mediocre"))
        load_pack(place)
    return place
