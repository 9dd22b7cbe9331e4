"""The documented answers: what the adapters make of them, and how a real answer is compared."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from clawbench.models import chat, messages
from clawbench.models.shapes import QUESTIONS, Sample, difference, sample
from tests.models.vendors import VENDORS

WIRE = Path(messages.__file__).parent / "wire"


def test_every_sample_is_marked_as_made_by_hand() -> None:
    files = sorted(path.name for path in WIRE.iterdir())
    assert files == sorted(f"{vendor}.{question}.json" for vendor in VENDORS for question in QUESTIONS)
    told = [json.loads((WIRE / name).read_text()) for name in files]
    assert {document["note"] for document in told} == {"made by hand from documentation"}
    assert all(document["source"].startswith("https://") for document in told)


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_adapters_read_the_documented_answers(vendor: str) -> None:
    read = messages.reply_of if vendor == "anthropic" else chat.reply_of
    text, call, result = (read(json.dumps(sample(vendor, question).answer).encode()) for question in QUESTIONS)
    assert (text.text, text.finish) == ("ready", "stop")
    assert [(made.name, json.loads(made.arguments)) for made in call.calls] == [("exec", {"command": "date"})]
    assert result.text == "Thursday"
    assert all(reply.usage.prompt and reply.usage.completion and reply.served for reply in (text, call, result))


def changed(expected: Sample, **keys: Any) -> dict[str, Any]:
    answer = copy.deepcopy(dict(expected.answer))
    return {key: value for key, value in {**answer, **keys}.items() if value != "gone"}


def test_only_what_an_adapter_reads_matters() -> None:
    expected = sample("openai", "text")
    assert not difference(expected, expected.answer).matters
    assert difference(expected, changed(expected, verdict={"ok": True})).new == ("verdict", "verdict.ok")
    assert not difference(expected, changed(expected, verdict=1)).matters
    assert not difference(expected, changed(expected, system_fingerprint=None)).matters
    assert not difference(expected, changed(expected, service_tier="gone")).matters
    assert difference(expected, changed(expected, usage="gone")).missing[0] == "usage"
    assert difference(expected, changed(expected, model=7)).other == ("model: number instead of text",)
