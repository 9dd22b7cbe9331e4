"""The command line: one module per command, imported when it is called for."""

from __future__ import annotations

import click

from .. import __version__
from ..console import LazyGroup

_COMMANDS = {
    "run": "Run a pack through scenarios and explain its score.",
    "estimate": "Say what a run would cost, before it does.",
    "show": "Walk through one run, step by step.",
    "compare": "Say what differs between two runs or two benches.",
    "stats": "Reliability of recorded runs: pass^N, flaky checks.",
    "score": "Score recorded runs again, or public episode files.",
    "list": "List scenarios, packs and models.",
    "models": "List the models that --model can name, or check one.",
    "lint": "Find mistakes in scenario files.",
    "pack": "Make, build, check and show policy packs.",
    "init": "Write a small working scenario or pack.",
    "schema": "Print the JSON Schema of scenario files or packs.",
}


@click.group(
    cls=LazyGroup,
    commands_in=_COMMANDS,
    package=__name__,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: clawbench run client_escalation --pack packs/careful",
)
@click.version_option(__version__, "-V", "--version", prog_name="clawbench", message="%(prog)s %(version)s")
def cli() -> None:
    """pytest for AGENTS.md: see, check by check, what a policy pack does to an agent."""
