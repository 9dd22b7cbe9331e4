"""Bare repositories written byte by byte: what git itself would refuse to make, and quickly what it would take long."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path
from struct import pack as packed

PERSON = b"m <m@x> 1700000000 +0000"
MAIN = "refs/heads/main"
BLOB, COMMIT, TREE, REF_DELTA = 3, 1, 2, 7
_KINDS = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob"}


def noise(size: int, seed: str) -> bytes:
    """Bytes that don't compress."""
    blocks = (sha256(f"{seed}:{number}".encode()).digest() for number in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def tree_bytes(entries: Iterable[tuple[str, bytes, str]]) -> bytes:
    """A tree of (mode, name, object), in the order given."""
    return b"".join(f"{mode} ".encode() + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)


def commit_bytes(tree: str, *parents: str, message: bytes = b"a pack\n") -> bytes:
    lines = [b"tree " + tree.encode(), *(b"parent " + parent.encode() for parent in parents)]
    return b"\n".join([*lines, b"author " + PERSON, b"committer " + PERSON, b"", message])


def object_name(kind: int, raw: bytes) -> str:
    return sha1(_KINDS[kind] + f" {len(raw)}\0".encode() + raw).hexdigest()


@dataclass(frozen=True)
class Zeros:
    """A gibibyte of zeros behind ``head``: its object name, and its deflated bytes, made without deflating it all."""

    kind: int
    head: bytes = b""
    size: int = 1 << 30

    def made(self, loose: bool) -> tuple[str, bytes]:
        first = (_KINDS[self.kind] + f" {self.size}\0".encode()) + self.head
        mebi, left = bytes(1 << 20), self.size - len(self.head)
        start = first if loose else self.head
        digest, check = sha1(first), zlib.adler32(start)
        deflate = zlib.compressobj(9)
        parts = [deflate.compress(start), deflate.flush(zlib.Z_FULL_FLUSH)]
        one = deflate.compress(mebi) + deflate.flush(zlib.Z_FULL_FLUSH)  # the same for each mebibyte
        for _ in range(left >> 20):
            digest.update(mebi)
            check = zlib.adler32(mebi, check)
            parts.append(one)
        rest = bytes(left & (1 << 20) - 1)
        digest.update(rest)
        check = zlib.adler32(rest, check)
        parts.append(deflate.compress(rest) + deflate.flush()[:-4] + check.to_bytes(4, "big"))
        return digest.hexdigest(), b"".join(parts)


@dataclass(frozen=True)
class Bare:
    """A bare repository that exists, to be filled with anything."""

    folder: Path

    def put(self, kind: int, raw: bytes) -> str:
        """Writes a loose object; returns its name."""
        oid = object_name(kind, raw)
        self._loose(oid, zlib.compress(_KINDS[kind] + f" {len(raw)}\0".encode() + raw, 1))
        return oid

    def zeros(self, zeros: Zeros) -> str:
        oid, raw = zeros.made(loose=True)
        self._loose(oid, raw)
        return oid

    def _loose(self, oid: str, raw: bytes) -> None:
        place = self.folder / "objects" / oid[:2] / oid[2:]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(raw)

    def blob(self, raw: bytes = b"{}") -> str:
        return self.put(BLOB, raw)

    def tree(self, *entries: tuple[str, bytes, str]) -> str:
        return self.put(TREE, tree_bytes(entries))

    def commit(self, tree: str, *parents: str, message: bytes = b"a pack\n", ref: str | None = None) -> str:
        oid = self.put(COMMIT, commit_bytes(tree, *parents, message=message))
        if ref is not None:
            self.ref(ref, oid)
        return oid

    def ref(self, name: str, oid: str) -> None:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{oid}\n")

    def head(self, text: str) -> None:
        (self.folder / "HEAD").write_text(f"{text}\n")

    def with_entries(self, *entries: tuple[str, bytes, str], ref: str | None = MAIN) -> str:
        """A commit of these entries on the default branch."""
        return self.commit(self.tree(*entries), ref=ref)

    def honest(self, raw: bytes = b"{}", ref: str | None = MAIN) -> str:
        """A commit of a pack.json of these bytes, on the default branch unless ``ref`` says otherwise."""
        return self.with_entries(("100644", b"pack.json", self.blob(raw)), ref=ref)


def pack_entry(kind: int, size: int, deflated: bytes, base: str | None = None) -> bytes:
    """An object as it stands in a pack file."""
    first, left = (kind << 4) | (size & 15), size >> 4
    head = bytearray()
    while left:
        head.append(first | 128)
        first, left = left & 127, left >> 7
    head.append(first)
    return bytes(head) + (bytes.fromhex(base) if base else b"") + deflated


def whole(kind: int, raw: bytes) -> bytes:
    return pack_entry(kind, len(raw), zlib.compress(raw, 1))


def pack_file(entries: list[bytes], count: int | None = None) -> bytes:
    raw = b"PACK" + packed(">II", 2, len(entries) if count is None else count) + b"".join(entries)
    return raw + sha1(raw).digest()


def number(value: int) -> bytes:
    """A size as it stands at the head of a delta."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def appended(base_size: int, more: bytes) -> bytes:
    """A delta that copies all of its base (less than 64 KiB) and appends at most 127 bytes."""
    copy = bytes([0x80 | 0x10 | 0x20, base_size & 255, base_size >> 8])
    return number(base_size) + number(base_size + len(more)) + copy + bytes([len(more)]) + more
