"""The ``trajectoryrl`` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs the command line; returns its exit status."""
    from clawbench.console import exit_status

    from .cli import cli

    return exit_status(cli)


if __name__ == "__main__":
    sys.exit(main())
