"""Placeholders: ``{{ name[±offset][.form][ HH:MM] }}``, replaced in one pass; what they become is never
read again.

Names are identity values (``USER_NAME``), ``day`` and facts. ``{{day+2.weekday}}`` counts working days,
``{{call+45m}}`` shifts a time, ``{{day+1.at 16:20}}`` and ``{{day+1.at call+30m}}`` are ISO timestamps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from functools import lru_cache
from typing import Any

from .factkinds import Fact
from .factspecs import minutes
from .fragments import clock_pattern, day_pattern, escaped, guarded
from .identity import PLACEHOLDERS, Identity, persona_of
from .numberkinds import clock_forms
from .suggest import did_you_mean, listing, quoted
from .workdays import DAY_FORMS, MAX_OFFSET, working_day, written
from .world import World

TOKEN = re.compile(r"\{\{([^{}\n]*)\}\}")
PUBLIC_TOKEN = re.compile(r"\{\{(\w+)\}\}")
_OFFSET = r"[+-](?:[0-9]{1,2}h[0-9]{1,3}m|[0-9]{1,2}h|[0-9]{1,3}m|[0-9]{1,3})"
_PLACE = re.compile(rf"\s*([A-Za-z_][A-Za-z0-9_]*)\s*({_OFFSET})?(?:\.([a-z][a-z0-9]*))?(?:\s+(\S+))?\s*")
_AT = re.compile(rf"([0-9]{{1,2}}):([0-9]{{2}})|([a-z][a-z0-9_]*)({_OFFSET})?")


class PlaceholderError(ValueError):
    """A placeholder that means nothing here, in a sentence that says what would."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What stands between the braces."""

    name: str
    offset: str = ""
    form: str = ""
    at: str = ""


@lru_cache(4096)
def placeholder(inner: str) -> Placeholder:
    """Reads what stands between the braces. Raises PlaceholderError."""
    found = _PLACE.fullmatch(inner)
    if not found:
        raise PlaceholderError(f"{quoted(inner)} is not written {{{{name[±offset][.form][ HH:MM]}}}}")
    return Placeholder(found[1], found[2] or "", found[3] or "", found[4] or "")


