"""The same conversation under Inspect, in its own environment: ``python with_inspect.py DO RUNS CONCURRENCY URL FILE``.

``DO`` is ``http`` (its provider for OpenAI-compatible endpoints), ``null`` (its own model without latency) or
``rescore`` (the log of ``null`` runs, judged again). ``FILE`` is the conversation: tools return what the sandbox
returned, ten checks judge the answer and the calls. Prints one JSON object.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import tempfile
import time
from typing import Any

from inspect_ai import Epochs, Task, eval, score
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, mean, scorer
from inspect_ai.solver import generate, system_message, use_tools
from inspect_ai.tool import tool

with open(sys.argv[5], "rb") as opened:
    CONVERSATION: dict[str, Any] = json.load(opened)
MESSAGES = CONVERSATION["messages"]
CALLS = [
    (call["function"]["name"], json.loads(call["function"]["arguments"]))
    for message in MESSAGES
    for call in message.get("tool_calls", ())
]
RESULTS = [message["content"] for message in MESSAGES if message["role"] == "tool"]
RETURNED = {
    json.dumps([name, given], sort_keys=True): result for (name, given), result in zip(CALLS, RESULTS, strict=True)
}
ANSWER = CONVERSATION["answer"]


def returned(name: str, **given: Any) -> str:
    """What the sandbox returned for this call."""
    return RETURNED[json.dumps([name, given], sort_keys=True)]


@tool(name="exec")
def exec_tool() -> Any:
    """The shell."""

    async def execute(command: str) -> str:
        """Runs a command.

        Args:
          command: the command line
        """
        return returned("exec", command=command)

    return execute


@tool(name="memory_search")
def memory_search() -> Any:
    """The memory."""

    async def execute(query: str) -> str:
        """Searches the memory.

        Args:
          query: words to look for
        """
        return returned("memory_search", query=query)

    return execute


@tool(name="read")
def read() -> Any:
    """The files."""

    async def execute(path: str) -> str:
        """Reads a file.

        Args:
          path: its name
        """
        return returned("read", path=path)

    return execute


@tool(name="slack")
def slack() -> Any:
    """The chat."""

    async def execute(action: str, channelId: str, limit: int) -> str:
        """Reads or writes messages.

        Args:
          action: what to do
          channelId: where
          limit: how many
        """
        return returned("slack", action=action, channelId=channelId, limit=limit)

    return execute


@scorer(metrics=[mean()])
def ten_checks() -> Any:
    """Ten regular expressions and counts."""

    async def judged(state: Any, target: Any) -> Score:
        said = state.output.completion
        made = [call for message in state.messages for call in getattr(message, "tool_calls", None) or ()]
        commands = " ".join(str(call.arguments) for call in made)
        results = [
            re.search(re.escape(ANSWER[3:30]), said) is not None,
            re.search(r"(?i)ticket", said) is not None,
            re.search(r"(?i)approval", said) is not None,
            re.search(r"(?i)\bI have sent\b", said) is None,
            len(made) <= 15,
            len(made) >= 1,
            "message send" not in commands,
            "himalaya" in commands,
            "gcalcli" in commands,
            len(said) < 600,
        ]
        return Score(value=sum(results) / len(results))

    return judged


def scripted(input: list[Any], tools: Any, tool_choice: Any, config: Any) -> ModelOutput:
    """The recorded turns, without latency."""
    turn = sum(message.role == "assistant" for message in input)
    if turn < len(CALLS):
        name, given = CALLS[turn]
        output = ModelOutput.for_tool_call("mockllm", name, given, tool_call_id=f"call_{turn}")
    else:
        output = ModelOutput.from_content("mockllm", ANSWER)
    output.usage = ModelUsage(input_tokens=2000, output_tokens=50, total_tokens=2050)
    return output


def task() -> Task:
    """One sample of the conversation."""
    return Task(
        dataset=[Sample(id="desk", input=MESSAGES[1]["content"], target="ok")],
        solver=[
            system_message(MESSAGES[0]["content"].replace("{", "{{").replace("}", "}}")),
            use_tools([exec_tool(), memory_search(), read(), slack()]),
            generate(),
        ],
        scorer=ten_checks(),
    )


def main(do: str, runs: int, concurrency: int, url: str) -> None:
    """Runs and measures."""
    if do == "http":
        model = get_model("openai-api/stub/stub", base_url=url, api_key="none")
    else:
        model = get_model("mockllm/model", custom_outputs=scripted)
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        log = eval(
            task(),
            model=model,
            epochs=Epochs(runs, "mode"),
            max_samples=concurrency,
            max_connections=concurrency,
            display="none",
            log_dir=folder,
        )[0]
        if do == "rescore":
            wall, cpu = time.perf_counter(), time.process_time()
            log = score(log, ten_checks(), action="overwrite", display="none")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    value = log.results.scores[0].metrics["mean"].value if log.results else None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told = {"status": log.status, "score": value, "wall_s": wall, "cpu_s": cpu, "peak_mb": peak}
    print(json.dumps({**told, "calls": runs * (len(CALLS) + 1), "error": str(log.error)[:300] if log.error else None}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
