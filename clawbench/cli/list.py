"""``clawbench list``: what can be run here, by name."""

from __future__ import annotations

from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import click


@click.command("list", short_help="List scenarios, packs and models.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> int:
    """List the scenarios, packs and models that can be called by name."""
    import json

    from ..errors import ClawbenchError
    from ..library import library_folders, scenario_paths
    from ..models import KNOWN
    from ..report.plain import printable
    from ..scenario import load_scenario
    from ..tally import number

    scenarios: list[dict[str, Any]] = []
    for path in scenario_paths():
        try:
            scenario = load_scenario(path)
        except ClawbenchError as error:
            scenarios.append({"name": path.stem, "path": str(path), "error": str(error.problems[0])})
            continue
        scenarios.append(
            {
                "name": scenario.name,
                "path": str(path),
                "difficulty": scenario.difficulty,
                "weight": number(scenario.weight),
                "checks": len(scenario.checks),
                "compat": scenario.compat,
                "pool": scenario.pool,
                "description": " ".join(scenario.description.split()),
            }
        )
    packs: dict[str, str] = {}
    for folder in library_folders():
        for place in sorted((folder / "packs").glob("*/AGENTS.md")):
            packs.setdefault(place.parent.name, str(Path(place.parent)))
    if as_json:
        listing = {"scenarios": scenarios, "packs": [{"name": n, "path": p} for n, p in packs.items()]}
        click.echo(json.dumps({**listing, "models": [{"name": n, "what": w} for n, w in KNOWN.items()]}, indent=2))
        return 0
    room = max(40, get_terminal_size().columns - 24)
    click.secho("Scenarios", bold=True)
    for row in scenarios:
        if "error" in row:
            click.echo(f"  {row['name']:<20} {printable(row['error'], 200)}")
            continue
        mark = "  (compat)" if row["compat"] else "" if row["pool"] else "  (outside the epoch pool)"
        click.echo(f"  {row['name']:<20} {row['difficulty']:<7} {row['checks']:>2} checks{mark}")
        click.echo(f"  {'':<20} {printable(row['description'], room)}")
    if not scenarios:
        click.echo("  none: run this in a folder with scenarios/, or give a path to `clawbench run`")
    click.secho("Packs", bold=True)
    for name, folder_name in packs.items():
        click.echo(f"  {name:<20} {folder_name}")
    click.secho("Models", bold=True)
    for name, what in KNOWN.items():
        click.echo(f"  {name:<20} {what}")
    return 0
