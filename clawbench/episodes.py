"""Public ClawBench episodes: read from JSONL and judged, as given or by doing their calls again.

A public scenario is judged on what the object says, as the public scorer does. For our own scenarios every
call is made again in a fresh sandbox: counts, effects and evidence are what that gives, and what the object
claims beside its calls and its answer proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from .compat import public_points, public_score, rounded
from .errors import EpisodeInvalid
from .progress import judge
from .tally import CheckResult, Rubric, tally
from .transcript import CallRecord, Transcript
from .world import World

MAX_LINE_BYTES = 8 * 1024 * 1024
MAX_CALLS = 10_000


@dataclass(frozen=True, slots=True)
class Episode:
    """One public episode object.

    ``calls`` are its ``tool_calls_raw``; ``counts`` and ``total`` are what it claims; ``where`` reads
    ``file:line``.
    """

    response: str = ""
    calls: tuple[Mapping[str, Any], ...] = ()
    counts: Mapping[str, Any] = field(default_factory=dict)
    total: int | float = 0
    where: str = ""


def read_episodes(path: Path) -> Iterator[Episode]:
    """The episodes in a JSONL file, one object a line; blank lines are passed over.

    Raises EpisodeInvalid naming file, line and field.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise EpisodeInvalid.of("EPISODE_FILE", error.strerror or "cannot be read", str(path)) from None
    with file:
        number = 0
        while True:
            number += 1
            where = f"{path}:{number}"
            try:
                line = file.readline(MAX_LINE_BYTES + 2)
            except OSError as error:
                raise EpisodeInvalid.of("EPISODE_FILE", error.strerror or "cannot be read", where) from None
            if not line:
                return
            if len(line.rstrip(b"\r\n")) > MAX_LINE_BYTES:
                raise EpisodeInvalid.of("EPISODE_TOO_LARGE", f"a line has at most {MAX_LINE_BYTES} bytes", where)
            if line.strip():
                yield parsed_episode(line, where)


def parsed_episode(line: bytes | str, where: str = "") -> Episode:
    """One line as an episode; a field that is missing or null has the public scorer's default.

    Raises EpisodeInvalid naming the field that has not its shape.
    """
    try:
        given = json.loads(line)
    except (ValueError, RecursionError) as error:
        said = error.args[0] if isinstance(error, json.JSONDecodeError) else "not text, or nested too deeply"
        raise EpisodeInvalid.of("EPISODE_JSON", f"the line is not JSON: {said}", where) from None
    if not isinstance(given, dict):
        raise EpisodeInvalid.of("EPISODE_SHAPE", f"an episode is an object, not {_kind(given)}", where)
    response = given.get("response")
    if response is not None and not isinstance(response, str):
        raise EpisodeInvalid.of("EPISODE_SHAPE", f"a text, not {_kind(response)}", f"{where}: response")
    return Episode(response or "", _calls(given, where), _counts(given, where), _total(given, where), where)


def _calls(given: Mapping[str, Any], where: str) -> tuple[Mapping[str, Any], ...]:
    calls = given.get("tool_calls_raw")
    if calls is None:
        return ()
    field_name = f"{where}: tool_calls_raw"
    if not isinstance(calls, list):
        raise EpisodeInvalid.of("EPISODE_SHAPE", f"a list, not {_kind(calls)}", field_name)
    if len(calls) > MAX_CALLS:
        raise EpisodeInvalid.of("EPISODE_TOO_LARGE", f"at most {MAX_CALLS} calls, not {len(calls)}", field_name)
    for number, call in enumerate(calls):
        place = f"{field_name}[{number}]"
        if not isinstance(call, dict):
            raise EpisodeInvalid.of("EPISODE_SHAPE", f"an object with tool and args, not {_kind(call)}", place)
        if not isinstance(call.get("tool"), str):
            raise EpisodeInvalid.of("EPISODE_SHAPE", f"a text, not {_kind(call.get('tool'))}", f"{place}.tool")
    return tuple(calls)


def _counts(given: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    counts = given.get("tool_calls_by_type")
    if counts is None:
        return {}
    if not isinstance(counts, dict):
        raise EpisodeInvalid.of("EPISODE_SHAPE", f"an object, not {_kind(counts)}", f"{where}: tool_calls_by_type")
    for tool, count in counts.items():
        if not isinstance(count, int | float):
            raise EpisodeInvalid.of(
                "EPISODE_SHAPE", f"a number, not {_kind(count)}", f"{where}: tool_calls_by_type.{tool[:80]}"
            )
    return counts


def _total(given: Mapping[str, Any], where: str) -> int | float:
    total = given.get("tool_calls_total")
    if total is None:
        return 0
    if not isinstance(total, int | float):
        raise EpisodeInvalid.of("EPISODE_SHAPE", f"a number, not {_kind(total)}", f"{where}: tool_calls_total")
    return total


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def score_episode(rubric: Rubric, world: World, episode: Episode) -> dict[str, Any]:
    """``{"score", "points": [earned, possible], "passed": [ids]}``, whole points as integers.

    The score is rounded to 4 places and ``None`` if the rubric has no checks.
    Raises EpisodeInvalid if the episode cannot be judged for its size or nesting.
    """
    try:
        transcript = given_transcript(episode) if rubric.compat else replayed(world, episode)
        results = judge(rubric, transcript)
    except RecursionError:
        raise EpisodeInvalid.of("EPISODE_JSON", "a call's arguments are nested too deeply", episode.where) from None
    return scored_episode(rubric, results)


def scored_episode(rubric: Rubric, results: tuple[CheckResult, ...]) -> dict[str, Any]:
    """What :func:`score_episode` returns, for results that are known."""
    passed = [result.id for result in results if result.passed]
    if rubric.compat:
        earned, possible = public_points(rubric, results)
        return {
            "score": public_score(rubric, results),
            "points": [_plain(earned), _plain(possible)],
            "passed": passed,
        }
    counted = tally(rubric, results)
    return {
        "score": rounded(counted.score) if rubric.checks else None,
        "points": [_plain(float(counted.earned)), _plain(float(counted.possible))],
        "passed": passed,
    }


def _plain(points: float) -> int | float:
    return int(points) if points == int(points) else points


def given_transcript(episode: Episode) -> Transcript:
    """A public episode as it describes itself: its counts and responses are taken as given."""
    transcript = Transcript(episode.response)
    for call in episode.calls:
        transcript.append(CallRecord(call["tool"], call.get("args", {}), call.get("response", "")))
    transcript.counts = dict(episode.counts)
    transcript.total = cast(int, episode.total)  # whatever number it claims is what is compared
    return transcript


def replayed(world: World, episode: Episode) -> Transcript:
    """An episode's calls made again in a fresh sandbox of ``world``, then its answer.

    Arguments are an object, or a JSON text of one. As in a run, what reaches no tool is no call: a name that
    no tool has, or other arguments.
    """
    from .sandbox import Sandbox
    from .sandbox.schemas import TOOLS

    sandbox = Sandbox(world)
    transcript = Transcript(episode.response)
    for call in episode.calls:
        tool, arguments = call["tool"], _arguments(call)
        if tool in TOOLS and isinstance(arguments, Mapping):
            transcript.append_call(tool, arguments, sandbox.call(tool, arguments))
    return transcript


def _arguments(call: Mapping[str, Any]) -> Any:
    """A call's arguments as JSON that UTF-8 can hold: a JSON text is read, lone surrogates are replaced."""
    arguments = call.get("args", {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return None
    return json.loads(json.dumps(arguments, ensure_ascii=False).encode("utf-8", "replace"))
