"""Ids of records: those a fixture leaves out are drawn per seed, unique among their kind and plausible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .draws import draw
from .fixtures import RawRecord
from .pools import TICKET_PREFIXES
from .world import Record

_BASE32 = "0123456789abcdefghijklmnopqrstuv"
_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


def with_ids(kind: str, seed: str, pairs: Sequence[tuple[RawRecord, dict[str, Any]]]) -> list[Record]:
    """The rendered records, each with an ``id`` (a pull request with a ``number``) as its first key.

    A missing one is drawn with the label ``id:{ref}``, again with ``#1``, ``#2`` … while another record has
    it.
    """
    name = "number" if kind == "pull" else "id"
    taken = {str(data[name]) for _, data in pairs if name in data}
    records = []
    for raw, data in sorted(pairs, key=lambda pair: pair[0].ref):
        if name in data:
            if kind == "pull" and isinstance(data[name], str) and data[name].isdigit():
                data[name] = int(data[name])
            records.append((raw, data))
            continue
        again, drawn = 0, _MAKERS[kind](seed, f"id:{raw.ref}")
        while str(drawn) in taken and again < 1000:
            again += 1
            drawn = _MAKERS[kind](seed, f"id:{raw.ref}#{again}")
        taken.add(str(drawn))
        records.append((raw, {name: drawn, **data}))
    position = {id(raw): index for index, (raw, _) in enumerate(pairs)}
    records.sort(key=lambda pair: position[id(pair[0])])
    return [Record(raw.ref, data) for raw, data in records]


def _number(low: int, high: int) -> Callable[[str, str], int]:
    return lambda seed, label: low + draw(seed, label, high - low + 1)


def _text(prefix: str, alphabet: str, length: int) -> Callable[[str, str], str]:
    def made(seed: str, label: str) -> str:
        index = draw(seed, label, len(alphabet) ** length)
        chars = []
        for _ in range(length):
            index, offset = divmod(index, len(alphabet))
            chars.append(alphabet[offset])
        return prefix + "".join(chars)

    return made


def _mail(seed: str, label: str) -> str:
    return str(1000 + draw(seed, label, 9000))


def _task(seed: str, label: str) -> str:
    prefix = TICKET_PREFIXES[draw(seed, "id:prefix", len(TICKET_PREFIXES))]
    return f"{prefix}-{100 + draw(seed, label, 900)}"


_MAKERS: dict[str, Callable[[str, str], str | int]] = {
    "mail": _mail,
    "event": _text("", _BASE32, 10),
    "task": _task,
    "slack": _text("sm_", "0123456789", 5),
    "channel": _text("C0", _UPPER, 8),
    "contact": _text("c_", "0123456789", 4),
    "doc": _text("doc_", "0123456789", 4),
    "pull": _number(200, 999),
    "flight": _text("FL", "0123456789", 5),
}
