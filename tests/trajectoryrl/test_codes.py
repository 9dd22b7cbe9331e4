"""Every code that a submission can end with is explained, and docs/miners.md has the same table."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import trajectoryrl
from trajectoryrl.codes import CODES, NOBODY, OWN, advice, table

PACKAGE = Path(trajectoryrl.__file__).parent
DOC = (PACKAGE.parent / "docs" / "miners.md").read_text(encoding="utf-8")
NO_OUTCOME = {"FORGE_REFUSED", "FORGE_URL", "RECORD_URL", "RECORD_FORMAT"}
"""Codes of the same modules that end a command, never a submission."""


MAKES = (
    *("of", "_fault", "_rejected", "_pending", "_undecided", "_Trouble"),
    *("Unknown", "Refused", "Pending", "Rejection"),
)


def codes_in(name: str) -> set[str]:
    """The codes that a module can say: constants in capitals handed to whatever makes an outcome or an error."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in MAKES:
                first = [word.value for word in node.args[:2] if isinstance(word, ast.Constant)]
                found |= {word for word in first if isinstance(word, str) and word.isupper() and "_" in word}
    return found


@pytest.mark.parametrize("module", ["commitment.py", "repository.py", "github.py", "submission.py", "validator.py"])
def test_every_code_is_in_the_table(module: str) -> None:
    said = codes_in(module) - NO_OUTCOME
    assert said
    assert said <= {row.code for row in CODES}


def test_codes_are_told_once_and_in_a_line() -> None:
    assert len({row.code for row in CODES}) == len(CODES)
    assert {row.doing for row in CODES} == {OWN, NOBODY}
    assert all(0 < len(row.means) <= 60 and 0 < len(row.do) <= 80 and "|" not in row.means + row.do for row in CODES)


def test_faults_of_a_host_are_nobodys() -> None:
    assert {row.doing for row in CODES if row.code.startswith(("GITHUB_", "HOST_", "VERIFY_", "CHAIN_"))} == {NOBODY}


def test_the_page_for_miners_has_this_table() -> None:
    assert table() in DOC


def test_advice_is_for_known_codes() -> None:
    assert advice("HASH_MISMATCH")
    assert advice("UNHEARD_OF") == ""
