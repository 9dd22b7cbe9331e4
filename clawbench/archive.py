"""Compressed trajectories: zstd with a dictionary that the runs of one bench share.

Runs of one bench repeat each other (the same mails read, the same calls), so the dictionary is simply the
content of a few of them. It lies beside the runs as ``dictionary``, and every compressed run names its hash.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import zstandard

from .errors import TrajectoryInvalid
from .trajectory import MAX_FILE_BYTES

DICTIONARY = "dictionary"
MAX_DICTIONARY_BYTES = 112 * 1024
LEVEL = 9


def dictionary_of(samples: Sequence[bytes]) -> bytes:
    """A raw-content dictionary out of sample runs; the last sample is the one matched most cheaply."""
    share = MAX_DICTIONARY_BYTES // max(1, len(samples))
    return b"".join(sample[:share] for sample in samples)


def compressed(content: bytes, dictionary: bytes) -> bytes:
    """``content`` as one zstd frame against ``dictionary``, with its size and a checksum."""
    return compressor(dictionary)(content)


def compressor(dictionary: bytes) -> Callable[[bytes], bytes]:
    """A function like :func:`compressed` for many contents: the dictionary is prepared once."""
    data = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    data.precompute_compress(level=LEVEL)
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=data, write_checksum=True).compress


def decompressed(frame: bytes, path: Path) -> bytes:
    """The content of a compressed run; its dictionary is looked for beside it and in the folders above.

    Raises TrajectoryInvalid if the dictionary is missing or the frame is damaged or too large.
    """
    where = str(path)
    try:
        size = zstandard.frame_content_size(frame)
        if size < 0 or size > MAX_FILE_BYTES:
            raise TrajectoryInvalid.of("TRAJECTORY_TOO_LARGE", f"at most {MAX_FILE_BYTES} bytes are read", where)
        data = zstandard.ZstdCompressionDict(
            _dictionary_for(path.resolve().parent), dict_type=zstandard.DICT_TYPE_RAWCONTENT
        )
        return zstandard.ZstdDecompressor(dict_data=data).decompress(frame, max_output_size=MAX_FILE_BYTES)
    except zstandard.ZstdError as error:
        raise TrajectoryInvalid.of("TRAJECTORY_DAMAGED", f"cannot be decompressed: {error}", where) from None


@lru_cache(maxsize=64)
def _dictionary_for(folder: Path) -> bytes:
    for place in (folder, *folder.parents[:3]):
        path = place / DICTIONARY
        if path.is_file() and path.stat().st_size <= MAX_DICTIONARY_BYTES:
            return path.read_bytes()
    raise TrajectoryInvalid.of(
        "DICTIONARY_MISSING", f"no file {DICTIONARY!r} beside the compressed run or above it", str(folder)
    )


def compress_bench(folder: Path, runs: Sequence[Path]) -> int:
    """Replaces the plain runs of a bench by compressed ones; returns the bytes they take now.

    The dictionary is written first and a plain run is removed last, so a crash loses nothing.
    """
    if not runs:
        return 0
    path = folder / DICTIONARY
    if not path.exists():
        chosen = [runs[index * len(runs) // min(4, len(runs))] for index in range(min(4, len(runs)))]
        _replace(path, dictionary_of([run.read_bytes() for run in chosen]))
    dictionary = path.read_bytes()
    total = 0
    for run in runs:
        frame = compressed(run.read_bytes(), dictionary)
        _replace(run.with_name(run.name + ".zst"), frame)
        run.unlink()
        total += len(frame)
    return total


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)
