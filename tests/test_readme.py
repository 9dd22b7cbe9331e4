"""What the README shows is what the program prints today."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
_KEPT = ("runs kept in", "record kept in")
BLOCK = re.compile(r"<!-- output: (.*?) -->\n```\n(.*?)```\n<!-- end -->", re.DOTALL)


def printed(words: str, folder: Path) -> str:
    program, *given = words.split()
    if program != "trajectoryrl":
        program, given = "clawbench", words.split()
    script = Path(sys.executable).parent / program
    found = [sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(word)) or [word] for word in given]
    done = subprocess.run(
        [str(script), *(word for several in found for word in several), "--out", str(folder)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = [line.rstrip() for line in done.stdout.strip().splitlines() if not line.startswith(_KEPT)]
    return "\n".join(lines) + "\n"


def test_the_output_on_the_first_screen_is_real(tmp_path: Path) -> None:
    blocks = BLOCK.findall(README)
    assert blocks
    for number, (words, shown) in enumerate(blocks):
        assert printed(words, tmp_path / str(number)) == shown


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_option_of_the_readme_exists() -> None:
    for name, options in {"run": r"clawbench run .*", "score": r"clawbench score .*"}.items():
        used = {option for line in re.findall(options, README) for option in re.findall(r"--[a-z-]+", line)}
        script = Path(sys.executable).parent / "clawbench"
        shown = subprocess.run([str(script), name, "--help"], capture_output=True, text=True, check=True).stdout
        assert used
        assert [option for option in used if option not in shown] == []
