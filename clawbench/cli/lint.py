"""``clawbench lint``: mistakes in scenario files, all of them at once, and what a rubric gives for nothing."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("lint", short_help="Find mistakes in scenario files.")
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...")
@click.option("--strict", is_flag=True, help="Exit 1 on warnings, too.")
@click.option("--deep", is_flag=True, help="Also run packs, to find checks that nothing passes or fails.")
@click.option("--red-team", is_flag=True, help="Attack the rubric with agents that do not do the work.")
@click.option("--seeds", default=20, show_default=True, metavar="N", help="Seeds of the red team.")
@click.option("-j", "--jobs", default=1, show_default=True, metavar="N", help="Processes of the red team.")
@click.option(
    "--answers",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Correct answers as DIR/SCENARIO/correct/*; tests/answers beside the scenarios unless given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines and tables.")
def command(
    scenarios: tuple[str, ...],
    strict: bool,
    deep: bool,
    red_team: bool,
    seeds: int,
    jobs: int,
    answers: Path | None,
    as_json: bool,
) -> int:
    """Check scenario files and their fixtures; exits 2 on an error, 0 with warnings.

    With --red-team it plays agents that do nothing, print keywords, dump what they read or copy another day, over
    many seeds, and exits 1 if one of them gets more than its bar.
    """
    from ..library import scenario_path

    if answers is not None and not answers.is_dir():
        raise click.BadParameter(f"there is no folder {str(answers)!r}", param_hint="--answers")
    paths = [scenario_path(name) for name in scenarios]
    if red_team:
        return _attacked(paths, seeds, jobs, answers, as_json)
    return _linted(list(zip(scenarios, paths, strict=True)), strict, deep, answers, as_json)


def _linted(named: list[tuple[str, Path]], strict: bool, deep: bool, answers: Path | None, as_json: bool) -> int:
    from ..lint import lint_scenario
    from ..report.plain import shown_problem

    errors = warnings = 0
    found = []
    for name, path in named:
        report = lint_scenario(path)
        if deep and not report.problems:
            from ..deeplint import deep_warnings

            report = report.with_warnings(deep_warnings(path, answers or _beside(path)))
        errors += len(report.problems)
        warnings += len(report.warnings)
        if as_json:
            found.append({"scenario": name, **report.document()})
            continue
        for problem in report.problems:
            click.echo(f"error: {shown_problem(problem)}")
        for problem in report.warnings:
            click.echo(f"warning: {shown_problem(problem)}")
        if not report.problems and not report.warnings:
            click.echo(f"{name}: no problems")
    if as_json:
        _print_json({"schema": "clawbench/lint/1", "scenarios": found})
    if errors:
        return 2
    return 1 if strict and warnings else 0


def _attacked(paths: list[Path], seeds: int, jobs: int, answers: Path | None, as_json: bool) -> int:
    from ..redteam import red_team
    from ..report.redteam import print_red_team, watched

    if jobs < 1:
        raise click.BadParameter(f"{jobs} is not at least 1", param_hint="--jobs")
    findings = []
    for path in paths:
        with watched(path.stem, show=not as_json) as watch:
            findings.append(red_team(path, seeds=seeds, jobs=jobs, answers=answers or _beside(path), watch=watch))
        if not as_json:
            print_red_team(findings[-1])
    if as_json:
        _print_json({"schema": "clawbench/red-team/1", "scenarios": [one.document() for one in findings]})
    return 1 if any(one.broken for one in findings) else 0


def _beside(path: Path) -> Path | None:
    """``tests/answers`` beside the folder of scenarios, if it is there."""
    folder = path.resolve().parent.parent / "tests" / "answers"
    return folder if folder.is_dir() else None


def _print_json(document: object) -> None:
    import orjson

    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
