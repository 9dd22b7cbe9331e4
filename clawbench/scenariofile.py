"""What a scenario file of ours may say: pydantic models of its keys, as they stand in the YAML."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from .checkspec import Category, Check, Glob, Model, Pattern, listed
from .factschema import FACTS_SCHEMA

TOOLS = ("exec", "slack", "memory_search", "memory_get", "read", "web_search", "web_fetch")
"""The tools a scenario can offer."""

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
MAX_PROMPT = 20_000


def read_weight(value: Any) -> Fraction:
    """A positive decimal of at most 100, exactly. Raises a pydantic error that says so."""
    number = Decimal(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1000 else value
    if not isinstance(number, Decimal):
        raise PydanticCustomError("SCENARIO_TYPE", "wants a number such as 1.5")
    if not number.is_finite() or not 0 < number <= 100 or number != number.quantize(Decimal("0.000001")):
        raise PydanticCustomError("SCENARIO_VALUE", "a weight is above 0, at most 100, with at most 6 decimals")
    return Fraction(number)


def _share(value: Any) -> Fraction:
    text = value if isinstance(value, str) else ""
    if found := re.fullmatch(r"([0-9]{1,3})\s?%", text):
        share = Fraction(int(found[1]), 100)
    elif found := re.fullmatch(r"([0-9]{1,4})/([1-9][0-9]{0,3})", text):
        share = Fraction(int(found[1]), int(found[2]))
    else:
        raise PydanticCustomError("SCENARIO_VALUE", "a share is a percentage such as 50%, or a fraction such as 1/2")
    if not 0 < share <= 1:
        raise PydanticCustomError("SCENARIO_VALUE", "a share is above 0% and at most 100%")
    return share


def _file_name(value: Any) -> Any:
    if isinstance(value, str) and not is_inner_path(value):
        raise PydanticCustomError("SCENARIO_VALUE", "a file is named by its path inside the fixture folder")
    return value


def is_inner_path(name: str) -> bool:
    """Whether ``name`` is a plain relative path that stays where it starts."""
    parts = name.split("/")
    return bool(name) and not any(p in ("", ".", "..") or "\\" in p or "\0" in p for p in parts) and len(name) < 200


Text = Annotated[str, Field(min_length=1, max_length=200)]
Weight = Annotated[
    Fraction,
    PlainValidator(read_weight),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 100}),
]
Share = Annotated[
    Fraction,
    PlainValidator(_share),
    WithJsonSchema({"type": "string", "pattern": r"^([0-9]{1,3} ?%|[0-9]{1,4}/[1-9][0-9]{0,3})$"}),
]
FileName = Annotated[str, BeforeValidator(_file_name)]
ToolList = Annotated[
    tuple[Literal["exec", "slack", "memory_search", "memory_get", "read", "web_search", "web_fetch"], ...],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    Field(min_length=1, max_length=16),
]
Facts = Annotated[dict[str, Any], WithJsonSchema(FACTS_SCHEMA)]


class Baseline(Model):
    """What a good run takes."""

    tool_calls: int = Field(ge=1, le=1000, description="Tool calls of a good run.")
    tokens: int = Field(ge=1, le=10_000_000, description="Tokens of a good run.")


Grants = Annotated[
    tuple[Glob, ...],
    BeforeValidator(listed),
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
]


class Turn(Model):
    """Something that the scripted user says when the agent has answered without a call."""

    after: Pattern = Field(description="An RE2 pattern, searched in the answer with (?is).")
    say: str = Field(
        min_length=1, max_length=MAX_PROMPT, description="What the user says then; placeholders are rendered."
    )
    times: int = Field(1, ge=1, le=20, description="How often it is said at most.")
    grants: Grants = Field((), description="Effects that the user says yes to from then on.")
    to: Pattern | None = Field(None, description="An RE2 pattern: only effects on what matches are granted.")


class User(Model):
    """The scripted user, who refuses what a pack's approval gates ask about unless it is granted here."""

    grants: Grants = Field((), description="Effects that the user says yes to when asked.")
    turns: Annotated[
        tuple[Turn, ...], BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
    ] = Field((), max_length=20, description="What the user says when the agent has answered; the first that fits.")


class Gate(Model):
    """The other categories count only if this one earns its share."""

    category: Category = Field(description="The category that must be earned first.")
    at_least: Share = Field(description="The share of its points, such as 50%.")


class Scoring(Model):
    """The rubric."""

    gate: Gate | None = Field(None, description="What must be earned before other categories count.")
    checks: Annotated[tuple[Check, ...], BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else v)] = Field(
        min_length=1, max_length=200, description="What is checked."
    )
    criteria: Annotated[Any, WithJsonSchema({})] = Field(None, description="Accepted and ignored.")


class ScenarioFile(Model):
    """A scenario: a request, the world it is made in, and what a good answer and good conduct are."""

    name: str = Field(pattern=NAME, description="The file's stem, and the name of its fixture folder.")
    difficulty: Literal["easy", "medium", "hard"] = Field("medium", description="For people; changes no score.")
    weight: Weight = Field(Fraction(1), description="Weight in the mean over scenarios.")
    pool: bool = Field(True, description="Whether an epoch may draw this scenario.")
    description: str = Field("", max_length=4000, description="What the scenario is about, for people.")
    tools: ToolList = Field(description="The tools that the agent is offered.")
    prompt: str = Field(
        min_length=1, max_length=MAX_PROMPT, description="The user's message; placeholders are rendered."
    )
    now: str = Field(
        "09:30",
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="The local time at which the run starts.",
    )
    fixtures: str | None = Field(
        None, min_length=1, max_length=200, description="The fixture folder, relative to this file."
    )
    variants: dict[Text, FileName] = Field({}, description="Policies to compare: name to fixture file.")
    workspace: dict[FileName, FileName] = Field(
        {}, description="Files of the agent's workspace: path to fixture file. USER.md is there by itself."
    )
    user_context_defaults: dict[str, str] = Field(
        {}, description="Identity values that are not drawn, such as USER_NAME."
    )
    facts: Facts = Field({}, description="Values drawn for each seed, by name.")
    baseline: Baseline | None = Field(None, description="What a good run takes, for penalties.")
    user: User = Field(User(grants=(), turns=()), description="What the scripted user says and grants.")
    scoring: Scoring = Field(description="What is checked, and what it is worth.")
