"""``clawbench pack``: from a folder of texts to a pack.json, and what is in one."""

from __future__ import annotations

from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..errors import Problem


@click.group("pack", short_help="Make, build, check and show policy packs.")
def command() -> None:
    """Make, build, check and show policy packs.

    A pack is a folder with AGENTS.md and pack.yaml, the pack.json built from it, or one .md file.
    """


@command.command("init", short_help="Write NAME/AGENTS.md and NAME/pack.yaml.")
@click.argument("name")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path(), metavar="DIR", help="Where; here.")
def init(name: str, folder: Path) -> int:
    """Write a small working pack to change: NAME/AGENTS.md and NAME/pack.yaml. Nothing is overwritten."""
    from .init import write_new_pack

    return write_new_pack(name, folder)


@command.command("build", short_help="Write the canonical pack.json of a folder.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where; DIR/pack.json.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the file is not what would be written.")
def build(folder: Path, output: Path | None, check: bool) -> int:
    """Write the canonical pack.json of a folder, and print its hash.

    The .md files but README.md go in as they are, with Unix line ends; the rest comes from pack.yaml.
    """
    from ..pack import pack_json
    from ..packbuild import built_pack, is_written, write_whole

    pack = built_pack(folder)
    place = output or folder / "pack.json"
    if check:
        if not is_written(place, pack_json(pack)):
            click.echo(f"{_plain(place)} is not what `clawbench pack build {_plain(folder)}` writes", err=True)
            return 1
        click.echo(f"{_plain(place)} is up to date")
        return 0
    write_whole(place, pack_json(pack))
    click.echo(f"wrote {_plain(place)}: {pack.name} {pack.version}, {len(pack.canonical) + 1:,} bytes")
    click.echo(pack.sha256)
    return 0


@command.command("lint", short_help="Find mistakes in packs.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--strict", is_flag=True, help="Exit 1 on warnings, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def lint(paths: tuple[str, ...], strict: bool, as_json: bool) -> int:
    """Check packs; exits 2 if one is invalid, 0 with warnings.

    Every problem has its place as JSON pointer, what was found and what is allowed.
    """
    from ..errors import PackRejected
    from ..library import pack_path
    from ..pack import load_pack
    from ..packlint import drawn_values, stale_build, warnings_of
    from ..report.plain import shown_problem

    invalid = warned = False
    drawn: dict[str, str] | None = None
    report: list[dict[str, Any]] = []
    for name in paths:
        problems: tuple[Problem, ...] = ()
        warnings: list[Any] = []
        try:
            place = pack_path(name)
            pack = load_pack(place)
        except PackRejected as why:
            problems = why.problems
        else:
            drawn = drawn_values() if drawn is None else drawn
            warnings = [*stale_build(place, pack), *warnings_of(pack, name, drawn)]
        invalid, warned = invalid or bool(problems), warned or bool(warnings)
        if as_json:
            found = {"problems": list(map(_document, problems)), "warnings": list(map(_document, warnings))}
            report.append({"pack": name, **found})
            continue
        for problem in problems:
            click.echo(f"error: {shown_problem(problem)}")
        for warning in warnings:
            click.echo(f"warning: {shown_problem(warning)}")
        if not problems and not warnings:
            click.echo(f"{_plain(name)}: no problems")
    if as_json:
        _print_json({"schema": "clawbench/pack-lint/1", "packs": report})
    return 2 if invalid else 1 if strict and warned else 0


@command.command("hash", short_help="Print the hash that names a pack.")
@click.argument("path", metavar="PATH")
@click.option("--json", "as_json", is_flag=True, help="Print this hash and those of content and likeness.")
def hash_of(path: str, as_json: bool) -> int:
    """Print the hash that names a pack: sha256 of json.dumps(pack, sort_keys=True)."""
    from ..library import pack_path
    from ..pack import load_pack

    pack = load_pack(pack_path(path))
    if as_json:
        from ..packview import identities

        _print_json({"schema": "clawbench/pack-hash/1", "pack": path, **identities(pack)})
    else:
        click.echo(pack.sha256)
    return 0


@command.command("show", short_help="Show what a pack offers an agent.")
@click.argument("path", metavar="PATH")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(path: str, as_json: bool) -> int:
    """Show what a pack offers an agent: tools left in each scenario, gates, stop rules, size of its prompt."""
    from ..errors import ClawbenchError
    from ..library import pack_path, scenario_paths
    from ..pack import load_pack
    from ..packview import pack_document, pack_lines
    from ..scenario import load_scenario

    pack = load_pack(pack_path(path))
    scenarios = {}
    for place in scenario_paths():
        try:
            scenario = load_scenario(place)
        except ClawbenchError:
            continue
        scenarios[scenario.name] = scenario.tools
    document = pack_document(pack, scenarios)
    if as_json:
        _print_json(document)
        return 0
    for line in pack_lines(document, max(40, get_terminal_size().columns)):
        click.echo(line)
    return 0


def _document(problem: Problem) -> dict[str, str]:
    more = {name: getattr(problem, name) for name in ("pointer", "found", "allowed") if hasattr(problem, name)}
    return {"code": problem.code, "where": problem.where, "message": problem.message, **more}


def _plain(text: object) -> str:
    from ..report.plain import printable

    return printable(str(text), 200)


def _print_json(document: object) -> None:
    import json

    click.echo(json.dumps(document, indent=2))
