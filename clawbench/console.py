"""What both commands do around their command line: errors become lines and exit statuses, groups import lazily."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module

import click

_MOST_PROBLEMS = 40


class LazyGroup(click.Group):
    """A group that knows its commands' names and one-line helps without importing them.

    ``commands_in`` maps a name to its help; the command is ``command`` of the module of that name in ``package``.
    """

    def __init__(self, *args: object, commands_in: Mapping[str, str], package: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._helps = dict(commands_in)
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._helps)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._helps:
            return None
        command = import_module(f".{cmd_name}", self._package).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._helps.items()) or [("", "none yet")])


def exit_status(cli: click.Command) -> int:
    """Runs a command line; returns 0, 1 (failed), 2 (usage or input) or 3 (infrastructure)."""
    from .errors import ClawbenchError
    from .report.plain import shown_problem

    try:
        status = cli.main(standalone_mode=False)
    except ClawbenchError as error:
        for problem in error.problems[:_MOST_PROBLEMS]:
            click.echo(f"error: {shown_problem(problem)}", err=True)
        if len(error.problems) > _MOST_PROBLEMS:
            click.echo(f"and {len(error.problems) - _MOST_PROBLEMS} more", err=True)
        return error.exit_status
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status if isinstance(status, int) else 0
