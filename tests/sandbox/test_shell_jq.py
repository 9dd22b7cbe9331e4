from __future__ import annotations

import os
import threading
import time

import pytest

from clawbench.errors import Infrastructure
from clawbench.sandbox.shell import jq as jq_module
from clawbench.sandbox.shell.jq_process import WORKER, JqProcess
from clawbench.sandbox.shell.jq_program import readable

from .mock_shell import Mock

TASKS = "himalaya task list | "


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (TASKS + "jq '.results | length'", "2"),
        (TASKS + "jq -r '.results[].title'", "Fix export\nDocs"),
        (
            TASKS + "jq -c '.results[] | {id, title}'",
            '{"id":"T-1","title":"Fix export"}\n{"id":"T-2","title":"Docs"}',
        ),
        (TASKS + 'jq -r \'.results[] | select(.title | test("^fix"; "i")) | .id\'', "T-1"),
        (TASKS + "jq -r '.results | sort_by(.points) | map(.id) | join(\",\")'", "T-2,T-1"),
        (TASKS + "jq -r '.results[] | [.id, .points] | @tsv'", "T-1\t3\nT-2\t1"),
        (TASKS + "jq -r '.results[] | \"\\(.id): \\(.title)\"'", "T-1: Fix export\nT-2: Docs"),
        (TASKS + "jq '[.results[].points] | add'", "4"),
        (TASKS + "jq 'reduce .results[] as $t (0; . + $t.points)'", "4"),
        (TASKS + "jq -c '.results | group_by(.points) | map(length)'", "[1,1]"),
        (TASKS + "jq -r '.results[0] | to_entries[] | .key'", "id\ntitle\npoints"),
        (TASKS + "jq -c '.results[0] | keys'", '["id","points","title"]'),
        (TASKS + "jq -r '.results[0].due // \"none\"'", "none"),
        (TASKS + 'jq -r \'.results[] | if .points > 2 then "big" else "small" end\'', "big\nsmall"),
        (TASKS + "jq --arg id T-2 -r '.results[] | select(.id == $id) | .title'", "Docs"),
        (TASKS + "jq --argjson n 1 '.results[$n].points'", "1"),
        (TASKS + "jq -S '.results[1]'", '{\n  "id": "T-2",\n  "points": 1,\n  "title": "Docs"\n}'),
        ("echo '{\"a\":1} {\"a\":2}' | jq -s 'map(.a)' -c", "[1,2]"),
        ("printf 'a\\nb\\n' | jq -R .", '"a"\n"b"'),
        ("printf 'a\\nb\\n' | jq -Rsc 'split(\"\\n\")'", '["a","b",""]'),
        ("jq -n '{a: [], b: {}, c: 1.5, d: null}'", '{\n  "a": [],\n  "b": {},\n  "c": 1.5,\n  "d": null\n}'),
        ("echo '\"a\"' | jq -j .; echo", "a"),
        (
            "echo 'null' | jq -e .; echo $?; echo 1 | jq -e . > f; echo $?; jq -ne empty; echo $?",
            "null\n1\n0\n4",
        ),
        ("echo '{\"a\":1}' > f.json; jq .a f.json", "1"),
        ("jq -n '\"Größe\\u007f\"'", '"Größe\\u007f"'),
        ("jq -nr '[1,2][] as $x | {now: $x} | .now'", "1\n2"),
        ("jq -n '[limit(2; 5, 6, 7)]' --indent 0", "[5,6]"),
        ("printf '' | jq .", ""),
    ],
)
def test_what_agents_write_works(command, shown):
    assert Mock().text(command) == shown


@pytest.mark.parametrize(
    ("command", "exit", "message"),
    [
        ("jq -n '.a |'", 3, "jq: error: syntax error"),
        ("jq -n 'nope(1)'", 3, "jq: error: nope/1 is not defined"),
        ("echo 5 | jq .a", 5, "jq: error (at <stdin>): Cannot index number"),
        ("echo '{' | jq .", 2, "jq: parse error: "),
        ("jq . missing", 2, "jq: missing: No such file or directory"),
        ("jq", 2, "jq: error: a program is missing"),
        ("jq --nope .", 2, "jq: error: unrecognized option"),
        ("jq --arg a", 2, "jq: error: --arg takes two parameters"),
        ("jq -n --argjson a '{' '$a'", 2, "jq: error: invalid JSON text"),
        ("jq -f program.jq", 2, "jq: error: invalid option"),
        ("jq -n --slurpfile a b .", 2, "jq: error: unrecognized option"),
    ],
)
def test_errors_have_jqs_exit_codes(command, exit, message):
    result = Mock().run(command)
    assert result.exit == exit
    assert result.lines[0].text.startswith(message)


