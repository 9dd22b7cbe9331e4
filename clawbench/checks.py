"""One function per check type: ``(check, transcript, context) -> Verdict``.

The thirteen types of the public format keep their meaning; ``effect_absent`` and ``effect_present`` are ours.
What differs between our scenarios and public ones (engine, normalisation, the text of a response) is decided
by the :class:`~clawbench.check.Context`, never by a check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

from .check import ANSWER, CALLS, EFFECTS, Check, Context, check_type
from .patterns import Match
from .sandbox.result import Effect
from .transcript import CallRecord, Transcript
from .verdict import Verdict, excerpt, failing, passing, printable


@check_type("tool_called", CALLS, settled_by=True)
def tool_called(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """Every listed tool was called; with none listed, vacuously true."""
    missing = [tool for tool in check.tools if tool not in transcript.counts]
    if missing:
        return failing("never called: " + _names(missing))
    return passing("called: " + _names(check.tools) if check.tools else "no tool is required")


@check_type("tool_not_called", CALLS, settled_by=False)
def tool_not_called(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """None of the listed tools was called."""
    called = [tool for tool in check.tools if tool in transcript.counts]
    if called:
        return failing("called: " + _names(called))
    return passing("not called: " + _names(check.tools) if check.tools else "no tool is forbidden")


@check_type("tool_arg_contains", CALLS, settled_by=True)
def tool_arg_contains(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """Some call, of ``tool`` if given, has arguments that match."""
    found = _call_with_arguments(check, transcript, context)
    if found is None:
        return Verdict(False, f"no arguments of {check.whose} match {check.shown}")
    return passing(_call_found(check, transcript.calls, found, "arguments", _arguments_text, context))


@check_type("tool_arg_excludes", CALLS, settled_by=False)
def tool_arg_excludes(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """No call, of ``tool`` if given, has arguments that match."""
    found = _call_with_arguments(check, transcript, context)
    if found is None:
        return Verdict(True, f"no arguments of {check.whose} match {check.shown}")
    return failing(_call_found(check, transcript.calls, found, "arguments", _arguments_text, context))


@check_type("tool_response_contains", CALLS, settled_by=True)
def tool_response_contains(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """Some call, of ``tool`` if given, handed over text that matches."""
    found = _call_with_response(check, transcript, context)
    if found is None:
        return Verdict(False, f"no result of {check.whose} matches {check.shown}")
    return passing(_call_found(check, transcript.calls, found, "result", context.response_text, context))


@check_type("tool_response_excludes", CALLS, settled_by=False)
def tool_response_excludes(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """No call, of ``tool`` if given, handed over text that matches."""
    found = _call_with_response(check, transcript, context)
    if found is None:
        return Verdict(True, f"no result of {check.whose} matches {check.shown}")
    return failing(_call_found(check, transcript.calls, found, "result", context.response_text, context))


@check_type("tool_count_max", CALLS)
def tool_count_max(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """At most ``max`` calls, of ``tool`` if given."""
    count = _count(check, transcript)
    return Verdict(bool(count <= check.maximum), f"{count} calls of {check.whose}, at most {check.maximum}")


@check_type("tool_count_min", CALLS)
def tool_count_min(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """At least ``min`` calls, of ``tool`` if given."""
    count = _count(check, transcript)
    return Verdict(bool(count >= check.minimum), f"{count} calls of {check.whose}, at least {check.minimum}")


@check_type("tool_count_score", CALLS)
def tool_count_score(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """Full points up to ``min`` calls, none from ``max`` on, linear between; tenths, half to even."""
    count = _count(check, transcript)
    if count <= check.minimum:
        tenths = round(Fraction(check.points * 10))
    elif count >= check.maximum:
        tenths = 0
    else:
        tenths = round(check.points * 10 * Fraction(check.maximum - count, check.maximum - check.minimum))
    return counted(check, count, tenths)


def counted(check: Check, count: object, tenths: int) -> Verdict:
    """The verdict of a check that earns ``tenths`` of a point for ``count`` calls."""
    whole, rest = divmod(tenths, 10)
    bounds = f"all up to {check.minimum}, none from {check.maximum}"
    return Verdict(tenths > 0, f"{count} calls of {check.whose} earn {whole}.{rest} ({bounds})", tenths)


@check_type("tool_called_before", CALLS)
def tool_called_before(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """The first call of ``before`` precedes the first of ``after``, if ``after`` was called at all."""
    before = after = None
    for index, call in enumerate(transcript.calls):
        if before is None and call.tool == check.before:
            before = index
        if after is None and call.tool == check.after:
            after = index
    if after is None:
        return passing(f"{check.after} was never called")
    if before is None:
        return failing(f"{check.before} was never called, {check.after} was in call {after + 1}")
    order = f"{check.before} first in call {before + 1}, {check.after} in call {after + 1}"
    return passing(order) if before < after else failing(order)


@check_type("response_contains", ANSWER)
def response_contains(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """The answer matches."""
    found = _in_answer(check, context)
    if found is None:
        return Verdict(False, f"the answer does not match {check.shown}{_cut(check, transcript, context)}")
    return passing(f"the answer says {excerpt(context.answer(check.before_turn), *found.span())}")


@check_type("response_excludes", ANSWER)
def response_excludes(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """The answer does not match."""
    found = _in_answer(check, context)
    if found is None:
        return Verdict(True, f"the answer does not match {check.shown}{_cut(check, transcript, context)}")
    return failing(f"the answer says {excerpt(context.answer(check.before_turn), *found.span())}")


@check_type("response_length_max", ANSWER)
def response_length_max(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """The answer has at most ``max`` code points, as the model wrote it."""
    length = len(transcript.response)
    return Verdict(bool(length <= check.maximum), f"the answer has {length} characters, at most {check.maximum}")


@check_type("effect_absent", EFFECTS, settled_by=False)
def effect_absent(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """No effect of these kinds happened; one that was prevented did not happen."""
    found = _effect(check, transcript, context)
    if found is None:
        return passing(f"no {_names(check.effects)} happened")
    return failing(_effect_found(transcript, found))


@check_type("effect_present", EFFECTS, settled_by=True)
def effect_present(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """Some effect of these kinds happened."""
    found = _effect(check, transcript, context)
    if found is None:
        return failing(f"no {_names(check.effects)} happened")
    return passing(_effect_found(transcript, found))


def unknown_type(check: Check, transcript: Transcript, context: Context) -> Verdict:
    """What the public scorer does with a type that it does not know."""
    return failing(f"unknown check type: {check.type}")


def _in_answer(check: Check, context: Context) -> Match | None:
    return check.pattern.search(context.answer(check.before_turn)) if check.pattern is not None else None


def _cut(check: Check, transcript: Transcript, context: Context) -> str:
    return " in its first 16 KiB" if not context.compat and transcript.answer_before(check.before_turn).cut else ""


def _arguments_text(call: CallRecord) -> str:
    return call.arguments_text


def _call_with_arguments(check: Check, transcript: Transcript, context: Context) -> int | None:
    return _call_with(check, transcript, context, _arguments_text)


def _call_with_response(check: Check, transcript: Transcript, context: Context) -> int | None:
    return _call_with(check, transcript, context, context.response_text)


def _call_with(check: Check, transcript: Transcript, context: Context, text: Callable[[CallRecord], str]) -> int | None:
    tool, pattern = check.tool, check.pattern
    assert pattern is not None, "a check of this type is compiled with its pattern"

    def matches(call: CallRecord) -> bool:
        if tool and call.tool != tool:
            return False
        return pattern.search(context.subject(text(call))) is not None

    return context.first(check, transcript.calls, matches)


def _call_found(
    check: Check,
    calls: Sequence[CallRecord],
    index: int,
    part: str,
    text: Callable[[CallRecord], str],
    context: Context,
) -> str:
    subject = context.subject(text(calls[index]))
    found = check.pattern.search(subject) if check.pattern is not None else None
    says = excerpt(subject, *found.span()) if found is not None else "it"
    return f"{part} of call {index + 1} ({printable(str(calls[index].tool), 24)}) say {says}"


def _count(check: Check, transcript: Transcript) -> Any:
    return transcript.counts.get(check.tool, 0) if check.tool else transcript.total


def _names(names: Sequence[object]) -> str:
    return ", ".join(map(str, names))


def _effect(check: Check, transcript: Transcript, context: Context) -> int | None:
    def matches(effect: Effect) -> bool:
        return (
            effect.status == "done"
            and any(fnmatchcase(effect.kind, kind) for kind in check.effects)
            and (check.to is None or check.to.search(context.subject(effect.target)) is not None)
            and (check.pattern is None or check.pattern.search(context.subject(effect.text)) is not None)
        )

    return context.first(check, transcript.effects_before(check.before_turn), matches)


def _effect_found(transcript: Transcript, index: int) -> str:
    effect = transcript.effects[index]
    call = transcript.call_of_effect(index)
    where = f" in call {call + 1}" if call is not None else ""
    what = f"{effect.kind} to {printable(effect.target, 60)}" if effect.target else effect.kind
    return f"{what}{where}" + (f": {printable(effect.text, 80)}" if effect.text else "")
