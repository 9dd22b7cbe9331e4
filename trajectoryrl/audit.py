"""An epoch replayed from its record: integrity, then everything that follows from its inputs, computed again.

Needs no model, no chain and no key. What it cannot know is whether the model that is named said what is recorded, and
what a validator left out before it sealed: docs/auditors.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from .auditruns import EpochKey, Recorded, RecordedControl, first_difference, replayed
from .chain.protocol import Block, Metagraph, Neuron, OnChain
from .commitment import submission_of
from .decision import Inputs, competing
from .entry import Commitment, Entry, Outcome, Pending, Rejection
from .epoch import plan
from .errors import ClawbenchError, CommitmentInvalid, Problem
from .evaluation import AttemptKey, Evaluation, contents
from .github import Pushed, pushed_in
from .manifest import Facts, ModelIdentity, canonical, manifest
from .plan import EpochPlan
from .protocol import Parameters, library, parameters_of, scenario_set_hash
from .record import EVIDENCE, MANIFEST, PACKS
from .recordfolder import RecordFolder, files_named
from .submission import entered

if TYPE_CHECKING:
    from .manifestshape import EntryRow, Manifest

_MOST_DIFFERENCES = 20


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found. ``clean`` means: every file is as sealed, and every byte comes out again."""

    folder: Path
    problems: tuple[Problem, ...]
    manifest: str = ""
    previous: str | None = None
    epoch: int | None = None
    validator: str = ""
    winner: str | None = None
    winner_name: str = ""
    weights: Mapping[int, str] = field(default_factory=dict)
    simulated: bool = False
    model: str = ""
    submissions: int = 0
    contents: int = 0
    runs: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def clean(self) -> bool:
        """Whether nothing differs."""
        return not self.problems


def audited(folder: Path, *, trusted: str | None = None, scenarios: Path | None = None) -> Audit:
    """The audit of the record in ``folder``. Never raises for what a record holds.

    ``trusted`` is the ss58 address that must have sealed it, ``scenarios`` the folder whose scenarios/ and fixtures/
    are rendered, by default the library of this version.
    """
    reading = RecordFolder(folder)
    if not folder.is_dir() or folder.is_symlink():
        reading.wrong("RECORD_MISSING", str(folder), "is no folder")
        return Audit(folder, tuple(reading.problems))
    if not reading.listed():
        return Audit(folder, tuple(reading.problems))
    sealed = reading.sealed(trusted)
    if sealed is None:
        return Audit(folder, tuple(reading.problems))
    raw, found = sealed
    reading.expected(files_named(found))
    replay = _Recomputed(reading, raw, found, scenarios)
    try:
        replay.run()
    except ClawbenchError as error:
        reading.problems += error.problems
    return Audit(
        folder=folder,
        problems=tuple(reading.problems),
        manifest=sha256(raw).hexdigest(),
        previous=found.previous,
        epoch=found.plan.number,
        validator=found.validator,
        winner=found.award.winner,
        winner_name=found.inputs.names.get(found.award.winner or "", ""),
        weights={int(uid): share for uid, share in found.weights.items()},
        simulated=found.model.simulated,
        model=found.model.name,
        submissions=len(found.submissions),
        contents=len(found.evaluations),
        runs=replay.runs,
        notes=tuple(replay.notes),
    )


def audited_chain(folder: Path, *, trusted: str | None = None, scenarios: Path | None = None) -> list[Audit]:
    """The audit of a record, or of every ``epoch-*`` in ``folder`` in their order, each naming the one before."""
    records = sorted(folder.glob("epoch-*"), key=lambda path: (len(path.name), path.name))
    if (folder / MANIFEST).exists() or not records:
        return [audited(folder, trusted=trusted, scenarios=scenarios)]
    audits = []
    before: Audit | None = None
    for path in records:
        audit = audited(path, trusted=trusted, scenarios=scenarios)
        if before is not None and audit.manifest and audit.previous != before.manifest:
            said = f"names another record before it than {before.folder.name}"
            broken = Problem("CHAIN_BROKEN", f"{path.name}/{MANIFEST}: previous", said)
            audit = _with(audit, broken)
        audits.append(audit)
        before = audit
    return audits


def of_commitment(audit: Audit, committed: str) -> Audit:
    """``audit``, held against the sha256 of a manifest that was committed on chain."""
    if not audit.manifest or audit.manifest == committed:
        return audit
    said = f"has the sha256 {audit.manifest}, the commitment says {committed}"
    return _with(audit, Problem("RECORD_COMMITMENT", MANIFEST, said))


