"""The ``clawbench`` command: presents errors with their codes and turns them into exit statuses."""

from __future__ import annotations

import os
import sys

_MOST_PROBLEMS = 40


def main() -> int:
    """Runs the command line; returns 0, 1 (failed), 2 (usage or input) or 3 (infrastructure)."""
    import click

    from .cli import cli
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


if __name__ == "__main__":
    sys.exit(main())
