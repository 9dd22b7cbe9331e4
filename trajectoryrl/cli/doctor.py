"""``trajectoryrl doctor``: whether a validator could work here."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click


@click.command(
    "doctor",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(words: tuple[str, ...]) -> int:
    """Looks at a live network and this machine, read-only; takes the validator's own flags."""
    from ..chain.bittensor import BittensorChain, hotkey_of
    from ..doctor import Finding, examined
    from ..errors import InvalidInput
    from ..logs import escaped
    from ..protocol import parameters
    from ..settings import settings

    given = settings(words, prog="trajectoryrl doctor", about=command.help or "")
    first: list[Finding] = []
    key = None
    try:
        key = hotkey_of(given.wallet_name, given.wallet_hotkey, given.wallet_path)
    except InvalidInput as error:
        first.append(Finding("hotkey", "fail", error.problems[0].message))

    async def examine() -> list[Finding]:
        fallbacks, archives = list(given.fallbacks) or None, list(given.archives) or None
        chain = BittensorChain(given.network, given.netuid, key, fallbacks=fallbacks, archives=archives)
        try:
            return await examined(given, chain, parameters(Path(given.protocol) if given.protocol else None))
        finally:
            await chain.close()

    found = first + asyncio.run(examine())
    marks = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
    for finding in found:
        click.echo(f"{marks[finding.state]}  {finding.name:<12}  {escaped(finding.said)}")
    failed = sum(finding.state == "fail" for finding in found)
    warned = sum(finding.state == "warn" for finding in found)
    click.echo(f"{failed} failed, {warned} to look at, {len(found) - failed - warned} ok")
    return 1 if failed else 0
