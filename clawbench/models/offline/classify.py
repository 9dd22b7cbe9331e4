"""What kind of mail this is, how pressing, and whether it is confidential, by its wording."""

from __future__ import annotations

import re
from functools import lru_cache

from .observe import Item
from .words import person

CONFIDENTIAL, SCHEDULING, REQUEST, FYI = "confidential", "scheduling", "reply needed", "fyi"
AUTOMATED, NEWSLETTER, PROMOTION = "automated", "newsletter", "promotion"
NOISE = frozenset({AUTOMATED, NEWSLETTER, PROMOTION})

_CONFIDENTIAL = re.compile(
    r"\bconfidential|\bprivileged\b|\bembargo|\b(?:do not|don['’]t|must not|not to be) (?:share|forward"
    r"|distribut|discuss|circulat|repeat)|\bkeep (?:this|it) (?:\w+ ){0,3}(?:private|quiet|to yourself"
    r"|between us)|\bbetween (?:you and me|us)\b|\bneed[- ]to[- ]know\b|\beyes only\b",
    re.I,
)
_NEWSLETTER = re.compile(r"newsletter|digest|\bweekly\b|unsubscribe|in this issue|this week in", re.I)
_PROMOTION = re.compile(
    r"^(?:hello|info|growth|sales|offers?|marketing|deals|mail-admin)@|promo|% off|\bdiscount|special offer|\bsale\b"
    r"|limited[- ]time|\buse code\b|free trial|upgrade now|early bird|webinar|sponsor|exciting .{0,40}opportunity"
    r"|book a demo|that could save|unsubscribe|\bverify your\b|\boffer ends\b",
    re.I,
)
_ROBOT = re.compile(r"no-?reply|do-?not-?reply|notifications?@|alerts?@|\bbot\b|-bot|mailer|automated|tracking", re.I)
_SCHEDULING = re.compile(
    r"\bresch?edul(?!ed)|\bmove (?:our|the|this|\w+day)\b.{0,30}(?:call|meeting|to)|\bschedule (?:a|an"
    r"|some) (?:\w+ )?(?:call|meeting|chat|time|session|slot)|\bfind (?:a |some )?time\b|\byour availab"
    r"|\binvitation:|\b(?:meet|a call|chat|coffee|lunch|catch up)\b[^.?!]{0,40}(?:\?|next week|this week"
    r"|(?:mon|tues|wednes|thurs|fri)day)|\bsame time\b|\bof your time\b|\bare you in\?",
    re.I,
)
ASKS = re.compile(
    r"\?|\b(?:can|could|would) you\b|\bplease\b|\bneed (?:you|your|from you|the|a|an)\b|\blet me know\b"
    r"|\bconfirm\b|\baction required\b|\bwaiting (?:for|on) you|\bby (?:eod|noon|end of|tomorrow|today"
    r"|\w+day)\b|\byour (?:input|approval|decision|review|sign-?off)\b|\bi(?:'d| would) like\b|\bi (?:need|want)\b"
    r"|\bdeadline\b|\bends?\b",
    re.I,
)
_PRESSING = {
    3: r"\burgent|\basap\b|\bescalat|\bp0\b|\bsev ?[01]\b|\boutage|\bdown for\b|\bemergency|\bcritical\b"
    r"|\bnobody can\b",
    2: r"\bceo\b|\bblock(?:ed|ing|s)\b|\bby noon\b|\boverdue\b|\baction required\b|\bend of (?:the )?day\b"
    r"|\beod\b|\bboard (?:meeting|deck|presentation)|\btoday\b|\bthis (?:morning|afternoon)\b",
    1: r"\bdeadline|\bdue\b|\btomorrow\b|\bimportant\b|\bcan(?:not|'t) (?:wait|be extended)|\bclient"
    r"|\bcustomer",
}
_POINTS = [(weight, re.compile(words, re.I)) for weight, words in _PRESSING.items()]


@lru_cache(maxsize=4096)
def _category(author: str, title: str, text: str, labels: tuple[str, ...]) -> str:
    head, whole = f"{author} {' '.join(labels)} {title}", f"{title}\n{text}"
    robot = bool(_ROBOT.search(author)) or "automated" in labels
    if "confidential" in labels or _CONFIDENTIAL.search(whole):
        return CONFIDENTIAL
    if _NEWSLETTER.search(head):
        return NEWSLETTER
    if _PROMOTION.search(head) or (_PROMOTION.search(text) and not ASKS.search(title)):
        return PROMOTION
    if _SCHEDULING.search(whole) and (not robot or "nvit" in title):
        return SCHEDULING
    if robot:
        return AUTOMATED
    return FYI if re.match(r"fyi\b|heads[- ]up", title, re.I) or not ASKS.search(whole) else REQUEST


def category(item: Item) -> str:
    """One of the mail categories above; how urgent it is, :func:`pressure` says."""
    return _category(item.author, item.title, item.text, item.labels)


def confidential(item: Item) -> bool:
    """Whether a record is marked confidential, by a label or by its own words; the user's notes never are."""
    return item.kind != "note" and category(item) == CONFIDENTIAL


@lru_cache(maxsize=4096)
def _points(text: str, labels: tuple[str, ...]) -> int:
    marked = 3 * bool({"urgent", "flagged"} & set(labels)) + 2 * bool({"important", "vip"} & set(labels))
    return marked + sum(weight for weight, pattern in _POINTS if pattern.search(text))


def pressure(item: Item, profile: str = "") -> int:
    """How pressing a record is, from 0; a sender whom the user's notes name counts two more."""
    name = person(item.author)
    known = 2 * (len(name) > 4 and name in profile)
    return 0 if category(item) in NOISE else _points(item.everything, item.labels) + known