@pytest.mark.parametrize(
    "program",
    [
        "env",
        "env.PATH",
        "$ENV",
        "$ENV.PATH",
        "$ ENV",
        "$__loc__",
        "$__prog_args",
        "now",
        "[1, now]",
        "{a: now}",
        "{a: (1, now)}",
        "{a: if true then 1, now else 2 end}",
        "{(now | tostring): 1}",
        '"\\(env)"',
        '"a \\("b \\(now)") c"',
        '@base64 "\\(env)"',
        "# comment \\\nenv",
        "..|env",
        "..env",
        "1.env",
        "input",
        "[inputs]",
        "input_filename",
        "input_line_number",
        'import "a" as a; 1',
        'include "a"; 1',
        "a::b",
        "get_search_list",
        "debug",
        "stderr",
        "halt",
        "halt_error(1)",
        "localtime",
        'strflocaltime("%c")',
        "range(1e12)",
        "[range(3)]",
        "repeat(1)",
        "[.[] | while(true; .)]",
        "until(false; .)",
        "def f: f; f",
        "recurse(.)",
        "recurse (.; true)",
        "[[1],[2]] | combinations",
        '"x" * 1e9',
        '1000000 * "x"',
        "x" * 9000,
        "[" * 200,
    ],
)
def test_what_depends_on_the_host_or_has_no_end_is_refused(program):
    text, reason = readable(program)
    assert (text, reason.endswith("not available here")) == ("", True)


@pytest.mark.parametrize(
    "program",
    [
        ".env",
        ".a.now",
        "{env, now: .range}",
        "{a: 1, env}",
        '"env now range(3)"',
        '.["input"]',
        'select(.title | test("while"))',
        "[1] as $now | $now",
        "# env\n1",
        ".price * 12000",
        "..",
        "recurse",
        '"a\\\\(env)"',
        "{if: 1, end: 2, env: 3}",
    ],
)
def test_names_that_jq_does_not_read_as_functions_are_free(program):
    assert readable(program)[1] == ""
    assert Mock().run(f"jq -n '{program}'").exit in (0, 5)


def test_the_worker_inherits_nothing(monkeypatch):
    monkeypatch.setenv("CLAWBENCH_PLANTED", "planted-secret")
    monkeypatch.setattr(jq_module, "readable", lambda program: (program, ""))
    WORKER.close()
    mock = Mock()
    shown = mock.text("jq -nc '[env, $ENV, (input_filename), now > 0]'")
    assert "planted" not in shown
    assert shown.startswith('[{"TZ":"UTC"')
    assert os.environ["CLAWBENCH_PLANTED"] == "planted-secret"
    assert "root" not in mock.text("jq -n 'import \"etc/passwd\" as $x; $x'")
    WORKER.close()


def test_an_endless_program_ends_and_the_next_one_runs():
    mock = Mock()
    tens = " | ".join(f"$x[] as $v{n}" for n in range(12))
    started = time.monotonic()
    result = mock.run(f"echo before; jq -n '[1,2,3,4,5,6,7,8,9,10] as $x | [{tens} | 1] | length'; echo after")
    assert time.monotonic() - started < 30
    assert [line.text for line in result.lines] == [
        "before",
        "jq: error: stopped: the program needs too much time or memory",
    ]
    assert result.exit == 1
    assert mock.text("jq -n '1 + 1'") == "2"


def test_too_much_memory_and_too_much_output_end_it_too():
    mock = Mock()
    assert "too much time or memory" in mock.text("jq -n '(900 + 1000000000) as $n | \"x\" * $n | length'")
    assert "more than 1 MiB" in mock.text("jq -n '(900 + 3000000) as $n | \"x\" * $n'")
    assert mock.text("jq -n '2 + 1'") == "3"


def test_equal_runs_are_remembered(monkeypatch):
    mock = Mock()
    assert mock.text("echo '[7]' | jq '.[0] + 35'") == "42"
    monkeypatch.setattr(WORKER, "ask", None)
    assert mock.text("echo '[7]' | jq '.[0] + 35'") == "42"


def test_threads_share_the_worker():
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        answers[number] = Mock().text(f"jq -n '{number} * 2'")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: str(number * 2) for number in range(16)}


def test_a_worker_of_another_process_is_left_alone(monkeypatch):
    worker = JqProcess()
    request = {"program": "1", "args": {}, "text": "", "null": True, "slurp": False, "raw_input": False}
    request |= {"raw": False, "join": False, "ascii": False, "sort": False, "indent": 0}
    assert worker.ask(request)["out"] == "1\n"
    inherited = worker.process
    monkeypatch.setattr(worker, "owner", -1)
    assert worker.ask(request)["out"] == "1\n"
    assert worker.process is not inherited
    assert inherited is not None
    assert inherited.poll() is None
    inherited.kill()
    inherited.wait()
    inherited.stdin.close()
    inherited.stdout.close()
    worker.close()
    assert worker.process is None


def test_a_worker_that_cannot_start_is_nothing_the_pack_did(monkeypatch):
    worker = JqProcess()
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    with pytest.raises(Infrastructure) as caught:
        worker.ask({})
    assert caught.value.code == "JQ_WORKER"
