"""What of a pack an agent can see: its exact content, and what a copy of it has in common with it."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawbench.likeness import content_hash, likeness, plain_text
from clawbench.pack import Pack, pack_of
from clawbench.unicode14 import stretches


def pack(**changes: Any) -> Pack:
    return pack_of(
        {
            "schema_version": 1,
            "files": {"AGENTS.md": "# Policy\n\nAsk first. Ünlü.\n"},
            "tool_policy": {"allow": ["exec", "slack"], "deny": ["admin_*", "shell"]},
            "metadata": {"pack_name": "sample", "pack_version": "1.2.3", "target_suite": "clawbench_v1"},
            **changes,
        }
    )


ALIKE: dict[str, dict[str, Any]] = {
    "metadata": {"metadata": {"pack_name": "other", "pack_version": "2.0.0", "target_suite": "clawbench_v1"}},
    "case": {"files": {"AGENTS.md": "# POLICY\n\nASK FIRST. ÜNLÜ.\n"}},
    "spacing": {"files": {"AGENTS.md": "#Policy Ask\tfirst.\u00a0Ünlü.\u3000"}},
    "markdown": {"files": {"AGENTS.md": "**Policy**\n- _Ask_ `first`\n> Ünlü!"}},
    "comments": {"files": {"AGENTS.md": "# Policy <!-- mine -->\n\nAsk <!-->first. Ünlü."}},
    "decomposed": {"files": {"AGENTS.md": "# Policy\n\nAsk first. U\u0308nlu\u0308.\n"}},
    "wide": {"files": {"AGENTS.md": "\uff30olicy Ask first. Ünlü"}},
    "selectors": {"files": {"AGENTS.md": "P\ufe0folicy\u2800 Ask first. Ünlü"}},
    "an empty file": {"files": {"AGENTS.md": "# Policy\n\nAsk first. Ünlü.\n", "SOUL.md": "<!-- -->\n---"}},
    "order of tools": {"tool_policy": {"allow": ["slack", "exec", "slack"], "deny": ["shell", "admin_*"]}},
    "empty lists": {"approval_gates": [], "stop_rules": [" ", "<!-- x -->"]},
}
DIFFERENT: dict[str, dict[str, Any]] = {
    "a word": {"files": {"AGENTS.md": "# Policy\n\nAsk last. Ünlü.\n"}},
    "a letter": {"files": {"AGENTS.md": "# Policy\n\nAsk first. Unlu.\n"}},
    "an open comment": {"files": {"AGENTS.md": "# Policy\n\nAsk first. Ünlü.\n<!-- more"}},
    "a file": {"files": {"AGENTS.md": "# Policy\n\nAsk first. Ünlü.\n", "SOUL.md": "x"}},
    "a tool": {"tool_policy": {"allow": ["exec"], "deny": ["admin_*", "shell"]}},
    "a gate": {"approval_gates": ["mail.send"]},
    "a limit": {"stop_rules": [{"max_turns": 3}]},
    "a sentence": {"stop_rules": ["Stop."]},
}


@pytest.mark.parametrize("name", ALIKE)
def test_a_copy_in_other_dress_is_alike(name: str) -> None:
    assert likeness(pack(**ALIKE[name])) == likeness(pack())
    assert (content_hash(pack(**ALIKE[name])) == content_hash(pack())) is (name == "metadata")


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_an_agent_is_told_differently_is_not_alike(name: str) -> None:
    assert likeness(pack(**DIFFERENT[name])) != likeness(pack())
    assert content_hash(pack(**DIFFERENT[name])) != content_hash(pack())


def test_without_allow_everything_is_allowed() -> None:
    left_out, star = (pack(tool_policy={**allow, "deny": ["exec"]}) for allow in ({}, {"allow": ["*"]}))
    assert likeness(left_out) == likeness(star)


def test_the_order_of_stop_rules_is_what_the_agent_reads() -> None:
    assert likeness(pack(stop_rules=["a", "b"])) != likeness(pack(stop_rules=["b", "a"]))


def test_newer_code_points_are_left_alone_whatever_python_knows() -> None:
    newer = [chr(code) for code in (0x0897, 0x1FAE8, 0x1CCD6, 0x10D50, 0xA7CB)]  # Unicode 15 and 16, some with case
    for char in newer:
        assert plain_text(f"A{char}\u0301B") == f"a{char}\u0301b"


def test_the_table_is_that_of_unicode_14() -> None:
    assigned = sum(end - begin for begin, end in (found.span() for found in stretches().finditer(EVERYTHING)))
    assert assigned == 144_697 + 65 + 2_048 + 137_468  # graphic and format, control, surrogates, private use
    known = (char for char in EVERYTHING if unicodedata.category(char) != "Cn")
    taken = set("".join(stretches().findall(EVERYTHING)))
    assert taken <= set(known)


EVERYTHING = "".join(map(chr, range(0x110000)))


@given(st.text())
def test_plain_text_is_total_and_keeps_nothing_of_markdown(text: str) -> None:
    found = plain_text(text)
    assert not set(found) & set(" \t\n*_#`<>-")
    assert plain_text(f" **{text}**\n".replace("<!--", "")) == plain_text(text.replace("<!--", ""))
