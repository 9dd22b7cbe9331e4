"""Hostile packs get their code and nothing else; the schema and the rules agree on them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from clawbench.errors import PackRejected, Problem
from clawbench.pack import Pack, pack_json, parse_pack
from clawbench.packrules import CODES, PackProblem
from clawbench.packschema import pack_schema

from .hostile_packs import HOTKEY, corpus, document

CORPUS = corpus()
SCHEMA = Draft202012Validator(pack_schema())
UNSAYABLE = {
    "PACK_TOO_LARGE",
    "PACK_TOO_MANY",  # values in all
    "PACK_DUPLICATE_KEY",
    "PACK_NESTING",
    "PACK_NUMBER",
    "PACK_CHARACTERS",
    "PACK_KEY",  # printable ASCII in free metadata
    "PACK_FILE_NAME",  # names that differ by case
    "PACK_DANGEROUS_TOOL",
    "PACK_NO_AGENTS",
}
"""Codes of rules that a schema cannot say, or says in part."""


def outcome(raw: bytes) -> Pack | tuple[Problem, ...]:
    try:
        return parse_pack(raw)
    except PackRejected as why:
        return why.problems


def problems(raw: bytes) -> tuple[PackProblem, ...]:
    found = outcome(raw)
    if isinstance(found, Pack):
        return ()
    assert all(isinstance(problem, PackProblem) for problem in found)
    return found  # type: ignore[return-value]


def test_the_corpus_is_large_and_knows_every_code() -> None:
    names = [name for name, _, _ in CORPUS]
    assert len(names) == len(set(names)) >= 300
    unseen = set(CODES) - {code for _, _, code in CORPUS}
    assert unseen == {"PACK_MISSING", "PACK_EMPTY", "PACK_KEY_TYPE"}  # paths, and what JSON cannot hold


@pytest.mark.parametrize(("raw", "code"), [row[1:] for row in CORPUS], ids=[ascii(row[0])[:60] for row in CORPUS])
def test_every_hostile_pack_gets_its_code(raw: bytes, code: str) -> None:
    found = problems(raw)
    assert code in {problem.code for problem in found}
    assert len(found) <= 50
    for problem in found:
        assert problem.code in CODES
        assert problem.found
        assert problem.allowed
        assert len(str(problem)) < 600
        assert str(problem).isprintable()


def test_a_pointer_leads_to_what_is_wrong() -> None:
    raw = json.dumps(document(metadata={**document()["metadata"], "a/b~c": {"d": ["x", "\u202e"]}})).encode()
    (problem,) = problems(raw)
    assert problem.pointer == "/metadata/a~1b~0c/d/1"
    assert problem.where == "pack.json: /metadata/a~1b~0c/d/1"
    assert problem.found == "U+202E in line 1"


def test_what_cannot_be_read_hides_no_other_problem() -> None:
    raw = json.dumps(
        {
            "schema_version": 1.5,
            "files": {"AGENTS.md": "\u202e", "x.txt": "y" * 33_000},
            "tool_policy": {"deny": ["slack\u200b"]},
            "metadata": {"pack_name": "a b", "pack_version": 10**20, "x": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]},
        }
    ).encode()
    assert [(problem.code, problem.pointer) for problem in problems(raw)] == [("PACK_NESTING", "")]
    found = problems(raw.replace(b"[" * 16 + b"1" + b"]" * 16, b"1"))
    assert [(problem.code, problem.pointer) for problem in found] == [
        ("PACK_NUMBER", "/schema_version"),
        ("PACK_CHARACTERS", "/files/AGENTS.md"),
        ("PACK_CHARACTERS", "/tool_policy/deny/0"),
        ("PACK_NUMBER", "/metadata/pack_version"),
        ("PACK_FILE_NAME", "/files/x.txt"),
        ("PACK_KEY", "/metadata/target_suite"),
        ("PACK_NAME", "/metadata/pack_name"),
    ]
    numbers_too = (
        raw.replace(b"1.5", b"1").replace(b"1" + b"0" * 20, b'"1.0.0"').replace(b"[" * 16 + b"1" + b"]" * 16, b"1")
    )
    assert "PACK_TOO_LARGE" in {problem.code for problem in problems(numbers_too)}


def test_a_key_that_stands_twice_is_found_where_it_stands() -> None:
    raw = json.dumps(document()).replace('"deny":', '"deny": [], "deny":').encode()
    (problem,) = problems(raw)
    assert (problem.code, problem.pointer) == ("PACK_DUPLICATE_KEY", "/tool_policy")


def _schema_takes(value: object) -> bool:
    return bool(SCHEMA.is_valid(value))


def _disagreement(raw: bytes) -> str:
    """How schema and rules judge a pack otherwise, or nothing."""
    found = {problem.code for problem in problems(raw)}
    if not _schema_takes(json.loads(raw)):
        return "" if found else "the schema refuses it, the rules take it"
    return f"only the rules say {found}" if found and not found & UNSAYABLE else ""


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(pack_schema())
    assert _schema_takes(document(approval_gates=["mail.send"], stop_rules=["Stop.", {"max_turns": 3}]))


def test_reading_a_pack_loads_no_validator_of_schemas() -> None:
    words = "import sys, clawbench.pack as p; p.load_pack('packs/careful'); print('jsonschema' in sys.modules)"
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", words], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_schema_refuses_nothing_that_the_rules_take() -> None:
    compared = 0
    for _, raw, _ in CORPUS:
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        if len(raw) < 20_000 and isinstance(value, (dict, list, str, int, bool, type(None))):
            assert _disagreement(raw) == ""
            compared += 1
    assert compared >= 200


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 10**16)
    | st.sampled_from(
        [
            "",
            " ",
            "x",
            "exec",
            "*",
            "1.0.0",
            "1.0.0\n",
            "a b",
            HOTKEY,
            "caf\u00e9",
            "\u202e",
            "x" * 65,
            "USER.md",
            "AGENTS.md",
        ]
    )
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["AGENTS.md", "soul.md", "SOUL.md", "User.md", "x", "allow", "deny", "max_turns", "hotkey", "\u00e9"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@st.composite
def mutants(draw: st.DrawFn) -> dict[str, Any]:
    """A valid pack with up to three values replaced, added or removed, at any depth."""
    value: dict[str, Any] = json.loads(
        json.dumps(
            document(
                approval_gates=["mail.send"],
                stop_rules=["Stop.", {"max_turns": 3}],
                metadata={**document()["metadata"], "hotkey": HOTKEY, "author": "x"},
            )
        )
    )
    for _ in range(draw(st.integers(0, 3))):
        place: Any = value
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], (dict, list)) and draw(st.booleans()):
                place = place[key]
                continue
            if draw(st.booleans()):
                del place[key]
            else:
                place[key] = draw(VALUES)
            break
    return value


@settings(max_examples=300, deadline=None)
@given(mutants())
def test_mutants_are_judged_alike_by_schema_and_rules(value: dict[str, Any]) -> None:
    assert _disagreement(json.dumps(value).encode()) == ""


@settings(max_examples=200, deadline=None)
@given(mutants(), st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255), st.integers(0, 2)), max_size=4))
def test_packs_with_broken_bytes_are_packs_or_rejected(
    value: dict[str, Any], edits: list[tuple[int, int, int]]
) -> None:
    raw = bytearray(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    for at, byte, kind in edits:
        at %= len(raw)
        raw[at : at + (kind > 0)] = bytes([byte]) if kind < 2 else b""
    found = outcome(bytes(raw))
    assert found
    if isinstance(found, Pack):
        assert parse_pack(pack_json(found)).sha256 == found.sha256


MEMORY = """
import resource, sys
from pathlib import Path
import semver
from clawbench.pack import parse_pack
from clawbench.errors import PackRejected, Problem
from clawbench.likeness import likeness
pages = int(Path("/proc/self/statm").read_text().split()[0])
room = pages * resource.getpagesize() + 50_000_000
resource.setrlimit(resource.RLIMIT_AS, (room, room))
from tests.hostile_packs import corpus
rejected = 0
for name, raw, code in corpus():
    try:
        parse_pack(raw)
    except PackRejected:
        rejected += 1
