"""What one key of a scenario says about another: facts, placeholders, patterns, evidence, conditions.

Everything here reads the raw file and tolerates what is wrong with it elsewhere, so that all problems come
at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from .errors import InvalidInput, Problem
from .evidence import named_alternatives
from .factkinds import Company, Fact, Flag, Kind, OneOf, Setting, re2_compiled
from .factspecs import NAME, re2_reason, read_specs
from .fixtures import Condition, Fixtures, RawRecord
from .fixtureshapes import TIMES
from .identity import Identity, identity
from .render import PlaceholderError, Rendering, placeholder
from .suggest import did_you_mean, listing, quoted
from .yamlfile import KeyPath, Positions

SAMPLE_SEED = "0" * 64
"""Placeholders are tried out on this persona, once with the first and once with the last of each pool."""


class CrossChecks:
    """Checks one file against itself and its fixtures. ``specs`` and ``problems`` are the result.

    ``complete`` is false if fixtures are missing that may hold the records which evidence names.
    """

    def __init__(
        self,
        value: Mapping[str, Any],
        positions: Positions,
        fixtures: Fixtures,
        folder: Path,
        *,
        complete: bool = True,
    ) -> None:
        self.value = value
        self.positions = positions
        self.fixtures = fixtures
        self.folder = folder
        self.complete = complete
        self.problems: list[Problem] = []
        raw = value.get("facts")
        self.names = {name for name in raw if isinstance(name, str)} if isinstance(raw, dict) else set()
        self.specs: dict[str, Kind] = {}
        self._facts(raw)
        self.broken = self.names - set(self.specs)
        self.samples = self._samples()
        self._texts()
        self._checks()
        self._conditions()
        self._times()

    def _problem(self, code: str, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(code, self.positions.where(path), message))

    def _facts(self, raw: Any) -> None:
        if not isinstance(raw, dict):
            return
        specs, wrong = read_specs(raw)
        self.specs = dict(specs)
        for path, message in wrong:
            self._problem("FACT_SPEC", ("facts", *path), message)
            if path:
                self.specs.pop(path[0], None)

    def _persona(self) -> Identity:
        given = self.value.get("user_context_defaults")
        if isinstance(given, dict):
            try:
                return identity(SAMPLE_SEED, {k: v for k, v in given.items() if isinstance(v, str)})
            except InvalidInput as why:
                for problem in why.problems:
                    name = problem.where.rpartition(" ")[2]
                    self._problem("SCENARIO_VALUE", ("user_context_defaults", name), problem.message)
        return identity(SAMPLE_SEED)

    def _samples(self) -> tuple[Rendering, ...]:
        persona = self._persona()
        return tuple(Rendering(persona, _extreme(self.specs, persona, last)) for last in (False, True))

    def _wrong_placeholders(self, source: str) -> Iterator[tuple[str, str]]:
        """The placeholders of ``source`` that mean nothing; those of broken facts are reported there."""
        seen = set()
        for sample in self.samples:
            for token, message in sample.check(source):
                if token not in seen and not self._about_broken(token):
                    seen.add(token)
                    yield token, message

    def _about_broken(self, token: str) -> bool:
        try:
            place = placeholder(token[2:-2])
            return place.name in self.broken or re.split("[+-]", place.at)[0] in self.broken
        except PlaceholderError:
            return False

    def _text(self, source: Any, path: KeyPath) -> bool:
        wrong = list(self._wrong_placeholders(source)) if isinstance(source, str) else []
        for _, message in wrong:
            self._problem("PLACEHOLDER_UNKNOWN", path, message)
        return not wrong

    def _texts(self) -> None:
        self._text(self.value.get("prompt"), ("prompt",))
        for index, turn in enumerate(self._turns()):
            place: KeyPath = ("user", "turns", index)
            self._text(turn.get("say"), (*place, "say"))
            for key in ("after", "to"):
                if isinstance(turn.get(key), str):
                    self._pattern(turn[key], (*place, key), ignore_case=True)
        files: dict[str, str] = {}
        for record in self.fixtures.all_records():
            for path, text in texts_in(record.data):
                for _, message in self._wrong_placeholders(text):
                    self._fixture_problem("PLACEHOLDER_UNKNOWN", f"{record.where}{path}", message)
        for query in self.fixtures.searches:
            self._place_text(query, f"{self.folder / 'web_search_results.json'}")
        for url in self.fixtures.pages:
            self._place_text(url, f"{self.folder / 'web_pages.json'}")
        files |= self.fixtures.memory
        files |= self.fixtures.workspace
        for name, text in files.items():
            for token, message in self._wrong_placeholders(text):
                line = text.count("\n", 0, max(text.find(token), 0)) + 1
                self._fixture_problem("PLACEHOLDER_UNKNOWN", f"{self.folder / name}:{line}", message)

    def _turns(self) -> list[Mapping[str, Any]]:
        user = self.value.get("user")
        turns = user.get("turns") if isinstance(user, dict) else None
        return [turn for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []

    def _place_text(self, text: str, where: str) -> None:
        for _, message in self._wrong_placeholders(text):
            self._fixture_problem("PLACEHOLDER_UNKNOWN", where, message)

    def _fixture_problem(self, code: str, where: str, message: str) -> None:
        self.problems.append(Problem(code, where, message))

    def _checks(self) -> None:
        scoring = self.value.get("scoring")
        checks = scoring.get("checks") if isinstance(scoring, dict) else None
        for index, check in enumerate(checks if isinstance(checks, list) else []):
            if isinstance(check, dict):
                self._check(check, ("scoring", "checks", index))

    def _check(self, check: Mapping[str, Any], path: KeyPath) -> None:
        for key in ("pattern", "to"):
            if isinstance(check.get(key), str):
                self._pattern(check[key], (*path, key), check.get("case_insensitive") is not False)
        if check.get("before_turn") is not None and not self._turns():
            self._problem("SCENARIO_VALUE", (*path, "before_turn"), "the user never replies: user has no turns")
        exclusive = check.get("exclusive")
        for name in exclusive if isinstance(exclusive, list) else [exclusive]:
            if isinstance(name, str) and name not in self.names:
                self._problem("FACT_UNKNOWN", (*path, "exclusive"), self._no_fact(name))
            elif isinstance(name, str) and isinstance(self.specs.get(name), Flag):
                self._problem("FACT_UNKNOWN", (*path, "exclusive"), f"'{name}' is a flag and has no text")
        if check.get("evidence") is not None:
            self._evidence(check["evidence"], (*path, "evidence"))

    def _no_fact(self, name: str) -> str:
        hint = did_you_mean(name, self.names)
        return f"there is no fact {quoted(name)}{hint}; allowed: {listing(sorted(self.names))}"

    def _pattern(self, pattern: str, path: KeyPath, ignore_case: bool) -> None:
        if not self._text(pattern, path):
            return
        import re2

        for sample in self.samples[:1]:
            try:
                rendered = sample.pattern(pattern)
            except PlaceholderError:
                return
            try:
                re2_compiled(rendered, ignore_case)
            except (re2.error, UnicodeEncodeError) as why:
                self._problem(
                    "CHECK_PATTERN",
                    path,
                    f"RE2 cannot take this pattern: {re2_reason(why)}; it has no lookaround and no "
                    "backreferences, and repeats at most 1000 times",
                )

    def _evidence(self, evidence: Any, path: KeyPath) -> None:
        try:
            alternatives = named_alternatives(evidence)
        except (ValueError, TypeError, RecursionError):
            return  # the model has said so already
        refs = self.fixtures.refs()
        for name, wanted in dict.fromkeys(pair for alternative in alternatives for pair in alternative):
            spec = self.specs.get(name)
            if name not in self.names:
                self._problem("EVIDENCE_UNKNOWN_FACT", path, self._no_fact(name))
            elif isinstance(spec, Flag):
                self._problem("EVIDENCE_UNKNOWN_FACT", path, f"'{name}' is a flag: no record shows it")
            for ref in wanted:
                if ref not in refs and self.complete:
                    self._problem("EVIDENCE_UNKNOWN_RECORD", path, _no_record(ref, refs))

    def _conditions(self) -> None:
        for record in self.fixtures.all_records():
            for condition in record.conditions:
                spec = self.specs.get(condition.fact)
                where = f"{record.where}.if"
                if condition.fact not in self.names:
                    self._fixture_problem("FACT_UNKNOWN", where, self._no_fact(condition.fact))
                elif (message := _impossible(condition, spec)) is not None:
                    self._fixture_problem("FACT_UNKNOWN", where, message)

    def _times(self) -> None:
        for kind, keys in TIMES.items():
            for record in self.fixtures.records.get(kind, ()):
                for key in keys:
                    self._time(record, key)

    def _time(self, record: RawRecord, key: str) -> None:
        written = record.data.get(key)
        if not isinstance(written, str) or list(self._wrong_placeholders(written)):
            return
        try:
            text = self.samples[0].text(written)
            moment = datetime.fromisoformat(text)
        except PlaceholderError:
            return
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self._fixture_problem(
                "FIXTURE_SHAPE",
                f"{record.where}.{key}",
                f"'{written[:60]}' is no timestamp with an offset, such as {{{{day-1.at 16:20}}}}",
            )


def _impossible(condition: Condition, spec: Kind | None) -> str | None:
    """Why a condition on a fact that exists can never be true."""
    values = spec.values if isinstance(spec, OneOf) else ("true", "false") if isinstance(spec, Flag) else None
    if values is not None and condition.value not in values:
        allowed = listing(values)
        return f"'{condition.fact}' is never {quoted(condition.value)}; allowed: {allowed}"
    if spec is not None and values is None and condition.value == "true":
        return f"'{condition.fact}' is no flag: written \"{condition.fact}=VALUE\""
    return None


def texts_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a JSON value with its path (``.body``, ``.labels[0]``), names of keys included."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if "{{" in key:
                yield path, key
            yield from texts_in(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts_in(item, f"{path}[{index}]")


def _extreme(specs: Mapping[str, Kind], persona: Identity, last: bool) -> dict[str, Fact]:
    """Every fact with the first or the last value of its pool."""

    def fact(name: str, kind: Kind, setting: Setting) -> Fact:
        return kind.fact(name, kind.pool_size - 1 if last else 0, setting)

    bare = Setting(persona)
    domains = {
        name: fact(name, kind, bare).forms["domain"] for name, kind in specs.items() if isinstance(kind, Company)
    }
    setting = Setting(persona, domains)
    return {name: fact(name, kind, setting) for name, kind in specs.items() if NAME.fullmatch(name)}


def _no_record(ref: str, refs: frozenset[str]) -> str:
    hint = did_you_mean(ref, sorted(refs))
    return f"no fixture record is called {quoted(ref)}{hint}; written KIND/KEY, such as mail/analysis"
