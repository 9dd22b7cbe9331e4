"""Linting a pack that is valid: what its author is likely to regret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType

from .errors import ClawbenchError
from .likeness import plain_text
from .pack import GROUPS, Pack, offered_tools, pack_json
from .packbuild import is_written
from .packrules import PackProblem, problem_at, shown
from .packschema import DANGEROUS
from .prompt import system_prompt
from .scenariofile import TOOLS
from .yamlfile import KeyPath

WARNINGS: Mapping[str, str] = MappingProxyType(
    {
        "PACK_LINT_EMPTY": "the policy says next to nothing",
        "PACK_LINT_LONG": "every turn carries the whole pack: it is long",
        "PACK_LINT_FACT": "a value that a scenario draws: it is another one on the next day",
        "PACK_LINT_IDENTITY": "a person or company that the user may be on one day, or a placeholder",
        "PACK_LINT_NOT_OFFERED": "the policy asks for a tool that the tool policy withholds",
        "PACK_LINT_DEAD": "a name or pattern that matches no tool, group or effect",
        "PACK_LINT_NO_TOOLS": "no tool is left to the agent",
        "PACK_LINT_STALE": "the folder's pack.json is not what `clawbench pack build` writes today",
        "PACK_LINT_SUITE": "`target_suite` is not the suite of these scenarios",
    }
)
"""Every warning's code."""

EFFECTS = (
    *("mail.send", "mail.draft", "mail.delete", "mail.move", "mail.flag"),
    *("slack.post", "slack.edit", "slack.delete", "slack.react", "slack.pin"),
    *("calendar.create", "calendar.update", "calendar.delete"),
    *("task.create", "task.update", "task.delete"),
    *("code.create", "code.merge", "code.close", "code.comment"),
    *("flight.book", "flight.cancel"),
)
SUITE = "clawbench_v1"
SHORTEST = 80
"""Characters of a policy without white space and punctuation that say something."""
LONGEST = 8_192
"""Bytes of a pack in the prompt that are still short."""

_SEEDS = ("0", "1", "2")
_DRAWN = frozenset({"version", "code", "money", "person", "company", "one_of"})
_IN_EXEC = ("himalaya", "gcalcli")
_PLACEHOLDER = re.compile(r"\{\{\s*[A-Za-z_][\w.+\- ]*\}\}")
_MOST_OF_A_KIND = 5
_SHORTEST_PHRASE = 12
"""Characters of a phrase that hardly stands in a policy by chance."""


def warnings_of(pack: Pack, where: str, drawn: Mapping[str, str]) -> list[PackProblem]:
    """What a valid pack's author is likely to regret, in the order of WARNINGS; ``drawn`` are :func:`drawn_values`."""
    lint = _Lint(pack, where, drawn)
    found = [*lint.size(), *lint.facts(), *lint.identity(), *lint.tools()]
    return sorted(found, key=lambda one: list(WARNINGS).index(one.code))


def stale_build(path: Path, pack: Pack) -> list[PackProblem]:
    """The warning that a folder's pack.json is an older one, if it is."""
    built = path / "pack.json"
    if not (path / "AGENTS.md").exists() or not built.exists() or is_written(built, pack_json(pack)):
        return []
    found = "another pack than that of the folder"
    better = f"{pack.sha256[:16]}…, by `clawbench pack build`"
    return [problem_at(lambda path: str(built), "PACK_LINT_STALE", (), found, better, "better")]


