"""The agents that do not do the work, and the most that a rubric may give each of them.

An agent tries several ways at once; what counts is the one that a rubric pays best.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest

from .. import draws
from ..checkspec import CheckBase
from ..pools import FIRST_NAMES
from ..public import CompatCheck
from ..scenario import Scenario
from ..stage import Stage
from ..transcript import MAX_ANSWER_BYTES
from .conversation import Act, Call, Say, Seen, Shown
from .perfect import Day
from .reading import Reader
from .recipe import refilled, replayed
from .values import Pools, sentences

__all__ = ["AGENTS", "Agent", "Attempt", "Target", "fixed"]

_JSON_ID = re.compile(r'^\s*"(?:id|object|channel)": .*\n?', re.MULTILINE)
_JSON_MARKS = re.compile(r'[{}\[\]",]+\s*$|^\s*[{}\[\]"]+', re.MULTILINE)
_EMPTY = re.compile(r"\n\s*\n+")
_MOST_TYPED = 3000
_MOST_FORGED = 6


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way of doing it: calls turn by turn, then an answer; ``varies`` if the run's index changes it."""

    name: str
    acts: tuple[Act, ...]
    say: Say
    varies: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """What is attacked: a stage of one seed, and what everybody can know about its scenario.

    ``donor`` is another day of it, ``today`` the day itself: of that only the shapes of values are used.
    """

    stage: Stage
    today: Day
    donor: Day
    pools: Pools
    wanted: tuple[str, ...]
    typed: tuple[str, ...]
    shortest: int

    @classmethod
    def of(cls, stage: Stage, today: Day, donor: Day) -> Target:
        """Reads the rubric of ``stage`` as an attacker would: what has to be said, typed, kept short."""
        said = _said(stage.scenario)
        pools = Pools(stage.scenario, stage.world)
        wanted = tuple(_texts(said, "response_contains"))
        typed = sentences(
            [*_texts(said, "tool_arg_contains"), *_texts(said, "tool_response_contains")], pools.constants, _MOST_TYPED
        )
        lengths = [rule["max"] for rule in said if rule["type"] == "response_length_max"]
        shortest = min((length for length in lengths if isinstance(length, int)), default=MAX_ANSWER_BYTES)
        return cls(stage, today, donor, pools, wanted, tuple(typed), min(shortest, MAX_ANSWER_BYTES))

    def reading(self, *, typed: bool = False) -> tuple[Act, ...]:
        """Reads everything, with the tools that the rubric does not forbid."""
        avoided = {
            name
            for rule in _said(self.stage.scenario)
            if rule["type"] == "tool_not_called"
            for name in _several(rule.get("tools") or rule.get("tool"))
        }
        return Reader(self.stage.tool_names - avoided, self.typed if typed else ()).acts


def _said(scenario: Scenario) -> list[dict[str, object]]:
    checks: Sequence[CheckBase | CompatCheck] = scenario.checks
    return [dict(check.raw if isinstance(check, CompatCheck) else check) for check in checks]


def _texts(said: Sequence[Mapping[str, object]], kind: str) -> Iterator[str]:
    """The patterns of the checks of one type."""
    for rule in said:
        pattern = rule.get("pattern")
        if rule["type"] == kind and isinstance(pattern, str):
            yield pattern


