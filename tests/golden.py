"""The golden record under tests/data/golden: two epochs of a tiny scenario set, made by the offline model.

``python -m tests.golden`` makes it again; do that after a change that is meant to change what a run records.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import orjson

from clawbench.errors import ModelUnavailable
from clawbench.executor import AsyncioExecutor
from clawbench.models import Reply, Request
from clawbench.models.offline import OfflineModel
from clawbench.pack import Pack, load_pack, pack_of
from trajectoryrl.chain.keys import derived_key
from trajectoryrl.chain.protocol import Block, Metagraph, Neuron, OnChain
from trajectoryrl.commitment import submission_of, submission_text
from trajectoryrl.decision import Inputs, competing
from trajectoryrl.entry import Entry, Outcome, Pending, Rejection
from trajectoryrl.epoch import plan
from trajectoryrl.evaluation import settings
from trajectoryrl.github import Pushed, pushed_in
from trajectoryrl.manifest import ModelIdentity
from trajectoryrl.plan import EpochPlan
from trajectoryrl.protocol import Parameters, library, parameters_of, scenario_set_hash, shipped
from trajectoryrl.record import Epoch, write_record
from trajectoryrl.rounds import Seams, evaluated
from trajectoryrl.submission import entered

GOLDEN = Path(__file__).parent / "data" / "golden"
LIBRARY = GOLDEN / "library"
POOL = ["desk", "dock"]
EPOCHS = (3, 4)
_BEGAN = 1_767_240_000_000
KEY = derived_key("golden:validator")


def parameters() -> Parameters:
    """The shipped ones, over the tiny scenario set."""
    pool = tuple(POOL)
    return parameters_of(
        {
            **shipped().as_dict(),
            "scenario_pool": POOL,
            "scenarios_per_epoch": len(POOL),
            "scenario_set": scenario_set_hash(pool, LIBRARY),
        }
    )


async def sign(message: bytes) -> bytes:
    """The golden validator's signature."""
    return bytes(KEY.sign(message))


def hotkey_of(name: str) -> str:
    """The hotkey of a miner of this name."""
    return str(derived_key(f"golden:miner:{name}").ss58_address)


def pack_of_miner(sample: str, hotkey: str, bullet: str = "- ") -> Pack:
    """A sample pack as a miner submits it, its lists written with ``bullet``."""
    value = json.loads(load_pack(library() / "packs" / sample).canonical)
    files = {name: text.replace("\n- ", f"\n{bullet}") for name, text in value["files"].items()}
    return pack_of({**value, "files": files, "metadata": {**value["metadata"], "hotkey": hotkey}})


class Troubled(OfflineModel):
    """The offline model with troubles, told by the start of a pack's hash.

    The provider never ends a run of ``provoker``, a bug of ours breaks all of ``unlucky``, and one attempt fails once.
    """

    def __init__(self, provoker: str = "", unlucky: str = "") -> None:
        super().__init__()
        self.broken = {provoker: "MODEL_REJECTED", unlucky: "INTERNAL"}
        self.failed = False

    async def reply(self, request: Request) -> Reply:
        """The offline reply, or a failure."""
        code = self.broken.get(request.unit.partition(":")[0])
        if code is None and not self.failed and request.turn == 1 and request.unit.endswith(":1"):
            self.failed, code = True, "MODEL_OVERLOADED"
        if code is not None:
            raise ModelUnavailable.of(code, "HTTP 529, the provider is overloaded" if "OVER" in code else "no reply")
        return await super().reply(request)


async def at_once(seconds: float) -> None:
    """Nobody waits for the golden provider."""


def evidence_of(name: str, commit: str, pushed: str) -> tuple[bytes, bytes]:
    """What a forge answers about a repository and its pushes."""
    about = {"id": 7, "full_name": f"{name}/pack", "default_branch": "main", "private": False}
    push = {"after": commit, "ref": "refs/heads/main", "timestamp": pushed, "activity_type": "push"}
    return orjson.dumps(about), orjson.dumps([push])