def _with(audit: Audit, problem: Problem) -> Audit:
    from dataclasses import replace

    return replace(audit, problems=(*audit.problems, problem))


class _Recomputed:
    """A manifest whose every consequence is computed again."""

    def __init__(self, reading: RecordFolder, raw: bytes, found: Manifest, scenarios: Path | None) -> None:
        self.reading = reading
        self.raw = raw
        self.found = found
        self.scenarios = scenarios
        self.runs = 0
        self.notes: list[str] = []
        told = found.inputs.commitments
        self.said = {row.hotkey: OnChain(row.hotkey, row.text, row.block) for row in told}
        self.evidence: dict[str, bytes | None] = {}

    def run(self) -> None:
        """Computes everything again; differences become problems."""
        found = self.found
        parameters = parameters_of(found.parameters, f"{MANIFEST}: parameters")
        made = plan(found.plan.netuid, found.plan.number, found.plan.beacon, parameters)
        if found.inputs.block.hash != found.plan.beacon or found.inputs.block.number != made.first_block:
            self._wrong("INPUTS", "inputs.block", "is not the first block of the epoch")
        if found.inputs.metagraph.block != made.first_block or found.inputs.metagraph.netuid != found.plan.netuid:
            self._wrong("INPUTS", "inputs.metagraph", "is not of the epoch's first block")
        neurons = found.inputs.metagraph.neurons
        if len({n.uid for n in neurons}) != len(neurons) or len({n.hotkey for n in neurons}) != len(neurons):
            self._wrong("INPUTS", "inputs.metagraph.neurons", "a uid or a hotkey stands twice")
        place = self._library(parameters)
        inputs = self._inputs(made, parameters)
        if place is None or inputs is None:
            return
        told = found.model
        settings = tuple(sorted(told.settings.items()))
        model = ModelIdentity(told.name, told.version, told.simulated, told.provider, settings)
        if parameters.changed:
            self.notes.append("the parameters are not those that come with this version")
        if model.simulated:
            self.notes.append("the model is simulated")
        expected = contents(competing(inputs, made)[0], made.beacon or "")
        evaluations = self._evaluations(made, parameters, model, place, expected)
        if evaluations is None:
            return
        rebuilt = manifest(
            Facts(
                validator=found.validator,
                previous=found.previous,
                made=found.made,
                model=model,
                parameters=parameters,
                plan=made,
                inputs=inputs,
                evaluations=evaluations,
                trajectories=self._names(),
                dictionary=found.dictionary,
            )
        )
        if canonical(rebuilt) != self.raw:
            for said in _differences(orjson.loads(self.raw), rebuilt):
                self._wrong("MANIFEST_DIFFERS", *said)

    def _wrong(self, code: str, where: str, message: str) -> None:
        self.reading.wrong(code, f"{MANIFEST}: {where}", message)

    def _library(self, parameters: Parameters) -> Path | None:
        """The folder to render from, if it holds the very scenarios that the record names."""
        place = self.scenarios or library()
        try:
            if scenario_set_hash(parameters.scenario_pool, place) == parameters.scenario_set:
                return place
        except ClawbenchError:
            pass  # a scenario is not there: these are others, too
        said = "the record was made with other scenarios than these: audit it with the version that it names"
        self._wrong("SCENARIO_SET", "parameters.scenario_set", said)
        return None

    def _inputs(self, made: EpochPlan, parameters: Parameters) -> Inputs | None:
        """The inputs as values; ``None`` if a submission's pack is not what it should be."""
        found = self.found.inputs
        for name in sorted({name for row in self.found.submissions for name in row.evidence}):
            self.evidence[name] = self.reading.named(f"{EVIDENCE}/{name}", name)
        outcomes = [self._outcome(row, parameters) for row in self.found.submissions]
        kept = [outcome for outcome in outcomes if outcome is not None]
        if len(kept) != len(outcomes):
            return None
        hotkeys = [row.hotkey for row in self.found.submissions]
        if hotkeys != sorted(set(hotkeys)) or set(hotkeys) != self.said.keys():
            said = "stand in the order of their hotkeys, one for each commitment"
            self._wrong("SUBMISSIONS", "submissions", said)
            return None
        graph = found.metagraph
        return Inputs(
            block=Block(found.block.number, found.block.hash, found.block.time_ms),
            metagraph=Metagraph(
                graph.netuid,
                graph.block,
                tuple(
                    Neuron(n.uid, n.hotkey, n.coldkey, int(n.stake), n.permit, n.active, n.last_update)
                    for n in graph.neurons
                ),
                graph.owner,
            ),
            commitments=self.said,
            outcomes=tuple(kept),
            names=found.names,
            previous=found.previous_winner,
            keep=found.keep,
        )

    def _outcome(self, row: Any, parameters: Parameters) -> Outcome | None:
        where = f"submissions: {row.hotkey}"
        told = Commitment(**row.commitment.model_dump()) if row.commitment is not None else None
        try:
            said = self.said.get(row.hotkey)
            committed = submission_of(said.text, said.hotkey, said.block) if said is not None else None
        except CommitmentInvalid as error:
            committed = None
            if (row.outcome, getattr(row, "code", "")) != ("REJECTED", error.code):
                self._wrong("SUBMISSIONS", where, f"the commitment says nothing: REJECTED, {error.code}")
        if told != committed:
            self._wrong("SUBMISSIONS", where, "the commitment is not what stands on chain")
        if row.outcome in ("ENTRY", "DUPLICATE"):
            return self._entry(row, told, parameters) if told is not None else None
        kind = Pending if row.outcome == "PENDING" else Rejection
        return kind(row.hotkey, row.code, row.message, told, tuple(row.evidence))

    def _entry(self, row: EntryRow, commitment: Commitment, parameters: Parameters) -> Entry | None:
        """An entry, its place in the order computed again from its pack and the archived evidence."""
        from clawbench.pack import parse_pack

        where = f"submissions: {row.hotkey}"
        file = f"{PACKS}/{row.pack}.json"
        body = self.reading.named(file, row.pack)
        if body is None:
            return None
        try:
            pack = parse_pack(body, file)
        except ClawbenchError as error:
            self.reading.problems += error.problems
            return None
        neuron = next((n for n in self.found.inputs.metagraph.neurons if n.hotkey == row.hotkey), None)
        if neuron is None or (neuron.uid, neuron.coldkey) != (row.uid, row.coldkey):
            self._wrong("SUBMISSIONS", where, "is not in the metagraph with this uid and coldkey")
        if commitment.pack_hash != row.pack:
            self._wrong("SUBMISSIONS", where, "the pack is not the one that was committed")
        if pack.hotkey != row.hotkey:
            self._wrong("SUBMISSIONS", where, "the pack was written for another hotkey")
        if commitment.block > self.found.inputs.block.number or row.committed_ms > self.found.inputs.block.time_ms:
            self._wrong("SUBMISSIONS", where, "was committed after the epoch began")
        bodies = [body for name in row.evidence if (body := self.evidence.get(name)) is not None]
        outcome = entered(
            commitment,
            pack,
            Pushed(pushed_in(bodies, commitment.commit), ()),
            uid=row.uid,
            coldkey=row.coldkey,
            committed_ms=row.committed_ms,
            epoch_ms=self.found.inputs.block.time_ms,
            parameters=parameters,
            evidence=tuple(row.evidence),
            notes=tuple(row.notes),
        )
        if isinstance(outcome, Entry):
            return outcome
        self._wrong("SUBMISSIONS", where, f"is no entry by its evidence: {outcome.message} [{outcome.code}]")
        return None

    def _evaluations(
        self, made: EpochPlan, parameters: Parameters, model: ModelIdentity, place: Path, expected: Mapping[str, Any]
    ) -> list[Evaluation] | None:
        """Every evaluation again; ``None`` if one of them cannot be played."""
        told = self.found.evaluations
        recorded = [row.content for row in told]
        if not recorded and self.found.inputs.keep:  # said: nothing could be evaluated, and no weights follow
            return []
        if recorded != list(expected):
            wrong = next((c for c in expected if c not in recorded), None)
            said = f"{wrong[:12]} is missing" if wrong else "are not the contents of the entries in their order"
            self._wrong("EVALUATIONS", "evaluations", said)
            return None
        if self.found.dictionary and self.reading.named("trajectories/dictionary", self.found.dictionary) is None:
            return None
        controlled = self._controlled()
        rows = []
        for row in told:
            names = tuple(verdict.scenario for verdict in row.scenarios)
            if names != made.scenarios or row.pack != expected[row.content].sha256:
                self._wrong("EVALUATIONS", f"evaluations: {row.content[:12]}", "has other scenarios, or another pack")
                return None
            attempts = tuple(
                (verdict.scenario, tuple((a.run, a.attempt, a.trajectory, a.fault) for a in verdict.attempts))
                for verdict in row.scenarios
            )
            controls = tuple(
                RecordedControl(
                    told.scenario,
                    told.run,
                    told.attempt,
                    told.trajectory,
                    tuple((name.content, name.scenario, name.run, name.attempt) for name in told.after),
                )
                for told in row.controls
            )
            rows.append(Recorded(row.content, row.pack, attempts, controls, controlled.get(row.content, frozenset())))
        key = EpochKey(
            folder=str(self.reading.path),
            library=str(place),
            netuid=made.netuid,
            number=made.number,
            beacon=made.beacon or "",
            parameters=orjson.dumps(parameters.as_dict()).decode(),
            model=model,
            dictionary=self.found.dictionary,
        )
        evaluations = []
        for again in replayed(key, rows):
            self.runs += again.runs
            known = {problem.where for problem in self.reading.problems}
            self.reading.problems += [problem for problem in again.problems if problem.where not in known]
            if again.evaluation is not None:
                evaluations.append(again.evaluation)
        return evaluations if len(evaluations) == len(rows) else None

    def _controlled(self) -> dict[str, frozenset[tuple[str, int, int]]]:
        """By content its attempts that a control stands after.

        That a control began after an attempt had ended is the validator's word; that both exist, that they are of
        different contents, and that no attempt has two is held against the record.
        """
        failed: set[AttemptKey] = set()
        completed: set[tuple[str, str, int]] = set()
        for row in self.found.evaluations:
            for verdict in row.scenarios:
                for attempt in verdict.attempts:
                    if attempt.status == "INFRA" and attempt.trajectory:
                        failed.add((row.content, verdict.scenario, attempt.run, attempt.attempt))
                    elif attempt.status == "COMPLETED":
                        completed.add((row.content, verdict.scenario, attempt.run))
        standing: dict[str, set[tuple[str, int, int]]] = {}
        for row in self.found.evaluations:
            for told in row.controls:
                wrong = "" if told.after else "stands after no attempt"
                if (row.content, told.scenario, told.run) not in completed:
                    wrong = f"is of run {told.run} of {told.scenario}, which had not completed"
                for name in told.after:
                    others = standing.setdefault(name.content, set())
                    key = (name.scenario, name.run, name.attempt)
                    if name.content == row.content:
                        wrong = "stands after an attempt at its own content"
                    elif (name.content, *key) not in failed:
                        wrong = f"stands after {name.content[:12]}/{name.scenario}, where the provider did not fail"
                    elif key in others:
                        wrong = f"stands after {name.content[:12]}/{name.scenario}, after which another does"
                    others.add(key)
                if wrong:
                    self._wrong("CONTROL", f"evaluations: {row.content[:12]}/controls", f"a control {wrong}")
        return {content: frozenset(keys) for content, keys in standing.items()}

    def _names(self) -> dict[AttemptKey, str]:
        names = {
            (row.content, verdict.scenario, attempt.run, attempt.attempt): attempt.trajectory
            for row in self.found.evaluations
            for verdict in row.scenarios
            for attempt in verdict.attempts
        }
        return names | {
            (row.content, control.scenario, control.run, control.attempt): control.trajectory
            for row in self.found.evaluations
            for control in row.controls
        }


