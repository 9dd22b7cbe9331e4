"""A shell over a tiny world, with one program that reads and sends, for tests of the language alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from clawbench.sandbox.shell import ShellResult, run
from clawbench.sandbox.shell.command import Invocation, Output, failure
from clawbench.sandbox.state import Line, State
from clawbench.world import World

NOW = datetime(2026, 3, 12, 9, 5, tzinfo=timezone(timedelta(hours=-5)))  # a Thursday
MEMORY = {"memory/clients.md": "# Clients\nAcme: gold\nBolt: silver\n"}
WORKSPACE = {"USER.md": "Ines Vale\n"}
AGENTS = "rule one\nrule two\nrule three\n"
TASKS = {
    "results": [
        {"id": "T-1", "title": "Fix export", "points": 3},
        {"id": "T-2", "title": "Docs", "points": 1},
    ]
}


@dataclass
class Mock:
    """Runs commands over one state; ``sent`` holds the arguments of every send, ``seen`` of every call."""

    state: State = field(
        default_factory=lambda: State(
            World("tiny", NOW, {"TIMEZONE": "America/Chicago (CT)"}, memory=MEMORY, workspace=WORKSPACE),
            files={**MEMORY, **WORKSPACE, "AGENTS.md": AGENTS},
        )
    )
    sent: list[str] = field(default_factory=list)
    seen: list[list[str]] = field(default_factory=list)
    given: list[list[str] | None] = field(default_factory=list)

    def run(self, command: str) -> ShellResult:
        return run(command, self.state, {"himalaya": self.himalaya})

    def text(self, command: str) -> str:
        return "\n".join(line.text for line in self.run(command).lines)

    def lines(self, command: str) -> list[tuple[str, tuple[str, ...], bool]]:
        return [(line.text, line.records, line.derived) for line in self.run(command).lines]

    def himalaya(self, call: Invocation) -> Output:
        words = list(call.argv[1:])
        self.seen.append(words)
        self.given.append(None if call.stdin is None else [line.text for line in call.stdin])
        if words[:2] == ["envelope", "list"]:
            return Output([Line(f"{n}|Subject {n}|p{n % 2}@x.example", (f"envelope/{n}",)) for n in range(1, 6)])
        if words[:2] == ["message", "read"] and len(words) == 3:
            body = (f"mail/{words[2]}",)
            return Output(
                [
                    Line("From: omar", (f"envelope/{words[2]}",)),
                    Line(""),
                    Line("release v3.1.4 broke it", body),
                    Line("Omar", body),
                ]
            )
        if words[:2] == ["task", "list"]:
            return Output([Line(row, ("task/a",)) for row in json.dumps(TASKS, indent=2).split("\n")])
        if words[:2] == ["message", "send"]:
            self.sent.append(" ".join(words[2:]))
            return Output([Line("sent")])
        return failure(f"himalaya: unknown command {' '.join(words)}", 2)