def inputs(made: EpochPlan) -> tuple[Inputs, dict[str, bytes]]:
    """Four packs, a copy, one that was rejected and one that is pending; and the evidence by its sha256."""
    miners = {
        "careful": "careful",
        "baseline": "baseline",
        "reckless": "reckless",
        "copier": "careful",
        "provoker": "stuffer",
    }
    bodies: dict[str, bytes] = {}
    outcomes: list[Outcome] = []
    neurons: list[Neuron] = []
    commitments = {}
    for number, name in enumerate([*miners, "broken", "late"]):
        hotkey, block = hotkey_of(name), 90 + number
        neurons.append(Neuron(number, hotkey, hotkey, stake=10**18 + number))
        pack = pack_of_miner(miners.get(name, "careful"), hotkey, "*  " if name == "copier" else "- ")
        commit = sha256(name.encode()).hexdigest()[:40]
        text = submission_text(f"{name}/pack", commit, pack.sha256)
        said = submission_of(text, hotkey, block)
        commitments[hotkey] = OnChain(hotkey, text, block)
        seen = evidence_of(name, commit, f"2026-01-01T01:15:{number:02d}Z")
        proofs = tuple(sha256(body).hexdigest() for body in seen)
        bodies |= dict(zip(proofs, seen, strict=True))
        if name == "broken":
            outcomes.append(Rejection(hotkey, "HASH_MISMATCH", "the pack has another hash", said, proofs))
        elif name == "late":
            outcomes.append(Pending(hotkey, "FORGE_DOWN", "the forge did not answer", said, proofs[:1]))
        else:
            entry = entered(
                said,
                pack,
                Pushed(pushed_in(seen, commit), proofs),
                uid=number,
                coldkey=hotkey,
                committed_ms=1_767_230_400_000 + number * 12_000,
                epoch_ms=_BEGAN,
                parameters=parameters(),
                evidence=proofs,
                notes=("é",),
            )
            assert isinstance(entry, Entry)
            outcomes.append(entry)
    owner = str(derived_key("golden:owner").ss58_address)
    neurons.append(Neuron(len(neurons), owner, owner))
    named = {name for outcome in outcomes for name in outcome.evidence}
    given = Inputs(
        block=Block(made.first_block, made.beacon or "", _BEGAN),
        metagraph=Metagraph(made.netuid, made.first_block, tuple(neurons), owner),
        commitments=commitments,
        outcomes=tuple(outcomes),
        names={hotkey_of(name): name for name in miners},
    )
    return given, {name: body for name, body in bodies.items() if name in named}


async def write_golden(folder: Path) -> None:
    """Writes the records of both epochs into ``folder``."""
    shared = parameters()
    previous: tuple[str | None, str | None] = (None, None)
    for number in EPOCHS:
        made = plan(11, number, sha256(f"golden:{number}".encode()).hexdigest(), shared)
        given, evidence = inputs(made)
        given = replace(given, previous=previous[0])
        work = Path(tempfile.mkdtemp(prefix="golden-"))
        try:
            entries = competing(given, made)[0]
            units = {entry.hotkey: entry.pack.sha256[:16] for entry in entries}
            provoker, unlucky = units[hotkey_of("provoker")], units[hotkey_of("baseline")]
            model = Troubled(unlucky=unlucky) if number == EPOCHS[0] else Troubled(provoker=provoker)
            seams = Seams(sleep=at_once, executor=AsyncioExecutor(1))
            found = await evaluated(entries, made, settings(made, LIBRARY), model, shared, work / "runs", seams)
            epoch = Epoch(
                validator=str(KEY.ss58_address),
                previous=previous[1],
                model=ModelIdentity.of(model),
                parameters=shared,
                plan=made,
                inputs=given,
                evaluations=found.evaluations,
                evidence=evidence,
            )
            digest = await write_record(epoch, folder / f"epoch-{number}", sign)
        finally:
            shutil.rmtree(work)
        previous = (hotkey_of("careful"), digest)


def main(folder: Path = GOLDEN) -> int:
    """Makes the golden record again, or the same in another folder."""
    for number in EPOCHS:
        shutil.rmtree(folder / f"epoch-{number}", ignore_errors=True)
    folder.mkdir(exist_ok=True)
    asyncio.run(write_golden(folder))
    print(f"wrote {', '.join(f'epoch-{number}' for number in EPOCHS)} in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
