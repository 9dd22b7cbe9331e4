"""The six time zones a persona can live in, and their UTC offsets in 2026.

A table instead of the system's zone database: validators must agree on it whatever is installed. The offset
is chosen by the local date alone, so a day on which clocks change counts as changed from its start; records
are made for working hours, which is after the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

YEAR = 2026


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone: its name, the abbreviation people write, and offsets in minutes east of UTC.

    ``summer`` holds in ``starts <= local date < ends``.
    """

    name: str
    short: str
    winter: int
    summer: int
    starts: date = date(YEAR, 1, 1)
    ends: date = date(YEAR, 1, 1)

    @property
    def label(self) -> str:
        """``America/Chicago (CT)``."""
        return f"{self.name} ({self.short})"

    def offset_minutes(self, day: date) -> int:
        """Minutes east of UTC on a local date."""
        return self.summer if self.starts <= day < self.ends else self.winter

    def moment(self, day: date, clock: time) -> datetime:
        """The moment at which clocks in this zone show ``clock`` on ``day``, with its offset."""
        return datetime.combine(day, clock, timezone(timedelta(minutes=self.offset_minutes(day))))


_US = (date(YEAR, 3, 8), date(YEAR, 11, 1))
_UK = (date(YEAR, 3, 29), date(YEAR, 10, 25))

ZONES = (
    Zone("America/New_York", "ET", -300, -240, *_US),
    Zone("America/Chicago", "CT", -360, -300, *_US),
    Zone("America/Denver", "MT", -420, -360, *_US),
    Zone("America/Los_Angeles", "PT", -480, -420, *_US),
    Zone("Europe/London", "GMT", 0, 60, *_UK),
    Zone("Asia/Tokyo", "JST", 540, 540),
)


def zone_named(text: str) -> Zone | None:
    """The zone that goes by this name, abbreviation or label; None if there is none."""
    wanted = text.strip().casefold()
    for zone in ZONES:
        if wanted in (zone.name.casefold(), zone.short.casefold(), zone.label.casefold()):
            return zone
    return None
