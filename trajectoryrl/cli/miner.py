"""``trajectoryrl miner``: publish a pack, commit it, and see what validators will see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..chain.protocol import Chain
    from ..entry import Outcome
    from ..repository import Host
    from ..submission import Verifier


@click.group("miner", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Publish a pack, commit it on chain, and see what validators will see."""


def _network(run: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which network, which key, which host."""
    for option in (
        click.option(
            "--protocol",
            type=click.Path(path_type=Path),
            envvar="PROTOCOL_FILE",
            help="A private network's protocol.toml.",
        ),
        click.option(
            "--evidence",
            type=click.Path(file_okay=False, path_type=Path),
            help="Keep the host's answers in this folder.",
        ),
        click.option("--forge", metavar="URL", envvar="FORGE_URL", help="A forge instead of GitHub (local networks)."),
        click.option("--key", "key_file", metavar="FILE", envvar="KEY_FILE", help="A local network's key file."),
        click.option("--wallet.path", "wallet_path", default="~/.bittensor/wallets", show_default=True),
        click.option("--wallet.hotkey", "wallet_hotkey", default="default", show_default=True),
        click.option("--wallet.name", "wallet_name", default="default", show_default=True),
        click.option("--netuid", type=int, default=11, show_default=True),
        click.option(
            "--network",
            "--chain",
            "--subtensor.network",
            "network",
            default="finney",
            show_default=True,
            envvar="SUBTENSOR_NETWORK",
            help="finney, test, a ws(s):// URL, local:PATH or http://127.0.0.1:PORT.",
        ),
    ):
        run = option(run)
    return run


@command.command("publish")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--repo", "repository", required=True, metavar="OWNER/REPO", help="Where to push; or its URL.")
@click.option("--branch", default="main", show_default=True, help="The repository's default branch.")
@_network
def publish(folder: Path, repository: str, branch: str, **network: Any) -> int:
    """Write the hotkey into the pack, build pack.json, commit and push; print commit and hash."""
    from ..miner import published

    made = published(folder, str(_key(network).ss58_address), repository, _host(network), branch=branch)
    click.echo(f"pushed   {made.repository}\ncommit   {made.commit}\nhash     {made.pack_hash}")
    click.echo(f"next     trajectoryrl miner submit {made.repository} {made.commit} {made.pack_hash}")
    return 0


@command.command("check")
@click.argument("repository", metavar="URL")
@click.argument("commit")
@click.argument("pack_hash", metavar="HASH")
@click.option("--hotkey", help="Who would submit it [default: the key's address].")
@_network
def check(repository: str, commit: str, pack_hash: str, hotkey: str | None, **network: Any) -> int:
    """Verify a submission as a validator does, before paying for it. Exits with 1 if it would be rejected."""
    outcome = asyncio.run(_checked(repository, commit, pack_hash, hotkey, network))
    return _told(outcome)


@command.command("submit")
@click.argument("repository", metavar="URL")
@click.argument("commit")
@click.argument("pack_hash", metavar="HASH")
@click.option("--late", is_flag=True, help="Submit even though the push is too old to count whole.")
@click.option("--unchecked", is_flag=True, help="Do not verify first.")
@_network
def submit(repository: str, commit: str, pack_hash: str, late: bool, unchecked: bool, **network: Any) -> int:
    """Commit a published pack on chain, after the validators' own verification."""
    from ..clock import SystemClock
    from ..commitment import submission_text
    from ..entry import Entry
    from ..errors import InvalidInput
    from ..miner import overtaken_by
    from ..repository import repository_named

    text = submission_text(repository_named(repository), commit, pack_hash)

    async def commit_it() -> int:
        outcome = None if unchecked else await _checked(repository, commit, pack_hash, None, network)
        if outcome is not None and not isinstance(outcome, Entry):
            return _told(outcome)
        chain = await _chain(network, _key(network))
        try:
            if isinstance(outcome, Entry) and not late:
                before = await overtaken_by(chain, outcome, _parameters(network), SystemClock().now_ms())
                if before is not None:
                    who = f"{len(before)} who committed since then could overtake: {', '.join(before[:5])}"
                    who = who if before else "nobody committed since then, but anyone who does now could overtake"
                    said = (
                        f"the push is about an epoch old or older, and more than an epoch does not count; {who}. "
                        "--late submits all the same (pushing again would only be later)"
                    )
                    raise InvalidInput.of("PUSH_TOO_OLD", said)
            block = await chain.commit(text)
        finally:
            await chain.close()
        click.echo(f"committed in block {block}: {text}")
        return 0

    return asyncio.run(commit_it())


@command.command("status")
@click.option("--hotkey", help="Whose submission [default: the key's address].")
@_network
def status(hotkey: str | None, **network: Any) -> int:
    """What validators will see of your submission: an entry and its time, or the code and sentence of a rejection."""
    from ..errors import InvalidInput

    async def look() -> Outcome:
        key: Any = None if hotkey else _key(network)
        chain = await _chain(network, key)
        try:
            snap = await _snapshot(chain, await chain.finalized())
            who = hotkey or str(key.ss58_address)
            said = snap.submitted.get(who)
            if said is None:
                raise InvalidInput.of("NOTHING_SUBMITTED", f"{who} has no submission on subnet {chain.netuid}")
            click.echo(f"on chain   {said.text}\nin block   {said.block}")
            async with _verifying(network, chain) as verifier:
                return await verifier(snap, said)
        finally:
            await chain.close()

    return _told(asyncio.run(look()))


async def _checked(
    repository: str, commit: str, pack_hash: str, hotkey: str | None, network: dict[str, Any]
) -> Outcome:
    from ..clock import SystemClock
    from ..miner import Published, checked
    from ..repository import repository_named

    key: Any = None if hotkey else _key(network)
    chain = await _chain(network, key)
    try:
        made = Published(repository_named(repository), commit, pack_hash)
        who = hotkey or str(key.ss58_address)
        async with _verifying(network, chain) as verifier:
            return await checked(
                verifier, await _snapshot(chain, await chain.head()), made, who, SystemClock().now_ms()
            )
    finally:
        await chain.close()


async def _snapshot(chain: Chain, block: int) -> Any:
    from ..snapshot import snapshot

    return await snapshot(chain, 0, block)


def _told(outcome: Outcome) -> int:
    """Prints an outcome; 0 for an entry, 1 for a rejection, 3 while nobody can say."""
    from datetime import UTC, datetime

    from ..codes import advice
    from ..entry import Entry, Pending
    from ..logs import escaped

    if isinstance(outcome, Entry):
        when = datetime.fromtimestamp(outcome.entry_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        pushed = "no push was seen: the commitment's time counts" if outcome.push_ms is None else "by its push"
        if outcome.push_ms is not None and outcome.entry_ms > outcome.push_ms:
            pushed = "one epoch before its commitment: the push is older"
        _line("entry", f"valid; its time is {when} ({pushed})")
        _line("pack", f"{outcome.pack.name} {outcome.pack.version}")
        _line("hash", outcome.pack.sha256)
        for note in outcome.notes:
            _line("note", escaped(note))
        state = 0
    else:
        pending = isinstance(outcome, Pending)
        _line("pending" if pending else "rejected", f"{outcome.code}: {escaped(outcome.message)}")
        if advised := advice(outcome.code):
            _line("do", advised)
        state = 3 if pending else 1
    for name in outcome.evidence:
        _line("evidence", name)
    return state


def _line(name: str, said: str) -> None:
    """A named line, wrapped to 80 columns."""
    import textwrap

    begin = f"{name:<10} "
    lines = textwrap.TextWrapper(80, begin, " " * 11, break_long_words=False, break_on_hyphens=False)
    click.echo(lines.fill(said))


def _parameters(network: dict[str, Any]) -> Any:
    from ..protocol import parameters

    return parameters(network["protocol"])


def _host(network: dict[str, Any]) -> Host:
    from ..repository import GITHUB, forge_host

    public = not network["network"].startswith(("local", "http://127.0.0.1", "ws://127.0.0.1"))
    return forge_host(network["forge"], public_network=public) if network["forge"] else GITHUB


def _key(network: dict[str, Any]) -> Any:
    from ..operating import key_of
    from ..settings import Settings

    return key_of(
        Settings(
            key_file=network["key_file"] or "",
            wallet_name=network["wallet_name"],
            wallet_hotkey=network["wallet_hotkey"],
            wallet_path=network["wallet_path"],
        )
    )


async def _chain(network: dict[str, Any], key: Any) -> Chain:
    from ..operating import chain_of
    from ..settings import Settings

    return await chain_of(Settings(network=network["network"], netuid=network["netuid"]), key)


@asynccontextmanager
async def _verifying(network: dict[str, Any], chain: Chain) -> AsyncIterator[Verifier]:
    """A validator's verification; the host's answers are kept where the user says, else thrown away."""
    import os
    import tempfile

    from ..archive import Archive
    from ..github import Witness
    from ..submission import Verifier

    host = _host(network)
    with tempfile.TemporaryDirectory(prefix="trajectoryrl-") as scratch:
        archive = Archive(network["evidence"] or Path(scratch) / "evidence")
        witness = Witness(host, archive, token=os.environ.get("GITHUB_TOKEN") if host.public else None)
        try:
            yield Verifier(chain, host, witness, _parameters(network), scratch=Path(scratch))
        finally:
            await witness.close()
