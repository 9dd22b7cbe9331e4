"""``clawbench schema``: JSON Schema for editors."""

from __future__ import annotations

import json

import click


@click.command("schema", short_help="Print the JSON Schema of scenario files.")
@click.argument("what", type=click.Choice(["scenario"]), default="scenario")
def command(what: str) -> int:
    """Print the JSON Schema (draft 2020-12) of scenario files, for editors and CI."""
    from ..schema import scenario_schema

    click.echo(json.dumps(scenario_schema(), indent=2, ensure_ascii=False))
    return 0
