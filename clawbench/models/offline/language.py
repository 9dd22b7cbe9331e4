"""English as the offline model knows it: the wording of things; sentences, stems, names, days and clock times."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache

# an indented line continues the one above it
_CUES = r"""
cause: \broot cause|\bcaus(?:ed|ing) (?:by|it)|\bbecause of\b|\bintroduced (?:in|by|with)|\bregress
    |\bsince (?:the )?(?:release|upgrade|deploy|v?\d+\.\d)|\bbroke(?:n)? (?:in|by|since|with)|\bnarrowed it
    |\btraced? (?:it )?(?:back )?to|\bpinned (?:it )?(?:down )?(?:on|to)|\bcomes? from\b|\bstarted (?:with|in|after)\b
fix: \bfix(?:ed|es)?\b|\bPR ?#?\d+|\bhot-?fix|\bpatch|\bmerged\b|\bvalidat|\bstaging\b|\btests? (?:are )?(?:pass|green)
eta: \beta\b|\bdeploy|\bgo-?live|\bship(?:s|ping)?\b|\broll(?:ing)?[- ]?out\b|\bto prod|\b\w+ window|\bgo(?:es
    |ing)? live\b
affected: \baffect|\bimpact|\bcustomers?\b|\btenants?\b|\baccounts?\b|\btickets?\b|\balso (?:seeing|hit|report)
    |\bsame (?:issue|problem|bug|error)|\bbesides\b|\b(?:two|three|four|five|\d+) (?:more|others?)\b
blocked: \bblock(?:ed|ing|ers?|s)\b|\bwaiting (?:for|on)\b|\bstuck\b|\bcan(?:['’]t|not) (?:\w+ ){0,5}(?:until|without
    |before)
decision: \bdeci(?:de|sion)|\bsign-?off\b|\byour call\b|\bchoose\b|\bpick (?:one|a)
incident: \bINC-\d|\bincident|\boutage|\berror (?:rate|spike)|\bp[01]\b|\bpostmortem
scope: \bscope creep|\bnot (?:\w+ )?(?:scoped|planned|approved|agreed|on the board)|\bno (?:ticket|card)\b
    |\bown initiative|\bhaven['’]t (?:\w+ )?(?:decided|agreed|asked)|\bwhile I(?:['’]m| was) at it
    |\bnobody (?:has )?planned|\bon the side\b|\bunplanned
version: \bv?\d+\.\d+(?:\.\d+)?\b
pull: (?:\bPR|\bpull request|\bMR)\s?#?(\d{1,6})|(?<![\w&])#(\d{2,6})\b
ticket: \b(?-i:[A-Z][A-Z0-9]{1,9})-\d{1,6}\b|\btask_\d+\b
soon: \beta\b|\bhours?\b|\d ?[ap]\.?m\b|\b\d{1,2}:\d\d\b|\bnoon\b
hedge: \b(?:maybe|might|perhaps|probably|possibly|apparently|supposedly|could be|sounds like|looks like|not sure
    |i (?:think|guess|bet|suspect|heard|assume)|unconfirmed|suspect(?:ed)?|first thought|thought it|blamed?|ruled out
    |wasn['’]t|isn['’]t|not the (?:cause|culprit|problem)|no longer|turned out not|i was wrong|unrelated|(?:was|is) fine
    |my (?:money|bet) is|not (?:one of|ours|affected|related|among))\b
