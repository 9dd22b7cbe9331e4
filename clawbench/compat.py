"""Public scenarios: their checks compiled, and their scores rounded, as the public scorer does.

Python's ``re`` with DOTALL and IGNORECASE on untouched text, no gate, no severity; an unknown check type
fails.
Floats occur here only, where the public format's own rounding has to come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .check import CALLS, CHECK_TYPES, Check, CheckType, Context
from .checks import counted, unknown_type
from .errors import Problem, ScenarioInvalid
from .patterns import public_pattern
from .tally import Judged, Rubric
from .transcript import Transcript
from .verdict import Verdict, shown_pattern

PUBLIC_TYPES = frozenset(CHECK_TYPES) - {"effect_absent", "effect_present"}
_REQUIRED = {
    "tool_arg_contains": ("pattern",),
    "tool_arg_excludes": ("pattern",),
    "tool_response_contains": ("pattern",),
    "tool_response_excludes": ("pattern",),
    "tool_count_max": ("max",),
    "tool_count_min": ("min",),
    "tool_count_score": ("min", "max", "points"),
    "tool_called_before": ("before", "after"),
    "response_contains": ("pattern",),
    "response_excludes": ("pattern",),
    "response_length_max": ("max",),
}
_NUMBERS = {"min", "max", "points"}


def public_rubric(checks: Iterable[Mapping[str, Any]]) -> Rubric:
    """The rubric of a public scenario's ``scoring.checks``.

    Raises ScenarioInvalid with all problems, for what the public scorer could not judge either.
    """
    compiled: list[Check] = []
    problems: list[Problem] = []
    for number, raw in enumerate(checks):
        try:
            compiled.append(public_check(raw, number))
        except ScenarioInvalid as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioInvalid(problems)
    return Rubric(tuple(compiled), compat=True)


def public_check(raw: Mapping[str, Any], number: int = 0) -> Check:
    """One public check, compiled; ``number`` counts from 0 and names a check without an id.

    Raises ScenarioInvalid if a parameter that its type needs is missing or no number.
    """
    kind = str(raw.get("type", ""))
    where = f"scoring.checks[{number}]"
    for name in _REQUIRED.get(kind, ()):
        if name not in raw:
            raise ScenarioInvalid.of("CHECK_PARAMETER", f"a check of type {kind} needs {name!r}", where)
    for name in _NUMBERS & raw.keys():
        if not isinstance(raw[name], int | float | Decimal | Fraction) or not _finite(raw[name]):
            raise ScenarioInvalid.of("CHECK_PARAMETER", f"{name!r} is a number, not {raw[name]!r}", where)
    if kind.startswith("tool_count_") and not isinstance(raw.get("tool"), str | None):
        raise ScenarioInvalid.of("CHECK_PARAMETER", f"'tool' is one name, not {raw['tool']!r}", where)
    known = CHECK_TYPES[kind] if kind in PUBLIC_TYPES else CheckType(unknown_type, 0)
    if kind == "tool_count_score":
        known = CheckType(public_count_score, CALLS)
    pattern = None
    if "pattern" in _REQUIRED.get(kind, ()):
        if not isinstance(raw["pattern"], str):
            raise ScenarioInvalid.of("CHECK_PARAMETER", f"'pattern' is a text, not {raw['pattern']!r}", where)
        pattern = public_pattern(raw["pattern"], ignore_case=bool(raw.get("case_insensitive", True)))
    return Check(
        id=str(raw.get("id", f"check_{number}")),
        type=kind,
        category=str(raw.get("category", "other")),
        points=_exact(raw.get("points", 1)),
        judge=known.judge,
        reads=known.reads,
        settled_by=known.settled_by,
        tools=_listed(raw, where),
        tool=raw.get("tool"),
        pattern=pattern,
        shown=shown_pattern(raw["pattern"]) if pattern is not None else "",
        minimum=_as_loaded(raw.get("min")),
        maximum=_as_loaded(raw.get("max")),
        before=raw.get("before"),
        after=raw.get("after"),
    )


def public_count_score(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """``tool_count_score`` with the public scorer's floats: their rounding decides the tenth."""
    count = transcript.counts.get(check.tool, 0) if check.tool else transcript.total
    low, high = check.minimum, check.maximum
    if count <= low:
        share = 1.0
    elif count >= high:
        share = 0.0
    else:
        share = float((high - count) / (high - low))
    return counted(check, count, round(round(float(check.points) * share, 1) * 10))


def public_score(rubric: Rubric, results: Sequence[Judged]) -> float | None:
    """``round(earned / possible, 4)`` as the public scorer rounds; ``None`` without checks, 0.0 if nothing is
    possible."""
    if not rubric.checks:
        return None
    earned, possible = public_points(rubric, results)
    return round(earned / possible, 4) if possible > 0 else 0.0


def public_points(rubric: Rubric, results: Sequence[Judged]) -> tuple[float, float]:
    """Points earned and possible, added up check by check as the public scorer does."""
    earned: float = 0
    possible: float = 0
    for check, result in zip(rubric.checks, results, strict=True):
        points = _number(check.points)
        possible += points
        if result.earned_tenths is not None:
            earned += _number(Fraction(result.earned_tenths, 10))
        elif result.passed:
            earned += points
    return earned, possible


def rounded(score: Fraction) -> float:
    """One of our scores for a JSON file: four decimals, rounded half to even before it becomes a float."""
    return float(round(score, 4))


def _number(value: int | Fraction) -> float:
    """Whole numbers as integers, others as the nearest float."""
    return value.numerator if value.denominator == 1 else float(value)


def _exact(value: Any) -> int | Fraction:
    """The number as it was written: ``2.5`` is five halves."""
    exact = Fraction(str(value)) if isinstance(value, float) else Fraction(value)
    return exact.numerator if exact.denominator == 1 else exact


def _as_loaded(value: Any) -> Any:
    """A bound as the public loader has it: decimals are floats there."""
    return float(value) if isinstance(value, Decimal) else value


def _finite(value: Any) -> bool:
    return bool(value == value and value not in (float("inf"), float("-inf")))


def _listed(raw: Mapping[str, Any], where: str) -> tuple[Any, ...]:
    """The names in ``tools``, else in ``tool``: a list, or one name."""
    if "tools" in raw:
        names = raw["tools"]
        if not isinstance(names, Sequence):
            raise ScenarioInvalid.of("CHECK_PARAMETER", f"'tools' is a list, not {names!r}", where)
        return tuple(map(str, names))
    name = raw.get("tool")
    if name is None:
        return ()
    return tuple(map(str, name)) if isinstance(name, list | tuple) else (str(name),)
