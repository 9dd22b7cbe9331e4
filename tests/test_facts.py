"""Facts: what each kind draws, how its values are written, found, and told apart."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench import draws
from clawbench.factkinds import Kind
from clawbench.facts import Fact, draw_facts
from clawbench.factspecs import SpecError, minutes, read_spec, read_specs
from clawbench.identity import Identity, identity
from clawbench.numberkinds import Clock, Number

EPOCH = draws.local_seed("facts")
PERSONA = identity(EPOCH, {"DATE": "2026-03-12", "TIMEZONE": "CT", "COMPANY": "Acme Rockets"})
SPECS: dict[str, dict[str, Any]] = {
    "client": {"company": 1},
    "other": {"company": 1},
    "engineer": {"person": "colleague"},
    "sponsor": {"person": "client", "at": "client"},
    "culprit": {"version": ["2..4", "0..19", "0..9"]},
    "major": {"version": [7, "0..3"]},
    "pr": {"int": "200..999"},
    "rows": {"int": "5000..90000", "step": 500},
    "call": {"clock": "13:00..16:00", "step": "30m"},
    "early": {"clock": "8:15..11:45", "step": "15m"},
    "due": {"day": "1..5"},
    "past": {"day": "-9..-1"},
    "worth": {"money": "120000..980000", "step": 5000},
    "deal": {"money": "1200000..4800000", "step": 100000},
    "ticket": {"code": "TKT-####"},
    "label": {"code": "@@#"},
    "clash": {"one_of": ["interview", "team planning", "dentist"]},
    "state": {"one_of": {"on hold": "on[ -]hold|paused", "shipped": "shipped|out the door"}},
    "trap": {"flag": "1/3"},
}


def kinds(raw: dict[str, Any]) -> dict[str, Kind]:
    specs, wrong = read_specs(raw)
    assert wrong == []
    return specs


def drawn(seed: object = "a", persona: Identity = PERSONA, specs: dict[str, Any] = SPECS) -> dict[str, Fact]:
    return draw_facts(kinds(specs), draws.local_seed(str(seed)), persona)


def one(spec: dict[str, Any], index: int) -> Fact:
    from clawbench.factkinds import Setting

    return read_spec(spec).fact("it", index, Setting(PERSONA, {"client": "client.com"}))


def found(fact: Fact, text: str) -> bool:
    return re2.search(f"(?is){fact.pattern}", text) is not None


def test_golden_draw() -> None:
    facts = drawn()
    assert {name: fact.text for name, fact in facts.items()} == GOLDEN
    seed = draws.local_seed("a")
    assert facts["pr"].text == str(200 + draws.draw(seed, "fact:pr", 800))
    assert facts["trap"].value == (draws.draw(seed, "fact:trap", 3) < 1)


GOLDEN = {
    "call": "2:00 pm",
    "clash": "team planning",
    "client": "Moorgate Analytics",
    "culprit": "v2.5.2",
    "deal": "$3,400,000",
    "due": "March 19",
    "early": "8:30 am",
    "engineer": "Dmitri Delacroix",
    "label": "IP4",
    "major": "v7.1",
    "other": "Lowenstein Optics",
    "past": "March 2",
    "pr": "867",
    "rows": "32000",
    "sponsor": "Arturo Maalouf",
    "state": "shipped",
    "ticket": "TKT-5343",
    "trap": "false",
    "worth": "$680,000",
}


def test_the_order_in_a_file_means_nothing() -> None:
    backwards = dict(reversed(SPECS.items()))
    for seed in range(20):
        assert drawn(seed, specs=backwards) == drawn(seed)


def test_the_hash_seed_means_nothing() -> None:
    program = (
        "import json; from tests.test_facts import drawn;"
        "print(json.dumps({n: [f.text, f.pattern, list(f.spellings)] for n, f in drawn().items()}))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1
    assert json.loads(outputs.pop())["pr"][0] == drawn()["pr"].text


def test_another_fact_doesnt_change_a_draw() -> None:
    fewer = {name: spec for name, spec in SPECS.items() if name not in ("pr", "engineer", "clash")}
    assert all(fact == drawn()[name] for name, fact in drawn(specs=fewer).items())


def test_values_that_could_be_confused_are_distinct() -> None:
    crowd: dict[str, Any] = {f"p{n}": {"person": "colleague"} for n in range(26)}
    crowd |= {f"c{n}": {"company": 1} for n in range(20)} | {f"n{n}": {"int": "1..20"} for n in range(12)}
    crowd |= {f"t{n}": {"clock": "13:00..15:30", "step": "30m"} for n in range(6)}
    for seed in range(25):
        facts = drawn(seed, specs=crowd)
        people = [fact for fact in facts.values() if fact.kind == "person"]
        assert len({fact.forms["first"] for fact in people}) == len({fact.forms["last"] for fact in people}) == 26
        for kind, count in (("company", 20), ("int", 12), ("clock", 6)):
            assert len({fact.text for fact in facts.values() if fact.kind == kind}) == count


def test_nobody_is_called_like_the_user() -> None:
    persona = identity(EPOCH, {"USER_NAME": "Priya Dahl", "COMPANY": "Osprey Marine"})
    crowd = {f"p{n}": {"person": "colleague"} for n in range(60)}
    for seed in range(10):
        people = drawn(seed, persona, crowd).values()
        assert {fact.forms["first"] for fact in people}.isdisjoint({"Priya"})
        assert {fact.forms["last"] for fact in people}.isdisjoint({"Dahl"})
    companies = {f"c{n}": {"company": 1} for n in range(47)}
    assert all(fact.text != "Osprey Marine" for fact in drawn(1, persona, companies).values())


def test_a_redraw_has_its_own_label() -> None:
    seed = next(
        s for n in range(200) if draws.draw(s := draws.local_seed(n), "fact:a", 9) == draws.draw(s, "fact:b", 9)
    )
    facts = draw_facts(kinds({"a": {"int": "1..9"}, "b": {"int": "1..9"}}), seed, PERSONA)
    first = 1 + draws.draw(seed, "fact:a", 9)
    again = next(value for k in range(1, 99) if (value := 1 + draws.draw(seed, f"fact:b#{k}", 9)) != first)
    assert (facts["a"].text, facts["b"].text) == (str(first), str(again))


def test_pools_are_used_up_to_the_last_value() -> None:
    facts = drawn(specs={f"n{n}": {"int": "1..7"} for n in range(7)})
    assert sorted(fact.text for fact in facts.values()) == list("1234567")


def test_all_values_of_a_pool_are_drawn() -> None:
    texts = {drawn(seed, specs={"t": {"clock": "13:00..16:00", "step": "30m"}})["t"].text for seed in range(120)}
    assert texts == {f"{hour}:{minute} pm" for hour in (1, 2, 3) for minute in ("00", "30")} | {"4:00 pm"}
    flags = [drawn(seed, specs={"f": {"flag": "1/3"}})["f"].value for seed in range(300)]
    assert 60 < sum(flags) < 140


FORMS: list[tuple[dict[str, Any], int, dict[str, str]]] = [
    (
        {"company": 1},
        19,
        {"": "Harborline Systems", "short": "Harborline", "domain": "harborlinesystems.com"},
    ),
    (
        {"person": "colleague"},
        0,
        {
            "": "Adaeze Abara",
            "first": "Adaeze",
            "last": "Abara",
            "email": "adaeze.abara@acmerockets.com",
            "handle": "adaeze.abara",
        },
    ),
    ({"version": ["2..4", "0..19", "0..9"]}, 325, {"": "v3.12.5", "bare": "3.12.5"}),
    ({"int": "200..999", "step": 5}, 3, {"": "215"}),
    (
        {"clock": "13:00..16:00", "step": "30m"},
        3,
        {"": "2:30 pm", "h12": "2:30 pm", "h24": "14:30", "iso": "2026-03-12T14:30:00-05:00"},
    ),
    (
        {"day": "1..5"},
        0,
        {
            "": "March 13",
            "weekday": "Friday",
            "iso": "2026-03-13",
            "date": "Friday, March 13, 2026",
            "short": "Mar 13",
        },
    ),
    ({"money": "120000..980000", "step": 5000}, 24, {"": "$240,000", "short": "$240K"}),
    ({"money": "1..99"}, 41, {"": "$42", "short": "$42"}),
    ({"code": "TKT-####"}, 0, {"": "TKT-1000"}),
    ({"code": "@@-#.#"}, 10, {"": "AA-2.2"}),
    ({"one_of": ["a b", "c"]}, 0, {"": "a b"}),
    ({"flag": "1/2"}, 0, {}),
]


@pytest.mark.parametrize(("spec", "index", "forms"), FORMS, ids=lambda value: str(value)[:40])
def test_forms(spec: dict[str, Any], index: int, forms: dict[str, str]) -> None:
    fact = one(spec, index)
    assert dict(fact.forms) == forms
    assert fact.text == (forms[""] if forms else "true")


def test_a_client_writes_from_the_clients_domain() -> None:
    facts = drawn()
    assert facts["sponsor"].forms["email"].endswith("@" + facts["client"].forms["domain"])
    assert facts["engineer"].forms["email"].endswith("@acmerockets.com")


SPOKEN: list[tuple[dict[str, Any], int, list[str], list[str]]] = [
    (
        {"clock": "13:00..16:00", "step": "30m"},
        3,
        [
            "14:30",
            "2:30 pm",
            "2:30pm",
            "2:30 PM",
            "2.30pm",
            "2:30 p.m.",
            "at 2:30, then",
            "14h30",
            "02:30 PM",
            "2026-03-12T14:30:00-05:00",
            "(14:30–15:00)",
            "2:30-3 pm",
        ],
        ["12:30 pm", "14:305", "114:30", "2:31 pm", "4:30 pm", "1430", "12:300"],
    ),
    (
        {"clock": "13:00..16:00", "step": "30m"},
        2,
        [
            "14:00",
            "2 pm",
            "2pm",
            "2 PM",
            "2:00 pm",
            "2 p.m.",
            "2 o'clock",
            "2 o’clock",
            "2–3 pm",
            "2-2:45 pm",
        ],
        ["12 pm", "2 am", "22 pm", "2 points", "2 pmx", "14:30"],
    ),
    ({"clock": "8:15..11:45", "step": "15m"}, 5, ["9:30", "09:30", "9:30 am", "9.30 AM"], ["19:30", "9:305"]),
    (
        {"person": "colleague"},
        0,
        ["Adaeze", "adaeze abara", "Adaeze's fix", "ask ADAEZE ABARA.", "adaeze.abara@x.com"],
        ["Abara", "Adaezes", "Hadaeze"],
    ),
    (
        {"money": "120000..980000", "step": 5000},
        24,
        [
            "$240,000",
            "$240K",
            "$240k",
            "240,000",
            "USD 240,000",
            "240000",
            "$ 240 k",
            "240 thousand",
            "$0.24M",
            "240’000".replace("’", "'"),
            "240 000",
            "$240,000.00",
        ],
        ["$2,400", "$240", "1240000", "$24,000", "240,0001", "240kg"],
    ),
    (
        {"money": "1200000..4800000", "step": 100000},
        1,
        ["$1.3M", "1,300,000", "1.3 million", "$1.30m"],
        ["1.35M"],
    ),
    ({"int": "200..999"}, 156, ["#356", "PR 356.", "(356)", "356,"], ["1356", "3567", "356th", "v356x"]),
    ({"int": "5000..90000", "step": 500}, 12, ["11000", "11,000 rows"], ["111000", "11,0000"]),
    (
        {"version": ["2..4", "0..19", "0..9"]},
        324,
        ["v3.12.4", "3.12.4", "V3.12.4,", "release 3.12.4."],
        ["13.12.4", "3.12.40", "3x12x4", "v3.12"],
    ),
    (
        {"code": "TKT-####"},
        3821,
        ["TKT-4821", "tkt-4821", "TKT 4821", "TKT4821", "TKT–4821"],
        ["XTKT-4821", "TKT-48210"],
    ),
    (
        {"company": 1},
        19,
        ["Harborline", "harborline systems", "Harborline's"],
        ["Harborlines", "harborlinesystems.com"],
    ),
    (
        {"one_of": ["team planning", "x"]},
        0,
        ["Team  Planning", "the team planning."],
        ["team plannings", "steam planning"],
    ),
    ({"one_of": {"on hold": "on[ -]hold|paused", "b": "b"}}, 0, ["on-hold", "Paused"], ["held"]),
    (
        {"day": "1..5"},
        0,
        [
            "March 13",
            "Mar 13",
            "13 March",
            "March 13th",
            "13th of March",
            "3/13",
            "2026-03-13",
            "Friday",
            "by Fri.",
            "tomorrow",
            "2026-03-13T10:00",
        ],
        ["March 131", "May 13", "March 1", "Fridays", "13/3", "2026-03-131", "today"],
    ),
    ({"day": "-9..-1"}, 8, ["March 11", "2026-03-11"], ["Wednesday", "yesterday"]),
]


@pytest.mark.parametrize(("spec", "index", "said", "unsaid"), SPOKEN, ids=lambda value: str(value)[:30])
def test_patterns_accept_what_people_write(
    spec: dict[str, Any], index: int, said: list[str], unsaid: list[str]
) -> None:
    fact = one(spec, index)
    assert [text for text in said if not found(fact, text)] == []
    assert [text for text in unsaid if found(fact, text)] == []


@pytest.mark.parametrize("spec", [spec for spec in SPECS.values() if "flag" not in spec], ids=str)
def test_every_spelling_is_found_read_and_the_same_value(spec: dict[str, Any]) -> None:
    size = read_spec(spec).pool_size
    step = max(1, size // 25)
    for index in range(0, size, step):
        fact = one(spec, index)
        assert fact.text in fact.spellings
        assert fact.canon(fact.text) is not None
        assert fact.pool_size == size
        for spelling in (s for s in fact.spellings if not s.endswith(".com")):
            assert found(fact, f"it is {spelling}."), (fact.pattern, spelling)
            match = re2.search(f"(?is){fact.shape}", f"it is {spelling}.")
            assert match, (fact.shape, spelling)
            assert fact.canon(match.group()) == fact.canon(fact.text), (spelling, match.group())


@pytest.mark.parametrize("spec", [spec for spec in SPECS.values() if "flag" not in spec], ids=str)
def test_other_values_of_the_pool_read_differently(spec: dict[str, Any]) -> None:
    size = read_spec(spec).pool_size
    fact = one(spec, 0)
    for index in range(1, size, max(1, size // 40)):
        other = one(spec, index)
        if "person" in spec and other.forms["first"] == fact.forms["first"]:
            continue  # people of one scenario never share a first name
        assert fact.canon(other.text) not in (None, fact.canon(fact.text)), other.text
        assert not found(fact, f"it is {other.text}."), other.text


OUTSIDE = [
    ({"clock": "13:00..16:00", "step": "30m"}, ["9:00", "2:45 pm", "25:00", "x"]),
    ({"int": "200..999", "step": 5}, ["199", "1000", "201", "4.5", "300ms", "9" * 50]),
    ({"money": "120000..980000", "step": 5000}, ["$1", "$121,000", "5%", "1.2.3", "$" + "9" * 40]),
    ({"version": ["2..4", "0..19", "0..9"]}, ["v1.2.3", "2.20.0", "2.1", "9" * 40]),
    ({"day": "1..5"}, ["March 12", "May 1", "Thursday morning", "13"]),
    ({"code": "TKT-####"}, ["TKT", "ABC-1234", "TKT-12"]),
    ({"company": 1}, ["Acme", ""]),
    ({"person": "colleague"}, ["42", ""]),
    ({"one_of": ["a", "b"]}, ["c", ""]),
]


@pytest.mark.parametrize(("spec", "texts"), OUTSIDE, ids=lambda value: str(value)[:30])
def test_texts_outside_the_pool_are_no_value(spec: dict[str, Any], texts: list[str]) -> None:
    assert [text for text in texts if one(spec, 0).canon(text) is not None] == []


def test_first_and_full_name_are_the_same_person() -> None:
    fact = one({"person": "colleague"}, 0)
    assert fact.canon("Adaeze") == fact.canon("ADAEZE ABARA") == fact.canon("adaeze.abara") == "adaeze abara"
    assert fact.canon("Adaeze Dahl") != fact.canon("Adaeze")
    assert fact.canon("Alma") == "alma"


def test_a_bare_time_is_the_afternoons_if_only_that_is_there() -> None:
    assert one({"clock": "13:00..16:00", "step": "30m"}, 0).canon("2:30") == "14:30"
    assert one({"clock": "1:00..16:00", "step": "30m"}, 0).canon("2:30") == "02:30"


WRONG: list[tuple[Any, str | None]] = [
    (7, None),
    ({}, None),
    ({"int": "1..9", "clock": "1:00..2:00"}, None),
    ({"intt": "1..9"}, None),
    ({"int": "1..9", "stepp": 2}, "stepp"),
    ({"int": "9..1"}, "int"),
    ({"int": "1-9"}, "int"),
    ({"int": 5}, "int"),
    ({"int": "1..9", "step": 0}, "step"),
    ({"int": "1..9", "step": 1000}, "step"),
    ({"int": "1..9", "step": True}, "step"),
    ({"company": 2}, "company"),
    ({"company": True}, "company"),
    ({"person": "boss"}, "person"),
    ({"person": "client"}, "person"),
    ({"version": ["1..2"]}, "version"),
    ({"version": "1..2"}, "version"),
    ({"version": ["1..2", "x"]}, "version"),
    ({"clock": "13:00"}, "clock"),
    ({"clock": 780}, "clock"),
    ({"clock": "24:00..25:00"}, "clock"),
    ({"clock": "16:00..13:00"}, "step"),
    ({"clock": "13:00..16:00", "step": "x"}, "step"),
    ({"clock": "13:00..16:00", "step": 30}, "step"),
    ({"day": "1..400"}, "day"),
    ({"money": "0..5"}, "money"),
    ({"code": "TKT"}, "code"),
    ({"code": "{{x}}#"}, "code"),
    ({"one_of": ["a"]}, "one_of"),
    ({"one_of": ["a", "A"]}, "one_of"),
    ({"one_of": ["a", 870]}, "one_of"),
    ({"one_of": ["a", "{{b}}"]}, "one_of"),
    ({"one_of": {"a": "(", "b": "b"}}, "one_of"),
    ({"one_of": {"a": "(?=x)", "b": "b"}}, "one_of"),
    ({"flag": "1/1"}, "flag"),
    ({"flag": "0/2"}, "flag"),
    ({"flag": 1}, "flag"),
    ({"flag": "1/0"}, "flag"),
]


@pytest.mark.parametrize(("raw", "key"), WRONG, ids=lambda value: str(value)[:40])
def test_a_fact_that_cannot_be_drawn_says_why(raw: Any, key: str | None) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(raw)
    assert caught.value.key == key
    assert str(caught.value)


def test_all_wrong_facts_of_a_file_are_named() -> None:
    specs, wrong = read_specs(
        {
            "Bad": {"int": "1..2"},
            "day": {"int": "1..2"},
            "who": {"person": "client", "at": "where"},
            "near": {"one_off": ["a", "b"]},
            "a": {"int": "1..2"},
            "b": {"int": "1..2"},
            "c": {"int": "1..2"},
        }
    )
    assert {path for path, _ in wrong} == {("Bad",), ("day",), ("who", "at"), ("near",), ("c",)}
    assert any("did you mean 'one_of'?" in message for _, message in wrong)
    assert set(specs) >= {"a", "b"}
    assert read_specs({f"n{n}": {"flag": "1/2"} for n in range(65)})[1][0][0] == ()


def test_durations() -> None:
    assert [minutes(text) for text in ("45m", "1h", "1h30m", "", "x", 5)] == [45, 60, 90, None, None, None]


@settings(max_examples=50)
@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(1, 1000), st.integers(0, 10**9))
def test_numbers_stay_in_their_range(low: int, width: int, step: int, pick: int) -> None:
    number = Number(low, low + width, step)
    fact = number.fact("n", pick % number.pool_size, _setting())
    assert number.has(int(fact.text))
    assert found(fact, f"exactly {fact.text} rows")
    assert not found(fact, f"exactly {fact.text}0 rows")
    assert not found(fact, f"exactly 1{fact.text} rows")


@settings(max_examples=50)
@given(st.integers(0, 1439))
def test_every_minute_of_the_day_is_written_and_read(minute: int) -> None:
    fact = Clock(0, 1439).fact("t", minute, _setting())
    assert all(found(fact, f"at {spelling}.") for spelling in fact.spellings)
    assert fact.canon(fact.forms["h12"]) == fact.forms["h24"]


def _setting() -> Any:
    from clawbench.factkinds import Setting

    return Setting(PERSONA)
