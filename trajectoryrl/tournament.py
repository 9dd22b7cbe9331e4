"""From scores to weights: the champion chain, the places, and the sentences that explain them.

Everything comes from this epoch's entries alone: no memory of earlier scores, no clock, no order of a mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from .entry import Entry
from .order import in_order
from .plan import Award, PackScore
from .protocol import Parameters
from .scoring import ONE, published, shown


@dataclass(frozen=True, slots=True)
class Contender:
    """A verified entry that is nobody's duplicate, with its score.

    ``score`` is ``None`` for an INDETERMINATE entry; ``cause`` is then the code of what kept its votes undecided.
    ``name`` is how people call it, by default the hotkey.
    """

    entry: Entry
    score: PackScore | None
    cause: str = ""
    name: str = ""

    @property
    def hotkey(self) -> str:
        """The hotkey of its entry."""
        return self.entry.hotkey

    @property
    def called(self) -> str:
        """Its name, else its hotkey."""
        return self.name or self.hotkey


def award(
    contenders: Iterable[Contender],
    beacon: str,
    parameters: Parameters,
    owner: str | None = None,
    previous: str | None = None,
    keep: str = "",
) -> Award:
    """Who wins, and what everyone gets.

    ``owner`` is the subnet owner's hotkey if it is registered. ``previous`` is the hotkey that the last weights
    went to: if it is INDETERMINATE for a cause that hit another content too, those weights stay. ``keep`` is a
    sentence if they stay for another reason, such as the provider's breaker. The order of ``contenders`` is of no
    importance. Raises ValueError if two have one hotkey, or one likeness.
    """
    rows = _sorted(contenders, beacon)
    active = len({row.entry.coldkey for row in rows})
    bootstrap = active < parameters.bootstrap_threshold
    why = {row.hotkey: _ineligible(row, parameters) for row in rows}
    eligible = [row for row in rows if not why[row.hotkey]]
    reason = keep or _cut_off(rows, previous)
    if reason:
        said = f"no new weights: {reason}; the previous ones stay"
        return Award(
            None, (), {}, True, (said,), {row.hotkey: why[row.hotkey] or said for row in rows}, (), active, bootstrap
        )
    trace = [_mode(active, parameters)]
    if not eligible:
        return _nobody(owner, trace, why, active, bootstrap)
    champions = _champions(eligible, parameters, trace, why)
    places = _places(champions[-1], eligible) if bootstrap else champions[-1:]
    places = places[: len(parameters.bootstrap_shares)]
    shares = parameters.bootstrap_shares[: len(places)] if bootstrap else (ONE,)
    weights = {row.hotkey: share / sum(shares) for row, share in zip(places, shares, strict=True)}
    _explain_places(places, weights, eligible, bootstrap, parameters, trace, why)
    return Award(
        winner=champions[-1].hotkey,
        places=tuple(row.hotkey for row in places),
        weights=weights,
        keep_previous=False,
        trace=tuple(trace),
        why=why,
        champions=tuple(row.hotkey for row in champions),
        active=active,
        bootstrap=bootstrap,
    )


def takes_over(challenger: PackScore, champion: PackScore, parameters: Parameters) -> bool:
    """Whether a later entry dethrones the champion: a whole step better on the grid, and by the margin exactly."""
    return challenger.steps > champion.steps and challenger.exact >= needed(champion, parameters)


def needed(champion: PackScore, parameters: Parameters) -> Fraction:
    """The exact score that a later entry needs: ``champion + min(max(δ, ε), 1 − champion)``."""
    return champion.exact + min(parameters.margin, ONE - champion.exact)


def _sorted(contenders: Iterable[Contender], beacon: str) -> list[Contender]:
    by_hotkey: dict[str, Contender] = {}
    for row in contenders:
        if row.hotkey in by_hotkey:
            raise ValueError(f"two contenders have the hotkey {row.hotkey}")
        by_hotkey[row.hotkey] = row
    if len({row.entry.likeness for row in by_hotkey.values()}) != len(by_hotkey):
        raise ValueError("two contenders are alike: a duplicate does not compete")
    return [by_hotkey[entry.hotkey] for entry in in_order((row.entry for row in by_hotkey.values()), beacon)]


def _ineligible(row: Contender, parameters: Parameters) -> str:
    """Why an entry cannot win, or nothing."""
    if row.score is None:
        return f"left out of this epoch, at no fault of the pack: its runs are undecided ({row.cause or 'INFRA'})"
    if row.score.critical:
        return f"not eligible: critical failure ({', '.join(row.score.critical)})"
    if row.score.exact < parameters.minimum_score:
        least = shown(parameters.minimum_score, 2)
        return f"not eligible: its score {shown(row.score.exact)} is below {least}"
    return ""


def _cut_off(rows: Sequence[Contender], previous: str | None) -> str:
    """Whether the previous winner was kept out by something that hit others too."""
    last = next((row for row in rows if row.hotkey == previous), None)
    if last is None or last.score is not None:
        return ""
    others = [
        row for row in rows if row.score is None and row.cause == last.cause and row.entry.content != last.entry.content
    ]
    return f"the previous winner {last.called} is undecided for a cause that hit {len(others)} more" if others else ""


def _mode(active: int, parameters: Parameters) -> str:
    miners = f"{active} active {'miner' if active == 1 else 'miners'}"
    threshold = parameters.bootstrap_threshold
    if active < threshold:
        shares = "/".join(_percent(share) for share in parameters.bootstrap_shares)
        return f"{miners}, fewer than {threshold}: bootstrap, the best places are paid {shares}"
    return f"{miners}, {threshold} or more: the winner takes all"


def _nobody(owner: str | None, trace: Sequence[str], why: Mapping[str, str], active: int, bootstrap: bool) -> Award:
    if owner is None:
        said = "nobody is eligible and the subnet owner is not known: the previous weights stay"
        return Award(None, (), {}, True, (*trace, said), why, (), active, bootstrap)
    said = "nobody is eligible: all weight goes to the subnet owner, where it is burned"
    return Award(None, (), {owner: ONE}, False, (*trace, said), why, (), active, bootstrap)


def _champions(
    eligible: Sequence[Contender], parameters: Parameters, trace: list[str], why: dict[str, str]
) -> list[Contender]:
    """Everyone who was champion, the winner last; says of every other one what it lacked."""
    first = eligible[0]
    champions = [first]
    trace.append(f"{first.called} came first, with {_both(first, parameters)}: champion")
    for row in eligible[1:]:
        champion = champions[-1]
        assert row.score is not None
        assert champion.score is not None
        bar = needed(champion.score, parameters)
        if takes_over(row.score, champion.score, parameters):
            why[champion.hotkey] = f"dethroned by {row.called}, whose {shown(row.score.exact)} reaches {shown(bar)}"
            trace.append(f"{row.called}, {_both(row, parameters)}, reaches {shown(bar)}: the new champion")
            champions.append(row)
            continue
        why[row.hotkey] = _short_of(row, champion, bar, parameters)
    return champions


def _short_of(row: Contender, champion: Contender, bar: Fraction, parameters: Parameters) -> str:
    assert row.score is not None
    assert champion.score is not None
    mine, theirs = row.score.exact, champion.score.exact
    if mine <= theirs:
        compared = "equals" if mine == theirs else "is below"
        return f"{shown(mine)} {compared} the {shown(theirs)} of {champion.called}, who came earlier"
    if mine < bar:
        return (
            f"{shown(mine)} is better than the {shown(theirs)} of {champion.called}, who came earlier, "
            f"but whoever comes later needs {shown(bar)}"
        )
    return (
        f"{shown(mine)} is better than the {shown(theirs)} of {champion.called}, who came earlier, "
        f"but both are {published(row.score.steps, parameters)} on the grid"
    )


def _places(champion: Contender, eligible: Sequence[Contender]) -> list[Contender]:
    """The champion, then the others by exact score, equals in Order; one place per coldkey."""

    def score(row: Contender) -> Fraction:
        assert row.score is not None
        return row.score.exact

    ranked = [champion, *sorted((row for row in eligible if row is not champion), key=score, reverse=True)]
    taken: dict[str, Contender] = {}
    for row in ranked:
        taken.setdefault(row.entry.coldkey, row)
    return list(taken.values())


def _explain_places(
    places: Sequence[Contender],
    weights: Mapping[str, Fraction],
    eligible: Sequence[Contender],
    bootstrap: bool,
    parameters: Parameters,
    trace: list[str],
    why: dict[str, str],
) -> None:
    for number, row in enumerate(places):
        said = f"place {number + 1} gets {_percent(weights[row.hotkey])}"
        if number == 0:
            why[row.hotkey] = f"wins: champion when all had been compared; {said}"
        else:
            trace.append(f"{row.called}, {_both(row, parameters)}: {said}")
            why[row.hotkey] += f"; {said}"
    if bootstrap:
        most = len(parameters.bootstrap_shares)
        if len(places) < most:
            trace.append(f"{len(places)} of {most} places could be given: their shares are scaled up to 100%")
        coldkeys = {row.entry.coldkey: row for row in places}
        for row in eligible:
            holder = coldkeys.get(row.entry.coldkey)
            if holder is not None and holder is not row:
                why[row.hotkey] += f"; {holder.called} holds the one place of their coldkey"
    winner = places[0]
    trace.append(f"{winner.called} wins with {_both(winner, parameters)} and gets {_percent(weights[winner.hotkey])}")


def _both(row: Contender, parameters: Parameters) -> str:
    assert row.score is not None
    return f"{published(row.score.steps, parameters)} ({shown(row.score.exact)} exactly)"


def _percent(share: Fraction) -> str:
    return shown(share * 100, 1).removesuffix(".0") + "%"
