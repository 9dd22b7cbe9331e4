"""A validator as an operator runs it: settings in, a process that lives through epochs until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ClawbenchError
from .faults import reach
from .health import Health, health_served
from .settings import Settings

if TYPE_CHECKING:
    from clawbench.budget import Budget
    from clawbench.models.protocol import Model

    from .chain.protocol import Chain
    from .ledger import Ledger
    from .protocol import Parameters


def key_of(settings: Settings) -> Any:
    """The keypair that the settings name: a local network's key file, else a wallet's hotkey.

    Raises InvalidInput.
    """
    if settings.key_file:
        from .chain.keys import read_key

        return read_key(Path(settings.key_file).expanduser())
    from .chain.bittensor import hotkey_of

    return hotkey_of(settings.wallet_name, settings.wallet_hotkey, settings.wallet_path)


async def chain_of(settings: Settings, key: Any) -> Chain:
    """The chain that the settings name. Raises InvalidInput, ChainUnavailable."""
    from .chain import named_chain

    name = settings.network
    local = name.startswith(("local:", "http://"))
    options = (
        {} if local else {"fallbacks": list(settings.fallbacks) or None, "archives": list(settings.archives) or None}
    )
    return await named_chain(name, settings.netuid, key, **options)


def forbidden(settings: Settings, parameters: Parameters, model: Model, *, public: bool) -> str:
    """Why no weights may be set with these settings, or nothing."""
    if settings.dry_run:
        return "this is a dry run"
    if not public:
        return ""
    if model.simulated:
        return f"the model {model.name} is simulated: it sets no weights on a public network"
    if parameters.changed:
        return "the parameters are not the shipped ones: they set no weights on a public network"
    if settings.model and settings.model != parameters.model:
        return f"the protocol's model is {parameters.model}: another sets no weights on a public network"
    return ""


def scratch_emptied(scratch: Path) -> None:
    """A folder for what is fetched, without what a validator that was killed was reading.

    A git that outlived it may still be writing there: what it leaves is in nobody's way, and goes at the next start.
    """
    reach("scratch.before")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(exist_ok=True)
    reach("scratch.after")


def budget_of(settings: Settings) -> Budget | None:
    """What an epoch may cost by the settings; ``None`` without a budget. Raises InvalidInput."""
    from clawbench.budget import Budget

    from .forecast import budget_micro

    return Budget(settings.budget_tokens or None, budget_micro(settings.budget_usd)) or None


async def budgeted(settings: Settings, given: Parameters, ledger: Ledger) -> int | None:
    """How many packs the settings' budget pays for in an epoch; ``None`` without one. Raises InvalidInput."""
    from .forecast import forecast, most_packs, newest_runs, price_named
    from .protocol import library

    if not settings.budget_usd and not settings.budget_tokens:
        return None
    name = settings.model or given.model
    known = await forecast(given, library(), newest_runs(ledger))
    return most_packs(settings, known, price_named(name))


class _Beating:
    """The system's clock; waiting is a sign of life."""

    def __init__(self, health: Health) -> None:
        from .clock import SystemClock

        self._clock = SystemClock()
        self._health = health

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return self._clock.now_ms()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        self._health.beat()
        await self._clock.sleep(seconds)


async def operated(settings: Settings, *, epochs: int | None = None) -> None:
    """Runs a validator until SIGTERM or SIGINT, or for ``epochs`` epochs.

    Raises InvalidInput for settings that cannot work, LedgerUnusable for a disk that cannot.
    """
    from clawbench.models import model_named

    from .archive import Archive
    from .clock import SystemClock
    from .fetchcache import FetchCache
    from .forecast import price_named
    from .github import Witness
    from .ledger import Ledger
    from .logs import configure
    from .ports import Runs
    from .protocol import library, parameters
    from .reached import ReachedChain
    from .records import Records
    from .repository import GITHUB, forge_host
    from .retention import Retention
    from .submission import Verifier
    from .validator import Choices, Ports, validated

    configure(settings.log_level, settings.log_file)
    import structlog

    log = structlog.get_logger()
    given = parameters(Path(settings.protocol).expanduser() if settings.protocol else None)
    model = model_named(settings.model or given.model)
    health = Health(SystemClock().now_ms)
    chain = ReachedChain(await chain_of(settings, key_of(settings)), health.moved)
    clock = _Beating(health)
    state = settings.state_folder / f"{chain.netuid}-{chain.hotkey}"
    host = forge_host(settings.forge, public_network=chain.public) if settings.forge else GITHUB

    def tell(event: str, **fields: Any) -> None:
        health.note(event, **fields)
        log.info(event, **fields)

    def tell_of_runs(event: str, **fields: Any) -> None:
        if event in ("run_ended", "model_answered"):
            health.moved(event)
            log.debug(event, **fields)
        else:
            tell(event, **fields)

    os.sync()  # what an earlier process wrote and did not sync is taken for kept from here on
    with Ledger(state / "ledger.db") as ledger:
        archive = Archive(state / "evidence")
        witness = Witness(host, archive, token=os.environ.get("GITHUB_TOKEN"), clock=clock)
        why_not = forbidden(settings, given, model, public=chain.public)
        if why_not:
            log.warning("no_weights", why=why_not)
        most = await budgeted(settings, given, ledger)
        if most is not None:
            tell("budget", packs=most, usd=settings.budget_usd or None, tokens=settings.budget_tokens or None)
        runs = Runs(
            model,
            given,
            library(),
            state / "runs",
            ledger,
            clock,
            settings.concurrency,
            most,
            tell_of_runs,
            budget_of(settings),
            price_named(model.name),
        )
        publish = Path(settings.publish).expanduser() if settings.publish else None
        keep = Retention(settings.keep_epochs)
        records = Records(model, given, state / "records", state / "runs", archive, chain, ledger, publish, keep)
        cache, scratch = FetchCache(state / "fetched"), state / "scratch"
        scratch_emptied(scratch)
        verifier = Verifier(chain, host, witness, given, scratch=scratch, cache=cache)
        ports = Ports(chain, ledger, clock, verifier, runs, records, tell)
        choices = Choices(
            forbidden=why_not,
            verify_again_seconds=min(60.0, given.seconds_per_block * 5),
            poll_seconds=given.seconds_per_block / 3,
            record_url=settings.publish_url,
        )
        server = await health_served(health, settings.health_port) if settings.health_port else None
        tell("started", hotkey=chain.hotkey, network=settings.network, model=model.name, parameters=given.hash[:16])
        try:
            await _until_told(validated(ports, given, choices, epochs=epochs))
        finally:
            if server is not None:
                server.close()
            await witness.close()
            await chain.close()
            tell("stopped")


async def _until_told(work: Any) -> None:
    """Awaits ``work``; a signal to end cancels it, and is no error."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise


def main(words: list[str], *, prog: str, about: str) -> int:
    """A whole validator process; returns its exit status."""
    import sys

    from clawbench.report.plain import shown_problem

    from .settings import settings

    try:
        given = settings(words, prog=prog, about=about)
        asyncio.run(operated(given, epochs=1 if given.once else None))
    except ClawbenchError as error:
        for problem in error.problems:
            print(f"error: {shown_problem(problem)}", file=sys.stderr)
        return error.exit_status
    return 0
