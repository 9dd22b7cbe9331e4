"""``trajectoryrl forge``: repositories and push times for a network of this machine."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("forge", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Repositories and push times for a network of this machine."""


@command.command("serve")
@click.option("--root", type=click.Path(path_type=Path), default=Path("forge"), show_default=True, help="Its folder.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="The port [default: a free one].")
def serve(root: Path, port: int) -> int:
    """Serve git over HTTP on 127.0.0.1, and the API that tells when a push was, until Ctrl-C.

    A push makes a repository; its time is this machine's. Whoever reaches the port may push, rename and delete: it is
    for playing. A public network takes repositories from GitHub only.
    """
    import signal
    import threading

    from ..forge import Forge, ForgeServer

    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    with ForgeServer(Forge(root), port) as server:
        click.echo(f"forge   {server.url}   push to {server.url}/OWNER/REPO.git; Ctrl-C ends it")
        while not ended.wait(0.2):
            pass
    return 0
