"""``trajectoryrl validator``: run one, see what an epoch will cost, serve its records."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True}


@click.group("validator", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Run a validator, see what an epoch will cost, serve its records."""


@command.command("run", add_help_option=False, context_settings=_ANYTHING)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def run(words: tuple[str, ...]) -> int:
    """Validate the subnet until told to stop; the same as python neurons/validator.py."""
    from ..operating import main

    return main(list(words), prog="trajectoryrl validator run", about=run.help or "")


@command.command("serve")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8088, show_default=True, help="0 is a free one.")
def serve(folder: Path, host: str, port: int) -> int:
    """Serve the records in DIR (a validator's --publish) read-only over HTTP until Ctrl-C.

    Nothing but the files of records is served. Put a web server in front of it for TLS.
    """
    import signal
    import threading

    from ..publishing import RecordServer

    server = RecordServer(folder, host, port)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: threading.Thread(target=server.close).start())
    click.echo(f"serving the records in {folder} at {server.url}/ ; Ctrl-C ends it")
    sys.stdout.flush()
    server.serve()
    return 0
