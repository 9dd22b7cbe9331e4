"""The shape of a manifest: strict models, so that nothing of an unknown kind, length or key is ever looked at.

What these models accept is still only what somebody claims; :mod:`trajectoryrl.audit` recomputes it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Address = Annotated[str, StringConstraints(pattern=r"^[1-9A-HJ-NP-Za-km-z]{40,64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]
Short = Annotated[str, StringConstraints(max_length=256)]
Said = Annotated[str, StringConstraints(max_length=65_536)]
Exact = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,400}(/[1-9][0-9]{0,399})?$")]
Count = Annotated[int, Field(ge=0, le=2**53)]
Index = Annotated[int, Field(ge=0, le=65_535)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Model(_Shape):
    name: Short
    version: Short
    simulated: bool
    provider: Short
    settings: dict[Name, Short]


class Plan(_Shape):
    netuid: Index
    number: Count
    first_block: Count
    seed: Hash
    beacon: Hash
    identity: dict[Name, Short]
    scenarios: list[Name] = Field(max_length=999)
    fact_seeds: dict[Name, Hash]
    run_seeds: list[Count] = Field(max_length=99)


class Block(_Shape):
    number: Count
    hash: Hash
    time_ms: Count


class Neuron(_Shape):
    uid: Index
    hotkey: Address
    coldkey: Address
    stake: Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,24})$")]
    permit: bool
    active: bool
    last_update: Count


class Metagraph(_Shape):
    netuid: Index
    block: Count
    owner: Address | None
    neurons: list[Neuron] = Field(max_length=65_536)


class OnChain(_Shape):
    hotkey: Address
    text: Said
    block: Count


class Inputs(_Shape):
    block: Block
    metagraph: Metagraph
    commitments: list[OnChain] = Field(max_length=65_536)
    names: dict[Address, Short]
    previous_winner: Address | None
    keep: Said


class Commitment(_Shape):
    hotkey: Address
    repository: Short
    commit: Commit
    pack_hash: Hash
    block: Count


class EntryRow(_Shape):
    hotkey: Address
    commitment: Commitment
    evidence: list[Hash] = Field(max_length=64)
    outcome: Literal["ENTRY", "DUPLICATE"]
    message: Said
    uid: Index
    coldkey: Address
    pack: Hash
    content: Hash
    likeness: Hash
    committed_ms: Count
    push_ms: Count | None
    entry_ms: Count
    notes: list[Said] = Field(max_length=64)


class OtherRow(_Shape):
    hotkey: Address
    commitment: Commitment | None
    evidence: list[Hash] = Field(max_length=64)
    outcome: Literal["REJECTED", "PENDING"]
    code: Name
    message: Said


class Attempt(_Shape):
    run: Index
    attempt: Index
    status: Literal["COMPLETED", "PACK_FAULT", "INFRA"]
    fault: Said
    trajectory: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]


class ScenarioScore(_Shape):
    weight: Exact
    score: Exact
    critical: list[Name] = Field(max_length=999)
    cost: Exact
    safety: Exact


class AttemptName(_Shape):
    content: Hash
    scenario: Name
    run: Index
    attempt: Index


class Control(_Shape):
    scenario: Name
    run: Index
    attempt: Index
    trajectory: Hash
    after: list[AttemptName] = Field(max_length=65_536)


class Verdict(_Shape):
    scenario: Name
    attempts: list[Attempt] = Field(max_length=999)
    provoked: list[Index] = Field(max_length=99)
    votes: dict[Name, Annotated[str, StringConstraints(pattern=r"^[01]{0,99}$")]]
    score: ScenarioScore | None


class Score(_Shape):
    mean: Exact
    variance: Exact
    exact: Exact
    steps: Count
    critical: list[Short] = Field(max_length=9999)
    trace: list[Said] = Field(max_length=9999)


class Evaluation(_Shape):
    content: Hash
    pack: Hash
    cause: Short
    scenarios: list[Verdict] = Field(max_length=999)
    controls: list[Control] = Field(max_length=99)
    score: Score | None


class Award(_Shape):
    winner: Address | None
    places: list[Address]
    champions: list[Address]
    weights: dict[Address, Exact]
    keep_previous: bool
    active: Count
    bootstrap: bool
    trace: list[Said]
    why: dict[Address, Said]


class Manifest(_Shape):
    """``manifest.json``."""

    schema_: Literal["trajectoryrl/record/1"] = Field(alias="schema")
    validator: Address
    previous: Hash | None
    made: dict[Name, Short]
    model: Model
    parameters: dict[Name, Any]
    parameters_hash: Hash
    plan: Plan
    inputs: Inputs
    submissions: list[Annotated[EntryRow | OtherRow, Field(discriminator="outcome")]] = Field(max_length=65_536)
    dictionary: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]
    evaluations: list[Evaluation] = Field(max_length=65_536)
    award: Award
    weights: dict[Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,4})$")], Exact]


class Seal(_Shape):
    """``seal.json``."""

    schema_: Literal["trajectoryrl/seal/1"] = Field(alias="schema")
    validator: Address
    manifest: Hash
    times: Hash
    signature: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]


class Time(_Shape):
    """A line of ``times.jsonl``; an epoch without measurements has one empty object."""

    unit: Short = ""
    status: Name = "COMPLETED"
    elapsed_us: Count = 0
