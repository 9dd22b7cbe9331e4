"""Open Policy Pack v1: what is a pack, what is rejected and how it is said, and the hash that names it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbench.errors import PackRejected
from clawbench.pack import Pack, load_pack, offered_tools, pack_from_text, pack_of, parse_pack

PACKS = Path(__file__).resolve().parents[1] / "packs"
TOOLS = ("exec", "slack", "memory_search", "memory_get", "read", "web_search", "web_fetch")


def document(**changes: Any) -> dict[str, Any]:
    """A valid pack, with other values for some keys; a key that is ``None`` is left out."""
    value = {
        "schema_version": 1,
        "files": {"AGENTS.md": "# Policy\n\nAsk first.\n"},
        "tool_policy": {"allow": ["exec", "slack"], "deny": ["admin_*", "shell"]},
        "metadata": {"pack_name": "sample", "pack_version": "1.2.3", "target_suite": "clawbench_v1"},
        **changes,
    }
    return {key: inner for key, inner in value.items() if inner is not None}


def codes(value: object) -> list[str]:
    with pytest.raises(PackRejected) as caught:
        pack_of(value, "pack.json")
    return [problem.code for problem in caught.value.problems]


def codes_of_bytes(raw: bytes) -> list[str]:
    with pytest.raises(PackRejected) as caught:
        parse_pack(raw)
    return [problem.code for problem in caught.value.problems]


def test_a_pack_is_its_value() -> None:
    pack = pack_of(document(approval_gates=["mail.send"], stop_rules=["Stop when done.", {"max_turns": 9}]))
    assert (pack.name, pack.version, pack.allow, pack.deny) == (
        "sample",
        "1.2.3",
        ("exec", "slack"),
        ("admin_*", "shell"),
    )
    assert pack.files["AGENTS.md"].startswith("# Policy")
    assert pack.approval_gates == ("mail.send",)
    assert pack.stop_rules == ("Stop when done.", {"max_turns": 9})


def test_the_hash_is_that_of_pythons_sorted_dump() -> None:
    value = document(files={"AGENTS.md": "Grüße \U0001f600\n"})
    shuffled = json.dumps(dict(reversed(value.items())), indent=3, ensure_ascii=False).encode()
    pack = parse_pack(shuffled)
    assert pack.canonical == json.dumps(value, sort_keys=True).encode()
    assert pack.sha256 == hashlib.sha256(pack.canonical).hexdigest()
    assert b"\\ud83d" in pack.canonical


def test_the_hash_of_a_known_pack() -> None:
    assert pack_of(document()).sha256 == "388fac3da99e378abe78855aea4e161ef7024bf4ef7b193df1f62f6b1a63f412"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"files": {"SOUL.md": "x"}}, "PACK_NO_AGENTS"),
        ({"files": {"AGENTS.md": " \n"}}, "PACK_NO_AGENTS"),
        ({"files": {"AGENTS.md": 3}}, "PACK_TYPE"),
        ({"files": ["AGENTS.md"]}, "PACK_TYPE"),
        ({"files": None}, "PACK_KEY"),
        ({"metadata": None}, "PACK_KEY"),
        ({"surprise": 1}, "PACK_KEY"),
        ({"files": {"AGENTS.md": "x", "../evil.md": "x"}}, "PACK_FILE_NAME"),
        ({"files": {"AGENTS.md": "x", "notes.txt": "x"}}, "PACK_FILE_NAME"),
        ({"files": {"AGENTS.md": "x", "agents.md": "x"}}, "PACK_FILE_NAME"),
        ({"files": {"AGENTS.md": "x", "User.md": "x"}}, "PACK_FILE_NAME"),
        ({"files": {"AGENTS.md": "x", "MEMORY.md": "x"}}, "PACK_FILE_NAME"),
        ({"files": {"AGENTS.md": "x" * 33_000}}, "PACK_TOO_LARGE"),
        ({"files": {"AGENTS.md": "\u00e9" * 6_000}}, "PACK_TOO_LARGE"),
        ({"schema_version": True}, "PACK_VERSION"),
        ({"schema_version": 2}, "PACK_VERSION"),
        ({"tool_policy": {}}, "PACK_TOOL_POLICY"),
        ({"tool_policy": {"allow": "exec"}}, "PACK_TYPE"),
        ({"tool_policy": {"allow": ["slack"], "block": []}}, "PACK_KEY"),
        ({"approval_gates": "mail.send"}, "PACK_TYPE"),
        ({"approval_gates": [""]}, "PACK_TYPE"),
        ({"stop_rules": [{"max_tool_calls": 0}]}, "PACK_TYPE"),
        ({"stop_rules": [{"max_tool_calls": True}]}, "PACK_TYPE"),
        ({"stop_rules": [{"max_cost": 3}]}, "PACK_KEY"),
        ({"stop_rules": [7]}, "PACK_TYPE"),
        ({"target_runtime": 1}, "PACK_TYPE"),
        ({"files": {"AGENTS.md": "a\x1bb"}}, "PACK_CHARACTERS"),
        ({"files": {"AGENTS.md": "a\r\nb"}}, "PACK_CHARACTERS"),
        ({"files": {"AGENTS.md": "a\u202eb"}}, "PACK_CHARACTERS"),
        ({"files": {"AGENTS.md": "a\u200bb"}}, "PACK_CHARACTERS"),
        ({"files": {"AGENTS.md": "a\U000e0041b"}}, "PACK_CHARACTERS"),
        ({"files": {"AGENTS.md": "a\ud800"}}, "PACK_CHARACTERS"),
        ({"approval_gates": ["mail\u0000"]}, "PACK_CHARACTERS"),
        ({"caf\u00e9": 1}, "PACK_KEY"),
        ({"stop_rules": [1.5]}, "PACK_NUMBER"),
        ({"stop_rules": [10**15]}, "PACK_NUMBER"),
        ({3: "x"}, "PACK_KEY_TYPE"),
    ],
)
def test_what_is_rejected_and_how_it_is_called(changes: dict[Any, Any], code: str) -> None:
    value = document()
    for key, inner in changes.items():
        if inner is None:
            del value[key]
        else:
            value[key] = inner
    assert codes(value) == [code]


@pytest.mark.parametrize("version", ["1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.\u0663", "", "1" * 400 + ".0.0"])
def test_a_version_is_semantic(version: str) -> None:
    metadata = {**document()["metadata"], "pack_version": version}
    assert codes(document(metadata=metadata)) == ["PACK_VERSION"]


@pytest.mark.parametrize("version", ["0.0.1", "10.20.30", "1.0.0-rc.1+build.5"])
def test_semantic_versions_are_taken(version: str) -> None:
    metadata = {**document()["metadata"], "pack_version": version}
    assert pack_of(document(metadata=metadata)).version == version


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "x" * 65, "two words"])
def test_a_name_is_safe_as_a_folder(name: str) -> None:
    metadata = {**document()["metadata"], "pack_name": name}
    assert codes(document(metadata=metadata)) == ["PACK_NAME"]


def test_all_problems_are_told_in_one_go() -> None:
    found = codes(
        document(
            files={"x.txt": ""},
            schema_version="1",
            metadata={"pack_version": 1},
            tool_policy={"allow": ["exec"]},
        )
    )
    assert set(found) == {
        "PACK_VERSION",
        "PACK_NO_AGENTS",
        "PACK_FILE_NAME",
        "PACK_DANGEROUS_TOOL",
        "PACK_KEY",
        "PACK_TYPE",
    }


@pytest.mark.parametrize(
    ("policy", "dangerous"),
    [
        ({"allow": ["exec", "slack"], "deny": ["admin_*", "shell"]}, False),
        ({"allow": ["exec"], "deny": ["slack"]}, True),
        ({"allow": ["exec"]}, True),
        ({"allow": ["ex*"]}, True),
        ({"allow": ["*"], "deny": ["exec"]}, False),
        ({"allow": ["adm*"]}, True),
        ({"allow": ["[a]dmin_users"]}, True),
        ({"allow": ["a?min_x"]}, True),
        ({"allow": ["group:*"]}, True),
        ({"allow": ["slack", "read", "b*"]}, False),
        ({"deny": ["slack"]}, True),
        ({"deny": ["admin_*"]}, False),
        ({"allow": []}, False),
    ],
)
def test_dangerous_tools_need_a_denial(policy: dict[str, Any], dangerous: bool) -> None:
    value = document(tool_policy=policy)
    if dangerous:
        assert codes(value) == ["PACK_DANGEROUS_TOOL"]
    else:
        assert isinstance(pack_of(value), Pack)


@pytest.mark.parametrize(
    ("policy", "offered"),
    [
        ({"allow": ["exec", "slack"], "deny": ["shell"]}, ("exec", "slack")),
        ({"deny": ["exec"]}, TOOLS[1:]),
        ({"allow": ["*"], "deny": ["exec", "web_*"]}, ("slack", "memory_search", "memory_get", "read")),
        ({"allow": ["memory_*", "read"], "deny": ["memory_get"]}, ("memory_search", "read")),
        ({"allow": ["group:web"]}, ("web_search", "web_fetch")),
        ({"allow": ["*"], "deny": ["group:runtime"]}, TOOLS[1:]),
        ({"allow": []}, ()),
    ],
)
def test_only_allowed_tools_are_offered_and_deny_wins(policy: dict[str, Any], offered: tuple[str, ...]) -> None:
    assert offered_tools(pack_of(document(tool_policy=policy)), TOOLS) == offered


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "PACK_NOT_JSON"),
        (b"{", "PACK_NOT_JSON"),
        (b"[1]", "PACK_TYPE"),
        (b"null", "PACK_TYPE"),
        (b"\xff{}", "PACK_CHARACTERS"),
        (b"\xef\xbb\xbf{}", "PACK_CHARACTERS"),
        (b"[" * 5_000, "PACK_NESTING"),
        (b"[" * 17 + b"]" * 17, "PACK_NESTING"),
        (b" " * 65_537, "PACK_TOO_LARGE"),
        (b'{"a": NaN}', "PACK_NUMBER"),
        (b'{"a": 1e400}', "PACK_NUMBER"),
        (b'{"a": 1.0}', "PACK_NUMBER"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "PACK_NUMBER"),
        (b'{"a": 1, "a": 1}', "PACK_DUPLICATE_KEY"),
        (b'{"files": {"AGENTS.md": "x", "AGENTS.md": "y"}}', "PACK_DUPLICATE_KEY"),
        (b'{"a": "\\ud800"}', "PACK_CHARACTERS"),
    ],
)
def test_hostile_bytes_are_rejected_by_name(raw: bytes, code: str) -> None:
    assert code in codes_of_bytes(raw)


def outcome(raw: bytes) -> Pack | list[str]:
    """The pack, or the codes of its problems: parsing knows no third way."""
    try:
        return parse_pack(raw)
    except PackRejected as why:
        return [problem.code for problem in why.problems]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_pack_or_rejected(raw: bytes) -> None:
    assert outcome(raw)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["files", "allow", "deny", "AGENTS.md", "pack_name", "max_turns", "\u00e9"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*document(), "approval_gates", "stop_rules", "other"]), VALUES)
def test_any_value_anywhere_is_a_pack_or_rejected(key: str, value: object) -> None:
    found = outcome(json.dumps({**document(), key: value}).encode())
    if isinstance(found, Pack):
        assert parse_pack(found.canonical).sha256 == found.sha256
    else:
        assert found
        assert all(code.startswith("PACK_") for code in found)


def test_a_missing_path_says_so(tmp_path: Path) -> None:
    with pytest.raises(PackRejected) as caught:
        load_pack(tmp_path / "nowhere")
    assert caught.value.code == "PACK_MISSING"


def test_a_large_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "pack.json"
    with path.open("wb") as file:
        file.truncate(10_000_000)
    with pytest.raises(PackRejected) as caught:
        load_pack(path)
    assert caught.value.code == "PACK_TOO_LARGE"


def test_a_folder_is_a_pack(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_bytes(b"# Policy\r\n\r\nAsk.\r\n")
    (tmp_path / "SOUL.md").write_text("Calm.\n")
    (tmp_path / "README.md").write_text("For people.\n")
    pack = load_pack(tmp_path)
    assert dict(pack.files) == {"AGENTS.md": "# Policy\n\nAsk.\n", "SOUL.md": "Calm.\n"}
    assert pack.version == "0.0.0"
    assert pack.allow is None


def test_a_folder_without_agents_md_is_none(tmp_path: Path) -> None:
    (tmp_path / "SOUL.md").write_text("Calm.\n")
    with pytest.raises(PackRejected) as caught:
        load_pack(tmp_path)
    assert caught.value.code == "PACK_NO_AGENTS"


def test_a_folder_may_hold_only_a_pack_json(tmp_path: Path) -> None:
    (tmp_path / "pack.json").write_text(json.dumps(document()))
    assert load_pack(tmp_path).name == "sample"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("- a list\n", "PACK_TYPE"),
        ("files: {AGENTS.md: x}\n", "PACK_KEY"),
        ("metadata: {pack_name: x, pack_version: 1.0, target_suite: clawbench_v1}\n", "PACK_NUMBER"),
        ("a: &x 1\nb: *x\n", "YAML_ALIAS"),
        ("tool_policy: {allow: [exec]}\n", "PACK_DANGEROUS_TOOL"),
    ],
)
def test_what_is_wrong_with_a_pack_yaml(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "AGENTS.md").write_text("x\n")
    (tmp_path / "pack.yaml").write_text(text)
    with pytest.raises(PackRejected) as caught:
        load_pack(tmp_path)
    assert code in [problem.code for problem in caught.value.problems]


def test_a_single_md_file_is_a_pack(tmp_path: Path) -> None:
    path = tmp_path / "my policy.md"
    path.write_text("# Policy\n\nAsk.\n")
    pack = load_pack(path)
    assert pack.name == "my-policy"
    assert pack.files == {"AGENTS.md": "# Policy\n\nAsk.\n"}
    assert pack.sha256 == pack_from_text("# Policy\n\nAsk.\n", "my policy").sha256


def test_placeholders_in_a_pack_stay_as_they_are() -> None:
    assert pack_from_text("Hello {{USER_NAME}}", "x").files["AGENTS.md"] == "Hello {{USER_NAME}}"


@pytest.mark.parametrize("folder", sorted(path.name for path in PACKS.iterdir()))
def test_every_sample_pack_is_built_from_its_folder(folder: str) -> None:
    built = load_pack(PACKS / folder)
    assert built.name == folder
    assert (PACKS / folder / "pack.json").read_bytes() == built.canonical + b"\n"
    assert load_pack(PACKS / folder / "pack.json").sha256 == built.sha256
    assert (PACKS / folder / "README.md").read_text().startswith(f"# {folder}\n")


def test_the_careful_pack_gates_what_the_reckless_one_does() -> None:
    careful, reckless = load_pack(PACKS / "careful"), load_pack(PACKS / "reckless")
    assert {"mail.send", "slack.post", "calendar.*", "task.*"} <= set(careful.approval_gates)
    assert reckless.approval_gates == ()
    assert not reckless.stop_rules


@pytest.mark.parametrize(
    "text", ["\u2764\ufe0f", "\U0001f600", "\u3000\u4f60\u597d", "a\u0301", "\ue000", "\U0001fae8", "\u0378"]
)
def test_what_can_be_seen_is_taken_also_if_unicode_14_does_not_know_it(text: str) -> None:
    assert pack_of(document(files={"AGENTS.md": text})).files["AGENTS.md"] == text


@settings(max_examples=300, deadline=None)
@given(
    st.text("admin_exc*?[]!-^\\", min_size=1, max_size=10)
    | st.from_regex(r"(a|\*|\?|\[a-z\])(d|\?|\[!x\])(m|\*)in_?[*?]?", fullmatch=True),
    st.text("admin_x[]*", max_size=3),
)
def test_no_pattern_lets_a_dangerous_tool_through_unseen(pattern: str, rest: str) -> None:
    policy = {"allow": [pattern], "deny": ["slack"]}
    found = outcome(json.dumps(document(tool_policy=policy)).encode())
    if isinstance(found, Pack):
        assert offered_tools(found, ("exec", "shell", f"admin_{rest}")) == ()
    else:
        assert found == ["PACK_DANGEROUS_TOOL"]
