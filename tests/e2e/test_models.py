"""Real models on a command line: listed, checked, dead, limited, and their keys shown nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.models.vendors import KEY, VENDORS, said
from tests.stages import mail_id, tiny_stage
from tests.stub_models import Answer, Asked, Provider, refused

from .conftest import ROOT, Run

TINY = str(ROOT / "tests/data/own/scenarios/tiny.yaml")
PACK = str(ROOT / "packs/careful")
ENVIRONMENT = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY, "OPENAI_COMPATIBLE_API_KEY": KEY}


def asked_at(vendor: str, provider: Provider) -> tuple[str, dict[str, str]]:
    """``--model`` and the environment for a vendor's stub."""
    environment = {**ENVIRONMENT, "OPENAI_BASE_URL": f"{provider.url}/v1", "ANTHROPIC_BASE_URL": provider.url}
    at = f"@{provider.url}/v1" if vendor == "openai-compatible" else ""
    return f"{vendor}/stub-1{at}", environment


def answers(vendor: str, asked: Asked) -> Answer:
    """The three answers of a model that is checked."""
    turns = [said(vendor, "ready"), said(vendor, "So.", [("exec", {"command": "date +%A"})]), said(vendor, "Thursday")]
    return Answer(turns[asked.turn])


def test_models_are_listed_with_what_they_lack(claw: Run) -> None:
    done = claw("models", env={"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": ""})
    assert done.returncode == 0
    assert "OPENAI_API_KEY is set" in done.stdout
    assert "ANTHROPIC_API_KEY is not set" in done.stdout
    assert done.stdout.count("made by hand from documentation") == 3
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_model_that_answers_as_documented_passes(vendor: str, claw: Run) -> None:
    with Provider(lambda asked: answers(vendor, asked)) as provider:
        model, environment = asked_at(vendor, provider)
        done = claw("models", "check", model, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("it answers as documented\n")
    assert len(provider.asked) == 3


def test_a_model_of_another_shape_fails_and_says_where(claw: Run) -> None:
    def script(asked: Asked) -> Answer:
        told = said("openai", "ready")
        told["choices"][0]["index"] = "first"
        return Answer(told)

    with Provider(script) as provider:
        model, environment = asked_at("openai-compatible", provider)
        done = claw("models", "check", model, "--json", env=environment)
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert told["answers"][0]["other"] == ["choices[].index: text instead of number"]
    assert told["answers"][1]["problem"] == "it called no tool"


def test_a_simulated_model_has_nothing_to_check(claw: Run) -> None:
    done = claw("models", "check", "offline")
    assert done.returncode == 2
    assert "nothing to check" in done.stderr


def test_a_missing_key_is_one_sentence(claw: Run) -> None:
    done = claw("run", TINY, "--pack", PACK, "--model", "openai/gpt-5", env={"OPENAI_API_KEY": ""})
    assert done.returncode == 2
    assert "export OPENAI_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_endpoint_that_dies_ends_in_3_and_the_same_command_goes_on(claw: Run, tmp_path: Path) -> None:
    stage = tiny_stage()
    order = stage.world.facts["order"].text
    turns = [
        said("openai", None, [("exec", {"command": f"himalaya message read {mail_id(stage, 'mail/order')}"})]),
        said("openai", f"It is {order}."),
    ]
    dead = [False]

    def script(asked: Asked) -> Answer:
        if dead[0] or asked.number == 2:
            dead[0] = True
            return refused("openai", 401, f"{KEY} is no key")
        return Answer(turns[asked.turn])

    out = tmp_path / "out"
    with Provider(script) as provider:
        model, environment = asked_at("openai-compatible", provider)
        words = ("run", TINY, "--pack", PACK, "--model", model, "--out", str(out), "--attempts", "1", "-j", "1")
        done = claw(*words, env=environment)
        assert done.returncode == 3, done.stdout + done.stderr
        assert "MODEL_AUTH" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert len(list(out.rglob("run-*.jsonl"))) == 1
        dead[0] = False
        provider.asked.extend([provider.asked[0]] * 10)  # beyond the request that died
        before = len(provider.asked)
        again = claw(*words, env=environment)
        assert again.returncode == 0, again.stdout + again.stderr
        assert len(provider.asked) - before == 4  # two runs of two calls; the finished one is kept
    shown = done.stdout + done.stderr + again.stdout + again.stderr
    kept = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert KEY not in shown
    assert KEY.encode() not in kept


def test_nobody_listens(claw: Run, tmp_path: Path) -> None:
    with Provider(lambda asked: Answer(drop=True)) as provider:
        model, _ = asked_at("openai-compatible", provider)
    words = ("run", TINY, "--pack", PACK, "--model", model, "--runs", "1", "--attempts", "1")
    done = claw(*words, "--out", str(tmp_path / "out"))
    assert done.returncode == 3
    assert "MODEL_CONNECTION" in done.stdout + done.stderr
