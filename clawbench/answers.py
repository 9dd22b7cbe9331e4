"""Answers as templates: what a person would write on a day, whatever that day turns out to be.

Beside the placeholders of fixtures: ``<<fact=value|then|else>>``, and ``[[key,other_key]]`` for the number of the
first of these mails that the day has.
"""

from __future__ import annotations

import re
from pathlib import Path

from .render import render_text
from .world import World

_CHOICE = re.compile(r"<<([a-z_0-9]+)=([^|<>]*)\|((?:(?!<<|>>)[^|])*)\|((?:(?!<<|>>)[^|])*)>>\n?")
_NUMBER = re.compile(r"\[\[([a-z_0-9,]+)\]\]")


def spoken(template: str, world: World) -> str:
    """The answer that a template gives in a world. Raises PlaceholderError for a name that means nothing in it."""

    def chosen(found: re.Match[str]) -> str:
        fact = world.facts.get(found[1])
        text = found[3] if fact is not None and fact.text == found[2] else found[4]
        return text + ("\n" if text and found[0].endswith("\n") else "")

    def number(found: re.Match[str]) -> str:
        refs = [f"mail/{key}" for key in found[1].split(",")]
        ids = [str(mail.data["id"]) for ref in refs for mail in world.mails if mail.ref == ref]
        return ids[0] if ids else ""

    return render_text(_NUMBER.sub(number, _CHOICE.sub(chosen, template)), world)


def correct_answers(folder: Path, scenario: str) -> tuple[str, ...]:
    """The templates in ``FOLDER/SCENARIO/correct``, in the order of their files' names; none without the folder."""
    place = folder / scenario / "correct"
    if not place.is_dir():
        return ()
    return tuple(path.read_text(encoding="utf-8") for path in sorted(place.iterdir()) if path.is_file())
