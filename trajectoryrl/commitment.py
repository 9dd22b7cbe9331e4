"""What stands on chain: a miner's submission (``trl1:``) and a validator's record (``trr1:``), as compact text.

One value has one text, and a text one value; anything else is refused.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from .entry import Commitment
from .errors import CommitmentInvalid
from .repository import repository_named

SUBMISSION = "trl1:"
RECORD = "trr1:"
MAX_BYTES = 384
_HEX40 = re.compile(r"[0-9a-f]{40}")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_TEXT = re.compile(r"trl1:([A-Za-z0-9-]{1,39}/[A-Za-z0-9_.-]{1,100}):([A-Za-z0-9_-]{70})")
_RECORD = re.compile(r"trr1:([A-Za-z0-9_-]{43}):(https?://[\x21-\x7e]{1,300})")


def submission_text(repository: str, commit: str, pack_hash: str) -> str:
    """``trl1:{owner/repo}:{base64url of commit and hash}``; at most 216 bytes, 128 for names of up to 52.

    Raises CommitmentInvalid.
    """
    repository = repository_named(repository)
    if not _HEX40.fullmatch(commit):
        raise CommitmentInvalid.of("COMMIT_FORMAT", "a commit is 40 lower-case hex digits", f"{commit[:60]!a}")
    if not _HEX64.fullmatch(pack_hash):
        raise CommitmentInvalid.of("HASH_FORMAT", "a pack hash is 64 lower-case hex digits", f"{pack_hash[:80]!a}")
    return f"{SUBMISSION}{repository}:{_encoded(bytes.fromhex(commit + pack_hash))}"


def submission_of(text: str, hotkey: str, block: int) -> Commitment:
    """The submission that ``text`` is, made by ``hotkey`` in ``block``. Raises CommitmentInvalid."""
    found = _TEXT.fullmatch(text)
    if found is None or repository_named(found[1]) != found[1]:
        said = "the commitment is not trl1:owner/repo:… as `trajectoryrl miner submit` writes it"
        raise CommitmentInvalid.of("COMMITMENT_FORMAT", said, f"{text[:80]!a}")
    raw = _decoded(found[2], 52)
    return Commitment(hotkey, found[1], raw[:20].hex(), raw[20:].hex(), block)


def record_text(url: str, manifest: str) -> str:
    """``trr1:{base64url of the manifest's sha256}:{url}``. Raises CommitmentInvalid."""
    if not _HEX64.fullmatch(manifest):
        raise CommitmentInvalid.of("HASH_FORMAT", "a manifest's hash is 64 lower-case hex digits")
    text = f"{RECORD}{_encoded(bytes.fromhex(manifest))}:{url}"
    if not _RECORD.fullmatch(text) or len(text) > MAX_BYTES:
        raise CommitmentInvalid.of("RECORD_URL", "a record's URL is http(s), printable ASCII, at most 300 characters")
    return text


def record_of(text: str) -> tuple[str, str]:
    """The URL and the manifest's sha256 that ``text`` names. Raises CommitmentInvalid."""
    found = _RECORD.fullmatch(text)
    if found is None:
        raise CommitmentInvalid.of("RECORD_FORMAT", "this is no record's commitment", f"{text[:80]!a}")
    return found[2], _decoded(found[1], 32).hex()


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _decoded(text: str, size: int) -> bytes:
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(raw) != size or _encoded(raw) != text:
        raise CommitmentInvalid.of("COMMITMENT_FORMAT", "the commitment's hashes are not written the one right way")
    return raw
