"""An epoch's entries through its scenarios: every distinct content once, voted, and scored.

Contents go in the order of ``sha256("{content}:{beacon}")``, which nobody knew when committing. The run's pack is the
one of least hash among those that share a content, so that every validator makes the same trajectories.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    from clawbench.bench import Executor, StageOutcome, Watch
    from clawbench.keeping import Keeping
    from clawbench.models.protocol import Model
    from clawbench.outcome import RunOutcome
    from clawbench.pack import Pack
    from clawbench.retrying import Retrying
    from clawbench.rubric import Rubric
    from clawbench.scenario import Scenario
    from clawbench.stage import Stage
    from clawbench.world import World

_AT_ONCE = 32
_FAILED = re.compile(r"failed-run-(\d+)-(\d+)\.jsonl")


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


@dataclass(frozen=True, slots=True)
class ScenarioVerdict:
    """One content on one scenario: its attempts in order, its votes, its score.

    ``votes`` has a digit per voting run, in their order, by check; ``score`` is ``None`` while a vote is undecided.
    """

    scenario: str
    attempts: tuple[Attempt, ...]
    votes: Mapping[str, str]
    score: ScenarioScore | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One content over an epoch's scenarios, in the plan's order.

    ``pack`` is the hash of the pack that ran. ``score`` is ``None`` for INDETERMINATE; ``cause`` is then the code of
    what kept it undecided.
    """

    content: str
    pack: str
    scenarios: tuple[ScenarioVerdict, ...]
    score: PackScore | None
    cause: str = ""


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


async def evaluated(
    entries: Iterable[Entry],
    plan: EpochPlan,
    made: Sequence[Setting],
    model: Model,
    parameters: Parameters,
    folder: Path,
    *,
    executor: Executor | None = None,
    watch: Watch | None = None,
    retrying: Retrying | None = None,
    keeping: Keeping | None = None,
    done: Callable[[Evaluation], None] = lambda evaluation: None,
) -> list[Evaluation]:
    """Every distinct content through ``made``, the epoch's scenarios; ``done`` is called with each as it is scored.

    Runs are kept in ``folder`` and taken up again from there. Memory grows with what is voted, not with what ran.
    """
    from clawbench.bench import AsyncioExecutor, Bench, Watch
    from clawbench.keeping import Keeping
    from clawbench.retrying import Retrying

    bench = Bench(
        folder=folder,
        model=model,
        runs=parameters.runs,
        early=True,
        executor=executor or AsyncioExecutor(8),
        watch=watch or Watch(),
        retrying=retrying or Retrying(),
        keeping=keeping or Keeping(),
    )
    waiting = list(contents(entries, plan.beacon or "").items())
    found: list[Evaluation] = []
    for start in range(0, len(waiting), _AT_ONCE):
        batch = waiting[start : start + _AT_ONCE]
        stages = [stage for _, pack in batch for stage in stages_of(pack, plan, made, parameters)]
        outcomes = await bench.results(stages)
        for number, (content, pack) in enumerate(batch):
            own = outcomes[number * len(made) : (number + 1) * len(made)]
            verdicts = [_of_stage(outcome, folder, parameters.runs) for outcome in own]
            found.append(evaluation(content, pack.sha256, verdicts, parameters))
            done(found[-1])
    return found


def evaluation(content: str, pack: str, verdicts: Sequence[ScenarioVerdict], parameters: Parameters) -> Evaluation:
    """A content's score from the verdicts of its scenarios; INDETERMINATE if one of them is."""
    scores = [verdict.score for verdict in verdicts if verdict.score is not None]
    if len(scores) == len(verdicts):
        return Evaluation(content, pack, tuple(verdicts), pack_score(content, scores, parameters))
    undecided = [verdict for verdict in verdicts if verdict.score is None]
    faults = [attempt.fault for verdict in undecided for attempt in verdict.attempts if attempt.status == "INFRA"]
    return Evaluation(content, pack, tuple(verdicts), None, faults[0].partition(":")[0] if faults else "RUNS_MISSING")


def verdict_of(
    scenario: Scenario, rubric: Rubric, outcomes: Iterable[RunOutcome], attempts: Iterable[Attempt], runs: int
) -> ScenarioVerdict:
    """The vote over ``outcomes``, one per run that was made, of ``runs`` in all; undecided is no score."""
    from clawbench.rubric import decided, vote

    voting = [outcome for outcome in sorted(outcomes, key=lambda outcome: outcome.index) if outcome.results]
    results = [outcome.results for outcome in voting]
    votes = {check.id: "".join("01"[run[i].passed] for run in results) for i, check in enumerate(rubric.checks)}
    score = None
    if voting and decided(rubric, results, runs):
        cost = sum((outcome.cost for outcome in voting), Fraction(0)) / len(voting)
        score = voted_score(scenario.name, scenario.weight, vote(rubric, results, runs), cost)
    return ScenarioVerdict(scenario.name, tuple(attempts), votes, score)


def _of_stage(outcome: StageOutcome, folder: Path, runs: int) -> ScenarioVerdict:
    place = folder / outcome.stage.name
    failed: dict[int, list[tuple[int, Path]]] = {}
    for path in place.glob("failed-run-*.jsonl"):
        named = _FAILED.fullmatch(path.name)
        if named:
            failed.setdefault(int(named[1]), []).append((int(named[2]), path))
    attempts = []
    for run in outcome.runs:
        earlier = [path for _, path in sorted(failed.get(run.index, ()))]
        attempts += [Attempt(run.index, n, "INFRA", _fault_in(path), path) for n, path in enumerate(earlier)]
        if run.status == "INFRA" and not earlier:  # the provider was known to be down
            attempts.append(Attempt(run.index, 0, "INFRA", run.fault, None))
        elif run.status != "INFRA":
            whole = place / f"run-{run.index}.jsonl"
            attempts.append(Attempt(run.index, len(earlier), run.status, run.fault, whole))
    return verdict_of(outcome.stage.scenario, outcome.stage.rubric, outcome.runs, attempts, runs)


def _fault_in(path: Path) -> str:
    """Why infrastructure ended the attempt whose trajectory stands at ``path``."""
    from clawbench.trajectory import read_trajectory

    end = read_trajectory(path).end
    return str(end["fault"]) if end else "INTERRUPTED: the run never ended"
