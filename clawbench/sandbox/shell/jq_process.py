"""The one process there is: a worker of our own that runs the jq library, never the agent's command.

An agent's command doesn't become a process by this: the worker is our script with a fixed command line, and
the program arrives as data. It stands apart because jq's C code, inside our own process, could neither be
stopped nor kept from aborting.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from clawbench.errors import Infrastructure

WALL_SECONDS = 60.0
"""How long a worker may be silent. Its own limit is processor time; this is for a stalled machine."""


class Died(Exception):
    """The worker ended while it ran a program: too much time, too much memory, or a crash of jq."""


class JqProcess:
    """A worker that is started when first needed, started again after it died, and shared by all threads."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.owner = 0

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The worker's answer; raises :class:`Died`, or Infrastructure if no worker can be started."""
        data = json.dumps(request).encode()
        with self.lock:
            if self.process is None or self.owner != os.getpid():
                self._start()
            assert self.process is not None
            assert self.process.stdin is not None
            try:
                self.process.stdin.write(len(data).to_bytes(4, "big") + data)
                self.process.stdin.flush()
                return self._answer()
            except (OSError, ValueError, Died):
                self._kill()
                raise Died from None

    def close(self) -> None:
        """Ends the worker, if this process started it."""
        with self.lock:
            if self.owner == os.getpid():
                self._kill()

    def _start(self) -> None:
        # After a fork the pipes belong to the parent: leave them alone and start a worker of our own.
        self.process, self.owner = None, os.getpid()
        spec = find_spec("jq")
        where = [str(Path(spec.origin).parent)] if spec and spec.origin else []
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", str(Path(__file__).with_name("_jq_worker.py")), *where],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"TZ": "UTC"},
                cwd="/",
                start_new_session=True,
            )
            self._answer()
        except (OSError, ValueError, Died) as problem:
            self._kill()
            raise Infrastructure.of("JQ_WORKER", f"the worker that runs jq did not start: {problem}") from None

    def _answer(self) -> dict[str, Any]:
        size = int.from_bytes(self._read(4), "big")
        answer = json.loads(self._read(size))
        if not isinstance(answer, dict):
            raise Died("not an answer")
        return answer

    def _read(self, count: int) -> bytes:
        assert self.process is not None
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        parts: list[bytes] = []
        while count:
            if not select.select([descriptor], [], [], WALL_SECONDS)[0]:
                raise Died("silent")
            part = os.read(descriptor, min(count, 65536))
            if not part:
                raise Died("ended")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _kill(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


WORKER = JqProcess()
atexit.register(WORKER.close)
