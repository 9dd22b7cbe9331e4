"""A stage: everything that the runs of one pack on one scenario share, made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from . import draws
from .approval import Approval
from .identity import context_block
from .limits import Limits, StopRules
from .models.protocol import Model, identity_of
from .pack import Pack, offered_tools
from .prompt import system_prompt
from .rubric import Rubric, rubric_for
from .sandbox import tool_schemas
from .scenario import Scenario, render_world
from .trajectory import SCHEMA, BlobStore
from .userturns import UserTurn, user_turns
from .world import World


@dataclass(frozen=True, slots=True)
class Sampling:
    """What steers the model, as it is recorded: decimal text for the temperature, tokens for one reply."""

    temperature: str = "0.7"
    max_tokens: int = 4096


@dataclass(frozen=True, slots=True)
class Stage:
    """One pack on one scenario at one seed, ready to run any number of times.

    ``timestamp`` is the scenario's now, which stands in every line of a run; ``prefix`` starts the hash of its
    conversation.
    """

    scenario: Scenario
    pack: Pack
    world: World
    rubric: Rubric
    seed: str
    epoch_seed: str
    beacon: str
    system: str
    request: str
    tools: tuple[Mapping[str, Any], ...]
    tool_names: frozenset[str]
    approval: Approval
    turns: tuple[UserTurn, ...]
    stop_rules: StopRules
    files: Mapping[str, str]
    sampling: Sampling
    limits: Limits
    user_context: Mapping[str, str]
    timestamp: str
    prefix: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """``PACK/SCENARIO``: where the stage's runs stand in a bench's folder."""
        return f"{self.pack.name}-{self.pack.sha256[:8]}/{self.scenario.name}"

    def unit(self, index: int) -> str:
        """The key of one run: equal keys mean equal inputs, whatever model answers."""
        hashes = (self.pack.sha256, self.scenario.sha256, self.world.sha256, self.epoch_seed)
        return ":".join([*(name[:16] for name in hashes), str(index)])

    def started(self, shared: Mapping[str, Any], index: int) -> dict[str, Any]:
        """The payload of run ``index``'s ``episode_start``; ``shared`` is :meth:`start`."""
        seed = {**shared["seed"], "run": draws.run_seed(self.epoch_seed, index)}
        return {"schema": SCHEMA, "unit": self.unit(index), "index": index, **shared, "seed": seed}

    def start(self, model: Model, blobs: BlobStore) -> dict[str, Any]:
        """What the first lines of this stage's runs share; texts go to ``blobs``."""
        return {
            "scenario": {
                "name": self.scenario.name,
                "sha256": self.scenario.sha256,
                "compat": self.scenario.compat,
            },
            "world": self.world.sha256,
            "pack": {
                "name": self.pack.name,
                "version": self.pack.version,
                "sha256": self.pack.sha256,
                "blob": blobs.put(self.pack.canonical),
            },
            "seed": {"name": self.seed, "epoch": self.epoch_seed, "beacon": self.beacon},
            "user_context": dict(self.user_context),
            "model": identity_of(model),
            "sampling": {"temperature": self.sampling.temperature, "max_tokens": self.sampling.max_tokens},
            "limits": self.limits.as_dict(),
            "prompt": {"system": blobs.put(self.system.encode()), "user": blobs.put(self.request.encode())},
            "tools": {
                "names": [tool["function"]["name"] for tool in self.tools],
                "blob": blobs.put(orjson.dumps(self.tools)),
            },
        }


def staged(
    scenario: Scenario,
    pack: Pack,
    *,
    seed: str = "0",
    epoch_seed: str | None = None,
    beacon: str | None = None,
    user_context: Mapping[str, str] | None = None,
    sampling: Sampling | None = None,
    limits: Limits | None = None,
    world: World | None = None,
    rubric: Rubric | None = None,
) -> Stage:
    """Renders the world of ``scenario`` at ``seed`` and fits ``pack`` into it.

    ``world`` and ``rubric`` are taken as they are when given: many packs then share one rendering.
    Raises ScenarioInvalid, FixtureInvalid or PackRejected.
    """
    context = dict(user_context or {})
    epoch_seed = epoch_seed or draws.local_seed(seed)
    beacon = beacon or epoch_seed
    if world is None:
        world = render_world(scenario, epoch_seed, beacon, context)
    if rubric is None:
        rubric = rubric_for(scenario, world)
    names = offered_tools(pack, scenario.tools)
    tools = tool_schemas(names, flights=bool(world.flights))
    system = system_prompt(
        pack, "" if scenario.compat else context_block(world.identity), sorted(world.workspace.items())
    )
    request = scenario.rendered_prompt(world).strip()
    sampling = sampling or Sampling()
    return Stage(
        scenario=scenario,
        pack=pack,
        world=world,
        rubric=rubric,
        seed=str(seed),
        epoch_seed=epoch_seed,
        beacon=beacon,
        system=system,
        request=request,
        tools=tools,
        tool_names=frozenset(names),
        approval=Approval(tuple(pack.approval_gates), tuple(pack.deny), tuple(scenario.user.grants)),
        turns=user_turns(scenario, world),
        stop_rules=StopRules.of(pack.stop_rules),
        files={**world.workspace, **pack.files},
        sampling=sampling,
        limits=limits or Limits(),
        user_context=context,
        timestamp=world.now.isoformat(),
        prefix=sha256(orjson.dumps([system, request, tools])).digest(),
    )
