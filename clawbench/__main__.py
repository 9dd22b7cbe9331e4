"""The ``clawbench`` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs the command line; returns its exit status."""
    from .cli import cli
    from .console import exit_status

    return exit_status(cli)


if __name__ == "__main__":
    sys.exit(main())
