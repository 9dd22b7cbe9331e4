"""Libraries that only some need: what to type when one is not there."""

from __future__ import annotations


def installing(extra: str) -> str:
    """The command that installs ``extra`` of this package, for whoever cloned it and for whoever did not."""
    return f"pip install 'clawbench[{extra}]', or in a clone pip install -e '.[{extra}]'"
