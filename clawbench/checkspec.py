"""What a check of our scenarios may say, one model per set of parameters.

Those of the public types stay as they are.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

Category = Literal["safety", "correctness", "efficiency", "structure"]
Severity = Literal["critical", "major", "minor"]

MAX_PATTERN = 4096


def listed(value: Any) -> Any:
    """A list as a tuple, one text as a tuple of itself; anything else stays, to be refused by its type."""
    if isinstance(value, list):
        return tuple(value)
    return (value,) if isinstance(value, str) else value


def _evidence(value: Any) -> Any:
    from .evidence import named_alternatives

    try:
        named_alternatives(value)
    except (ValueError, TypeError, RecursionError) as why:
        raise PydanticCustomError("SCENARIO_VALUE", "{why}", {"why": str(why)}) from None
    return value


_ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
_REFS: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_NEEDS: dict[str, Any] = {"type": "object", "additionalProperties": _REFS, "minProperties": 1}

Texts = Annotated[tuple[str, ...], BeforeValidator(listed), Field(min_length=1), WithJsonSchema(_ONE_OR_MORE)]
Evidence = Annotated[
    Any,
    BeforeValidator(_evidence),
    WithJsonSchema(
        {
            "anyOf": [
                _NEEDS,
                {"type": "array", "items": {"type": "object"}, "minItems": 1},
                {
                    "type": "object",
                    "properties": {
                        "any": {
                            "type": "array",
                            "items": {"type": "object"},
                            "minItems": 1,
                            "description": "Alternatives, one of which is enough.",
                        }
                    },
                    "required": ["any"],
                },
            ]
        }
    ),
]
Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN, json_schema_extra={"format": "regex"})]
ToolName = Annotated[str, Field(min_length=1, max_length=64)]
Glob = Annotated[
    str, Field(pattern=r"^[a-z*?][a-z_*?]*(\.[a-z_*?]+)?$", description="An effect, or a glob over effects.")
]
Globs = Annotated[tuple[Glob, ...], BeforeValidator(listed), Field(min_length=1), WithJsonSchema(_ONE_OR_MORE)]
BeforeTurn = Annotated[
    int | None, Field(ge=1, le=100, description="Only what came before the user's n-th reply, counted from 1.")
]
CaseInsensitive = Annotated[bool, Field(description="Whether letters match in either case.")]
Count = Annotated[int, Field(ge=0, le=10_000)]


class Model(BaseModel):
    """Strict, frozen, and closed: a key that means nothing is an error."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)


class CheckBase(Model):
    """What every check has."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="Unique in the file.")
    points: int = Field(ge=1, le=1000, description="What the check is worth, a whole number.")
    category: Category = Field(description="Which part of the score the check belongs to.")
    description: str = Field("", max_length=1000, description="What the check asks, for people.")
    severity: Severity | None = Field(
        None, description="What failing costs beyond the points; critical makes the pack's score 0."
    )
    evidence: Evidence = Field(
        None,
        description="Facts that a tool call of the run must have shown, and the records that may show them: "
        "{fact: [mail/key, ...]}, a list of such mappings (all required), or {any: [...]}.",
    )
    exclusive: Texts | None = Field(
        None, description="Facts of which only the true value may stand where the check's pattern matches."
    )
    claims: Globs | None = Field(
        None,
        description="Effects, or globs over effects, that the answer may say it had only if one of them happened: "
        "'I have sent the reply' fails the check unless a mail was sent.",
    )


class ToolsCheck(CheckBase):
    """tool_called passes if every one of the tools was called, tool_not_called if none was."""

    type: Literal["tool_called", "tool_not_called"] = Field(description="Which check this is.")
    tool: Texts | None = Field(None, description="One tool or several.")
    tools: Texts | None = Field(None, description="Several tools; wins over tool.")

    @model_validator(mode="after")
    def _names_a_tool(self) -> ToolsCheck:
        if not (self.tool or self.tools):
            raise PydanticCustomError("SCENARIO_REQUIRED", "the key 'tool' is missing: which tool, or tools")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The tools that are meant."""
        return self.tools or self.tool or ()


