"""What kind of mail this is, how pressing, and whether it is confidential, by its wording."""

from __future__ import annotations

import re

from .observe import Item
from .vocabulary import cues, says
from .words import person

CONFIDENTIAL, SCHEDULING, REQUEST, FYI = "confidential", "scheduling", "reply needed", "fyi"
AUTOMATED, NEWSLETTER, PROMOTION = "automated", "newsletter", "promotion"
NOISE = frozenset({AUTOMATED, NEWSLETTER, PROMOTION})


def category(item: Item) -> str:
    """One of the mail categories above; how urgent it is, :func:`pressure` says."""
    head = f"{item.author} {' '.join(item.labels)} {item.title}"
    robot = bool(says("robot", item.author)) or "automated" in item.labels
    if "confidential" in item.labels or says("secret", item.everything):
        return CONFIDENTIAL
    if says("newsletter", head):
        return NEWSLETTER
    if says("promotion", head) or (says("promotion", item.text) and not says("asks", item.title)):
        return PROMOTION
    if says("scheduling", item.everything) and (not robot or "nvit" in item.title):
        return SCHEDULING
    if robot:
        return AUTOMATED
    return FYI if re.match(r"(?i)fyi\b|heads[- ]up", item.title) or not says("asks", item.everything) else REQUEST


def confidential(item: Item) -> bool:
    """Whether a record is marked confidential, by a label or by its own words; the user's notes never are."""
    return item.kind != "note" and category(item) == CONFIDENTIAL


def pressure(item: Item, profile: str = "") -> int:
    """How pressing a record is, from 0; a sender whom the user's notes name counts two more."""
    name, labels = person(item.author), set(item.labels)
    points = 3 * bool({"urgent", "flagged"} & labels) + 2 * bool({"important", "vip"} & labels)
    points += sum(int(weight) for weight, words in cues("pressing").items() if words.search(item.everything))
    return 0 if category(item) in NOISE else points + 2 * (len(name) > 4 and name in profile)
