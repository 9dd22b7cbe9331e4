"""A network of one machine to play with: a chain by the clock and a forge, served, with keys for everyone.

Its folder holds ``chain.sqlite``, ``forge/``, ``keys/NAME.json``, ``protocol.toml``, and while it is up ``env`` and
``localnet.json`` (where it is served). The same folder goes on where it stopped: blocks are counted by the clock, so
they passed meanwhile.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from .chain.keys import read_key, write_key
from .chain.local import LocalNetwork, Rules
from .chain.localserver import LocalServer
from .errors import InvalidInput
from .protocol import SHIPPED, Parameters, parameters

NETUID = 11
MOST_KEYS = 256
_STAKE = 10_000 * 10**9
_FINALITY_LAG = 2


@dataclass(frozen=True, slots=True)
class Localnet:
    """What is up: URLs of chain and forge, the folder's keys by name, and the rules it plays by."""

    folder: Path
    chain: str
    forge: str
    block_seconds: int
    keys: tuple[str, ...]
    parameters: Parameters
    network: LocalNetwork


@contextmanager
def localnet(
    folder: Path,
    validators: int = 3,
    miners: int = 3,
    block_seconds: int = 1,
    epoch_blocks: int = 120,
    chain_port: int = 0,
    forge_port: int = 0,
) -> Iterator[Localnet]:
    """Brings the network of ``folder`` up, made first if there is none; it is down when the block ends.

    An existing folder keeps its blocks, epochs and keys; keys that are asked for beyond these are added. Raises
    InvalidInput (``LOCALNET_FOLDER``, ``LOCALNET_KEYS``), ChainUnavailable.
    """
    from .forge import Forge, ForgeServer

    if not 0 <= validators + miners <= MOST_KEYS:
        raise InvalidInput.of("LOCALNET_KEYS", f"there are at most {MOST_KEYS} keys")
    known = folder / "chain.sqlite"
    try:
        if folder.exists() and not known.exists() and any(folder.iterdir()):
            said = "holds something else: choose an empty folder, or that of a local network"
            raise InvalidInput.of("LOCALNET_FOLDER", said, str(folder))
        (folder / "keys").mkdir(parents=True, exist_ok=True)
        given = _parameters(folder, block_seconds, epoch_blocks)
        rules = Rules(
            netuid=NETUID,
            genesis=f"localnet-{secrets.token_hex(16)}",
            genesis_ms=time.time_ns() // 1_000_000,
            block_ms=given.seconds_per_block * 1000,
            clock="wall",
            finality_lag=_FINALITY_LAG,
            rate_limit=max(1, min(100, given.blocks_per_epoch // 2)),
            owner=_key(folder, "owner"),
        )
        network = LocalNetwork(known, rules)
    except OSError as error:
        said = f"cannot be used: {error.strerror}"
        raise InvalidInput.of("LOCALNET_FOLDER", said, str(error.filename or folder)) from None
    server = None
    try:
        names = ["owner", *_numbered("validator", validators), *_numbered("miner", miners)]
        for name in names:
            address = _key(folder, name)
            if network.registered(address) is None:
                cold = _key(folder, f"{name}.cold")
                permit = name.startswith("validator")
                network.register(address, cold, _STAKE if permit else 0, permit)
        server = LocalServer(network, chain_port)
        with ForgeServer(Forge(folder / "forge"), forge_port) as forge:
            keys = tuple(sorted((p.stem for p in (folder / "keys").glob("*.json") if "." not in p.stem), key=_natural))
            up = Localnet(folder, server.url, forge.url, given.seconds_per_block, keys, given, network)
            rules_file = (folder / "protocol.toml").resolve()
            served = {"SUBTENSOR_NETWORK": up.chain, "FORGE_URL": up.forge, "PROTOCOL_FILE": rules_file}
            _replace(folder / "env", "".join(f"{name}={value}\n" for name, value in served.items()))
            _write(folder / "localnet.json", {"chain": up.chain, "forge": up.forge, "rules": asdict(network.rules)})
            yield up
    finally:
        if server is not None:
            server.close()
        network.close()
        for name in ("localnet.json", "env"):
            (folder / name).unlink(missing_ok=True)


def _parameters(folder: Path, block_seconds: int, epoch_blocks: int) -> Parameters:
    """The folder's protocol.toml: the shipped one with shorter epochs, made if there is none."""
    path = folder / "protocol.toml"
    if not path.exists():
        changes = {
            "blocks_per_epoch": epoch_blocks,
            "seconds_per_block": block_seconds,
            # in time for whoever waits for finality
            "verify_blocks": min(parameters().verify_blocks, max(_FINALITY_LAG + 8, epoch_blocks // 4)),
            "stale_blocks": min(parameters().stale_blocks, epoch_blocks // 2),
        }
        text = SHIPPED.read_text(encoding="utf-8")
        for name, value in changes.items():
            text = re.sub(rf"^{name} = [0-9]+$", f"{name} = {value}", text, flags=re.MULTILINE)
        _replace(path, text)
    return parameters(path)


def _key(folder: Path, name: str) -> str:
    path = folder / "keys" / f"{name}.json"
    if path.exists():
        return str(read_key(path).ss58_address)
    return write_key(path, secrets.token_hex(32))


def _numbered(kind: str, count: int) -> list[str]:
    return [f"{kind}-{number}" for number in range(1, count + 1)]


def _natural(name: str) -> tuple[str, int]:
    kind, _, number = name.partition("-")
    return {"owner": "0", "validator": "1", "miner": "2"}.get(kind, kind), int(number) if number.isdecimal() else 0


def _write(path: Path, value: object) -> None:
    _replace(path, json.dumps(value, indent=2) + "\n")


def _replace(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
