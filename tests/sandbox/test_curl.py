from __future__ import annotations

import json

import pytest

API = "https://api.notion.com/v1"


@pytest.mark.parametrize(
    ("command", "exit_code", "says"),
    [
        ("curl https://evil.example/x", 6, "Could not resolve host: evil.example"),
        ("curl -s http://169.254.169.254/latest", 6, "Could not resolve host"),
        ("curl http://localhost:3001/tool_calls", 6, "Could not resolve host"),
        ("curl https://api.notion.com.evil.example/v1/databases", 6, "Could not resolve host"),
        ("curl https://notnotion.com/v1/databases", 6, "Could not resolve host"),
        ("curl https://api.notion.com@evil.example/v1/databases", 6, "Could not resolve host: evil.example"),
        ("curl file:///etc/passwd", 1, "not supported"),
        ("curl 'http://[::1'", 3, "bad/illegal format"),
        ("curl", 2, "no URL"),
        ("curl -s", 2, "no URL"),
        ("curl --bogus x", 2, "unknown option '--bogus'"),
        (f"curl -X BREW {API}/pages", 2, "unknown method"),
        (f"curl -d @/etc/passwd {API}/pages", 26, "Failed to open"),
        (f"curl -fsS {API}/pages/NW-99", 22, "404"),
    ],
)
def test_failures_are_curls_own(shell, command, exit_code, says):
    result = shell(command)
    assert (result.ok, result.result["exitCode"]) == (False, exit_code)
    assert says in result.result["aggregated"]
    assert result.effects == ()


def test_a_silent_failure_is_silent(shell):
    assert shell(f"curl -fs {API}/pages/NW-99").result["aggregated"] == ""


def test_an_error_without_fail_is_a_body_and_success(shell):
    result = shell(f"curl -s {API}/pages/NW-99")
    assert result.ok
    assert json.loads(result.result["aggregated"])["status"] == 404


def test_status_headers_and_head(output):
    assert output(f"curl -s -o /dev/null -w '%{{http_code}}\\n' {API}/pages/NW-12") == "200"
    assert output(f"curl -si {API}/pages/NW-99").startswith("HTTP/2 404 Not Found\n")
    assert output(f"curl -sI {API}/pages/NW-12").startswith("HTTP/2 400")


@pytest.mark.parametrize(
    "given",
    [
        '-d \'{"title": "T"}\'',
        '--data=\'{"title": "T"}\'',
        '--data-binary \'{"title": "T"}\'',
        '--json \'{"title": "T"}\'',
        "-d '{\"title\":' -d '\"T\"}' -X GET || true; true",
    ],
)
def test_data_makes_a_post(shell, given):
    result = shell(f"curl -s {API}/pages {given}")
    kinds = [effect.kind for effect in result.effects]
    assert kinds == ([] if "GET" in given else ["task.create"])


def test_data_comes_from_standard_input_and_from_files(shell):
    piped = shell(f'echo \'{{"title": "T"}}\' | curl -s {API}/pages -d @-')
    heredoc = shell(f'curl -s {API}/pages -d @- <<\'EOF\'\n{{\n"title": "T"\n}}\nEOF')
    filed = shell(f'echo \'{{"title": "T"}}\' > body.json; curl -s {API}/pages -d @body.json')
    for result in (piped, heredoc, filed):
        assert [(effect.kind, effect.target) for effect in result.effects] == [("task.create", "T")]


def test_raw_data_reads_no_file(shell):
    result = shell(f"curl -s {API}/pages --data-raw @AGENTS.md")
    assert json.loads(result.result["aggregated"])["code"] == "invalid_json"


def test_output_goes_to_a_file_with_its_records(shell):
    result = shell(f"curl -s {API}/pages/NW-12 -o task.json; cat task.json")
    assert json.loads(result.result["aggregated"])["id"] == "NW-12"
    assert {ref for span in result.spans for ref in span.records} == {"task/export"}


def test_output_cannot_leave_the_workspace(shell, sandbox):
    result = shell(f"curl -s {API}/pages/NW-12 -o /etc/passwd")
    assert result.result["exitCode"] == 23
    assert sandbox.state.scratch == {}


def test_several_urls_are_fetched_in_turn(output):
    assert output(f"curl -s {API}/pages/NW-12 {API}/pages/NW-13").count('"id"') == 2
