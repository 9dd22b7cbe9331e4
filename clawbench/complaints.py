"""From pydantic's errors to problems people can act on: file, line and key, and what is allowed there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from .checkspec import CHECK_MODELS
from .errors import Problem
from .scenariofile import ScenarioFile
from .suggest import did_you_mean, quoted
from .yamlfile import KeyPath, Positions

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "is_instance_of": "another type",
}


def complaints(error: ValidationError, value: Any, positions: Positions) -> list[Problem]:
    """One problem for each of pydantic's errors over ``value``, each with a stable code."""
    found = []
    for detail in error.errors(include_url=False, include_context=True):
        path = _real_path(detail["loc"], value)
        kind = str(detail["type"])
        code, message = _sentence(kind, detail, path, value, positions)
        found.append(Problem(code, positions.where(path), message))
    return found


def _real_path(loc: Iterable[int | str], value: Any) -> KeyPath:
    """pydantic's location without the tags it puts in for the members of a union."""
    path: list[int | str] = []
    here = value
    for part in loc:
        if isinstance(here, dict) and part not in here and isinstance(part, str):
            if part == here.get("type") or part == "[key]":
                continue
            path.append(part)
            here = None
        elif isinstance(here, dict):
            path.append(part)
            here = here[str(part)]
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            path.append(part)
            here = here[part]
        elif part != "[key]" and here is None and isinstance(part, str):
            path.append(part)
    return tuple(path)


def _at(path: KeyPath, value: Any) -> Any:
    for part in path:
        value = value[part]
    return value


def _sentence(kind: str, detail: Any, path: KeyPath, value: Any, positions: Positions) -> tuple[str, str]:
    context = detail.get("ctx") or {}
    if kind.isupper():
        return kind, str(detail["msg"])
    if kind == "extra_forbidden":
        allowed = sorted(_allowed_keys(path[:-1], value))
        return "SCENARIO_KEY", unknown_key(str(path[-1]), allowed)
    if kind == "missing":
        field = _fields(path[:-1], value).get(str(path[-1]))
        meaning = f": {field.description}" if field is not None and field.description else ""
        return "SCENARIO_REQUIRED", f"the key '{path[-1]}' is missing{meaning}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tag = context.get("tag", "")
        said = (
            f"{quoted(tag)} is no check type{did_you_mean(str(tag), CHECK_MODELS)}"
            if tag
            else "the key 'type' is missing"
        )
        return "CHECK_TYPE", f"{said}; allowed: {', '.join(CHECK_MODELS)}"
    if kind in _WANTED:
        return "SCENARIO_TYPE", wants(_WANTED[kind], detail.get("input"), positions.written.get(path))
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        given = detail.get("input")
        if not isinstance(given, str):
            return "SCENARIO_TYPE", wants("one of " + expected, given, positions.written.get(path))
        hint = did_you_mean(given, expected.split(", "))
        return "SCENARIO_VALUE", f"{quoted(given)} is not allowed{hint}; allowed: {expected}"
    return "SCENARIO_VALUE", _limits(kind, context, detail)


def _limits(kind: str, context: Mapping[str, Any], detail: Any) -> str:
    if kind == "string_pattern_mismatch":
        return f"{quoted(detail.get('input'))} is not allowed; it must match {context['pattern']}"
    if kind in ("greater_than_equal", "less_than_equal", "greater_than", "less_than"):
        word = {"ge": "at least", "le": "at most", "gt": "more than", "lt": "less than"}
        key = next(name for name in word if name in context)
        return f"{quoted(detail.get('input'))} is not allowed: {word[key]} {context[key]}"
    if kind in ("too_short", "string_too_short"):
        return f"too short: at least {context['min_length']}"
    if kind in ("too_long", "string_too_long"):
        return f"too long: at most {context['max_length']}"
    return str(detail["msg"])


def unknown_key(key: str, allowed: Iterable[str]) -> str:
    """The sentence about a key that means nothing."""
    names = list(allowed)
    return f"there is no key {quoted(key)} here{did_you_mean(key, names)}; allowed: {', '.join(names)}"


def wants(wanted: str, given: Any, written: str | None) -> str:
    """The sentence about a value of the wrong type; ``written`` is the scalar as it stands in the file."""
    names = {bool: "true or false", int: "a number", Decimal: "a number", str: "text", type(None): "empty"}
    names |= {list: "a list", tuple: "a list", dict: "a mapping"}
    is_now = names.get(type(given), "something else")
    if isinstance(given, bool) and written is not None:
        is_now = f"what YAML reads as {'true' if given else 'false'}"
    shown = f"{quoted(written)} is {is_now}" if written else f"this is {is_now}"
    hint = ": put it in quotes" if wanted == "text" and written and given is not None else ""
    return f"wants {wanted}, but {shown}{hint}"


def _allowed_keys(path: KeyPath, value: Any) -> list[str]:
    return list(_fields(path, value))


def _fields(path: KeyPath, value: Any) -> Mapping[str, Any]:
    """The fields of the model that ``path`` leads to."""
    model: type[BaseModel] = ScenarioFile
    for index, part in enumerate(path):
        if isinstance(part, int):
            here = _at(path[: index + 1], value)
            model = CHECK_MODELS.get(str(here.get("type")), model) if isinstance(here, dict) else model
            continue
        field = model.model_fields.get(part)
        inner = _model_in(field.annotation) if field is not None else None
        if inner is None:
            continue
        model = inner
    return model.model_fields


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel) and part not in CHECK_MODELS.values():
            return part
    return None
