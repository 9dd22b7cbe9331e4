"""Who the user is, and when: drawn from pools by the epoch seed, or given by a user context.

Pools of 365 days, 20 names, 10 roles, 10 companies, 8 departments and 6 zones. Every draw is
``draws.draw(epoch_seed, "identity:date", 365)`` and so on, so an identity can be recomputed from its seed
alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from .draws import draw
from .errors import InvalidInput, Problem
from .workdays import read_date, weekday, written
from .zones import YEAR, ZONES, Zone, zone_named

NAMES = (
    "Jordan Rivera",
    "Alex Chen",
    "Sam Patel",
    "Morgan Blake",
    "Taylor Nguyen",
    "Casey Romero",
    "Riley Thompson",
    "Jamie Kowalski",
    "Avery Johnson",
    "Quinn Murphy",
    "Robin Larsen",
    "Dana Whitfield",
    "Cameron Osei",
    "Skyler Bennett",
    "Reese Tanaka",
    "Harper Singh",
    "Rowan Fischer",
    "Emerson Diaz",
    "Sage Holloway",
    "Finley Adams",
)
ROLES = (
    "Product Manager",
    "Engineering Lead",
    "Senior Product Manager",
    "Tech Lead",
    "Program Manager",
    "Operations Manager",
    "Customer Success Lead",
    "Director of Product",
    "Solutions Architect",
    "Team Lead",
)
COMPANIES = (
    ("Meridian Technologies", "meridiantech.com"),
    ("Vertex Labs", "vertexlabs.com"),
    ("Bluepeak Software", "bluepeak.com"),
    ("Northwind Data", "northwinddata.com"),
    ("Lumen Works", "lumenworks.com"),
    ("Cobalt Cloud", "cobaltcloud.com"),
    ("Stratus Systems", "stratussystems.com"),
    ("Helix Platforms", "helixplatforms.com"),
    ("Parallax Software", "parallaxsoft.com"),
    ("Everline Digital", "everlinedigital.com"),
)
DEPARTMENTS = (
    "Engineering",
    "Product",
    "Marketing",
    "Operations",
    "Customer Success",
    "Sales",
    "Platform",
    "Data",
)
DAYS = 365

GIVEN = (
    "USER_NAME",
    "USER_FIRST_NAME",
    "USER_LAST_NAME",
    "USER_EMAIL",
    "USER_HANDLE",
    "USER_ROLE",
    "COMPANY",
    "COMPANY_DOMAIN",
    "DEPARTMENT",
    "TIMEZONE",
    "DATE",
)
"""What a user context may set."""

PLACEHOLDERS = (*GIVEN, "WEEKDAY", "WORKING_DAY_NOTE")
MAX_VALUE = 200
"""Characters of one value of a user context."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A persona. ``values`` has every name of :data:`PLACEHOLDERS`; ``today`` is a date in ``zone``."""

    values: Mapping[str, str]
    today: date
    zone: Zone

    def offset_minutes(self, day: date) -> int:
        """Minutes east of UTC where the persona lives, on a local date."""
        return self.zone.offset_minutes(day)

    def moment(self, day: date, clock: time) -> datetime:
        """``clock`` on ``day``, with the persona's UTC offset."""
        return self.zone.moment(day, clock)


def identity(epoch_seed: str, overrides: Mapping[str, str] | None = None) -> Identity:
    """The persona of an epoch, with the values of a user context in place of the drawn ones.

    A given name also decides first and last name, email and handle unless those are given too, and a given
    company its domain. Raises InvalidInput (``USER_CONTEXT``) for a name or value that has no meaning.
    """
    given = dict(overrides or {})
    check_overrides(given)
    today = date(YEAR, 1, 1) + timedelta(days=draw(epoch_seed, "identity:date", DAYS))
    company, domain = COMPANIES[draw(epoch_seed, "identity:company", len(COMPANIES))]
    zone = ZONES[draw(epoch_seed, "identity:zone", len(ZONES))]
    drawn = {
        "USER_NAME": NAMES[draw(epoch_seed, "identity:name", len(NAMES))],
        "USER_ROLE": ROLES[draw(epoch_seed, "identity:role", len(ROLES))],
        "COMPANY": company,
        "DEPARTMENT": DEPARTMENTS[draw(epoch_seed, "identity:department", len(DEPARTMENTS))],
    }
    if "COMPANY" not in given:
        drawn["COMPANY_DOMAIN"] = domain
    values = with_derived({**drawn, **given})
    today = read_date(values["DATE"]) or today if "DATE" in values else today
    zone = zone_named(values["TIMEZONE"]) or zone if "TIMEZONE" in values else zone
    values |= {
        "TIMEZONE": zone.label,
        "DATE": written(today, "date"),
        "WEEKDAY": weekday(today),
        "WORKING_DAY_NOTE": _working_day_note(today),
    }
    return Identity(values, today, zone)


