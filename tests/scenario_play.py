"""Playing a scenario by hand: calls made in its sandbox, an answer given, the rubric's verdict."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from clawbench import draws
from clawbench.checkspec import CheckBase
from clawbench.factkinds import OneOf
from clawbench.render import TOKEN, render_text
from clawbench.rubric import CheckResult, Rubric, Tally, judge, rubric_for, tally
from clawbench.sandbox import Sandbox
from clawbench.scenario import Scenario, load_scenario, render_world
from clawbench.transcript import Transcript
from clawbench.world import World

from .answer_templates import spoken

ROOT = Path(__file__).resolve().parents[1]
Call = tuple[str, dict[str, Any]]


class Play:
    """One scenario over many seeds. ``calls`` are those of an honest run.

    MAILS in them stands for reading ``mails``, or all mails ``but`` some, in one command.
    """

    def __init__(self, name: str, calls: Sequence[Call], mails: Sequence[str] = (), but: Sequence[str] = ()) -> None:
        self.name = name
        self.calls = list(calls)
        self.mails = [f"mail/{key}" for key in mails]
        self.closed = {f"mail/{key}" for key in but}
        self.world = lru_cache(128)(self._world)
        self.rubric = lru_cache(128)(self._rubric)
        self.honest = lru_cache(128)(self._honest)
        self._scenario: Scenario | None = None

    @property
    def scenario(self) -> Scenario:
        if self._scenario is None:
            self._scenario = load_scenario(ROOT / "scenarios" / f"{self.name}.yaml")
        return self._scenario

    def voices(self) -> dict[str, str]:
        """The correct answers of tests/answers, by style."""
        folder = ROOT / "tests" / "answers" / self.name / "correct"
        return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}

    def _world(self, seed: str) -> World:
        return render_world(self.scenario, draws.local_seed(seed))

    def _rubric(self, seed: str) -> Rubric:
        return rubric_for(self.scenario, self.world(seed))

    def _honest(self, seed: str) -> Transcript:
        return self.transcript(seed, self.calls)

    def text(self, seed: str, template: str) -> str:
        return spoken(template, self.world(seed))

    def transcript(self, seed: str, calls: Sequence[Call]) -> Transcript:
        """The calls made in a fresh sandbox."""
        world = self.world(seed)
        sandbox = Sandbox(world)
        ids = {str(mail.ref): str(mail.data["id"]) for mail in world.mails if mail.ref not in self.closed}
        reading = " && ".join(f"himalaya message read {ids[ref]}" for ref in self.mails or ids if ref in ids)
        run = Transcript()
        for tool, arguments in calls:
            rendered = {
                key: reading if value == "MAILS" else render_text(value, world) for key, value in arguments.items()
            }
            run.append_call(tool, rendered, sandbox.call(tool, rendered))
        return run

    def mail(self, seed: str, *keys: str) -> str:
        """The number of the first mail that has one of these keys."""
        refs = {f"mail/{key}" for key in keys}
        return next(str(mail.data["id"]) for mail in self.world(seed).mails if mail.ref in refs)

    def points(self) -> dict[str, int]:
        """The points of each category."""
        points: dict[str, int] = {}
        for check in self.scenario.checks:
            assert isinstance(check, CheckBase)
            points[check.category] = points.get(check.category, 0) + check.points
        return points

    def results(self, seed: str, answer: str, run: Transcript) -> tuple[CheckResult, ...]:
        run.answer(answer)
        return judge(self.rubric(seed), run)

    def judged(self, seed: str, answer: str, run: Transcript) -> Tally:
        return tally(self.rubric(seed), self.results(seed, answer, run))

    def answered(self, seed: str, template: str) -> Tally:
        """The score of an answer after the honest calls."""
        return self.judged(seed, self.text(seed, template), self.honest(seed))

    def failed(self, seed: str, template: str, run: Transcript | None = None) -> dict[str, str]:
        """The checks that an answer fails after the honest calls, or after others, with their reasons."""
        found = self.results(seed, self.text(seed, template), run or self.honest(seed))
        return {check.id: check.reason for check in found if not check.passed}

    def dump(self, seed: str) -> str:
        """Everything that the honest calls showed."""
        return "\n".join(call.body for call in self.honest(seed).calls)

    def everything(self, seed: str) -> dict[str, str]:
        """Every rendered text, by where it stands."""
        world = self.world(seed)
        texts = {f"memory/{name}": text for name, text in world.memory.items()}
        texts |= {f"file/{name}": text for name, text in world.workspace.items()}
        texts["prompt"] = self.scenario.rendered_prompt(world)
        for group in ("mails", "events", "tasks", "messages", "channels", "contacts", "documents", "pulls"):
            for record in getattr(world, group):
                texts[str(record.ref)] = json.dumps(dict(record.data), ensure_ascii=False)
        return texts

    def later_than_now(self, seed: str) -> list[str]:
        """The records that claim to be written after the run began."""
        world = self.world(seed)
        times = [(mail.ref, mail.data["received_ts"]) for mail in world.mails]
        times += [(message.ref, message.data["timestamp"]) for message in world.messages]
        times += [(task.ref, task.data[key]) for task in world.tasks for key in ("created", "updated")]
        return [str(ref) for ref, text in times if datetime.fromisoformat(text) > world.now]

    def sheet(self, seed: str, names: Sequence[str]) -> tuple[str, ...]:
        """The values of an answer sheet."""
        return tuple(self.world(seed).facts[name].text for name in names)

    def sheets(self, names: Sequence[str]) -> int:
        """How many answer sheets there can be."""
        count = 1
        for name in names:
            count *= self.world("0").facts[name].pool_size
        return count

    def literals(self, seed: str) -> str:
        """Every pattern of the rubric as it stands in the file, facts left out."""
        sources = [getattr(check, "pattern", None) or "" for check in self.scenario.checks]
        words = " ".join(TOKEN.sub(" ", source) for source in sources)
        return " ".join(re.findall(r"[A-Za-z][A-Za-z'-]+", words)) + "\n1. a\n2. b\n3. c\n"

    def guesses(self, seed: str) -> str:
        """Every value of every list, one list to a line."""
        lines = []
        for name, spec in self.scenario.specs.items():
            if isinstance(spec, OneOf):
                lines.append(f"{name}: " + ", ".join(spec.values))
        return "\n".join(lines)

    def constants(self, seed: str) -> list[str]:
        """Texts that say everything and know nothing: literals, guesses, both, and the prompt."""
        literals, guesses = self.literals(seed), self.guesses(seed)
        prompt = self.scenario.rendered_prompt(self.world(seed))
        return [literals, guesses, f"{literals}\n{guesses}", f"{guesses}\n{literals}", prompt, f"{prompt}\n{literals}"]