says not done: \breopen|\brevert|\brolled back|\b(?:not|isn['’]t) (?:done|fixed|merged)|\bstill (?:failing|broken|open
    |not)
says dropped: \b(?:is|was|got) (?:dropped|cancelled|scrapped)\b|\bwon['’]t be built\b
says blocked: \bblocked\b|\bstuck\b|\bwaiting (?:on|for)\b|\bcan['’]t (?:\w+ ){0,3}(?:without|until)
says in progress: \bin progress\b|\bhalf written\b|\bstill working on\b
says in review: \b(?:in|into|to|for) review\b|\bPR\b.{0,20}\b(?:is )?(?:up|open)\b
says done: \b(?:done|finished|merged|shipped|completed?|closed|fixed|wrapped up|deployed|landed|released|is live)\b
future: \b(?:will|should|going to|hope|plan|almost|nearly|once|when|after|until|before|if|would
    |half)\b[^.,;]{0,40}\b(?:done|finished|merged|shipped|complete|closed|fixed|deployed|landed|released)|\d ?%
gone: \b(?:^(?:so )?not|earlier|gone|forget|no longer|previous(?:ly)?|old|instead of|rather than|was|were|used to)\b
call: \b(?:call|phone|bridge|meet(?:ing)?|sync|dial)\b
moved: \b(?:now at|mov(?:es?|ed)|new time|instead|resch?eduled|pushed|shifted|changed|correct\w*|forget|not)\b
manager: \bmy (?:new )?manager\b|^\W*(?:manager|reports? to)\b
former: \b(?:was|until|former|used to be)\b
tested: \b(?:staging|validat\w*|replay\w*|tests?|tested|passe[sd]|verified|green)\b
partial: \b(?:so far|still (?:running|going)|half|now|need to|wants?|should I|if|not final)\b
unneeded: \bany ?more\b|\bno longer\b|\bnobody needs\b|\bnot (?:needed|due)\b|\bdropped\b
robot: no-?reply|do-?not-?reply|notifications?@|alerts?@|\bbot\b|-bot|\balerts?\b|notif|automated
exercise: \bexercise\b|\bdrill\b|\bdummy\b
agreed: \b(?<!not )approved (?:it|this|them)\b|\bwas approved\b
reason: \b(?:block|wait|need|decision|decide|depend|can['’]t)
secret: \bconfidential|\bprivileged\b|\bneed[- ]to[- ]know\b|\bbetween (?:you and me|us)\b|\bkeep (?:this
    |it) (?:\w+ ){0,3}(?:private|quiet)|\b(?:do not|don['’]t|must not|not to be) (?:share|forward|distribut|discuss
    |circulat|repeat)
newsletter: newsletter|digest|\bweekly\b|unsubscribe
promotion: ^(?:hello|info|growth|sales|offers?|marketing|deals)@|promo|% off|\bdiscount|special offer|\bsale\b
    |\buse code\b|webinar|\boffer ends\b|exciting .{0,40}opportunity|unsubscribe|limited[- ]time|book a demo
    |\bverify your\b
scheduling: \bresch?edul(?!ed)|\bmove (?:our|the|this|\w+day)\b.{0,30}(?:call|meeting|to)|\binvitation:|\bsame time\b
    |\bschedule (?:an?|some) (?:\w+ )?(?:call|meeting|chat|time|session|slot)|\bfind (?:a |some )?time\b|\byour availab
    |\b(?:meet|a call|chat|coffee|lunch|catch up)\b[^.?!]{0,40}(?:\?|next week|(?:mon|tues|wednes|thurs|fri)day)
    |\bof your time\b
asks: \?|\b(?:can|could|would) you\b|\bplease\b|\bneed (?:you|your|from you|the|a|an)\b|\blet me know\b|\bconfirm\b
    |\bends?\b|\bdeadline\b|\baction required\b|\bby (?:eod|noon|end of|tomorrow|today|\w+day)\b|\bi (?:need|want)\b
    |\bi(?:'d| would) like\b
pressing 3: \burgent|\basap\b|\bescalat|\bp0\b|\bsev ?[01]\b|\boutage|\bdown for\b|\bemergency|\bcritical|\bnobody can
pressing 2: \bceo\b|\bblock(?:ed|ing|s)\b|\bby noon\b|\boverdue\b|\baction required\b|\beod\b|\bboard deck|\btoday\b
pressing 1: \bdeadline|\bdue\b|\btomorrow\b|\bimportant\b|\bcan(?:not|'t) (?:wait|be extended)|\bclient|\bcustomer
delivers: \b(?:prepare|write|review|submit|complete|draft|plan (?:that|it) in|picks? (?:it|this) up|take care of
    |put .{1,50} on (?:your|my|the) (?:list|board)|need (?:the|a|you to|it|your)|has to be|put together)\b
filed: \b(?:go(?:es)?|filed?|belongs?|sort(?:ed)?|count(?:s)?) (?:\w+ )?(?:under|to|into|as) \W*(\w+)
free: \bfree\b|available
social: \b(?:random|lunch|social|off-?topic|canteen|kitchen|food|tea|coffee|pets?|music|fun|watercooler|memes)\b
work: inc|eng|dev|release|deploy|support|ops|platform|product|team|general|project|on-?call
about mail: \b(?:e-?mails?|mails?|inbox|repl(?:y|ies|ying)|send(?:s|ing)?|sent|forward\w*|messages?)\b
about slack: \b(?:slack|chat|channels?|posts?|posting|posted|messages?)\b
about calendar: \b(?:calendars?|agenda|events?|meetings?|appointments?|resched\w*|schedul\w*|invit\w*|book\w*)\b
about tasks: \b(?:tasks?|tickets?|boards?|issues?|notion|creat\w*)\b
about memory: \b(?:memory|notes)\b
about profile: \b(?:user\.md|profile|preferences)\b
about pulls: \b(?:pull requests?|prs?|github)\b
act: (?:send|post|repl(?:y|ies)|forward|answer|creat|updat|chang|delet|cancel|mov|resched|book|modif|edit|writ|publish
    |act|execut|mak|accept|declin|touch|tak|invit|pay|react)\w*
not: (?:never|do not|don['’]t|must not|may not|not to|can ?not|can['’]t|should not|refrain from|avoid)
urges: \b(?:do not|don['’]t|never|no need to|not|rather than|instead of|without|no)\s+(?:\w+\s+){0,2}?(?:wait
    |ask(?:ing)?\b|hesitat|bother|check(?:ing)? (?:in|back|first))|\bbias (?:for|to|towards?) action
    |\btakes? (?:the )?initiative|\bact first|\b(?:full|blanket) (?:approval|permission)|\b(?:<act>|solve|resolve
    |fix)\b.{0,80}\b(?:immediately|right away|at once|yourself|as soon as)\b|\b(?:immediately|proactively|always
    |promptly)\s+(?:send|post|reply|answer|update|create|close|fix)
forbids: \b<not>\s+(?:\w+[,/:]?\s+){0,6}?<act>\b|\bread[- ]only\b|\bno (?:sending|posting|changes|messages?|mails?
    |posts?|replies|bookings?|writes?|side effects?)\b|\bnothing (?:\w+ ){0,4}(?:sent|leaves?|goes|posted|changed|out
    |created|booked)|\bonly (?:after|with|when|once|if)\b[^.]{0,80}\b(?:approv|confirm|permission|go-ahead|yes)
waits: \b(?:ask|wait|get|obtain|requires?|needs?|await|seek|with|without|until|unless|before)\b[^.]{0,60}\b(?:approv\w*
    |permission|confirm\w*|consent|go-ahead|says? (?:so|yes)|explicit\w*)|\bask(?:ed)? (?:\w+ ){0,3}(?:first|before)\b
    |\b<act>\b.{0,60}\bwithout (?:asking|approval)
broad: \b(?:anything|nothing|any action|irreversible|read[- ]only)\b
skips: \b(?:skip|ignore|leave out|avoid|(?:do not|don['’]t|never) (?:read|open|use))\b
sensitive: \b(?:confidential|sensitive|privileged|private(?:ly)?|restricted)\b
withholds: \b(?:not|never|only|alone|without|keep|leave|exclude|omit|no|nothing)\b|n['’]t\b
compares: cross-?(?:reference|check)|\b(?:compare|reconcil|correlat|contradict|disagree|verif|mismatch|first[- ]?hand)
    |\bsources? (?:differ|conflict)|\b(?:newest|latest|most recent)\b.{0,40}\b(?:wins|statement|source|over)
most: (?:at most|no more than|max(?:imum)?(?: of)?|up to|under|within|fewer than|≤|<=|<|budget(?: of|:)?)
budget: <most>\s*(\d{1,3})\s*(?:tool )?(?:calls|steps)|calls?\W{1,4}<most>\s*(\d{1,3})
bodies: <most>\s*(\d{1,3})\s*(?:\w+ )?bod(?:y|ies)
length: <most>\s*(\d{2,4})\s*words
table: \b(?:as|in|use) (?:a |one )?(?:markdown )?tables?\b
print: \b(?:print|include|append|repeat|copy|contain|(?:end|begin|answer|reply|respond) (?:\w+ ){0,3}with)\b
verbatim: \bverbatim\b|\bword for word\b|<print>[^"“]{0,40}["“]|<print>.{0,60}\b(?:following|these
    |this)\b.{0,20}\b(?:lines?|text|words?|sentences?|list|keywords?|phrases?)\b
alone: \b(?:nothing else|(?:only|exactly) (?:the following|this|these))\b
dump: \b(?:paste|dump|quote|copy|reproduce|include|print)\b.{0,60}\b(?:in full|everything|full text|raw|entire|whole)\b
uncommented: \b(?:<not>|without|no)\s+(?:\w+ ){0,3}?(?:summar|conclu|comment|interpret)\w*
channel: (?<![\w/&])#([a-z][a-z0-9_-]{1,40})
wants mail: \b(?:e-?mails?|mails?|inbox|messages?)\b
wants slack: \b(?:slack|chat|channels?|team|yesterday|happened)\b
wants calendar: \b(?:calendar|meetings?|agenda|schedul\w*|conflicts?|clash\w*|day|call|to(?:day|morrow)|brief\w*
    |stand-?up)\b
wants tasks: \b(?:tasks?|boards?|tickets?|sprint|to-?dos?|brief\w*|stand-?up|day|overdue|slip)\b
wants case: \b(?:escalat\w*|incident|outage|bug|p0|p1|sev ?\d|complain\w*|broken|failing|status|situation)\b
wants queue: \b(?:triag\w*|classif\w*|categori\w*|process|review my (?:inbox|e?-?mail)|queue|approve or reject)\b
wants team: \b(?:stand-?up|sprint|who(?:['’]s| is) blocked|who waits|my team|the team|never planned|differently)\b
wants brief: \b(?:brief\w*|my day|what matters|timeblock\w*|what can (?:slip|wait))\b
wants flight: \bbook\b[^.?!]{0,60}\bflights?\b|\bflights?\b[^.?!]{0,60}\bbook
place: (?-i:[A-Z][\w’']+(?: [A-Z][\w’']+)*)
route: \bfrom (<place>) to (<place>)
prefers: airline|status|prefer
outdated: \b(?:out of date|outdated|obsolete|archived?|no longer|superseded|kept for)\b
optional: \bcan go\b|\btentative\b|\boptional\b|\bif possible\b|\bfocus\b
nonstop: \bnon-?stop\b|\bdirect\b
seat: \bseat\W{1,3}(aisle|window|middle)|\b(aisle|window) seat
option: \b(?:option|number|no\.?)\s*([123])\b|\bthe (first|second|third)\b
"""


@lru_cache(maxsize=1)
def _written() -> dict[str, str]:
    entries = re.sub(r"\n {4}", "", _CUES).strip().splitlines()
    return {name: words for name, _, words in (entry.partition(": ") for entry in entries)}


@lru_cache(maxsize=256)
def cue(name: str) -> re.Pattern[str]:
    """The expression of that name, blind to case."""
    words = _written()[name]
    while (whole := re.sub(r"<([a-z]+)>", lambda other: _written()[other[1]], words)) != words:
        words = whole
    return re.compile(words, re.I)


def cues(family: str) -> dict[str, re.Pattern[str]]:
    """The expressions whose names begin with ``family``, by the rest of their names."""
    return {name.removeprefix(f"{family} "): cue(name) for name in _written() if name.startswith(f"{family} ")}


@lru_cache(maxsize=16384)
def says(name: str, text: str) -> re.Match[str] | None:
    """Where a text first has that wording, if at all."""
    return cue(name).search(text)


MAX_TEXT = 20_000  # characters of one text that are looked at; the rest is passed over
_STOP_WORDS = """
about above after again all already also and any anyone are around ask back because been before being below both but can
come could day did does doing don done down each even every few for from get give going got had has have having her here
him his how into its just keep know let like look make makes many may more most much must need needs new nor not now off
once one only other our out over own per please put really right said same say see send set she should some still such
sure take than thank thanks that the their them then there these they thing this those through till time today tomorrow
too under until very via want was way well were what when where which while who will with would yes you your urgent week
"""
_STOP = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:['’.&][A-Za-z0-9]+)*|\d{3,}")
_SPLIT = re.compile(r"(?<=[.!?…])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\b[DM]r\.)(?<!\b[A-Z]\.)[\"')\]*_]*\s+")
_MARKER = re.compile(r"^\s*(?:[-*•·>]+|\(?\d{1,2}[.)]|#{1,6}|\[[ xX]?\])\s+")
_SUFFIX = re.compile(r"(?:'s|’s|ings?|ers?|ed|es|s|e)$")


@lru_cache(maxsize=8192)
def stems(text: str) -> frozenset[str]:
    """The rough stems of a text's content words, so that ``exports`` meets ``exporting``; and long numbers."""
    words = {word for word in _WORD.findall(text[:MAX_TEXT].lower()) if len(word) > 2 and word not in _STOP}
    cut = ((word, _SUFFIX.sub("", word) if len(word) > 3 else "") for word in words)
    return frozenset(short if len(short) >= 3 else word for word, short in cut)


@lru_cache(maxsize=4096)
def sentences(text: str) -> tuple[str, ...]:
    """A text's sentences in order: hard-wrapped lines joined, list items and ``Field:`` lines apart."""
    joined: list[str] = []
    wrapped = False
    for line in text[:MAX_TEXT].splitlines():
        bare = line.strip()
        apart = _MARKER.match(line) or re.match(r"[A-Z][\w ]{2,24}: ", bare)
        if bare and joined and not apart and (wrapped or bare[0].islower()):
            joined[-1] += " " + bare
        elif bare:
            joined.append(_MARKER.sub("", bare))
        wrapped = len(bare) >= 50 and not re.search(r"[.!?:;…]['\")*_]*$", bare)
    return tuple(part.strip() for line in joined for part in _SPLIT.split(line) if part.strip(" -_=—"))


def overlap(one: str, other: str) -> int:
    """How many stems two texts share."""
    return len(stems(one) & stems(other))


@lru_cache(maxsize=2048)
def person(handle: str) -> str:
    """A readable name for an address or handle: ``dana.reeves@corp.example`` is ``Dana Reeves``."""
    named = re.match(r"\s*\"?([^\"<@]{2,60}?)\"?\s*<", handle)
    local = named[1] if named else handle.strip().lstrip("@").split("@")[0]
    plain = re.fullmatch(r"[a-z0-9]+(?:[._][a-z0-9]+)*", local)
    return (" ".join(map(str.capitalize, re.split(r"[._]", local))) if plain else local)[:60]


def first_name(handle: str) -> str:
    """The first word of :func:`person`."""
    return (person(handle).split() or ["there"])[0]


def clipped(text: str, limit: int) -> str:
    """The text on one line, cut at a word before ``limit`` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[:limit].rpartition(" ")[0].rstrip(" ,;:-") + " …"


_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DATE = re.compile(
    rf"\b(\d{{4}})-(\d\d)-(\d\d)\b|\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(\d{{4}}))?"
    rf"|\b(\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH}\b(?:\s+(\d{{4}}))?|\b(today|tonight|tomorrow|eod|{'|'.join(_DAYS)})\b",
    re.I,
)
_CLOCK = re.compile(r"(?i)\b(1[0-2]|0?[1-9])(?:[:.]([0-5]\d))?\s?([ap])\.?m\b|\b([01]?\d|2[0-3]):([0-5]\d)(?!\d|:\d)")


@lru_cache(maxsize=4096)
def instant(text: str) -> datetime | None:
    """An ISO timestamp or date as wall-clock time where it was written (no zone), else ``None``."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def dates(text: str, today: date | None) -> tuple[date, ...]:
    """The days a text names, in order; without ``today`` only dates that carry their year count."""
    found = []
    for year, month, day, name, number, year2, number3, name3, year3, word in _DATE.findall(text):
        try:
            if word and today:
                low = word.lower()
                ahead = (_DAYS.index(low) - today.weekday()) % 7 if low in _DAYS else int(low == "tomorrow")
                found.append(today + timedelta(ahead))
            elif year:
                found.append(date(int(year), int(month), int(day)))
            elif (name or name3) and (year2 or year3 or today):
                written = int(year2 or year3 or (today.year if today else 0))
                ordinal = _MONTHS.index((name or name3).lower()) // 3 + 1
                found.append(date(written, ordinal, int(number or number3)))
        except (ValueError, OverflowError):
            continue
    return tuple(found)


@lru_cache(maxsize=4096)
def clocks(text: str) -> tuple[int, ...]:
    """The clock times a text names, as minutes since midnight, in order."""
    found = []
    for hour12, minute12, half, hour24, minute24 in _CLOCK.findall(re.sub(r"(?i)\bnoon\b", "12 pm", text)):
        hour = int(hour12) % 12 + 12 * (half in "pP") if half else int(hour24)
        found.append(hour * 60 + int(minute12 or minute24 or 0))
    return tuple(found)


def minute(moment: datetime) -> int:
    """The time of day as minutes since midnight."""
    return moment.hour * 60 + moment.minute


def clock(minutes: int) -> str:
    """``870`` as ``2:30 pm``, full hours without minutes."""
    hour, rest = divmod(minutes % 1440, 60)
    return f"{hour % 12 or 12}{f':{rest:02d}' if rest else ''} {'am' if hour < 12 else 'pm'}"


def day_name(day: date) -> str:
    """``Thursday, March 12``."""
    return f"{day:%A, %B} {day.day}"
