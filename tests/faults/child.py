"""``python -m tests.faults.child FOLDER``: a life of the reference validator in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from .reference import live

if __name__ == "__main__":
    live(Path(sys.argv[1]), threads=True)
