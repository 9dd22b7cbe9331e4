"""The other commands, and what starting them costs."""

from __future__ import annotations

import json
import subprocess
import sys

from .conftest import ROOT, SCRIPT, Run

HEAVY = (
    "pydantic",
    "rich",
    "re2",
    "orjson",
    "yaml",
    "jq",
    "zstandard",
    "openai",
    "anthropic",
    "bittensor",
    "numpy",
    "git",
)


def test_help_imports_nothing_but_click() -> None:
    code = (
        "import sys\nsys.argv = ['clawbench', '--help']\n"
        "from clawbench.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Commands:" in done.stdout


def test_an_offline_run_loads_no_sdk(tmp_path: object) -> None:
    code = (
        "import sys\nsys.argv = ['clawbench', 'run', 'client_escalation', '--pack', 'packs/careful', '-q', '--out', "
        f"{str(tmp_path)!r}]\n"
        "from clawbench.__main__ import main\nmain()\n"
        "names = ('openai', 'anthropic', 'bittensor', 'httpx', 'numpy', 'git', 'jsonschema')\n"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_version_and_module_entry_agree() -> None:
    script = subprocess.run([str(SCRIPT), "--version"], capture_output=True, text=True, check=True)
    module = subprocess.run(
        [sys.executable, "-m", "clawbench", "--version"], capture_output=True, text=True, check=True
    )
    assert script.stdout == module.stdout
    assert script.stdout.startswith("clawbench ")


def test_list_shows_scenarios_packs_and_models(claw: Run) -> None:
    plain = claw("list", cwd=ROOT)
    assert plain.returncode == 0
    for name in ("client_escalation", "careful", "reckless", "offline"):
        assert name in plain.stdout
    listed = json.loads(claw("list", "--json", cwd=ROOT).stdout)
    assert {"scenarios", "packs", "models"} == listed.keys()
    row = next(row for row in listed["scenarios"] if row["name"] == "client_escalation")
    assert (row["weight"], row["checks"], row["difficulty"]) == ("1.5", 15, "hard")


def test_list_elsewhere_finds_what_was_installed(claw: Run) -> None:
    assert "client_escalation" in claw("list").stdout


def test_schema_is_a_json_schema_that_the_shipped_scenarios_meet(claw: Run) -> None:
    schema = json.loads(claw("schema", "scenario").stdout)
    assert schema["$schema"].endswith("2020-12/schema")
    assert {"name", "prompt", "scoring"} <= set(schema["properties"])


def test_lint_is_silent_about_the_shipped_scenarios(claw: Run) -> None:
    done = claw("lint", "client_escalation", cwd=ROOT)
    assert done.returncode == 0, done.stdout
    assert "error" not in done.stdout


def test_lint_exits_two_on_an_error(claw: Run, tmp_path: object) -> None:
    assert claw("lint", "/nonexistent.yaml").returncode == 2
