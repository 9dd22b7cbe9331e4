"""What --model can say, and what is said when it says nothing that can be used."""

from __future__ import annotations

import sys

import pytest

from clawbench.errors import InvalidInput, ModelUnusable, UnknownModel
from clawbench.models import KNOWN, model_named
from clawbench.models.compatible import CompatibleAdapter, _proxy
from clawbench.models.naming import model_name

ALL = frozenset({"temperature", "seed", "top_p", "effort", "thinking", "tokens_as", "timeout"})


def test_a_name_is_taken_apart() -> None:
    named = model_name("openai-compatible/qwen/q3:8b?seed=omit@http://127.0.0.1:1/v1/", with_url=True, known=ALL)
    assert (named.vendor, named.name, named.url) == ("openai-compatible", "qwen/q3:8b", "http://127.0.0.1:1/v1")
    assert dict(named.options) == {"seed": "omit"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("openai-compatible/m", "endpoint is missing"),
        ("openai-compatible/@http://h/v1", "not a model's name"),
        ("openai-compatible/m@http://", "http://HOST"),
        ("openai-compatible/m@http://h:99999/v1", "cannot be read"),
        ("openai-compatible/m@http://u:secret@h/v1", "no user, query"),
        ("openai-compatible/m@https://h/v1?key=secret", "no user, query"),
        ("openai-compatible/m@http://h/v1\n", "http://HOST"),
        ("openai-compatible/m?loud=yes@http://h/v1", "no option is called 'loud'"),
        ("openai-compatible/m?seed=7@http://h/v1", "seed is send or omit"),
        ("openai-compatible/m?thinking=adaptive@http://h/v1", "no option is called 'thinking'"),
        ("openai/", "not a model's name"),
        ("openai/m@http://h", "takes no URL"),
        ("anthropic/m?effort=7", "effort is a word"),
        ("gpt-5", "no model is called"),
    ],
)
def test_what_cannot_be_meant_is_said(given: str, said: str) -> None:
    with pytest.raises(UnknownModel) as raised:
        model_named(given)
    assert said in str(raised.value)
    assert "secret" not in str(raised.value)
    assert raised.value.exit_status == 2


@pytest.mark.parametrize(
    ("name", "variable"), [("openai/gpt-5", "OPENAI_API_KEY"), ("anthropic/claude-opus-5", "ANTHROPIC_API_KEY")]
)
def test_a_missing_key_or_sdk_is_one_sentence(name: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ModelUnusable, match=f"no key: export {variable}"):
        model_named(name)
    monkeypatch.setenv(variable, "two words")
    with pytest.raises(ModelUnusable, match="does not hold a key"):
        model_named(name)
    package = name.partition("/")[0]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelUnusable, match=rf"pip install 'clawbench\[{package}\]'"):
        model_named(name)


def test_a_base_url_with_a_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:hush@host/v1")
    with pytest.raises(InvalidInput) as raised:
        model_named("openai/gpt-5")
    assert "hush" not in str(raised.value)


def test_a_vendors_key_goes_to_that_vendor_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-1")
    monkeypatch.delenv("OPENAI_COMPATIBLE_API_KEY", raising=False)

    def sent(url: str) -> bytes:
        model = model_named(f"openai-compatible/m@{url}")
        adapter = model._adapter  # type: ignore[attr-defined]
        assert isinstance(adapter, CompatibleAdapter)
        return dict(adapter._headers).get(b"Authorization", b"")

    assert sent("https://openrouter.ai/api/v1") == b"Bearer sk-or-1"
    assert sent("https://openrouter.ai.evil.example/v1") == b""
    assert sent("http://127.0.0.1:8000/v1") == b""


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert _proxy("https://host/v1") is None
    monkeypatch.setenv("https_proxy", "http://me:pw@proxy:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    proxy = _proxy("https://host/v1")
    assert proxy is not None
    assert (proxy.url.host, proxy.url.port, proxy.auth) == (b"proxy", 3128, (b"me", b"pw"))
    assert _proxy("https://127.0.0.1/v1") is None


def test_every_known_name_is_documented() -> None:
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    assert all(f"`{name}`" in page for name in KNOWN)
