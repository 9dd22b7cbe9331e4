from __future__ import annotations

import pytest

from clawbench.sandbox.shell.files import MAX_FILES

from .mock_shell import Mock


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("pwd", "/workspace"),
        ("ls", "AGENTS.md\nUSER.md\nmemory"),
        ("ls -p /workspace/", "AGENTS.md\nUSER.md\nmemory/"),
        ("ls memory; ls memory/clients.md", "clients.md\nmemory/clients.md"),
        ("ls -a memory", ".\n..\nclients.md"),
        ("ls AGENTS.md memory", "AGENTS.md\n\nmemory:\nclients.md"),
        ("ls -R", ".:\nAGENTS.md\nUSER.md\nmemory\n\n./memory:\nclients.md"),
        ("ls -l USER.md", "-rw-r--r-- 1 agent agent     10 Mar 12 00:00 USER.md"),
        (
            "cat USER.md ./USER.md /workspace/USER.md ~/USER.md memory/../USER.md",
            "\n".join(["Ines Vale"] * 5),
        ),
        (
            "cd memory && pwd && cat clients.md | head -1 && cat ../USER.md",
            "/workspace/memory\n# Clients\nInes Vale",
        ),
        ("cd /workspace; cd .; pwd; cd; pwd", "/workspace\n/workspace"),
        (
            "cd nope; cd AGENTS.md",
            "sh: cd: nope: No such file or directory\nsh: cd: AGENTS.md: Not a directory",
        ),
        (
            "echo a > notes/x.md; ls notes; cat notes/x.md; echo b > /tmp/y; cat /tmp/y; ls /tmp",
            "x.md\na\nb\ny",
        ),
        ("cat memory", "cat: memory: Is a directory"),
        ("cat /dev/null; echo a | cat - USER.md", "a\nInes Vale"),
        ("sort AGENTS.md > AGENTS.md; wc -l < AGENTS.md", "0"),
    ],
)
def test_the_workspace_is_the_disk(command, shown):
    assert Mock().text(command) == shown


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/etc/hostname",
        "../../etc/passwd",
        "../../../../../../etc/passwd",
        "/proc/self/environ",
        "/workspace/../etc/passwd",
        "memory/../../etc/passwd",
        "inbox.json",
        "fixtures/small/inbox.json",
        "..%2f..%2fetc/passwd",
        "x" * 10_000,
        "/dev/tcp/127.0.0.1/80",
        "$(printf '/etc/passwd')",
    ],
)
@pytest.mark.parametrize("reader", ["cat", "head -1", "grep -r .", "wc -l", "ls", "sort", "jq .", "sed p", "cat <"])
def test_nothing_outside_the_workspace_can_be_read(reader, path):
    result = Mock().run(f"{reader} {path}")
    assert result.exit != 0
    assert len(result.lines) == 1
    assert "No such file or directory" in result.lines[0].text


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "/x", "/usr/bin/x", "''", ".", "memory", "/workspace", "/tmp"])
def test_nothing_outside_the_workspace_can_be_written(path):
    mock = Mock()
    result = mock.run(f"echo x > {path}")
    assert result.exit == 1
    assert mock.state.scratch == {}


def test_what_a_command_wrote_stays_for_the_next_call():
    mock = Mock()
    mock.run("echo one > notes.md; echo two >> notes.md")
    assert mock.text("cat notes.md") == "one\ntwo"
    assert mock.text("tail -1 AGENTS.md; echo four >> AGENTS.md; tail -2 AGENTS.md") == "rule three\nrule three\nfour"
    assert mock.state.files["AGENTS.md"].endswith("rule three\n")
    assert sorted(mock.state.scratch) == ["AGENTS.md", "notes.md"]


def test_variables_and_directory_do_not_stay():
    mock = Mock()
    mock.run("X=1; export Y=2; cd memory")
    assert mock.text("echo [$X$Y]; pwd") == "[]\n/workspace"


def test_the_number_and_size_of_files_are_bounded():
    mock = Mock()
    for call in range(3):
        mock.run(f"for i in {{1..100}}; do echo x > f{call}-$i; done")
    assert len(mock.state.scratch) == MAX_FILES
    for _ in range(40):
        mock.run("printf '%1000s' {1..250} >> f0-1; cat f0-1 f0-1 > f0-2")
    assert sum(len(line.text) for file in mock.state.scratch.values() for line in file) < 4_000_000


def test_the_hosts_disk_is_never_opened(monkeypatch):
    mock = Mock()
    mock.run("grep -E 'a|b.' USER.md; date; jq -n 1")
    opened: list[object] = []
    monkeypatch.setattr("builtins.open", lambda *words, **named: opened.append(words))
    monkeypatch.setattr("os.open", lambda *words, **named: opened.append(words))
    mock.run("cat /etc/passwd; echo x > /etc/x; ls /; grep -r root /; . /etc/profile; cat < /etc/passwd; cd /etc")
    assert opened == []
