"""Playing the red team: every attempt of every agent through the real agent loop, voted over three runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path

from ..errors import InvalidInput
from ..pack import Pack, pack_from_text
from ..rubric import Rubric, Voted, vote
from ..stage import Stage, staged
from .agents import AGENTS, Agent, Attempt, Target
from .conversation import Scripted
from .findings import AgentFinding, RedTeamFinding, Trial
from .perfect import careful, day, loaded
from .playing import played

RUNS = 3
MAX_SEEDS = 1000

Watch = Callable[[int, int], None]
_Tried = tuple[Fraction, tuple[Trial, ...]]


def red_team(
    path: Path,
    *,
    seeds: int = 20,
    jobs: int = 1,
    answers: Path | None = None,
    agents: Sequence[str] = (),
    watch: Watch | None = None,
) -> RedTeamFinding:
    """Attacks the scenario at ``path`` on the seeds ``"0" .. "seeds-1"``.

    ``answers`` is a folder with correct answers, ``SCENARIO/correct/*``, for the agents that copy; ``agents`` limits
    the team; ``jobs`` processes share the seeds, and change nothing else. ``watch`` is told how many seeds of how many
    are done. Raises ScenarioInvalid, and InvalidInput for a number of seeds or an agent that there is not.
    """
    if not 1 <= seeds <= MAX_SEEDS:
        raise InvalidInput.of("RED_TEAM_SEEDS", f"seeds are 1 to {MAX_SEEDS}, not {seeds}", "--seeds")
    known = [agent.name for agent in AGENTS]
    for name in agents:
        if name not in known:
            raise InvalidInput.of("RED_TEAM_AGENT", f"no agent is called {name!r}; known: {', '.join(known)}")
    scenario = loaded(path)
    # a public scenario is the same on every seed
    names = tuple(str(number) for number in range(1 if scenario.compat else seeds))
    tried: list[_Tried] = []
    for one in _over_seeds(path, names, jobs, answers, tuple(agents)):
        tried.append(one)
        if watch is not None:
            watch(len(tried), len(names))
    chosen = _chosen(agents)
    return RedTeamFinding(
        scenario.name,
        scenario.compat,
        names,
        tuple(
            AgentFinding.of(agent.name, agent.does, agent.bar, [trials[number] for _, trials in tried])
            for number, agent in enumerate(chosen)
        ),
        tuple(score for score, _ in tried),
    )


def _chosen(names: Sequence[str]) -> list[Agent]:
    return [agent for agent in AGENTS if not names or agent.name in names]


def _over_seeds(
    path: Path, seeds: Sequence[str], jobs: int, answers: Path | None, agents: tuple[str, ...]
) -> Iterator[_Tried]:
    # the other day that is copied is the next one
    work = [(path, seed, str(number + 1), answers, agents) for number, seed in enumerate(seeds)]
    jobs = min(jobs, len(seeds))
    if jobs < 2:
        yield from map(_try_seed, work)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_try_seed, work, chunksize=-(-len(seeds) // (2 * jobs)))


def _try_seed(work: tuple[Path, str, str, Path | None, tuple[str, ...]]) -> _Tried:
    path, seed, donor_seed, answers, agents = work
    today, donor = day(path, seed, answers), day(path, donor_seed, answers)
    stage = staged(loaded(path), _plain_pack(), seed=seed, world=today.world, rubric=today.rubric)
    target = Target.of(stage, today, donor)
    return today.outcome.score, tuple(_best(agent, target) for agent in _chosen(agents))


def _plain_pack() -> Pack:
    """The careful pack's words without its gates and limits: an attacker signs no fetters."""
    return pack_from_text(careful().files["AGENTS.md"], "red-team")


def _best(agent: Agent, target: Target) -> Trial:
    best: Trial | None = None
    for attempt in agent.attempts(target):
        voted = _voted(target.stage, attempt)
        score = voted.tally.score
        if best is None or score > best.score:
            gave = _gave(target.stage.rubric, voted) if score else ()
            best = Trial(agent.name, target.stage.seed, score, attempt.name, gave)
    assert best is not None
    return best


def _gave(rubric: Rubric, voted: Voted) -> tuple[tuple[str, Fraction], ...]:
    """The checks that counted, with what they gave."""
    gave = []
    for index, result in enumerate(voted.results):
        points = Fraction(rubric.earned(index, result.passed, result.earned_tenths), rubric.unit)
        if points and voted.tally.by_category[result.category].counted:
            gave.append((result.id, points))
    return tuple(gave)


def _voted(stage: Stage, attempt: Attempt) -> Voted:
    """The vote over three runs; those that cannot differ are made once."""
    runs = [
        played(stage, Scripted(attempt.acts, attempt.say, index), index)
        for index in range(RUNS if attempt.varies else 1)
    ]
    return vote(stage.rubric, runs if attempt.varies else runs * RUNS)
