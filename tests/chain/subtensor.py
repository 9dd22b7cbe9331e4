"""The state of a small Subtensor: storage by block, registrations, and the few calls that a subnet makes."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import bittensor_core

from .metadata import compact, registry, runtime

NOBODY = bittensor_core.ss58_encode(bytes(32), 42)
_PAYS_NO_FEE = {"weight": {"ref_time": 1000, "proof_size": 0}, "class": "Normal", "pays_fee": "No"}


class Reverted(Exception):
    """The call failed on chain, as ``pallet.error``."""

    def __init__(self, pallet: str, error: str) -> None:
        super().__init__(f"{pallet}.{error}")
        self.pallet, self.error = pallet, error


@dataclass(frozen=True)
class Registered:
    """One neuron as the chain keeps it; ``set_at`` is the block of its last weights."""

    uid: int
    hotkey: str
    coldkey: str
    stake: int
    permit: bool
    active: bool
    registered: int
    last_update: int = 0
    set_at: int | None = None


@dataclass(frozen=True)
class Subnet:
    """A subnet's rules and its neurons by uid."""

    netuid: int
    registered_at: int
    tempo: int = 360
    rate_limit: int = 100
    version_key: int = 0
    owner: str = NOBODY
    neurons: tuple[Registered, ...] = ()


@dataclass(frozen=True)
class Sealed:
    """A block, and all state after it."""

    number: int
    hash: str
    parent: str
    extrinsics: tuple[str, ...]
    state: dict[str, bytes]
    subnets: dict[int, Subnet]

    @property
    def header(self) -> dict[str, Any]:
        zero = "0x" + "00" * 32
        return {
            "parentHash": self.parent,
            "number": hex(self.number),
            "stateRoot": zero,
            "extrinsicsRoot": zero,
            "digest": {"logs": []},
        }


@dataclass
class Submitted:
    """An extrinsic as it was decoded: who signed it, what it called, in which block, and its error if it had one."""

    signer: str
    module: str
    function: str
    args: dict[str, Any]
    block: int
    error: str | None = None


