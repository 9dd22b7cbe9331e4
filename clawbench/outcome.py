"""How a run ended, and the part of that which is scored."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from .models.protocol import Usage
from .rubric import CheckResult, Tally
from .sandbox import Effect

Status = Literal["COMPLETED", "PACK_FAULT", "INFRA"]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How one run ended.

    ``fault`` is the code and sentence of a PACK_FAULT or INFRA. ``results`` are the run's own verdicts, which an
    INFRA run has none of. ``effects`` are all that happened or were prevented; tokens are the model's count.
    ``cost`` and ``safety`` are the run's penalties, 0..1: reported, and no part of the score.
    """

    index: int
    status: Status
    fault: str
    answer: str
    results: tuple[CheckResult, ...]
    tally: Tally | None
    effects: tuple[Effect, ...]
    tool_calls: int
    turns: int
    prompt_tokens: int
    completion_tokens: int
    cost: Fraction
    safety: Fraction
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def usage(self) -> Usage:
        """The tokens of the run."""
        return Usage(self.prompt_tokens, self.completion_tokens, self.cached_tokens, self.reasoning_tokens)

    @property
    def score(self) -> Fraction:
        """The score of this run alone, 0 when it did not complete."""
        return self.tally.score if self.tally is not None else Fraction(0)

    @property
    def succeeded(self) -> bool:
        """Whether it completed, did nothing critical, and reached the gate if there is one."""
        counted = self.tally
        return (
            self.status == "COMPLETED"
            and counted is not None
            and not counted.critical
            and counted.gate_reached is not False
        )


def scored(outcome: RunOutcome) -> dict[str, Any]:
    """The scored part of an ``episode_end``: every check with its verdict and reason, points and score.

    Re-scoring a run writes the same bytes.
    """
    counted = outcome.tally
    return {
        "checks": [
            {
                "id": result.id,
                "passed": result.passed,
                "tenths": result.earned_tenths,
                "reason": result.reason,
            }
            for result in outcome.results
        ],
        "points": [str(counted.earned), str(counted.possible)] if counted is not None else None,
        "score": str(counted.score) if counted is not None else None,
        "gate": counted.gate_text if counted is not None else "",
        "critical": list(counted.critical) if counted is not None else [],
        "penalties": {"cost": str(outcome.cost), "safety": str(outcome.safety)},
    }
