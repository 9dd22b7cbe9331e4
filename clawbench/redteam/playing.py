"""One run of a stage whose record nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ..episode import run_episode
from ..errors import Infrastructure
from ..models.protocol import Model
from ..outcome import RunOutcome
from ..rubric import CheckResult
from ..stage import Stage


def outcome_of(stage: Stage, model: Model, index: int = 0) -> RunOutcome:
    """Plays ``stage`` once, through the same loop as any run. Raises Infrastructure if the run could not be made."""
    outcome = asyncio.run(run_episode(stage, index, model, {"unit": stage.unit(index)}, _forget))
    if outcome.status == "INFRA":
        raise Infrastructure.of("RED_TEAM_RUN", f"a run could not be made: {outcome.fault}", stage.scenario.name)
    return outcome


def played(stage: Stage, model: Model, index: int = 0) -> tuple[CheckResult, ...]:
    """The verdicts of one run; those of a run that a limit ended all fail."""
    return outcome_of(stage, model, index).results


def _forget(record: Mapping[str, object]) -> None:
    """Takes a line of the record, and leaves it."""
