"""Bittensor, by SDK 11.3: the one file that knows it.

Every call has a deadline. A read that fails is asked once more on a new connection; a write is never sent twice: when
its fate is unknown the chain is read again, and says what became of it. Two clients: one whose policy forbids all
spending and every raw call sets weights; one, opened only then, may send the one raw call that commits a text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, TypeVar

from clawbench.extras import installing

from ..errors import ChainRefused, ChainUnavailable, InvalidInput
from .protocol import Block, Metagraph, Neuron, OnChain, WeightsSet
from .weights import LARGEST, as_u16

T = TypeVar("T")

RAW_FIELD = 128
RAW_FIELDS = 3
MAX_TEXT = RAW_FIELD * RAW_FIELDS
"""Bytes of a commitment: what the pallet takes in plain fields."""
_ERA_BLOCKS = 16
"""Blocks for which a signed extrinsic stays valid: after these its fate is settled."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a runtime has: calls with their arguments' names and types, storage items with the type of their values,
    API methods; and the rules of the subnet by the name of their storage item."""

    spec: int
    calls: Mapping[str, tuple[tuple[str, str], ...]]
    storage: Mapping[str, str]
    apis: frozenset[str]
    values: Mapping[str, int]


def hotkey_of(wallet: str, hotkey: str, path: str) -> Any:
    """The hotkey's keypair of a wallet on this machine; the coldkey is never touched.

    Raises InvalidInput (``CHAIN_SDK``, ``HOTKEY_MISSING``, ``HOTKEY_LOCKED``).
    """
    _installed()
    from bittensor.wallet import Wallet

    found = Wallet(name=wallet, hotkey=hotkey, path=path)
    try:
        return found.hotkey
    except FileNotFoundError:
        said = (
            f"there is no hotkey {hotkey!r} in wallet {wallet!r} under {path}: give --wallet.name and --wallet.hotkey"
        )
        raise InvalidInput.of("HOTKEY_MISSING", said) from None
    except Exception as why:
        said = f"the hotkey {hotkey!r} of wallet {wallet!r} cannot be opened: {type(why).__name__}"
        raise InvalidInput.of("HOTKEY_LOCKED", said) from None


def _installed() -> None:
    """Raises InvalidInput (``CHAIN_SDK``) without the SDK."""
    from importlib.util import find_spec

    if find_spec("bittensor") is None:
        said = f"the bittensor SDK, which speaks to its networks, is not installed: {installing('chain')}"
        raise InvalidInput.of("CHAIN_SDK", said)


@dataclass(slots=True)
class BittensorChain:
    """A subnet of a Bittensor network.

    ``network`` is a name that the SDK knows (``finney``, ``test``, ``local``) or a ws(s) URL. ``key`` signs: an
    sr25519 keypair of the hotkey; without it only reads are possible. ``read_seconds`` and ``write_seconds`` bound one
    call. ``fallbacks`` and ``archives`` are further endpoints; ``None`` takes the SDK's own for a named network.
    Raises InvalidInput (``CHAIN_SDK``).
    """

    network: str
    netuid: int
    key: Any = None
    fallbacks: list[str] | None = None
    archives: list[str] | None = None
    read_seconds: float = 30.0
    write_seconds: float = 180.0
    block_seconds: float = 12.0
    _client: Any = field(default=None, init=False, repr=False)
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        _installed()

    @property
    def public(self) -> bool:
        """Whether other people's money is at stake: everywhere but on a node of this machine."""
        return not (self.network == "local" or "//127.0.0.1" in self.network or "//localhost" in self.network)

    @property
    def hotkey(self) -> str | None:
        """The ss58 address of the key that signs."""
        return str(self.key.ss58_address) if self.key is not None else None

    async def head(self) -> int:
        """The height of the newest block."""
        return int(await self._read("the newest block", lambda client: client.block()))

    async def finalized(self) -> int:
        """The height of the newest finalized block."""
        return int(await self._read("the finalized block", lambda client: client.finalized_block()))

    async def block(self, number: int) -> Block:
        """The block at this height; its time is the one that its author set, in whole milliseconds."""
        info = await self._read(f"block {number}", lambda client: client.block_info(number))
        if info is None:
            raise ChainUnavailable.of("CHAIN_NO_BLOCK", f"the chain has no block {number} yet", self.network)
        since = info.timestamp - _EPOCH
        return Block(number, str(info.hash).removeprefix("0x").lower(), since // timedelta(milliseconds=1))

    async def metagraph(self, block: int) -> Metagraph:
        """Everyone registered as of ``block``."""

        async def read(client: Any) -> Any:
            return await client.subnets.metagraph(self.netuid, block=block, commitments=False)

        graph = await self._read(f"the metagraph at block {block}", read)
        if graph is None:
            raise InvalidInput.of("NETUID_UNKNOWN", f"{self.network} has no subnet {self.netuid}", "--netuid")
        neurons = tuple(
            Neuron(
                uid=int(neuron.uid),
                hotkey=str(neuron.hotkey),
                coldkey=str(neuron.coldkey),
                stake=int(neuron.total_stake.rao),
                permit=bool(neuron.validator_permit),
                active=bool(neuron.active),
                last_update=int(neuron.last_update),
            )
            for neuron in sorted(graph, key=lambda neuron: int(neuron.uid))
        )
        return Metagraph(self.netuid, block, neurons, str(graph.owner_hotkey) if graph.owner_hotkey else None)

    async def commitments(self, block: int) -> Mapping[str, OnChain]:
        """Every hotkey's latest plain commitment as of ``block``."""

        async def read(client: Any) -> Any:
            snapshot = await client.at(block)
            return await snapshot.subnets.commitments(self.netuid)

        found = await self._read(f"the commitments at block {block}", read)
        return {
            str(hotkey): OnChain(str(hotkey), str(kept.data), int(kept.block))
            for hotkey, kept in sorted(found.items())
            if kept.status == "plain" and kept.data
        }

    async def weights(self, hotkey: str) -> WeightsSet | None:
        """When ``hotkey`` last set weights, and what they are now; under commit-reveal these follow later."""

        async def read(client: Any) -> tuple[Any, Any]:
            graph = await client.subnets.metagraph(self.netuid, commitments=False)
            return graph, await client.weights.weights(netuid=self.netuid)

        graph, rows = await self._read("weights", read)
        neuron = next((neuron for neuron in graph or () if str(neuron.hotkey) == hotkey), None)
        if neuron is None or not int(neuron.last_update):
            return None
        row = rows.get(int(neuron.uid), {})
        shares = {int(uid): Fraction(share).limit_denominator(LARGEST * LARGEST) for uid, share in row.items()}
        return WeightsSet(int(neuron.last_update), as_u16(shares))

    async def sign(self, message: bytes) -> bytes:
        """The sr25519 signature of ``message`` by the hotkey."""
        return bytes(self._signer().sign(message))

    async def commit(self, text: str) -> int:
        """Commits ``text`` (ASCII, at most 384 bytes) for the hotkey; returns the commitment's block."""
        raw = text.encode()
        if not raw or len(raw) > MAX_TEXT:
            said = f"a commitment has 1 to {MAX_TEXT} bytes, not {len(raw)}"
            raise InvalidInput.of("COMMITMENT_SIZE", said)
        key = self._signer()
        before = await self._committed()
        parts = [raw[start : start + RAW_FIELD] for start in range(0, len(raw), RAW_FIELD)]
        fields = [{f"Raw{len(part)}": part} for part in parts]

        async def send() -> Any:
            import bittensor

            policy = bittensor.Policy(max_spend_tao=0, allowed_netuids=[self.netuid], allow_raw_calls=True)
            call = bittensor.calls.Commitments.set_commitment(netuid=self.netuid, info={"fields": fields})
            async with self._new_client(policy) as client:
                return await client.submit_call(call, key, signer="hotkey", period=_ERA_BLOCKS)

        async def landed() -> int | None:
            now = await self._committed()
            return now.block if now is not None and now.text == text and now != before else None

        return await self._written("commitment", send, landed)

    async def set_weights(self, weights: Mapping[int, Fraction], version_key: int) -> int:
        """Sets the hotkey's weights; returns the block that the chain then has as their last update.

        Raises ChainRefused when the chain says no: rate limit, registration, permit, version key.
        """
        key = self._signer()
        rows = as_u16(weights)
        if not rows:
            raise InvalidInput.of("WEIGHTS_EMPTY", "there is no weight to set")
        hotkey = str(key.ss58_address)
        before = await self.weights(hotkey)

        async def send() -> Any:
            import bittensor

            intent = bittensor.SetWeights(netuid=self.netuid, weights=rows, version_key=version_key)
            client = await self._connected()
            return await client.execute(intent, key, period=_ERA_BLOCKS)

        async def landed() -> int | None:
            now = await self.weights(hotkey)
            changed = now is not None and (before is None or now.block > before.block)
            return now.block if now is not None and changed else None

        return await self._written("weights", send, landed)

    async def runtime(self) -> Runtime:
        """What the network's runtime has at its newest block, and this hotkey's limits on it."""

        async def read(client: Any) -> Runtime:
            import bittensor

            ir = await client._substrate.raw.metadata_ir()
            items = bittensor.storage.SubtensorModule
            values = {
                name: int(await client.query(getattr(items, name), keys) or 0)
                for name, keys in (
                    ("WeightsSetRateLimit", [self.netuid]),
                    ("WeightsVersionKey", [self.netuid]),
                    ("StakeThreshold", []),
                    ("ActivityCutoff", [self.netuid]),
                )
            }
            calls = {
                f"{pallet.name}.{call.name}": tuple((one.name, one.type_ident) for one in call.args)
                for pallet in ir.pallets
                for call in pallet.calls
            }
            storage = {
                f"{pallet.name}.{item.name}": item.value_type_ident for pallet in ir.pallets for item in pallet.storage
            }
            apis = frozenset(f"{api.name}.{method}" for api in ir.runtime_apis for method in api.methods)
            return Runtime(int(await client.spec_version()), calls, storage, apis, values)

        return await self._read("the runtime's metadata", read)

    async def close(self) -> None:
        """Closes the connection."""
        client, self._client = self._client, None
        if client is not None:
            try:
                async with asyncio.timeout(5):
                    await client.close()
            except Exception:
                pass  # a connection that cannot be closed is gone

    async def _committed(self) -> OnChain | None:
        async def read(client: Any) -> Any:
            return await client.identity.commitment(netuid=self.netuid, hotkey_ss58=self.hotkey)

        kept = await self._read("our commitment", read)
        return OnChain(str(self.hotkey), str(kept.data), int(kept.block)) if kept is not None else None

    def _signer(self) -> Any:
        if self.key is None:
            said = "this needs a hotkey to sign with: give --wallet.name and --wallet.hotkey"
            raise InvalidInput.of("HOTKEY_NEEDED", said)
        return self.key

    def _new_client(self, policy: Any) -> Any:
        import bittensor

        try:
            return bittensor.Client(
                self.network,
                policy=policy,
                fallback_endpoints=self.fallbacks,
                archive_endpoints=self.archives,
            )
        except ValueError as why:
            raise InvalidInput.of("NETWORK_UNKNOWN", str(why)[:200], "--subtensor.network") from None

    async def _connected(self) -> Any:
        """The strict client: it can set weights and read, and never spends."""
        async with self._connecting:
            if self._client is None:
                import bittensor

                client = self._new_client(bittensor.Policy(max_spend_tao=0, allowed_netuids=[self.netuid]))
                self._client = await client.connect()
            return self._client

    async def _read(self, what: str, ask: Callable[[Any], Awaitable[T]]) -> T:
        """``ask`` of the client, within the deadline; once more on a new connection when the first fails."""
        for attempt in (1, 2):
            try:
                async with asyncio.timeout(self.read_seconds):
                    return await ask(await self._connected())
            except InvalidInput:
                raise
            except Exception as why:
                failure = self._failure(what, why)
                await self.close()
                if attempt == 2 or failure.code == "CHAIN_PRUNED":
                    raise failure from None
        raise AssertionError

    async def _written(
        self, what: str, send: Callable[[], Awaitable[Any]], landed: Callable[[], Awaitable[int | None]]
    ) -> int:
        """Sends once. Whatever the answer is, the chain's own state decides whether it happened."""
        unknown: ChainUnavailable | None = None
        try:
            async with asyncio.timeout(self.write_seconds):
                result = await send()
            if not result.success:
                said = str(getattr(result.error, "name", None) or result.message)[:200]
                if result.block_hash is not None:  # it stands in a block, and failed there
                    raise ChainRefused.of("CHAIN_REFUSED", f"the chain refused our {what}: {said}", self.network)
                unknown = ChainUnavailable.of("CHAIN_UNREACHABLE", f"{what}: {said}", self.network)
        except (ChainRefused, InvalidInput):
            raise
        except Exception as why:
            unknown = self._failure(what, why)
            if isinstance(unknown, ChainRefused):
                raise unknown from None
            await self.close()
        for _ in range(1 if unknown is None else _ERA_BLOCKS + 2):
            block = await landed()
            if block is not None:
                return block
            await asyncio.sleep(self.block_seconds)
        if unknown is None:
            said = f"our {what} was accepted, and does not stand on chain: read it again before setting it again"
            raise ChainUnavailable.of("CHAIN_NOT_LANDED", said, self.network)
        raise unknown

    def _failure(self, what: str, why: Exception) -> ChainUnavailable:
        """The error of ours that says what went wrong; the SDK's own texts are cut."""
        import bittensor

        said = " ".join(str(why).split())[:200] or type(why).__name__
        if isinstance(why, TimeoutError):
            return ChainUnavailable.of("CHAIN_TIMEOUT", f"no answer in time for {what}", self.network)
        if "discarded" in said.lower():
            text = f"{what}: the node no longer keeps that state; give an archive endpoint"
            return ChainUnavailable.of("CHAIN_PRUNED", text, self.network)
        if isinstance(why, bittensor.PolicyError):
            return ChainRefused.of("CHAIN_POLICY", f"our own policy forbids it: {said}", self.network)
        if isinstance(why, bittensor.ChainError):
            code = str(getattr(why.code, "value", why.code)).upper()
            return ChainRefused.of(f"CHAIN_{code}", f"the chain refused our {what}: {said}", self.network)
        return ChainUnavailable.of("CHAIN_UNREACHABLE", f"{what}: {said}", self.network)
