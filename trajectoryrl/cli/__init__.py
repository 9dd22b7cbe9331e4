"""The command line: one module per command, imported when it is called for."""

from __future__ import annotations

import click

from clawbench import __version__
from clawbench.console import LazyGroup

_COMMANDS: dict[str, str] = {
    "epoch": "What an epoch asks, past or future.",
    "tournament": "Let packs compete on a network of this machine; say who wins, and why.",
    "audit": "Replay an epoch from its record: the same bytes, or what differs.",
    "replay": "Run an epoch's exact facts on your pack, beside the winner.",
    "localnet": "A network of this machine, to play with real processes.",
    "miner": "Publish a pack, commit it, and see what validators will see.",
    "forge": "Repositories and push times for a network of this machine.",
    "validator": "Run one, see what an epoch will cost, serve its records.",
    "epochs": "A validator's epochs: how far each came, who won, where its record is.",
    "leaderboard": "Who stood where in an epoch, and what they get.",
    "runs": "Every attempt at every run of an epoch.",
    "why": "What became of one miner in an epoch, and why.",
    "doctor": "Look whether a validator could work here; read-only.",
}


@click.group(
    cls=LazyGroup,
    commands_in=_COMMANDS,
    package=__name__,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: trajectoryrl tournament packs/*",
)
@click.version_option(__version__, "-V", "--version", prog_name="trajectoryrl", message="%(prog)s %(version)s")
def cli() -> None:
    """The subnet: who submitted what, who wins, and the proof of it."""
