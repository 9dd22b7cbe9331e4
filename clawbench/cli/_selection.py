"""Which packs meet which scenarios in ``clawbench run``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..pack import Pack
    from ..scenario import Scenario
    from ..stage import Sampling, Stage


def chosen_packs(names: Sequence[str], folders: Sequence[Path]) -> list[Pack]:
    """The packs called by name or path, then every pack of every folder that is not among them yet.

    Raises PackRejected with the problems of all of them.
    """
    from ..library import pack_path
    from ..pack import load_packs, packs_in

    named = load_packs([pack_path(name) for name in names])
    known = {pack.sha256 for pack in named}
    beside = load_packs([path for folder in folders for path in packs_in(folder)])
    return [*named, *{pack.sha256: pack for pack in beside if pack.sha256 not in known}.values()]


def stages_of(
    scenarios: Sequence[Scenario], packs: Sequence[Pack], seed: str, context: Mapping[str, str], sampling: Sampling
) -> list[Stage]:
    """Every pack on every scenario, scenario by scenario; the stages of one share its world and rubric.

    Without packs a scenario is run with its own.
    """
    from ..stage import staged

    stages: list[Stage] = []
    for scenario in scenarios:
        first: Stage | None = None
        for pack in packs or _own_packs(scenario):
            stage = staged(
                scenario,
                pack,
                seed=seed,
                user_context=context,
                sampling=sampling,
                world=first.world if first else None,
                rubric=first.rubric if first else None,
            )
            first = first or stage
            stages.append(stage)
    names = [stage.name for stage in stages]
    for name in names:
        if names.count(name) > 1:
            raise click.UsageError(f"{name} is asked for twice")
    return stages


def _own_packs(scenario: Scenario) -> list[Pack]:
    """What a scenario is run with when no pack is named: its variants, else ./pack, else the baseline."""
    from ..library import default_pack
    from ..pack import load_pack, pack_from_text

    variants = scenario.variant_texts()
    if variants:
        return [pack_from_text(text, name) for name, text in variants.items()]
    place = default_pack()
    if place is None:
        raise click.UsageError("no --pack, no ./pack and no packs/baseline: name a pack with --pack DIR")
    return [load_pack(place)]
