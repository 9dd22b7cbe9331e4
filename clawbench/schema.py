"""JSON Schema of scenario files, for editors: out of the models that validate them."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from .scenariofile import ScenarioFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Leaves out defaults that JSON cannot say (an exact fraction) instead of warning about them."""

    def emit_warning(self, kind: str, detail: str) -> None:
        """Says nothing: what is left out is what was meant to be."""


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a scenario file of ours.

    What one key says about another (facts in patterns, evidence, fixtures) is beyond a schema: ``clawbench
    lint`` checks it.
    """
    schema = ScenarioFile.model_json_schema(schema_generator=_Generator)
    return {"$schema": DIALECT, **schema, "title": "clawbench scenario"}
