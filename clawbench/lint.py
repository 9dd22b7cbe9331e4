"""Linting a scenario: every problem that stops it from loading, else what is likely to be a mistake in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from . import draws
from .checkspec import CheckBase
from .errors import InvalidInput, Problem
from .evidence import contains, named_alternatives
from .factkinds import Flag, OneOf, Person
from .fixtures import PAGES, SEARCHES, RawRecord
from .fixtureshapes import LISTS
from .identity import NAMES
from .pools import FIRST_NAMES
from .public import CompatCheck
from .render import TOKEN, PlaceholderError, placeholder, rendering_of
from .scenario import Scenario, load_scenario, render_world
from .scenariochecks import texts_in
from .workdays import MONTHS, WEEKDAYS
from .world import World
from .yamlfile import Positions, load

SEEDS = 8
"""Worlds that a scenario is tried out on."""

SHARES = {"safety": 30, "correctness": 40, "efficiency": 20, "structure": 10}
"""Percent of the points that each category should have, more or less."""
TOLERANCE = 15


@dataclass(frozen=True, slots=True)
class LintReport:
    """``problems`` stop a scenario from loading.

    ``warnings`` are likely mistakes, and only there without them.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def with_warnings(self, more: Iterable[Problem]) -> LintReport:
        """The same report with further warnings."""
        return LintReport(self.problems, (*self.warnings, *more))

    def document(self) -> dict[str, Any]:
        """The report as JSON: ``problems`` and ``warnings``, each with code, where and message."""
        return {
            name: [{"code": one.code, "where": one.where, "message": one.message} for one in found]
            for name, found in (("problems", self.problems), ("warnings", self.warnings))
        }


def lint_scenario(path: Path | str) -> LintReport:
    """What is wrong with a scenario file and its fixtures. Raises nothing for what a file can hold."""
    try:
        scenario = load_scenario(path)
    except InvalidInput as why:
        return LintReport(why.problems)
    _, positions = load(Path(path))
    lint = _Lint(scenario, positions)
    return LintReport((), tuple(lint.warnings()))