class CallTextCheck(CheckBase):
    """A pattern over the arguments (tool_arg_…) or the results (tool_response_…) of calls.

    …_contains passes if some call matches, …_excludes if none does.
    """

    type: Literal["tool_arg_contains", "tool_arg_excludes", "tool_response_contains", "tool_response_excludes"] = Field(
        description="Which check this is."
    )
    pattern: Pattern = Field(description="An RE2 pattern, searched with (?is).")
    tool: ToolName | None = Field(None, description="Only calls of this tool.")
    case_insensitive: CaseInsensitive = True


class CountMaxCheck(CheckBase):
    """Passes if there were at most ``max`` calls."""

    type: Literal["tool_count_max"] = Field(description="Which check this is.")
    max: Count = Field(description="Calls at most.")
    tool: ToolName | None = Field(None, description="Only calls of this tool.")


class CountMinCheck(CheckBase):
    """Passes if there were at least ``min`` calls."""

    type: Literal["tool_count_min"] = Field(description="Which check this is.")
    min: Count = Field(description="Calls at least.")
    tool: ToolName | None = Field(None, description="Only calls of this tool.")


class CountScoreCheck(CheckBase):
    """Full points up to ``min`` calls, none from ``max`` on, linear between, in tenths of a point."""

    type: Literal["tool_count_score"] = Field(description="Which check this is.")
    min: Count = Field(description="Calls up to which all points are earned.")
    max: Count = Field(description="Calls from which on no point is earned.")
    tool: ToolName | None = Field(None, description="Only calls of this tool.")

    @model_validator(mode="after")
    def _in_order(self) -> CountScoreCheck:
        if self.min >= self.max:
            raise PydanticCustomError("SCENARIO_VALUE", "min must be less than max")
        return self


class CallOrderCheck(CheckBase):
    """Passes if ``before`` was first called before ``after`` was, or ``after`` never."""

    type: Literal["tool_called_before"] = Field(description="Which check this is.")
    before: ToolName = Field(description="The tool that comes first.")
    after: ToolName = Field(description="The tool that comes later.")


class AnswerCheck(CheckBase):
    """response_contains passes if the answer matches, response_excludes if it does not."""

    type: Literal["response_contains", "response_excludes"] = Field(description="Which check this is.")
    pattern: Pattern = Field(description="An RE2 pattern, searched in the answer with (?is).")
    case_insensitive: CaseInsensitive = True
    before_turn: BeforeTurn = None


class AnswerLengthCheck(CheckBase):
    """Passes if the answer has at most ``max`` characters."""

    type: Literal["response_length_max"] = Field(description="Which check this is.")
    max: int = Field(ge=1, le=1_000_000, description="Characters at most.")


class EffectCheck(CheckBase):
    """About what tool calls really did: effect_absent passes if no such effect happened, effect_present if
    one did.

    Effects that were prevented don't count.
    """

    type: Literal["effect_absent", "effect_present"] = Field(description="Which check this is.")
    effect: Globs = Field(description="Effects such as mail.send, or globs such as calendar.*")
    to: Pattern | None = Field(None, description="An RE2 pattern over who or what was touched.")
    pattern: Pattern | None = Field(None, description="An RE2 pattern over what was written.")
    case_insensitive: CaseInsensitive = True
    before_turn: BeforeTurn = None


Check = Annotated[
    ToolsCheck
    | CallTextCheck
    | CountMaxCheck
    | CountMinCheck
    | CountScoreCheck
    | CallOrderCheck
    | AnswerCheck
    | AnswerLengthCheck
    | EffectCheck,
    Field(discriminator="type"),
]

CHECK_MODELS: dict[str, type[CheckBase]] = {
    "tool_called": ToolsCheck,
    "tool_not_called": ToolsCheck,
    "tool_arg_contains": CallTextCheck,
    "tool_arg_excludes": CallTextCheck,
    "tool_response_contains": CallTextCheck,
    "tool_response_excludes": CallTextCheck,
    "tool_count_max": CountMaxCheck,
    "tool_count_min": CountMinCheck,
    "tool_count_score": CountScoreCheck,
    "tool_called_before": CallOrderCheck,
    "response_contains": AnswerCheck,
    "response_excludes": AnswerCheck,
    "response_length_max": AnswerLengthCheck,
    "effect_absent": EffectCheck,
    "effect_present": EffectCheck,
}
"""Every type that a check of our scenarios can have."""
