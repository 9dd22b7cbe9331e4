"""Every way a provider can fail, with each vendor's adapter: each ends in the state that docs/models.md gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest

from clawbench.errors import ModelUnavailable
from clawbench.models.provider import ProviderModel
from tests.models.vendors import KEY, QUICK, VENDORS, model_at, reply, said
from tests.stub_models import Answer, Asked, refused

Fault = Callable[[str], Answer]


def _status(status: int, kind: str = "error", text: str = "it failed", **headers: str) -> Fault:
    return lambda vendor: refused(vendor, status, text, kind, **headers)


# name: the fault, the code it ends in (or the finish of a reply), and how often it was asked
ROWS: dict[str, tuple[Fault, str, int]] = {
    "400 wrong request": (_status(400, "invalid_request_error"), "MODEL_REJECTED", 1),
    "400 context too long": (_status(400, "context_length_exceeded", "prompt is too long"), "context", 1),
    "400 content policy": (_status(400, "content_filter", "content management policy"), "refusal", 1),
    "401": (_status(401, "authentication_error", f"Incorrect API key provided: {KEY}"), "MODEL_AUTH", 1),
    "402": (_status(402, "billing_error"), "MODEL_PAYMENT", 1),
    "403": (_status(403, "permission_error"), "MODEL_AUTH", 1),
    "404": (_status(404, "not_found_error"), "MODEL_NOT_FOUND", 1),
    "408": (_status(408), "MODEL_TIMEOUT", 3),
    "409": (_status(409), "MODEL_SERVER", 3),
    "413": (_status(413, "request_too_large"), "MODEL_REJECTED", 1),
    "422": (_status(422), "MODEL_REJECTED", 1),
    "429 with Retry-After": (_status(429, "rate_limit_error", Retry_After="1"), "MODEL_RATE_LIMITED", 6),
    "429 with a date": (_status(429, Retry_After=formatdate(0, usegmt=True)), "MODEL_RATE_LIMITED", 6),
    "429 with nonsense": (_status(429, Retry_After="soon"), "MODEL_RATE_LIMITED", 6),
    "429 without": (_status(429, "rate_limit_error"), "MODEL_RATE_LIMITED", 6),
    "429 no quota": (_status(429, "insufficient_quota"), "MODEL_PAYMENT", 1),
    "500": (_status(500, "api_error"), "MODEL_SERVER", 3),
    "502": (lambda vendor: Answer(b"<html>Bad gateway</html>", 502), "MODEL_SERVER", 3),
    "503": (_status(503), "MODEL_OVERLOADED", 6),
    "504": (_status(504), "MODEL_TIMEOUT", 3),
    "529": (_status(529, "overloaded_error"), "MODEL_OVERLOADED", 6),
    "redirect": (lambda vendor: Answer(b"", 307, {"Location": "http://127.0.0.1:9/"}), "MODEL_BAD_REPLY", 1),
    "hang": (lambda vendor: Answer(hang=True), "MODEL_TIMEOUT", 3),
    "dropped connection": (lambda vendor: Answer(drop=True), "MODEL_CONNECTION", 3),
    "half body": (lambda vendor: Answer(said(vendor, "Hello there"), cut=60), "MODEL_CONNECTION", 3),
    "invalid JSON": (lambda vendor: Answer(b'{"choices": [{'), "MODEL_BAD_REPLY", 3),
    "not an object": (lambda vendor: Answer([1, 2]), "MODEL_BAD_REPLY", 3),
    "empty body": (lambda vendor: Answer(b""), "MODEL_BAD_REPLY", 3),
    "no choices": (lambda vendor: Answer({"choices": [], "content": None}), "MODEL_BAD_REPLY", 3),
    "wrong tool call": (lambda vendor: Answer(_wrong_call(vendor)), "MODEL_BAD_REPLY", 3),
    "10 MB body": (lambda vendor: Answer(said(vendor, "x" * 10_000_000)), "MODEL_TOO_LARGE", 1),
    "compressed": (lambda vendor: Answer(b"x", headers={"Content-Encoding": "gzip"}), "MODEL_BAD_REPLY", 1),
    "refusal": (lambda vendor: Answer(_refusal(vendor)), "refusal", 1),
    "truncation": (lambda vendor: Answer(_truncated(vendor)), "length", 1),
}


def _wrong_call(vendor: str) -> object:
    told = said(vendor, "ok")
    if vendor == "anthropic":
        return told | {"content": [{"type": "tool_use", "id": "toolu_1"}]}
    told["choices"][0]["message"]["tool_calls"] = "exec"
    return told


def _refusal(vendor: str) -> object:
    told = said(vendor, "I cannot help with that.")
    if vendor == "anthropic":
        return told | {"stop_reason": "refusal"}
    told["choices"][0]["message"] |= {"content": None, "refusal": "I cannot help with that."}
    return told


def _truncated(vendor: str) -> object:
    told = said(vendor, "The answer is")
    if vendor == "anthropic":
        return told | {"stop_reason": "max_tokens"}
    told["choices"][0]["finish_reason"] = "length"
    return told


def _end(model: ProviderModel) -> tuple[str, str]:
    """How a reply ended, and the sentence about it."""
    try:
        return reply(model).finish, ""
    except ModelUnavailable as error:
        return error.code, str(error)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("row", ROWS)
def test_every_fault_ends_in_its_state(row: str, vendor: str) -> None:
    fault, state, asked = ROWS[row]
    patience = replace(QUICK, attempt=1) if row == "hang" else QUICK
    with model_at(vendor, lambda request: fault(vendor), patience=patience) as (model, provider):
        ended, sentence = _end(model)
    assert ended == state
    assert len(provider.asked) == asked
    assert KEY not in sentence
    assert "\n" not in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_provider_that_recovers_is_asked_again(vendor: str) -> None:
    faults = [refused(vendor, 500, "broken"), refused(vendor, 429, "slower", retry_after="0"), Answer(drop=True)]

    def script(asked: Asked) -> Answer:
        return faults[asked.number] if asked.number < len(faults) else Answer(said(vendor, "Here I am."))

    with model_at(vendor, script, patience=QUICK.__class__(shortest=0.01, longest=0.02, wish=0.05)) as (model, _):
        assert reply(model).text == "Here I am."
        assert (model.limiter.retries, model.limiter.rate_limit_waits) == (3, 1)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_dead_endpoint_is_said_to_be_dead(vendor: str) -> None:
    with model_at(vendor, lambda asked: Answer(drop=True)) as (model, provider):
        provider.stop()
        with pytest.raises(ModelUnavailable) as raised:
            reply(model)
    assert raised.value.code == "MODEL_CONNECTION"
    assert raised.value.exit_status == 3


def test_the_page_lists_every_row() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    for row, (_, state, _) in ROWS.items():
        assert any(f"`{state}`" in line and row in line for line in page.splitlines()), row