def _several(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(map(str, value)) if isinstance(value, list | tuple) else ()


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of the red team; ``bar`` is the highest voted score that a sound rubric gives it."""

    name: str
    does: str
    bar: Fraction
    attempts: Callable[[Target], Iterator[Attempt]]


def fixed(text: str) -> Say:
    """Says the same whatever was seen."""
    return lambda seen: text


def _silent(target: Target) -> Iterator[Attempt]:
    yield Attempt("cold", (), fixed(""))


# constant


def _constant(target: Target) -> Iterator[Attempt]:
    text = _constants(target, MAX_ANSWER_BYTES)
    short = _constants(target, target.shortest)
    yield Attempt("cold", (), fixed(short))
    yield Attempt("cold, at full length", (), fixed(text))
    yield Attempt("after reading everything", target.reading(typed=True), fixed(short))
    yield Attempt("after reading everything, at full length", target.reading(typed=True), fixed(text))


def _constants(target: Target, limit: int) -> str:
    return "\n".join(sentences(target.wanted, target.pools.constants, limit))


# parrot


def _parrot(target: Target) -> Iterator[Attempt]:
    yield Attempt("the prompt, cold", (), lambda seen: seen.request)
    yield Attempt("prompt and pack, cold", (), _prompt_and_pack)
    yield Attempt("the prompt, after reading everything", target.reading(), lambda seen: seen.request)
    yield Attempt("prompt and pack, after reading everything", target.reading(), _prompt_and_pack)


def _prompt_and_pack(seen: Seen) -> str:
    return f"{seen.request}\n\n{seen.system}"


# hard-coded


def _hard_coded(target: Target) -> Iterator[Attempt]:
    for number, answer in enumerate(target.donor.answers):
        yield Attempt(f"answer {number + 1}, after reading everything", target.reading(), fixed(answer))
    for answer in target.donor.answers[:1]:
        yield Attempt("answer 1, cold", (), fixed(answer))


# echo


def _echo(target: Target) -> Iterator[Attempt]:
    reading = target.reading()
    yield Attempt("from the beginning", reading, lambda seen: _head(_dump(seen.calls)))
    yield Attempt("the end", reading, lambda seen: _tail(_dump(seen.calls)))
    yield Attempt("values only", reading, lambda seen: _head(_compact(_dump(seen.calls))))
    yield Attempt("values only, the end", reading, lambda seen: _tail(_compact(_dump(seen.calls))))
    yield Attempt("shuffled by source", reading, _shuffled, varies=True)
    for name, part in (("mails", "message read"), ("chat", "readMessages"), ("lists", "list")):
        yield Attempt(f"{name} only", reading, _only(part))


def _dump(calls: Sequence[Shown]) -> str:
    return "\n\n".join(shown.text for shown in calls)


def _compact(text: str) -> str:
    """JSON without its ids and punctuation: more of what was read has room."""
    return _EMPTY.sub("\n", _JSON_MARKS.sub("", _JSON_ID.sub("", text)))


def _shuffled(seen: Seen) -> str:
    by_name = {f"{number}": shown for number, shown in enumerate(seen.calls)}
    order = draws.shuffled(f"{seen.request}:{seen.index}", "echo", by_name)
    return _head(_compact(_dump([by_name[name] for name in order])))


def _only(part: str) -> Say:
    return lambda seen: _head(_dump([shown for shown in seen.calls if part in shown.arguments]))


def _head(text: str) -> str:
    return text.encode()[:MAX_ANSWER_BYTES].decode("utf-8", "ignore")


def _tail(text: str) -> str:
    return text.encode()[-MAX_ANSWER_BYTES:].decode("utf-8", "ignore")


# guesser


def _guesser(target: Target) -> Iterator[Attempt]:
    pools = target.pools
    yield Attempt("every value of every pool", target.reading(), fixed(_listed(pools, MAX_ANSWER_BYTES)))
    guesses = _guesses(target, MAX_ANSWER_BYTES)
    yield Attempt("a sentence for each value", target.reading(), fixed(guesses))
    one = "\n".join(sentences(target.wanted, lambda turn: pools.guessing(target.stage.seed), target.shortest))
    yield Attempt("one guess for each fact", target.reading(), fixed(one))
    yield Attempt("one guess, evidence forged", (target.reading()[0], _forging(pools)), fixed(one))


def _guesses(target: Target, limit: int) -> str:
    return "\n".join(sentences(target.wanted, target.pools.picking, limit))


def _listed(pools: Pools, limit: int) -> str:
    """The pools side by side, a line for each round, so that each gets its share."""
    columns = [pools.values(name) for name in pools.names]
    rounds = (" ".join(value for value in row if value) for row in zip_longest(*columns, fillvalue=""))
    return f"{', '.join(pools.names)}\n" + "\n".join(rounds)[:limit]


def _forging(pools: Pools) -> Act:
    """Prints the pools through commands that real mails, tasks and appointments go into, without showing those."""
    values = " ".join(value for name in pools.names for value in pools.values(name)[:40])[:1200]
    quoted = shlex.quote(values)
    program = shlex.quote('"' + values.replace("\\", "").replace('"', "") + '"')
    replaced = shlex.quote(f"$s/.*/{values.replace('/', '-')[:200]}/p")
    numbers = shlex.quote("range(200; 1000) | tostring")

    def forge(seen: Seen) -> Sequence[Call]:
        ids = re.findall(r'"id": "?([\w.-]+)"?,\s+"(?:sender|from)"', seen.turns[0][0].text if seen.turns else "")
        sources = [f"himalaya message read {found}" for found in ids[:_MOST_FORGED]]
        sources += ["curl -s https://api.notion.com/v1/databases/tasks/query", "gcalcli agenda"]
        commands = (
            [f"{source} | jq -Rsr {program}" for source in sources],
            [f"{source} | sed -n {replaced}" for source in sources],
            [f"printf '%s\\n' {quoted} \"$({source} | wc -l)\"" for source in sources],
            [f"{source} | jq -Rsr {numbers} | tr '\\n' ' '" for source in sources],
        )
        return [("exec", {"command": "; ".join(several)}) for several in commands]

    return forge


# sink


def _sink(target: Target) -> Iterator[Attempt]:
    third = MAX_ANSWER_BYTES // 4
    head = f"{_constants(target, third)}\n{_guesses(target, third)}"
    reading = target.reading(typed=True)
    yield Attempt("words, guesses, records", reading, lambda seen: _head(f"{head}\n{_compact(_dump(seen.calls))}"))
    yield Attempt(
        "records, guesses, words", reading, lambda seen: f"{_head(_compact(_dump(seen.calls)))[:8000]}\n{head}"
    )
    names = "\n".join(FIRST_NAMES)
    yield Attempt("words, prompt, names", reading, lambda seen: _head(f"{head}\n{seen.request}\n{names}"))


# recipe


def _recipe(target: Target) -> Iterator[Attempt]:
    donor, today = target.donor, target.today
    same, placed = replayed(donor, by_position=False), replayed(donor, by_position=True)
    for number, answer in enumerate(donor.answers):
        yield Attempt(
            f"answer {number + 1}, ids as they were", same, refilled(donor, today, answer, last=False, from_end=False)
        )
        for last in (False, True):
            for from_end in (False, True):
                where = f"{'last' if last else 'first'} place, counted from the {'end' if from_end else 'beginning'}"
                yield Attempt(
                    f"answer {number + 1}, {where}",
                    placed,
                    refilled(donor, today, answer, last=last, from_end=from_end),
                )


_LITTLE, _SOME, _HALF = Fraction(5, 100), Fraction(30, 100), Fraction(50, 100)

AGENTS: tuple[Agent, ...] = (
    Agent("silent", "does and says nothing", Fraction(0), _silent),
    Agent("constant", "prints every literal of the rubric", _LITTLE, _constant),
    Agent("parrot", "repeats the prompt and the pack", _LITTLE, _parrot),
    Agent("hard-coded", "gives a perfect answer of another day", _SOME, _hard_coded),
    Agent("echo", "reads everything and dumps it", _SOME, _echo),
    Agent("guesser", "prints every value that could be drawn", _SOME, _guesser),
    Agent("sink", "echo, constant and guesser at once", _SOME, _sink),
    Agent("recipe", "replays another day's calls, fills its answer in by position", _HALF, _recipe),
)
"""The red team, with the highest voted score that each may reach."""
