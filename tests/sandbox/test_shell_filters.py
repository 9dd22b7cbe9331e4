from __future__ import annotations

import pytest

from .mock_shell import Mock

ABC = "printf 'b 2\\na 10\\nc 2\\na 10\\n' | "


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (ABC + "head -1", "b 2"),
        (ABC + "head -n 2", "b 2\na 10"),
        (ABC + "head -n -3", "b 2"),
        (ABC + "tail -n 1", "a 10"),
        (ABC + "tail -2", "c 2\na 10"),
        (ABC + "tail -n +3", "c 2\na 10"),
        (ABC + "head -c 5", "b 2\na"),
        (ABC + "tail -c 3", "10"),
        ("head -n1 AGENTS.md USER.md", "==> AGENTS.md <==\nrule one\n\n==> USER.md <==\nInes Vale"),
        (ABC + "sort", "a 10\na 10\nb 2\nc 2"),
        (ABC + "sort -ru", "c 2\nb 2\na 10"),
        (ABC + "sort -k2,2n -k1,1r", "c 2\nb 2\na 10\na 10"),
        (ABC + "sort -k2 -n -r | head -1", "a 10"),
        ("printf 'x:3\\ny:20\\n' | sort -t: -k2 -rn", "y:20\nx:3"),
        ("printf 'B\\na\\nC\\n' | sort -f", "a\nB\nC"),
        ("printf 'v1.10\\nv1.9\\n' | sort -V", "v1.9\nv1.10"),
        (ABC + "sort | uniq -c", "      2 a 10\n      1 b 2\n      1 c 2"),
        (ABC + "sort | uniq -d", "a 10"),
        (ABC + "sort | uniq -u", "b 2\nc 2"),
        (ABC + "wc -l", "4"),
        (ABC + "wc -w", "8"),
        ("printf 'é\\n' | wc -c; printf 'é\\n' | wc -m", "3\n2"),
        ("wc -l AGENTS.md", "3 AGENTS.md"),
        (ABC + "cut -d' ' -f2", "2\n10\n2\n10"),
        ("echo a:b:c | cut -d: -f1,3; echo a:b:c | cut -d: -f2-; echo abcdef | cut -c2-4", "a:c\nb:c\nbcd"),
        ("echo abc | tr a-c A-C; echo aabbc | tr -s ab; echo a1b2 | tr -d '[:digit:]'", "ABC\nabc\nab"),
        ("printf 'a\\nb\\n' | tr '\\n' ','; echo; echo a1 | tr -cd '[:alpha:]'; echo", "a,b,\na"),
        ("echo 'a b' | tr ' ' '\\n'", "a\nb"),
        ("echo abc | rev; printf 'a\\nb\\n' | tac", "cba\nb\na"),
        ("printf 'a\\n\\nb\\n' | nl", "     1\ta\n\n     2\tb"),
        ("printf 'a bb\\nccc d\\n' | column -t", "a    bb\nccc  d"),
        ("seq 3; seq 2 2 6", "1\n2\n3\n2\n4\n6"),
        ("echo x | tee f | cat -n; cat f", "     1\tx\nx"),
        ("printf '%s-%s\\n' a b c", "a-b\nc-"),
        ("printf '%05.1f|%-4d|%x|%%|%c\\n' 2.55 7 255 xyz", "002.5|7   |ff|%|x"),
        ("printf '%b' 'a\\nb\\n'; printf '%s\\n'", "a\nb\n"),
        ("echo -e 'a\\tb'; echo -E 'a\\tb'; echo -n x; echo -- y", "a\tb\na\\tb\nx-- y"),
        ("echo -e 'a\\cb'; echo", "a"),
        ("test -f USER.md && [ -d memory ] && [ ! -e nope ] && echo yes", "yes"),
        ("[ 2 -gt 1 -a x != y ] && [ -n a ] && [ -z '' ] && echo yes", "yes"),
        ("echo 'a b c' | awk '{print $2, $NF}'", "b c"),
        ("echo 'a,b' | awk -F, '{print \"<\" $2 \">\"}'", "<b>"),
        (ABC + "awk 'NR>2 {print NR \": \" $0}'", "3: c 2\n4: a 10"),
        (ABC + "awk '/a/ {print $2}'", "10\n10"),
        ("echo 'a b a' | sed 's/a/x/'; echo 'a b a' | sed 's/a/x/g'", "x b a\nx b x"),
        ("seq 5 | sed -n '2,3p'; seq 3 | sed 2d; seq 3 | sed '$d'", "2\n3\n1\n3\n1\n2"),
        ("seq 9 | sed -n '/3/,/5/p;8p'; seq 9 | sed 2q", "3\n4\n5\n8\n1\n2"),
        ("echo ab | sed -E 's/(a)(b)/\\2\\1 &/'; echo a/b | sed 's|/|-|; s/A/z/I'", "ba ab\nz-b"),
        ("echo 'a  b' | sed 's/ */_/2'; echo aaa | sed 's/a/b/2g'", "a_b\nabb"),
        ("seq 3 | sed -n '2!p'; echo x | sed 's/x/a\\nb/'", "1\n3\na\nb"),
    ],
)
def test_filters(command, shown):
    assert Mock().text(command) == shown


