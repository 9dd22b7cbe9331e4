"""What a node answers: JSON-RPC methods over a :class:`~tests.chain.subtensor.Subtensor`."""

from __future__ import annotations

from typing import Any

from .metadata import SPEC, compact, metadata
from .subtensor import Sealed, Subtensor

METHODS = (
    "account_nextIndex",
    "author_submitAndWatchExtrinsic",
    "chain_getHead",
    "state_call",
    "state_getKeysPaged",
    "state_getStorageAt",
    "state_queryStorageAt",
    "system_accountNextIndex",
)
_VERSION = {
    "specName": "node-subtensor",
    "implName": "node-subtensor",
    "specVersion": SPEC,
    "implVersion": 1,
    "authoringVersion": 1,
    "transactionVersion": 1,
    "stateVersion": 1,
    "apis": [],
}


class Pruned(Exception):
    """The state of that block is no longer kept."""


def answer(chain: Subtensor, method: str, params: list[Any]) -> Any:
    """The result of one call. Raises LookupError for an unknown method, KeyError for an unknown block."""
    first, second = (*params, None, None)[:2]
    match method:
        case "chain_getHead":
            return chain.blocks[-1].hash
        case "chain_getFinalizedHead" | "chain_getFinalisedHead":
            return chain.blocks[chain.final].hash
        case "chain_getHeader":
            return chain.at(first).header
        case "chain_getBlockHash":
            number = len(chain.blocks) - 1 if first is None else first if isinstance(first, int) else int(first, 16)
            return chain.blocks[number].hash if number < len(chain.blocks) else None
        case "chain_getBlock":
            sealed = chain.at(first)
            return {"block": {"header": sealed.header, "extrinsics": list(sealed.extrinsics)}, "justifications": None}
        case "state_getRuntimeVersion" | "chain_getRuntimeVersion":
            return _VERSION
        case "state_getMetadata":
            return "0x" + metadata().hex()
        case "state_call":
            data = bytes.fromhex((second or "0x").removeprefix("0x"))
            return "0x" + _runtime_api(chain, first, data, _kept(chain, params[2] if len(params) > 2 else None)).hex()
        case "state_getStorageAt" | "state_getStorage":
            value = _kept(chain, second).state.get(first)
            return None if value is None else "0x" + value.hex()
        case "state_getKeysPaged":
            prefix, count, start, block_hash = (*params, None, None, None)[:4]
            keys = sorted(key for key in _kept(chain, block_hash).state if key.startswith(prefix))
            return [key for key in keys if start is None or key > start][:count]
        case "state_queryStorageAt":
            state = _kept(chain, second).state
            changes = [[key, "0x" + state[key].hex() if key in state else None] for key in first]
            return [{"block": second, "changes": changes}]
        case "system_accountNextIndex" | "account_nextIndex":
            return chain.nonces[first]
        case "rpc_methods":
            return {"methods": list(METHODS)}
        case "system_chain":
            return "Bittensor"
        case "system_properties":
            return {"ss58Format": 42, "tokenDecimals": 9, "tokenSymbol": "TAO"}
    raise LookupError(method)


def _kept(chain: Subtensor, block_hash: str | None) -> Sealed:
    sealed = chain.at(block_hash)
    if sealed.number < chain.pruned_before:
        raise Pruned(sealed.hash)
    return sealed


def _runtime_api(chain: Subtensor, name: str, data: bytes, sealed: Sealed) -> bytes:
    if name == "Metadata_metadata_at_version":
        raw = metadata()
        return b"\x01" + compact(len(raw)) + raw
    api, _, method = name.partition("_")
    output = chain.codec.runtime_api_map()[api][method]["output"]
    netuid = int.from_bytes(data[:2], "little")
    subnet = sealed.subnets.get(netuid)
    if (api, method) == ("SubnetInfoRuntimeApi", "get_metagraph"):
        return b"\x00" if subnet is None else bytes(chain.codec.encode(output, _metagraph(chain, netuid, sealed)))
    if (api, method) == ("SubnetInfoRuntimeApi", "get_next_epoch_start_block"):
        tempo = subnet.tempo if subnet else 360
        return bytes(chain.codec.encode(output, sealed.number + tempo - sealed.number % (tempo + 1)))
    if (api, method) == ("TransactionPaymentApi", "query_info"):
        fee = {"weight": {"ref_time": 1000, "proof_size": 0}, "class": "Normal", "partial_fee": 0}
        return bytes(chain.codec.encode(output, fee))
    raise LookupError(name)


def _metagraph(chain: Subtensor, netuid: int, sealed: Sealed) -> dict[str, Any]:
    subnet = sealed.subnets[netuid]
    neurons = subnet.neurons
    output = chain.codec.runtime_api_map()["SubnetInfoRuntimeApi"]["get_metagraph"]["output"]
    optional = chain.types[int(output.split("::")[1])]
    inner = optional["params"][0]["type"]
    fields = chain.types[inner]["def"]["composite"]["fields"]
    axons = next(field["type"] for field in fields if field["name"] == "axons")
    axon = zero(chain, chain.types[axons]["def"]["sequence"]["type"])
    nothing = [0] * len(neurons)
    graph: dict[str, Any] = zero(chain, inner)
    graph.update(
        netuid=netuid,
        name=list(b"test"),
        symbol=list("τ".encode()),
        block=sealed.number,
        tempo=subnet.tempo,
        num_uids=len(neurons),
        max_uids=256,
        owner_hotkey=subnet.owner,
        owner_coldkey=subnet.owner,
        network_registered_at=subnet.registered_at,
        tao_in=10**9,
        alpha_in=10**9,
        hotkeys=[neuron.hotkey for neuron in neurons],
        coldkeys=[neuron.coldkey for neuron in neurons],
        identities=[None] * len(neurons),
        axons=[axon] * len(neurons),
        active=[neuron.active for neuron in neurons],
        validator_permit=[neuron.permit for neuron in neurons],
        last_update=[neuron.last_update for neuron in neurons],
        block_at_registration=[neuron.registered for neuron in neurons],
        alpha_stake=[neuron.stake for neuron in neurons],
        total_stake=[neuron.stake for neuron in neurons],
    )
    for name in ("pruning_score", "emission", "dividends", "incentives", "consensus", "trust", "rank", "tao_stake"):
        graph[name] = nothing
    for name in ("collateral_locked", "collateral_min", "collateral_earned"):
        graph[name] = nothing
    return graph


def zero(chain: Subtensor, type_id: int) -> Any:
    """A value of the type that says nothing: zeros, empty texts and lists, no options."""
    kind = chain.types[type_id]
    path, shape = kind.get("path") or [], kind["def"]
    if path and path[-1] == "AccountId32":
        from .subtensor import NOBODY

        return NOBODY
    match shape:
        case {"primitive": "bool"}:
            return False
        case {"primitive": "str"}:
            return ""
        case {"primitive": _}:
            return 0
        case {"compact": inner}:
            return zero(chain, inner["type"])
        case {"sequence": _}:
            return []
        case {"array": inner}:
            return [zero(chain, inner["type"])] * inner["len"]
        case {"tuple": parts}:
            return [zero(chain, part) for part in parts]
        case {"composite": inner}:
            fields = inner.get("fields") or []
            if len(fields) == 1 and not fields[0].get("name"):
                return zero(chain, fields[0]["type"])
            return {field["name"]: zero(chain, field["type"]) for field in fields}
    if path == ["Option"]:
        return None
    return shape["variant"]["variants"][0]["name"]
