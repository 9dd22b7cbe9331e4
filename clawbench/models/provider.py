"""What every real model has in common: its turn at the provider, the one retry layer, and the run's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

import tenacity

from ..errors import ModelUnavailable
from .faults import AttemptFailed, timed_out
from .limiter import Limiter, limiter_of
from .protocol import Reply, Request, version_of


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call is tried for; seconds.

    A failure is tried ``attempts`` times, where nothing has ever answered only ``first_attempts`` times, a rate
    limit ``limited_attempts`` times. Waits double from ``shortest`` to ``longest``; a provider's own wish is honoured
    up to ``wish``. One attempt takes at most ``attempt`` seconds.
    """

    attempts: int = 6
    first_attempts: int = 3
    limited_attempts: int = 12
    shortest: float = 0.5
    longest: float = 30.0
    wish: float = 60.0
    attempt: float = 100.0

    def gives_up(self, number: int, failed: AttemptFailed, answered: bool) -> bool:
        """Whether attempt ``number`` (from 1) was the last."""
        if not failed.again:
            return True
        if failed.limited:
            return number >= self.limited_attempts
        return number >= (self.attempts if answered else self.first_attempts)

    def wait(self, number: int, failed: AttemptFailed, draw: str) -> float:
        """Seconds before the next attempt; ``draw`` spreads the calls that failed together."""
        spread = int(sha256(f"{draw}:{number}".encode()).hexdigest()[:8], 16) / 2**32
        if failed.after is not None:
            return min(failed.after, self.wish) * (1 + spread / 8)
        return min(self.shortest * 2.0 ** (number - 1), self.longest) * (0.5 + spread)


class Adapter(Protocol):
    """One vendor's wire: makes one attempt. Raises AttemptFailed, and nothing else on purpose.

    ``heard`` is called with the body of every answer, if it is set.
    """

    heard: Callable[[bytes], None] | None

    async def attempt(self, request: Request) -> Reply: ...

    async def aclose(self) -> None: ...


class ProviderModel:
    """A model behind a network: every attempt waits its turn, is timed, and is made again when that may help."""

    simulated = False

    def __init__(
        self, name: str, provider: str, settings: Mapping[str, str], adapter: Adapter, patience: Patience | None = None
    ) -> None:
        self.name = name
        self.provider = provider
        self.settings: Mapping[str, str] = dict(settings)
        self.version = version_of(settings)
        self.patience = patience or Patience()
        self._adapter = adapter
        self._answered = False
        self._open = 0

    @property
    def limiter(self) -> Limiter:
        """The provider's limiter: what is in flight, waiting and sleeping."""
        return limiter_of(self.provider)

    async def reply(self, request: Request) -> Reply:
        """The model's answer; raises ModelUnavailable when there is none to be had."""
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(AttemptFailed),
            stop=self._stop,
            wait=lambda state: self.patience.wait(*_number_and_failure(state), f"{request.unit}:{request.turn}"),
            sleep=lambda seconds: self._sleep(seconds, request),
            before_sleep=self._note,
            reraise=True,
        )
        self._open += 1
        try:
            answered: Reply = await retrying(self._attempt, request)
        except AttemptFailed as failed:
            raise ModelUnavailable.of(failed.code, failed.said, self.name) from None
        finally:
            self._open -= 1
        return answered

    def listen(self, heard: Callable[[bytes], None] | None) -> None:
        """Calls ``heard`` with the body of every answer from now on."""
        self._adapter.heard = heard

    async def aclose(self) -> None:
        """Closes idle connections; a later reply opens new ones. Does nothing while calls are open."""
        if not self._open:
            await self._adapter.aclose()

    async def _attempt(self, request: Request) -> Reply:
        limiter = self.limiter
        if limiter.free:
            limiter.enter()
        else:
            with _paused(request):
                await limiter.turn()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self.patience.attempt) as limit:
                answered = await self._adapter.attempt(request)
        except TimeoutError:
            failed = timed_out(self.patience.attempt)
            if not limit.expired():
                failed = AttemptFailed("MODEL_TIMEOUT", "the connection timed out", again=True)
            self._failed(failed, request, loop.time() - began)
            raise failed from None
        except AttemptFailed as failed:
            self._failed(failed, request, loop.time() - began)
            raise
        finally:
            limiter.leave()
        self._answered = True
        limiter.passed()
        return answered

    def _failed(self, failed: AttemptFailed, request: Request, seconds: float) -> None:
        if request.deadline is not None:
            request.deadline.forgive(seconds)
        self._answered |= failed.code != "MODEL_CONNECTION"
        if failed.limited:
            self.limiter.refused()

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        return self.patience.gives_up(*_number_and_failure(state), self._answered)

    def _note(self, state: tenacity.RetryCallState) -> None:
        _, failed = _number_and_failure(state)
        self.limiter.retries += 1
        self.limiter.rate_limit_waits += failed.limited

    async def _sleep(self, seconds: float, request: Request) -> None:
        limiter = self.limiter
        limiter.sleeping += 1
        limiter.waited += seconds
        try:
            with _paused(request):
                await asyncio.sleep(seconds)
        finally:
            limiter.sleeping -= 1


def _paused(request: Request) -> AbstractContextManager[None]:
    return request.deadline.paused() if request.deadline is not None else nullcontext()


def _number_and_failure(state: tenacity.RetryCallState) -> tuple[int, AttemptFailed]:
    outcome: Any = state.outcome
    failed = outcome.exception()
    assert isinstance(failed, AttemptFailed)
    return state.attempt_number, failed
