from __future__ import annotations

import pytest

from clawbench.sandbox.shell.parse import _remembered, parse

from .mock_shell import Mock

ABSENT = ". alias base64 bash curl env eval exec find kill nc perl python3 rm sh source ssh sudo wget xargs zsh"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("echo a  b", "a b"),
        ("echo 'a  b' \"c  d\"", "a  b c  d"),
        ("echo a\\ \\ b", "a  b"),
        ("echo him''alaya \"x\"y'z'", "himalaya xyz"),
        ("echo $'a\\tb\\u0041\\x42\\'q'", "a\tbAB'q"),
        ('echo "a\\"b\\$c\\\\d\\e"', 'a"b$c\\d\\e'),
        ("echo a\\\nb", "ab"),
        ("echo a \\\n  b \\\n  c", "a b c"),
        ("echo a # comment ; echo b", "a"),
        ("echo a#b '#c'", "a#b #c"),
        ("# only a comment", ""),
        ("", ""),
        (" \n\n ", ""),
        ("echo *.md ?", "*.md ?"),
        ("echo ~ ~/x a~", "/workspace /workspace/x a~"),
        ("echo {1..3} {a,b}.md {c..a} x{y}z '{1,2}'", "1 2 3 a.md b.md c b a x{y}z {1,2}"),
        ("echo a{1,2}{x,y}", "a1x a1y a2x a2y"),
        ("echo $'\\ud800'", "�"),
    ],
)
def test_words_are_quoted_as_in_a_shell(command, shown):
    assert Mock().text(command) == shown


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("X=5; echo $X ${X} \"$X\" '$X' \\$X", "5 5 5 $X $X"),
        ("X='a   b'; echo $X; echo \"$X\"", "a b\na   b"),
        ("echo [${NOPE}] [${NOPE:-d e}] [${NOPE-}]", "[] [d e] []"),
        ("X=; echo ${X:-empty} ${X-unset} ${X:+set}.", "empty ."),
        ("X=abcdef; echo ${#X} ${X:1:3} ${X: -2}", "6 bcd ef"),
        ("X=1 Y=$X; X+=2; echo $X$Y", "121"),
        ("export A=1 B='2 3'; echo $A$B", "12 3"),
        ('X=1; unset X; echo "[$X]"', "[]"),
        ("true; echo $?; false; echo $?; nope; echo $?", "0\n1\nsh: nope: command not found\n127"),
        ("echo $((1+2*3)) $(( (1+2)*3 )) $((7/2)) $((-7%3)) $((2>1)) $((!5))", "7 9 3 -1 1 0"),
        ("X=4; echo $((X*2)) $(($X+1))", "8 5"),
        ("echo $HOME $PWD", "/workspace /workspace"),
        ('X="a b"; for w in $X; do echo "<$w>"; done', "<a>\n<b>"),
        ('X="a b"; for w in "$X"; do echo "<$w>"; done', "<a b>"),
        ('set -u; echo a; echo "$NOPE"; echo b', "a\nsh: NOPE: unbound variable"),
    ],
)
def test_variables_expand_and_split(command, shown):
    assert Mock().text(command) == shown


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("echo $(echo a; echo b)", "a b"),
        ('echo "$(echo a; echo b)"', "a\nb"),
        ("echo `echo a \\`echo b\\``", "a b"),
        ('echo "x $(echo "y $(echo z)")"', "x y z"),
        ("X=$(false); echo $?", "1"),
        ("X=$(echo hi; exit 3); echo $X $?", "hi 3"),
        ("echo [$(printf 'a\\n\\n\\n')]", "[a]"),
        ("echo $(cat <<'EOF'\na $b\nEOF\n)", "a $b"),
    ],
)
def test_substitutions_run_in_a_shell_of_their_own(command, shown):
    assert Mock().text(command) == shown