def _differences(told: Mapping[str, Any], again: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where two manifests part, place and sentence: one per part, content and scenario."""
    found = []
    for part in sorted(told.keys() | again.keys()):
        one, other = told.get(part), again.get(part)
        if one == other:
            continue
        if part == "evaluations":
            found += _in_evaluations(one or [], other or [])
        else:
            place, _, said = first_difference(one, other, part).partition(": ")
            found.append((place, said or "differs"))
    return found[:_MOST_DIFFERENCES] or [("", "does not come out again, byte for byte")]


def _in_evaluations(told: Any, again: Any) -> list[tuple[str, str]]:
    found = []
    for one, other in zip(told, again, strict=False):
        if one == other:
            continue
        content = one["content"][:12]
        for a, b in zip(one["scenarios"], other["scenarios"], strict=False):
            if a != b:
                votes = [name for name in sorted(a["votes"]) if a["votes"][name] != b["votes"].get(name)]
                at = f"evaluations: {content}/{a['scenario']}" + (f"/{votes[0]}" if votes else "")
                found.append((at, first_difference(a, b)))
        if one["score"] != other["score"]:
            found.append((f"evaluations: {content}/score", first_difference(one["score"], other["score"])))
        rest = [key for key in sorted(one.keys() | other.keys()) if key not in ("scenarios", "score")]
        for key in (key for key in rest if one.get(key) != other.get(key)):
            found.append((f"evaluations: {content}/{key}", first_difference(one.get(key), other.get(key))))
    return found