def persona_of(values: Mapping[str, str]) -> Identity:
    """The persona that a World's ``identity`` names; the values must come from :func:`identity`."""
    today, zone = read_date(values["DATE"]), zone_named(values["TIMEZONE"])
    if today is None or zone is None:
        raise ValueError("these are not the values of an identity")
    return Identity(values, today, zone)


def check_overrides(given: Mapping[str, object]) -> None:
    """Raises InvalidInput with every problem of a user context for a scenario of our own."""
    problems = []
    for name, value in given.items():
        where = f"user context: {str(name)[:60]}"
        if name not in GIVEN:
            problems.append(Problem("USER_CONTEXT", where, "no such name; allowed: " + ", ".join(GIVEN)))
        elif not isinstance(value, str) or not value.strip() or len(value) > MAX_VALUE or not value.isprintable():
            allowed = f"a value is one line of 1 to {MAX_VALUE} printable characters"
            problems.append(Problem("USER_CONTEXT", where, allowed))
        elif name == "TIMEZONE" and zone_named(value) is None:
            allowed = ", ".join(zone.label for zone in ZONES)
            problems.append(Problem("USER_CONTEXT", where, f"no such zone; allowed: {allowed}"))
        elif name == "DATE" and getattr(read_date(value), "year", None) != YEAR:
            problems.append(Problem("USER_CONTEXT", where, f"a date of {YEAR}, such as {YEAR}-03-12"))
    if problems:
        raise InvalidInput(problems)


def with_derived(values: Mapping[str, str]) -> dict[str, str]:
    """The values plus what follows from them: first and last name, handle, domain, email.

    What is there already stays as it is.
    """
    full = dict(values)
    if "USER_NAME" in full:
        words = full["USER_NAME"].split() or [full["USER_NAME"]]
        full.setdefault("USER_FIRST_NAME", words[0])
        full.setdefault("USER_LAST_NAME", words[-1])
        full.setdefault("USER_HANDLE", handle(full["USER_NAME"]))
    if "COMPANY" in full:
        full.setdefault("COMPANY_DOMAIN", handle(full["COMPANY"]).replace(".", "") + ".com")
    if "USER_HANDLE" in full and "COMPANY_DOMAIN" in full:
        full.setdefault("USER_EMAIL", f"{full['USER_HANDLE']}@{full['COMPANY_DOMAIN']}")
    return full


DERIVED = {
    "USER_NAME": ("USER_FIRST_NAME", "USER_LAST_NAME", "USER_HANDLE", "USER_EMAIL"),
    "USER_HANDLE": ("USER_EMAIL",),
    "COMPANY": ("COMPANY_DOMAIN", "USER_EMAIL"),
    "COMPANY_DOMAIN": ("USER_EMAIL",),
}
"""What a default says no longer once a user context gives the name it follows from."""


def overridden(defaults: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """A scenario's defaults under a user context: a new name doesn't leave the old first name behind."""
    stale = {name for cause in given for name in DERIVED.get(cause, ())}
    return {name: value for name, value in defaults.items() if name not in stale} | dict(given)


def handle(name: str) -> str:
    """``jordan.rivera``: a name as an account name, ASCII letters and digits joined by dots."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return ".".join(re.findall(r"[a-z0-9]+", plain)) or "user"


def context_block(persona: Identity | Mapping[str, str]) -> str:
    """The Markdown that tells the agent who the user is, ending in a rule.

    The pack's AGENTS.md follows it.
    """
    values = persona.values if isinstance(persona, Identity) else persona
    return (
        "<!-- Epoch Evaluation Context: generated per epoch, do not hardcode -->\n"
        f"> **Date**: {values['DATE']}\n"
        f"> **Your Name**: {values['USER_NAME']}\n"
        f"> **Role**: {values['USER_ROLE']} at {values['COMPANY']}\n"
        f"> **Department**: {values['DEPARTMENT']}\n"
        f"> **Timezone**: {values['TIMEZONE']}\n"
        "\n---\n\n"
    )


def _working_day_note(today: date) -> str:
    if today.weekday() < 5:
        return ""
    return f"I work this {weekday(today)}: treat today as a normal working day."
