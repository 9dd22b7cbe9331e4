"""A local network that another process serves: the Chain protocol over HTTP on this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ..errors import ChainRefused, ChainUnavailable, InvalidInput
from .localrules import Rules, check_text, commit_message, register_message, u16_of, weights_message
from .protocol import Block, Metagraph, Neuron, OnChain, WeightsSet

_KINDS = {"ChainRefused": ChainRefused, "InvalidInput": InvalidInput}
_MOST_BYTES = 8_000_000


@dataclass(slots=True)
class LocalClient:
    """A local network at ``url`` as one hotkey sees it. ``key`` is a keypair, or ``None``; ``seconds`` bound a call."""

    url: str
    rules: Rules
    key: Any = None
    seconds: float = 10.0
    _http: Any = field(init=False, default=None, repr=False)

    @classmethod
    async def connected(cls, url: str, key: Any = None, seconds: float = 10.0) -> LocalClient:
        """A client that knows the network's rules.

        Raises ChainUnavailable if nothing answers there, or something else.
        """
        client = cls(url, Rules(), key, seconds)
        try:
            client.rules = Rules(**await client._call("rules"))
        except (TypeError, ValueError):
            await client.close()
            raise ChainUnavailable.of("CHAIN_UNREACHABLE", "what answers here is no local chain", url) from None
        except ChainUnavailable:
            await client.close()
            raise
        return client

    @property
    def netuid(self) -> int:
        """The subnet's number."""
        return self.rules.netuid

    @property
    def public(self) -> bool:
        """Never: this is a network of one machine."""
        return False

    @property
    def hotkey(self) -> str | None:
        """The address of the key that signs."""
        return str(self.key.ss58_address) if self.key is not None else None

    async def head(self) -> int:
        """The height of the newest block."""
        return int(await self._call("head"))

    async def finalized(self) -> int:
        """The height of the newest finalized block."""
        return int(await self._call("finalized"))

    async def block(self, number: int) -> Block:
        """The block at this height."""
        return Block(**await self._call("block", number=number))

    async def metagraph(self, block: int) -> Metagraph:
        """Everyone registered as of ``block``."""
        found = await self._call("metagraph", block=block)
        return Metagraph(
            found["netuid"], found["block"], tuple(Neuron(**row) for row in found["neurons"]), found["owner"]
        )

    async def commitments(self, block: int) -> Mapping[str, OnChain]:
        """Every hotkey's latest commitment as of ``block``."""
        return {row["hotkey"]: OnChain(**row) for row in await self._call("commitments", block=block)}

    async def weights(self, hotkey: str) -> WeightsSet | None:
        """What ``hotkey`` last set."""
        found = await self._call("weights", hotkey=hotkey)
        return WeightsSet(found["block"], dict(found["weights"])) if found is not None else None

    async def register(self, coldkey: str = "") -> int:
        """Registers this client's hotkey, if it is not; returns its uid."""
        hotkey = self._signer()
        signature = bytes(self.key.sign(register_message(self.rules, hotkey, coldkey or hotkey)))
        return int(await self._call("register", hotkey=hotkey, coldkey=coldkey or hotkey, signature=signature.hex()))

    async def commit(self, text: str) -> int:
        """Commits ``text``; returns the block, which exists unless blocks are made by hand."""
        check_text(text)
        hotkey = self._signer()
        nonce = int(await self._call("nonce", hotkey=hotkey))
        signature = bytes(self.key.sign(commit_message(self.rules, text, nonce)))

        async def landed() -> int:
            return (await self.commitments(await self.head()))[hotkey].block

        params = {"hotkey": hotkey, "text": text, "nonce": nonce, "signature": signature.hex()}
        return await self._sent("commit", params, landed)

    async def set_weights(self, weights: Mapping[int, Fraction], version_key: int) -> int:
        """Sets the weights; returns the block, which exists unless blocks are made by hand."""
        hotkey, rows = self._signer(), u16_of(weights)
        nonce = int(await self._call("nonce", hotkey=hotkey))
        signature = bytes(self.key.sign(weights_message(self.rules, rows, version_key, nonce)))
        params = {
            "hotkey": hotkey,
            "weights": sorted(rows.items()),
            "version_key": version_key,
            "nonce": nonce,
            "signature": signature.hex(),
        }

        async def landed() -> int:
            found = await self.weights(hotkey)
            assert found is not None
            return found.block

        return await self._sent("set_weights", params, landed)

    async def sign(self, message: bytes) -> bytes:
        """The sr25519 signature of ``message``."""
        self._signer()
        return bytes(self.key.sign(message))

    async def close(self) -> None:
        """Closes the connection."""
        client, self._http = self._http, None
        if client is not None:
            await client.aclose()

    def _signer(self) -> str:
        if self.key is None:
            raise InvalidInput.of("HOTKEY_NEEDED", "this needs a hotkey to sign with")
        return str(self.hotkey)

    async def _sent(self, method: str, params: Mapping[str, Any], landed: Callable[[], Awaitable[int]]) -> int:
        """Sends a transaction once; if its fate is unknown, the nonce tells."""
        try:
            block = int(await self._call(method, **params))
        except (ChainRefused, InvalidInput):
            raise
        except ChainUnavailable:
            if int(await self._call("nonce", hotkey=params["hotkey"])) == params["nonce"]:
                raise
            block = 0
        if self.rules.clock == "wall":
            while await self.head() < block:
                await asyncio.sleep(min(1, self.rules.block_ms / 4000))
        return block or await landed()

    async def _call(self, method: str, **params: Any) -> Any:
        import httpx

        if self._http is None:
            self._http = httpx.AsyncClient(timeout=self.seconds, trust_env=False)
        request = {"method": method, "params": params}
        try:
            async with asyncio.timeout(self.seconds), self._http.stream("POST", self.url, json=request) as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise ChainUnavailable.of("CHAIN_UNREACHABLE", "an answer is too large", self.url)
            answer = json.loads(body)
            if "error" not in answer:
                return answer["result"]
            failed = answer["error"]
            kind = _KINDS.get(failed["kind"], ChainUnavailable)
            code, message = str(failed["code"]), str(failed["message"])
        except (TimeoutError, httpx.TimeoutException):
            raise ChainUnavailable.of("CHAIN_TIMEOUT", f"no answer in time for {method}", self.url) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = str(error) or type(error).__name__
            raise ChainUnavailable.of("CHAIN_UNREACHABLE", said[:200], self.url) from None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            if isinstance(error, InvalidInput):
                raise
            raise ChainUnavailable.of("CHAIN_UNREACHABLE", "what answers here is no local chain", self.url) from None
        raise kind.of(code, message)
