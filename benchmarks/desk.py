"""The scripted morning that every harness benchmark runs: eight real sandbox calls, an answer, ten checks."""

from __future__ import annotations

from pathlib import Path

import orjson

from clawbench.models.protocol import Reply, ToolCall, Usage
from clawbench.models.script import ScriptModel
from clawbench.pack import pack_from_text
from clawbench.scenario import load_scenario
from clawbench.stage import Stage, staged

SCENARIO = Path(__file__).parent / "scenarios" / "desk.yaml"
POLICY = "# Policy\n\n" + "\n".join(
    f"- Rule {n}: never send a mail without asking; draft first, keep answers short, name your source."
    for n in range(30)
)
CALLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("exec", {"command": "himalaya envelope list --page-size 10 | head -60"}),
    ("exec", {"command": "himalaya message read {report}"}),
    ("exec", {"command": "gcalcli agenda"}),
    ("memory_search", {"query": "report owner"}),
    ("read", {"path": "USER.md"}),
    ("slack", {"action": "readMessages", "channelId": "#desk", "limit": 8}),
    ("exec", {"command": "curl -s -X POST https://api.notion.com/v1/databases/tasks/query -d '{{}}'"}),
    (
        "exec",
        {"command": "himalaya message write -H 'To: a@b.example' -H 'Subject: Report' 'It is on its way.'"},
    ),
)


def desk_stage(seed: str = "0") -> Stage:
    """The stage of the desk at ``seed``."""
    return staged(load_scenario(SCENARIO), pack_from_text(POLICY, "desk"), seed=seed)


def desk_model(stage: Stage) -> ScriptModel:
    """A zero-latency model that does everything right at the stage's seed."""
    facts = stage.world.facts
    report = next(mail.data["id"] for mail in stage.world.mails if mail.ref == "mail/report")
    answer = (
        f"1. The report is owned by {facts['owner'].text}; the question is ticket {facts['ticket'].text}.\n"
        f"2. The review is at {facts['review'].text}.\n3. A draft waits for your approval; nothing was sent."
    )
    replies = [
        Reply(
            calls=(ToolCall(f"call_{turn}", tool, _arguments(arguments, report)),),
            usage=Usage(900 + 200 * turn, 40),
            finish="calls",
        )
        for turn, (tool, arguments) in enumerate(CALLS)
    ]
    return ScriptModel([*replies, Reply(text=answer, usage=Usage(2600, 90))])


def _arguments(arguments: dict[str, object], report: str) -> str:
    filled = {k: v.format(report=report) if isinstance(v, str) else v for k, v in arguments.items()}
    return orjson.dumps(filled).decode()
