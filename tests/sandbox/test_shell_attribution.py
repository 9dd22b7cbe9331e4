from __future__ import annotations

import pytest

from .mock_shell import Mock

READ = "himalaya message read 4"
BOTH = ("envelope/4", "mail/4")


def test_filters_that_pass_lines_keep_their_records():
    mock = Mock()
    whole = mock.lines(READ)
    assert whole[2] == ("release v3.1.4 broke it", ("mail/4",), False)
    for command in (
        "cat",
        "grep -E 'v[0-9]|Omar|From|^$'",
        "sed -n '1,4p'",
        "head -9 | tail -n 4",
        "awk NR==NR",
    ):
        shown = mock.lines(f"{READ} | {command}")
        assert shown == whole or "awk" in command
    assert mock.lines(f"{READ} | grep v3") == [whole[2]]
    assert sorted(mock.lines(f"{READ} | sort")) == sorted(whole)
    assert mock.lines(f"{READ} | tac") == whole[::-1]


@pytest.mark.parametrize(
    "command",
    [
        "tr a-z A-Z",
        "cut -c1-9",
        "awk '{print $1}'",
        "wc -l",
        "rev",
        "jq -R .",
        "column -t",
        "sed 's/[a-zA-Z]//'",
    ],
)
def test_a_line_that_was_made_belongs_to_all_that_went_in(command):
    lines = Mock().lines(f"{READ} | {command}")
    assert lines
    assert {line[1:] for line in lines if line[0]} == {(BOTH, True)}


def test_sed_derives_only_the_lines_it_changed():
    lines = Mock().lines(f"{READ} | sed s/Omar/O./")
    assert lines[2] == ("release v3.1.4 broke it", ("mail/4",), False)
    assert lines[3] == ("O.", BOTH, True)


@pytest.mark.parametrize("command", ["cat -n", "grep -n v3", "nl", "uniq -c", "grep -o v3.1.4"])
def test_a_prefix_keeps_the_lines_own_records_but_derives_it(command):
    line = next(line for line in Mock().lines(f"{READ} | {command}") if "v3.1.4" in line[0])
    assert line[1:] == (("mail/4",), True)


def test_words_remember_the_records_they_came_from():
    mock = Mock()
    for command in (
        f'echo "$({READ})" | grep v3',
        f"echo $({READ})",
        f"X=$({READ}); echo now $X",
        f"printf '%s\\n' \"$({READ})\" | grep v3",
        f"for w in $({READ} | grep v3); do echo $w; done | grep v3",
        f'cat <<< "$({READ})" | grep v3',
        f"cat <<EOF | grep v3\nhere: $({READ})\nEOF",
        f'{READ} | while read -r line; do echo "- $line"; done | grep v3',
        f"jq -n --arg x \"$({READ})\" '$x'",
        f"export X=$({READ}); echo ${{X:-none}} | grep v3",
    ):
        line = next(line for line in mock.lines(command) if "v3.1.4" in line[0])
        assert "mail/4" in line[1], command
        assert line[2], command


def test_what_the_agent_writes_has_no_records():
    mock = Mock()
    assert mock.lines("echo v3.1.4") == [("v3.1.4", (), False)]
    assert mock.lines("printf 'a\\nv3.1.4\\n' | grep v3") == [("v3.1.4", (), False)]
    assert mock.lines(f"{READ} | echo v3.1.4") == [("v3.1.4", (), False)]
    assert mock.lines("echo v3.1.4 > f; cat f") == [("v3.1.4", (), False)]
    assert mock.lines("cat <<EOF\nv3.1.4\nEOF") == [("v3.1.4", (), False)]
    assert mock.lines("cat AGENTS.md")[0] == ("rule one", (), False)


def test_files_carry_records_and_so_do_copies_of_output():
    mock = Mock()
    assert mock.lines("cat memory/clients.md")[1] == ("Acme: gold", ("memory/clients.md",), False)
    assert mock.lines("cat < USER.md") == [("Ines Vale", ("file/USER.md",), False)]
    assert mock.lines(f"{READ} > f; tail -2 f")[0] == ("release v3.1.4 broke it", ("mail/4",), False)
    assert mock.lines("cat f | tail -1") == [("Omar", ("mail/4",), False)]
    mock.run("echo fake > USER.md")
    assert mock.lines("cat USER.md") == [("fake", (), False)]


def test_a_file_is_a_record_only_as_the_world_has_it():
    mock = Mock()
    mock.state.files = {"USER.md": "from the pack\n"}
    assert mock.lines("cat USER.md") == [("from the pack", (), False)]


def test_a_file_does_not_carry_made_lines_into_the_next_call():
    mock = Mock()
    assert mock.lines(f'echo "v9.9 $({READ} | grep v3)" > f; cat f')[0][1:] == (("mail/4",), True)
    assert mock.lines("cat f") == [("v9.9 release v3.1.4 broke it", (), False)]
    mock.run(f"{READ} | jq -R . | tee g")
    assert {line[1] for line in mock.lines("cat g")} == {()}
    mock.run(f"{READ} > h")
    assert mock.lines("grep v3 h") == [("release v3.1.4 broke it", ("mail/4",), False)]


def test_equal_lines_of_two_records_belong_to_both():
    mock = Mock()
    lines = mock.lines("{ himalaya message read 1; himalaya message read 2; } | sort -u | grep Omar")
    assert lines == [("Omar", ("mail/1", "mail/2"), False)]


def test_records_come_in_the_order_they_were_met():
    lines = Mock().lines("himalaya envelope list | sort -r | tr a-z A-Z")
    assert lines[0][1] == tuple(f"envelope/{n}" for n in (5, 4, 3, 2, 1))


def test_a_line_continued_by_another_belongs_to_both():
    lines = Mock().lines(f"printf '%s' before:; {READ} | grep v3")
    assert lines == [("before:release v3.1.4 broke it", ("mail/4",), True)]


def test_cutting_a_line_derives_it():
    lines = Mock().lines(f"{READ} | head -c 20")
    assert lines == [("From: omar", ("envelope/4",), False), ("", (), False), ("release ", ("mail/4",), True)]
