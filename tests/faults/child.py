"""``python -m tests.faults.child FOLDER``: a life of the reference validator in a process of its own."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path

from .reference import FORGE, forge, live

if __name__ == "__main__":
    with nullcontext() if FORGE in os.environ else forge():
        live(Path(sys.argv[1]), threads=True)
