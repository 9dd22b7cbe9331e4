"""What a valid pack's author is told: likely mistakes, and what an agent gets to see."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from clawbench.pack import Pack, load_pack, pack_of
from clawbench.packlint import EFFECTS, WARNINGS, drawn_values, warnings_of
from clawbench.packview import pack_document, pack_lines
from clawbench.scenariofile import TOOLS

from .hostile_packs import HOTKEY, document

ROOT = Path(__file__).resolve().parents[1]
POLICY = "Prepare what the user asks for and show it as a draft. Never send, post or change anything without a yes."
drawn = cache(drawn_values)


def pack(policy: str = POLICY, **changes: Any) -> Pack:
    return pack_of(document(files={"AGENTS.md": policy}, **changes))


def codes(found: Pack) -> list[str]:
    return [warning.code for warning in warnings_of(found, "x", drawn())]


def test_a_good_pack_has_no_warning() -> None:
    assert codes(pack(approval_gates=["mail.send", "slack.*", "exec"], stop_rules=["Stop."])) == []


@pytest.mark.parametrize(
    ("found", "code", "pointer"),
    [
        (pack("Be good."), "PACK_LINT_EMPTY", "/files/AGENTS.md"),
        (pack("<!-- " + "x" * 99 + " -->"), "PACK_LINT_EMPTY", "/files/AGENTS.md"),
        (pack(POLICY + " again" * 1_500), "PACK_LINT_LONG", "/files"),
        (pack(POLICY + " You work for Dana Whitfield."), "PACK_LINT_IDENTITY", "/files/AGENTS.md"),
        (pack(POLICY + " Hello {{USER_NAME}}."), "PACK_LINT_IDENTITY", "/files/AGENTS.md"),
        (pack(stop_rules=["Ask somebody at Vertex Labs."]), "PACK_LINT_IDENTITY", "/stop_rules/0"),
        (pack(POLICY + " Use `memory_search`."), "PACK_LINT_NOT_OFFERED", "/tool_policy"),
        (
            pack(POLICY + " Read mail with himalaya.", tool_policy={"deny": ["exec"]}),
            "PACK_LINT_NOT_OFFERED",
            "/tool_policy",
        ),
        (pack(tool_policy={"allow": ["slack", "browser"]}), "PACK_LINT_DEAD", "/tool_policy/allow/1"),
        (pack(tool_policy={"deny": ["exec", "slak"]}), "PACK_LINT_DEAD", "/tool_policy/deny/1"),
        (pack(approval_gates=["email.send"]), "PACK_LINT_DEAD", "/approval_gates/0"),
        (pack(tool_policy={"allow": []}), "PACK_LINT_NO_TOOLS", "/tool_policy"),
        (
            pack(metadata={**document()["metadata"], "target_suite": "other"}),
            "PACK_LINT_SUITE",
            "/metadata/target_suite",
        ),
    ],
)
def test_each_warning(found: Pack, code: str, pointer: str) -> None:
    (warning,) = warnings_of(found, "x", drawn())
    assert (warning.code, warning.pointer) == (code, pointer)
    assert warning.where == f"x: {pointer}"
    assert "; better: " in warning.message


def test_a_value_that_a_scenario_draws_is_found() -> None:
    values = drawn()
    assert len(values) > 200
    for value in list(values)[:: len(values) // 5]:
        assert "PACK_LINT_FACT" in codes(pack(f"{POLICY} The answer is {value}.")), value
        assert codes(pack(f"{POLICY} The answer is x{value}x.")) == []


def test_the_sample_packs_are_without_warnings() -> None:
    for name in ("careful", "baseline", "reckless", "hoarder", "stuffer"):
        assert codes(load_pack(ROOT / "packs" / name)) == []


def test_every_warning_is_known_and_every_effect_is_one_that_tools_have() -> None:
    source = "".join(path.read_text() for path in (ROOT / "clawbench" / "sandbox").rglob("*.py"))
    kinds = set(re.findall(r'"((?:mail|slack|calendar|task|code|flight)\.[a-z]+)"', source))
    assert kinds == set(EFFECTS)
    assert len(WARNINGS) == 9


def test_a_pack_is_shown_as_an_agent_meets_it() -> None:
    shown = pack_document(
        pack(
            stop_rules=["Stop.", {"max_turns": 9}, {"max_turns": 4}],
            metadata={**document()["metadata"], "hotkey": HOTKEY},
            approval_gates=["mail.send"],
        ),
        {"all": TOOLS, "chat": ("slack",)},
    )
    assert shown["tools"] == {"all": ["exec", "slack"], "chat": ["slack"]}
    assert shown["withheld"]["chat"] == []
    assert shown["stop_rules"] == {"enforced": {"max_turns": 4}, "shown": ["Stop."]}
    lines = list(pack_lines(shown, 80))
    assert f"hotkey    {HOTKEY}" in lines
    assert "  enforced  max_turns 4" in lines
    assert all(len(line) <= 80 for line in lines)


def test_showing_escapes_and_wraps() -> None:
    files = {"AGENTS.md": POLICY, **{f"a-note-of-mine-{number}.md": "x" for number in range(20)}}
    shown = pack_of(document(files=files, stop_rules=["a\n\tb " + "long " * 40]))
    lines = list(pack_lines(pack_document(shown, {}), 60))
    assert all(len(line) <= 60 or line[:9] in {"hash     ", "content  ", "likeness "} for line in lines)
    assert all(line.isprintable() for line in lines)
    assert "  no scenarios found here" in lines
