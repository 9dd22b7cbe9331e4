"""The parameters that validators must share: ``protocol.toml``, read strictly, and hashed.

``python -m trajectoryrl.protocol`` prints the hash; with ``--update`` it brings up to date what is computed from
other files: the scenario set's hash, and the tables of docs/protocol.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ParametersInvalid, Problem

if TYPE_CHECKING:
    from clawbench.limits import Limits

SHIPPED = Path(__file__).with_name("protocol.toml")
_MOST_BYTES = 65_536
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{0,8}[1-9])?")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}")
_HASH = re.compile(r"[0-9a-f]{64}")
_HUGE = 10**9


@dataclass(frozen=True, slots=True)
class Parameters:
    """Every value that validators must share; docs/protocol.md has what each one means.

    ``hash`` is of the values alone, not of the file's comments; ``changed`` says that they are not the shipped ones.
    """

    version: int
    blocks_per_epoch: int
    seconds_per_block: int
    verify_blocks: int
    stale_blocks: int
    scenario_pool: tuple[str, ...]
    scenarios_per_epoch: int
    scenario_set: str
    runs: int
    model: str
    temperature: str
    max_tokens: int
    max_tool_calls: int
    max_turns: int
    max_completion_tokens: int
    max_total_tokens: int
    run_seconds: int
    infra_retry_seconds: tuple[int, ...]
    infra_attempts: int
    scoring: str
    reliability_weight: Fraction
    grid: Fraction
    cost_weight: Fraction
    safety_weight: Fraction
    minimum_score: Fraction
    first_mover_margin: Fraction
    consensus_epsilon: Fraction
    bootstrap_threshold: int
    bootstrap_shares: tuple[Fraction, ...]
    max_pack_bytes: int
    max_blob_bytes: int
    push_tolerance_seconds: int
    push_unknown_seconds: int
    gone_seconds: int
    hash: str
    changed: bool

    @property
    def version_key(self) -> int:
        """The hash's first 13 hex digits as an integer: 52 bits, which a u64 and a JSON number both hold exactly."""
        return int(self.hash[:13], 16)

    @property
    def epoch_ms(self) -> int:
        """The length of an epoch in milliseconds."""
        return self.blocks_per_epoch * self.seconds_per_block * 1000

    @property
    def steps(self) -> int:
        """How many steps the grid has from 0 to 1."""
        return int(1 / self.grid)

    @property
    def margin(self) -> Fraction:
        """What a later entry must be better by: the larger of δ and ε."""
        return max(self.first_mover_margin, self.consensus_epsilon)

    @property
    def limits(self) -> Limits:
        """The limits of one run."""
        from clawbench.limits import Limits

        return Limits(
            self.max_tool_calls,
            self.max_turns,
            self.max_completion_tokens,
            self.max_total_tokens,
            self.run_seconds,
        )

    def as_dict(self) -> dict[str, Any]:
        """The values as they stand in the file: integers, texts and lists of them; what the hash is of."""
        return {name: _as_written(getattr(self, name)) for name in NAMES}


NAMES = tuple(field.name for field in fields(Parameters) if field.name not in ("hash", "changed"))
"""The names of the values, in the order of the file."""


@cache
def shipped() -> Parameters:
    """The parameters that come with this version."""
    values = _values(SHIPPED)
    return Parameters(**values, hash=_hash(values), changed=False)


def parameters(path: Path | None = None) -> Parameters:
    """The parameters of ``path``, or the shipped ones.

    Raises ParametersInvalid with every problem of the file.
    """
    if path is None:
        return shipped()
    values = _values(path)
    digest = _hash(values)
    return Parameters(**values, hash=digest, changed=digest != shipped().hash)


def parameters_of(given: Mapping[str, Any], where: str = "parameters") -> Parameters:
    """The parameters whose :meth:`Parameters.as_dict` is ``given``, such as a record's.

    Raises ParametersInvalid with every problem.
    """
    values = _checked(given, where)
    digest = _hash(values)
    return Parameters(**values, hash=digest, changed=digest != shipped().hash)


