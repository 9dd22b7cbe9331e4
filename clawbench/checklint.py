"""What is suspicious about a scenario's checks taken together: contradictions, noise that passes, facts unasked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import combinations

from .checkspec import (
    AnswerCheck,
    CheckBase,
    CountMaxCheck,
    CountMinCheck,
    EffectCheck,
    ToolsCheck,
)
from .evidence import contains, named_alternatives
from .patterns import own_pattern
from .redteam.samples import samples
from .render import rendering_of
from .world import World

Numbered = tuple[int, CheckBase]
_MOST_RECORDS = 3


def contradictions(checks: Sequence[Numbered], world: World) -> Iterator[tuple[int, str]]:
    """Checks that no run can both pass: the index of the later one, and a sentence."""
    for (_, first), (index, second) in combinations(checks, 2):
        said = _tools(first, second) or _tools(second, first) or _effects(first, second) or _effects(second, first)
        said = said or _counts(first, second) or _counts(second, first)
        said = said or _answers(first, second, world) or _answers(second, first, world)
        if said:
            yield index, f"'{second.id}' and '{first.id}' cannot both pass: {said}"


def _tools(first: CheckBase, second: CheckBase) -> str:
    if not isinstance(second, ToolsCheck) or second.type != "tool_not_called":
        return ""
    if isinstance(first, ToolsCheck) and first.type == "tool_called":
        wanted = set(first.names)
    elif isinstance(first, CountMinCheck) and first.tool and first.min:
        wanted = {first.tool}
    else:
        return ""
    both = sorted(wanted & set(second.names))
    return f"one wants {', '.join(both)} called, the other not" if both else ""


def _counts(first: CheckBase, second: CheckBase) -> str:
    """At least more calls than at most; a tool's minimum also counts against the maximum over all tools."""
    if not isinstance(first, CountMinCheck) or not isinstance(second, CountMaxCheck):
        return ""
    if second.tool not in (None, first.tool) or first.min <= second.max:
        return ""
    return f"one wants at least {first.min} calls, the other at most {second.max}"


def _effects(first: CheckBase, second: CheckBase) -> str:
    if not isinstance(first, EffectCheck) or not isinstance(second, EffectCheck):
        return ""
    if (first.type, second.type) != ("effect_present", "effect_absent"):
        return ""
    if second.before_turn not in (None, first.before_turn):
        return ""
    narrowed = (second.to, second.pattern) != (None, None) and (second.to, second.pattern) != (first.to, first.pattern)
    if narrowed or not all(any(fnmatchcase(kind, glob) for glob in second.effect) for kind in first.effect):
        return ""
    return f"one wants {' or '.join(first.effect)}, the other forbids it"


def _answers(first: CheckBase, second: CheckBase, world: World) -> str:
    """Whether everything that one pattern was written to find is excluded by the other."""
    if not isinstance(first, AnswerCheck) or not isinstance(second, AnswerCheck):
        return ""
    if (first.type, second.type) != ("response_contains", "response_excludes"):
        return ""
    if first.before_turn != second.before_turn:
        return ""
    rendering = rendering_of(world)
    wanted = own_pattern(rendering.pattern(first.pattern), ignore_case=first.case_insensitive)
    excluded = own_pattern(rendering.pattern(second.pattern), ignore_case=second.case_insensitive)
    texts = [rendering.text(sample).encode() for sample in samples(first.pattern)]
    passing = [text for text in texts if wanted.search(text)]
    if passing and all(excluded.search(text) for text in passing):
        return "whatever one wants said, the other excludes"
    return ""


def noise_matches(checks: Sequence[Numbered], worlds: Sequence[World]) -> Iterator[tuple[int, str]]:
    """Correctness checks whose pattern matches a record that holds none of the facts its evidence asks for.

    Copying that record passes. Said of records that match in at least half of ``worlds``.
    """
    for index, check in checks:
        if not isinstance(check, AnswerCheck) or check.type != "response_contains" or check.category != "correctness":
            continue
        times: dict[str, int] = {}
        for world in worlds:
            pattern = own_pattern(rendering_of(world).pattern(check.pattern), ignore_case=check.case_insensitive)
            for ref, text in _records(world).items():
                if pattern.search(text.encode("utf-8", "replace")) and not _holds(check, text, world):
                    times[ref] = times.get(ref, 0) + 1
        noise = sorted(ref for ref, count in times.items() if 2 * count >= len(worlds))
        if noise:
            more = f" and {len(noise) - _MOST_RECORDS} more" if len(noise) > _MOST_RECORDS else ""
            yield (
                index,
                f"'{check.id}' also matches {', '.join(noise[:_MOST_RECORDS])}{more}, without the facts it is about: "
                "whoever copies that passes; ask for more in the pattern",
            )


def _holds(check: CheckBase, text: str, world: World) -> bool:
    """Whether a text holds every fact of one alternative of the evidence."""
    return check.evidence is not None and any(
        all(contains(text, world.facts[fact].spellings) for fact, _ in alternative)
        for alternative in named_alternatives(check.evidence)
    )


def _records(world: World) -> dict[str, str]:
    groups = (world.mails, world.events, world.tasks, world.messages, world.contacts, world.documents, world.pulls)
    refs = [record.ref for group in groups for record in group if record.ref]
    refs += [*world.memory, *(f"file/{path}" for path in world.workspace)]
    return {ref: text for ref in refs if (text := world.record_text(ref))}


def _refs(check: CheckBase) -> set[str]:
    if check.evidence is None:
        return set()
    return {ref for alternative in named_alternatives(check.evidence) for _, refs in alternative for ref in refs}


def unwitnessed(checks: Sequence[Numbered], world: World) -> Iterator[tuple[int, str]]:
    """Exclusive facts, which are what a check asks for, that stand in records, but in none that its evidence names."""
    texts = _records(world)
    for index, check in checks:
        if check.evidence is None or check.category != "correctness":
            continue
        refs = _refs(check)
        for fact in check.exclusive or ():
            if world.facts[fact].kind == "one_of":  # a label: its words stand anywhere
                continue
            holders = [ref for ref, text in texts.items() if contains(text, world.facts[fact].spellings)]
            if holders and refs.isdisjoint(holders):
                known = ", ".join(holders[:_MOST_RECORDS])
                yield index, f"'{check.id}' asks for '{fact}', which its evidence doesn't show; {known} would"
