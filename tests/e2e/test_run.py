"""``clawbench run`` through the installed console script."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .conftest import ROOT, SCRIPT, Run

SCENARIO = str(ROOT / "scenarios" / "client_escalation.yaml")
CAREFUL = str(ROOT / "packs" / "careful")
RECKLESS = str(ROOT / "packs" / "reckless")


def runs_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("run-*.jsonl"))}


def test_careful_passes_and_explains_every_check(claw: Run) -> None:
    done = claw("run", SCENARIO, "--pack", CAREFUL, "--fail-under", "0.75")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "simulated" in done.stdout
    for check in ("nothing_sent", "root_cause", "tool_budget", "numbered_plan"):
        assert check in done.stdout
    assert "✓✓✓" in done.stdout
    assert "runs kept in runs/" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if not line.startswith("runs kept")), done.stdout


def test_reckless_fails_a_critical_check_by_what_it_did(claw: Run) -> None:
    done = claw("run", SCENARIO, "--pack", RECKLESS)
    assert done.returncode == 1
    assert "critical" in done.stdout
    assert "mail.send" in done.stdout or "slack.post" in done.stdout
    assert "score 0.00" in done.stdout


def test_equal_calls_print_equal_objects_and_write_equal_bytes(
    claw_json: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    words = (SCENARIO, "--pack", CAREFUL, "--seed", "7")
    one = claw_json(*words, "--out", str(tmp_path / "one"))
    two = claw_json(*words, "--out", str(tmp_path / "two"), "-j", "1")
    assert one.pop("out") != two.pop("out")
    assert one == two
    assert runs_of(tmp_path / "one") == runs_of(tmp_path / "two") != {}
    assert 0 <= one["score"] <= 1


def test_the_same_folder_goes_on_and_refuses_another_bench(claw: Run, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    assert claw("run", SCENARIO, "--pack", CAREFUL, "--out", out, "-q").returncode == 0
    before = runs_of(tmp_path / "out")
    times = (tmp_path / "out" / "times.jsonl").read_text()
    removed = sorted((tmp_path / "out").rglob("run-1.jsonl"))[0]
    removed.unlink()
    assert claw("run", SCENARIO, "--pack", CAREFUL, "--out", out, "-q").returncode == 0
    assert runs_of(tmp_path / "out") == before
    assert len((tmp_path / "out" / "times.jsonl").read_text().splitlines()) == len(times.splitlines()) + 1
    other = claw("run", SCENARIO, "--pack", CAREFUL, "--out", out, "--seed", "9")
    assert other.returncode == 2
    assert "OUT_HOLDS_ANOTHER_BENCH" in other.stderr


def test_recorded_runs_score_to_the_same_bytes(claw: Run, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    claw("run", SCENARIO, "--pack", CAREFUL, "--out", out, "-q")
    again = claw("score", out, "--json", cwd=ROOT)
    assert again.returncode == 0, again.stdout + again.stderr
    rows = json.loads(again.stdout)["runs"]
    assert len(rows) == 3
    assert all(row["same"] and row["world_same"] for row in rows)
    path = sorted((tmp_path / "out").rglob("run-0.jsonl"))[0]
    path.write_text(path.read_text().replace('"passed":true', '"passed":false', 1))
    forged = claw("score", out, cwd=ROOT)
    assert forged.returncode == 1
    assert "another verdict" in forged.stdout


def test_a_replay_gives_the_recorded_verdicts_and_refuses_what_was_not_recorded(
    claw_json: Callable[..., dict[str, Any]], claw: Run, tmp_path: Path
) -> None:
    first = claw_json(SCENARIO, "--pack", CAREFUL, "--out", str(tmp_path / "a"))
    replayed = claw_json(
        SCENARIO, "--pack", CAREFUL, "--out", str(tmp_path / "b"), "--model", f"replay:{tmp_path / 'a'}"
    )
    assert replayed["score"] == first["score"]
    assert replayed["packs"][0]["scenarios"][0]["checks"] == first["packs"][0]["scenarios"][0]["checks"]
    missed = claw("run", SCENARIO, "--pack", CAREFUL, "--seed", "1", "--model", f"replay:{tmp_path / 'a'}")
    assert missed.returncode == 3
    assert "REPLAY_MISS" in missed.stdout + missed.stderr
    assert "undecided" in missed.stdout


def test_early_stops_when_no_vote_can_change(claw_json: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    words = (SCENARIO, "--pack", CAREFUL, "--temperature", "0")
    full = claw_json(*words, "--out", str(tmp_path / "a"))
    early = claw_json(*words, "--early", "--out", str(tmp_path / "b"))
    assert early["score"] == full["score"]
    assert early["packs"][0]["scenarios"][0]["skipped"] == 1
    assert len(early["packs"][0]["scenarios"][0]["runs"]) == 2


def test_a_user_context_changes_name_and_first_name(claw: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    claw(
        "run",
        SCENARIO,
        "--pack",
        CAREFUL,
        "--out",
        str(out),
        "-q",
        "--user-context",
        '{"USER_NAME": "Ada Ng"}',
    )
    texts = [path.read_text() for path in (out / "blobs").iterdir()]
    assert any("Ada here" in text for text in texts)
    assert any("Ada Ng" in text for text in texts)


def test_ctrl_c_leaves_whole_runs_and_says_how_to_go_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = [str(SCRIPT), "run", SCENARIO, "--pack", CAREFUL, "--runs", "999", "--out", str(out)]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and len(list(out.rglob("run-*.jsonl"))) < 3:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert "interrupted" in stderr
    assert f"--out {out}" in stderr
    assert "Traceback" not in stderr
    whole = runs_of(out)
    assert 3 <= len(whole) < 999
    assert all(content.splitlines()[-1].startswith(b'{"type":"episode_end"') for content in whole.values())


def test_a_killed_bench_finishes_with_the_same_bytes(claw: Run, tmp_path: Path) -> None:
    words = ["run", SCENARIO, "--pack", CAREFUL, "--runs", "99", "-q"]
    out = tmp_path / "killed"
    process = subprocess.Popen([str(SCRIPT), *words, "--out", str(out)], cwd=tmp_path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and len(list(out.rglob("run-*.jsonl"))) < 5:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    survived = runs_of(out)
    done = claw(*words, "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert claw(*words, "--out", str(tmp_path / "whole")).stdout == done.stdout
    assert runs_of(out) == runs_of(tmp_path / "whole")
    assert all(runs_of(out)[name] == content for name, content in survived.items())


def test_compressed_runs_score_to_the_same_bytes(claw: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert claw("run", SCENARIO, "--pack", CAREFUL, "--out", str(out), "--compress", "-q").returncode == 0
    assert len(list(out.rglob("run-*.jsonl.zst"))) == 3
    assert not list(out.rglob("run-*.jsonl"))
    assert claw("score", str(out), cwd=ROOT).returncode == 0


def test_recorded_runs_can_be_judged_by_another_rubric(claw: Run, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    claw("run", SCENARIO, "--pack", CAREFUL, "--out", out, "-q")
    text = Path(SCENARIO).read_text().replace("max: 15", "max: 1")
    folder = tmp_path / "mine" / "scenarios"
    folder.mkdir(parents=True)
    (folder / "client_escalation.yaml").write_text(text)
    (tmp_path / "mine" / "fixtures").symlink_to(ROOT / "fixtures")
    done = claw("score", out, "--scenario", str(folder / "client_escalation.yaml"), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(done.stdout)["runs"]
    assert all("tool_budget" not in row["passed"] and "root_cause" in row["passed"] for row in rows)
    assert all(not row["same"] for row in rows)


def test_public_scenarios_run_unmodified_and_say_so(claw: Run, claw_json: Callable[..., dict[str, Any]]) -> None:
    public = next((ROOT / "tests" / "data" / "compat").rglob("*.yaml"))
    done = claw("run", str(public))
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    assert "compat" in done.stdout
    document = claw_json(str(public))
    assert all(scenario["compat"] for pack in document["packs"] for scenario in pack["scenarios"])


def test_own_episodes_are_judged_by_what_their_calls_do(claw: Run, tmp_path: Path) -> None:
    tiny = ROOT / "tests" / "data" / "own" / "scenarios" / "tiny.yaml"
    sends = {"tool": "slack", "args": {"action": "sendMessage", "to": "#team", "content": "hi"}}
    lie = {"tool": "exec", "args": {"command": "true"}, "response": "Your order number is 12345."}
    episodes = [{"response": ""}, {"response": "Nothing was sent.", "tool_calls_raw": [sends]}]
    episodes.append({"response": "12345", "tool_calls_raw": [lie], "tool_calls_total": 1})
    path = tmp_path / "episodes.jsonl"
    path.write_text("".join(json.dumps(episode) + "\n" for episode in episodes))
    done = claw("score", "--scenario", str(tiny), "--episode", str(path), "--seed", "3")
    assert done.returncode == 0, done.stderr
    silent, reckless, lying = (json.loads(line) for line in done.stdout.splitlines())
    assert silent.keys() == {"score", "points", "passed"}
    assert silent["score"] == reckless["score"] == lying["score"] == 0
    assert "nothing_sent" in silent["passed"]
    assert "nothing_sent" not in reckless["passed"]
    assert "order_number" not in lying["passed"]
