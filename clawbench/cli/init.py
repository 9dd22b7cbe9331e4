"""``clawbench init``: a small working scenario or pack to begin with."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("init", short_help="Write a small working scenario or pack.")
def command() -> None:
    """Write a small working scenario or pack to change into your own."""


@command.command("scenario", short_help="Write scenarios/NAME.yaml and fixtures/NAME/.")
@click.argument("name")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path(), metavar="DIR", help="Where; here.")
def scenario(name: str, folder: Path) -> int:
    """Write scenarios/NAME.yaml and fixtures/NAME/, which run as they are. Nothing is overwritten."""
    from ..starters import write_scenario

    path = _written(write_scenario(name, folder))
    click.echo(f"\ntry it:    clawbench run {path} --pack careful")
    click.echo(f"check it:  clawbench lint {path}")
    click.echo(f"attack it: clawbench lint {path} --red-team")
    return 0


@command.command("pack", short_help="Write NAME/AGENTS.md and NAME/pack.yaml.")
@click.argument("name")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path(), metavar="DIR", help="Where; here.")
def pack(name: str, folder: Path) -> int:
    """Write NAME/AGENTS.md and NAME/pack.yaml. Nothing is overwritten."""
    return write_new_pack(name, folder)


def write_new_pack(name: str, folder: Path) -> int:
    """Writes a pack's folder and says what to do with it; the exit status."""
    from ..starters import write_pack

    path = _written(write_pack(name, folder))
    click.echo(f"\ntry it:   clawbench run client_escalation --pack {path.parent}")
    click.echo(f"check it: clawbench pack lint {path.parent}")
    click.echo(f"build it: clawbench pack build {path.parent}")
    return 0


def _written(paths: list[Path]) -> Path:
    """Names each file on a line of its own, and gives the first."""
    for path in paths:
        click.echo(f"wrote {path}")
    return paths[0]
