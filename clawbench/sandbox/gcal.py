"""The calendar programs: ``gcalcli`` and ``gcal``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..world import Record
from . import agenda
from .agenda import Window
from .lines import Line, fragment, listing_lines
from .mailbox import find
from .moments import Moment, minutes_of, moment_of
from .options import Grammar, Options, shown, spellings
from .shell.command import Invocation, Output, failure
from .state import State

_GCALCLI = Grammar(
    valued=spellings(
        calendar="--calendar --cal --default-calendar",
        title="--title -t",
        when="--when --start",
        end="--end",
        duration="--duration -d",
        where="--where --location",
        notes="--description --notes",
        who="--who --attendees --attendee",
        reminder="--reminder --color --config-folder --client-id --width -w",
        details="--details",
    ),
    flags=spellings(
        quiet="--nocolor --no-color --military --nolineart --lineart --nodeclined --nostarted --refresh"
        " --nocache --conky --noprompt --nodefault-reminders --default-reminders --noweekend --monday"
        " --use-reminders",
        tsv="--tsv",
        allday="--allday --all-day",
        expert="--iamexpert --iama-expert",
        help="-h --help",
    ),
)
_GCAL = Grammar(
    valued=spellings(
        calendar="--calendar --calendar-id -c",
        start="--from --start --time-min --after",
        day="--date --day",
        end="--to --end --time-max --before --until",
        query="--query -q --search",
        limit="--max --limit --max-results -n",
        title="--title --summary -t --name",
        duration="--duration -d",
        where="--location --where",
        who="--attendees --attendee --who --guests",
        notes="--description --notes",
        id="--id --event-id --event",
        output="-o --output --format",
    ),
    flags=spellings(quiet="--json --yes -y --force", today="--today", tomorrow="--tomorrow", help="-h --help"),
)

_GCALCLI_USAGE = (
    "gcalcli agenda [START [END]] | list | search TEXT [START [END]] | calw [WEEKS] [START] | calm [START]",
    "gcalcli add --title T --when TIME [--duration MINUTES] [--where W] [--description D] [--who ADDRESS]…",
    "gcalcli quick TEXT | edit ID-OR-TEXT [--title …] | delete ID-OR-TEXT",
)
_GCAL_USAGE = (
    "gcal list-events [--from DAY] [--to DAY] [--query TEXT] [--max N] | get-event ID",
    "gcal create-event --title T --start TIME [--end TIME] [--location L] [--attendees A,B]",
    "gcal update-event ID [--title …] | delete-event ID",
)


class CalendarError(ValueError):
    """The command line cannot be carried out; the text says why."""


Handler = Callable[[State, Options, Sequence[str]], Output]


def gcalcli(invocation: Invocation) -> Output:
    """Runs one ``gcalcli`` command line."""
    return _run(invocation, "gcalcli", _GCALCLI, _GCALCLI_COMMANDS, _GCALCLI_USAGE)


def gcal(invocation: Invocation) -> Output:
    """Runs one ``gcal`` command line."""
    return _run(invocation, "gcal", _GCAL, _GCAL_COMMANDS, _GCAL_USAGE)


def _run(
    invocation: Invocation,
    program: str,
    grammar: Grammar,
    commands: dict[str, Handler],
    usage: tuple[str, ...],
) -> Output:
    options = grammar.parse(invocation.argv[1:])
    if isinstance(options, str):
        return failure(f"{program}: {options}", 2)
    if not options.words or "help" in options.flags:
        return Output(tuple(Line(row) for row in usage), exit=0 if "help" in options.flags else 2)
    handler = commands.get(options.words[0].lower())
    if handler is None:
        return Output(exit=2, errors=(f"{program}: unknown command {shown(options.words[0])}", *usage))
    try:
        return handler(invocation.state, options, options.words[1:])
    except CalendarError as error:
        return failure(f"{program}: {error}")


# Reading.


def _agenda(state: State, options: Options, words: Sequence[str]) -> Output:
    return _printed(state, options, _bounded(state, words, ""))


def _search(state: State, options: Options, words: Sequence[str]) -> Output:
    if not words:
        raise CalendarError("search needs a text")
    bounds: list[str] = []
    rest = list(words)
    while len(rest) > 1 and len(bounds) < 2 and moment_of(rest[-1], state.world.now) is not None:
        bounds.insert(0, rest.pop())
    return _printed(state, options, _bounded(state, bounds, " ".join(rest)))


def _week(state: State, options: Options, words: Sequence[str]) -> Output:
    return _printed(state, options, _bounded(state, [word for word in words if not word.isdigit()][:1], ""))


def _bounded(state: State, bounds: Sequence[str], words: str) -> Window:
    if len(bounds) > 2:
        raise CalendarError("at most a start and an end")
    start = _moment(state, bounds[0]) if bounds else None
    end = _moment(state, bounds[1]) if len(bounds) > 1 else None
    return _window(start, end, words)


def _window(start: Moment | None, end: Moment | None, words: str, inclusive: bool = False) -> Window:
    """The window between two moments. An end that only names a day is that day's beginning, or its end if
    ``inclusive`` or if nothing would be left."""
    until = end.at if end else None
    if end and end.whole_day and (inclusive or (start is not None and end.at <= start.at)):
        until = end.end
    return Window(start.at if start else None, until, words)


def _list(state: State, options: Options, words: Sequence[str]) -> Output:
    day = options.last("day") or ("today" if "today" in options.flags else "")
    if "tomorrow" in options.flags:
        day = "tomorrow"
    start = options.last("start", day) or (words[0] if words else "")
    end = options.last("end", day) or (words[1] if len(words) > 1 else "")
    window = _window(
        _moment(state, start) if start else None,
        _moment(state, end) if end else None,
        options.last("query"),
        inclusive=True,
    )
    return _printed(state, options, window)


def _get(state: State, options: Options, words: Sequence[str]) -> Output:
    event = _one(state, options.last("id") or " ".join(words))
    return Output(state.index.once(event, agenda.event_alone))


def _printed(state: State, options: Options, window: Window) -> Output:
    events = agenda.events_in(state, window)
    limit = options.last("limit")
    if limit:
        if not (limit.isascii() and limit.isdigit() and len(limit) < 7):
            raise CalendarError(f"--max is a whole number, not {shown(limit)}")
        events = agenda.by_start(events, state)[: int(limit)]
    if "tsv" in options.flags:
        return Output(tuple(_tsv(state, event) for event in agenda.by_start(events, state)))
    once = state.index.once
    return Output(tuple(listing_lines("items", [once(event, agenda.event_item) for event in events])))


def _tsv(state: State, event: Record) -> Line:
    times = state.index.once(event, agenda.times_of)
    cells = [moment.strftime(form) for moment in times for form in ("%Y-%m-%d", "%H:%M")] or ["", "", "", ""]
    cells += [str(event.data.get("title", "")), str(event.data.get("location", ""))]
    return Line("\t".join(" ".join(cell.split()) for cell in cells), agenda.refs_of(event))


def _moment(state: State, text: str) -> Moment:
    moment = moment_of(text, state.world.now)
    if moment is None:
        raise CalendarError(f"cannot read {shown(text)} as a time; write 2026-03-12 or 2026-03-12T14:00")
    return moment


def _one(state: State, name: str) -> Record:
    """The event with this id or, failing that, the only one with this text."""
    matching = _matching(state, name)
    if len(matching) > 1:
        ids = ", ".join(agenda.named(event) for event in matching[:8])
        raise CalendarError(f"{shown(name)} fits {len(matching)} events, name one by its id: {ids}")
    return matching[0]


def _matching(state: State, name: str) -> list[Record]:
    if not name.strip():
        raise CalendarError("which event? give its id or a text")
    event = find(state.events, name.strip())
    matching = [event] if event is not None else list(agenda.events_in(state, Window(words=name)))
    if not matching:
        raise CalendarError(f"no event {shown(name)}")
    return matching


# Changing.


def _add(state: State, options: Options, words: Sequence[str]) -> Output:
    title = options.last("title") or " ".join(words)
    when = options.last("when") or options.last("start") or options.last("day")
    if not title or not when:
        raise CalendarError("an event needs a title (--title) and a time (--when or --start)")
    fields = {"title": title, **_times(state, options, _moment(state, when)), **_details(options)}
    return _created(state, agenda.create(state, fields))


def _quick(state: State, options: Options, words: Sequence[str]) -> Output:
    text = " ".join(words)
    if not text:
        raise CalendarError("quick needs a text such as 'Lunch with Kim tomorrow 12:30'")
    title, start = quick_event(state, text)
    fields = {"title": title, **_times(state, options, start), **_details(options)}
    return _created(state, agenda.create(state, fields))


def quick_event(state: State, text: str) -> tuple[str, Moment]:
    """The title and start that a sentence names: its longest run of last words that is a time, else now."""
    words = text.split()
    for at in range(max(1, len(words) - 6), len(words)):
        moment = moment_of(" ".join(words[at:]), state.world.now)
        if moment is not None:
            title = words[:at]
            while len(title) > 1 and title[-1].lower() in ("on", "at", "from", "for"):
                title.pop()
            return " ".join(title), moment
    return text, Moment(state.world.now, whole_day=False)


def _created(state: State, event: Record | None) -> Output:
    if event is None:
        return failure(state.refusal())
    return Output(fragment({**event.data, "status": "confirmed"}))


def _edit(state: State, options: Options, words: Sequence[str]) -> Output:
    event = _one(state, options.last("id") or " ".join(words))
    changes: dict[str, object] = dict(_details(options))
    if options.last("title"):
        changes["title"] = options.last("title")[: agenda.MAX_FIELD]
    when = options.last("when") or options.last("start") or options.last("day")
    if when or options.last("end") or options.last("duration"):
        start = _moment(state, when or str(event.data.get("start", "")))
        times = state.index.once(event, agenda.times_of)
        length = int((times[1] - times[0]).total_seconds() // 60) if times else None
        changes |= _times(state, options, start, length)
    if not changes:
        raise CalendarError("nothing to change: give --title, --when, --where, --description or --who")
    changed = agenda.update(state, event, changes)
    return failure(state.refusal()) if changed is None else Output(agenda.event_alone(changed, state.world))


def _delete(state: State, options: Options, words: Sequence[str]) -> Output:
    name = options.last("id") or " ".join(words)
    events = _matching(state, name) if "expert" in options.flags else [_one(state, name)]
    for event in events:
        if not agenda.delete(state, event):
            return failure(state.refusal())
    return Output(tuple(Line(f"Deleted: {agenda.named(event)}") for event in events))


def _times(state: State, options: Options, start: Moment, length: int | None = None) -> dict[str, str]:
    """Start and end as an event stores them: days for an event of whole days, else timestamps."""
    given = options.last("end")
    minutes = minutes_of(options.last("duration")) if options.last("duration") else length
    if options.last("duration") and minutes is None:
        raise CalendarError(f"--duration is a number of minutes, not {shown(options.last('duration'))}")
    if "allday" in options.flags or (start.whole_day and not given and minutes is None):
        return {
            "start": start.at.date().isoformat(),
            "end": replace(start, whole_day=True).end.date().isoformat(),
        }
    end = _moment(state, given).at if given else agenda.end_after(start.at, minutes)
    if end < start.at:
        raise CalendarError("an event cannot end before it begins")
    return {"start": start.at.isoformat(), "end": end.isoformat()}


def _details(options: Options) -> dict[str, object]:
    details: dict[str, object] = {}
    if options.last("where"):
        details["location"] = options.last("where")[: agenda.MAX_FIELD]
    if options.last("notes"):
        details["notes"] = options.last("notes")[: agenda.MAX_FIELD]
    guests = [guest.strip() for value in options.all("who") for guest in value.split(",") if guest.strip()]
    return {**details, "attendees": [guest[: agenda.MAX_ADDRESS] for guest in guests[:100]]} if guests else details


_GCALCLI_COMMANDS: dict[str, Handler] = {
    "agenda": _agenda,
    "list": _agenda,
    "search": _search,
    "calw": _week,
    "calm": _week,
    "add": _add,
    "quick": _quick,
    "edit": _edit,
    "delete": _delete,
}
_GCAL_COMMANDS: dict[str, Handler] = {
    "list-events": _list,
    "list": _list,
    "events": _list,
    "get-event": _get,
    "create-event": _add,
    "update-event": _edit,
    "delete-event": _delete,
}
