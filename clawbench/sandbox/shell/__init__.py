"""The mock shell of the ``exec`` tool: a small language over functions. Nothing becomes a process."""

from __future__ import annotations

from .run import ShellResult, run

__all__ = ["ShellResult", "run"]
