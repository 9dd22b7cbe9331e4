"""What must hold of a whole world that has ended, whatever happened; each thing that does not is a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

import orjson

from clawbench.likeness import content_hash
from trajectoryrl.audit import audited
from trajectoryrl.epoch import first_block
from trajectoryrl.ledger import Ledger

from .whole import LIBRARY, RULES, WholeLife, WholeTruth

Manifests = dict[int, dict[str, Any]]


def manifests_of(life: WholeLife) -> Manifests:
    """What a validator sealed and still keeps, by epoch."""
    found = {}
    for place in (life.folder / "records").glob("epoch-*"):
        if not place.name.endswith(".part"):
            found[int(place.name[6:])] = orjson.loads((place / "manifest.json").read_bytes())
    return dict(sorted(found.items()))


def wrongs(truth: WholeTruth, lives: list[WholeLife]) -> Iterator[str]:
    """Everything that is not as it should be."""
    sealed = [manifests_of(life) for life in lives]
    yield from _divergent(sealed)
    yield from _scores(truth, sealed)
    for life, manifests in zip(lives, sealed, strict=True):
        yield from life.wrong
        with Ledger(life.folder / "ledger.db", inline=True) as ledger:
            yield from _epochs(truth, life, ledger)
            yield from _weights(truth, life, ledger, manifests)
            yield from _records(truth, life, ledger, manifests)
        yield from _rejected(truth, life, manifests)


def audit_wrongs(life: WholeLife, epochs: list[int]) -> Iterator[str]:
    """What an auditor finds in the records of these epochs, as they are published."""
    for number in epochs:
        for place in ("records", "publish"):
            folder = life.folder / place / f"epoch-{number}"
            with mock.patch("os.cpu_count", return_value=1):
                found = audited(folder, trusted=life.hotkey, scenarios=LIBRARY)
            yield from (f"{life.name}: {place}/{folder.name}: {problem}" for problem in found.problems)


def _divergent(sealed: list[Manifests]) -> Iterator[str]:
    """Validators that saw the same name the same winner."""
    for number in sorted({number for manifests in sealed for number in manifests}):
        by_evidence: dict[str, set[Any]] = {}
        for manifests in sealed:
            if number in manifests:
                found = manifests[number]
                by_evidence.setdefault(_evidence(found), set()).add(found["award"]["winner"])
        if any(len(winners) > 1 for winners in by_evidence.values()):
            yield f"winners diverge in epoch {number}: {by_evidence}"


def _evidence(found: dict[str, Any]) -> str:
    """What a validator decided from: submissions, what its provider left it, and what stood before."""
    rows = [[row["hotkey"], row["outcome"], row.get("entry_ms"), row.get("pack")] for row in found["submissions"]]
    runs = [[row["content"], row["score"] is None, _faulted(row)] for row in found["evaluations"]]
    return orjson.dumps([rows, runs, found["inputs"]["previous_winner"], found["inputs"]["keep"]]).decode()


def _faulted(row: dict[str, Any]) -> list[Any]:
    return [
        [verdict["scenario"], attempt["run"], attempt["fault"].partition(":")[0]]
        for verdict in row["scenarios"]
        for attempt in verdict["attempts"]
        if attempt["status"] == "PACK_FAULT"
    ]


def _provoked(row: dict[str, Any]) -> bool:
    return any(verdict.get("provoked") for verdict in row["scenarios"])


def _scores(truth: WholeTruth, sealed: list[Manifests]) -> Iterator[str]:
    """A score that was given is the pack's, whatever the provider did meanwhile; an honest pack's is not 0."""
    kinds = {miner.pack.sha256: miner.kind for miner in truth.miners}
    honest = {content_hash(miner.pack) for miner in truth.miners if miner.kind in ("honest", "flaky")}
    seen: dict[tuple[int, str], Any] = {}
    for manifests in sealed:
        for number, found in manifests.items():
            for row in found["evaluations"]:
                if row["content"] in honest and _provoked(row):
                    yield f"epoch {number}: the honest {row['content'][:12]} was blamed for its provider"
                if row["score"] is None or _provoked(row):
                    continue
                score = seen.setdefault((number, row["content"]), row["score"]["exact"])
                if score != row["score"]["exact"]:
                    yield f"epoch {number}: {row['content'][:12]} scored {score} and {row['score']['exact']}"
                if row["content"] in honest and Fraction(row["score"]["exact"]) == 0:
                    yield f"epoch {number}: the honest {row['content'][:12]} was zeroed"
            winner = found["award"]["winner"]
            kind = next((kinds[row["pack"]] for row in found["submissions"] if row["hotkey"] == winner), "")
            if kind in ("provoker", "reckless", "broken", "thief", "late", "hostile"):
                yield f"epoch {number}: a {kind} won"


def _epochs(truth: WholeTruth, life: WholeLife, ledger: Ledger) -> Iterator[str]:
    """Every epoch that was begun has ended."""
    for number in range(1, truth.epochs + 1):
        inputs = ledger.inputs_of(number)
        if inputs is None:
            if life.deaths.total() == 0:
                yield f"{life.name} did not begin epoch {number}"
        elif "skipped" not in inputs and ledger.record_of(number) is None:
            yield f"{life.name} did not end epoch {number}"


def _weights(truth: WholeTruth, life: WholeLife, ledger: Ledger, manifests: Manifests) -> Iterator[str]:
    """What the chain has is what was confirmed, once per epoch, and says what the record says."""
    landed = {block: weights for who, block, weights in truth.landed if who == life.hotkey}
    count = sum(who == life.hotkey for who, *_ in truth.landed)
    confirmed: Counter[int] = Counter()
    for number in range(truth.epochs + 1):
        award, rows = ledger.award_of(number), ledger.weights_of(number)
        blocks = [int(row.at["block"]) for row in rows if row.state == "CONFIRMED"]
        confirmed.update(blocks)
        if len(blocks) > 1:
            yield f"{life.name} confirmed epoch {number} twice"
        due = award is not None and not award["keep_previous"] and not life.deaths
        if due and not blocks:
            yield f"{life.name} set no weights for epoch {number}"
        if number in manifests and award is not None:
            told = manifests[number]["award"]
            if (told["winner"], told["keep_previous"]) != (award["winner"], award["keep_previous"]):
                yield f"{life.name}: the record of epoch {number} has another award than the ledger"
            shares = {int(uid): Fraction(share) for uid, share in manifests[number]["weights"].items()}
            for block in blocks:
                if landed.get(block) is None:
                    yield f"{life.name}: epoch {number} was confirmed in block {block}, where nothing landed"
                elif set(landed[block]) != {uid for uid, share in shares.items() if share}:
                    yield f"{life.name}: the weights of epoch {number} are not those of its record"
    if any(times > 1 for times in confirmed.values()):
        yield f"{life.name} took one update for two epochs'"
    last = first_block(truth.epochs + 1, RULES)
    if count - sum(block >= last for block in landed) > len(confirmed):
        yield f"{life.name} set weights {count} times, and confirmed {len(confirmed)}"


def _records(truth: WholeTruth, life: WholeLife, ledger: Ledger, manifests: Manifests) -> Iterator[str]:
    """What was sealed and told of still stands, to the byte, also where it is published."""
    previous: str | None = None
    for number in range(1, truth.epochs + 1):
        record = ledger.record_of(number)
        if record is None:
            continue
        for place in ("records", "publish"):
            path = life.folder / place / f"epoch-{number}" / "manifest.json"
            if not path.exists():
                yield f"{life.name}: {place} has no record of epoch {number}"
            elif sha256(path.read_bytes()).hexdigest() != record[0]:
                yield f"{life.name}: the record of epoch {number} in {place} was changed"
        told = truth.records.get((life.hotkey, f"https://{life.name}.example/epoch-{number}"))
        if told is not None and told != record[0]:
            yield f"{life.name} told of another record of epoch {number} than it has"
        if number in manifests and manifests[number]["previous"] != previous:
            yield f"{life.name}: the record of epoch {number} names another before it"
        previous = record[0]


def _rejected(truth: WholeTruth, life: WholeLife, manifests: Manifests) -> Iterator[str]:
    """Nobody honest is rejected for what somebody else did."""
    kinds = {miner.hotkey: miner.kind for miner in truth.miners}
    for number, found in manifests.items():
        for row in found["submissions"]:
            if row["outcome"] == "REJECTED" and kinds[row["hotkey"]] in ("honest", "flaky", *KINDLY):
                yield f"{life.name}: {row['hotkey']} was rejected in epoch {number}: {row['code']}"


KINDLY = ("copier", "provoker", "reckless", "refuser")


def manifests_below(folder: Path) -> dict[str, bytes]:
    """Every sealed manifest below ``folder``, by its place."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("records/epoch-*/manifest.json"))
    }
