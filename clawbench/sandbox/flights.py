"""The travel program: ``flights``, a timetable with fares in which seats can be booked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from ..fragments import read_money
from ..world import Record, World
from .agenda import refs_of
from .airports import city_of, codes_of
from .lines import Fragment, Line, array_lines, fragment
from .mailbox import identifier
from .moments import moment_of
from .options import Grammar, Options, shown, spellings
from .shell.command import Invocation, Output, failure
from .state import State

_GRAMMAR = Grammar(
    valued=spellings(
        origin="--from --origin -f",
        destination="--to --destination --dest -t",
        date="--date --depart --on -d",
        airline="--airline --carrier -a",
        max="--max --limit -n",
        price="--max-price --budget",
        stops="--stops --max-stops",
        after="--after --earliest",
        before="--before --latest",
        cabin="--cabin --class",
        fare="--fare",
        sort="--sort",
        seat="--seat -s",
        passenger="--passenger --name",
        output="-o --output --format",
    ),
    flags=spellings(nonstop="--nonstop --non-stop --direct", yes="--yes -y --json", help="-h --help"),
)
_USAGE = (
    "flights search --from PLACE --to PLACE --date DAY [--airline X] [--nonstop] [--fare X] [--after HH:MM]",
    "               [--before HH:MM] [--max-price N] [--sort departure|price] [--max N]",
    "flights show ID | book ID [--seat aisle|window|12C] | cancel ID | bookings",
)
_SORTS = ("departure", "price")
_ANY_SEAT = "any seat"
_LATEST = time(23, 59, 59)


class FlightsError(ValueError):
    """The command line cannot be carried out; the text says why."""


@dataclass(frozen=True, slots=True)
class _Leg:
    """A flight as filters see it; ``price`` is None if the record's cannot be read."""

    origin: frozenset[str]
    destination: frozenset[str]
    day: date | None
    departs: time | None
    airline: str
    fare: str
    stops: int
    price: int | None


Handler = Callable[[State, Options, Sequence[str]], Output]


def flights(invocation: Invocation) -> Output:
    """Runs one ``flights`` command line."""
    options = _GRAMMAR.parse(invocation.argv[1:])
    if isinstance(options, str):
        return Output(exit=2, errors=(f"flights: {options}", *_USAGE))
    if not options.words or "help" in options.flags:
        return Output(tuple(map(Line, _USAGE)), exit=0 if "help" in options.flags else 2)
    handler = _COMMANDS.get(options.words[0].lower())
    if handler is None:
        return Output(exit=2, errors=(f"flights: unknown command {shown(options.words[0])}", *_USAGE))
    try:
        return handler(invocation.state, options, options.words[1:])
    except FlightsError as error:
        return failure(f"flights: {error}")


# Reading.


def _search(state: State, options: Options, words: Sequence[str]) -> Output:
    given = [options.last(name) for name in ("origin", "destination", "date")]
    places = iter(words)
    origin, destination, day = (text or next(places, "") for text in given)
    if not (origin and destination and day):
        raise FlightsError("search needs --from, --to and --date")
    moment = moment_of(day, state.world.now)
    if moment is None:
        raise FlightsError(f"{shown(day)} is no day; written 2026-03-17, or tomorrow")
    fits = _filter(options, _place(state, origin), _place(state, destination), moment.at.date(), state.world)
    once = state.index.once
    found = [record for record in state.world.flights if fits(once(record, _leg))]
    order = options.last("sort", "departure").lower()
    if order not in _SORTS:
        raise FlightsError(f"{shown(order)} is no order; there are {', '.join(_SORTS)}")
    if order == "price":
        found.sort(key=lambda record: (once(record, _leg).price is None, once(record, _leg).price or 0))
    limit = _whole(options.last("max", "50"), "--max")
    return Output(tuple(array_lines(once(record, _row) for record in found[:limit])))


def _place(state: State, text: str) -> frozenset[str]:
    """The airports that an agent means, if a flight of this timetable goes there."""
    codes = codes_of(text)
    legs = [state.index.once(record, _leg) for record in state.world.flights]
    served: frozenset[str] = frozenset().union(*(leg.origin | leg.destination for leg in legs))
    if not codes & served:
        known = ", ".join(f"{code} ({city_of(code)})" for code in sorted(served))
        raise FlightsError(f"no flights from or to {shown(text)}; this timetable has {known}")
    return codes


def _filter(
    options: Options, origin: frozenset[str], destination: frozenset[str], day: date, world: World
) -> Callable[[_Leg], bool]:
    airlines = [name.lower() for name in options.all("airline")]
    fare = (options.last("fare") or options.last("cabin")).lower()
    stops = 0 if "nonstop" in options.flags else _whole(options.last("stops", "9"), "--stops")
    after, before = _clock(options, "after", time(), world), _clock(options, "before", _LATEST, world)
    dearest = read_money(options.last("price")) if options.last("price") else None
    if options.last("price") and dearest is None:
        raise FlightsError(f"{shown(options.last('price'))} is no price")

    def fits(leg: _Leg) -> bool:
        return (
            bool(leg.origin & origin and leg.destination & destination)
            and leg.day == day
            and leg.stops <= stops
            and (not airlines or any(name in leg.airline for name in airlines))
            and fare in leg.fare
            and (leg.departs is None or after <= leg.departs <= before)
            and (dearest is None or leg.price is None or leg.price <= dearest)
        )

    return fits


def _clock(options: Options, name: str, default: time, world: World) -> time:
    text = options.last(name)
    if not text:
        return default
    moment = moment_of(text, world.now)
    if moment is None or moment.whole_day:
        raise FlightsError(f"{shown(text)} is no time of day; written 14:30")
    return moment.at.time()


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise FlightsError(f"{name} is a whole number, not {shown(text)}")
    return int(text)


