"""An epoch's entries through its scenarios: every distinct content once, voted, and scored.

Contents go in the order of ``sha256("{content}:{beacon}")``, which nobody knew when committing. The run's pack is the
one of least hash among those that share a content, so that every validator makes the same trajectories.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from clawbench.draws import digest

from .entry import Entry
from .errors import InvalidInput
from .plan import EpochPlan, PackScore, ScenarioScore
from .protocol import Parameters
from .scoring import pack_score, voted_score

if TYPE_CHECKING:
    from clawbench.outcome import RunOutcome
    from clawbench.pack import Pack
    from clawbench.rubric import CheckResult, Rubric
    from clawbench.scenario import Scenario
    from clawbench.stage import Stage
    from clawbench.world import World


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a run: ``number`` counts from 0 and is the last one's if the run came to an end.

    ``place`` is where its trajectory stands, ``None`` if it was not even begun; ``fault`` is why infrastructure or the
    pack ended it.
    """

    run: int
    number: int
    status: str
    fault: str
    place: Path | None


AttemptKey = tuple[str, str, int, int]
"""What names an attempt in an epoch: content, scenario, run, attempt."""


@dataclass(frozen=True, slots=True)
class Control:
    """A run that had completed, made once more and completed again, after attempts at other contents' runs had failed.

    ``attempt`` is the attempt that was made, ``after`` are the failed ones that had ended before it began.
    """

    scenario: str
    attempt: Attempt
    after: tuple[AttemptKey, ...]


@dataclass(frozen=True, slots=True)
class ScenarioVerdict:
    """One content on one scenario: its attempts in order, its votes, its score.

    ``votes`` has a digit per voting run, in their order, by check; ``score`` is ``None`` while a vote is undecided.
    ``provoked`` are the runs that failed alone, again and again: they vote as failing.
    """

    scenario: str
    attempts: tuple[Attempt, ...]
    votes: Mapping[str, str]
    score: ScenarioScore | None
    provoked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One content over an epoch's scenarios, in the plan's order.

    ``pack`` is the hash of the pack that ran. ``score`` is ``None`` for INDETERMINATE; ``cause`` is then the code of
    what kept it undecided. ``controls`` are runs of this content that were made again as a control of others.
    """

    content: str
    pack: str
    scenarios: tuple[ScenarioVerdict, ...]
    score: PackScore | None
    cause: str = ""
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """A scenario of an epoch, rendered: what the stages of all packs share."""

    scenario: Scenario
    world: World
    rubric: Rubric


def contents(entries: Iterable[Entry], beacon: str) -> dict[str, Pack]:
    """The distinct contents of ``entries`` in the order of their evaluation, each with the pack that runs."""
    packs: dict[str, Pack] = {}
    for entry in entries:
        held = packs.get(entry.content)
        if held is None or entry.pack.sha256 < held.sha256:
            packs[entry.content] = entry.pack
    return {content: packs[content] for content in sorted(packs, key=lambda content: digest(content, beacon))}


def settings(plan: EpochPlan, library: Path) -> tuple[Setting, ...]:
    """The scenarios of an epoch, from the scenarios/ and fixtures/ in ``library``, rendered with its facts.

    Raises ScenarioInvalid, or InvalidInput (``BEACON``) for an epoch whose first block does not exist yet.
    """
    from clawbench.rubric import rubric_for
    from clawbench.scenario import load_scenario, render_world

    if plan.beacon is None:
        raise InvalidInput.of("BEACON", "the facts of an epoch are known once its first block exists", str(plan.number))
    found = []
    for name in plan.scenarios:
        scenario = load_scenario(library / "scenarios" / f"{name}.yaml")
        if scenario.compat:
            raise InvalidInput.of("SCENARIO_COMPAT", "a public scenario file never counts for weights", name)
        world = render_world(scenario, plan.seed, plan.beacon)
        found.append(Setting(scenario, world, rubric_for(scenario, world)))
    return tuple(found)


def stages_of(pack: Pack, plan: EpochPlan, made: Sequence[Setting], parameters: Parameters) -> list[Stage]:
    """``pack`` on every scenario of an epoch."""
    from clawbench.stage import Sampling, staged

    return [
        staged(
            setting.scenario,
            pack,
            seed=f"{plan.netuid}/{plan.number}",
            epoch_seed=plan.seed,
            beacon=plan.beacon,
            sampling=Sampling(parameters.temperature, parameters.max_tokens),
            limits=parameters.limits,
            world=setting.world,
            rubric=setting.rubric,
        )
        for setting in made
    ]


def evaluation(content: str, pack: str, verdicts: Sequence[ScenarioVerdict], parameters: Parameters) -> Evaluation:
    """A content's score from the verdicts of its scenarios; INDETERMINATE if one of them is."""
    scores = [verdict.score for verdict in verdicts if verdict.score is not None]
    if len(scores) == len(verdicts):
        return Evaluation(content, pack, tuple(verdicts), pack_score(content, scores, parameters))
    undecided = [verdict for verdict in verdicts if verdict.score is None]
    faults = [attempt.fault for verdict in undecided for attempt in verdict.attempts if attempt.status == "INFRA"]
    return Evaluation(content, pack, tuple(verdicts), None, faults[0].partition(":")[0] if faults else "RUNS_MISSING")


