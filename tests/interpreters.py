"""Every CPython of this machine that can run the code: ``python -m tests.interpreters`` gives each a .venv-X.Y.

They get the core dependencies only. One that cannot be set up is said and left out; the tests say which they ran.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
OLDEST = (3, 11)
_ASK = "import sys, platform; print(platform.python_implementation(), *sys.version_info[:2])"


def found() -> dict[tuple[int, int], Path]:
    """One interpreter per minor version: those on the PATH, then those of version managers in the home folder."""
    names = [f"python3.{minor}" for minor in range(OLDEST[1], 20)]
    places = [Path(place) for name in names if (place := shutil.which(name))]
    home = Path.home()
    for pattern in (".pyenv/versions/*/bin/python3", ".local/share/uv/python/*/bin/python3"):
        places += sorted(home.glob(pattern))
    interpreters: dict[tuple[int, int], Path] = {}
    for place in places:
        asked = subprocess.run([place, "-c", _ASK], capture_output=True, text=True, check=False, timeout=30)
        kind, *version = asked.stdout.split() or ["none"]
        if asked.returncode or kind != "CPython":
            continue
        number = (int(version[0]), int(version[1]))
        if number >= OLDEST:
            interpreters.setdefault(number, place)
    return interpreters


def ready() -> dict[str, Path]:
    """The interpreters that can run the code now, by version; this one among them."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    prepared = {own: Path(sys.executable)}
    for folder in sorted(ROOT.glob(".venv-*")):
        if (folder / ".installed").exists():
            prepared.setdefault(folder.name.removeprefix(".venv-"), folder / "bin" / "python")
    return prepared


def main() -> int:
    """Prepares every interpreter that is not prepared."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for (major, minor), place in found().items():
        version = f"{major}.{minor}"
        folder = ROOT / f".venv-{version}"
        if version in ready():
            continue
        print(f"preparing Python {version} in {folder.name}")
        install = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", *wanted]
        environment = {**os.environ, "PIP_NO_INPUT": "1"}
        for words in ([place, "-m", "venv", folder], install):
            done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
            if done.returncode:
                said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
                print(f"Python {version} is left out: {' '.join(said)[:200]}", file=sys.stderr)
                break
        else:
            (folder / ".installed").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
