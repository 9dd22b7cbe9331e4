"""Scenario files: from YAML and fixtures to a :class:`Scenario`, or to every problem of both at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .checkspec import CheckBase
from .complaints import complaints
from .errors import Problem, ScenarioInvalid
from .factkinds import Kind
from .fixtures import Fixtures, inner_file, listing_hash, read_fixtures
from .populate import render_world as render_world
from .public import CompatCheck, is_public, read_public
from .render import render_text
from .scenariochecks import CrossChecks
from .scenariofile import NAME, Baseline, Gate, ScenarioFile, User, is_inner_path
from .suggest import quoted
from .world import World
from .yamlfile import Positions, parse, read_capped

MAX_VARIANT = 65_536


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario and its unrendered fixtures.

    ``checks`` are models of :mod:`clawbench.checkspec`, or :class:`~clawbench.public.CompatCheck` if
    ``compat``. ``specs`` are the kinds of its facts. ``sha256`` names the file and every fixture read.
    ``now`` is the local time at which a run starts.
    """

    name: str
    difficulty: str
    weight: Fraction
    description: str
    tools: tuple[str, ...]
    prompt: str
    checks: tuple[CheckBase, ...] | tuple[CompatCheck, ...]
    path: Path
    fixtures_dir: Path
    sha256: str
    compat: bool = False
    pool: bool = True
    now: str = "09:30"
    variants: Mapping[str, str] = field(default_factory=dict)
    workspace: Mapping[str, str] = field(default_factory=dict)
    user_context_defaults: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    specs: Mapping[str, Kind] = field(default_factory=dict)
    baseline: Baseline | None = None
    user: User = field(default_factory=lambda: User(grants=(), turns=()))
    gate: Gate | None = None
    fixtures: Fixtures = field(default_factory=Fixtures, repr=False)

    def variant_texts(self) -> dict[str, str]:
        """The AGENTS.md of each variant, by name; read now. Raises ScenarioInvalid."""
        texts = {}
        for name, file in self.variants.items():
            path = inner_file(self.fixtures_dir, file)
            where = str(self.fixtures_dir / file)
            if path is None:
                raise ScenarioInvalid.of("FIXTURE_MISSING", f"variant '{name}' names this file", where)
            raw = read_capped(path, where, "FIXTURE", ScenarioInvalid, MAX_VARIANT)
            try:
                texts[name] = raw.decode("utf-8")
            except UnicodeDecodeError:
                raise ScenarioInvalid.of("FIXTURE_SHAPE", "the file is not UTF-8", where) from None
        return texts

    def rendered_prompt(self, world: World) -> str:
        """The user's message in ``world``, without white space around it."""
        return render_text(self.prompt, world).strip()


def load_scenario(path: Path | str) -> Scenario:
    """Reads a scenario file and its fixtures.

    Raises ScenarioInvalid with every problem of the file and the folder; each says where it stands
    (``file:line: key.path``) and what is allowed.
    """
    path = Path(path)
    name = str(path)
    raw = read_capped(path, name, "SCENARIO", ScenarioInvalid)
    value, positions = parse(raw, name, "SCENARIO", ScenarioInvalid)
    if not isinstance(value, dict):
        raise ScenarioInvalid.of(
            "SCENARIO_TYPE", "a scenario is a mapping of keys such as name and prompt", f"{name}:1"
        )
    digest = sha256(raw).hexdigest()
    scenario, problems = (_public if is_public(value) else _own)(path, value, positions, digest)
    if problems or scenario is None:
        raise ScenarioInvalid(problems)
    return scenario


def _public(
    path: Path, value: dict[str, Any], positions: Positions, digest: str
) -> tuple[Scenario | None, list[Problem]]:
    file, problems = read_public(value, positions)
    problems += _duplicate_ids(value, positions)
    folder = path.parent.parent / "fixtures" / file.name
    fixtures = Fixtures()
    if file.name:
        fixtures, wrong = read_fixtures(folder, file.workspace, file.variants, own=False)
        problems += wrong
    scenario = Scenario(
        name=file.name,
        difficulty=file.difficulty,
        weight=file.weight,
        description=file.description,
        tools=file.tools,
        prompt=file.prompt,
        checks=file.checks,
        path=path,
        fixtures_dir=folder,
        sha256=listing_hash({"scenario": digest, "fixtures": fixtures.sha256}),
        compat=True,
        variants=file.variants,
        workspace=file.workspace,
        user_context_defaults=file.user_context_defaults,
        fixtures=fixtures,
    )
    return scenario, problems


def _own(path: Path, value: dict[str, Any], positions: Positions, digest: str) -> tuple[Scenario | None, list[Problem]]:
    problems: list[Problem] = []
    file = None
    try:
        file = ScenarioFile.model_validate(value)
    except ValidationError as why:
        problems += complaints(why, value, positions)
    problems += _duplicate_ids(value, positions)
    folder = _own_folder(path, value)
    fixtures = Fixtures()
    wrong: list[Problem] = []
    if folder is not None:
        fixtures, wrong = read_fixtures(
            folder, _inner_files(value.get("workspace")), _inner_files(value.get("variants")), own=True
        )
        problems += wrong
    complete = folder is not None and not wrong
    cross = CrossChecks(value, positions, fixtures, folder or Path(), complete=complete)
    problems += cross.problems
    if file is None or folder is None or problems:
        return None, problems
    scenario = Scenario(
        name=file.name,
        difficulty=file.difficulty,
        weight=file.weight,
        description=file.description,
        tools=file.tools,
        prompt=file.prompt,
        checks=file.scoring.checks,
        path=path,
        fixtures_dir=folder,
        sha256=listing_hash({"scenario": digest, "fixtures": fixtures.sha256}),
        now=file.now,
        variants=file.variants,
        workspace=file.workspace,
        user_context_defaults=file.user_context_defaults,
        facts=file.facts,
        specs=cross.specs,
        baseline=file.baseline,
        user=file.user,
        pool=file.pool,
        gate=file.scoring.gate,
        fixtures=fixtures,
    )
    return scenario, []


def _own_folder(path: Path, value: Mapping[str, Any]) -> Path | None:
    """The fixture folder.

    ``fixtures:`` relative to the file, else ``../fixtures/NAME``; None if neither is said.
    """
    given = value.get("fixtures")
    if isinstance(given, str) and given and not given.startswith("/") and "\0" not in given:
        return path.parent / given
    name = value.get("name")
    if given is None and isinstance(name, str) and re.match(NAME, name):
        return path.parent.parent / "fixtures" / name
    return None


def _inner_files(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {k: v for k, v in value.items() if isinstance(v, str) and is_inner_path(v)}


def _duplicate_ids(value: Mapping[str, Any], positions: Positions) -> list[Problem]:
    scoring = value.get("scoring")
    checks = scoring.get("checks") if isinstance(scoring, dict) else None
    first: dict[str, int] = {}
    problems = []
    for index, check in enumerate(checks if isinstance(checks, list) else []):
        name = check.get("id") if isinstance(check, dict) else None
        if not isinstance(name, str):
            continue
        place = ("scoring", "checks", index, "id")
        if name in first:
            line = positions.line(("scoring", "checks", first[name], "id"))
            message = f"{quoted(name)} is the id of the check in line {line}: give each check its own"
            problems.append(Problem("CHECK_DUPLICATE_ID", positions.where(place), message))
        first.setdefault(name, index)
    return problems
