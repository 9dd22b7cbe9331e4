"""``trajectoryrl epoch``: what an epoch asks, past or future."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..plan import EpochPlan
    from ..protocol import Parameters


@click.group("epoch", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """What an epoch asks, past or future."""


@command.command("show")
@click.option("--block", type=click.IntRange(min=0), help="The epoch that this block lies in.")
@click.option("--epoch", "number", type=click.IntRange(min=0), help="The epoch of this number.")
@click.option("--netuid", type=click.IntRange(0, 65_535), help="The subnet's number [default: the chain's, or 11].")
@click.option("--beacon", metavar="HEX", help="The hash of the epoch's first block, if you know it.")
@click.option("--chain", "chain", metavar="NAME", help="Read head and beacon there: local:PATH, a URL, a network.")
@click.option("--facts", is_flag=True, help="Print the drawn facts, too.")
@click.option(
    "--protocol", type=click.Path(path_type=Path), envvar="PROTOCOL_FILE", help="A private network's protocol.toml."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(
    block: int | None,
    number: int | None,
    netuid: int | None,
    beacon: str | None,
    chain: str | None,
    facts: bool,
    protocol: Path | None,
    as_json: bool,
) -> int:
    """Print the plan of an epoch: seed, identity, scenarios and run seeds; the facts once its first block exists.

    Without --block and --epoch it is the current epoch of --chain.
    """
    import asyncio
    import json

    from ..epoch import epoch_of, plan
    from ..errors import InvalidInput
    from ..protocol import parameters

    given = parameters(protocol)
    if block is not None and number is not None:
        raise InvalidInput.of("USAGE", "give --block or --epoch, not both")
    if beacon is not None and chain is not None:
        raise InvalidInput.of("USAGE", "give --beacon or --chain, not both")
    if block is not None:
        number = epoch_of(block, given)
    if chain is not None:
        number, netuid, beacon = asyncio.run(_read(chain, netuid, number, given))
    if number is None:
        raise InvalidInput.of("USAGE", "which epoch? give --block, --epoch or --chain")
    if beacon is not None:
        beacon = beacon.strip().removeprefix("0x").lower()
    made = plan(11 if netuid is None else netuid, number, beacon, given)
    drawn = _facts(made) if facts else {}
    if as_json:
        click.echo(json.dumps(_plain(made, given, drawn if facts else None), indent=2, ensure_ascii=False))
        return 0
    for line in _lines(made, given, drawn, facts):
        click.echo(line)
    return 0


async def _read(name: str, netuid: int | None, number: int | None, given: Parameters) -> tuple[int, int, str | None]:
    """Epoch, netuid, and the beacon if the epoch's first block is finalized."""
    from ..chain import named_chain
    from ..epoch import epoch_of, first_block

    chain = await named_chain(name, netuid)
    try:
        finalized = await chain.finalized()
        if number is None:
            number = epoch_of(await chain.head(), given)
        first = first_block(number, given)
        return number, chain.netuid, (await chain.block(first)).hash if first <= finalized else None
    finally:
        await chain.close()


def _facts(made: EpochPlan) -> dict[str, dict[str, str]]:
    """What is true in each scenario, as it is written; nothing without a beacon."""
    from clawbench.scenario import load_scenario, render_world

    from ..protocol import library

    if made.beacon is None:
        return {}
    drawn = {}
    for name in made.scenarios:
        world = render_world(load_scenario(library() / "scenarios" / f"{name}.yaml"), made.seed, made.beacon)
        drawn[name] = {fact: value.text for fact, value in sorted(world.facts.items())}
    return drawn


def _plain(made: EpochPlan, given: Parameters, drawn: dict[str, dict[str, str]] | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "netuid": made.netuid,
        "epoch": made.number,
        "first_block": made.first_block,
        "last_block": made.first_block + given.blocks_per_epoch - 1,
        "seed": made.seed,
        "beacon": made.beacon,
        "identity": dict(made.identity),
        "scenarios": list(made.scenarios),
        "fact_seeds": dict(made.fact_seeds),
        "run_seeds": list(made.run_seeds),
        "parameters": given.hash,
        "version_key": given.version_key,
    }
    if drawn is not None:
        shown["facts"] = drawn
    return shown


def _lines(made: EpochPlan, given: Parameters, drawn: dict[str, dict[str, str]], facts: bool) -> list[str]:
    who = made.identity
    last = made.first_block + given.blocks_per_epoch - 1
    lines = [
        f"epoch {made.number} of subnet {made.netuid}, blocks {made.first_block} to {last}",
        "",
        f"seed        {made.seed}",
        f"beacon      {made.beacon or f'known once block {made.first_block} is finalized'}",
        f"user        {who['name']}, {who['role']} at {who['company']}, {who['department']}",
        f"date        {who['date']}, {who['timezone']}",
        f"run seeds   {', '.join(map(str, made.run_seeds))}",
        f"parameters  {given.hash[:16]}…{' (not the shipped ones)' if given.changed else ''}",
        "",
    ]
    for name in made.scenarios:
        seed = made.fact_seeds.get(name)
        lines.append(f"{name:<20}  {f'fact seed {seed[:16]}…' if seed else 'facts are not drawn yet'}")
        lines += [f"  {fact:<18}  {value}" for fact, value in drawn.get(name, {}).items()]
    if facts and made.beacon is None:
        lines += ["", f"No facts yet: they are drawn from the hash of block {made.first_block}."]
    return lines