@dataclass(slots=True)
class _Lint:
    scenario: Scenario
    positions: Positions
    worlds: tuple[World, ...] = field(init=False)

    def __post_init__(self) -> None:
        count = 1 if self.scenario.compat else SEEDS
        self.worlds = tuple(render_world(self.scenario, draws.local_seed(f"lint-{index}")) for index in range(count))

    def warnings(self) -> Iterator[Problem]:
        if self.scenario.name != self.scenario.path.stem:
            stem = self.scenario.path.stem
            yield self._warning("LINT_NAME", ("name",), f"the file is called '{stem}': give both one name")
        yield from self._patterns()
        if self.scenario.compat:
            return
        yield from self._between_checks()
        yield from self._claims()
        yield from self._without_evidence()
        yield from self._evidence_shown()
        yield from self._shares()
        yield from self._unused_facts()
        yield from self._never_there()
        yield from self._unread_files()
        yield from self._literals()

    def _warning(self, code: str, path: tuple[str | int, ...], message: str) -> Problem:
        return Problem(code, self.positions.where(path), message)

    def _own(self) -> Iterator[tuple[int, CheckBase]]:
        for index, check in enumerate(self.scenario.checks):
            if isinstance(check, CheckBase):
                yield index, check

    # Patterns

    def _patterns(self) -> Iterator[Problem]:
        checks: tuple[CheckBase | CompatCheck, ...] = self.scenario.checks
        for index, check in enumerate(checks):
            said = check.raw if isinstance(check, CompatCheck) else dict(check)
            source = said.get("pattern")
            if not isinstance(source, str) or not str(said.get("type", "")).startswith("response_"):
                continue
            place = ("scoring", "checks", index, "pattern")
            if self._matches(source, "", said):
                yield self._warning("LINT_MATCHES_ALL", place, "the pattern matches every answer")
            elif (
                said["type"] == "response_contains"
                and ("{{" not in source or (said.get("category") == "correctness" and not said.get("evidence")))
                and self._in_prompt(source, said)
            ):
                yield self._warning(
                    "LINT_MATCHES_PROMPT",
                    place,
                    "the pattern matches the prompt: repeating it earns the points",
                )

    def _in_prompt(self, source: str, said: Mapping[str, Any]) -> bool:
        return self._matches(source, self.scenario.rendered_prompt(self.worlds[0]), said)

    def _matches(self, source: str, text: str, said: Mapping[str, Any]) -> bool:
        from .patterns import own_pattern, public_pattern

        ignore_case = said.get("case_insensitive", True) is not False
        if self.scenario.compat:
            return public_pattern(source, ignore_case=ignore_case).search(text) is not None
        rendered = rendering_of(self.worlds[0]).pattern(source)
        return own_pattern(rendered, ignore_case=ignore_case).search(text.encode()) is not None

    def _between_checks(self) -> Iterator[Problem]:
        from . import checklint

        own = list(self._own())
        for index, message in checklint.contradictions(own, self.worlds[0]):
            yield self._warning("LINT_CONTRADICTION", ("scoring", "checks", index, "id"), message)
        for index, message in checklint.noise_matches(own, self.worlds):
            yield self._warning("LINT_MATCHES_NOISE", ("scoring", "checks", index, "pattern"), message)
        for index, message in checklint.unwitnessed(own, self.worlds[0]):
            yield self._warning("LINT_FACT_NO_EVIDENCE", ("scoring", "checks", index, "exclusive"), message)

    def _claims(self) -> Iterator[Problem]:
        from .claims import acts_in

        for index, check in self._own():
            for number, glob in enumerate(check.claims or ()):
                if not acts_in([glob]):
                    place = ("scoring", "checks", index, "claims", number)
                    yield self._warning(
                        "LINT_CLAIM_UNKNOWN", place, f"no answer can claim '{glob}': no effect is called so"
                    )

    # Evidence

    def _without_evidence(self) -> Iterator[Problem]:
        for index, check in self._own():
            if check.category != "correctness" or getattr(check, "type", "") != "response_contains":
                continue
            if check.evidence is None:
                yield self._warning(
                    "LINT_NO_EVIDENCE",
                    ("scoring", "checks", index, "id"),
                    f"'{check.id}' is about the answer alone: evidence would show that the work was done",
                )

    def _evidence_shown(self) -> Iterator[Problem]:
        for index, check in self._own():
            if check.evidence is None:
                continue
            missing = [world for world in self.worlds if not _can_be_shown(check.evidence, world)]
            if missing:
                yield self._warning(
                    "LINT_EVIDENCE_NOT_THERE",
                    ("scoring", "checks", index, "evidence"),
                    f"in {len(missing)} of {SEEDS} worlds no record named here holds the value: "
                    "the check cannot pass there",
                )

    # Points

    def _shares(self) -> Iterator[Problem]:
        points = dict.fromkeys(SHARES, 0)
        for _, check in self._own():
            points[check.category] += check.points
        total = sum(points.values())
        for name, wanted in SHARES.items():
            share = Fraction(100 * points[name], total)
            if abs(share - wanted) > TOLERANCE:
                yield self._warning(
                    "LINT_SHARE",
                    ("scoring", "checks"),
                    f"{name} has {points[name]} of {total} points ({round(share)} %); near {wanted} is usual",
                )

    # Facts

    def _unused_facts(self) -> Iterator[Problem]:
        used = set(self._used_names())
        for name in self.scenario.specs:
            if name not in used:
                yield self._warning("LINT_UNUSED_FACT", ("facts", name), f"nothing uses the fact '{name}'")

    def _used_names(self) -> Iterator[str]:
        fixtures = self.scenario.fixtures
        texts = [self.scenario.prompt, *fixtures.memory.values(), *fixtures.workspace.values()]
        texts += [*fixtures.searches, *fixtures.pages]
        for record in fixtures.all_records():
            texts += [text for _, text in texts_in(record.data)]
            yield from (condition.fact for condition in record.conditions)
        for _, check in self._own():
            texts += [text for key in ("pattern", "to") if (text := getattr(check, key, None))]
            yield from check.exclusive or ()
            if check.evidence is not None:
                for alternative in named_alternatives(check.evidence):
                    yield from (fact for fact, _ in alternative)
        for spec in self.scenario.specs.values():
            if isinstance(spec, Person) and spec.at:
                yield spec.at
        for text in texts:
            for token in TOKEN.finditer(text):
                try:
                    place = placeholder(token[1])
                except PlaceholderError:
                    continue
                yield place.name
                yield re.split("[+-]", place.at)[0]

    # Fixtures

    def _never_there(self) -> Iterator[Problem]:
        for record in self.scenario.fixtures.all_records():
            if not self._possible(record):
                yield Problem("LINT_NEVER_THERE", record.where, "no seed makes this condition true")

    def _possible(self, record: RawRecord) -> bool:
        for name in {condition.fact for condition in record.conditions}:
            spec = self.scenario.specs[name]
            wanted = [condition for condition in record.conditions if condition.fact == name]
            if isinstance(spec, OneOf):
                values: tuple[str, ...] = spec.values
            elif isinstance(spec, Flag):
                values = ("true", "false")
            else:
                continue
            if not any(all((value == c.value) == c.equal for c in wanted) for value in values):
                return False
        return True

    def _unread_files(self) -> Iterator[Problem]:
        folder = self.scenario.fixtures_dir
        known = {*LISTS, SEARCHES, PAGES, "MEMORY.md", "USER.md", "memory"}
        known |= {*self.scenario.variants.values(), *self.scenario.workspace.values()}
        for path in sorted(folder.iterdir()):
            if path.name not in known and not path.name.startswith("."):
                yield Problem("LINT_UNREAD_FILE", str(path), "nothing reads this file: is its name right?")

    def _literals(self) -> Iterator[Problem]:
        fixtures = self.scenario.fixtures
        for record in fixtures.all_records():
            for path, text in texts_in(record.data):
                yield from self._literal(f"{record.where}{path}", text)
        for name, text in {**fixtures.memory, **fixtures.workspace}.items():
            for number, line in enumerate(text.split("\n"), 1):
                yield from self._literal(f"{self.scenario.fixtures_dir / name}:{number}", line)

    def _literal(self, where: str, text: str) -> Iterator[Problem]:
        plain = TOKEN.sub("", text)
        if found := _DATE.search(plain):
            yield Problem(
                "LINT_LITERAL_DATE",
                where,
                f"'{found[0]}' is written out, but the day is drawn: use {{{{day}}}} with an offset or form",
            )
        if found := _POOL_NAME.search(plain):
            yield Problem(
                "LINT_POOL_NAME",
                where,
                f"'{found[0]}' may be drawn as somebody else's name: use a person fact, or another name",
            )


_MONTH = "|".join(MONTHS)
_DATE = re.compile(
    rf"\b(?:{'|'.join(WEEKDAYS)})\b(?!s)|\b(?:{_MONTH})\s+[0-9]{{1,2}}\b|\b[0-9]{{1,2}}\s+(?:{_MONTH})\b"
    r"|\b20[0-9]{2}-[0-9]{2}-[0-9]{2}"
)
_POOL_NAME = re.compile(rf"\b(?:{'|'.join(FIRST_NAMES)}|{'|'.join(NAMES)})\b")


def _can_be_shown(evidence: object, world: World) -> bool:
    """Whether some alternative's facts are all held by a record that is there."""
    return any(
        all(
            any(contains(world.record_text(ref), world.facts[fact].spellings) for ref in refs)
            for fact, refs in alternative
        )
        for alternative in named_alternatives(evidence)
    )
