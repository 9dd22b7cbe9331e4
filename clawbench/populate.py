"""Populating a world: a scenario's fixtures rendered for one seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from . import draws
from .errors import InvalidInput
from .factkinds import Fact
from .facts import draw_facts
from .fixtures import Condition, RawRecord
from .fixtureshapes import TIMES
from .identity import identity, overridden, with_derived
from .ids import with_ids
from .render import Rendering, render_public
from .world import Record, World

if TYPE_CHECKING:
    from .scenario import Scenario

_SHUFFLED = ("task", "contact", "doc", "pull")
_NO_TIME = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def render_world(
    scenario: Scenario,
    epoch_seed: str,
    beacon: str | None = None,
    user_context: Mapping[str, str] | None = None,
) -> World:
    """The world of ``scenario`` at a seed: equal arguments give equal bytes on any machine.

    ``beacon`` is the hash of the epoch's first block, by default the epoch seed itself. ``user_context``
    overrides the persona. Raises InvalidInput (``USER_CONTEXT``) for a user context that has no meaning.
    """
    if scenario.compat:
        return _public_world(scenario, user_context or {})
    persona = identity(epoch_seed, overridden(scenario.user_context_defaults, user_context or {}))
    seed = draws.fact_seed(epoch_seed, beacon or epoch_seed, scenario.name)
    facts = draw_facts(scenario.specs, seed, persona)
    rendering = Rendering(persona, facts)
    fixtures = scenario.fixtures
    groups: dict[str, tuple[Record, ...]] = {}
    for kind, raws in fixtures.records.items():
        present = _present(raws, facts)
        records = with_ids(kind, seed, [(raw, rendering.value(raw.data)) for raw in present])
        groups[kind] = _ordered(kind, seed, records)
    hour, minute = scenario.now.split(":")
    world = World(
        scenario=scenario.name,
        now=persona.moment(persona.today, time(int(hour), int(minute))),
        identity=persona.values,
        facts=facts,
        memory={name: rendering.text(text) for name, text in fixtures.memory.items()},
        workspace={name: rendering.text(text) for name, text in fixtures.workspace.items()},
        searches={
            rendering.text(query): _plain(_present(hits, facts), rendering) for query, hits in fixtures.searches.items()
        },
        pages={
            rendering.text(url): record
            for url, raw in fixtures.pages.items()
            for record in _plain(_present([raw], facts), rendering)
        },
    )
    return _filled(world, groups)


def _present(raws: Iterable[RawRecord], facts: Mapping[str, Fact]) -> list[RawRecord]:
    return [raw for raw in raws if not raw.conditions or all(_holds(c, facts) for c in raw.conditions)]


def _holds(condition: Condition, facts: Mapping[str, Fact]) -> bool:
    fact = facts.get(condition.fact)
    return fact is not None and (fact.text == condition.value) == condition.equal


def _plain(raws: Iterable[RawRecord], rendering: Rendering) -> tuple[Record, ...]:
    return tuple(Record(raw.ref, rendering.value(raw.data)) for raw in raws)


def _ordered(kind: str, seed: str, records: list[Record]) -> tuple[Record, ...]:
    """Mails, events and messages by time; tasks, contacts, documents, pulls shuffled; channels as written."""
    if kind in TIMES:
        key = TIMES[kind][0]
        return tuple(sorted(records, key=lambda record: (_moment(record.data[key]), record.ref)))
    if kind in _SHUFFLED:
        by_ref = {str(record.ref): record for record in records}
        return tuple(by_ref[ref] for ref in draws.shuffled(seed, f"order:{kind}", by_ref))
    return tuple(records)


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return _NO_TIME
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _public_world(scenario: Scenario, given: Mapping[str, str]) -> World:
    """A public scenario's world: records as they are; only ``.md`` files take the user context."""
    for name, value in given.items():
        if not isinstance(value, str) or not value.isprintable() or len(value) > 1000:
            raise InvalidInput.of("USER_CONTEXT", "a value is one line of text", f"user context: {name}")
    defaults = scenario.user_context_defaults
    values = with_derived(overridden(defaults, given))
    named = {*defaults, *given, "USER_FIRST_NAME"}
    spoken = {name: value for name, value in values.items() if name in named}
    fixtures = scenario.fixtures

    def files(texts: Mapping[str, str], sources: Mapping[str, str]) -> dict[str, str]:
        return {
            name: render_public(text, spoken) if sources.get(name, name).endswith(".md") else text
            for name, text in texts.items()
        }

    world = World(
        scenario=scenario.name,
        now=_public_now(scenario),
        identity=values,
        memory=files(fixtures.memory, {}),
        workspace=files(fixtures.workspace, scenario.workspace),
        searches={query: _as_is(hits) for query, hits in fixtures.searches.items()},
        pages={url: Record(raw.ref, raw.data) for url, raw in fixtures.pages.items()},
        compat=True,
    )
    return _filled(world, {kind: _as_is(raws) for kind, raws in fixtures.records.items()})


def _as_is(raws: Iterable[RawRecord]) -> tuple[Record, ...]:
    return tuple(Record(raw.ref, raw.data) for raw in raws)


def _public_now(scenario: Scenario) -> datetime:
    """When a public scenario is set: after its latest mail or message, else at its first event's start."""
    records = scenario.fixtures.records
    written = [record.data.get("received_ts") for record in records.get("mail", ())]
    written += [record.data.get("timestamp") for record in records.get("slack", ())]
    known = [moment for text in written if (moment := _moment(text)) is not _NO_TIME]
    if known:
        return max(known)
    starts = [_moment(record.data.get("start")) for record in records.get("event", ())]
    return min((start for start in starts if start is not _NO_TIME), default=_NO_TIME)


def _filled(world: World, groups: Mapping[str, tuple[Record, ...]]) -> World:
    """The world with its records, by kind, and the hash of its rendered bytes."""
    filled = replace(
        world,
        mails=groups.get("mail", ()),
        events=groups.get("event", ()),
        tasks=groups.get("task", ()),
        messages=groups.get("slack", ()),
        channels=groups.get("channel", ()),
        contacts=groups.get("contact", ()),
        documents=groups.get("doc", ()),
        pulls=groups.get("pull", ()),
        flights=groups.get("flight", ()),
    )
    return replace(filled, sha256=sha256(canonical_bytes(filled)).hexdigest())


def canonical_bytes(world: World) -> bytes:
    """Everything an agent could find, and the facts, as sorted JSON."""

    def plain(records: Iterable[Record]) -> list[Any]:
        return [[record.ref, record.data] for record in records]

    value = {
        "scenario": world.scenario,
        "now": world.now.isoformat(),
        "identity": dict(world.identity),
        "facts": {name: [fact.kind, fact.text] for name, fact in world.facts.items()},
        "memory": dict(world.memory),
        "workspace": dict(world.workspace),
        "searches": {query: plain(hits) for query, hits in world.searches.items()},
        "pages": {url: [page.ref, page.data] for url, page in world.pages.items()},
        "compat": world.compat,
        "mails": plain(world.mails),
        "events": plain(world.events),
        "tasks": plain(world.tasks),
        "messages": plain(world.messages),
        "channels": plain(world.channels),
        "contacts": plain(world.contacts),
        "documents": plain(world.documents),
        "pulls": plain(world.pulls),
        **({"flights": plain(world.flights)} if world.flights else {}),
    }
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
