"""The kinds of facts that are numbers: releases, counts, money, times, days and codes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

from . import fragments
from .factkinds import Fact, Setting
from .fragments import escaped, loose
from .identity import Identity
from .workdays import DAY_FORMS, working_day, written


@dataclass(frozen=True, slots=True)
class Version:
    """A release, such as v3.12.4, one range for each number. Forms: default, ``bare`` (3.12.4)."""

    ranges: tuple[tuple[int, int], ...]

    @property
    def pool_size(self) -> int:
        size = 1
        for low, high in self.ranges:
            size *= high - low + 1
        return size

    def _bare(self, index: int) -> str:
        numbers = []
        for low, high in reversed(self.ranges):
            index, offset = divmod(index, high - low + 1)
            numbers.append(str(low + offset))
        return ".".join(reversed(numbers))

    def marks(self, index: int) -> tuple[str, ...]:
        return (f"version:{self._bare(index)}",)

    def fact(self, name: str, index: int, setting: Setting) -> Fact:
        bare = self._bare(index)
        ranges = self.ranges

        def reading(text: str) -> str | None:
            numbers = [int(part) for part in re.findall(r"\d{1,9}", text)]
            if len(numbers) != len(ranges):
                return None
            inside = all(low <= n <= high for n, (low, high) in zip(numbers, ranges, strict=True))
            return ".".join(map(str, numbers)) if inside else None

        widths = (rf"[0-9]{{1,{len(str(high))}}}" for _, high in ranges)
        return Fact(
            name=name,
            kind="version",
            text=f"v{bare}",
            forms={"": f"v{bare}", "bare": bare},
            spellings=(f"v{bare}", bare),
            pattern=rf"\b[vV]?{escaped(bare)}\b",
            shape=r"\b[vV]?" + r"\.".join(widths) + r"\b",
            pool_size=self.pool_size,
            reading=reading,
        )


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number from ``low`` to ``high`` in steps."""

    low: int
    high: int
    step: int = 1

    @property
    def pool_size(self) -> int:
        return (self.high - self.low) // self.step + 1

    def marks(self, index: int) -> tuple[str, ...]:
        return (f"int:{self.low + index * self.step}",)

    def has(self, number: int) -> bool:
        """Whether a number is in the pool."""
        return self.low <= number <= self.high and (number - self.low) % self.step == 0

    def fact(self, name: str, index: int, setting: Setting) -> Fact:
        text = str(self.low + index * self.step)

        def reading(text: str) -> str | None:
            digits = text.strip().replace(",", "")
            known = digits.isascii() and digits.isdigit() and len(digits) < 16 and self.has(int(digits))
            return str(int(digits)) if known else None

        grouped = fragments.grouped(text)
        return Fact(
            name=name,
            kind="int",
            text=text,
            forms={"": text},
            spellings=(text, f"{int(text):,}") if len(text) > 3 else (text,),
            pattern=rf"\b{grouped}\b",
            shape=r"\b[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)*(?:%|[A-Za-z]+)?",
            pool_size=self.pool_size,
            reading=reading,
        )