class _Lint:
    """The parts of a lint; each yields its warnings."""

    def __init__(self, pack: Pack, where: str, drawn: Mapping[str, str]) -> None:
        self.pack = pack
        self.drawn = drawn
        self.where = where
        spoken = [rule for rule in pack.stop_rules if isinstance(rule, str)]
        self.texts: list[tuple[KeyPath, str]] = [
            *((("files", name), text) for name, text in pack.files.items()),
            *((("stop_rules", at), rule) for at, rule in enumerate(pack.stop_rules) if isinstance(rule, str)),
        ]
        self.policy = "\n".join([*pack.files.values(), *spoken])

    def warning(self, code: str, path: KeyPath, found: str, better: str) -> PackProblem:
        return problem_at(lambda path: self.where, code, path, found, better, "better")

    def size(self) -> Iterator[PackProblem]:
        if (count := len(plain_text(self.pack.files["AGENTS.md"]))) < SHORTEST:
            yield self.warning(
                "PACK_LINT_EMPTY",
                ("files", "AGENTS.md"),
                f"{count} letters",
                "say what to do, what not, and when to stop",
            )
        if (size := prompt_size(self.pack)) > LONGEST:
            better = f"{LONGEST:,} or fewer: every turn of every run carries them"
            yield self.warning("PACK_LINT_LONG", ("files",), f"{size:,} bytes of prompt", better)
        suite = self.pack.metadata["target_suite"]
        if suite != SUITE:
            yield self.warning("PACK_LINT_SUITE", ("metadata", "target_suite"), shown(suite), SUITE)

    def facts(self) -> Iterator[PackProblem]:
        better = "the rule by which to find it"
        yield from self._words("PACK_LINT_FACT", self.drawn, better)

    def identity(self) -> Iterator[PackProblem]:
        from .identity import COMPANIES, NAMES

        values = dict.fromkeys(
            [*NAMES, *(name for name, _ in COMPANIES), *(domain for _, domain in COMPANIES)], "the user"
        )
        yield from self._words("PACK_LINT_IDENTITY", values, "'the user': USER.md says who that is")
        for path, text in self.texts:
            if found := _PLACEHOLDER.search(text):
                better = "plain words: nothing in a pack is filled in"
                yield self.warning("PACK_LINT_IDENTITY", path, shown(found[0]), better)

    def tools(self) -> Iterator[PackProblem]:
        offered = offered_tools(self.pack, TOOLS)
        if not offered:
            yield self.warning("PACK_LINT_NO_TOOLS", ("tool_policy",), "none", f"one of {', '.join(TOOLS)}")
        for tool in TOOLS:
            if offered and tool not in offered and (word := _asked_for(tool, self.policy)):
                better = f"offer {tool}, or leave the word out"
                yield self.warning("PACK_LINT_NOT_OFFERED", ("tool_policy",), f"{shown(word)} in the policy", better)
        names = (*TOOLS, *GROUPS.values())
        for key, patterns, known in (
            ("allow", self.pack.allow or (), names),
            ("deny", self.pack.deny, (*names, *EFFECTS)),
        ):
            for at, pattern in enumerate(patterns):
                if not _matches_any(pattern, known) and not (key == "deny" and _matches_any(pattern, DANGEROUS)):
                    path: KeyPath = ("tool_policy", key, at)
                    yield self.warning("PACK_LINT_DEAD", path, shown(pattern), f"one of {', '.join(names)}")
        for at, pattern in enumerate(self.pack.approval_gates):
            if not _matches_any(pattern, (*TOOLS, *EFFECTS)):
                better = "a tool, or an effect such as mail.send or task.*"
                yield self.warning("PACK_LINT_DEAD", ("approval_gates", at), shown(pattern), better)

    def _words(self, code: str, values: Mapping[str, str], better: str) -> Iterator[PackProblem]:
        if not values:
            return
        pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(values, key=len, reverse=True)))})(?!\w)")
        for path, text in self.texts:
            for word in list(dict.fromkeys(pattern.findall(text)))[:_MOST_OF_A_KIND]:
                yield self.warning(code, path, f"{shown(word)}, {values[word]}", better)


def prompt_size(pack: Pack) -> int:
    """Bytes that the pack adds to the system prompt."""
    return len(system_prompt(pack, "", ()).encode())


def drawn_values() -> dict[str, str]:
    """Values that the scenarios found here draw for the first seeds, each with where it is from.

    A scenario that cannot be read has none.
    """
    from . import draws
    from .library import scenario_paths
    from .scenario import load_scenario, render_world

    values: dict[str, str] = {}
    for path in scenario_paths():
        try:
            scenario = load_scenario(path)
            if scenario.compat:
                continue
            worlds = [render_world(scenario, draws.local_seed(seed)) for seed in _SEEDS]
        except ClawbenchError:
            continue
        for world in worlds:
            for fact in world.facts.values():
                if fact.kind in _DRAWN and len(fact.text) >= (_SHORTEST_PHRASE if fact.kind == "one_of" else 4):
                    values.setdefault(fact.text, f"drawn in {scenario.name}")
    return values


def _asked_for(tool: str, policy: str) -> str:
    """The word by which a policy asks for a tool, or nothing."""
    words = [rf"`{tool}\b", rf"\b{tool} tool\b"] + ([rf"\b{tool}\b"] if "_" in tool else [])
    if tool == "exec":
        words += [rf"\b{program}\b" for program in _IN_EXEC]
    found = re.search("|".join(words), policy)
    return found[0] if found else ""


def _matches_any(pattern: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)
