"""Small working scenarios and packs to begin with, written from ``clawbench/templates``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from .errors import InvalidInput

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_NOT_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off"})  # YAML reads these as something else
_PLACE = re.compile(r"\bNAME\b")


def write_scenario(name: str, folder: Path) -> list[Path]:
    """Writes ``scenarios/NAME.yaml`` and ``fixtures/NAME/`` below ``folder``; the paths, the scenario's first.

    Raises InvalidInput, and writes nothing, if the name cannot be one or something of this name is there.
    """
    template = _TEMPLATES / "scenario"
    fixtures = folder / "fixtures" / _checked(name)
    texts = {folder / "scenarios" / f"{name}.yaml": _filled(template / "scenario.yaml", name)}
    for path in sorted(template.iterdir()):
        if path.name != "scenario.yaml":
            texts[fixtures / path.name] = path.read_text(encoding="utf-8")
    return _written(texts, (folder / "scenarios" / f"{name}.yaml", fixtures))


def write_pack(name: str, folder: Path) -> list[Path]:
    """Writes ``NAME/AGENTS.md`` and ``NAME/pack.yaml`` below ``folder``; the paths, AGENTS.md first.

    Raises InvalidInput, and writes nothing, if the name cannot be one or something of this name is there.
    """
    template = _TEMPLATES / "pack"
    place = folder / _checked(name)
    return _written({place / file: _filled(template / file, name) for file in ("AGENTS.md", "pack.yaml")}, (place,))


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name) or name.lower() in _NOT_TEXT:
        raise InvalidInput.of(
            "INIT_NAME", "a name is a letter, then at most 63 letters, digits, _ or -, and no YAML word", name
        )
    return name


def _filled(path: Path, name: str) -> str:
    return _PLACE.sub(name, path.read_text(encoding="utf-8"))


def _written(texts: Mapping[Path, str], new: tuple[Path, ...]) -> list[Path]:
    """Writes the texts if none of the places in ``new`` is taken."""
    for place in new:
        if place.exists() or place.is_symlink():
            raise InvalidInput.of("INIT_EXISTS", "this is there already, and is not overwritten", str(place))
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as why:
            raise InvalidInput.of("INIT_NOT_WRITTEN", f"cannot be written: {why.strerror}", str(path)) from None
    return list(texts)
