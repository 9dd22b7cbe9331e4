"""``clawbench schema``: JSON Schema for editors."""

from __future__ import annotations

import json

import click


@click.command("schema", short_help="Print the JSON Schema of scenario files or packs.")
@click.argument("what", type=click.Choice(["scenario", "pack"]), default="scenario")
def command(what: str) -> int:
    """Print the JSON Schema (draft 2020-12) of scenario files or of a pack.json, for editors and CI."""
    if what == "pack":
        from ..packschema import pack_schema

        schema = pack_schema()
    else:
        from ..schema import scenario_schema

        schema = scenario_schema()
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
    return 0
