"""A run in the terminal, step by step, readable at 80 columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ..recorded import exact
from ..walkthrough import Called, Step, Walkthrough
from .plain import PATTERN, decimal, printable

_FOLDED_LINES = 3
_FULL_LINES = 4000
_LINE = 2000
_MARKS = {"allowed": ("✓", "green"), "gated": ("refused by the user", "yellow"), "denied": ("denied", "yellow")}


def print_walkthrough(shown: Walkthrough, only: int | None = None, full: bool = False) -> None:
    """Prints a run: who and what, its steps (or the one with the number ``only``), and why each check fell where."""
    console = Console(highlight=False)
    _print_head(console, shown)
    for step in shown.steps:
        if only is None or step.number == only:
            before = shown.steps[step.number - 2].worth if step.number > 1 else Fraction(0)
            _print_step(console, step, before, full or only is not None)
    if only is None:
        _print_answer(console, shown, full)
        _print_checks(console, shown)


def _print_head(console: Console, shown: Walkthrough) -> None:
    start, end = shown.run.start, shown.run.end
    title = Text(printable(start["scenario"]["name"], 60), style="bold")
    title.append(
        f"  {printable(start['pack']['name'], 60)} {printable(str(start['pack']['version']), 20)}", "bold cyan"
    )
    title.append(f"  run {int(start['index'])}, seed {printable(str(start['seed']['name']), 20)}", "dim")
    title.append(f", {printable(str(start['model']['name']), 80)}", "dim")
    if start["model"]["simulated"]:
        title.append("  simulated", "yellow")
    console.print(title)
    if end is None:
        console.print(Text("the run never ended: it was interrupted", style="yellow"))
        return
    status = Text(printable(str(end["status"]), 20), style="green" if end["status"] == "COMPLETED" else "bold yellow")
    if end["fault"]:
        status.append(f"  {printable(str(end['fault']), 300)}", "yellow")
    if end["score"] is not None:
        earned, possible = (exact(part) for part in end["points"])
        status.append(f"  score {decimal(exact(end['score']))}", "bold")
        status.append(f"  {decimal(earned, 0)} of {decimal(possible, 0)} points", "dim")
    console.print(status)
    if "not reached" in str(end["gate"]):
        console.print(Text(printable(str(end["gate"])), style="bold red"))


def _print_step(console: Console, step: Step, before: Fraction, full: bool) -> None:
    console.print()
    if step.user:
        console.print(Text("the user replies", style="bold magenta"))
        _print_lines(console, step.user, full, "magenta")
    head = Text(f"step {step.number}", style="bold")
    head.append(f"  {step.tokens[0]:,} tokens read, {step.tokens[1]:,} written", "dim")
    head.append(
        f"  worth {decimal(step.worth)}", "green" if step.worth > before else "red" if step.worth < before else "dim"
    )
    if step.finish not in {"stop", "calls"}:
        head.append(f"  ended by {printable(step.finish, 20)}", "yellow")
    console.print(head)
    if step.reasoning:
        _print_lines(console, step.reasoning, full, "italic dim")
    if step.text:
        _print_lines(console, step.text, full, "")
    for call in step.calls:
        _print_call(console, call, full)
    for checks, words, style in ((step.passing, "now passes", "green"), (step.failing, "now fails", "bold red")):
        if checks:
            _print_indented(
                console, Text(f"{words}: {', '.join(printable(check, 60) for check in checks)}", style=style)
            )


def _print_call(console: Console, call: Called, full: bool) -> None:
    asked = Text(f"{printable(call.tool, 40)} ", style="bold blue")
    asked.append(printable(_readable(call), _LINE if full else 200), "blue")
    _print_indented(console, asked)
    mark, style = _MARKS.get(call.disposition, (printable(call.disposition, 20), "yellow"))
    if call.disposition == "allowed" and not call.ok:
        mark, style = "failed", "red"
    lines = call.result.count("\n") + 1
    note = Text(mark, style=style)
    note.append(f"  {lines} line{'s' if lines > 1 else ''}", "dim")
    if call.records:
        names = ", ".join(printable(name, 60) for name in call.records[: None if full else _FOLDED_LINES])
        more = "" if full or len(call.records) <= _FOLDED_LINES else f" and {len(call.records) - _FOLDED_LINES} more"
        note.append(f" from {names}{more}", "dim")
    _print_indented(console, note, 4)
    _print_lines(console, call.result if full else _compact(call.result), full, "dim", 4)
    for kind, target, status in call.effects:
        line = Text(
            f"{printable(kind, 40)} {printable(target, 120)}: {printable(status, 20)}",
            style="bold yellow" if status == "done" else "yellow",
        )
        _print_indented(console, line, 4)


def _compact(result: str) -> str:
    """JSON on one line, which says more than its first lines; anything else as it is."""
    if not result.startswith(("{", "[")) or len(result) > 65_536:
        return result
    try:
        return json.dumps(json.loads(result), ensure_ascii=False)
    except (ValueError, RecursionError):
        return result


def _readable(call: Called) -> str:
    """A command as it would be typed; other arguments as JSON."""
    try:
        said: Any = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return call.arguments
    if isinstance(said, dict) and set(said) == {"command"} and isinstance(said["command"], str):
        return f"$ {said['command']}"
    return call.arguments


def _print_lines(console: Console, text: str, full: bool, style: str, indent: int = 2) -> None:
    """A text, its control characters escaped, folded to its first lines unless ``full``."""
    lines = text.split("\n")
    limit = _FULL_LINES if full else _FOLDED_LINES
    for line in lines[:limit]:
        shown = Text(printable(line, _LINE if full else 160), style=style)
        if full:
            _print_indented(console, shown, indent)
        else:
            shown.no_wrap, shown.overflow = True, "ellipsis"
            console.print(Padding(shown, (0, 0, 0, indent)), no_wrap=True, overflow="ellipsis")
    if len(lines) > limit:
        _print_indented(console, Text(f"… {len(lines) - limit} more lines", style="dim italic"), indent)


def _print_indented(console: Console, text: Text, indent: int = 2) -> None:
    console.print(Padding(text, (0, 0, 0, indent)))


def _print_answer(console: Console, shown: Walkthrough, full: bool) -> None:
    said = shown.steps[-1].text if shown.steps else ""
    if shown.run.final_message and shown.run.final_message != said:
        console.print()
        console.print(Text("answer", style="bold"))
        _print_lines(console, shown.run.final_message, full, "")


def _print_checks(console: Console, shown: Walkthrough) -> None:
    if not shown.checks:
        return
    console.print()
    console.print(Text("checks", style="bold"))
    for line in _check_lines(shown):
        console.print(Padding(line, (0, 0, 0, 2)))
    if not shown.settled:
        said = "the scenario is not the one that was run, or is not here: no step is known for a check"
        console.print(Text(said, style="dim"))


def _check_lines(shown: Walkthrough) -> Iterator[Text]:
    for check in shown.checks:
        name = printable(str(check["id"]), 60)
        line = Text("✓ " if check["passed"] else "✗ ", style="green" if check["passed"] else "red")
        line.append(name, "" if check["passed"] else "red")
        step = shown.settled.get(check["id"])
        if step is not None:
            passed = "passes from the start" if step == 0 else f"passes since step {step}"
            failed = "never passed" if step == 0 else f"fell at step {step}"
            line.append(f" {passed if check['passed'] else failed}", "dim" if check["passed"] else "bold")
        reason = PATTERN.sub("the answer does not say it", printable(str(check["reason"]), 300))
        line.append(f": {reason}", "dim" if check["passed"] else "")
        yield line


def walkthrough_document(shown: Walkthrough) -> dict[str, Any]:
    """The same as one JSON object."""
    start, end = shown.run.start, shown.run.end
    return {
        "scenario": start["scenario"]["name"],
        "pack": start["pack"]["name"],
        "run": start["index"],
        "seed": start["seed"]["name"],
        "model": start["model"],
        "status": end["status"] if end else None,
        "fault": end["fault"] if end else None,
        "score": end["score"] if end else None,
        "steps": [
            {
                "step": step.number,
                "user": step.user,
                "text": step.text,
                "reasoning": step.reasoning,
                "calls": [
                    {
                        "tool": call.tool,
                        "arguments": call.arguments,
                        "disposition": call.disposition,
                        "ok": call.ok,
                        "result": call.result,
                        "records": list(call.records),
                        "effects": [dict(zip(("kind", "target", "status"), one, strict=True)) for one in call.effects],
                    }
                    for call in step.calls
                ],
                "tokens": list(step.tokens),
                "worth": str(step.worth),
                "finish": step.finish,
                "now_passes": list(step.passing),
                "now_fails": list(step.failing),
            }
            for step in shown.steps
        ],
        "answer": shown.run.final_message,
        "checks": [{**check, "since_step": shown.settled.get(check["id"])} for check in shown.checks],
    }
