"""Rendered days read like days: a colleague must not be able to tell that the mails are templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pytest

from clawbench import draws
from clawbench.factkinds import OneOf
from clawbench.scenario import Scenario, load_scenario, render_world
from clawbench.world import World
from clawbench.zones import zone_named

ROOT = Path(__file__).resolve().parents[1]
NAMES = sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))
SEEDS = [str(number) for number in range(40)]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October"]
MONTHS += ["November", "December"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTH = "|".join(MONTHS) + "|" + "|".join(month[:3] for month in MONTHS)
_DATED = re.compile(rf"\b({'|'.join(DAYS)})[,(]? ?\(?({_MONTH}) (\d{{1,2}})(?:, (\d{{4}}))?\b")
_GREETING = re.compile(r"^(?:Hi|Hello|Dear|hey|Hey|Good morning|Morning) ([A-Z][\w'’-]+)[,!\n ]")
_ARTICLE = re.compile(
    r"\b[Aa] (?!one\b|on[ce]|u[nst][aieo]|uni|use|eu|us\b|and\b|is\b|or\b)[aeiou]\w+"
    r"|\b[Aa]n (?![aeiouAEIOU]|hour|honest|x|[FHLMNRSX][A-Z\d-])\w+"
)
_ONE = re.compile(r"(?<![\d.,$-])1 (?!hours?$)(?:[a-z]+s)\b(?! of)")
_CHEERFUL = {"all", "everyone", "everybody", "Sir", "user", "colleagues", "there"}


@lru_cache(None)
def scenario(name: str) -> Scenario:
    return load_scenario(ROOT / "scenarios" / f"{name}.yaml")


@lru_cache(256)
def world(name: str, seed: str) -> World:
    return render_world(scenario(name), draws.local_seed(seed))


def prose(place: World) -> Iterator[tuple[str, str]]:
    """Everything that somebody wrote, by where it stands."""
    for mail in place.mails:
        yield str(mail.ref), f"{mail.data.get('subject', '')}\n{mail.data['body']}"
    for message in place.messages:
        yield str(message.ref), str(message.data["text"])
    for event in place.events:
        yield str(event.ref), " ".join(str(event.data.get(key) or "") for key in ("title", "description", "location"))
    for task in place.tasks:
        yield str(task.ref), f"{task.data['title']} {task.data.get('description', '')}"
    yield from place.memory.items()
    yield from place.workspace.items()


@pytest.mark.parametrize("name", NAMES)
def test_every_named_day_has_its_weekday(name: str) -> None:
    dated = 0
    for seed in SEEDS:
        place = world(name, seed)
        for ref, text in [*prose(place), ("prompt", scenario(name).rendered_prompt(place))]:
            for weekday, month, day, year in _DATED.findall(text):
                number = next(n for n, known in enumerate(MONTHS, 1) if known.startswith(month[:3]))
                years = [int(year)] if year else [place.now.year - 1, place.now.year, place.now.year + 1]
                near = [date(one, number, int(day)) for one in years]
                on = min(near, key=lambda one: abs((one - place.now.date()).days))
                assert DAYS[on.weekday()] == weekday, (seed, ref, text)
                dated += 1
    assert dated


@pytest.mark.parametrize("name", NAMES)
def test_who_is_greeted_gets_the_mail_and_who_signs_has_written_it(name: str) -> None:
    signed = 0
    for seed in SEEDS:
        place = world(name, seed)
        people = {str(contact.data["email"]): str(contact.data["name"]) for contact in place.contacts}
        people[place.identity["USER_EMAIL"]] = place.identity["USER_NAME"]
        for mail in place.mails:
            body = str(mail.data["body"])
            greeting = _GREETING.match(body)
            to = [
                people.get(address, "").split(" ")[0]
                for address in mail.data.get("to") or [place.identity["USER_EMAIL"]]
            ]
            if greeting and greeting[1] not in _CHEERFUL:
                assert greeting[1] in [*to, place.identity["USER_FIRST_NAME"]], (seed, mail.ref, body)
            sender = people.get(str(mail.data["sender"]))
            if sender and not re.search(r"no-?reply|team@|all@", str(mail.data["sender"])):
                assert re.search(rf"\b{re.escape(sender.split()[0])}\b", body), (seed, mail.ref, body)
                signed += 1
    assert signed


@pytest.mark.parametrize("name", NAMES)
def test_people_write_by_day_and_in_the_zone_of_the_day(name: str) -> None:
    for seed in SEEDS:
        place = world(name, seed)
        zone = zone_named(place.identity["TIMEZONE"])
        assert zone is not None
        people = {str(contact.data["email"]) for contact in place.contacts}
        stamps = [(mail.ref, mail.data["received_ts"], mail.data["sender"] in people) for mail in place.mails]
        stamps += [(message.ref, message.data["timestamp"], False) for message in place.messages]
        stamps += [(event.ref, event.data["start"], False) for event in place.events]
        for ref, stamp, by_a_person in stamps:
            moment = datetime.fromisoformat(str(stamp))
            assert moment.utcoffset() == timedelta(minutes=zone.offset_minutes(moment.date())), (seed, ref)
            if by_a_person:
                assert 5 <= moment.hour < 22, (seed, ref, stamp)


@pytest.mark.parametrize("name", NAMES)
def test_articles_and_numbers_agree(name: str) -> None:
    for seed in SEEDS:
        for ref, text in prose(world(name, seed)):
            assert not _ARTICLE.search(text), (seed, ref, _ARTICLE.search(text))
            assert not _ONE.search(text), (seed, ref, _ONE.search(text))
            assert not re.search(
                r"[a-z,]  [a-z]|\b(\w{2,}) \1\b(?! \1)| ,|\.\.(?!\.)", text.replace("that that", "")
            ), (seed, ref, text)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_many_takes_no_verb_of_one(name: str) -> None:
    verb = r"(?:is|was|has|does|behaves|falls|stands|comes|needs|goes|waits)"
    for fact, spec in scenario(name).specs.items():
        if isinstance(spec, OneOf):
            for value in spec.values:
                if value.endswith("s") and not value.endswith("ss"):
                    for seed in (seed for seed in SEEDS if world(name, seed).facts[fact].text == value):
                        for ref, text in prose(world(name, seed)):
                            found = re.search(rf"\b{re.escape(value)} {verb}\b", text, re.I)
                            assert not found, (seed, ref, text)
