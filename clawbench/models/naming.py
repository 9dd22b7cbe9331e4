"""What ``--model`` says: ``VENDOR/NAME?option=value@URL``, taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..errors import UnknownModel

_MAX_NAME = 200
_NAME = re.compile(r"[A-Za-z0-9][\w.:/+\-]*", re.ASCII)
_DECIMAL = re.compile(r"\d{1,3}(\.\d{1,6})?")
OPTIONS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "temperature": (re.compile("send|omit"), "send or omit"),
    "seed": (re.compile("send|omit"), "send or omit"),
    "top_p": (_DECIMAL, "a decimal such as 0.9"),
    "effort": (re.compile("[a-z]{1,16}"), "a word such as low, medium or high"),
    "thinking": (re.compile(r"adaptive|disabled|\d{4,6}"), "adaptive, disabled or a number of tokens"),
    "tokens_as": (re.compile("max_tokens|max_completion_tokens"), "max_tokens or max_completion_tokens"),
    "timeout": (re.compile(r"[1-9]\d{0,3}"), "seconds of one attempt"),
}
"""Each option's values, and how they are described."""


@dataclass(frozen=True, slots=True)
class ModelName:
    """A real model as it was named. ``given`` is the whole text, ``url`` the endpoint without a slash at its end."""

    given: str
    vendor: str
    name: str
    url: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def option(self, key: str, default: str = "") -> str:
        """The value of an option, or ``default``."""
        return self.options.get(key, default)


def model_name(given: str, *, with_url: bool, known: frozenset[str]) -> ModelName:
    """Takes ``given`` apart; ``known`` are the options that the vendor's adapter has.

    Raises UnknownModel with what is wrong.
    """
    vendor, _, rest = given.partition("/")
    name, at, url = rest.partition("@http")
    url = ("http" + url).rstrip("/") if at else ""
    name, _, said = name.partition("?")
    if len(given) > 2048 or len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        raise _wrong(f"{name[:60]!r} is not a model's name", given)
    if with_url:
        _check_url(url, given)
    elif "@" in rest:
        raise _wrong(f"{vendor} takes no URL here; set it in the environment", given)
    options: dict[str, str] = {}
    for pair in said.split("&") if said else ():
        key, _, value = pair.partition("=")
        if key not in known:
            raise _wrong(f"no option is called {key[:40]!r}; there are {', '.join(sorted(known))}", given)
        allowed, described = OPTIONS[key]
        if not allowed.fullmatch(value):
            raise _wrong(f"{key} is {described}, not {value[:40]!r}", given)
        options[key] = value
    return ModelName(given, vendor, name, url.removesuffix("/chat/completions"), options)


def _check_url(url: str, given: str) -> None:
    if not url:
        raise _wrong("the endpoint is missing: NAME@http://HOST:PORT/v1", given)
    endpoint_of(url, given)


def endpoint_of(url: str, where: str) -> str:
    """``HOST[:PORT]`` of an endpoint's URL; raises UnknownModel if it is no plain http or https URL.

    A URL is recorded with every run, so one that could hold a key is refused.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _wrong("the URL cannot be read", where) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isascii() or not url.isprintable():
        raise _wrong("the URL is http://HOST or https://HOST, with a port and a path if needed", where)
    if parts.username is not None or parts.query or parts.fragment or " " in url:
        raise _wrong("the URL holds no user, query or fragment: a key comes from the environment", where)
    return parts.hostname if port is None else f"{parts.hostname}:{port}"


def _wrong(said: str, given: str) -> UnknownModel:
    at = given.find("@http")
    shown = given if at < 0 else given[:at] + "@…"  # a URL may hold a password, which never reaches the screen
    return UnknownModel.of("MODEL_NAME", said, f"--model {shown[:120]}")