@pytest.mark.parametrize(
    ("command", "shown", "exit"),
    [
        ("grep one AGENTS.md", "rule one", 0),
        ("grep -n 'rule t' AGENTS.md", "2:rule two\n3:rule three", 0),
        ("grep -v one AGENTS.md | grep -c rule", "2", 0),
        ("grep -i RULE AGENTS.md | wc -l", "3", 0),
        ("grep -o 't[a-z]*' AGENTS.md", "two\nthree", 0),
        ("grep -oE '[a-z]+$' AGENTS.md | head -1", "one", 0),
        ("grep 'one\\|two' AGENTS.md", "rule one\nrule two", 0),
        ("grep -E 'one|two' AGENTS.md", "rule one\nrule two", 0),
        ("egrep '(one|two)$' AGENTS.md", "rule one\nrule two", 0),
        ("grep -e one -e two AGENTS.md", "rule one\nrule two", 0),
        ("echo 'a(b)|c' | grep 'a(b)|c'", "a(b)|c", 0),
        ("printf 'aab\\nab\\n' | grep '^a\\{2\\}b$'", "aab", 0),
        ("printf 'a+b\\naab\\n' | grep 'a+b'", "a+b", 0),
        ("printf 'a+b\\naab\\n' | grep -E 'a+b'", "aab", 0),
        ("printf 'a.b\\naxb\\n' | grep -F a.b; printf 'a.b\\naxb\\n' | fgrep a.b", "a.b\na.b", 0),
        ("printf 'cat\\ncats\\n' | grep -w cat; printf 'cat\\ncats\\n' | grep -x cats", "cat\ncats", 0),
        ("grep -m1 rule AGENTS.md", "rule one", 0),
        ("grep -A1 one AGENTS.md; grep -B1 two AGENTS.md", "rule one\nrule two\nrule one\nrule two", 0),
        ("seq 9 | grep -C1 -n '[37]'", "2-2\n3:3\n4-4\n--\n6-6\n7:7\n8-8", 0),
        ("grep -l gold memory/clients.md AGENTS.md", "memory/clients.md", 0),
        ("grep -r gold .", "memory/clients.md:Acme: gold", 0),
        ("grep -rn --include='*.md' Ines /workspace", "/workspace/USER.md:1:Ines Vale", 0),
        ("grep -rh gold memory", "Acme: gold", 0),
        ("grep -q one AGENTS.md", "", 0),
        ("grep nothing AGENTS.md", "", 1),
        ("grep x missing", "grep: missing: No such file or directory", 2),
        ("grep -s x missing", "", 1),
        ("grep '[' AGENTS.md", "grep: Unmatched [, [^, [:, [., or [=", 2),
        ("grep -E 'a(' AGENTS.md", "grep: missing ): a(", 2),
        ("grep -P '(?=x)' AGENTS.md", "grep: invalid perl operator: (?=", 2),
        ("grep --nope x", "grep: unrecognized option '--nope'", 2),
        ("echo 'Größe 5' | grep -o '[0-9]'; echo Ümlaut | grep -i ümlaut", "5\nÜmlaut", 0),
        ("echo 'a\\b' | grep 'a\\\\b'; echo 'x]y' | grep '[]]'", "a\\b\nx]y", 0),
        ("printf 'a1\\nb\\n' | grep '[[:digit:]]'; echo 'a b' | grep -E 'a\\sb'", "a1\na b", 0),
    ],
)
def test_grep(command, shown, exit):
    result = Mock().run(command)
    assert "\n".join(line.text for line in result.lines) == shown
    assert result.exit == exit


@pytest.mark.parametrize(
    ("command", "exit"),
    [
        ("head -n x", 1),
        ("sort --nope", 2),
        ("cut -f", 1),
        ("cut -d: -f0", 1),
        ("tr", 1),
        ("tr z-a x", 1),
        ("uniq a b c", 1),
        ("sed", 1),
        ("sed y/a/b/", 1),
        ("sed 's/a'", 1),
        ("sed 's/a/\\1/'", 1),
        ("awk 'BEGIN {system(\"ls\")}'", 2),
        ("awk '{print toupper($1)}'", 2),
        ("printf", 2),
        ("printf '%y' a", 1),
        ("seq a", 1),
        ("cat nope", 1),
        ("wc nope", 1),
        ("[ a", 2),
        ("test a -foo b", 2),
        ("column --nope", 1),
        ("head -5k", 1),
    ],
)
def test_a_wrong_flag_is_an_error_not_a_guess(command, exit):
    result = Mock().run(f"echo x | {command}")
    assert result.exit == exit
    assert len(result.lines) == 1
    assert command.split()[0].replace("test", "sh").replace("[", "sh") in result.lines[0].text
