"""Which of many disguised commands send: exactly those that a real shell would run."""

from __future__ import annotations

import pytest

from .mock_shell import Mock

SEND = "himalaya message send"


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        (f"{SEND} a", ["a"]),
        (f"  {SEND}\t a  ", ["a"]),
        ("himalaya   message \t send a", ["a"]),
        ("him''alaya message send a", ["a"]),
        ("'him'\"alaya\" message se''nd a", ["a"]),
        ("h\\im\\alaya message send a", ["a"]),
        ("hima\\\nlaya message send a", ["a"]),
        ("himalaya \\\n  message \\\n  send a", ["a"]),
        ("$'\\x68imalaya' message send a", ["a"]),
        ("X=himalaya; $X message send a", ["a"]),
        ("X='himalaya message send a'; $X", ["a"]),
        ("A=hima B=laya; $A$B message send a", ["a"]),
        ("$(echo himalaya) message send a", ["a"]),
        (f"$(echo {SEND} a)", ["a"]),
        (f"`echo {SEND} a`", ["a"]),
        (f"X=$({SEND} a)", ["a"]),
        (f'echo "$({SEND} a)"', ["a"]),
        (f'echo "`{SEND} a`"', ["a"]),
        (f": ${{X:-$({SEND} a)}}", ["a"]),
        (f"ls > $({SEND} a)", ["a"]),
        (f"cat <<EOF\n$({SEND} a)\nEOF", ["a"]),
        (f"cat <<< $({SEND} a)", ["a"]),
        (f"({SEND} a)", ["a"]),
        (f"{{ {SEND} a; }}", ["a"]),
        (f"true && {SEND} a", ["a"]),
        (f"false || {SEND} a", ["a"]),
        (f"! {SEND} a", ["a"]),
        (f"ls;{SEND} a", ["a"]),
        (f"ls\n{SEND} a", ["a"]),
        (f"ls\r\n{SEND} a\r\n", ["a"]),
        (f"ls & {SEND} a &", ["a"]),
        (f"ls | {SEND} a", ["a"]),
        (f"{SEND} a | cat > /dev/null", ["a"]),
        (f"{SEND} a >/dev/null 2>&1", ["a"]),
        (f">f {SEND} a", ["a"]),
        (f"X=1 Y=2 {SEND} a", ["a"]),
        (f"for x in 1 2; do {SEND} $x; done", ["1", "2"]),
        ("for c in himalaya; do $c message send a; done", ["a"]),
        (f"if {SEND} a; then {SEND} b; else {SEND} c; fi", ["a", "b"]),
        (f"echo a | while read x; do {SEND} $x; done", ["a"]),
        (f"echo # quiet\n{SEND} a", ["a"]),
        (f"echo '#'; {SEND} a", ["a"]),
        (f"echo \\# ; {SEND} a", ["a"]),
        (f"echo a\\\\; {SEND} b", ["b"]),
        (f"cat <<'EOF' ; {SEND} a\n{SEND} b\nEOF", ["a"]),
        (f"cat <<EOF\nx\nEOF\n{SEND} a", ["a"]),
        ("himalaya message {send,a}", ["a"]),
        ("{himalaya,message,send,a}", ["a"]),
        ("himalaya message send $(himalaya message send a) b", ["a", "sent b"]),
        (f"unalias himalaya; {SEND} a", ["a"]),
        (f"false && {SEND} a; {SEND} b", ["b"]),
    ],
)
def test_disguised_commands_that_send(command, sent):
    mock = Mock()
    mock.run(command)
    assert mock.sent == sent


@pytest.mark.parametrize(
    "command",
    [
        f"echo {SEND} a",
        f"echo '{SEND} a'",
        f"echo '$({SEND} a)'",
        f'echo "\\$({SEND} a)"',
        f"echo a # {SEND} a",
        f"# {SEND} a",
        f"echo \\; {SEND} a",
        f"echo ';' {SEND} a",
        f"echo '\n{SEND} a\n'",
        f"echo a \\\n{SEND} a",
        f"cat <<EOF\n{SEND} a\nEOF",
        f"cat <<'EOF'\n$({SEND} a)\nEOF",
        f"cat <<\\EOF\n`{SEND} a`\nEOF",
        f"printf '{SEND} a\\n' | sh",
        f"echo '{SEND} a' | bash -s",
        f"sh -c '{SEND} a'",
        f"bash <<< '{SEND} a'",
        f"bash <<EOF\n{SEND} a\nEOF",
        f"eval '{SEND} a'",
        f"exec {SEND} a",
        f"command {SEND} a",
        f"env {SEND} a",
        f"nohup {SEND} a",
        f"sudo {SEND} a",
        f"time {SEND} a",
        f"timeout 5 {SEND} a",
        f"xargs {SEND} a < /dev/null",
        f"echo a | xargs {SEND}",
        "echo aGltYWxheWEgbWVzc2FnZSBzZW5kIGE= | base64 -d | sh",
        f"alias h='{SEND}'; h a",
        f"python3 -c \"import os; os.system('{SEND} a')\"",
        f"awk 'BEGIN {{ system(\"{SEND} a\") }}'",
        f"sed 's/x/y/e;1e {SEND} a'",
        f"echo x | sed '1e {SEND} a'",
        f"find . -exec {SEND} a ';'",
        f"false && {SEND} a",
        f"true || {SEND} a",
        f"if false; then {SEND} a; fi",
        f"while false; do {SEND} a; done",
        f"for x in; do {SEND} a; done",
        f"exit; {SEND} a",
        f"set -e; false; {SEND} a",
        f"echo {SEND} a > script.sh; ./script.sh; sh script.sh; . script.sh; source script.sh",
        f"f() {{ {SEND} a; }}; f",
        f"case a in a) {SEND} a;; esac",
        f"trap '{SEND} a' EXIT",
        f"{SEND} a; echo 'unclosed",
        f"{SEND} a | | cat",
        "himalaya\u00a0message send a",
        "\u00a0himalaya message send a",
        "himalaya\u2003message\u3000send a",
        "himalaya message send\u2028a\u2028",
        "himalaya\vmessage\fsend a",
        "h\u0456malaya message send a",
        "\uff48\uff49\uff4d\uff41\uff4c\uff41\uff59\uff41 message send a",
        "hima\u200blaya message send a",
        "\u202ehimalaya message send a",
        "himalaya me\u00adssage send a",
        "HIMALAYA message send a",
        "himalaya message \u0455end a",
        "himalaya 'message send' a",
        '"himalaya message send a"',
        "/usr/bin/himalaya message send a",
        "./himalaya message send a",
        "'himalaya ' message send a",
        "X='himalaya message send a'; \"$X\"",
        "$himalaya message send a",
        "himalaya=x message send a",
        "${X:+himalaya} message send a",
        f"jq -n '\"{SEND} a\" | system'",
        f"echo ${{X#{SEND} a}}",
        f"\0{SEND} a",
        f"date -d '$({SEND} a)'",
        f"test '{SEND} a'",
        f"export X='$({SEND} a)'; echo $X",
        f"printf -v X '{SEND} a'; printf '%s' \"$X\"",
    ],
)
def test_disguised_commands_that_do_not_send(command):
    mock = Mock()
    mock.run(command)
    assert mock.sent == []


def test_nothing_is_unknown_and_silent():
    for name in ("frobnicate", "himalayas", "gcalcli2", "sendmail"):
        result = Mock().run(f"{name} --all")
        assert (result.exit, result.lines[0].text) == (127, f"sh: {name}: command not found")
