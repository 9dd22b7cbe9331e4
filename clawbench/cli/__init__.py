"""The command line: one module per command, imported when it is called for."""

from __future__ import annotations

from importlib import import_module

import click

from .. import __version__

_COMMANDS = {
    "run": "Run a pack through scenarios and explain its score.",
    "score": "Score recorded runs again, or public episode files.",
    "list": "List scenarios, packs and models.",
    "lint": "Find mistakes in scenario files.",
    "init": "Write a small working scenario or pack.",
    "schema": "Print the JSON Schema of scenario files.",
}


class _LazyGroup(click.Group):
    """Knows its commands' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f".{cmd_name}", __name__).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: clawbench run client_escalation --pack packs/careful",
)
@click.version_option(__version__, "-V", "--version", prog_name="clawbench", message="%(prog)s %(version)s")
def cli() -> None:
    """pytest for AGENTS.md: see, check by check, what a policy pack does to an agent."""
