"""What of a pack an agent can see, as two identities: its exact content, and its likeness.

Packs of one content are evaluated once. Packs of one likeness are one submission: who only changes case, spacing,
comments or Markdown has written nothing new. docs/protocol.md has the algorithm with test vectors.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

from .pack import Pack
from .unicode14 import stretches

# The white space of Unicode, blank Braille, variation selectors, ASCII punctuation (Markdown lets any of it be escaped,
# so `\,` reads as `,`), and the hyphens, quotes and bullets that typesetting puts in its place.
_REMOVED = re.compile(
    "[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u2800\ufe00-\ufe0f"
    "!-/:-@\\[-`{-~\xab\xb7\xbb\u2010-\u2015\u2018-\u201f\u2022\u2023\u2043\u2212\u25e6]+"
)


def content_hash(pack: Pack) -> str:
    """sha256 of the canonical JSON of exactly what an agent can see of the pack, as 64 hex digits."""
    return _hashed(
        {
            "approval_gates": list(pack.approval_gates),
            "files": dict(pack.files),
            "stop_rules": [rule if isinstance(rule, str) else dict(rule) for rule in pack.stop_rules],
            "tool_policy": {"allow": None if pack.allow is None else list(pack.allow), "deny": list(pack.deny)},
        }
    )


def likeness(pack: Pack) -> str:
    """sha256 of the pack's visible content without case, spacing, comments and Markdown, as 64 hex digits."""
    files = ([plain_text(name), plain_text(text)] for name, text in pack.files.items())
    rules = (plain_text(rule) if isinstance(rule, str) else dict(rule) for rule in pack.stop_rules)
    return _hashed(
        {
            "approval_gates": _set(pack.approval_gates),
            "files": sorted(file for file in files if file[1]),
            "stop_rules": [rule for rule in rules if rule],
            "tool_policy": {"allow": _set(("*",) if pack.allow is None else pack.allow), "deny": _set(pack.deny)},
        }
    )


def plain_text(text: str) -> str:
    """The text in NFKC and case-folded, without white space, HTML comments and punctuation of Markdown.

    Code points that Unicode 14.0 does not assign stay as they are, and nothing composes across them.
    """
    folded = _per_stretch(str.casefold, _per_stretch(_nfkc, text))
    return _per_stretch(_nfkc, _REMOVED.sub("", _without_comments(folded)))


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _per_stretch(change: Callable[[str], str], text: str) -> str:
    if text.isascii():
        return change(text)
    return stretches().sub(lambda found: change(found[0]), text)


def _without_comments(text: str) -> str:
    """The text without ``<!-- … -->``; ``<!-->`` is a whole comment, and one that never ends is none."""
    kept = []
    at = 0
    while (begin := text.find("<!--", at)) >= 0 and (end := text.find("-->", begin + 2)) >= 0:
        kept.append(text[at:begin])
        at = end + 3
    return "".join((*kept, text[at:]))


def _set(names: Iterable[str]) -> list[str]:
    return sorted({plain_text(name) for name in names})


def _hashed(content: dict[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode("ascii")).hexdigest()
