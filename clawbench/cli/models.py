"""``clawbench models``: what ``--model`` can name, and whether a real model answers as its adapter expects."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..models.interview import Checked
    from ..models.provider import ProviderModel


@click.group("models", short_help="List the models that --model can name, or check one.", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> int | None:
    """List the models that --model can name, whether they could run here, and the documented answers they are held to.

    `clawbench models check MODEL` asks a real one.
    """
    if context.invoked_subcommand is not None:
        return None
    import os
    from importlib.util import find_spec

    from ..extras import installing
    from ..models import KNOWN
    from ..models.shapes import QUESTIONS, sample

    for name, what in KNOWN.items():
        click.echo(f"{name}\n    {what}")
        vendor = name.partition("/")[0]
        if "/" not in name:
            continue
        if vendor in {"anthropic", "openai"}:
            variable = f"{vendor.upper()}_API_KEY"
            here = "installed" if find_spec(vendor) else f"missing: {installing(vendor)}"
            click.echo(f"    SDK {here}; {variable} {'is set' if os.environ.get(variable) else 'is not set'}")
        source = sample(vendor, QUESTIONS[0]).source
        click.echo(f"    {len(QUESTIONS)} answers made by hand from documentation: {source}")
    click.echo("\nOptions follow a NAME, as in openai/gpt-5-mini?effort=low; docs/models.md lists them.")
    return 0


@command.command("check", short_help="Ask a real model three small questions.")
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(model: str, as_json: bool) -> int:
    """Ask MODEL for a word, a tool call and what the tool said, and compare its answers with the documented shapes.

    It costs three short calls. New keys in an answer are told and change nothing; missing ones, and values of another
    kind, exit with 1.
    """
    import asyncio

    from ..errors import UnknownModel
    from ..models import model_named
    from ..models.provider import ProviderModel

    named = model_named(model)
    if not isinstance(named, ProviderModel):
        raise UnknownModel.of("MODEL_NAME", f"{model} is not a real model: there is nothing to check", "MODEL")
    found: list[Checked] = []
    if not as_json:
        click.echo(f"{model} at {named.settings['endpoint']}")

    def show(checked: Checked) -> None:
        found.append(checked)
        if not as_json:
            _show(checked)

    asyncio.run(_ask(named, model.partition("/")[0], show))
    good = all(checked.good for checked in found) and len(found) == 3
    if as_json:
        import json

        told = [_document(checked) for checked in found]
        click.echo(json.dumps({"model": model, "settings": named.settings, "good": good, "answers": told}, indent=2))
    else:
        click.echo("it answers as documented" if good else "it does not answer as documented")
    return 0 if good else 1


async def _ask(model: ProviderModel, vendor: str, show: Callable[[Checked], None]) -> None:
    from ..models.interview import checked

    async for answer in checked(model, vendor):
        show(answer)


def _show(checked: Checked) -> None:
    from ..report.plain import printable

    reply, shape = checked.reply, checked.shape
    mark = "ok" if checked.good else "not as documented"
    served = printable(f"{reply.served or 'an unnamed model'}, fingerprint {reply.fingerprint or 'none'}", 60)
    click.echo(
        f"  {checked.sample.question:<7} {mark}; {reply.usage.prompt} + {reply.usage.completion} tokens; {served}"
    )
    if checked.problem:
        click.echo(f"          {checked.problem}")
    for word, paths in (("missing", shape.missing), ("other", shape.other), ("new", shape.new)):
        for path in paths[:20]:
            click.echo(f"          {word}: {printable(path, 100)}")


def _document(checked: Checked) -> dict[str, Any]:
    shape = checked.shape
    return {
        "question": checked.sample.question,
        "good": checked.good,
        "problem": checked.problem,
        "served": checked.reply.served,
        "fingerprint": checked.reply.fingerprint,
        "missing": shape.missing,
        "other": shape.other,
        "new": shape.new,
    }
