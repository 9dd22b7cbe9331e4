"""An epoch's exact facts on another pack: what a miner asks after an epoch that it did not win."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from .epoch import plan
from .errors import InvalidInput, RecordInvalid
from .evaluation import Evaluation, evaluation, settings, stages_of, verdict_of
from .plan import EpochPlan
from .protocol import Parameters, library, parameters_of, scenario_set_hash
from .recordfolder import RecordFolder
from .scoring import published, shown

if TYPE_CHECKING:
    from clawbench.models.protocol import Model
    from clawbench.pack import Pack

    from .manifestshape import Evaluation as Row
    from .manifestshape import Manifest


@dataclass(frozen=True, slots=True)
class Rival:
    """Who won the epoch, as its record tells: name, exact score, and the votes by scenario and check."""

    name: str
    exact: Fraction
    steps: int
    row: Row


@dataclass(frozen=True, slots=True)
class EpochReplay:
    """Another pack in an epoch, beside the winner if there was one."""

    plan: EpochPlan
    parameters: Parameters
    mine: Evaluation
    rival: Rival | None


def told_in(folder: Path) -> Manifest:
    """The manifest of the record in ``folder``, or of the newest in a folder of records.

    Raises RecordInvalid with everything that is wrong with it.
    """
    records = sorted(folder.glob("epoch-*"), key=lambda path: (len(path.name), path.name))
    if records and not (folder / "manifest.json").exists():
        folder = records[-1]
    reading = RecordFolder(folder)
    if not folder.is_dir():
        raise RecordInvalid.of("RECORD_MISSING", "is no folder", str(folder))
    found = reading.sealed(None) if reading.listed() else None
    if reading.problems or found is None:
        raise RecordInvalid(reading.problems)
    return found[1]


async def replayed_with(
    found: Manifest, pack: Pack, model: Model, work: Path, scenarios: Path | None = None
) -> EpochReplay:
    """``pack`` on the facts of the epoch that ``found`` tells of; runs are kept in ``work``.

    Raises InvalidInput (``SCENARIO_SET``) if the scenarios here are not the epoch's.
    """
    from clawbench.bench import Bench
    from clawbench.likeness import content_hash

    parameters = parameters_of(found.parameters)
    place = scenarios or library()
    if scenario_set_hash(parameters.scenario_pool, place) != parameters.scenario_set:
        said = "the epoch was played with other scenarios than these: use the version that the record names"
        raise InvalidInput.of("SCENARIO_SET", said)
    made = plan(found.plan.netuid, found.plan.number, found.plan.beacon, parameters)
    stages = stages_of(pack, made, settings(made, place), parameters)
    outcomes = await Bench(folder=work, model=model, runs=parameters.runs, early=True).results(stages)
    verdicts = [
        verdict_of(outcome.stage.scenario, outcome.stage.rubric, outcome.runs, (), parameters) for outcome in outcomes
    ]
    mine = evaluation(content_hash(pack), pack.sha256, verdicts, parameters)
    return EpochReplay(made, parameters, mine, _rival(found))


def _rival(found: Manifest) -> Rival | None:
    winner = found.award.winner
    entry = next((row for row in found.submissions if row.hotkey == winner and row.outcome == "ENTRY"), None)
    if winner is None or entry is None:
        return None
    row = next((row for row in found.evaluations if row.content == getattr(entry, "content", "")), None)
    if row is None or row.score is None:
        return None
    return Rival(found.inputs.names.get(winner, winner), Fraction(row.score.exact), row.score.steps, row)


def side_by_side(replay: EpochReplay, name: str) -> Iterator[str]:
    """The two packs, scenario by scenario, and every check that their votes differ in."""
    from clawbench.report.plain import printable

    mine, rival = replay.mine, replay.rival
    theirs = printable(rival.name, 18) if rival else ""
    yield f"epoch {replay.plan.number}, the same facts"
    yield f"{'':<28} {printable(name, 18):>18} {theirs:>18}".rstrip()
    for number, verdict in enumerate(mine.scenarios):
        other = rival.row.scenarios[number] if rival else None
        score = shown(verdict.score.score, 2) if verdict.score else "undecided"
        beside = shown(Fraction(other.score.score), 2) if other and other.score else ""
        yield f"{verdict.scenario:<28} {score:>18} {beside:>18}".rstrip()
        for check, votes in verdict.votes.items():
            told = other.votes.get(check, "") if other else ""
            if other is None or _passes(votes, replay) == _passes(told, replay):
                continue
            yield f"  {printable(check, 26):<26} {_marks(votes):>18} {_marks(told):>18}"
    if mine.score is None:
        yield f"undecided: {mine.cause}"
        return
    parameters = replay.parameters
    score = f"{published(mine.score.steps, parameters)} ({shown(mine.score.exact)})"
    beside = f"{published(rival.steps, parameters)} ({shown(rival.exact)})" if rival else ""
    yield f"{'score (exactly)':<28} {score:>18} {beside:>18}".rstrip()
    if mine.score.critical:
        yield f"critical: {', '.join(mine.score.critical)}"
    if rival is not None:
        needed = rival.exact + min(parameters.margin, 1 - rival.exact)
        enough = mine.score.exact >= needed and mine.score.steps > rival.steps
        word = "would have won" if enough else "would not have won"
        yield f"{word}: after {theirs}, one needs {shown(needed)} and a step more on the grid"


def _passes(votes: str, replay: EpochReplay) -> bool:
    return 2 * votes.count("1") > replay.parameters.runs


def _marks(votes: str) -> str:
    return "".join("✓" if vote == "1" else "✗" for vote in votes)
