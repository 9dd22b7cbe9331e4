"""Where scenarios and packs are found when they are called by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .errors import InvalidInput


def library_folders() -> Iterator[Path]:
    """Folders that may hold scenarios/, fixtures/ and packs/: here, then what was installed with clawbench."""
    here = Path(__file__).resolve().parent
    yield Path()
    for folder in (here / "_library", here.parent):
        if (folder / "scenarios").is_dir():
            yield folder


def scenario_paths() -> list[Path]:
    """Every scenario file that can be called by name, the nearest folder winning, in the order of their names."""
    found: dict[str, Path] = {}
    for folder in library_folders():
        for path in sorted((folder / "scenarios").glob("*.yaml")):
            found.setdefault(path.stem, path)
    return [found[name] for name in sorted(found)]


def scenario_path(name: str) -> Path:
    """The scenario file that ``name`` means: a path, or the name of one in the library.

    A path that does not exist is returned as it is: reading it says what is wrong.
    """
    path = Path(name)
    if path.suffix in {".yaml", ".yml"} or path.exists() or "/" in name:
        return path
    known = {found.stem: found for found in scenario_paths()}
    if name in known:
        return known[name]
    raise InvalidInput.of(
        "SCENARIO_MISSING", f"no scenario is called {name!r}; known: {', '.join(known) or 'none'}", name
    )


def pack_path(name: str) -> Path:
    """The pack that ``name`` means: a folder, a pack.json, an .md file, or the name of a pack in the library."""
    path = Path(name)
    if not path.exists() and path.name == name and not path.suffix:
        for folder in library_folders():
            if (folder / "packs" / name).is_dir():
                return folder / "packs" / name
    return path


def default_pack() -> Path | None:
    """``./pack`` if it is there, else the library's ``baseline``."""
    for path in (Path("pack"), *(folder / "packs" / "baseline" for folder in library_folders())):
        if path.is_dir():
            return path
    return None
