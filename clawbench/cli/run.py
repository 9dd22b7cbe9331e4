"""``clawbench run``: packs through scenarios, voted and explained."""

from __future__ import annotations

import shlex
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._spending import budget_options, budgets_of, metered, price_of

if TYPE_CHECKING:
    from ..bench import StageOutcome
    from ..models.cached import CachedModel
    from ..models.protocol import Model
    from ..retrying import Retrying
    from ..stage import Stage


@click.command("run", short_help="Run a pack through scenarios and explain its score.")
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...")
@click.option("--pack", "packs", multiple=True, metavar="DIR|FILE", help="A pack's folder, pack.json or .md file.")
@click.option(
    "--packs",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Every pack folder in DIR, compared side by side.",
)
@click.option("--model", default="offline", show_default=True, metavar="NAME", help="One of `clawbench models`.")
@click.option("--runs", default=3, show_default=True, metavar="N", help="Runs of each scenario; odd, since they vote.")
@click.option("--seed", default="0", show_default=True, metavar="S", help="Draws identity, date and facts.")
@click.option(
    "--user-context", metavar="JSON|FILE", help='Overrides of the identity, like \'{"USER_NAME": "Ada Ng"}\'.'
)
@click.option("--temperature", default="0.7", show_default=True, metavar="T", help="Sampling temperature.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Where runs are kept; the same DIR goes on."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the report.")
@click.option("--fail-under", metavar="X", help="Exit 1 if the score is below X (0..1).")
@click.option("--early", is_flag=True, help="Skip runs that can no longer change a vote.")
@budget_options
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep replies here: nothing is asked twice.",
)
@click.option(
    "--record", type=click.Path(path_type=Path), metavar="FILE", help="Make a cassette for --model replay:FILE."
)
@click.option("--attempts", default=4, show_default=True, metavar="N", help="Tries of a run that the model fails.")
@click.option(
    "--backoff", default="20,60,180", show_default=True, metavar="S,...", help="Seconds before each further try."
)
@click.option("--retry-errors", is_flag=True, help="Make no run but those that failed so far, not the pack's fault.")
@click.option("--compress", is_flag=True, help="Keep the runs zstd-compressed.")
@click.option("-j", "--jobs", default=4, show_default=True, metavar="N", help="Runs at a time.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, and one line per scenario.")
@click.option("-v", "--verbose", is_flag=True, help="Every check of every pack, also when packs are compared.")
def command(
    scenarios: tuple[str, ...],
    packs: tuple[str, ...],
    folders: tuple[Path, ...],
    model: str,
    runs: int,
    seed: str,
    user_context: str | None,
    temperature: str,
    out: Path | None,
    as_json: bool,
    fail_under: str | None,
    early: bool,
    attempts: int,
    backoff: str,
    retry_errors: bool,
    compress: bool,
    jobs: int,
    quiet: bool,
    verbose: bool,
    prices: Path | None,
    cache: Path | None,
    record: Path | None,
    **budget: str | None,
) -> int:
    """Run policy packs through scenarios in the sandbox, N times each, and explain every check.

    SCENARIO is a file or the name of one that `clawbench list` shows. Several packs are compared: their scores
    side by side, then the checks that separate them. Without --pack or --packs, the scenario's own variants are
    compared, else ./pack is used, else the baseline pack. Exits with 0, 1 if a critical check failed or the score
    is below --fail-under, 2 for bad input, 3 if a vote is undecided for want of the model.
    """
    import asyncio

    from ..bench import AsyncioExecutor, Bench
    from ..library import scenario_path
    from ..models import model_named
    from ..report.document import bench_document
    from ..scenario import load_scenario
    from ..stage import Sampling
    from ._selection import chosen_packs, stages_of

    threshold = share_of(fail_under, "--fail-under")
    sampling = Sampling(temperature=_decimal(temperature, "--temperature"))
    context = user_context_of(user_context)
    loaded = [load_scenario(scenario_path(name)) for name in scenarios]
    chosen = model_named(model)
    budgets = budgets_of(budget)
    price = price_of(chosen, budgets, prices)
    stages = stages_of(loaded, chosen_packs(packs, folders), seed, context, sampling)
    if jobs < 1:
        raise click.BadParameter(f"{jobs} is not at least 1", param_hint="--jobs")
    folder = out or _new_folder(loaded[0].name)
    if retry_errors and out is None:
        raise click.UsageError("--retry-errors needs the --out DIR whose failed runs are meant")
    if retry_errors and out is not None and not any(out.rglob("*run-*.jsonl*")):
        raise click.UsageError(f"no run is in {out}: without --retry-errors they are all made")
    paid, ledger = metered(chosen, budgets, price, folder)
    kept, cached = _with_replies_kept(paid, cache, record)
    bench = Bench(
        folder=folder,
        model=kept,
        runs=runs,
        early=early,
        executor=AsyncioExecutor(jobs),
        retrying=_retrying(attempts, backoff),
        only_failed=retry_errors,
        admission=ledger,
        price=price,
    )

    if not chosen.simulated:
        from ..rescorer import collect_rarely

        collect_rarely()  # hundreds of replies in flight are no cycles

    from ..report.progress import watched

    with watched(bench, stages, ledger, show=not (as_json or quiet)):
        try:
            outcomes = asyncio.run(bench.results(stages))
        except KeyboardInterrupt:
            _say_how_to_go_on(folder)
            return 130
    if cached is not None and not (quiet or as_json):
        damaged = f"; {cached.damaged} damaged entries were ignored" if cached.damaged else ""
        click.echo(f"cache: {cached.hits} of {cached.hits + cached.misses} replies were known{damaged}", err=True)
    if compress:
        _compress(folder, stages)
    document = bench_document(outcomes, folder, again=_command_line(folder, out))
    if as_json:
        import orjson

        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        from ..report.terminal import print_bench

        print_bench(outcomes, folder, quiet=quiet, verbose=verbose)
    return _exit_status(outcomes, threshold)