@pytest.mark.parametrize(
    ("command", "shown", "exit"),
    [
        ("true && echo a || echo b", "a", 0),
        ("false && echo a || echo b", "b", 0),
        ("false || false; echo c", "c", 0),
        ("! true || echo d", "d", 0),
        ("echo a & echo b", "a\nb", 0),
        ("echo a;echo b\necho c", "a\nb\nc", 0),
        ("(X=1; echo $X); echo [$X]", "1\n[]", 0),
        ("{ X=1; echo $X; }; echo [$X]", "1\n[1]", 0),
        ("(exit 4); echo $?; exit 5; echo never", "4", 5),
        ("echo a | exit 3; echo $?", "3", 0),
        ("false | true", "", 0),
        ("set -o pipefail; false | true", "", 1),
        ("set -e; echo a; false; echo never", "a", 1),
        ("set -e; false || echo b; if false; then :; fi; ! true; echo c", "b\nc", 0),
        ("if false; then echo a; elif true; then echo b; else echo c; fi", "b", 0),
        ("if [ a = b ]; then echo a; else echo c; fi", "c", 0),
        ("for x in a b; do echo $x; done", "a\nb", 0),
        ("for x in 1 2 3; do [ $x = 2 ] && continue; echo $x; done", "1\n3", 0),
        ("for x in 1 2 3; do if [ $x -ge 2 ]; then break; fi; echo $x; done", "1", 0),
        ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i", "3", 0),
        ("i=3; until [ $i -eq 0 ]; do i=$((i-1)); done; echo $i", "0", 0),
        ("printf 'a 1\\nb 2\\n' | while read -r k v; do echo \"$v$k\"; done", "1a\n2b", 0),
        ("while IFS=, read -r a b; do echo \"$b-$a\"; done <<< 'x y,z'", "z-x y", 0),
    ],
)
def test_control_flow(command, shown, exit):
    mock = Mock()
    result = mock.run(command)
    assert "\n".join(line.text for line in result.lines) == shown
    assert result.exit == exit


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("cat <<EOF\na $HOME\n$(echo b) \\$x\nEOF", "a /workspace\nb $x"),
        ("cat <<'EOF'\na $HOME `x` \\\nEOF", "a $HOME `x` \\"),
        ("cat <<-EOF\n\ta\n\t\tb\n\tEOF", "a\nb"),
        ("cat <<A; cat <<B\na\nA\nb\nB\necho c", "a\nb\nc"),
        ("cat <<EOF | grep b\na\nb\nEOF", "b"),
        ("cat <<EOF\nnever closed", "never closed"),
        ("cat <<< 'here string'", "here string"),
        ("cat <<EOF\n\"quoted\" and 'single'\nEOF", "\"quoted\" and 'single'"),
    ],
)
def test_here_documents(command, shown):
    assert Mock().text(command) == shown


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("nope 2>/dev/null; echo $?", "127"),
        ("nope 2>&1 | cat -n", "     1\tsh: nope: command not found"),
        ("nope |& grep -c found", "1"),
        ("nope | wc -l", "sh: nope: command not found\n0"),
        ("nope &> /dev/null || echo quiet", "quiet"),
        ("{ echo a; nope; echo b; }", "a\nsh: nope: command not found\nb"),
        ("echo out >&2", "out"),
        ("echo a > f; echo b >> f; cat f", "a\nb"),
        ("echo a > f; cat < f", "a"),
        ("{ echo a; echo b; } > f; wc -l < f", "2"),
        ("nope > f 2>&1; cat f", "sh: nope: command not found"),
        ("cat < missing; echo $?", "sh: missing: No such file or directory\n1"),
        ("printf a; printf b; echo", "ab"),
        ("echo -n a; nope; echo b", "ash: nope: command not found\nb"),
    ],
)
def test_redirections_and_the_order_of_errors(command, shown):
    assert Mock().text(command) == shown


@pytest.mark.parametrize(
    "command",
    [
        "case x in x) echo a;; esac",
        "f() { echo a; }",
        "function f { echo a; }",
        "[[ a == b ]]",
        "((i++))",
        "for ((i=0;i<3;i++)); do echo $i; done",
        "echo <(ls)",
        "a=(1 2)",
        "echo ${X%.md}",
        "echo $((1 ? 2 : 3))",
        "exec 3>file",
        "select x in a; do :; done",
    ],
)
def test_what_is_not_supported_says_so_and_runs_nothing(command):
    mock = Mock()
    result = mock.run("himalaya message send first; " + command)
    assert result.exit == 2
    assert mock.sent == []
    assert len(result.lines) == 1
    assert result.lines[0].text.startswith("sh: syntax error: ")
    assert result.lines[0].text.endswith(": not supported")


@pytest.mark.parametrize(
    "command",
    [
        "echo 'a",
        'echo "a',
        "echo $(ls",
        "echo `ls",
        "echo a |",
        "| echo a",
        "echo a && && echo b",
        "; echo a",
        "echo a ;; echo b",
        "( echo a",
        "echo a )",
        "{ echo a",
        "for x in a; do echo a",
        "if true; then echo a",
        "done",
        "echo >",
        "echo ${X:-a",
        "while do echo a; done",
    ],
)
def test_a_syntax_error_is_found_before_anything_runs(command):
    mock = Mock()
    result = mock.run("himalaya message send first\n" + command)
    assert result.exit == 2
    assert mock.sent == []
    assert [line.text.startswith("sh: syntax error: ") for line in result.lines] == [True]


@pytest.mark.parametrize("name", ABSENT.split())
def test_programs_of_the_host_do_not_exist(name):
    result = Mock().run(f"{name} -c 'himalaya message send x'")
    assert result.exit == 127
    assert [line.text for line in result.lines] == [f"sh: {name}: command not found"]


def test_a_text_is_parsed_once():
    parse("echo parsed once")
    before = _remembered.cache_info().hits
    assert parse("echo parsed once") is parse("echo parsed once")
    assert _remembered.cache_info().hits == before + 2


def test_a_program_is_not_changed_by_running_it():
    mock = Mock()
    command = "X=1; for i in a b; do X=$X$i; done; cat <<EOF\n$X\nEOF"
    assert mock.text(command) == mock.text(command) == "1ab"


def test_a_program_gets_the_words_the_input_and_the_variables():
    mock = Mock()
    mock.run("echo body | himalaya template save 'a b' --to=\"$HOME\"; himalaya none")
    assert mock.seen == [["template", "save", "a b", "--to=/workspace"], ["none"]]
    assert mock.given == [["body"], None]


def test_a_loop_reads_its_own_input_and_the_commands_in_it_do_not():
    mock = Mock()
    mock.run("himalaya envelope list | while IFS='|' read -r id rest; do himalaya message read $id; done")
    assert [words[2] for words in mock.seen[1:]] == ["1", "2", "3", "4", "5"]
    assert mock.given[1:] == [None] * 5
