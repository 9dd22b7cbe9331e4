"""Compiled patterns: RE2 for our scenarios, Python's ``re`` for public ones."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Protocol, cast

from .errors import ScenarioInvalid


class Match(Protocol):
    """What both engines return: where a match stands in the subject."""

    def span(self) -> tuple[int, int]: ...
    def group(self) -> Any: ...


class Pattern(Protocol):
    """A compiled pattern. RE2 patterns are given UTF-8 bytes, ``re`` patterns text."""

    def search(self, subject: Any) -> Match | None: ...
    def fullmatch(self, subject: Any) -> Match | None: ...
    def finditer(self, subject: Any) -> Iterator[Match]: ...


@lru_cache(maxsize=192)
def own_pattern(text: str, *, ignore_case: bool = True) -> Pattern:
    """``text`` as RE2 reads it, with ``s`` and, unless told otherwise, ``i``; its subjects are UTF-8 bytes.

    Groups don't capture: nothing asks for them. Raises ScenarioInvalid if RE2 cannot take the pattern.
    """
    import re2

    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    try:
        return cast(Pattern, re2.compile(("(?is)" if ignore_case else "(?s)") + text, options))
    except (re2.error, UnicodeEncodeError) as error:
        said = f"RE2 cannot take the pattern {text[:80]!r}: {_sentence(error)}"
        raise ScenarioInvalid.of("PATTERN", said) from None


@lru_cache(maxsize=1024)
def public_pattern(text: str, *, ignore_case: bool = True) -> Pattern:
    """``text`` as the public scorer compiles it: DOTALL always, IGNORECASE unless told otherwise.

    Raises ScenarioInvalid if Python cannot compile it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what later versions of Python may read differently, this one takes
            return cast(Pattern, re.compile(text, re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG)))
    except (re.error, OverflowError, RecursionError) as error:
        raise ScenarioInvalid.of("PATTERN", f"not a pattern: {text[:80]!r}: {error}") from None


def _sentence(error: Exception) -> str:
    said = error.args[0] if error.args else "refused"
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