def _with_replies_kept(model: Model, cache: Path | None, record: Path | None) -> tuple[Model, CachedModel | None]:
    """``model`` behind its cache, and on its cassette, where they are wanted."""
    cached = None
    if cache is not None:
        from ..models.cached import CachedModel

        model = cached = CachedModel(model, cache)
    if record is not None:
        from ..models.cassette import RecordingModel

        model = RecordingModel(model, record)
    return model, cached


def _retrying(attempts: int, backoff: str) -> Retrying:
    from ..retrying import Retrying

    if attempts < 1:
        raise click.BadParameter(f"{attempts} is not at least 1", param_hint="--attempts")
    seconds = tuple(float(_decimal(part.strip(), "--backoff")) for part in backoff.split(","))
    return Retrying(attempts, seconds)


def _exit_status(outcomes: list[StageOutcome], threshold: Fraction | None) -> int:
    from ..bench import weighted_mean

    if any(outcome.voted is None for outcome in outcomes):
        return 3
    if any(outcome.voted.tally.critical for outcome in outcomes if outcome.voted):
        return 1
    return 1 if threshold is not None and weighted_mean(outcomes) < threshold else 0


def user_context_of(text: str | None) -> dict[str, str]:
    """The overrides in ``text``, a JSON object or the path of a file that holds one."""
    import json

    from ..errors import InvalidInput

    if text is None:
        return {}
    where = "--user-context"
    if not text.lstrip().startswith("{"):
        path = Path(text)
        try:
            if path.stat().st_size > 65_536:
                raise InvalidInput.of("USER_CONTEXT_TOO_LARGE", "at most 65536 bytes are read", f"{where} {text}")
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput.of("USER_CONTEXT_MISSING", f"cannot be read: {error}", f"{where} {text}") from None
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InvalidInput.of("USER_CONTEXT_JSON", f"not JSON: {error}", where) from None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise InvalidInput.of("USER_CONTEXT_TYPE", "expected an object of names and texts", where)
    return values


def share_of(text: str | None, option: str) -> Fraction | None:
    """A share between 0 and 1 as it was written, if it was; raises click.BadParameter."""
    if text is None:
        return None
    share = Fraction(_decimal(text, option))
    if share > 1:
        raise click.BadParameter(f"{text} is not between 0 and 1", param_hint=option)
    return share


def _decimal(text: str, option: str) -> str:
    """A non-negative decimal as it was written."""
    import re

    if not re.fullmatch(r"\d{1,6}(\.\d{1,9})?", text):
        raise click.BadParameter(f"{text!r} is not a decimal number such as 0.8", param_hint=option)
    return text


def _new_folder(name: str) -> Path:
    """A fresh folder under runs/, named after the moment and the first scenario."""
    from datetime import datetime

    stem = f"runs/{datetime.now():%Y%m%d-%H%M%S}-{name}"
    folder, number = Path(stem), 1
    while folder.exists():
        number += 1
        folder = Path(f"{stem}-{number}")
    return folder


def _command_line(folder: Path, out: Path | None) -> str:
    words = ["clawbench", *sys.argv[1:]]
    return shlex.join(words if out is not None else [*words, "--out", str(folder)])


def _say_how_to_go_on(folder: Path) -> None:
    whole = sum(1 for _ in folder.rglob("run-*.jsonl"))
    click.echo(f"\ninterrupted; {whole} whole runs are kept in {folder}", err=True)
    words: list[Any] = ["clawbench", *sys.argv[1:]]
    if "--out" not in words and not any(str(word).startswith("--out=") for word in words):
        words += ["--out", str(folder)]
    click.echo(f"go on with: {shlex.join(words)}", err=True)


def _compress(folder: Path, stages: list[Stage]) -> None:
    from ..archive import compress_bench

    compress_bench(folder, sorted(path for stage in stages for path in (folder / stage.name).glob("run-*.jsonl")))
