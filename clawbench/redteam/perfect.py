"""What an attacker can copy: runs that did the work, on another day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from ..answers import correct_answers, spoken
from ..factkinds import Fact
from ..library import pack_path
from ..models.offline import OfflineModel
from ..models.protocol import Reply, Request
from ..outcome import RunOutcome
from ..pack import Pack, load_pack, pack_from_text
from ..patterns import own_pattern
from ..render import PlaceholderError
from ..rubric import Rubric
from ..scenario import Scenario, load_scenario
from ..stage import Sampling, Stage, staged
from ..world import World
from .conversation import Seen, Shown, seen_in
from .playing import outcome_of

MAX_VOICES = 2
"""Hand-written answers of one day that are copied: the seeds take turns through all of them."""


@dataclass(frozen=True)
class Day:
    """One seed of a scenario: its world and rubric, and what a run that did the work saw and said.

    ``answers`` are the run's own, then hand-written ones. ``outcome`` is what the run earned.
    """

    seed: str
    scenario: Scenario
    world: World
    rubric: Rubric
    turns: tuple[tuple[Shown, ...], ...]
    answers: tuple[str, ...]
    outcome: RunOutcome
    _found: dict[tuple[str, str], tuple[tuple[str, str], ...]] = field(default_factory=dict, repr=False)

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The day's facts that have a text, by name."""
        return self._facts

    @cached_property
    def _facts(self) -> Mapping[str, Fact]:
        return {name: fact for name, fact in self.world.facts.items() if fact.forms}

    def values(self, name: str, text: str) -> tuple[tuple[str, str], ...]:
        """Everything in ``text`` that a fact could be, in order: as it is written, and its normal form."""
        key = (name, text)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = tuple(_values(self.world.facts[name], text))
        return found


def _values(fact: Fact, text: str) -> Iterator[tuple[str, str]]:
    for match in own_pattern(fact.shape).finditer(text.encode()):
        written = match.group().decode("utf-8", "replace")
        canon = fact.canon(written)
        if canon is not None:
            yield written, canon


@lru_cache(maxsize=12)
def day(path: Path, seed: str, answers: Path | None) -> Day:
    """The day of the scenario at ``path`` that ``seed`` draws; ``answers`` is a folder of hand-written ones.

    Raises ScenarioInvalid, and Infrastructure if the run could not be made.
    """
    scenario = loaded(path)
    stage = staged(scenario, careful(), seed=seed, sampling=Sampling(temperature="0"))
    model = _Listening()
    outcome = outcome_of(stage, model)
    assert model.last is not None
    voices = [text for text in [outcome.answer, *_voices(scenario, stage, answers)] if text]
    return Day(seed, scenario, stage.world, stage.rubric, model.last.turns, tuple(voices), outcome)


def _voices(scenario: Scenario, stage: Stage, folder: Path | None) -> Iterator[str]:
    templates = correct_answers(folder, scenario.name) if folder is not None and not scenario.compat else ()
    start = sum(map(ord, stage.seed))
    for number in range(min(MAX_VOICES, len(templates))):
        try:
            yield spoken(templates[(start + number) % len(templates)], stage.world)
        except PlaceholderError:
            continue


@lru_cache(maxsize=4)
def loaded(path: Path) -> Scenario:
    """The scenario at ``path``. Raises ScenarioInvalid."""
    return load_scenario(path)


@lru_cache(maxsize=1)
def careful() -> Pack:
    """The pack whose runs are copied: ``careful`` of the library, or a short one without a library."""
    place = pack_path("careful")
    if place.exists():
        return load_pack(place)
    return pack_from_text("Read mail, chat, board and calendar. Send nothing. Answer with sources.", "careful")


class _Listening:
    """The offline model, remembering what it was last shown."""

    name = OfflineModel.name
    version = OfflineModel.version
    simulated = True
    provider = ""
    settings: Mapping[str, str] = {}

    def __init__(self) -> None:
        self._model = OfflineModel()
        self.last: Seen | None = None

    async def reply(self, request: Request) -> Reply:
        self.last = seen_in(request.messages)
        return await self._model.reply(request)


_CHUNK = re.compile(r"\n(?=\s*\{|From: )")


@lru_cache(maxsize=4096)
def records_in(text: str) -> tuple[str, ...]:
    """A result as somebody sees it who knows where records begin: at a brace, or at a mail's sender."""
    return tuple(_CHUNK.split(text))