@dataclass(slots=True)
class Rendering:
    """Renders texts and patterns for one persona and one set of facts; remembers each placeholder's text."""

    persona: Identity
    facts: Mapping[str, Fact]
    _texts: dict[str, str] = field(default_factory=dict, repr=False)
    _patterns: dict[str, str] = field(default_factory=dict, repr=False)

    def text(self, source: str) -> str:
        """``source`` with every placeholder replaced by its text. Raises PlaceholderError."""
        if "{{" not in source:
            return source
        return TOKEN.sub(self._text_of, source)

    def pattern(self, source: str) -> str:
        """A pattern with every placeholder replaced by an RE2 fragment. Raises PlaceholderError.

        A fact without a form becomes a fragment that accepts every spelling of its value, a form its exact
        text.
        """
        if "{{" not in source:
            return source
        return TOKEN.sub(self._pattern_of, source)

    def value(self, source: Any) -> Any:
        """A JSON value with every text in it rendered, the keys of objects too."""
        if isinstance(source, str):
            return TOKEN.sub(self._text_of, source) if "{{" in source else source
        if isinstance(source, dict):
            return {self.text(key): self.value(item) for key, item in source.items()}
        if isinstance(source, list):
            return [self.value(item) for item in source]
        return source

    def check(self, source: str) -> list[tuple[str, str]]:
        """What is wrong with the placeholders of ``source``: the text at fault, and a sentence."""
        if "{{" not in source:
            return []
        wrong = []
        for found in TOKEN.finditer(source):
            try:
                self._text_of(found)
            except PlaceholderError as why:
                wrong.append((found[0], str(why)))
        if "{{" in TOKEN.sub("", source):
            wrong.append(("{{", "'{{' opens a placeholder that is not closed by '}}' on its line"))
        return wrong

    def _text_of(self, found: re.Match[str]) -> str:
        inner = found[1]
        text = self._texts.get(inner)
        if text is None:
            text = self._texts[inner] = self._resolve(inner)[0]
        return text

    def _pattern_of(self, found: re.Match[str]) -> str:
        inner = found[1]
        pattern = self._patterns.get(inner)
        if pattern is None:
            text, loose = self._resolve(inner)
            pattern = self._patterns[inner] = loose() if loose else escaped(text)
        return pattern

    def _resolve(self, inner: str) -> tuple[str, Callable[[], str] | None]:
        """The text of a placeholder, and what makes its fragment if that is more than the escaped text."""
        place = placeholder(inner)
        if place.at and place.form != "at":
            raise PlaceholderError(f"{quoted(inner)}: a time follows .at only, as in {{{{day+1.at 16:20}}}}")
        if place.name in self.persona.values:
            if place.offset or place.form:
                raise PlaceholderError(f"'{place.name}' has neither offset nor form")
            value = self.persona.values[place.name]
            return value, lambda: guarded(value)
        if place.name == "day":
            offset = _days(place)
            return self._day(place, working_day(self.persona.today, offset), abs(offset) <= 5)
        fact = self.facts.get(place.name)
        if fact is None:
            raise PlaceholderError(self._unknown(place.name))
        if isinstance(fact.value, time):
            return self._clock(place, fact)
        if isinstance(fact.value, date):
            if not place.offset and place.form not in ("", "at"):
                return _form(place, fact.forms), None
            if not place.offset and not place.form:
                return fact.text, lambda: fact.pattern
            return self._day(place, working_day(fact.value, _days(place)), True)
        if place.offset:
            raise PlaceholderError(f"{quoted(inner)}: only day, day facts and clock facts take an offset")
        if not fact.forms:
            raise PlaceholderError(f"'{place.name}' is a flag and has no text: use it in if")
        text = _form(place, fact.forms)
        return text, None if place.form else lambda: fact.pattern

    def _day(self, place: Placeholder, day: date, by_weekday: bool) -> tuple[str, Callable[[], str] | None]:
        if place.form == "at":
            return self.persona.moment(day, self._at(place)).isoformat(), None
        if place.form not in DAY_FORMS:
            raise PlaceholderError(_no_form(place, (*DAY_FORMS, "at HH:MM")))
        text = written(day, place.form)
        return text, None if place.form else lambda: day_pattern(day, self.persona.today, by_weekday)

    def _clock(self, place: Placeholder, fact: Fact) -> tuple[str, Callable[[], str] | None]:
        clock = _shifted(fact, place.offset)
        text = _form(place, clock_forms(clock, self.persona) if place.offset else fact.forms)
        return text, None if place.form else lambda: clock_pattern(clock)

    def _at(self, place: Placeholder) -> time:
        found = _AT.fullmatch(place.at)
        if found and found[1] and int(found[1]) < 24 and int(found[2]) < 60:
            return time(int(found[1]), int(found[2]))
        fact = self.facts.get(found[3]) if found and found[3] else None
        if found and fact and isinstance(fact.value, time):
            return _shifted(fact, found[4] or "")
        raise PlaceholderError(f"{quoted(place.at)}: .at takes a time such as 16:20, or a clock fact")

    def _unknown(self, name: str) -> str:
        known = [*self.facts, "day", *PLACEHOLDERS]
        hint = did_you_mean(name, known)
        allowed = listing([*self.facts, "day", "identity names such as USER_NAME"])
        return f"nothing is called {quoted(name)}{hint}; known: {allowed}"


def _days(place: Placeholder) -> int:
    if not place.offset:
        return 0
    if place.offset[-1] in "hm" or abs(int(place.offset)) > MAX_OFFSET:
        raise PlaceholderError(f"'{place.name}{place.offset}': days take working days up to ±{MAX_OFFSET}")
    return int(place.offset)


def _shifted(fact: Fact, offset: str) -> time:
    start: time = fact.value
    if not offset:
        return start
    length = minutes(offset[1:])
    if length is None:
        raise PlaceholderError(f"'{fact.name}{offset}': a clock takes an offset such as +45m or -1h30m")
    total = start.hour * 60 + start.minute + (length if offset[0] == "+" else -length)
    if not 0 <= total < 24 * 60:
        raise PlaceholderError(f"'{fact.name}{offset}' leaves the day: {start:%H:%M} is a value of this fact")
    return time(*divmod(total, 60))


def _form(place: Placeholder, forms: Mapping[str, str]) -> str:
    text = forms.get(place.form)
    if text is None:
        raise PlaceholderError(_no_form(place, tuple(forms)))
    return text


def _no_form(place: Placeholder, forms: tuple[str, ...]) -> str:
    allowed = ", ".join(f".{form}" for form in forms if form) or "none"
    return f"'{place.name}' has no form '.{place.form}'; allowed: {allowed}"


def rendering_of(world: World) -> Rendering:
    """What renders further texts and patterns for an existing world of ours (not a compat one)."""
    return Rendering(persona_of(world.identity), world.facts)


def render_pattern(source: str, world: World) -> str:
    """A check's pattern as it stands in ``world``; a public scenario's is never touched."""
    return source if world.compat else rendering_of(world).pattern(source)


def render_text(source: str, world: World) -> str:
    """A text as it stands in ``world``; a public scenario's prompt is never touched."""
    return source if world.compat else rendering_of(world).text(source)


def render_public(source: str, values: Mapping[str, str]) -> str:
    """A public scenario's ``.md`` file: names of the user context are replaced, unknown ones stay."""
    return PUBLIC_TOKEN.sub(lambda found: values.get(found[1], found[0]), source)
