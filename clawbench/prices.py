"""What tokens cost, exactly: a dollar per million tokens is a micro-dollar per token."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from .errors import InvalidInput
from .models.protocol import Model, Usage
from .report.plain import decimal
from .suggest import did_you_mean, quoted

EMBEDDED = Path(__file__).with_name("prices.toml")
_MAX_BYTES = 1024 * 1024
_DATED = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$")
_KEYS = ("input", "cached", "output")


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-dollars for a token read, read from the provider's cache, and written."""

    input: Fraction
    cached: Fraction
    output: Fraction

    def of(self, usage: Usage) -> Fraction:
        """Micro-dollars for ``usage``; what was thought is part of what was written."""
        cached = min(usage.cached, usage.prompt)
        fresh = usage.prompt - cached
        return fresh * self.input + cached * self.cached + usage.completion * self.output


FREE = Price(Fraction(0), Fraction(0), Fraction(0))


@dataclass(frozen=True, slots=True)
class Prices:
    """A price table: its date as it says it, and each model's price by ``vendor/name``."""

    date: str
    models: Mapping[str, Price]

    def of(self, model: Model) -> Price | None:
        """The price of ``model``: nothing for one that no provider answers, ``None`` if the table does not say."""
        return self.named(model.name) if model.provider else FREE

    def named(self, model: str) -> Price | None:
        """The price of what ``--model`` names; options, URL and date of a name are nothing that costs."""
        name = model.partition("@http")[0].partition("?")[0]
        for known in (model, name, _DATED.sub("", name)):
            if known in self.models:
                return self.models[known]
        return None


def load_prices(path: Path | None = None) -> Prices:
    """The table at ``path``, or the one that comes with clawbench. Raises InvalidInput naming the entry."""
    place = path or EMBEDDED
    try:
        if place.stat().st_size > _MAX_BYTES:
            raise InvalidInput.of("PRICES_TOO_LARGE", f"at most {_MAX_BYTES} bytes are read", str(place))
        said = tomllib.loads(place.read_text(encoding="utf-8"), parse_float=Fraction)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise InvalidInput.of("PRICES_MISSING", f"cannot be read: {why}", str(place)) from None
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise InvalidInput.of("PRICES_TOML", f"not TOML: {error}", str(place)) from None
    models = said.get("models")
    if not isinstance(models, dict) or not all(isinstance(entry, dict) for entry in models.values()):
        shape = '"vendor/name" = { input = 3, output = 15 }'
        raise InvalidInput.of("PRICES_SHAPE", f"expected a table [models] of entries like {shape}", str(place))
    return Prices(
        str(said.get("date", "no date")), {name: _price(name, entry, place) for name, entry in models.items()}
    )


def _price(name: str, entry: Mapping[str, object], place: Path) -> Price:
    where = f"{place}: {name}"
    for key in entry:
        if key not in _KEYS:
            raise InvalidInput.of("PRICES_KEY", f"unknown key {quoted(key)}{did_you_mean(key, _KEYS)}", where)
    amounts = {}
    for key in _KEYS:
        value = entry.get(key, entry.get("input") if key == "cached" else None)
        if isinstance(value, bool) or not isinstance(value, int | Fraction) or not 0 <= value <= 1_000_000:
            raise InvalidInput.of("PRICES_VALUE", f"{key} is a number of dollars per million tokens", where)
        amounts[key] = Fraction(value)
    return Price(**amounts)


def dollars(micro: Fraction) -> str:
    """``$1.23``; small amounts to a hundredth of a cent, and never $0 for something."""
    if not micro:
        return "$0"
    places = 2 if micro >= 1_000_000 else 4
    shown = decimal(micro / 1_000_000, places)
    return f"${shown}" if Fraction(shown) else "<$0.0001"
