"""Tournaments played by real adapters against stubs of the vendors: what they record audits clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.models.vendors import VENDORS, said
from tests.stub_models import Answer, Asked, Provider, chat, message, refused
from trajectoryrl.audit import audited

from .conftest import ROOT
from .test_models import asked_at
from .test_tournament import command

PACKS = [str(ROOT / "packs" / name) for name in ("careful", "baseline", "reckless")]


def line_of(name: str) -> str:
    """A line of a pack's policy that no other has."""
    return next(line for line in (ROOT / "packs" / name / "AGENTS.md").read_text().splitlines() if len(line) > 40)


def ended(vendor: str, *ways: tuple[str, str]) -> list[dict[str, Any]]:
    """Replies that end otherwise than they should, by the words of either wire."""
    if vendor == "anthropic":
        return [message("I", stop_reason=way) for way, _ in ways]
    return [chat("I", choice={"finish_reason": way}) for _, way in ways]


def spoken(vendor: str, asked: Asked) -> Answer:
    """Tools are called, well and badly, with words and without; one pack is refused, another's reply is cut off."""
    for number, name in enumerate(("reckless", "baseline")):
        if line_of(name) in json.dumps(asked.body, ensure_ascii=False):
            return Answer(ended(vendor, ("refusal", "content_filter"), ("max_tokens", "length"))[number])
    turns: list[dict[str, Any]] = [
        said(vendor, "Let me see…\n", [("exec", {"command": "himalaya envelope list"}), ("nothing", {"ü": "\ud83d"})]),
        said(vendor, None, [("slack", {"action": "readMessages", "channelId": "#incidents", "limit": 2})]),
        said(vendor, "Nothing more. \u2028 Naïve — “done”.\n"),
    ]
    if vendor == "anthropic":
        turns[1] = message(None, [("slack", {"action": "readMessages", "channelId": "#incidents"})], thinking="Hm.")
    return Answer(turns[min(asked.turn, 2)])


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_record_of_a_real_model_audits_clean(vendor: str, tmp_path: Path) -> None:
    with Provider(lambda asked: spoken(vendor, asked)) as provider:
        model, environment = asked_at(vendor, provider)
        command("tournament", *PACKS, "--model", model, "--out", str(tmp_path / "out"), **environment)
    (record,) = (tmp_path / "out").glob("epoch-*")
    found = audited(record)
    assert found.problems == ()
    assert (found.simulated, found.model) == (False, model)
    assert found.runs >= 20
    told = json.loads((record / "manifest.json").read_bytes())
    attempts = [a for row in told["evaluations"] for verdict in row["scenarios"] for a in verdict["attempts"]]
    assert {attempt["fault"].partition(":")[0] for attempt in attempts} == {"", "REFUSAL", "LIMIT_OUTPUT"}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_record_of_a_provider_that_turns_everybody_away_audits_clean(vendor: str, tmp_path: Path) -> None:
    with Provider(lambda asked: refused(vendor, 401, "bad key")) as provider:
        model, environment = asked_at(vendor, provider)
        done = command("tournament", *PACKS, "--model", model, "--out", str(tmp_path / "out"), status=3, **environment)
    assert "did not answer (MODEL_AUTH)" in " ".join(done.stdout.split())
    (record,) = (tmp_path / "out").glob("epoch-*")
    assert audited(record).problems == ()
