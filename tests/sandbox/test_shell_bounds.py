from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench.sandbox.shell import limits
from clawbench.sandbox.state import Line

from .mock_shell import Mock

LANGUAGE = (
    r"himalaya envelope list message read 4 send echo printf cat head -1 -n grep -E -o sort uniq -c wc -l "
    r"cut -d: -f1 tr a-z A-Z sed s/a/b/ 1,2p awk {print($1)} jq . -r -n date +%F -d tomorrow seq 3 tee f "
    r"< > >> 2>&1 | || && ; & ( ) { } ! if then else fi for x in do done while read test [ ] $x ${x:-y} "
    r"$(echo `echo $((1+1)) ' <<EOF EOF <<< {1..3} {a,b} ~ AGENTS.md memory /etc/passwd X=1 export cd exit "
    r"set -e break %s\n"
)
WORDS = [*LANGUAGE.split(), '"', "\\", "\n", "#", "\u00a0", "\ud800", "\0", "é", "😀"]
FILTERS = "awk column cut date echo grep head jq ls nl printf rev sed seq sort tac tail test tr uniq wc"


def check(command: str) -> None:
    mock = Mock()
    result = mock.run(command)
    assert 0 <= result.exit <= 255
    assert sum(len(line.text) + 1 for line in result.lines) <= limits.MAX_OUTPUT
    assert all("\n" not in line.text for line in result.lines)
    assert all(isinstance(line, Line) and type(line.records) is tuple for line in result.lines)
    assert Mock().run(command) == result


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_any_sentence_of_the_language_has_a_result(command):
    check(command)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([*WORDS, " ", "\n"]), max_size=30).map("".join))
def test_any_jumble_of_its_pieces_has_a_result(command):
    check(command)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=60))
def test_any_text_has_a_result(command):
    check(command)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.sampled_from(FILTERS.split()),
    st.lists(st.text("-nEocdfk:,/\\[]()*+?.{}^$|&%s'ab01= ", max_size=8), max_size=4),
)
def test_any_arguments_of_a_filter_have_a_result(name, arguments):
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in arguments)
    check(f"himalaya envelope list | {name} {quoted}")


@pytest.mark.parametrize(
    "command",
    [
        "$(" * 10_000,
        "(" * 30_000,
        '"$(' * 8_000,
        "${a:-" * 6_000,
        "{ " * 15_000,
        "if " * 10_000,
        "`" * 30_001,
        "$((" + "(" * 20_000,
        "a;" * 16_000,
        "<<a " * 8_000,
        "echo {1..999999999}",
        "echo " + "{a,b}" * 30,
        "echo " + "x" * limits.MAX_COMMAND,
        "é" * 20_000,
    ],
)
def test_huge_texts_are_refused_or_harmless(command):
    result = Mock().run(command)
    assert result.exit in (0, 2, 127)
    assert sum(len(line.text) for line in result.lines) < 1000


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("while true; do himalaya message send; done", "more than 256 commands"),
        ("until false; do :; done", "more than 256 commands"),
        ("for i in {1..250}; do for j in {1..250}; do X=1; done; done", "more than 256 commands"),
        ("while X=; do X=; done", "more than 256 commands"),
        ("X=aaaaaaaaaaaaaaaa; for i in {1..40}; do X=$X$X; done", "stopped"),
        ('X=a; for i in {1..40}; do X="$X $X"; done; echo $X', "stopped"),
        ("printf '%1000s' {1..250} > f; cat f f f f f f f f > g; cat g g g g g g", "stopped"),
        ("printf '%1000s' {1..250} | sed 's/ /" + "y" * 1000 + "/g'", "more than 1 MiB"),
        ("printf '%1000s' {1..250} | awk '{print $0 $0 $0 $0 $0 $0}'", "more than 1 MiB"),
        ("printf '%1000s' {1..250} | tr ' ' '\\n'", "more than 20000 lines"),
        ("seq 19000 > f; cat f f", "more than 20000 lines"),
        ("for i in {1..100}; do jq -n 1; done", "more than 64 runs of jq"),
        (
            "printf '%1000s' {1..250} | tr ' ' a > f; for i in {1..99}; do grep -E '(a.{0,50}b)' f; done",
            "too much text",
        ),
    ],
)
def test_hostile_commands_stop_at_a_bound(command, reason):
    mock = Mock()
    first, second = mock.run(command), Mock().run(command)
    assert first == second
    assert first.exit == 1
    assert reason in first.lines[-1].text
    assert len(mock.sent) <= limits.MAX_COMMANDS


def test_what_was_done_before_a_bound_stays():
    mock = Mock()
    result = mock.run("himalaya message send a; while true; do :; done; himalaya message send b")
    assert mock.sent == ["a"]
    assert result.lines[0].text == "sent"


def test_long_output_is_cut_and_says_so():
    mock = Mock()
    result = mock.run("printf '%50s|\\n' {1..200} > f; for i in 1 2 3 4; do cat f; done")
    assert sum(len(line.text) + 1 for line in result.lines) <= limits.MAX_OUTPUT
    assert result.lines[-1] == Line(limits.TRUNCATED)
    assert result.lines[-2].derived
    assert mock.run("seq 10").lines[-1] == Line("10")


def test_printf_widths_are_capped():
    assert len(Mock().text("printf '%999999999d' 1")) == 1000
    assert len(Mock().text("printf '%.999999999f' 1")) == 52
    assert len(Mock().text("printf '%*s' 999999 x")) == 1000


def test_a_pattern_that_is_too_big_is_an_error():
    result = Mock().run("grep -E '(a.{0,900}b){1,3}' AGENTS.md")
    assert result.exit == 2
    assert result.lines[0].text.startswith("grep: ")