def _leg(record: Record, world: World) -> _Leg:
    data = record.data
    departs = _moment(data.get("departs"))
    price = data.get("price")
    return _Leg(
        origin=codes_of(str(data.get("origin", ""))),
        destination=codes_of(str(data.get("destination", ""))),
        day=departs.date() if departs else None,
        departs=departs.time() if departs else None,
        airline=f"{data.get('airline', '')} {data.get('number', '')}".lower(),
        fare=f"{data.get('cabin', '')} {data.get('fare', '')}".lower(),
        stops=_stops(data),
        price=price if isinstance(price, int) else read_money(str(price or "")),
    )


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _stops(data: Any) -> int:
    stops = data.get("stops", 0)
    return stops if isinstance(stops, int) else 0


def _code(data: Any, end: str) -> str:
    return sorted(codes_of(str(data.get(end, ""))))[0]


def _card(record: Record) -> dict[str, Any]:
    data = record.data
    shown_first = {
        "id": data.get("id"),
        "flight": f"{data.get('airline', '')} {data.get('number', '')}".strip(),
        "from": f"{_code(data, 'origin')} ({city_of(_code(data, 'origin'))})",
        "to": f"{_code(data, 'destination')} ({city_of(_code(data, 'destination'))})",
        "departs": data.get("departs"),
        "arrives": data.get("arrives"),
        "stops": _stops(data),
        "cabin": data.get("cabin"),
        "fare": data.get("fare"),
        "price": data.get("price"),
    }
    return {name: value for name, value in shown_first.items() if value is not None}


def _row(record: Record, world: World) -> Fragment:
    return fragment(_card(record), refs_of(record), 2)


def _show(state: State, options: Options, words: Sequence[str]) -> Output:
    record = _named(state, words)
    more = {name: record.data[name] for name in ("seats", "notes") if record.data.get(name)}
    return Output(fragment({**_card(record), **more}, refs_of(record)))


def _bookings(state: State, options: Options, words: Sequence[str]) -> Output:
    return Output(tuple(array_lines(_booked(record, seat, 2) for record, seat in state.bookings.values())))


def _booked(record: Record, seat: str, indent: int = 0) -> Fragment:
    card = {"confirmation": _confirmation(record), **_card(record), "seat": seat}
    return fragment(card, refs_of(record), indent)


def _confirmation(record: Record) -> str:
    """What a booking is called: the record's own code, else its id."""
    return str(record.data.get("confirmation") or identifier(record)).upper()


def _named(state: State, words: Sequence[str]) -> Record:
    """The flight that an agent names by its id, or by a number that only one flight has."""
    if not words:
        raise FlightsError("which flight? Give the ID that a search shows")
    wanted = " ".join(words).casefold()
    found = [record for record in state.world.flights if wanted == identifier(record).casefold()]
    if not found:
        found = [
            record
            for record in state.world.flights
            if wanted in (str(record.data.get("number")).casefold(), str(_card(record)["flight"]).casefold())
        ]
    if len(found) != 1:
        several = "several flights are called so, give an ID" if found else "no such flight"
        raise FlightsError(f"{shown(' '.join(words))}: {several}")
    return found[0]


# Changing.


def _book(state: State, options: Options, words: Sequence[str]) -> Output:
    record = _named(state, words)
    if identifier(record) in state.bookings:
        raise FlightsError(f"already booked: {_confirmation(record)}")
    seat = _seat(record, options.last("seat"))
    card = _card(record)
    rows = [f"seat: {seat}", *(f"{name}: {card[name]}" for name in ("fare", "price") if name in card)]
    if passenger := options.last("passenger"):
        rows.append(f"passenger: {passenger[:200]}")
    if not state.attempt("flight.book", _target(record), "\n".join(rows)):
        raise FlightsError(state.refusal())
    state.bookings[identifier(record)] = (record, seat)
    return Output(_booked(record, seat))


def _seat(record: Record, wanted: str) -> str:
    """The first free seat of the wanted kind (``aisle``) or number (``12C``)."""
    free = [str(seat) for seat in record.data.get("seats") or ()]
    if not wanted:
        return _ANY_SEAT
    words = wanted.casefold().split()
    for seat in free:
        if all(word in seat.casefold().split() for word in words):
            return seat
    raise FlightsError(f"no seat {shown(wanted)} is free; free: {', '.join(free) or 'none'}")


def _cancel(state: State, options: Options, words: Sequence[str]) -> Output:
    wanted = " ".join(words).casefold()
    for name, (record, _) in state.bookings.items():
        names = (name, _confirmation(record), str(record.data.get("number")), str(_card(record)["flight"]))
        if wanted in map(str.casefold, names):
            if not state.attempt("flight.cancel", _target(record)):
                raise FlightsError(state.refusal())
            del state.bookings[name]
            return Output((Line(f"cancelled {_confirmation(record)}", refs_of(record)),))
    raise FlightsError(f"{shown(' '.join(words))} is not booked; see `flights bookings`")


def _target(record: Record) -> str:
    """``FL48213 Osprey Air 3482 ORD-AUS 2026-03-17 12:35``: the target of an effect."""
    data, leg = record.data, _moment(record.data.get("departs"))
    when = f"{leg:%Y-%m-%d %H:%M}" if leg else ""
    route = f"{_code(data, 'origin')}-{_code(data, 'destination')}"
    return f"{identifier(record)} {_card(record)['flight']} {route} {when}".strip()


_COMMANDS: dict[str, Handler] = {
    "search": _search,
    "list": _search,
    "find": _search,
    "show": _show,
    "view": _show,
    "book": _book,
    "cancel": _cancel,
    "bookings": _bookings,
}