print(rejected)
"""


def test_hostile_packs_fit_into_50_mb() -> None:
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(len(CORPUS))), done.stderr


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Mn", "Lo"]), max_size=60
)
NAMES = st.from_regex(r"[a-z][a-z_.*]{0,20}", fullmatch=True)


@st.composite
def packs(draw: st.DrawFn) -> dict[str, Any]:
    """A valid pack of any text."""
    files = draw(st.dictionaries(st.sampled_from(["SOUL.md", "a-b.md", "x_1.md"]), TEXTS))
    value = document(
        files={**files, "AGENTS.md": draw(TEXTS) + "x\n\t"},
        tool_policy={"deny": ["exec", *draw(st.lists(NAMES, max_size=3))]},
    )
    if draw(st.booleans()):
        value["approval_gates"] = draw(st.lists(NAMES, max_size=3))
    if draw(st.booleans()):
        value["stop_rules"] = draw(
            st.lists(TEXTS.filter(bool) | st.builds(lambda n: {"max_turns": n}, st.integers(1, 99)), max_size=3)
        )
    if draw(st.booleans()):
        value["metadata"] = {
            **value["metadata"],
            "hotkey": HOTKEY,
            "tags": draw(st.lists(TEXTS | st.integers(-9, 9), max_size=2)),
        }
    return value


@settings(max_examples=200, deadline=None)
@given(packs(), st.randoms(use_true_random=False), st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_what_is_built_is_what_is_parsed(value: dict[str, Any], chance: Any, escaped: bool, indent: Any) -> None:
    from hashlib import sha256

    keys = list(value)
    chance.shuffle(keys)
    raw = json.dumps({key: value[key] for key in keys}, ensure_ascii=escaped, indent=indent).encode()
    pack = parse_pack(raw)
    assert isinstance(pack, Pack)
    assert parse_pack(pack_json(pack)) == pack
    assert pack_json(parse_pack(pack_json(pack))) == pack_json(pack)
    assert pack.sha256 == sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    assert _schema_takes(value)
    assert pack.hotkey == value["metadata"].get("hotkey")
