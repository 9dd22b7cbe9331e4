"""``trajectoryrl localnet``: a network of this machine, to play with real processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..localnet import Localnet


@click.group("localnet", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """A network of this machine, to play with real processes."""


@command.command("up")
@click.option("--validators", type=click.IntRange(0, 64), default=3, show_default=True, help="Keys with a permit.")
@click.option("--miners", type=click.IntRange(0, 128), default=3, show_default=True, help="Keys without.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=Path("localnet"), show_default=True, help="Its folder."
)
@click.option("--block-seconds", type=click.IntRange(1, 60), default=1, show_default=True, help="A block's length.")
@click.option("--epoch-blocks", type=click.IntRange(20, 100_000), default=120, show_default=True, help="An epoch's.")
@click.option("--chain-port", type=click.IntRange(0, 65_535), default=0, help="The chain's port [default: a free one].")
@click.option("--forge-port", type=click.IntRange(0, 65_535), default=0, help="The forge's port [default: a free one].")
def up(
    validators: int,
    miners: int,
    folder: Path,
    block_seconds: int,
    epoch_blocks: int,
    chain_port: int,
    forge_port: int,
) -> int:
    """Serve a chain and a forge on 127.0.0.1 until Ctrl-C, with keys for validators and miners.

    The same --dir goes on where it stopped; its blocks and epochs stay as they were made.
    """
    import signal
    import threading

    from ..localnet import localnet

    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    with localnet(folder, validators, miners, block_seconds, epoch_blocks, chain_port, forge_port) as net:
        for line in _lines(net):
            click.echo(line)
        while not ended.wait(0.5):
            pass
    click.echo("down; the same command goes on with it")
    return 0


def _lines(net: Localnet) -> list[str]:
    rules, keys, env = net.folder / "protocol.toml", net.folder / "keys", net.folder / "env"
    blocks = net.parameters.blocks_per_epoch
    every = "second" if net.block_seconds == 1 else f"{net.block_seconds} s"
    roles = [role for kind in ("validator", "miner") if (role := _role(net.keys, kind))]
    return [
        f"a network of this machine, subnet {net.network.rules.netuid}; Ctrl-C ends it",
        "",
        f"chain   {net.chain}   a block every {every}, {blocks} blocks an epoch",
        f"forge   {net.forge}   a push to /OWNER/REPO.git makes a repository",
        f"keys    {keys}   {', '.join(['owner', *roles])}",
        f"rules   {rules}   the shipped parameters{' with shorter epochs' if net.parameters.changed else ''}",
        "",
        "See what the current epoch asks, and the facts of one that has begun:",
        "",
        f"  trajectoryrl epoch show --chain {net.chain} \\",
        f"    --protocol {rules}",
        "",
        "Play a miner, in another terminal; publish prints what to submit:",
        "",
        f"  set -a; . {env}; KEY_FILE={keys / 'miner-1.json'}",
        "  trajectoryrl miner publish FOLDER --repo me/pack",
        "  trajectoryrl miner status",
        "",
        "Play a validator:",
        "",
        f"  export KEY_FILE={keys / 'validator-1.json'}",
        f"  python neurons/validator.py --env {env} \\",
        f"    --model offline --state {net.folder / 'validator-1'}",
    ]


def _role(names: tuple[str, ...], kind: str) -> str:
    count = sum(name.startswith(f"{kind}-") for name in names)
    return f"{kind}-1 to {count}" if count > 1 else f"{kind}-1" if count else ""
