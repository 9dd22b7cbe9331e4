"""The chain and the model with a fault point before and after each call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from .chain.protocol import Block, Chain, Metagraph, OnChain, WeightsSet
from .faults import reach

if TYPE_CHECKING:
    from clawbench.models.protocol import Model, Reply, Request


@dataclass(frozen=True, slots=True)
class ReachedChain:
    """``chain``, call for call; ``answered`` is told of each answer."""

    chain: Chain
    answered: Callable[[str], None] = lambda what: None

    @property
    def netuid(self) -> int:
        """The subnet's number."""
        return self.chain.netuid

    @property
    def public(self) -> bool:
        """Whether other people's money is on it."""
        return self.chain.public

    @property
    def hotkey(self) -> str | None:
        """The address that signs."""
        return self.chain.hotkey

    async def head(self) -> int:
        """The height of the newest block."""
        reach("chain.head.before")
        found = await self.chain.head()
        self._after("head")
        return found

    async def finalized(self) -> int:
        """The height of the newest finalized block."""
        reach("chain.finalized.before")
        found = await self.chain.finalized()
        self._after("finalized")
        return found

    async def block(self, number: int) -> Block:
        """The block at this height."""
        reach("chain.block.before")
        found = await self.chain.block(number)
        self._after("block")
        return found

    async def metagraph(self, block: int) -> Metagraph:
        """Everyone registered as of ``block``."""
        reach("chain.metagraph.before")
        found = await self.chain.metagraph(block)
        self._after("metagraph")
        return found

    async def commitments(self, block: int) -> Mapping[str, OnChain]:
        """Every hotkey's latest commitment as of ``block``."""
        reach("chain.commitments.before")
        found = await self.chain.commitments(block)
        self._after("commitments")
        return found

    async def commit(self, text: str) -> int:
        """Commits ``text``; returns the block."""
        reach("chain.commit.before")
        found = await self.chain.commit(text)
        self._after("commit")
        return found

    async def set_weights(self, weights: Mapping[int, Fraction], version_key: int) -> int:
        """Sets the weights; returns the block."""
        reach("chain.set_weights.before")
        found = await self.chain.set_weights(weights, version_key)
        self._after("set_weights")
        return found

    async def weights(self, hotkey: str) -> WeightsSet | None:
        """What ``hotkey`` last set."""
        reach("chain.weights.before")
        found = await self.chain.weights(hotkey)
        self._after("weights")
        return found

    async def sign(self, message: bytes) -> bytes:
        """The signature of ``message``."""
        reach("chain.sign.before")
        found = await self.chain.sign(message)
        self._after("sign")
        return found

    async def close(self) -> None:
        """Closes the chain."""
        await self.chain.close()

    def _after(self, call: str) -> None:
        reach(f"chain.{call}.after")
        if call != "sign":  # our own key answers that
            self.answered("chain_answered")


@dataclass(frozen=True, slots=True)
class ReachedModel:
    """``model``, reply for reply; ``answered`` is told of each."""

    model: Model
    answered: Callable[[str], None] = lambda what: None

    @property
    def name(self) -> str:
        """What ``--model`` says."""
        return self.model.name

    @property
    def version(self) -> str:
        """Changes whenever equal requests may get other replies."""
        return self.model.version

    @property
    def simulated(self) -> bool:
        """Whether it is no language model."""
        return self.model.simulated

    @property
    def provider(self) -> str:
        """Who answers."""
        return self.model.provider

    @property
    def settings(self) -> Mapping[str, str]:
        """All that steers it beside the request."""
        return self.model.settings

    async def reply(self, request: Request) -> Reply:
        """The model's reply. Raises Infrastructure."""
        reach("model.reply.before")
        reply = await self.model.reply(request)
        reach("model.reply.after")
        self.answered("model_answered")
        return reply

    async def aclose(self) -> None:
        """Closes what the model keeps open."""
        from clawbench.models.protocol import closed

        await closed(self.model)