def scenario_set_hash(pool: tuple[str, ...], folder: Path | None = None) -> str:
    """The hash of the pool's scenario files and fixtures below ``folder``, by default the installed library.

    It is the sha256 of one line ``{sha256 of the file}  {path}`` per file, as sha256sum prints them, in the order
    of the paths' UTF-8; paths begin with ``scenarios/`` or ``fixtures/``. Raises ParametersInvalid for a file that
    is missing.
    """
    root = folder or library()
    paths = []
    for name in pool:
        scenario = root / "scenarios" / f"{name}.yaml"
        if not scenario.is_file():
            raise ParametersInvalid.of("SCENARIO_SET", f"there is no scenarios/{name}.yaml in {root}", "scenario_pool")
        found = (root / "fixtures" / name).rglob("*")
        paths += [scenario, *(path for path in found if path.is_file() and not path.name.startswith("."))]
    lines = {
        path.relative_to(root).as_posix().encode(): sha256(path.read_bytes()).hexdigest().encode() for path in paths
    }
    return sha256(b"".join(lines[name] + b"  " + name + b"\n" for name in sorted(lines))).hexdigest()


def library() -> Path:
    """The folder with the scenarios/ and fixtures/ that came with this version; the current folder is not asked."""
    from clawbench.library import library_folders

    for folder in library_folders():
        if folder != Path():
            return folder
    raise ParametersInvalid.of("SCENARIO_SET", "this installation has no scenarios: install it again")