def verdict_of(
    scenario: Scenario,
    rubric: Rubric,
    outcomes: Iterable[RunOutcome],
    attempts: Iterable[Attempt],
    parameters: Parameters,
    controlled: Collection[tuple[int, int]] = (),
) -> ScenarioVerdict:
    """The vote over ``outcomes``, one per run that was made; undecided is no score.

    ``controlled`` are the failed attempts ``(run, attempt)`` after which a control completed.
    """
    from clawbench.rubric import decided, failed_results, vote

    made = tuple(attempts)
    alone = provoked(made, controlled, parameters.infra_attempts)
    why = f"the run ended in PROVOKED: {parameters.infra_attempts} attempts failed while runs of another pack completed"
    voting: dict[int, tuple[tuple[CheckResult, ...], Fraction]] = {
        outcome.index: (outcome.results, outcome.cost) for outcome in outcomes if outcome.results
    }
    voting |= {run: (failed_results(rubric, why), Fraction(0)) for run in alone}
    results = [voting[run][0] for run in sorted(voting)]
    votes = {check.id: "".join("01"[run[i].passed] for run in results) for i, check in enumerate(rubric.checks)}
    score = None
    if voting and decided(rubric, results, parameters.runs):
        cost = sum((cost for _, cost in voting.values()), Fraction(0)) / len(voting)
        score = voted_score(scenario.name, scenario.weight, vote(rubric, results, parameters.runs), cost)
    return ScenarioVerdict(scenario.name, made, votes, score, alone)


def provoked(attempts: Iterable[Attempt], controlled: Collection[tuple[int, int]], most: int) -> tuple[int, ...]:
    """The runs whose last ``most`` attempts all ended in a fault of the provider, each with a control after it.

    A run that the provider fails on again and again, while it serves runs of other content, fails for what is in it.
    """
    by_run: dict[int, list[Attempt]] = {}
    for attempt in attempts:
        by_run.setdefault(attempt.run, []).append(attempt)
    return tuple(
        run
        for run, rows in sorted(by_run.items())
        if len(rows) >= most
        and all(
            row.status == "INFRA" and of_provider(row.fault) and (run, row.number) in controlled for row in rows[-most:]
        )
    )


def of_provider(fault: str) -> bool:
    """Whether an INFRA fault is the provider's, or its slowness: not a bug of ours, a budget, or a recording."""
    return fault.startswith("MODEL_") or fault.partition(":")[0] == "LIMIT_SECONDS"
