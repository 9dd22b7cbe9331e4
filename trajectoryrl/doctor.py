"""Whether a validator could work here: the network, the runtime, the registration, the keys, the disk. Read-only.

A local network is looked at for what it has; what it has not is said, too.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .errors import ClawbenchError
from .gitprocess import isolation
from .settings import Settings

if TYPE_CHECKING:
    from .chain.bittensor import BittensorChain, Runtime
    from .chain.localrules import Rules
    from .chain.protocol import Block, Metagraph
    from .protocol import Parameters

CALLS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "SubtensorModule.set_mechanism_weights": (
        ("netuid", "NetUid"),
        ("mecid", "MechId"),
        ("dests", "Vec<u16>"),
        ("weights", "Vec<u16>"),
        ("version_key", "u64"),
    ),
    "SubtensorModule.commit_timelocked_mechanism_weights": (
        ("netuid", "NetUid"),
        ("mecid", "MechId"),
        ("commit", "BoundedVec"),
        ("reveal_round", "u64"),
        ("commit_reveal_version", "u16"),
    ),
    "Commitments.set_commitment": (("netuid", "NetUid"), ("info", "CommitmentInfo")),
}
"""Every call that we send, with the arguments that we send it with."""
STORAGE: Mapping[str, str] = {
    "SubtensorModule.Uids": "u16",
    "SubtensorModule.CommitRevealWeightsEnabled": "bool",
    "SubtensorModule.WeightsSetRateLimit": "u64",
    "SubtensorModule.LastUpdate": "Vec<u64>",
    "SubtensorModule.MinAllowedWeights": "u16",
    "SubtensorModule.MaxWeightsLimit": "u16",
    "SubtensorModule.SubnetEpochConsensus": "",
    "SubtensorModule.Weights": "Vec<(u16, u16)>",
    "SubtensorModule.WeightsVersionKey": "u64",
    "SubtensorModule.StakeThreshold": "u64",
    "SubtensorModule.ActivityCutoff": "u16",
    "Commitments.CommitmentOf": "Registration",
    "Commitments.RevealedCommitments": "Vec<(Vec<u8>, u64)>",
    "Timestamp.Now": "u64",
}
"""Every storage item that is read for us, with its value's type; an empty one may be of any."""
APIS = ("SubnetInfoRuntimeApi.get_metagraph", "TransactionPaymentApi.query_info", "Metadata.metadata_at_version")
_CLOCK_SECONDS = 60
_GIT = [2, 29]
_DISK_BYTES = 5 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: ``fail`` stops a validator, ``warn`` will hurt it one day, ``none`` is not here."""

    name: str
    state: Literal["ok", "warn", "fail", "none"]
    said: str


def runtime_findings(runtime: Runtime) -> list[Finding]:
    """Whether every call, storage item and API that we use is there, with the types that we expect."""
    found = []
    for name, arguments in CALLS.items():
        if name not in runtime.calls:
            found.append(Finding("runtime", "fail", f"call {name} is gone: this version cannot work here, upgrade"))
        elif runtime.calls[name] != arguments:
            now = ", ".join(f"{key}: {kind}" for key, kind in runtime.calls[name])
            found.append(Finding("runtime", "fail", f"call {name} now takes ({now}): upgrade"))
    for name, kind in STORAGE.items():
        if name not in runtime.storage:
            found.append(Finding("runtime", "fail", f"storage {name} is gone: upgrade"))
        elif kind and runtime.storage[name] != kind:
            found.append(Finding("runtime", "fail", f"storage {name} is now {runtime.storage[name]}, not {kind}"))
    found += [
        Finding("runtime", "fail", f"runtime API {name} is gone: upgrade") for name in APIS if name not in runtime.apis
    ]
    if not found:
        said = f"spec {runtime.spec} has all {len(CALLS)} calls, {len(STORAGE)} storage items, {len(APIS)} APIs"
        found.append(Finding("runtime", "ok", said))
    return found


def standing_findings(
    graph: Metagraph, hotkey: str, values: Mapping[str, int], parameters: Parameters, head: int, register: str
) -> list[Finding]:
    """Whether the chain, which holds ``values``, lets this hotkey set weights that count."""
    neuron = graph.by_hotkey(hotkey)
    if neuron is None:
        said = f"{hotkey} is not registered on subnet {graph.netuid}: {register}"
        return [Finding("registration", "fail", said)]
    threshold = values.get("StakeThreshold")
    found = [Finding("registration", "ok", f"{hotkey} is uid {neuron.uid} of {len(graph.neurons)}")]
    if neuron.permit:
        found.append(Finding("permit", "ok", "may set weights"))
    else:
        needed = "more stake is needed" if threshold is not None else "this key is none of a validator"
        found.append(Finding("permit", "fail", f"has no validator permit: {needed}"))
    if threshold is None:
        found.append(Finding("stake", "none", f"{neuron.stake / 1e9:,.3f}; this network asks for none"))
    else:
        enough: Literal["ok", "fail"] = "ok" if neuron.stake >= threshold else "fail"
        found.append(Finding("stake", enough, f"{neuron.stake / 1e9:,.3f}, the threshold is {threshold / 1e9:,.3f}"))
    since, limit = head - neuron.last_update, values.get("WeightsSetRateLimit", 0)
    left = max(0, limit - since)
    said = f"weights may be set {'now' if not left else f'in {left} blocks'}; the limit is {limit} blocks"
    found.append(Finding("rate limit", "ok" if limit < parameters.blocks_per_epoch else "warn", said))
    cutoff = values.get("ActivityCutoff", 0)
    if cutoff and since > cutoff // 2 and neuron.last_update:
        found.append(Finding("activity", "warn", f"last weights {since} blocks ago, inactive after {cutoff}"))
    wanted = values.get("WeightsVersionKey", 0)
    if parameters.version_key < wanted:
        said = f"the subnet asks for version key {wanted}, this version has {parameters.version_key}: upgrade"
        found.append(Finding("version key", "fail", said))
    else:
        found.append(Finding("version key", "ok", f"{parameters.version_key} (the subnet asks for {wanted})"))
    return found


def clock_finding(block: Block, now_ms: int, block_seconds: int) -> Finding:
    """Whether this machine's clock and the newest block's agree."""
    late = (now_ms - block.time_ms) / 1000
    if -_CLOCK_SECONDS < late < _CLOCK_SECONDS + 2 * block_seconds:
        return Finding("clock", "ok", f"block {block.number} is {late:.0f} s old")
    said = f"block {block.number} is {late:.0f} s old: the node is behind, or this clock is wrong"
    return Finding("clock", "warn", said)


def machine_findings(settings: Settings, environment: Mapping[str, str], model: str) -> list[Finding]:
    """What this machine must have: git, disk, keys."""
    found = []
    git = shutil.which("git")
    if git is None:
        found.append(Finding("git", "fail", "git is not installed"))
    else:
        version = subprocess.run([git, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
        numbers = [int(part) for part in re.findall(r"[0-9]{1,6}", version)[:2]]
        said = version.strip() or "git does not say its version"
        if numbers < _GIT:
            found.append(Finding("git", "fail", f"{said}: at least {_GIT[0]}.{_GIT[1]} is needed"))
        else:
            found.append(Finding("git", "ok", said))
            boxed = isolation() != "limits"
            state = "does not work here" if shutil.which("bwrap") else "is not installed"
            said = isolation() if boxed else f"bubblewrap {state}: git is limited, but not isolated"
            found.append(Finding("isolation", "ok" if boxed else "warn", said))
    place = settings.state_folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    writable = os.access(place, os.W_OK)
    said = f"{free / 1024**3:.1f} GiB free at {place}" + ("" if writable else ", which cannot be written")
    found.append(Finding("disk", "fail" if not writable else "ok" if free > _DISK_BYTES else "warn", said))
    token = bool(environment.get("GITHUB_TOKEN"))
    said = "GITHUB_TOKEN is set" if token else "GITHUB_TOKEN is not set: 60 requests an hour are too few for a subnet"
    if settings.forge:
        found.append(Finding("github", "none", "repositories come from --forge"))
    else:
        found.append(Finding("github", "ok" if token else "warn", said))
    provider = model.partition("/")[0]
    key = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}.get(provider)
    if key is not None:
        there = bool(environment.get(key))
        found.append(Finding("model", "ok" if there else "fail", f"{model}: {key} is {'set' if there else 'not set'}"))
    else:
        found.append(Finding("model", "ok", model))
    return found


async def examined(settings: Settings, chain: BittensorChain, parameters: Parameters) -> list[Finding]:
    """Everything that was looked at, in order; a chain that does not answer is a finding, too."""
    model = settings.model or parameters.model
    found = machine_findings(settings, os.environ, model)
    if parameters.changed and chain.public:
        found.append(Finding("protocol", "fail", "changed parameters set no weights on a public network"))
    if model != parameters.model and chain.public:
        said = f"the protocol's model is {parameters.model}: another sets no weights on a public network"
        found.append(Finding("model", "fail", said))
    try:
        head = await chain.head()
        found.append(Finding("network", "ok", f"{settings.network} answers, block {head}"))
        found.append(clock_finding(await chain.block(head), time.time_ns() // 1_000_000, parameters.seconds_per_block))
        runtime = await chain.runtime()
        found += runtime_findings(runtime)
        graph = await chain.metagraph(head)
        if chain.hotkey is None:
            found.append(Finding("registration", "warn", "not looked at: no hotkey was found"))
        else:
            how = f"btcli subnets register --netuid {graph.netuid}"
            found += standing_findings(graph, chain.hotkey, runtime.values, parameters, head, how)
    except ClawbenchError as error:
        found.append(Finding("network", "fail", error.problems[0].message))
    return found


async def examined_local(
    settings: Settings, parameters: Parameters, key: Any, now_ms: int | None = None
) -> list[Finding]:
    """The same for a network of one machine: what it has is looked at, what it has not is ``none``."""
    from .chain import named_chain

    found = machine_findings(settings, os.environ, settings.model or parameters.model)
    found.append(Finding("runtime", "none", "a local network has no runtime: its calls are those of this version"))
    found.append(await _forge_finding(settings.forge))
    try:
        chain: Any = await named_chain(settings.network, settings.netuid, key)
    except ClawbenchError as error:
        return [*found, Finding("network", "fail", error.problems[0].message)]
    try:
        rules: Rules = chain.rules if hasattr(chain, "rules") else chain.network.rules
        head = await chain.head()
        found.append(Finding("network", "ok", f"{settings.network} answers, block {head}"))
        found.append(_pace_finding(rules, parameters))
        if rules.clock == "wall":
            now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
            found.append(clock_finding(await chain.block(head), now, parameters.seconds_per_block))
        else:
            found.append(Finding("clock", "none", "this network's blocks do not come by a clock"))
        if chain.hotkey is None:
            found.append(Finding("registration", "warn", "not looked at: no hotkey was found"))
        else:
            graph = await chain.metagraph(head)
            values = {
                "WeightsSetRateLimit": rules.rate_limit,
                "ActivityCutoff": rules.activity_cutoff,
                "WeightsVersionKey": rules.min_version_key,
            }
            how = "trajectoryrl localnet up --validators N registers its own keys"
            found += standing_findings(graph, chain.hotkey, values, parameters, head, how)
    except ClawbenchError as error:
        found.append(Finding("network", "fail", error.problems[0].message))
    finally:
        await chain.close()
    return found


def _pace_finding(rules: Rules, parameters: Parameters) -> Finding:
    """Whether the network's blocks come as fast as the parameters say."""
    seconds = rules.block_ms / 1000
    if seconds == parameters.seconds_per_block:
        return Finding("protocol", "ok", f"blocks of {seconds:g} s, epochs of {parameters.blocks_per_epoch} blocks")
    said = f"blocks come every {seconds:g} s, the parameters say {parameters.seconds_per_block} s"
    return Finding("protocol", "fail", f"{said}: give --protocol, as localnet/env does")


async def _forge_finding(url: str) -> Finding:
    """Whether a forge answers at ``url``."""
    import httpx

    from .repository import forge_host

    if not url:
        return Finding("forge", "warn", "no --forge is given: repositories are read from GitHub")
    try:
        api = forge_host(url, public_network=False).api
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            answer = await client.get(f"{api}/repositories/0")
            answer.json()
    except ClawbenchError as error:
        return Finding("forge", "fail", error.problems[0].message)
    except (httpx.HTTPError, ValueError):
        return Finding("forge", "fail", f"no forge answers at {url}: trajectoryrl forge serve, or localnet up")
    return Finding("forge", "ok", f"{url} answers")