def _values(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ParametersInvalid.of("PARAMETERS_UNREADABLE", f"cannot be read: {error.strerror}", str(path)) from None
    if len(raw) > _MOST_BYTES:
        raise ParametersInvalid.of("PARAMETERS_UNREADABLE", f"is larger than {_MOST_BYTES} bytes", str(path))
    try:
        given = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise ParametersInvalid.of("PARAMETERS_UNREADABLE", "is not UTF-8", str(path)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ParametersInvalid.of("PARAMETERS_UNREADABLE", f"is not TOML: {error}"[:200], str(path)) from None
    return _checked(given, str(path))


def _checked(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Every value converted; or every problem raised."""
    problems = [
        Problem("PARAMETER_UNKNOWN", f"{where}: {str(name)[:60]}", "there is no such parameter")
        for name in given
        if name not in NAMES
    ]
    values: dict[str, Any] = {}
    for name in NAMES:
        if name not in given:
            problems.append(Problem("PARAMETER_MISSING", f"{where}: {name}", "is missing"))
            continue
        convert, meaning = _KINDS[name]
        value = convert(given[name])
        if value is None:
            problems.append(Problem("PARAMETER_RANGE", f"{where}: {name}", f"must be {meaning}"))
        else:
            values[name] = value
    if not problems:
        problems += [Problem("PARAMETER_RANGE", f"{where}: {name}", message) for name, message in _together(values)]
    if problems:
        raise ParametersInvalid(problems)
    return values


def _together(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What values that are right alone get wrong together: name and sentence."""
    wrong = []
    if values["scenarios_per_epoch"] > len(values["scenario_pool"]):
        wrong.append(("scenarios_per_epoch", "is more than the pool has"))
    if values["verify_blocks"] >= values["blocks_per_epoch"]:
        wrong.append(("verify_blocks", "must be less than blocks_per_epoch"))
    if values["max_completion_tokens"] > values["max_total_tokens"]:
        wrong.append(("max_completion_tokens", "is more than max_total_tokens"))
    if values["max_pack_bytes"] > values["max_blob_bytes"]:
        wrong.append(("max_pack_bytes", "is more than max_blob_bytes"))
    return wrong


def _hash(values: Mapping[str, Any]) -> str:
    import rfc8785

    return sha256(rfc8785.dumps({name: _as_written(values[name]) for name in NAMES})).hexdigest()


def _as_written(value: Any) -> Any:
    if isinstance(value, Fraction):
        return decimal(value)
    return [_as_written(part) for part in value] if isinstance(value, tuple) else value


def decimal(value: Fraction) -> str:
    """A fraction whose denominator divides a power of ten, as a decimal without trailing zeros.

    Raises ValueError for any other.
    """
    digits = next((n for n in range(18) if 10**n % value.denominator == 0), None)
    if digits is None:
        raise ValueError(f"{value} is no decimal")
    whole, part = divmod(abs(value.numerator) * (10**digits // value.denominator), 10**digits)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"


def _whole(low: int, high: int = _HUGE) -> tuple[Any, str]:
    def convert(value: Any) -> int | None:
        return value if type(value) is int and low <= value <= high else None

    return convert, f"a whole number from {low} to {high}"


def _exact(low: str = "0", high: str = "1") -> tuple[Any, str]:
    lowest, highest = Fraction(low), Fraction(high)

    def convert(value: Any) -> Fraction | None:
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            return None
        return Fraction(value) if lowest <= Fraction(value) <= highest else None

    return convert, f'a decimal from {low} to {high}, in quotes and without trailing zeros, such as "0.05"'


def _text(pattern: re.Pattern[str], meaning: str) -> tuple[Any, str]:
    return (lambda value: value if isinstance(value, str) and pattern.fullmatch(value) else None), meaning


def _odd(value: Any) -> int | None:
    return value if type(value) is int and 1 <= value <= 99 and value % 2 else None


def _grid(value: Any) -> Fraction | None:
    found: Fraction | None = _exact("0.001", "1")[0](value)
    return found if found is not None and found.numerator == 1 else None


def _pool(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not 1 <= len(value) <= 999:
        return None
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in value):
        return None
    return tuple(value) if value == sorted(set(value)) else None


def _waits(value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, list) or not 1 <= len(value) <= 20:
        return None
    return tuple(value) if all(type(part) is int and 0 <= part <= 86_400 for part in value) else None


def _shares(value: Any) -> tuple[Fraction, ...] | None:
    if not isinstance(value, list) or not 1 <= len(value) <= 20:
        return None
    found = [_exact()[0](part) for part in value]
    if None in found or 0 in found or sum(found) != 1 or found != sorted(found, reverse=True):
        return None
    return tuple(found)


_KINDS: Mapping[str, tuple[Any, str]] = {
    "version": _whole(1, 9999),
    "blocks_per_epoch": _whole(2),
    "seconds_per_block": _whole(1, 3600),
    "verify_blocks": _whole(1),
    "stale_blocks": _whole(1),
    "scenario_pool": (_pool, "a list of scenario names in the order of the alphabet, each once"),
    "scenarios_per_epoch": _whole(1, 999),
    "scenario_set": _text(_HASH, "64 lower-case hex digits"),
    "runs": (_odd, "an odd number from 1 to 99"),
    "model": _text(_MODEL, "the name of a model"),
    "temperature": _text(_DECIMAL, 'a decimal in quotes and without trailing zeros, such as "0.7"'),
    "max_tokens": _whole(1),
    "max_tool_calls": _whole(1, 10_000),
    "max_turns": _whole(1, 10_000),
    "max_completion_tokens": _whole(1),
    "max_total_tokens": _whole(1),
    "run_seconds": _whole(1, 86_400),
    "infra_retry_seconds": (_waits, "a list of whole seconds"),
    "infra_attempts": _whole(1, 99),
    "scoring": (lambda value: value if value in ("rubric", "penalized") else None, '"rubric" or "penalized"'),
    "reliability_weight": _exact(),
    "grid": (_grid, 'one over a whole number, at least "0.001", in quotes, such as "0.05"'),
    "cost_weight": _exact(),
    "safety_weight": _exact(),
    "minimum_score": _exact(),
    "first_mover_margin": _exact(),
    "consensus_epsilon": _exact(),
    "bootstrap_threshold": _whole(0, 65_535),
    "bootstrap_shares": (_shares, "a list of decimals in quotes, falling, that sum to 1"),
    "max_pack_bytes": _whole(1, 2**24),
    "max_blob_bytes": _whole(1, 2**24),
    "push_tolerance_seconds": _whole(0, 86_400),
    "push_unknown_seconds": _whole(0, 604_800),
    "gone_seconds": _whole(0, 604_800),
}


if __name__ == "__main__":
    import sys

    from trajectoryrl.protocoldoc import main

    sys.exit(main(sys.argv[1:]))
