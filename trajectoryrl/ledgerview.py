"""What a ledger tells people: epochs, who stood where in one, and why; nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .decision import Inputs, competing
from .entry import Commitment, Entry, Outcome, Pending
from .epoch import plan
from .errors import InvalidInput, LedgerUnusable
from .ledger import Ledger, WeightsRow
from .outcomes import outcome_of
from .plan import EpochPlan
from .protocol import Parameters
from .snapshot import Snapshot, snapshot_of

NAME = "ledger.db"


@dataclass(frozen=True, slots=True)
class Standing:
    """One hotkey in one epoch.

    ``code`` is ENTRY, DUPLICATE, or that of a rejection or of what kept it pending; ``said`` the sentence. ``exact``
    is its score before the grid, ``None`` without one; ``cause`` then says what kept it open. ``place`` counts from 1,
    0 is none.
    """

    hotkey: str
    uid: int | None
    code: str
    said: str
    pending: bool = False
    commitment: Commitment | None = None
    content: str = ""
    entry_ms: int | None = None
    exact: Fraction | None = None
    cause: str = ""
    scenarios: Mapping[str, Fraction] | None = None
    trace: tuple[str, ...] = ()
    place: int = 0
    share: Fraction = Fraction(0)
    notes: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def repository(self) -> str:
        """Its repository, if its commitment could be read."""
        return self.commitment.repository if self.commitment is not None else ""


@dataclass(frozen=True, slots=True)
class EpochView:
    """An epoch as its ledger has it.

    ``state`` is ``skipped``, ``verifying``, ``evaluating``, ``decided`` or ``recorded``. ``weights`` says how the
    weights stand, in a sentence; ``block`` is where they landed. ``standings`` are in the order of the leaderboard; an
    epoch that is ``forgotten``, of which only a line is kept, has none.
    """

    number: int
    state: str
    first_block: int | None
    submitted: int
    winner: str | None
    weights: str
    block: int | None
    manifest: str
    place: str
    trace: tuple[str, ...]
    standings: tuple[Standing, ...] = ()
    forgotten: bool = False


def ledger_in(state: Path, ledger: Path | None = None) -> Path:
    """The ledger file: ``ledger`` itself, else the one under the state folder. Raises InvalidInput."""
    if ledger is not None:
        if not ledger.is_file():
            raise InvalidInput.of("LEDGER_MISSING", "there is no ledger: a validator has not run here", str(ledger))
        return ledger
    found = [place for place in (state / NAME, *sorted(state.glob(f"*/{NAME}"))) if place.is_file()]
    if not found:
        said = "holds no ledger: a validator has not run with this --state yet"
        raise InvalidInput.of("LEDGER_MISSING", said, str(state))
    if len(found) > 1:
        names = ", ".join(str(place) for place in found[:4])
        said = f"holds the ledgers of {len(found)} hotkeys: choose one with --ledger ({names})"
        raise InvalidInput.of("LEDGER_WHICH", said, str(state))
    return found[0]


def epoch_view(ledger: Ledger, number: int, parameters: Parameters) -> EpochView:
    """The view of one epoch. Raises InvalidInput if the ledger does not know it, LedgerUnusable if it is damaged."""
    known = ledger.inputs_of(number)
    if known is None:
        epochs = ledger.epochs()
        there = f"it has {len(epochs)}, {epochs[0]} to {epochs[-1]}" if epochs else "it has none yet"
        raise InvalidInput.of("EPOCH_UNKNOWN", f"the ledger has no epoch {number}: {there}", "--epoch")
    if "skipped" in known:
        said = str(known["skipped"])
        return EpochView(number, "skipped", None, 0, None, f"none: {said}", None, "", "", (f"skipped: {said}",))
    if "submissions" in known:
        return _line(ledger, number, known)
    try:
        snap = snapshot_of(known)
        outcomes = {hotkey: outcome_of(value) for hotkey, value in ledger.submissions_of(number).items()}
    except (KeyError, TypeError, ValueError) as why:
        said = f"epoch {number} of the ledger cannot be understood: {type(why).__name__}"
        raise LedgerUnusable.of("LEDGER_READ", said, str(ledger.path)) from None
    award = ledger.award_of(number)
    record = ledger.record_of(number)
    rows = ledger.weights_of(number)
    state = "recorded" if record else "decided" if award else "evaluating"
    if award is None and len(outcomes) < len(snap.submitted):
        state = "verifying"
    sentence, block = weights_said(award, rows, sealed=record is not None)
    return EpochView(
        number=number,
        state=state,
        first_block=snap.first.number,
        submitted=len(snap.submitted),
        winner=award["winner"] if award else None,
        weights=sentence,
        block=block,
        manifest=record[0] if record else "",
        place=record[1] if record else "",
        trace=tuple(award["trace"]) if award else (),
        standings=_standings(
            snap, outcomes, plan(snap.graph.netuid, number, snap.first.hash, parameters), award or {},
            ledger.verdicts_of(number),
        ),
    )  # fmt: skip


_FORGOTTEN = "the ledger keeps no more of this epoch than a line; its record had the rest"


def _line(ledger: Ledger, number: int, known: Mapping[str, Any]) -> EpochView:
    """The view of an epoch of which a line is kept."""
    award, (manifest, place) = ledger.award_of(number), ledger.record_of(number) or ("", "")
    sentence, block = weights_said(award, ledger.weights_of(number), sealed=True)
    return EpochView(
        number=number,
        state="recorded",
        first_block=int(known["first_block"]),
        submitted=int(known["submissions"]),
        winner=award["winner"] if award else None,
        weights=sentence,
        block=block,
        manifest=manifest,
        place=place,
        trace=(_FORGOTTEN,),
        forgotten=True,
    )


def weights_said(
    award: Mapping[str, Any] | None, rows: list[WeightsRow], *, sealed: bool = False
) -> tuple[str, int | None]:
    """How the weights of an epoch stand, in a sentence, and the block where they landed."""
    confirmed = next((row for row in rows if row.state == "CONFIRMED"), None)
    if confirmed is not None:
        block = int(confirmed.at["block"])
        return f"set in block {block}", block
    if award is None:
        return "not decided yet", None
    if award["keep_previous"]:
        return "the previous ones stay", None
    if not award["weights"]:
        return "none: nobody gets any", None
    if sealed:
        return f"not set: {'given up after trying' if rows else 'forbidden here, the log says why'}", None
    if not rows:
        return "about to be set", None
    last = rows[-1]
    if last.state == "SUBMITTED":
        return f"sent at block {last.at.get('head')}, attempt {last.attempt + 1}, not confirmed yet", None
    return "planned, not sent yet", None


def _standings(
    snap: Snapshot,
    outcomes: Mapping[str, Outcome],
    epoch_plan: EpochPlan,
    award: Mapping[str, Any],
    verdicts: Mapping[str, Mapping[str, Any]],
) -> tuple[Standing, ...]:
    inputs = Inputs(snap.first, snap.graph, snap.submitted, tuple(outcome for _, outcome in sorted(outcomes.items())))
    duplicates = {found.hotkey: found.message for found in competing(inputs, epoch_plan)[1]}
    made = []
    gone = ("FORGOTTEN", "the ledger keeps this no longer; the epoch's record has it")
    for hotkey in snap.submitted:
        neuron = snap.graph.by_hotkey(hotkey)
        uid = neuron.uid if neuron is not None else None
        outcome = outcomes.get(hotkey)
        if isinstance(outcome, Entry):
            made.append(_entered(outcome, uid, duplicates, award, verdicts))
        elif outcome is None:
            code, said = gone if award else ("UNDECIDED", "it is being verified")
            made.append(Standing(hotkey, uid, code, said, pending=not award))
        else:
            made.append(
                Standing(
                    hotkey, uid, outcome.code, outcome.message, isinstance(outcome, Pending), outcome.commitment,
                    evidence=outcome.evidence,
                )
            )  # fmt: skip
    return tuple(sorted(made, key=_rank))


def _entered(
    entry: Entry,
    uid: int | None,
    duplicates: Mapping[str, str],
    award: Mapping[str, Any],
    verdicts: Mapping[str, Mapping[str, Any]],
) -> Standing:
    duplicate = duplicates.get(entry.hotkey)
    verdict = verdicts.get(entry.content) if duplicate is None else None
    exact = Fraction(verdict["exact"]) if verdict and verdict["exact"] is not None else None
    places = list(award.get("places", ()))
    said = duplicate or award.get("why", {}).get(entry.hotkey) or "it competes; nothing is decided yet"
    return Standing(
        hotkey=entry.hotkey,
        uid=uid,
        code="ENTRY" if duplicate is None else "DUPLICATE",
        said=said,
        commitment=entry.commitment,
        content=entry.content,
        entry_ms=entry.entry_ms,
        exact=exact,
        cause=str(verdict["cause"]) if verdict else "",
        scenarios={name: Fraction(score) for name, score in verdict["scenarios"].items()} if verdict else None,
        trace=tuple(verdict["trace"]) if verdict else (),
        place=places.index(entry.hotkey) + 1 if entry.hotkey in places else 0,
        share=Fraction(award.get("weights", {}).get(entry.hotkey, 0)),
        notes=entry.notes,
        evidence=entry.evidence,
    )


def _rank(standing: Standing) -> tuple[int, Fraction, str]:
    """Places first, then scores, then those without one."""
    if standing.place:
        return 0, Fraction(standing.place), standing.hotkey
    if standing.exact is not None:
        return 1, -standing.exact, standing.hotkey
    kinds = {"ENTRY": 2, "DUPLICATE": 3}
    return kinds.get(standing.code, 5 if standing.pending else 4), Fraction(0), standing.hotkey


def standing_of(view: EpochView, asked: str) -> Standing:
    """The standing of the hotkey that ``asked`` is, or begins like. Raises InvalidInput."""
    if view.forgotten:
        raise InvalidInput.of("EPOCH_FORGOTTEN", _FORGOTTEN, f"epoch {view.number}")
    found = [row for row in view.standings if row.hotkey == asked] or [
        row for row in view.standings if len(asked) >= 4 and row.hotkey.startswith(asked)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidInput.of("HOTKEY_WHICH", f"{len(found)} hotkeys begin like this: give more of it", asked[:64])
    said = f"had no submission in epoch {view.number}: nothing of it stood on chain at the epoch's first block"
    raise InvalidInput.of("HOTKEY_UNKNOWN", said, asked[:64])
