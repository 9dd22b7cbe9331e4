"""Placeholders: one pass, nothing left over, nothing rendered twice."""

from __future__ import annotations

from typing import Any

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench import draws
from clawbench.facts import draw_facts
from clawbench.factspecs import read_specs
from clawbench.identity import PLACEHOLDERS, identity
from clawbench.render import PlaceholderError, Rendering, placeholder, render_public
from clawbench.workdays import DAY_FORMS

EPOCH = draws.local_seed("render")
CONTEXT = {
    "DATE": "2026-03-12",
    "TIMEZONE": "America/Chicago",
    "USER_NAME": "Jordan Rivera",
    "COMPANY": "Acme+ (UK)",
}
RAW: dict[str, Any] = {
    "client": {"company": 1},
    "engineer": {"person": "colleague"},
    "pr": {"int": "356..356"},
    "call": {"clock": "14:30..14:30"},
    "due": {"day": "2..2"},
    "worth": {"money": "240000..240000"},
    "clash": {"one_of": ["C++ (review)", "dentist"]},
    "trap": {"flag": "1/2"},
}


def rendering(context: dict[str, str] = CONTEXT, seed: object = 1) -> Rendering:
    persona = identity(EPOCH, context)
    return Rendering(persona, draw_facts(read_specs(RAW)[0], draws.local_seed(str(seed)), persona))


TEXTS = {
    "{{USER_FIRST_NAME}} of {{COMPANY}}": "Jordan of Acme+ (UK)",
    "{{ USER_NAME }}, {{WEEKDAY}} {{DATE}}": "Jordan Rivera, Thursday Thursday, March 12, 2026",
    "{{day}} {{day-1}} {{day+2}}": "March 12 March 11 March 16",
    "{{day+1.weekday}} {{day.iso}} {{day.date}}": "Friday 2026-03-12 Thursday, March 12, 2026",
    "{{day.at 16:20}}": "2026-03-12T16:20:00-05:00",
    "{{day-4.at 8:05}}": "2026-03-06T08:05:00-06:00",
    "{{day+1.at call}} {{day+1.at call+30m}}": "2026-03-13T14:30:00-05:00 2026-03-13T15:00:00-05:00",
    "{{call}} {{call.h24}} {{call.h12}}": "2:30 pm 14:30 2:30 pm",
    "{{call+45m}} {{call-1h30m.h24}} {{call+1h.iso}}": "3:15 pm 13:00 2026-03-12T15:30:00-05:00",
    "{{due.weekday}} {{due+1}} {{due.at 10:00}}": "Monday March 17 2026-03-16T10:00:00-05:00",
    "{{due}}, {{day.short}}": "March 16, Mar 12",
    "#{{pr}} {{worth}} {{worth.short}}": "#356 $240,000 $240K",
    "no placeholder, {one} brace": "no placeholder, {one} brace",
    "{{{pr}}}": "{356}",
}


@pytest.mark.parametrize("source", TEXTS)
def test_texts(source: str) -> None:
    assert rendering().text(source) == TEXTS[source]


def test_all_names_and_forms_render() -> None:
    made = rendering()
    names = [*PLACEHOLDERS, *(f"day.{form}" for form in DAY_FORMS if form)]
    names += [f"{name}.{form}".rstrip(".") for name, fact in made.facts.items() for form in fact.forms]
    for name in names:
        assert "{{" not in made.text(f"a {{{{{name}}}}} b")
        re2.compile(made.pattern(f"a {{{{{name}}}}} b"))


UNKNOWN = {
    "{{USER_SHOE}}": "nothing is called 'USER_SHOE'",
    "{{clientt}}": "did you mean 'client'?",
    "{{client.nick}}": "no form '.nick'; allowed: .short, .domain",
    "{{pr.short}}": "no form '.short'; allowed: none",
    "{{USER_NAME.first}}": "neither offset nor form",
    "{{USER_NAME+1}}": "neither offset nor form",
    "{{pr+1}}": "only day, day facts and clock facts take an offset",
    "{{trap}}": "is a flag and has no text",
    "{{day+41}}": "working days up to ±40",
    "{{day+30m}}": "working days up to ±40",
    "{{day.at 25:00}}": ".at takes a time",
    "{{day.at pr}}": ".at takes a time",
    "{{day.at}}": ".at takes a time",
    "{{day 16:20}}": "a time follows .at only",
    "{{day.moon}}": "allowed: .weekday, .iso, .date, .short, .at HH:MM",
    "{{call+3}}": "takes an offset such as +45m",
    "{{call+10h}}": "leaves the day",
    "{{call.at 10:00}}": "no form '.at'",
    "{{due+1.moon}}": "no form '.moon'",
    "{{}}": "is not written",
    "{{a b c}}": "is not written",
    "{{day+-1}}": "is not written",
}