@dataclass(frozen=True, slots=True)
class Money:
    """Whole dollars in steps. Forms: ``$240,000``, ``short`` (``$240K`` where thousands are enough)."""

    numbers: Number

    @property
    def pool_size(self) -> int:
        return self.numbers.pool_size

    def marks(self, index: int) -> tuple[str, ...]:
        return (f"money:{self.numbers.low + index * self.numbers.step}",)

    def fact(self, name: str, index: int, setting: Setting) -> Fact:
        amount = self.numbers.low + index * self.numbers.step
        text = f"${amount:,}"
        short = f"${amount // 1000:,}K" if amount % 1000 == 0 and amount else text

        def reading(text: str) -> str | None:
            found = fragments.read_money(text)
            return f"${found:,}" if found is not None and self.numbers.has(found) else None

        return Fact(
            name=name,
            kind="money",
            text=text,
            forms={"": text, "short": short},
            spellings=tuple(dict.fromkeys((text, short, short.lower(), f"{amount:,}", str(amount)))),
            pattern=fragments.money_pattern(amount),
            shape=fragments.MONEY_SHAPE,
            pool_size=self.pool_size,
            reading=reading,
        )


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of today, minutes after midnight from ``low`` to ``high`` in steps.

    Forms: 2:30 pm, h24, h12, iso.
    """

    low: int
    high: int
    step: int = 1

    @property
    def pool_size(self) -> int:
        return (self.high - self.low) // self.step + 1

    def marks(self, index: int) -> tuple[str, ...]:
        return (f"clock:{self.low + index * self.step}",)

    def fact(self, name: str, index: int, setting: Setting) -> Fact:
        clock = time(*divmod(self.low + index * self.step, 60))
        forms = clock_forms(clock, setting.persona)
        h24, h12 = forms["h24"], forms["h12"]
        spellings = [h24, h12, h12.upper(), h12.replace(" ", ""), h12.replace(" ", "").upper()]
        if clock.minute == 0:
            spellings += [text.replace(":00", "") for text in spellings[1:]]

        def reading(text: str) -> str | None:
            found = fragments.read_clock(text, self.times())
            return f"{found:%H:%M}" if found else None

        return Fact(
            name=name,
            kind="clock",
            text=forms[""],
            forms=forms,
            spellings=tuple(dict.fromkeys(spellings)),
            pattern=fragments.clock_pattern(clock),
            shape=fragments.CLOCK_SHAPE,
            pool_size=self.pool_size,
            reading=reading,
            value=clock,
        )

    def times(self) -> frozenset[time]:
        """Every time of the pool."""
        return frozenset(time(*divmod(m, 60)) for m in range(self.low, self.high + 1, self.step))


def clock_forms(clock: time, persona: Identity) -> dict[str, str]:
    """The forms of a time of today."""
    hour, half = fragments.twelve_hour(clock)
    twelve = f"{hour}:{clock.minute:02d} {half}"
    iso = persona.moment(persona.today, clock).isoformat()
    return {"": twelve, "h12": twelve, "h24": f"{clock:%H:%M}", "iso": iso}


@dataclass(frozen=True, slots=True)
class Day:
    """A working day, ``low`` to ``high`` working days from today. Forms as :data:`workdays.DAY_FORMS`."""

    low: int
    high: int

    @property
    def pool_size(self) -> int:
        return self.high - self.low + 1

    def marks(self, index: int) -> tuple[str, ...]:
        return ()

    def fact(self, name: str, index: int, setting: Setting) -> Fact:
        today = setting.persona.today
        pool = frozenset(working_day(today, offset) for offset in range(self.low, self.high + 1))
        day = working_day(today, self.low + index)
        forms = {form: written(day, form) for form in DAY_FORMS}

        def reading(text: str) -> str | None:
            found = fragments.read_day(text, pool, today)
            return found.isoformat() if found else None

        by_weekday = len({d.weekday() for d in pool}) == len(pool)
        spellings = [forms[""], forms["short"], forms["iso"]]
        if by_weekday:
            spellings.append(forms["weekday"])
        return Fact(
            name=name,
            kind="day",
            text=forms[""],
            forms=forms,
            spellings=tuple(spellings),
            pattern=fragments.day_pattern(day, today, by_weekday),
            shape=fragments.DAY_SHAPE,
            pool_size=self.pool_size,
            reading=reading,
            value=day,
        )


@dataclass(frozen=True, slots=True)
class Code:
    """A template in which ``#`` is a digit (the first of a row not 0) and ``@`` a capital letter.

    ``TKT-####``.
    """

    template: str

    def _slots(self) -> list[str]:
        """What each character can be, in order; one character if it is fixed."""
        slots, before = [], ""
        for char in self.template:
            if char == "#":
                slots.append("0123456789" if before == "#" else "123456789")
            else:
                slots.append("ABCDEFGHIJKLMNOPQRSTUVWXYZ" if char == "@" else char)
            before = char
        return slots

    @property
    def pool_size(self) -> int:
        size = 1
        for slot in self._slots():
            size *= len(slot)
        return size

    def _text(self, index: int) -> str:
        chars = []
        for slot in reversed(self._slots()):
            index, offset = divmod(index, len(slot))
            chars.append(slot[offset])
        return "".join(reversed(chars))

    def marks(self, index: int) -> tuple[str, ...]:
        return (f"code:{self._text(index)}",)

    def fact(self, name: str, index: int, setting: Setting) -> Fact:
        text = self._text(index)
        shape = "".join(
            "[0-9]" if char == "#" else "[A-Za-z]" if char == "@" else _code_char(char) for char in self.template
        )
        whole = re.compile(shape, re.IGNORECASE | re.ASCII)

        def reading(text: str) -> str | None:
            return re.sub(r"[-‐‑–\s]", "", text).upper() if whole.fullmatch(text) else None

        return Fact(
            name=name,
            kind="code",
            text=text,
            forms={"": text},
            spellings=tuple(dict.fromkeys((text, text.lower()))),
            pattern=_bounded(self.template, "".join(map(_code_char, text))),
            shape=_bounded(self.template, shape),
            pool_size=self.pool_size,
            reading=reading,
        )


def _code_char(char: str) -> str:
    return r"[-‐‑–\s]?" if char == "-" else loose(char)


def _bounded(template: str, pattern: str) -> str:
    before = r"\b" if re.match(r"[\w#@]", template, re.ASCII) else ""
    after = r"\b" if re.search(r"[\w#@]\Z", template, re.ASCII) else ""
    return f"{before}{pattern}{after}"
