"""``trajectoryrl doctor``: whether a validator could work here."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import click


@click.command(
    "doctor",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(words: tuple[str, ...]) -> int:
    """Looks at a network and this machine, read-only; takes the validator's own flags."""
    from ..doctor import Finding, examined, examined_local
    from ..errors import InvalidInput
    from ..logs import escaped
    from ..operating import key_of
    from ..protocol import parameters
    from ..settings import settings

    given = settings(words, prog="trajectoryrl doctor", about=command.help or "")
    rules = parameters(Path(given.protocol).expanduser() if given.protocol else None)
    local = given.network.startswith(("local:", "http://"))
    first: list[Finding] = []
    key = None
    try:
        if local and not given.key_file:
            raise InvalidInput.of("KEY_FILE", "give --key: a local network keeps its keys in localnet/keys/NAME.json")
        key = key_of(given)
    except InvalidInput as error:
        first.append(Finding("hotkey", "fail", error.problems[0].message))

    async def examine() -> list[Finding]:
        if local:
            return await examined_local(given, rules, key)
        from ..chain.bittensor import BittensorChain

        fallbacks, archives = list(given.fallbacks) or None, list(given.archives) or None
        chain = BittensorChain(given.network, given.netuid, key, fallbacks=fallbacks, archives=archives)
        try:
            return await examined(given, chain, rules)
        finally:
            await chain.close()

    found = first + asyncio.run(examine())
    marks = {"ok": "ok  ", "warn": "warn", "fail": "FAIL", "none": "n/a "}
    for finding in found:
        click.echo(f"{marks[finding.state]}  {finding.name:<12}  {escaped(finding.said)}")
    count = Counter(finding.state for finding in found)
    absent = f", {count['none']} not applicable" if count["none"] else ""
    click.echo(f"{count['fail']} failed, {count['warn']} to look at, {count['ok']} ok{absent}")
    return 1 if count["fail"] else 0
