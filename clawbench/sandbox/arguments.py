"""A call's arguments, made to fit the tool's parameters or refused with a sentence that says what fits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .jsontext import sound
from .schemas import TOOLS, Parameter

Arguments = dict[str, Any]
"""Checked arguments: only the tool's own parameters, each of its kind; what was not given is absent."""

MAX_TEXT = 100_000
"""Characters of one text argument."""

_WHOLE = re.compile(r"[+-]?\d{1,9}(?:\.0+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_LARGEST = 1_000_000_000


class BadArgument(ValueError):
    """An argument that the tool cannot take; the text names it and what is allowed."""


def checked(tool: str, arguments: Mapping[str, Any]) -> Arguments:
    """The arguments of a call as the tool reads them.

    A number may come as its text (``"5"``), a boolean as ``"true"``, an id as a number; null is as good as
    absent and unknown names are ignored. Raises BadArgument.
    """
    given: Arguments = {}
    for parameter in TOOLS[tool].parameters:
        value = arguments.get(parameter.name)
        if value is not None:
            given[parameter.name] = _CHECKS[parameter.kind](parameter, value)
        elif parameter.required:
            raise BadArgument(f"{parameter.name} is required: {parameter.description} ({_allowed(parameter)})")
    return given


def _text(parameter: Parameter, value: Any) -> str:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise BadArgument(f"{parameter.name} has at most {MAX_TEXT} characters")
        return sound(value)
    if parameter.name_like and isinstance(value, (int, float)) and not isinstance(value, bool):
        text = str(value) if abs(value) <= 1e15 else ""  # also false for NaN
        if text:
            return text
    raise _unfit(parameter)


def _whole(parameter: Parameter, value: Any) -> int:
    number: int | None = None
    if isinstance(value, bool):
        number = None
    elif isinstance(value, int):
        number = value
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else None
    elif isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        number = int(value.strip().partition(".")[0])
    if number is None or number < parameter.minimum:
        raise _unfit(parameter)
    return min(number, _LARGEST)


def _number(parameter: Parameter, value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return float(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value.strip())
    raise _unfit(parameter)


def _boolean(parameter: Parameter, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise _unfit(parameter)


def _unfit(parameter: Parameter) -> BadArgument:
    return BadArgument(f"{parameter.name} must be {_allowed(parameter)}")


@lru_cache(maxsize=128)
def _allowed(parameter: Parameter) -> str:
    if parameter.choices:
        return "one of " + ", ".join(parameter.choices)
    if parameter.kind == "integer":
        return f"a whole number from {parameter.minimum}"
    return {"string": "a text", "number": "a number", "boolean": "true or false"}[parameter.kind]


_CHECKS: Mapping[str, Any] = {"string": _text, "integer": _whole, "number": _number, "boolean": _boolean}
