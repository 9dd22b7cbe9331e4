"""What an operator sets: by flag, by environment, by a ``.env`` file, or not at all, in this order."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .errors import InvalidInput, Problem

_MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Settings:
    """A validator's or miner's own choices: nothing in here changes what an epoch's result is.

    ``network`` is a name that the SDK knows, a ws(s) URL, ``local:PATH`` or ``http://127.0.0.1:PORT``. ``budget_usd``
    is decimal text, USD per epoch. ``protocol`` is a parameter file of a private network.
    """

    netuid: int = 11
    network: str = "finney"
    fallbacks: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    wallet_name: str = "default"
    wallet_hotkey: str = "default"
    wallet_path: str = "~/.bittensor/wallets"
    key_file: str = ""
    model: str = ""
    state: str = "~/.trajectoryrl"
    publish: str = ""
    publish_url: str = ""
    budget_usd: str = ""
    budget_tokens: int = 0
    concurrency: int = 16
    keep_epochs: int = 24
    once: bool = False
    dry_run: bool = False
    log_level: str = "info"
    log_file: str = ""
    health_port: int = 0
    forge: str = ""
    protocol: str = ""

    @property
    def state_folder(self) -> Path:
        """Where the ledger and the trajectories of this network and hotkey stand."""
        return Path(self.state).expanduser().absolute()


@dataclass(frozen=True, slots=True)
class _Option:
    """One setting: the flags and environment variables that give it, and what it is for."""

    field: str
    flags: tuple[str, ...]
    env: tuple[str, ...]
    help: str


_OPTIONS = (
    _Option("netuid", ("--netuid",), ("NETUID",), "the subnet's number"),
    _Option(
        "network",
        ("--subtensor.network", "--subtensor.chain_endpoint", "--network"),
        ("SUBTENSOR_NETWORK", "BT_CHAIN_ENDPOINT", "BT_NETWORK", "NETWORK"),
        "finney, test, local, or a ws(s):// URL",
    ),
    _Option("fallbacks", ("--subtensor.fallback",), ("SUBTENSOR_FALLBACK",), "another endpoint (may be repeated)"),
    _Option("archives", ("--subtensor.archive",), ("SUBTENSOR_ARCHIVE",), "an archive endpoint (may be repeated)"),
    _Option("wallet_name", ("--wallet.name",), ("WALLET_NAME", "BT_WALLET"), "the wallet's name"),
    _Option("wallet_hotkey", ("--wallet.hotkey",), ("WALLET_HOTKEY", "BT_WALLET_HOTKEY"), "the hotkey's name"),
    _Option("wallet_path", ("--wallet.path",), ("WALLET_PATH", "BT_WALLET_PATH"), "the folder of wallets"),
    _Option("key_file", ("--key",), ("KEY_FILE",), "a local network's key file instead of a wallet"),
    _Option("model", ("--model",), ("MODEL",), "the model to run (default: the protocol's)"),
    _Option("state", ("--state",), ("STATE_DIR",), "the folder of the ledger"),
    _Option("publish", ("--publish",), ("PUBLISH_DIR",), "write sealed records to this folder, too"),
    _Option("publish_url", ("--publish.url",), ("PUBLISH_URL",), "where that folder is served; committed on chain"),
    _Option("budget_usd", ("--budget.usd",), ("BUDGET_USD",), "USD that an epoch may cost"),
    _Option("budget_tokens", ("--budget.tokens",), ("BUDGET_TOKENS",), "tokens that an epoch may cost"),
    _Option("concurrency", ("--concurrency",), ("CONCURRENCY",), "runs at a time"),
    _Option("keep_epochs", ("--keep",), ("KEEP_EPOCHS",), "epochs that are kept whole, and records"),
    _Option("once", ("--once",), ("ONCE",), "finish one epoch, then stop"),
    _Option("dry_run", ("--dry-run", "--neuron.disable_set_weights"), ("DRY_RUN",), "do all but set weights"),
    _Option("log_level", ("--logging.level",), ("LOG_LEVEL",), "debug, info, warning or error"),
    _Option("log_file", ("--logging.file",), ("LOG_FILE",), "a file for JSON lines"),
    _Option("health_port", ("--health.port",), ("HEALTH_PORT",), "serve /health on 127.0.0.1:PORT"),
    _Option("forge", ("--forge",), ("FORGE_URL",), "a forge instead of GitHub (refused on a public network)"),
    _Option("protocol", ("--protocol",), ("PROTOCOL_FILE",), "a private network's parameters"),
)
SECRETS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENAI_COMPATIBLE_API_KEY", "GITHUB_TOKEN")
"""What a ``.env`` file may hold besides settings; these go to the environment and are never printed or logged."""
_TYPES: Mapping[str, Any] = {field.name: type(field.default) for field in fields(Settings)}


def flags_of(field: str) -> tuple[str, ...]:
    """The flags that give a setting, the usual one first."""
    return next(option.flags for option in _OPTIONS if option.field == field)


def settings_table() -> str:
    """Every setting as a table in Markdown, as docs/validators.md shows it."""
    defaults = Settings()
    rows = ["| Flag | Environment | Default | What |", "|---|---|---|---|"]
    for option in _OPTIONS:
        value = getattr(defaults, option.field)
        default = "no" if value is False else ", ".join(value) if isinstance(value, tuple) else str(value)
        names = (", ".join(f"`{name}`" for name in given) for given in (option.flags, option.env))
        rows.append(f"| {' | '.join(names)} | {f'`{default}`' if default else ''} | {option.help} |")
    return "\n".join(rows) + "\n"


def settings(words: Sequence[str], *, prog: str, about: str, only: Sequence[str] = ()) -> Settings:
    """The settings that the command line ``words``, the environment and ``.env`` give; ``only`` these fields.

    Keys of models and forges that ``.env`` has are put into the environment, where their adapters look.
    Raises InvalidInput with every value that has no meaning; argparse ends the process for a wrong flag.
    """
    options = [option for option in _OPTIONS if not only or option.field in only]
    parser = argparse.ArgumentParser(prog=prog, description=about)
    parser.add_argument("--env", metavar="FILE", default=".env", help="a file of NAME=VALUE lines (default: .env)")
    parser.add_argument("--logging.debug", dest="debug", action="store_true", help="the same as --logging.level debug")
    for option in options:
        kind = _TYPES[option.field]
        if kind is bool:
            parser.add_argument(*option.flags, dest=option.field, action="store_const", const="1", help=option.help)
        elif kind is tuple:
            parser.add_argument(*option.flags, dest=option.field, action="append", metavar="URL", help=option.help)
        else:
            name = option.flags[0].rsplit(".", 1)[-1].strip("-").upper()
            parser.add_argument(*option.flags, dest=option.field, metavar=name, help=option.help)
    given = vars(parser.parse_args(words))
    filed = _env_file(Path(given["env"]), required="--env" in words)
    for name in SECRETS:
        if filed.get(name):
            os.environ.setdefault(name, filed[name])
    environment = {**filed, **os.environ}
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for option in options:
        found = _given(option, given, environment)
        if found is None:
            continue
        where, said = found
        try:
            values[option.field] = _typed(_TYPES[option.field], said)
        except ValueError as why:
            problems.append(Problem("SETTING", where, str(why)))
    if given["debug"]:
        values["log_level"] = "debug"
    if values.get("log_level", "info") not in ("debug", "info", "warning", "error"):
        problems.append(Problem("SETTING", "--logging.level", "is one of debug, info, warning, error"))
    if problems:
        raise InvalidInput(problems)
    return Settings(**values)


def _given(
    option: _Option, flags: Mapping[str, Any], environment: Mapping[str, str]
) -> tuple[str, str | list[str]] | None:
    said = flags[option.field]
    if said is not None:
        return option.flags[0], said
    name = next((name for name in option.env if environment.get(name)), None)
    return (name, environment[name]) if name is not None else None


def _typed(kind: type, said: str | list[str]) -> Any:
    if kind is tuple:
        return tuple(said) if isinstance(said, list) else tuple(part for part in said.split(",") if part)
    assert isinstance(said, str)
    if kind is bool:
        if said.lower() not in ("0", "1", "true", "false", "yes", "no"):
            raise ValueError(f"is yes or no, not {said[:40]!r}")
        return said.lower() in ("1", "true", "yes")
    if kind is int:
        if not (said.isascii() and said.isdigit() and len(said) < 16):
            raise ValueError(f"is a whole number, not {said[:40]!r}")
        return int(said)
    return said


def _env_file(path: Path, *, required: bool) -> dict[str, str]:
    """The ``NAME=VALUE`` lines of a file; quotes around a value are taken off, ``#`` begins a comment line."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise InvalidInput.of("ENV_FILE", f"has at most {_MOST_BYTES:,} bytes", str(path))
        text = raw.decode()
    except FileNotFoundError:
        if required:
            raise InvalidInput.of("ENV_FILE", "there is no such file", str(path)) from None
        return {}
    except (OSError, UnicodeDecodeError) as why:
        raise InvalidInput.of("ENV_FILE", f"cannot be read: {why}", str(path)) from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        if not equals or not name.strip().isidentifier():
            raise InvalidInput.of("ENV_FILE", "a line reads NAME=VALUE", f"{path}:{number}")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name.strip()] = value
    return found
