"""``clawbench score``: recorded runs judged again, or public episode files judged at all."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("score", short_help="Score recorded runs again, or public episode files.")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="[RUN|DIR]...")
@click.option("--scenario", metavar="FILE", help="Judge by this rubric instead of the recorded one's name.")
@click.option("--episode", type=click.Path(path_type=Path), metavar="FILE", help="Public ClawBench episodes, JSONL.")
@click.option("--seed", default="0", show_default=True, metavar="S", help="The world that --episode was played in.")
@click.option("--user-context", metavar="JSON|FILE", help="Overrides of the identity, for --episode.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes; one per core by default.")
def command(
    runs: tuple[Path, ...],
    scenario: str | None,
    episode: Path | None,
    seed: str,
    user_context: str | None,
    as_json: bool,
    jobs: int | None,
) -> int:
    """Judge recorded runs again and say whether the same bytes came out.

    RUN is a trajectory or a bench's folder. With --episode, a line of JSON is printed for each episode of a
    public ClawBench file, judged by --scenario. Exits with 1 if a run recorded with the same scenario and world
    now scores differently.
    """
    if episode is not None:
        if scenario is None:
            raise click.UsageError("--episode needs --scenario FILE to be judged by")
        if runs:
            raise click.UsageError("give either runs or --episode, not both")
        return _score_episodes(episode, scenario, seed, user_context)
    if not runs:
        raise click.UsageError("name a run or a bench's folder, or --scenario FILE --episode FILE")
    return _score_runs(runs, scenario, as_json, jobs)


def _score_episodes(episode: Path, scenario: str, seed: str, user_context: str | None) -> int:
    import orjson

    from .. import draws
    from ..episodes import read_episodes, score_episode
    from ..library import scenario_path
    from ..rubric import rubric_for
    from ..scenario import load_scenario, render_world
    from .run import user_context_of

    loaded = load_scenario(scenario_path(scenario))
    world = render_world(loaded, draws.local_seed(seed), user_context=user_context_of(user_context))
    rubric = rubric_for(loaded, world)
    for given in read_episodes(episode):
        click.echo(orjson.dumps(score_episode(rubric, world, given)).decode())
    return 0


def _score_runs(places: tuple[Path, ...], scenario: str | None, as_json: bool, jobs: int | None) -> int:
    from fractions import Fraction

    import orjson

    from ..library import scenario_path
    from ..report.plain import decimal, printable
    from ..rescorer import rescored
    from ..trajectory import trajectory_paths

    rows = []
    differing = 0
    other = None if scenario is None else scenario_path(scenario)
    for row in rescored(list(trajectory_paths(places)), scenario=other, processes=jobs):
        differs = scenario is None and not (row.same and row.world_same)
        differing += differs
        rows.append(
            {
                "path": row.path,
                "pack": row.pack,
                "scenario": row.scenario,
                "run": row.run,
                "status": row.status,
                "score": float(Fraction(row.score)),
                "recorded": None if row.recorded is None else float(Fraction(row.recorded)),
                "same": row.same,
                "world_same": row.world_same,
                "passed": list(row.passed),
            }
        )
        if not as_json:
            verdict = (
                "same bytes"
                if row.same and row.world_same
                else "another world: the scenario or its fixtures have changed"
                if not row.world_same
                else "another verdict"
            )
            click.echo(f"{decimal(Fraction(row.score), 4)}  {verdict:<12} {printable(row.path, 1000)}")
    if as_json:
        click.echo(orjson.dumps({"runs": rows, "differing": differing}, option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo(
            f"{len(rows)} runs, {differing} with another result than recorded" if rows else "no whole runs there"
        )
    return 1 if differing else 0