@dataclass
class Subtensor:
    """A chain of one machine. ``genesis`` makes hashes deterministic and distinct; ``start_ms`` is block 0's time.

    The newest ``lag`` blocks are not final and may be replaced by :meth:`fork`. ``fail_next`` names the error of the
    next call.
    """

    genesis: str = "test"
    start_ms: int = 1_780_000_000_000
    block_ms: int = 12_000
    lag: int = 0
    fail_next: tuple[str, str] | None = None
    state: dict[str, bytes] = field(default_factory=dict)
    subnets: dict[int, Subnet] = field(default_factory=dict)
    blocks: list[Sealed] = field(default_factory=list)
    submitted: list[Submitted] = field(default_factory=list)
    nonces: Counter[str] = field(default_factory=Counter)
    pruned_before: int = 0
    _by_hash: dict[str, int] = field(default_factory=dict)
    _forks: int = 0

    def __post_init__(self) -> None:
        self.codec = runtime()
        self.types = {kind["id"]: kind["type"] for kind in registry(self.codec)}
        self._entries: dict[tuple[str, str], Any] = {}
        self._errors = {
            (pallet["name"], error["name"]): (pallet["index"], error["index"])
            for pallet in self.codec.metadata_ir()["pallets"]
            for error in pallet["errors"]
        }
        self.seal()

    # storage

    def entry(self, pallet: str, item: str) -> Any:
        """The description of a storage item."""
        found = self._entries.get((pallet, item))
        if found is None:
            found = self._entries[pallet, item] = self.codec.storage_entry(pallet, item)
        return found

    def key(self, pallet: str, item: str, *params: Any) -> str:
        """The storage key of an item as hex text."""
        return "0x" + bytes(self.codec.storage_key(pallet, item, list(params))).hex()

    def put(self, pallet: str, item: str, params: tuple[Any, ...], value: Any) -> None:
        """Writes a storage item in the block that is being made."""
        self.state[self.key(pallet, item, *params)] = bytes(
            self.codec.encode(self.entry(pallet, item).value_type, value)
        )

    def get(self, pallet: str, item: str, *params: Any) -> Any:
        """Reads a storage item, its default if it was never written."""
        raw = self.state.get(self.key(pallet, item, *params))
        entry = self.entry(pallet, item)
        if raw is None:
            if entry.modifier != "Default":
                return None
            raw = bytes(entry.default_bytes)
        return self.codec.decode(entry.value_type, raw, True)

    # blocks

    @property
    def head(self) -> int:
        return len(self.blocks) - 1

    @property
    def final(self) -> int:
        return max(0, self.head - self.lag)

    def at(self, block_hash: str | None) -> Sealed:
        """The block of this hash, the newest without one. Raises KeyError."""
        return self.blocks[self._by_hash[block_hash]] if block_hash else self.blocks[-1]

    def seal(self, count: int = 1, extrinsics: tuple[str, ...] = (), events: list[Any] | None = None) -> Sealed:
        """Makes ``count`` blocks; ``extrinsics`` and their ``events`` stand in the first."""
        for _ in range(count):
            number = len(self.blocks)
            text = f"{self.genesis}:{self._forks}:{number}".encode()
            block_hash = "0x" + blake2b(text, digest_size=32).hexdigest()
            self.put("System", "Number", (), number)
            self.put("Timestamp", "Now", (), self.time_ms(number))
            self.put("System", "Events", (), events or [])
            for netuid, subnet in self.subnets.items():
                since = (number - subnet.registered_at) % (subnet.tempo + 1)
                self.put("SubtensorModule", "BlocksSinceLastStep", (netuid,), since)
            parent = self.blocks[-1].hash if self.blocks else "0x" + "00" * 32
            inherent = "0x" + self._timestamp_extrinsic(number).hex()
            sealed = Sealed(number, block_hash, parent, (inherent, *extrinsics), dict(self.state), dict(self.subnets))
            self.blocks.append(sealed)
            self._by_hash[block_hash] = number
            extrinsics, events = (), None
        return self.blocks[-1]

    def fork(self, depth: int) -> None:
        """Replaces the newest ``depth`` blocks, which must not be final, by empty ones of other hashes."""
        if depth > self.lag:
            raise ValueError("a final block is never replaced")
        for sealed in self.blocks[len(self.blocks) - depth :]:
            del self._by_hash[sealed.hash]
        del self.blocks[len(self.blocks) - depth :]
        self.state, self.subnets = dict(self.blocks[-1].state), dict(self.blocks[-1].subnets)
        self._forks += 1
        self.seal(depth)

    def time_ms(self, number: int) -> int:
        return self.start_ms + number * self.block_ms

    def _timestamp_extrinsic(self, number: int) -> bytes:
        call = bytes(self.codec.compose_call("Timestamp", "set", {"now": self.time_ms(number)}))
        return compact(len(call) + 1) + b"\x04" + call

    # subnets

    def add_subnet(self, netuid: int, *, commit_reveal: bool = False, min_weights: int = 1, **rules: Any) -> None:
        """Registers a subnet; ``rules`` are fields of :class:`Subnet`."""
        subnet = self.subnets[netuid] = Subnet(netuid, self.head, **rules)
        values = {
            "NetworksAdded": True,
            "Tempo": subnet.tempo,
            "CommitRevealWeightsEnabled": commit_reveal,
            "RevealPeriodEpochs": 1,
            "WeightsSetRateLimit": subnet.rate_limit,
            "MinAllowedWeights": min_weights,
            "MaxWeightsLimit": 65535,
            "WeightsVersionKey": subnet.version_key,
            "LastUpdate": [],
        }
        for item, value in values.items():
            self.put("SubtensorModule", item, (netuid,), value)

    def register(
        self,
        netuid: int,
        hotkey: str,
        coldkey: str,
        *,
        stake: int = 0,
        permit: bool = False,
        active: bool = True,
    ) -> int:
        """Registers a hotkey; returns its uid."""
        subnet = self.subnets[netuid]
        uid = len(subnet.neurons)
        neuron = Registered(uid, hotkey, coldkey, stake, permit, active, self.head)
        self._keep(replace(subnet, neurons=(*subnet.neurons, neuron)))
        self.put("SubtensorModule", "Uids", (netuid, hotkey), uid)
        self.put("SubtensorModule", "Keys", (netuid, uid), hotkey)
        self.put("SubtensorModule", "SubnetworkN", (netuid,), uid + 1)
        self.put("SubtensorModule", "Owner", (hotkey,), coldkey)
        return uid

    def _keep(self, subnet: Subnet) -> None:
        self.subnets[subnet.netuid] = subnet
        updates = [neuron.last_update for neuron in subnet.neurons]
        self.put("SubtensorModule", "LastUpdate", (subnet.netuid,), updates)
        self.put("SubtensorModule", "ValidatorPermit", (subnet.netuid,), [neuron.permit for neuron in subnet.neurons])

    # extrinsics

    def submit(self, hexadecimal: str) -> tuple[str, str]:
        """Checks, decodes and applies a signed extrinsic in a block of its own; returns its hash and the block's.

        Raises ValueError for one that no node would take into its pool.
        """
        raw = bytes.fromhex(hexadecimal.removeprefix("0x"))
        decoded = self.codec.decode_extrinsic(raw, True)
        address = decoded["address"]
        signer = address.get("Id", address) if isinstance(address, dict) else address
        if not self._signed(decoded, signer):
            raise ValueError("bad signature")
        if int(decoded["nonce"]) != self.nonces[signer]:
            raise ValueError("transaction is outdated")
        self.nonces[signer] += 1
        call = decoded["call"]
        args = {argument["name"]: argument["value"] for argument in call["call_args"]}
        record = Submitted(signer, call["call_module"], call["call_function"], args, self.head + 1)
        self.submitted.append(record)
        state, subnets = dict(self.state), dict(self.subnets)
        try:
            failing, self.fail_next = self.fail_next, None
            if failing:
                raise Reverted(*failing)
            self._apply(record)
            event: dict[str, Any] = {"ExtrinsicSuccess": {"dispatch_info": _PAYS_NO_FEE}}
        except Reverted as reverted:
            self.state, self.subnets = state, subnets
            record.error = reverted.error
            pallet, error = self._errors[reverted.pallet, reverted.error]
            fault = {"Module": {"index": pallet, "error": [error, 0, 0, 0]}}
            event = {"ExtrinsicFailed": {"dispatch_error": fault, "dispatch_info": _PAYS_NO_FEE}}
        records = [{"phase": {"ApplyExtrinsic": 1}, "event": {"System": event}, "topics": []}]
        sealed = self.seal(extrinsics=(hexadecimal,), events=records)
        return "0x" + blake2b(raw, digest_size=32).hexdigest(), sealed.hash

    def _signed(self, decoded: dict[str, Any], signer: str) -> bool:
        """Whether the signature is ``signer``'s, over this call on this chain."""
        era: Any = decoded["era"]
        birth = 0
        if era != "00":
            period, phase = (era["period"], era["phase"]) if isinstance(era, dict) else era
            birth = (max(self.head, phase) - phase) // period * period + phase
            era = {"period": period, "phase": phase}
        call = decoded["call"]
        args = {argument["name"]: argument["value"] for argument in call["call_args"]}
        payload = self.codec.signature_payload(
            bytes(self.codec.compose_call(call["call_module"], call["call_function"], args)),
            era=era,
            nonce=int(decoded["nonce"]),
            tip=int(decoded["tip"]),
            tip_asset_id=None,
            genesis_hash=_raw(self.blocks[0].hash),
            era_block_hash=_raw(self.blocks[birth].hash),
        )
        signature = decoded["signature"]
        signature = next(iter(signature.values())) if isinstance(signature, dict) else signature
        raw = bytes.fromhex(signature[2:]) if isinstance(signature, str) else bytes(signature)
        return bool(bittensor_core.verify(bytes(payload), raw, signer, bittensor_core.CRYPTO_SR25519))

    def _apply(self, call: Submitted) -> None:
        match call.module, call.function:
            case "SubtensorModule", "set_weights" | "set_mechanism_weights":
                self._set_weights(call)
            case "SubtensorModule", "commit_timelocked_mechanism_weights":
                self._commit_weights(call)
            case "Commitments", "set_commitment":
                self._set_commitment(call)
            case "SubtensorModule", "burned_register":
                if self.get("SubtensorModule", "Uids", call.args["netuid"], call.args["hotkey"]) is not None:
                    raise Reverted("SubtensorModule", "HotKeyAlreadyRegisteredInSubNet")
                self.register(call.args["netuid"], call.args["hotkey"], call.signer)
            case _:
                raise Reverted("System", "CallFiltered")

    def _setter(self, call: Submitted) -> tuple[Subnet, Registered]:
        """The subnet and neuron that set weights, if they may now."""
        subnet = self.subnets.get(call.args["netuid"])
        if subnet is None:
            raise Reverted("SubtensorModule", "MechanismDoesNotExist")
        neuron = next((one for one in subnet.neurons if one.hotkey == call.signer), None)
        if neuron is None:
            raise Reverted("SubtensorModule", "HotKeyNotRegisteredInSubNet")
        if neuron.set_at is not None and call.block - neuron.set_at < subnet.rate_limit:
            raise Reverted("SubtensorModule", "SettingWeightsTooFast")
        if not neuron.permit:
            raise Reverted("SubtensorModule", "NeuronNoValidatorPermit")
        return subnet, neuron

    def _updated(self, subnet: Subnet, neuron: Registered, block: int) -> None:
        changed = replace(neuron, last_update=block, set_at=block)
        neurons = (*subnet.neurons[: neuron.uid], changed, *subnet.neurons[neuron.uid + 1 :])
        self._keep(replace(subnet, neurons=neurons))

    def _set_weights(self, call: Submitted) -> None:
        netuid = call.args["netuid"]
        if self.get("SubtensorModule", "CommitRevealWeightsEnabled", netuid):
            raise Reverted("SubtensorModule", "CommitRevealEnabled")
        subnet, neuron = self._setter(call)
        if call.args["version_key"] < subnet.version_key:
            raise Reverted("SubtensorModule", "IncorrectWeightVersionKey")
        if len(call.args["dests"]) < self.get("SubtensorModule", "MinAllowedWeights", netuid):
            raise Reverted("SubtensorModule", "WeightVecLengthIsLow")
        if any(uid >= len(subnet.neurons) for uid in call.args["dests"]):
            raise Reverted("SubtensorModule", "UidVecContainInvalidOne")
        weights = list(zip(call.args["dests"], call.args["weights"], strict=True))
        self.put("SubtensorModule", "Weights", (netuid, neuron.uid), weights)
        self._updated(subnet, neuron, call.block)

    def _commit_weights(self, call: Submitted) -> None:
        netuid = call.args["netuid"]
        if not self.get("SubtensorModule", "CommitRevealWeightsEnabled", netuid):
            raise Reverted("SubtensorModule", "CommitRevealDisabled")
        subnet, neuron = self._setter(call)
        epoch = self.get("SubtensorModule", "SubnetEpochIndex", netuid)
        commits = list(self.get("SubtensorModule", "TimelockedWeightCommits", netuid, epoch) or [])
        commits.append((call.signer, call.block, call.args["commit"], call.args["reveal_round"]))
        self.put("SubtensorModule", "TimelockedWeightCommits", (netuid, epoch), commits)
        self._updated(subnet, neuron, call.block)

    def _set_commitment(self, call: Submitted) -> None:
        netuid = call.args["netuid"]
        if self.get("SubtensorModule", "Uids", netuid, call.signer) is None:
            raise Reverted("Commitments", "AccountNotAllowedCommit")
        if len(call.args["info"]["fields"]) > 3:
            raise Reverted("Commitments", "TooManyFieldsInCommitmentInfo")
        kept = {"deposit": 0, "block": call.block, "info": call.args["info"]}
        self.put("Commitments", "CommitmentOf", (netuid, call.signer), kept)


def _raw(block_hash: str) -> bytes:
    return bytes.fromhex(block_hash.removeprefix("0x"))


ids = itertools.count(1)
