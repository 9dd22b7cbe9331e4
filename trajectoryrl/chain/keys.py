"""sr25519 keys without wallet or SDK: derived from a text, kept in a file, and used to sign and verify."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import InvalidInput


def derived_key(text: str) -> Any:
    """The keypair whose seed is ``sha256(text)``: the same for everyone, so only for networks without value."""
    from bittensor_core import Keypair

    return Keypair.create_from_seed(sha256(text.encode()).digest())


def verified(hotkey: str, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is ``hotkey``'s of ``message``; false for whatever is no address or signature."""
    from bittensor_core import verify

    if len(signature) != 64:
        return False
    try:
        return bool(verify(message, signature, hotkey))
    except (ValueError, TypeError):
        return False


def is_address(text: str) -> bool:
    """Whether ``text`` is an ss58 address."""
    from bittensor_core import ss58_decode

    if not isinstance(text, str) or not 40 <= len(text) <= 60:
        return False
    try:
        return len(ss58_decode(text)) in (32, 64, 66)
    except (ValueError, TypeError):
        return False


def write_key(path: Path, text: str) -> str:
    """Keeps the key derived from ``text`` in a file that only its owner reads; returns the address."""
    key = derived_key(text)
    written = json.dumps({"hotkey": str(key.ss58_address), "seed": sha256(text.encode()).hexdigest()}) + "\n"
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(written)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    return str(key.ss58_address)


def read_key(path: Path) -> Any:
    """The keypair that :func:`write_key` kept.

    Raises InvalidInput (``KEY_FILE``).
    """
    from bittensor_core import Keypair

    try:
        with path.open("rb") as file:
            kept = json.loads(file.read(4096))
        key = Keypair.create_from_seed(bytes.fromhex(kept["seed"]))
        if str(key.ss58_address) != kept["hotkey"]:
            raise ValueError
    except OSError as error:
        raise InvalidInput.of("KEY_FILE", f"cannot be read: {error.strerror}", str(path)) from None
    except (ValueError, TypeError, KeyError, RecursionError):
        said = 'is no key of a local network: it has "hotkey" and "seed", 64 hex digits that belong to it'
        raise InvalidInput.of("KEY_FILE", said, str(path)) from None
    return key
