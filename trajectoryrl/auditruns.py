"""Recorded runs, played again with the model's recorded words: the sandbox, the checks and the vote are ours.

A recorded reply is the only thing taken from a trajectory. Tools are called again in a world rendered again, so a
result, an effect, a hash or a verdict that was edited comes out different, and so does every later line.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from .epoch import plan
from .errors import ClawbenchError, Infrastructure, Problem
from .evaluation import (
    Attempt,
    AttemptKey,
    Control,
    Evaluation,
    ScenarioVerdict,
    Setting,
    evaluation,
    settings,
    stages_of,
    verdict_of,
)
from .manifest import ModelIdentity
from .plan import EpochPlan
from .protocol import Parameters, parameters_of
from .record import DICTIONARY, MAX_TRAJECTORY_BYTES, PACKS, TRAJECTORIES
from .recordfolder import RecordFolder

if TYPE_CHECKING:
    from clawbench.models.protocol import Reply, Request
    from clawbench.outcome import RunOutcome
    from clawbench.stage import Stage

_ALONE = 48


@dataclass(frozen=True, slots=True)
class EpochKey:
    """What a worker needs to render an epoch again; it travels between processes."""

    folder: str
    library: str
    netuid: int
    number: int
    beacon: str
    parameters: str
    model: ModelIdentity
    dictionary: str


@dataclass(frozen=True, slots=True)
class RecordedControl:
    """A run that was made again as a control: its key in the content, its trajectory, and what it stands after."""

    scenario: str
    run: int
    attempt: int
    trajectory: str
    after: tuple[AttemptKey, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One content as its record tells: its pack, and per scenario ``(run, attempt, trajectory, fault)``.

    An attempt without a trajectory was not begun: its fault is all there is of it. ``controls`` are runs of this
    content that were made again, ``controlled`` are its attempts that others' controls stand after.
    """

    content: str
    pack: str
    attempts: tuple[tuple[str, tuple[tuple[int, int, str, str], ...]], ...]
    controls: tuple[RecordedControl, ...] = ()
    controlled: frozenset[tuple[str, int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Replayed:
    """One content evaluated again, or ``None`` if its runs cannot be played; and what differs."""

    evaluation: Evaluation | None
    problems: tuple[Problem, ...]
    runs: int


def replayed(key: EpochKey, contents: Sequence[Recorded]) -> Iterator[Replayed]:
    """Every content evaluated again, in the given order, on all cores."""
    runs = sum(len(attempts) for row in contents for _, attempts in row.attempts)
    processes = min(os.cpu_count() or 1, len(contents))
    if processes < 2 or runs < _ALONE:
        for row in contents:
            yield _replayed(key, row)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from clawbench.rescorer import collect_rarely

    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=collect_rarely) as pool:
        yield from pool.map(_replayed, [key] * len(contents), contents, chunksize=2)


def _replayed(key: EpochKey, row: Recorded) -> Replayed:
    try:
        return asyncio.run(_Replay(key, row).result())
    except ClawbenchError as error:
        return Replayed(None, error.problems, 0)


@lru_cache(maxsize=2)
def _epoch(
    library: str, netuid: int, number: int, beacon: str, values: str
) -> tuple[EpochPlan, Parameters, tuple[Setting, ...]]:
    parameters = parameters_of(orjson.loads(values))
    made = plan(netuid, number, beacon, parameters)
    return made, parameters, settings(made, Path(library))


@lru_cache(maxsize=2)
def _dictionary(folder: str, digest: str) -> bytes:
    reading = RecordFolder(Path(folder))
    name = f"{TRAJECTORIES}/{DICTIONARY}"
    reading.files[name] = (Path(folder) / name).stat().st_size
    return reading.named(name, digest) or b""


class _Replay:
    """One content, played again."""

    def __init__(self, key: EpochKey, row: Recorded) -> None:
        self.key = key
        self.row = row
        self.reading = RecordFolder(Path(key.folder))
        self.model = _Spoken(key.model)
        self.blobs: Any = _Names()

    async def result(self) -> Replayed:
        from clawbench.pack import parse_pack

        key = self.key
        made, parameters, found = _epoch(key.library, key.netuid, key.number, key.beacon, key.parameters)
        pack = parse_pack((self.reading.path / PACKS / f"{self.row.pack}.json").read_bytes(), self.row.pack)
        verdicts = []
        controls: dict[int, Control] = {}
        runs = 0
        for stage, (name, attempts) in zip(stages_of(pack, made, found, parameters), self.row.attempts, strict=True):
            start = stage.start(self.model, self.blobs)
            outcomes: dict[int, RunOutcome] = {}
            kept = []
            for position, (run, _, digest, fault) in enumerate(attempts):
                number = sum(before[0] == run for before in attempts[:position])
                if not digest:
                    kept.append(Attempt(run, number, "INFRA", fault, None))
                    continue
                runs += 1
                outcome = await self._played(stage, start, run, digest)
                if outcome is not None:
                    outcomes[run] = outcome
                    kept.append(Attempt(run, number, outcome.status, outcome.fault, Path(digest)))
            mine = {(run, number) for scenario, run, number in self.row.controlled if scenario == name}
            verdicts.append(verdict_of(stage.scenario, stage.rubric, outcomes.values(), kept, parameters, mine))
            self._complete(verdicts[-1], parameters.runs, name)
            for place, told in enumerate(self.row.controls):
                if told.scenario == name:
                    runs += 1
                    made_before = [attempt for attempt in kept if attempt.run == told.run]
                    made_before += [one.attempt for one in controls.values() if one.scenario == name]
                    controls[place] = await self._control(stage, start, told, len(made_before))
        scored = evaluation(self.row.content, self.row.pack, verdicts, parameters)
        scored = replace(scored, controls=tuple(control for _, control in sorted(controls.items())))
        return Replayed(scored, tuple(self.reading.problems), runs)

    async def _control(self, stage: Stage, start: Mapping[str, Any], told: RecordedControl, number: int) -> Control:
        """A control played again; one that does not come out COMPLETED proves nothing, which is said."""
        outcome = await self._played(stage, start, told.run, told.trajectory)
        if outcome is not None and outcome.status != "COMPLETED":
            where = f"{self.row.content[:12]}/{told.scenario}"
            self.reading.wrong("CONTROL", where, f"the control at run {told.run} did not complete: {outcome.status}")
        return Control(told.scenario, Attempt(told.run, number, "COMPLETED", "", Path(told.trajectory)), told.after)

    def _complete(self, verdict: ScenarioVerdict, asked: int, name: str) -> None:
        """A vote that is open although runs are missing: somebody dropped one."""
        runs = {attempt.run for attempt in verdict.attempts}
        missing = sorted(set(range(asked)) - runs)
        if verdict.score is None and missing and not self.reading.problems:
            where = f"{self.row.content[:12]}/{name}"
            said = f"run {missing[0]} is missing, and without it the vote is open"
            self.reading.wrong("RUN_MISSING", where, said)

    async def _played(self, stage: Stage, start: Mapping[str, Any], run: int, digest: str) -> RunOutcome | None:
        """The outcome of a recorded run played again; every difference is a problem that names file and place."""
        from clawbench.episode import run_episode
        from clawbench.trajectory import parsed_trajectory, recorded_in

        file = f"{TRAJECTORIES}/{digest}.zst"
        where = f"{file}: {stage.scenario.name} run {run}"
        raw = self._content(file, digest)
        if raw is None:
            return None
        try:
            with recorded_in(where):
                told = parsed_trajectory(raw, Path(where))
                self.model.say(told.steps, str((told.end or {}).get("fault", "")))
        except ClawbenchError as error:
            self.reading.problems += error.problems
            return None
        lines: list[Mapping[str, Any]] = []
        outcome = await run_episode(stage, run, self.model, stage.started(start, run), lines.append)
        body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        if body != raw:
            self.reading.wrong("RUN_DIFFERS", where, _difference(raw, lines))
        return outcome

    def _content(self, file: str, digest: str) -> bytes | None:
        """A trajectory's bytes: one frame of a stated size, with nothing behind it, that hash to their name."""
        import zstandard

        try:
            self.reading.files[file] = (self.reading.path / file).lstat().st_size
        except OSError:
            return None  # said already: the file is missing
        frame = self.reading.body(file)
        if frame is None:
            return None
        try:
            size = zstandard.frame_content_size(frame)
            if not 0 < size <= MAX_TRAJECTORY_BYTES:
                raise zstandard.ZstdError(f"a trajectory says its size, from 1 to {MAX_TRAJECTORY_BYTES} bytes")
            data = zstandard.ZstdCompressionDict(
                _dictionary(self.key.folder, self.key.dictionary), dict_type=zstandard.DICT_TYPE_RAWCONTENT
            )
            # in one piece, since a stream goes on past the size that a frame claims
            content = zstandard.ZstdDecompressor(dict_data=data).decompress(frame, allow_extra_data=False)
        except (zstandard.ZstdError, OSError) as error:
            self.reading.wrong("TRAJECTORY_DAMAGED", file, f"cannot be decompressed: {error}")
            return None
        if sha256(content).hexdigest() != digest:
            self.reading.wrong("FILE_CHANGED", file, "is not what its hash says")
            return None
        return content


class _Names:
    """A blob store that keeps nothing: prompts and tools are rendered again, their hashes are compared."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def put(self, text: bytes) -> str:
        """The sha256 of ``text``."""
        return sha256(text).hexdigest()


class _Spoken:
    """A model that says what was recorded, and then fails the way that was recorded."""

    def __init__(self, identity: ModelIdentity) -> None:
        self.name = identity.name
        self.version = identity.version
        self.simulated = identity.simulated
        self.provider = identity.provider
        self.settings = dict(identity.settings)
        self._replies: list[Reply] = []
        self._fault = ""

    def say(self, steps: Iterable[Mapping[str, Any]], fault: str) -> None:
        """The next run's replies."""
        from clawbench.models.replay import recorded_reply

        self._replies = [recorded_reply(step) for step in steps]
        self._fault = fault

    async def reply(self, request: Request) -> Reply:
        if request.turn < len(self._replies):
            return self._replies[request.turn]
        code, _, message = self._fault.partition(": ")
        raise Infrastructure.of(code or "RUN_ENDED", message)


def _difference(raw: bytes, lines: Sequence[Mapping[str, Any]]) -> str:
    """Where a recorded run and the one played again part: the check if verdicts do, else the line and the key."""
    recorded = []
    for number, line in enumerate(raw.split(b"\n")[:-1], 1):
        try:
            recorded.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            return f"line {number} is no JSON"
    if len(recorded) == len(lines):
        checks = [(_checks(line), _checks(again)) for line, again in zip(recorded, lines, strict=True)]
        for told, again in checks:
            differing = sorted(name for name in told.keys() | again.keys() if told.get(name) != again.get(name))
            if differing:
                return f"check {differing[0]} does not come out as recorded"
    for number, (line, said) in enumerate(zip(recorded, lines, strict=False), 1):
        again = orjson.loads(orjson.dumps(said))
        if line != again:
            return f"line {number} ({line.get('type')}) does not come out as recorded: {first_difference(line, again)}"
    if len(recorded) != len(lines):
        return f"has {len(recorded)} lines, and {len(lines)} come out"
    return "says the same in other bytes"


def _checks(line: Any) -> dict[str, Any]:
    payload = line.get("clawbench") if isinstance(line, dict) else None
    checks = payload.get("checks") if isinstance(payload, dict) else None
    rows = checks if isinstance(checks, list) else []
    return {str(row.get("id")): (row.get("passed"), row.get("reason")) for row in rows if isinstance(row, dict)}


def first_difference(told: Any, found: Any, path: str = "") -> str:
    """The place where two JSON values part, and both sides of it."""
    if isinstance(told, dict) and isinstance(found, dict):
        for key in sorted(told.keys() | found.keys()):
            if key not in told:
                return f"{path}.{key} is missing".lstrip(".")
            if key not in found:
                return f"{path}.{key} has no place here".lstrip(".")
            if told[key] != found[key]:
                return first_difference(told[key], found[key], f"{path}.{key}")
    if isinstance(told, list) and isinstance(found, list) and len(told) == len(found):
        for index, (one, other) in enumerate(zip(told, found, strict=True)):
            if one != other:
                return first_difference(one, other, f"{path}.{index}")
    return f"{path.lstrip('.')}: recorded {_shown(told)}, recomputed {_shown(found)}"


def _shown(value: Any) -> str:
    text = orjson.dumps(value).decode() if not isinstance(value, str) else repr(value)
    return text if len(text) <= 90 else text[:89] + "…"
