"""What a red team found, as values and as one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Trial:
    """The best that one agent got out of one seed: its voted score, how, and the checks that counted for it."""

    agent: str
    seed: str
    score: Fraction
    attempt: str
    gave: tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Giveaway:
    """A check that gave an agent points: how many at most, and on how many seeds."""

    check: str
    points: Fraction
    seeds: int


@dataclass(frozen=True, slots=True)
class AgentFinding:
    """One agent over all seeds. ``giveaways`` come from its best attempt on each seed, the costliest first."""

    agent: str
    does: str
    bar: Fraction
    trials: tuple[Trial, ...]
    giveaways: tuple[Giveaway, ...]

    @classmethod
    def of(cls, agent: str, does: str, bar: Fraction, trials: Sequence[Trial]) -> AgentFinding:
        """Adds up what the seeds gave."""
        points: dict[str, list[Fraction]] = {}
        for trial in trials:
            for check, gain in trial.gave:
                points.setdefault(check, []).append(gain)
        gave = [Giveaway(check, max(gains), len(gains)) for check, gains in points.items()]
        gave.sort(key=lambda one: (-one.points * one.seeds, one.check))
        return cls(agent, does, bar, tuple(trials), tuple(gave))

    @property
    def worst(self) -> Trial:
        """The seed on which the agent got most, the first one of equals."""
        return max(self.trials, key=lambda trial: trial.score)

    @property
    def mean(self) -> Fraction:
        """The mean of the scores."""
        return sum((trial.score for trial in self.trials), Fraction(0)) / len(self.trials)

    @property
    def above(self) -> bool:
        """Whether some seed gave more than the bar."""
        return self.worst.score > self.bar


@dataclass(frozen=True, slots=True)
class RedTeamFinding:
    """What the whole team got out of one scenario. ``careful`` are the scores of runs that did the work.

    ``compat`` scenarios are public ones: bars are not asked of them.
    """

    scenario: str
    compat: bool
    seeds: tuple[str, ...]
    agents: tuple[AgentFinding, ...]
    careful: tuple[Fraction, ...]

    @property
    def broken(self) -> tuple[AgentFinding, ...]:
        """The agents above their bars, none for a public scenario."""
        return () if self.compat else tuple(agent for agent in self.agents if agent.above)

    def document(self) -> dict[str, Any]:
        """One JSON object; scores are exact fractions as text, and as numbers to read."""
        return {
            "scenario": self.scenario,
            "compat": self.compat,
            "seeds": list(self.seeds),
            "holds": not self.broken,
            "careful": {"mean": _mean(self.careful), "lowest": float(min(self.careful))},
            "agents": [
                {
                    "agent": one.agent,
                    "does": one.does,
                    "bar": float(one.bar),
                    "worst": {"seed": one.worst.seed, "score": str(one.worst.score), "attempt": one.worst.attempt},
                    "worst_score": round(float(one.worst.score), 6),
                    "mean_score": round(float(one.mean), 6),
                    "above_bar": one.above,
                    "giveaways": [
                        {"check": gave.check, "points": str(gave.points), "seeds": gave.seeds} for gave in one.giveaways
                    ],
                    "scores": {trial.seed: str(trial.score) for trial in one.trials},
                }
                for one in self.agents
            ],
        }


def _mean(scores: Sequence[Fraction]) -> float:
    return round(float(sum(scores, Fraction(0)) / len(scores)), 6)
