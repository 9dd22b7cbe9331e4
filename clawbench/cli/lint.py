"""``clawbench lint``: mistakes in scenario files, all of them at once."""

from __future__ import annotations

import click


@click.command("lint", short_help="Find mistakes in scenario files.")
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...")
@click.option("--strict", is_flag=True, help="Exit 1 on warnings, too.")
def command(scenarios: tuple[str, ...], strict: bool) -> int:
    """Check scenario files and their fixtures; exits 2 on an error, 0 with warnings."""
    from ..library import scenario_path
    from ..lint import lint_scenario
    from ..report.plain import shown_problem

    errors = warnings = 0
    for name in scenarios:
        report = lint_scenario(scenario_path(name))
        for problem in report.problems:
            click.echo(f"error: {shown_problem(problem)}")
        for problem in report.warnings:
            click.echo(f"warning: {shown_problem(problem)}")
        errors += len(report.problems)
        warnings += len(report.warnings)
        if not report.problems and not report.warnings:
            click.echo(f"{name}: no problems")
    if errors:
        return 2
    return 1 if strict and warnings else 0
