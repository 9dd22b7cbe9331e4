"""What a pack offers an agent, as a document and as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import Any

from .likeness import content_hash, likeness
from .limits import StopRules
from .pack import Pack, offered_tools
from .packlint import prompt_size
from .packschema import MAX_DUMP
from .verdict import printable

BYTES_PER_TOKEN = 4


def pack_document(pack: Pack, scenarios: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The pack as JSON; ``scenarios`` maps a name to the tools that it has."""
    size = prompt_size(pack)
    return {
        "schema": "clawbench/pack/1",
        "name": pack.name,
        "version": pack.version,
        "hotkey": pack.hotkey,
        **identities(pack),
        "files": {name: len(text.encode()) for name, text in pack.files.items()},
        "tools": {name: list(offered_tools(pack, tools)) for name, tools in scenarios.items()},
        "withheld": {
            name: [tool for tool in tools if tool not in offered_tools(pack, tools)]
            for name, tools in scenarios.items()
        },
        "approval_gates": list(pack.approval_gates),
        "stop_rules": {
            "enforced": {name: limit for name, limit in asdict(StopRules.of(pack.stop_rules)).items() if limit},
            "shown": [rule for rule in pack.stop_rules if isinstance(rule, str)],
        },
        "prompt": {"bytes": size, "tokens_about": -(-size // BYTES_PER_TOKEN)},
    }


def identities(pack: Pack) -> dict[str, str]:
    """The three hashes of a pack, by name."""
    return {"sha256": pack.sha256, "content": content_hash(pack), "likeness": likeness(pack)}


def pack_lines(document: Mapping[str, Any], width: int) -> Iterator[str]:
    """The document for people, lines of at most ``width`` characters but for hashes."""
    yield f"{document['name']} {document['version']}"
    if document["hotkey"]:
        yield f"hotkey    {document['hotkey']}"
    yield f"hash      {document['sha256']}"
    yield f"content   {document['content']}"
    yield f"likeness  {document['likeness']}"
    size = document["prompt"]
    yield f"prompt    {size['bytes']:,} bytes in every turn, about {size['tokens_about']:,} tokens"
    yield "files, in bytes"
    yield from (
        f"  {row}" for row in wrap(", ".join(f"{n} {count:,}" for n, count in document["files"].items()), width - 2)
    )
    yield "tools left to the agent"
    for name, tools in document["tools"].items():
        withheld = document["withheld"][name]
        yield printable(f"  {name:<20} {' '.join(tools) or 'none'}", width)
        if withheld:
            yield printable(f"  {'':<20} withheld: {' '.join(withheld)}", width)
    if not document["tools"]:
        yield "  no scenarios found here"
    yield "the user is asked before"
    gates = document["approval_gates"]
    yield from (printable(f"  {line}", width) for line in _rows(gates, width - 2) or ["nothing"])
    yield "stop rules"
    rules = document["stop_rules"]
    for rule, limit in rules["enforced"].items():
        yield f"  enforced  {rule} {limit}"
    for sentence in rules["shown"]:
        rows = wrap(printable(sentence, MAX_DUMP), width - 12)
        yield from (f"  {'' if at else 'shown':<9} {row}" for at, row in enumerate(rows))
    if not rules["enforced"] and not rules["shown"]:
        yield "  none"


def _rows(words: Sequence[str], width: int) -> list[str]:
    """Words in lines of at most ``width`` characters, if each fits."""
    rows: list[str] = []
    for word in words:
        if rows and len(rows[-1]) + 1 + len(word) <= width:
            rows[-1] += " " + word
        else:
            rows.append(word)
    return rows
