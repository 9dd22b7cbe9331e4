"""Mine: ``python neurons/miner.py publish FOLDER --repo OWNER/REPO --netuid 11 --wallet.name NAME …``.

The commands of ``trajectoryrl miner`` with the flags, environment and ``.env`` file of the validator; flags may stand
before the command, too. Nothing has to keep running: a pack is published and committed, and validators come for it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

COMMANDS = ("publish", "check", "submit", "status")
FIELDS = ("netuid", "network", "wallet_name", "wallet_hotkey", "wallet_path", "key_file", "forge", "protocol")


def rewritten(words: Sequence[str]) -> list[str]:
    """The command line of ``trajectoryrl miner`` that ``words``, the environment and ``.env`` mean.

    Raises InvalidInput for a setting without meaning.
    """
    import argparse

    from trajectoryrl.settings import Settings, flags_of, settings

    command = next((place for place, word in enumerate(words) if word in COMMANDS and _bare(words, place)), None)
    if command is None:
        return list(words)
    given = [*words[:command], *words[command + 1 :]]
    known = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    known.add_argument("--env")
    for field in FIELDS:
        known.add_argument(*flags_of(field), dest=field)
    found, rest = known.parse_known_args(given)
    own = [
        part
        for name in ("env", *FIELDS)
        if (value := getattr(found, name)) is not None
        for part in ("--env" if name == "env" else flags_of(name)[0], value)
    ]
    said = settings(own, prog="miner.py", about="", only=FIELDS)
    default = Settings()
    flags = {"network": "--network", "key_file": "--key"}
    made = [
        part
        for name in FIELDS
        if getattr(said, name) != getattr(default, name)
        for part in (flags.get(name, flags_of(name)[0]), str(getattr(said, name)))
    ]
    return [words[command], *made, *rest]


def _bare(words: Sequence[str], place: int) -> bool:
    """Whether the word at ``place`` is no flag's value."""
    before = words[place - 1] if place else ""
    return not before.startswith("--") or "=" in before


def main() -> int:
    """Reads the command line; returns an exit status."""
    import click

    from clawbench.console import exit_status
    from trajectoryrl.cli.miner import command
    from trajectoryrl.errors import ClawbenchError

    try:
        words = rewritten(sys.argv[1:])
    except ClawbenchError as error:
        from clawbench.report.plain import shown_problem

        for problem in error.problems:
            click.echo(f"error: {shown_problem(problem)}", err=True)
        return error.exit_status
    sys.argv = ["miner.py", *words]
    return exit_status(command)


if __name__ == "__main__":
    sys.exit(main())
