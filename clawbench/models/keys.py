"""API keys: read from the environment when a model is made, sent, and shown nowhere."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..errors import ModelUnusable
from .faults import AttemptFailed

HIDDEN = "***"
_SHORTEST = 8
"""Characters of a text that is hidden: what is shorter is a placeholder (``EMPTY``, ``x``), and part of other words."""


class Key:
    """A key that cannot be printed by accident; ``reveal()`` is for the header it goes into."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return f"Key({HIDDEN})" if self._text else "Key()"

    def reveal(self) -> str:
        """The key itself."""
        return self._text

    def hidden_in(self, body: bytes) -> bytes:
        """``body`` without the key: a provider may quote what it was sent."""
        return body.replace(self._text.encode(), HIDDEN.encode()) if len(self._text) >= _SHORTEST else body

    def hidden(self, failed: AttemptFailed) -> AttemptFailed:
        """The failure, its sentence without the key."""
        if len(self._text) >= _SHORTEST and self._text in failed.said:
            said = failed.said.replace(self._text, HIDDEN)
            return AttemptFailed(failed.code, said, again=failed.again, after=failed.after)
        return failed


def key_from(variables: Sequence[str], *, needed_by: str = "") -> Key:
    """The key in the first of these environment variables that is set.

    Raises ModelUnusable if none is and ``needed_by`` names a model that cannot do without, or if it is no key.
    """
    for name in variables:
        text = os.environ.get(name, "").strip()
        if not text:
            continue
        if not text.isascii() or not text.isprintable() or " " in text or len(text) > 4096:
            raise ModelUnusable.of("MODEL_KEY", f"{name} does not hold a key: it has spaces or odd characters")
        return Key(text)
    if needed_by:
        raise ModelUnusable.of("MODEL_KEY", f"no key: export {variables[0]}=… first", f"--model {needed_by}")
    return Key("")
