"""What an epoch leaves behind: a folder that appears when it is whole.

::

    epoch-N/
      manifest.json             canonical JSON: inputs, votes, scores, award, weights
      seal.json                 sha256 of manifest.json and times.jsonl, signed by the validator's hotkey
      times.jsonl               what was measured by a clock, apart from all that must be equal
      packs/PACK_HASH.json      every verified submission
      evidence/SHA256           what the forge answered, raw
      trajectories/SHA256.zst   every attempt at every run; ``dictionary`` is what they are compressed against

Equal epochs give equal bytes in all but seal.json and times.jsonl.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from .decision import Inputs
from .durable import folder_synced, tree_synced
from .errors import InvalidInput, RecordInvalid
from .evaluation import AttemptKey, Evaluation
from .faults import reach
from .manifest import Facts, ModelIdentity, canonical, manifest, versions
from .plan import EpochPlan
from .protocol import Parameters

SEAL_SCHEMA = "trajectoryrl/seal/1"
MANIFEST, SEAL, TIMES, DICTIONARY = "manifest.json", "seal.json", "times.jsonl", "dictionary"
PACKS, EVIDENCE, TRAJECTORIES = "packs", "evidence", "trajectories"
MAX_TRAJECTORY_BYTES = 16 * 1024 * 1024

Sign = Callable[[bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch that is over, ready to be recorded; ``evidence`` are raw bodies by their sha256."""

    validator: str
    previous: str | None
    model: ModelIdentity
    parameters: Parameters
    plan: EpochPlan
    inputs: Inputs
    evaluations: tuple[Evaluation, ...]
    evidence: Mapping[str, bytes]
    times: Path | None = None


def sealed_text(manifest_hash: str, times_hash: str) -> bytes:
    """What the seal signs."""
    return f"trajectoryrl-record-1:{manifest_hash}:{times_hash}".encode()


async def write_record(epoch: Epoch, folder: Path, sign: Sign) -> str:
    """Writes the record of ``epoch`` as ``folder``, all or nothing; returns the sha256 of its manifest.

    Raises InvalidInput (``RECORD_EXISTS``) if there is something in its place, RecordInvalid (``RECORD_WRITE``) if
    the disk does not take it.
    """
    if folder.exists():
        raise InvalidInput.of("RECORD_EXISTS", "there is something in this place already; choose another", str(folder))
    part = folder.with_name(folder.name + ".part")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        for name in (PACKS, EVIDENCE, TRAJECTORIES):
            (part / name).mkdir(parents=True)
        reach("record.begun")
        names, dictionary = _trajectories(epoch.evaluations, part / TRAJECTORIES)
        reach("record.trajectories")
        for entry in epoch.inputs.entries:
            (part / PACKS / f"{entry.pack.sha256}.json").write_bytes(entry.pack.canonical)
        reach("record.packs")
        for name in sorted({name for outcome in epoch.inputs.outcomes for name in outcome.evidence}):
            if name in epoch.evidence:  # what is lost cannot be shown: an audit will name it
                (part / EVIDENCE / name).write_bytes(epoch.evidence[name])
        reach("record.evidence")
        facts = Facts(
            validator=epoch.validator,
            previous=epoch.previous,
            made=versions(),
            model=epoch.model,
            parameters=epoch.parameters,
            plan=epoch.plan,
            inputs=epoch.inputs,
            evaluations=epoch.evaluations,
            trajectories=names,
            dictionary=dictionary,
        )
        body = canonical(manifest(facts))
        (part / MANIFEST).write_bytes(body)
        (part / TIMES).write_bytes(_times(epoch.times) or b"{}\n")
        reach("record.manifest")
        await seal(part, epoch.validator, sign)
        reach("record.sealed")
        tree_synced(part)
        reach("record.synced")
        os.rename(part, folder)
        reach("record.renamed")
        folder_synced(folder.parent)
    except OSError as error:
        said = f"the record cannot be written: {error.strerror}"
        raise RecordInvalid.of("RECORD_WRITE", said, str(error.filename or folder)) from error
    return sha256(body).hexdigest()


async def seal(folder: Path, validator: str, sign: Sign) -> None:
    """Writes the seal over what stands in ``folder``."""
    hashes = [sha256((folder / name).read_bytes()).hexdigest() for name in (MANIFEST, TIMES)]
    signature = await sign(sealed_text(*hashes))
    body = {
        "schema": SEAL_SCHEMA,
        "validator": validator,
        "manifest": hashes[0],
        "times": hashes[1],
        "signature": signature.hex(),
    }
    (folder / SEAL).write_bytes(canonical(body))


def _times(path: Path | None) -> bytes:
    """The lines of ``path`` that are whole: a power cut can tear one that nothing else depends on."""
    if path is None or not path.exists():
        return b""
    whole = []
    for line in path.read_bytes().split(b"\n"):
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(found, dict):
            whole.append(line + b"\n")
    return b"".join(whole)


def _trajectories(evaluations: Collection[Evaluation], folder: Path) -> tuple[dict[AttemptKey, str], str]:
    """Writes every attempt's trajectory; returns their names by key, and the name of their dictionary."""
    from clawbench.archive import compressor, dictionary_of

    places = {
        (row.content, verdict.scenario, attempt.run, attempt.number): attempt.place
        for row in evaluations
        for verdict in row.scenarios
        for attempt in verdict.attempts
        if attempt.place is not None
    }
    places |= {
        (row.content, control.scenario, control.attempt.run, control.attempt.number): control.attempt.place
        for row in evaluations
        for control in row.controls
        if control.attempt.place is not None
    }
    if not places:
        return {}, ""
    chosen = list(places.values())
    samples = [chosen[index * len(chosen) // min(4, len(chosen))] for index in range(min(4, len(chosen)))]
    dictionary = dictionary_of([sample.read_bytes() for sample in samples])
    (folder / DICTIONARY).write_bytes(dictionary)
    compressed = compressor(dictionary)
    names = {}
    for key, place in places.items():
        content = place.read_bytes()
        name = names[key] = sha256(content).hexdigest()
        target = folder / f"{name}.zst"
        if not target.exists():
            target.write_bytes(compressed(content))
    return names, sha256(dictionary).hexdigest()


def manifest_hash(folder: Path) -> str:
    """The sha256 of the manifest of the record in ``folder``."""
    return sha256((folder / MANIFEST).read_bytes()).hexdigest()


def epoch_in(folder: Path) -> int:
    """The number of the epoch recorded in ``folder``."""
    return int(orjson.loads((folder / MANIFEST).read_bytes())["plan"]["number"])