@pytest.mark.parametrize("source", UNKNOWN)
def test_unknown_placeholders_say_what_is_allowed(source: str) -> None:
    made = rendering()
    with pytest.raises(PlaceholderError, match=r".") as caught:
        made.text(source)
    assert UNKNOWN[source] in str(caught.value)
    assert made.check(f"x {source} y") == [(source, str(caught.value))]
    with pytest.raises(PlaceholderError):
        made.pattern(source)


def test_an_open_placeholder_is_found() -> None:
    assert [token for token, _ in rendering().check("{{pr}} and {{pr")] == ["{{"]
    assert [token for token, _ in rendering().check("{{pr\n}}")] == ["{{"]
    assert rendering().check("a }} b { c {{pr}}") == []


def test_values_are_never_rendered_again() -> None:
    made = rendering({**CONTEXT, "USER_NAME": "{{COMPANY}} {{pr}}", "COMPANY": "{{USER_NAME}}"})
    assert made.text("{{USER_NAME}}|{{COMPANY}}") == "{{COMPANY}} {{pr}}|{{USER_NAME}}"
    assert made.value({"{{USER_NAME}}": ["{{COMPANY}}", 5, None, {"a": "{{pr}}"}]}) == {
        "{{COMPANY}} {{pr}}": ["{{USER_NAME}}", 5, None, {"a": "356"}]
    }


PATTERNS = [
    ("{{call}}.{0,20}call", "2.30pm is the call", True),
    ("{{call}}.{0,20}call", "3.30pm is the call", False),
    ("{{call+30m}}", "at 15:00", True),
    ("{{call.h24}}", "2:30 pm", False),
    ("{{worth}}", "a $240k deal", True),
    ("{{clash}}", "the c++ (REVIEW) at noon", True),
    ("{{clash}}", "the c (REVIEW)", False),
    ("at {{COMPANY}}", "at acme+ (uk)", True),
    ("at {{COMPANY}}", "at acmee (uk)", False),
    ("{{day+1}}", "on Friday", True),
    ("{{day+1}}", "tomorrow", True),
    ("{{day+1}}", "13 March", True),
    ("{{day+1.weekday}}", "13 March", False),
    ("{{day+6}}", "on Friday", False),
    ("{{day+6}}", "on March 20", True),
    ("{{due+1}}", "Tuesday", True),
    ("(a|{{pr}}){2}", "a356", False),
    ("(a |{{pr}}){2}", "a 356", True),
]


@pytest.mark.parametrize(("pattern", "text", "matches"), PATTERNS)
def test_patterns(pattern: str, text: str, matches: bool) -> None:
    facts = {"clash": {"one_of": ["C++ (review)", "C++ (review), again"]}}
    persona = identity(EPOCH, CONTEXT)
    specs = read_specs({**RAW, **facts})[0]
    seed = next(s for n in range(99) if draws.draw(s := draws.local_seed(n), "fact:clash", 2) == 0)
    made = Rendering(persona, draw_facts(specs, seed, persona))
    assert (re2.search(f"(?is){made.pattern(pattern)}", text) is not None) == matches


def test_placeholders_are_read() -> None:
    read = placeholder(" day-1.at 16:20 ")
    assert (read.name, read.offset, read.form, read.at) == ("day", "-1", "at", "16:20")


def test_public_files_take_known_names_only() -> None:
    values = {"USER_NAME": "{{COMPANY}}", "COMPANY": "X"}
    source = "{{USER_NAME}} {{COMPANY}} {{OTHER}} {{ COMPANY }} {{day}}"
    assert render_public(source, values) == "{{COMPANY}} X {{OTHER}} {{ COMPANY }} {{day}}"


_PIECES = st.sampled_from(
    [
        "{{",
        "}}",
        "{",
        "}",
        "{{pr}}",
        "{{client}}",
        "{{day+1.at call}}",
        "{{USER_NAME}}",
        "{{nope}}",
        "{{call+9h}}",
        " ",
        "\n",
        "x",
        "{{engineer.email}}",
        "{{day",
        ".iso}}",
        "{{trap}}",
        "\\",
        "é",
    ]
)


@settings(max_examples=200)
@given(st.lists(_PIECES, max_size=12).map("".join), st.integers(0, 5))
def test_what_checks_clean_renders_without_a_placeholder_left(source: str, seed: int) -> None:
    made = rendering(seed=seed)
    if made.check(source):
        assert "{{" in source
    else:
        assert "{{" not in made.text(source)
        assert "{{" not in made.pattern(source)


@settings(max_examples=100)
@given(st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable() and text.strip()))
def test_any_name_is_matched_by_its_own_pattern(name: str) -> None:
    made = rendering({**CONTEXT, "USER_NAME": name})
    text = f"- {made.text('{{USER_NAME}}')} -"
    assert re2.search(f"(?is){made.pattern('{{USER_NAME}}')}", text) is not None
