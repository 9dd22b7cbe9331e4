"""Airports by their code, and the ways in which people name them."""

from __future__ import annotations

from functools import lru_cache

AIRPORTS = {
    "AMS": "Amsterdam",
    "ATL": "Atlanta",
    "AUS": "Austin",
    "BER": "Berlin",
    "BNA": "Nashville",
    "BOS": "Boston",
    "CDG": "Paris",
    "CPH": "Copenhagen",
    "DAL": "Dallas",
    "DEN": "Denver",
    "DFW": "Dallas",
    "EWR": "New York",
    "HOU": "Houston",
    "IAH": "Houston",
    "JFK": "New York",
    "LAX": "Los Angeles",
    "LGA": "New York",
    "LGW": "London",
    "LHR": "London",
    "MAD": "Madrid",
    "MDW": "Chicago",
    "MIA": "Miami",
    "MSP": "Minneapolis",
    "MSY": "New Orleans",
    "OAK": "San Francisco",
    "ORD": "Chicago",
    "PDX": "Portland",
    "SAN": "San Diego",
    "SAT": "San Antonio",
    "SEA": "Seattle",
    "SFO": "San Francisco",
    "SIN": "Singapore",
    "SYD": "Sydney",
    "ZRH": "Zurich",
}
"""The city of each airport."""

_SHORT = {"nyc": "new york", "la": "los angeles", "sf": "san francisco", "nola": "new orleans"}


@lru_cache(maxsize=512)
def codes_of(place: str) -> frozenset[str]:
    """The airports that ``place`` means: one for ``JFK`` or ``Austin (AUS)``, all of a city for ``New York``.

    A place that is not in the table stands for itself, in capitals.
    """
    words = " ".join("".join(char if char.isalnum() else " " for char in place).split())
    named = [word for word in words.split() if word.upper() in AIRPORTS and word.isupper()]
    if words.upper() in AIRPORTS or named:
        return frozenset([named[-1] if named else words.upper()])
    city = _SHORT.get(words.casefold(), words.casefold())
    found = frozenset(code for code, name in AIRPORTS.items() if name.casefold() == city)
    return found or frozenset([words.upper()])


def city_of(code: str) -> str:
    """The city of an airport; the code itself if it is not in the table."""
    return AIRPORTS.get(code, code)
