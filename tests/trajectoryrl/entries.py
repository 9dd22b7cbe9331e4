"""Entries and scores made by hand."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from hashlib import sha256
from pathlib import Path

from clawbench.pack import Pack, load_pack
from trajectoryrl.entry import Commitment, Entry
from trajectoryrl.plan import PackScore, ScenarioScore
from trajectoryrl.protocol import Parameters, parameters
from trajectoryrl.scoring import pack_score
from trajectoryrl.tournament import Contender

BEACON = sha256(b"beacon").hexdigest()
POOL = ("client_escalation", "morning_brief", "inbox_to_action", "team_standup")
HOUR = 3_600_000


@cache
def some_pack() -> Pack:
    return load_pack(Path(__file__).parent.parent.parent / "packs" / "baseline")


def entry(name: str, hour: int = 0, *, coldkey: str = "", block: int = 0, content: str = "", minute: int = 0) -> Entry:
    """An entry of ``name`` that counts from ``hour``; its content is its own unless given."""
    content = sha256((content or name).encode()).hexdigest()
    commitment = Commitment(name, f"{name}/pack", sha256(name.encode()).hexdigest()[:40], content, block)
    when = hour * HOUR + minute * 60_000
    return Entry(0, coldkey or f"cold-{name}", commitment, some_pack(), content, content, when, when)


def flat(exact: str | Fraction, critical: tuple[str, ...] = (), given: Parameters | None = None) -> PackScore:
    """A score that is equal in all scenarios, so that it is exact as given."""
    rows = [ScenarioScore(name, Fraction(1), Fraction(exact), critical) for name in POOL]
    return pack_score("c", rows, given or parameters())


def contender(name: str, exact: str | Fraction | None, hour: int = 0, **more: object) -> Contender:
    cause = str(more.pop("cause", ""))
    critical = more.pop("critical", ())
    assert isinstance(critical, tuple)
    score = flat(exact, critical) if exact is not None else None
    return Contender(entry(name, hour, **more), score, cause)  # type: ignore[arg-type]
