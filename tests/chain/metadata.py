"""The runtime's metadata, and the codec made of it."""

from __future__ import annotations

import json
import lzma
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import bittensor_core

SPEC = 461
METADATA_SHA256 = "3a61f5107a9404aa3871aa24eb063b23961567f1133ed8d02f06cd9bd82eefc2"
_FILE = Path(__file__).parent / "data" / "runtime-461.v15.xz"


@cache
def opaque_metadata() -> bytes:
    """The answer to ``Metadata_metadata_at_version``: an optional, opaque V15 metadata."""
    raw = lzma.decompress(_FILE.read_bytes())
    assert sha256(raw).hexdigest() == METADATA_SHA256
    return raw


@cache
def metadata() -> bytes:
    """The metadata itself, with the one storage item that the SDK reads and this runtime is too old to have."""
    raw = opaque_metadata()
    assert raw[0] == 1
    _, width = _read_compact(raw, 1)
    plain = raw[1 + width :]
    codec = bittensor_core.Runtime(plain, SPEC, 1, 42)
    netuid = int(codec.storage_entry("SubtensorModule", "Tempo").param_types[0].split("::")[1])
    u8 = next(kind["id"] for kind in registry(codec) if kind["type"]["def"].get("primitive") == "u8")
    return _with_epoch_consensus(plain, u8, netuid)


@cache
def runtime() -> Any:
    """The codec of this runtime."""
    return bittensor_core.Runtime(metadata(), SPEC, 1, 42)


def registry(codec: Any) -> list[dict[str, Any]]:
    """The portable type registry as plain data."""
    types: list[dict[str, Any]] = json.loads(codec.registry_json())["types"]
    return types


def compact(number: int) -> bytes:
    """SCALE's compact form of a small number."""
    if number < 1 << 6:
        return bytes([number << 2])
    if number < 1 << 14:
        return (number << 2 | 1).to_bytes(2, "little")
    return (number << 2 | 2).to_bytes(4, "little")


def _read_compact(raw: bytes, at: int) -> tuple[int, int]:
    width = {0: 1, 1: 2, 2: 4}[raw[at] & 3]
    return int.from_bytes(raw[at : at + width], "little") >> 2, width


def _with_epoch_consensus(raw: bytes, u8: int, netuid: int) -> bytes:
    """Adds ``SubtensorModule.SubnetEpochConsensus``: a map of a netuid to one byte, zero by default."""
    name = compact(len("SubtensorModule")) + b"SubtensorModule"
    storage = name + b"\x01" + name
    at = raw.index(storage) + len(storage)
    count, width = _read_compact(raw, at)
    text = compact(len("SubnetEpochConsensus")) + b"SubnetEpochConsensus"
    identity_hasher = b"\x06"
    entry = text + b"\x01\x01" + compact(1) + identity_hasher + compact(netuid) + compact(u8) + compact(1) + b"\x00"
    return raw[:at] + compact(count + 1) + entry + compact(0) + raw[at + width :]
