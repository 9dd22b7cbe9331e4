"""docs/packs.md tells the codes that the code has, and its example is a pack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from clawbench.pack import GROUPS, load_pack
from clawbench.packlint import WARNINGS, warnings_of
from clawbench.packrules import CODES
from clawbench.scenariofile import TOOLS

DOC = (Path(__file__).resolve().parents[1] / "docs" / "packs.md").read_text(encoding="utf-8")


def table(codes: Mapping[str, str]) -> str:
    return "\n".join(["| Code | Means |", "|---|---|", *(f"| `{code}` | {means} |" for code, means in codes.items())])


@pytest.mark.parametrize(("name", "codes"), [("codes", CODES), ("warnings", WARNINGS)])
def test_the_tables_are_those_of_the_code(name: str, codes: Mapping[str, str]) -> None:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- end -->", DOC, re.DOTALL)
    assert found
    assert found[1] == table(codes)


def test_the_example_is_a_pack_without_a_warning(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", DOC, re.DOTALL)
    assert found
    (tmp_path / "pack.yaml").write_text(found[1])
    (tmp_path / "AGENTS.md").write_text("Prepare what the user asks for, and show it. " * 4)
    pack = load_pack(tmp_path)
    assert pack.stop_rules == ("Stop when every question is answered.", {"max_tool_calls": 20})
    assert warnings_of(pack, "", {}) == []


def test_it_names_every_tool_and_group() -> None:
    assert all(f"`{name}`" in DOC for name in (*TOOLS, *GROUPS.values()))
