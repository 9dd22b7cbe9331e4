"""The validator's records: sealed, published, and kept for as long as retention says."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .archive import Archive
from .chain.protocol import Chain
from .decision import Inputs
from .durable import folder_made, folder_synced, tree_synced
from .errors import RecordInvalid
from .evaluation import Evaluation
from .faults import reach
from .ledger import Ledger
from .manifest import ModelIdentity
from .plan import EpochPlan
from .protocol import Parameters
from .record import Epoch, manifest_hash, write_record
from .retention import KEEP, Retention, forgotten

if TYPE_CHECKING:
    from clawbench.models.protocol import Model


@dataclass(frozen=True, slots=True)
class Records:
    """Seals epochs into ``folder`` and copies them to ``publish``; drops what retention no longer keeps."""

    model: Model
    parameters: Parameters
    folder: Path
    runs: Path
    archive: Archive
    chain: Chain
    ledger: Ledger
    publish: Path | None = None
    keep: Retention = KEEP

    async def __call__(
        self, plan: EpochPlan, inputs: Inputs, evaluations: Sequence[Evaluation], previous: str | None
    ) -> tuple[str, str]:
        """The sha256 of the manifest, and the record's folder."""
        place = self.folder / f"epoch-{plan.number}"
        if place.exists():  # written whole, and we were stopped before we could say so
            digest = manifest_hash(place)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            digest = await write_record(self._epoch(plan, inputs, evaluations, previous), place, self.chain.sign)
        if self.publish is not None:
            await asyncio.to_thread(_copied, place, self.publish / place.name)
        published = () if self.publish is None else (self.publish,)
        await forgotten(
            self.keep,
            plan.number,
            ledger=self.ledger,
            archive=self.archive,
            runs=self.runs,
            records=(self.folder, *published),
        )
        return digest, str(place)

    def _epoch(self, plan: EpochPlan, inputs: Inputs, evaluations: Sequence[Evaluation], previous: str | None) -> Epoch:
        names = {name for outcome in inputs.outcomes for name in outcome.evidence}
        bodies = {name: body for name in sorted(names) if (body := self.archive.response(name)) is not None}
        return Epoch(
            validator=str(self.chain.hotkey),
            previous=previous,
            model=ModelIdentity.of(self.model),
            parameters=self.parameters,
            plan=plan,
            inputs=inputs,
            evaluations=tuple(evaluations),
            evidence=bodies,
            times=self.runs / str(plan.number) / "times.jsonl",
        )


def _copied(source: Path, to: Path) -> None:
    """``source`` at ``to``, whole or not at all. Raises RecordInvalid (``RECORD_WRITE``)."""
    if to.exists():
        return
    reach("publish.copy.before")
    part = to.with_name(to.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        folder_made(to.parent)
        shutil.copytree(source, part)
        reach("publish.copy.part")
        tree_synced(part)
        os.rename(part, to)
        folder_synced(to.parent)
    except OSError as why:
        said = f"the record cannot be published: {why.strerror or 'not every file could be copied'}"
        raise RecordInvalid.of("RECORD_WRITE", said, str(to)) from why
    reach("publish.copy.after")
