"""``trajectoryrl audit``: an epoch replayed from its record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..audit import Audit

_MOST = 40


@click.command("audit", short_help="Replay an epoch from its record: the same bytes, or what differs.")
@click.argument("record", metavar="DIR|URL")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--hotkey", metavar="SS58", help="Who must have sealed it.")
@click.option(
    "--library",
    "scenarios",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Holds the scenarios/ and fixtures/ to render; by default those of this version.",
)
def command(record: str, as_json: bool, hotkey: str | None, scenarios: Path | None) -> int:
    """Replay an epoch from its record, without model, chain, key or network.

    DIR is a record, or a folder of records epoch-N, which must name each other. Checked are the seal, every file, and
    everything that follows from the inputs: plan, worlds, tool results, checks, votes, scores, award, weights. Exits
    with 0 if every byte comes out again, 1 if not, 2 if DIR is no record.

    URL is where a validator publishes a record, http(s)://HOST/…/epoch-N, or what it committed on chain
    (trr1:HASH:URL): it is downloaded, within bounds, and then audited like a folder.
    """
    from clawbench.report.plain import shown_problem

    from ..audit import audited_chain, of_commitment
    from ..errors import RecordInvalid

    with _folder_of(record) as (folder, committed):
        audits = audited_chain(folder, trusted=hotkey, scenarios=scenarios)
    if committed:
        audits[0] = of_commitment(audits[0], committed)
    if as_json:
        import orjson

        document = {"clean": all(audit.clean for audit in audits), "records": [_document(audit) for audit in audits]}
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    elif len(audits) == 1 and audits[0].problems and audits[0].problems[0].code == "RECORD_MISSING":
        raise RecordInvalid(audits[0].problems)
    else:
        for audit in audits:
            for problem in audit.problems[:_MOST]:
                click.echo(f"differs: {shown_problem(problem)}")
            if len(audit.problems) > _MOST:
                click.echo(f"and {len(audit.problems) - _MOST} more")
            click.echo(_summary(audit))
    if audits[0].problems and audits[0].problems[0].code == "RECORD_MISSING":
        return 2
    return 0 if all(audit.clean for audit in audits) else 1


@contextmanager
def _folder_of(record: str) -> Iterator[tuple[Path, str]]:
    """The folder that holds ``record``, downloaded if it is a URL; and the manifest's sha256 if it was committed."""
    url, committed = record, ""
    if record.startswith("trr1:"):
        from ..commitment import record_of

        url, committed = record_of(record)
    if "://" not in url:
        yield Path(url), committed
        return
    import asyncio
    import tempfile

    from ..fetching import fetched

    with tempfile.TemporaryDirectory(prefix="trajectoryrl-record-") as place:
        asyncio.run(fetched(url, Path(place) / "record"))
        yield Path(place) / "record", committed


def _summary(audit: Audit) -> str:
    state = (
        "clean"
        if audit.clean
        else f"{len(audit.problems)} {'difference' if len(audit.problems) == 1 else 'differences'}"
    )
    if audit.epoch is None:
        return f"{audit.folder}: {state}"
    lines = [
        f"epoch {audit.epoch}: {state}",
        f"  {audit.submissions} submissions, {audit.contents} contents, {audit.runs} runs replayed",
        f"  winner {_winner(audit)}",
        f"  sealed by {audit.validator}",
        f"  manifest {audit.manifest}",
    ]
    return "\n".join([*lines, *(f"  note: {note}" for note in audit.notes)])


def _winner(audit: Audit) -> str:
    from clawbench.report.plain import printable

    name = f"{printable(audit.winner_name, 40)}, " if audit.winner_name else ""
    return f"{name}{audit.winner}" if audit.winner else "nobody"


def _document(audit: Audit) -> dict[str, Any]:
    return {
        "folder": str(audit.folder),
        "clean": audit.clean,
        "epoch": audit.epoch,
        "validator": audit.validator,
        "manifest": audit.manifest,
        "previous": audit.previous,
        "model": audit.model,
        "simulated": audit.simulated,
        "winner": audit.winner,
        "weights": {str(uid): share for uid, share in audit.weights.items()},
        "submissions": audit.submissions,
        "contents": audit.contents,
        "runs": audit.runs,
        "notes": list(audit.notes),
        "problems": [{"code": p.code, "where": p.where, "message": p.message} for p in audit.problems],
    }
