"""A scenario's checks, compiled for one world; and everything that is done with a rubric.

``rubric_for`` compiles; ``judge`` and :class:`Progress` give verdicts, ``tally`` points, ``vote`` the
majority of several runs, ``cost_penalty`` and ``safety_penalty`` what is reported beside the score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from re import Match
from typing import TYPE_CHECKING, Any

from .check import ANSWER, CHECK_TYPES, EFFECTS, Check
from .claims import acts_in
from .compat import public_rubric
from .evidence import Requirement, Witness, contains, named_alternatives
from .exclusive import Claim
from .patterns import Pattern, own_pattern
from .penalties import cost_penalty, safety_penalty
from .progress import Progress, judge
from .tally import CheckResult, Gate, Rubric, Tally, failed_results, tally
from .verdict import shown_pattern
from .vote import Voted, VotedResult, decided, vote

if TYPE_CHECKING:
    from .render import Rendering
    from .scenario import Scenario
    from .world import World

__all__ = [
    "CheckResult",
    "Gate",
    "Progress",
    "Rubric",
    "Tally",
    "Voted",
    "VotedResult",
    "cost_penalty",
    "decided",
    "failed_results",
    "judge",
    "own_rubric",
    "rubric_for",
    "safety_penalty",
    "tally",
    "vote",
]


def rubric_for(scenario: Scenario, world: World) -> Rubric:
    """The compiled rubric of ``scenario`` in ``world``.

    Raises ScenarioInvalid for a pattern that its engine cannot take.
    """
    from .checkspec import CheckBase
    from .public import CompatCheck

    if scenario.compat:
        return public_rubric(check.raw for check in scenario.checks if isinstance(check, CompatCheck))
    gate = Gate(scenario.gate.category, scenario.gate.at_least) if scenario.gate is not None else None
    return own_rubric([dict(check) for check in scenario.checks if isinstance(check, CheckBase)], gate, world)


def own_rubric(checks: Iterable[Mapping[str, Any]], gate: Gate | None, world: World) -> Rubric:
    """The rubric of one of our scenarios, from what its file says: rendered in ``world`` and taken by RE2."""
    from .render import rendering_of

    rendering = rendering_of(world)
    return Rubric(tuple(_compiled(check, world, rendering) for check in checks), gate)


def _compiled(said: Mapping[str, Any], world: World, rendering: Rendering) -> Check:
    known = CHECK_TYPES[said["type"]]
    tool = said.get("tool")
    claims = tuple(_claim(name, said, world, rendering) for name in _several(said.get("exclusive")))
    acts = acts_in(_several(said.get("claims")))
    return Check(
        id=said["id"],
        type=said["type"],
        category=said["category"],
        points=said["points"],
        judge=known.judge,
        reads=known.reads | (ANSWER if claims or acts else 0) | (EFFECTS if acts else 0),
        settled_by=None if claims or acts else known.settled_by,
        severity=said.get("severity"),
        tools=_several(said.get("tools") or tool),
        tool=tool if isinstance(tool, str) else None,
        pattern=_pattern("pattern", said, rendering),
        shown=shown_pattern(rendering.pattern(said.get("pattern") or "")),
        minimum=said.get("min"),
        maximum=said.get("max"),
        before=said.get("before"),
        after=said.get("after"),
        effects=_several(said.get("effect")),
        to=_pattern("to", said, rendering),
        before_turn=said.get("before_turn"),
        evidence=_requirement(said.get("evidence"), world),
        claims=claims,
        acts=acts,
    )


def _several(value: Any) -> tuple[str, ...]:
    """One name or a list of names, as a tuple."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _pattern(key: str, said: Mapping[str, Any], rendering: Rendering) -> Pattern | None:
    source = said.get(key)
    return None if source is None else own_pattern(rendering.pattern(source), ignore_case=_ignores_case(said))


def _ignores_case(said: Mapping[str, Any]) -> bool:
    return said.get("case_insensitive") is not False


def _requirement(spec: object, world: World) -> Requirement:
    if not spec:
        return ()
    return tuple(
        tuple(_witness(fact, refs, world) for fact, refs in alternative) for alternative in named_alternatives(spec)
    )


def _witness(name: str, refs: tuple[str, ...], world: World) -> Witness:
    fact = world.facts[name]
    held = frozenset(ref for ref in refs if contains(world.record_text(ref), fact.spellings))
    return Witness(name, refs, tuple(fact.spellings), held)


def _asked(said: Mapping[str, Any], world: World) -> set[str]:
    """The facts whose values an answer could state in every combination: exclusive ones, and labels with evidence."""
    evidence = named_alternatives(said["evidence"]) if said.get("evidence") else ()
    labels = {fact for part in evidence for fact, _ in part if world.facts[fact].kind == "one_of"}
    return labels.union(_several(said.get("exclusive")))


def _claim(name: str, said: Mapping[str, Any], world: World, rendering: Rendering) -> Claim:
    """What a check claims about a fact: its pattern with every placeholder of what it asks for open to all values.

    What it asks for are its exclusive facts, and those of its evidence that are one of a few texts. They are opened
    together: else an answer could pair each value of one with a value of another, and pass with the true pair.

    Whatever else the pattern names may stand beside the true value, and so may the user's own name.
    """
    from .render import TOKEN, placeholder

    fact = world.facts[name]
    source = said.get("pattern") or ""
    asked = _asked(said, world)
    names = {found[0]: placeholder(found[1]).name for found in TOKEN.finditer(source)}
    own = [rendering.text(token) for token, of in names.items() if of == name]
    others = [rendering.text(token) for token, of in names.items() if of != name]
    others += [fact.text, world.identity.get("USER_NAME", ""), world.identity.get("USER_FIRST_NAME", "")]

    def opened(found: Match[str]) -> str:
        of = names[found[0]]
        return f"(?:{world.facts[of].shape})" if of in asked else rendering.pattern(found[0])

    def forms(texts: Iterable[str]) -> frozenset[str]:
        return frozenset(form for text in texts if text and (form := fact.canon(text)) is not None)

    true = forms(own) or forms([fact.text])
    return Claim(
        fact=name,
        claim=own_pattern(TOKEN.sub(opened, source), ignore_case=_ignores_case(said)),
        shape=own_pattern(fact.shape),
        canon=fact.canon,
        true=true,
        beside=forms(others) - true,
        opened=bool(own),
    )
