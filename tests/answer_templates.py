"""Answers as templates: what a person would write on a day, whatever that day turns out to be.

Beside the placeholders of fixtures: ``<<fact=value|then|else>>``, with ``\\|`` for a bar in its texts;
``[[key,other_key]]`` for the number of the first of these mails that the day has; and ``((fact+45m|%H.%M))`` for a
time or day as ``strftime`` writes it.
"""

from __future__ import annotations

import re
from datetime import datetime

from clawbench.render import render_text
from clawbench.world import World

_PART = r"((?:\\\||(?!<<|>>)[^|\\])*)"
_CHOICE = re.compile(rf"<<([a-z_0-9]+)=([^|<>]*)\|{_PART}\|{_PART}>>\n?")
_MOMENT = re.compile(r"\(\(([a-z_]+[^()|]*)\|([^()|]+)\)\)")
_NUMBER = re.compile(r"\[\[([a-z_0-9,]+)\]\]")


def spoken(template: str, world: World) -> str:
    """The answer that a template gives in a world."""

    def chosen(found: re.Match[str]) -> str:
        then = world.facts[found[1]].text == found[2]
        text = (found[3] if then else found[4]).replace("\\|", "|")
        return text + ("\n" if text and found[0].endswith("\n") else "")

    def number(found: re.Match[str]) -> str:
        refs = [f"mail/{key}" for key in found[1].split(",")]
        return next(str(mail.data["id"]) for ref in refs for mail in world.mails if mail.ref == ref)

    def moment(found: re.Match[str]) -> str:
        return datetime.fromisoformat(render_text(f"{{{{{found[1]}.iso}}}}", world)).strftime(found[2])

    return render_text(_NUMBER.sub(number, _CHOICE.sub(chosen, _MOMENT.sub(moment, template))), world)
