"""A played epoch as text: who won, who didn't and why, for eighty columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from clawbench.report.plain import printable

from .entry import Entry, Pending
from .evaluation import Evaluation
from .localtournament import Played
from .protocol import Parameters
from .scoring import published, shown

_WIDTH = 80


def heading(played_plan: object, model: str, simulated: bool, players: int) -> str:
    """The first line of an epoch."""
    number = getattr(played_plan, "number", "?")
    said = f"epoch {number}: {players} {'pack' if players == 1 else 'packs'}, model {model}"
    return said + ("  simulated" if simulated else "")


def leaderboard(played: Played, parameters: Parameters) -> list[str]:
    """The table of an epoch, the winner, and a reason for every pack."""
    return [*_table(played, parameters), "", *_winner(played), "", *_reasons(played), "", *_weights(played)]


def short_names(scenarios: Sequence[str]) -> dict[str, str]:
    """The scenarios' initials, or letters if two have the same."""
    initials = {name: "".join(word[0] for word in name.split("_") if word) for name in scenarios}
    if len(set(initials.values())) == len(initials):
        return initials
    return {name: chr(ord("a") + number) for number, name in enumerate(scenarios)}


def _table(played: Played, parameters: Parameters) -> Iterator[str]:
    short = short_names(played.plan.scenarios)
    yield ", ".join(f"{code} {name}" for name, code in short.items())
    columns = " ".join(f"{code:>4}" for code in short.values())
    yield f"{'':>2} {'pack':<18} {'score':>5} {'exact':>6}  {columns}  {'weight':>6}  status"
    rows = sorted(played.inputs.outcomes, key=lambda outcome: _rank(outcome.hotkey, played))
    for number, outcome in enumerate(rows, 1):
        name = printable(played.names.get(outcome.hotkey, outcome.hotkey), 18)
        found = _evaluation_of(outcome, played)
        share = played.decision.award.weights.get(outcome.hotkey)
        weight = _percent(share) if share else "-"
        score, exact = "-", "-"
        cells = ["-"] * len(short)
        if found is not None:
            cells = [shown(part.score.score, 2) if part.score else "?" for part in found.scenarios]
            if found.score is not None:
                score, exact = published(found.score.steps, parameters), shown(found.score.exact)
        line = " ".join(f"{cell:>4}" for cell in cells)
        status = _status(outcome, played, parameters)
        yield f"{number:>2} {name:<18} {score:>5} {exact:>6}  {line}  {weight:>6}  {status}"


def _rank(hotkey: str, played: Played) -> tuple[int, object, str]:
    places = played.decision.award.places
    if hotkey in places:
        return 0, places.index(hotkey), hotkey
    outcome = next(outcome for outcome in played.inputs.outcomes if outcome.hotkey == hotkey)
    found = _evaluation_of(outcome, played)
    if found is None or found.score is None:
        return 2, 0, played.names.get(hotkey, hotkey)
    return 1, -found.score.exact, played.names.get(hotkey, hotkey)


def _evaluation_of(outcome: object, played: Played) -> Evaluation | None:
    if not isinstance(outcome, Entry) or outcome.hotkey in _duplicates(played):
        return None
    return next((row for row in played.evaluations if row.content == outcome.content), None)


def _duplicates(played: Played) -> Mapping[str, str]:
    return {rejection.hotkey: rejection.message for rejection in played.decision.duplicates}


def _percent(share: Fraction) -> str:
    return shown(share * 100, 1).removesuffix(".0") + "%"


def _status(outcome: object, played: Played, parameters: Parameters) -> str:
    if not isinstance(outcome, Entry):
        return str(getattr(outcome, "code", ""))
    if outcome.hotkey in _duplicates(played):
        return "DUPLICATE"
    award = played.decision.award
    if outcome.hotkey == award.winner:
        return "winner"
    found = _evaluation_of(outcome, played)
    if found is None or found.score is None:
        return "INDETERMINATE"
    if found.score.critical:
        return "critical"
    if found.score.exact < parameters.minimum_score:
        return f"below {shown(parameters.minimum_score, 2)}"
    return f"place {award.places.index(outcome.hotkey) + 1}" if outcome.hotkey in award.places else "not enough"


def _winner(played: Played) -> Iterator[str]:
    award = played.decision.award
    name = played.names.get(award.winner or "", award.winner or "")
    yield f"winner: {printable(name, 64)}" if award.winner else "winner: nobody"
    for line in award.trace:
        yield from _wrapped(line, "  ")


def _reasons(played: Played) -> Iterator[str]:
    yield "why"
    duplicates = _duplicates(played)
    for outcome in sorted(played.inputs.outcomes, key=lambda outcome: _rank(outcome.hotkey, played)):
        name = printable(played.names.get(outcome.hotkey, outcome.hotkey), 64)
        if outcome.hotkey in duplicates:
            said = f"duplicate: {_with_names(duplicates[outcome.hotkey], played)}"
        elif isinstance(outcome, Entry):
            said = played.decision.award.why.get(outcome.hotkey, "")
        else:
            kind = "left out of this epoch" if isinstance(outcome, Pending) else "rejected"
            said = f"{kind}: {outcome.message} [{outcome.code}]"
        yield from _wrapped(f"{name}: {said}", "  ")


def _with_names(text: str, played: Played) -> str:
    for hotkey, name in played.names.items():
        text = text.replace(hotkey, name)
    return text


def _weights(played: Played) -> Iterator[str]:
    award = played.decision.award
    if award.keep_previous:
        yield "weights: the previous ones stay"
        return
    uids = {neuron.uid: neuron.hotkey for neuron in played.inputs.metagraph.neurons}
    parts = [
        f"{printable(played.names.get(uids[uid], 'subnet owner'), 64)} (uid {uid}) {_percent(share)}"
        for uid, share in sorted(played.decision.weights.items(), key=lambda item: (-item[1], item[0]))
    ]
    yield from _wrapped("weights: " + ", ".join(parts), "")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        printable(text, 2000),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=True,
        break_on_hyphens=False,
    ) or [indent]
