"""Packs from people who mean harm, or do it: name, bytes of the pack.json, and the code that it must get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MOST = 65_536

HOTKEY = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"


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


def corpus() -> list[tuple[str, bytes, str]]:
    """All of them; names are unique."""
    return [*_values(), *_texts(), *_bytes(), *_blobs()]


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def _values() -> Iterator[tuple[str, bytes, str]]:
    """Valid JSON, wrong as a pack."""
    for name, value in {
        "null": None,
        "list": [],
        "text": "pack",
        "number": 1,
        "true": True,
        "pack in a list": [document()],
    }.items():
        yield f"{name} instead of a pack", _dump(value), "PACK_TYPE"
    yield "an empty object", b"{}", "PACK_KEY"
    for key in ("schema_version", "files", "tool_policy", "metadata"):
        yield f"no {key}", _dump(document(**{key: None})), "PACK_KEY"
        yield f"{key} is null", _dump({**document(), key: None}), "PACK_VERSION" if key[0] == "s" else "PACK_TYPE"
    for key in ("surprise", "Files", "files ", "__proto__", "$schema", "", "constructor", "files/AGENTS.md"):
        yield f"unknown key {key!r}", _dump({**document(), key: {}}), "PACK_KEY"
    yield "a Cyrillic key", _dump({**document(), "f\u0456les": {}}), "PACK_KEY"
    yield "a key with a newline", _dump(document(**{"a\nb": 1})), "PACK_KEY"
    yield "a key with an escape", _dump(document(**{"a\x1b[2Jb": 1})), "PACK_KEY"
    yield "a deep key in accents", _dump(document(metadata={**document()["metadata"], "\u00e9": 1})), "PACK_KEY"
    yield "a key of 9,000 characters", _dump(document(**{"k" * 9_000: 1})), "PACK_KEY"
    for version in (0, 2, -1, True, "1", [1], {}, 10**14):
        yield f"schema_version {version!r}", _dump(document(schema_version=version)), "PACK_VERSION"

    for files in ([], "AGENTS.md", 1, True, [["AGENTS.md", "x"]]):
        yield f"files {files!r}", _dump(document(files=files)), "PACK_TYPE"
    for files in ({}, {"SOUL.md": "x"}, {"AGENTS.md": ""}, {"AGENTS.md": " \n\t\n"}, {"agents.md": "x"}):
        yield f"files {files!r}", _dump(document(files=files)), "PACK_NO_AGENTS"
    for text in (1, True, ["x"], {"text": "x"}, None):
        yield f"AGENTS.md is {text!r}", _dump(document(files={"AGENTS.md": text})), "PACK_TYPE"
    names = [
        "../x.md",
        "..\\x.md",
        "/etc/passwd",
        "a/b.md",
        ".md",
        ".hidden.md",
        "-rf.md",
        "_x.md",
        "x.txt",
        "x.MD",
        "x",
    ]
    names += [
        "x.md\n",
        " x.md",
        "x.md ",
        "x y.md",
        "x..md",
        "con.aux.md",
        "AGENTS.md/..",
        "~.md",
        "$HOME.md",
        "%2e.md",
        "x.md\t",
    ]
    names += ["https://x.md", "", "*.md", "x.mdx", "C:x.md", ".git/config.md"]
    for name in names:
        yield f"file name {name!r}", _dump(document(files={"AGENTS.md": "x", name: "x"})), "PACK_FILE_NAME"
    for name in ("USER.md", "user.md", "User.MD", "MEMORY.md", "memory.md", "Agents.md", "aGENTS.md"):
        yield f"file name {name!r}", _dump(document(files={"AGENTS.md": "x", name: "x"})), "PACK_FILE_NAME"
    for name in ("\u0410GENTS.md", "so\u200bul.md", "\uff33OUL.md", "SOUL\u2024md"):
        yield f"file name {name!a}", _dump(document(files={"AGENTS.md": "x", name: "x"})), "PACK_KEY"

    for policy in ([], "allow", ["exec"], 0):
        yield f"tool_policy {policy!r}", _dump(document(tool_policy=policy)), "PACK_TYPE"
    yield "an empty tool_policy", _dump(document(tool_policy={})), "PACK_TOOL_POLICY"
    yield "tool_policy with block", _dump(document(tool_policy={"deny": ["exec"], "block": []})), "PACK_KEY"
    yield "tool_policy with Allow", _dump(document(tool_policy={"deny": ["exec"], "Allow": ["*"]})), "PACK_KEY"
    for names_ in (
        "exec",
        {"exec": True},
        [1],
        [["exec"]],
        [None],
        [""],
        ["x" * 65],
        ["caf\u00e9"],
        ["a\nb"],
        ["a\tb"],
    ):
        for key in ("allow", "deny"):
            policy = {"deny": ["exec"], key: names_}
            yield f"{key} {names_!a}", _dump(document(tool_policy=policy)), "PACK_TYPE"
        yield f"approval_gates {names_!a}", _dump(document(approval_gates=names_)), "PACK_TYPE"
    for allow in (
        "exec",
        "shell",
        "group:runtime",
        "admin_users",
        "admin_*",
        "*",
        "ex*",
        "?xec",
        "[e]xec",
        "[!a]xec",
        "a*",
    ):
        yield (
            f"allows {allow!r}",
            _dump(document(tool_policy={"allow": ["slack", allow], "deny": ["web_*"]})),
            "PACK_DANGEROUS_TOOL",
        )
    for allow in ("group:*", "g*e", "*min_*", "adm[i]n_x", "[a-z]*", "s*l", "admin_"):
        yield f"allows {allow!r}", _dump(document(tool_policy={"allow": [allow]})), "PACK_DANGEROUS_TOOL"
    for deny in (
        [],
        ["slack"],
        ["EXEC"],
        ["exec "],
        ["admin"],
        ["execute"],
        ["ex[!e]c"],
        ["[*]"],
        ["*_x"],
        ["admin_users"],
    ):
        yield f"denies only {deny!r}", _dump(document(tool_policy={"deny": deny})), "PACK_DANGEROUS_TOOL"
    many = [f"tool_{n}" for n in range(65)]
    yield "65 allowed tools", _dump(document(tool_policy={"allow": many})), "PACK_TOO_MANY"
    yield "65 denied tools", _dump(document(tool_policy={"deny": ["exec", *many]})), "PACK_TOO_MANY"
    yield "65 gates", _dump(document(approval_gates=many)), "PACK_TOO_MANY"
    yield "65 stop rules", _dump(document(stop_rules=many)), "PACK_TOO_MANY"

    metadata = document()["metadata"]
    for value in ([], "sample", None, 1):
        yield f"metadata {value!r}", _dump({**document(), "metadata": value}), "PACK_TYPE"
    for key in ("pack_name", "pack_version", "target_suite"):
        yield f"no {key}", _dump(document(metadata={k: v for k, v in metadata.items() if k != key})), "PACK_KEY"
        for value in (None, 1, ["x"], True):
            yield f"{key} {value!r}", _dump(document(metadata={**metadata, key: value})), "PACK_TYPE"
    for name in ("", "../up", "a/b", ".git", "-x", "x" * 65, "two words", "a\nb", "caf\u00e9", "a$(id)", "a;b", "\\x"):
        yield f"pack_name {name!a}", _dump(document(metadata={**metadata, "pack_name": name})), "PACK_NAME"
    versions = [
        "",
        "1",
        "1.0",
        "v1.0.0",
        "01.0.0",
        "1.0.0.0",
        "1.0.0-",
        "1.0.0+",
        "1.0.0-01",
        "latest",
        " 1.0.0",
        "1.0.0\n",
    ]
    versions += ["1.0.\u0663", "-1.0.0", "1.0.0-\u00e9", "1.0.0-" + "a" * 99, "1.0.0-a..b", "1,0,0", "9" * 70 + ".0.0"]
    for version in versions:
        yield (
            f"pack_version {version!a}",
            _dump(document(metadata={**metadata, "pack_version": version})),
            "PACK_VERSION",
        )
    for suite in ("", "x" * 65):
        yield (
            f"target_suite of {len(suite)}",
            _dump(document(metadata={**metadata, "target_suite": suite})),
            "PACK_TYPE",
        )
    for hotkey in (
        "",
        "5Grw",
        HOTKEY[:46],
        HOTKEY + "1",
        HOTKEY[:-1] + "0",
        HOTKEY[:-1] + "l",
        "0x" + "ab" * 32,
        HOTKEY + "\n",
    ):
        yield f"hotkey {hotkey!r}", _dump(document(metadata={**metadata, "hotkey": hotkey})), "PACK_HOTKEY"
    yield "hotkey is a list", _dump(document(metadata={**metadata, "hotkey": [HOTKEY]})), "PACK_TYPE"
    yield "hotkey is null", _dump(document(metadata={**metadata, "hotkey": None})), "PACK_TYPE"
    for key in ("target_runtime", "min_runtime_version"):
        for value in (1, [], "", "x" * 65):
            yield f"{key} {value!r}", _dump(document(**{key: value})), "PACK_TYPE"
    rules: list[Any] = ["stop", [7], [None], [[]], [{}], [""], [True], [{"max_turns": 0}], [{"max_turns": -3}]]
    rules += [[{"max_turns": "9"}], [{"max_turns": True}], [{"max_turns": None}], {"max_turns": 3}]
    for rule in rules:
        yield f"stop_rules {rule!r}", _dump(document(stop_rules=rule)), "PACK_TYPE"
    for rule in ({"max_cost": 3}, {"max_turns": 3, "": 1}, {"MAX_TURNS": 3}):
        yield f"stop rule {rule!r}", _dump(document(stop_rules=[rule])), "PACK_KEY"
    notes = {f"n{number}.md": "" for number in range(64)}
    yield "65 files", _dump(document(files={"AGENTS.md": "x", **notes})), "PACK_TOO_MANY"
    yield "a file name of 68", _dump(document(files={"AGENTS.md": "x", "n" * 65 + ".md": ""})), "PACK_FILE_NAME"
    yield "33 KB of policy", _dump(document(files={"AGENTS.md": "x" * 33_000})), "PACK_TOO_LARGE"
    yield "3,000 emoji", _dump(document(files={"AGENTS.md": "\U0001f600" * 3_000})), "PACK_TOO_LARGE"
    yield (
        "raw emoji",
        json.dumps(document(files={"AGENTS.md": "\U0001f600" * 3_000}), ensure_ascii=False).encode(),
        "PACK_TOO_LARGE",
    )


def _texts() -> Iterator[tuple[str, bytes, str]]:
    """Characters that are not seen, or seen as something else, everywhere that a text can stand."""
    bad = [0x0, 0x7, 0x8, 0xB, 0xC, 0xD, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9B, 0xAD, 0x34F, 0x61C, 0x115F, 0x17B5, 0x180E]
    bad += [
        0x200B,
        0x200D,
        0x200E,
        0x200F,
        0x2028,
        0x2029,
        0x202A,
        0x202E,
        0x2060,
        0x2064,
        0x2066,
        0x2069,
        0x206F,
        0x3164,
    ]
    bad += [
        0xFDD0,
        0xFE00,
        0xFE0D,
        0xFFFE,
        0x1FFFF,
        0x10FFFE,
        0x13430,
        0x1BCA0,
        0xFEFF,
        0xFFA0,
        0xFFF9,
        0xD800,
        0xDBFF,
        0xDC00,
        0xDFFF,
        0x1D173,
        0xE0001,
        0xE0041,
        0xE007F,
        0xE0100,
    ]
    for code in bad:
        yield f"U+{code:04X} in AGENTS.md", _dump(document(files={"AGENTS.md": f"a{chr(code)}b"})), "PACK_CHARACTERS"
    for where in ("approval_gates", "stop_rules"):
        yield f"U+202E in {where}", _dump(document(**{where: ["a\u202eb"]})), "PACK_CHARACTERS"
    yield "U+202E in deny", _dump(document(tool_policy={"deny": ["exec", "a\u202eb"]})), "PACK_CHARACTERS"
    yield (
        "U+202E in metadata",
        _dump(document(metadata={**document()["metadata"], "author": ["a\u202eb"]})),
        "PACK_CHARACTERS",
    )
    yield "U+202E in an unknown key", _dump(document(extra={"a": "\u202e"})), "PACK_CHARACTERS"
    hidden = "\u2764" + "\ufe0e\ufe0f" * 9
    yield "bits behind a heart", _dump(document(files={"AGENTS.md": hidden})), "PACK_CHARACTERS"
    yield "a key of surrogates", b'{"\\ud800": 1}', "PACK_KEY"


def _bytes() -> Iterator[tuple[str, bytes, str]]:
    """Not JSON, or JSON in a way that no pack may use."""
    good = _dump(document())
    for name, raw in {
        "nothing": b"",
        "white space": b" \n",
        "half": good[:-20],
        "trailing text": good + b"x",
        "two packs": good + good,
        "single quotes": b"{'a': 1}",
        "a comment": b"// pack\n" + good,
        "a trailing comma": good[:-1] + b",}",
        "an unquoted key": b"{files: 1}",
        "a raw newline in a text": b'{"a": "b\nc"}',
        "YAML": b"schema_version: 1\n",
        "HTML": b"<!DOCTYPE html><html></html>",
        "an LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "a bad escape": b'{"a": "\\x41"}',
        "half an escape": b'{"a": "\\u12"}',
        "NUL bytes": b"\0" * 40,
        "True": b"True",
    }.items():
        yield name, raw, "PACK_NOT_JSON"
    for name, raw in {
        "a byte order mark": b"\xef\xbb\xbf" + good,
        "UTF-16": json.dumps(document()).encode("utf-16"),
        "Latin-1": good.replace(b"Policy", b"Polic\xe9"),
        "overlong NUL": b'{"a": "\xc0\x80"}',
        "gzip": b"\x1f\x8b\x08\x00",
        "CESU surrogates": b'{"a": "\xed\xa0\xbd\xed\xb8\x80"}',
        "beyond Unicode": b'{"a": "\xf4\x90\x80\x80"}',
    }.items():
        yield name, raw, "PACK_CHARACTERS"
    for number in (
        b"1.0",
        b"1e2",
        b"-0.0",
        b"1E400",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9" * 16,
        b"-" + b"9" * 5_000,
        b"0e0",
    ):
        shown = number[:10].decode()
        yield (
            f"schema_version {shown}",
            good.replace(b'"schema_version": 1', b'"schema_version": ' + number),
            "PACK_NUMBER",
        )
    for key in (
        b'"schema_version": 1',
        b'"files": {}',
        b'"tool_policy": {}',
        b'"metadata": {}',
        b'"schema_\\u0076ersion": 1',
    ):
        yield f"again {key.decode()}", good[:-1] + b", " + key + b"}", "PACK_DUPLICATE_KEY"
    yield "AGENTS.md twice", good.replace(b'"AGENTS.md":', b'"AGENTS.md": "x", "AGENTS.md":'), "PACK_DUPLICATE_KEY"
    yield "deny twice", good.replace(b'"deny":', b'"deny": ["exec"], "deny":'), "PACK_DUPLICATE_KEY"
    yield "twice in what is thrown away", good[:-1] + b', "metadata": {"a": 1, "a": 2}}', "PACK_DUPLICATE_KEY"
    for depth in (17, 1_000, 32_000):
        yield f"{depth} lists deep", b"[" * depth + b"]" * depth, "PACK_NESTING"
    yield "17 objects deep", b'{"a":' * 17 + b"1" + b"}" * 17, "PACK_NESTING"
    yield (
        "deep in metadata",
        _dump(document(metadata={**document()["metadata"], "x": json.loads("[" * 15 + "]" * 15)})),
        "PACK_NESTING",
    )


def _blobs() -> Iterator[tuple[str, bytes, str]]:
    """As much of one thing as fits into a file, and more."""
    yield "a byte too many", b" " * (MOST + 1), "PACK_TOO_LARGE"
    yield "a megabyte", b"[" * 1_000_000, "PACK_TOO_LARGE"
    for unit, code in {
        b"[": "PACK_NESTING",
        b"{": "PACK_NESTING",
        b'"': "PACK_NOT_JSON",
        b"\\": "PACK_NOT_JSON",
        b" ": "PACK_NOT_JSON",
        b"\0": "PACK_NOT_JSON",
        b"9": "PACK_TYPE",
        b"]": "PACK_NOT_JSON",
        b",": "PACK_NOT_JSON",
        b"\xf4\x8f\xbf\xbf": "PACK_NOT_JSON",
        b"\xff": "PACK_CHARACTERS",
        b"[[]],": "PACK_NOT_JSON",
        b'{"a":': "PACK_NESTING",
        b'"\\': "PACK_NOT_JSON",
        b'[",': "PACK_NESTING",
    }.items():
        yield f"full of {unit!r}", (unit * MOST)[:MOST], code
    for before, unit, after, code in (
        (b"[", b"1,", b"1]", "PACK_TYPE"),
        (b"[", b"{},", b"{}]", "PACK_TYPE"),
        (b"[", b"1e9,", b"1]", "PACK_TYPE"),
        (b"[", b'"\\ud83d",', b"1]", "PACK_TYPE"),
        (b'{"a": "', b"\\u0000", b'"}', "PACK_CHARACTERS"),
        (b'{"a": "', b'\\"', b'"}', "PACK_TOO_LARGE"),
        (b'{"a": "', b"\\\\", b'"}', "PACK_TOO_LARGE"),
        (b'{"a": "', b"\xe2\x80\x8b", b'"}', "PACK_CHARACTERS"),
        (b'{"a": "', b"\xcc\x81", b'"}', "PACK_TOO_LARGE"),
        (b'{"stop_rules": [', b"7,", b"7]}", "PACK_TOO_MANY"),
        (b'{"stop_rules": [', b'{"a":0},', b"7]}", "PACK_TOO_MANY"),
        (b'{"approval_gates": [', b'"*a*a*a*a*b",', b'""]}', "PACK_TOO_MANY"),
        (b'{"tool_policy": {"allow": [', b'"*[!a]*",', b'"*"]}}', "PACK_TOO_MANY"),
        (b'{"files": [', b'"AGENTS.md",', b"1]}", "PACK_TYPE"),
        (b"{", b'"a":1,', b'"a":1}', "PACK_DUPLICATE_KEY"),
        (b"{", b'"\xc3\xa9":1,', b'"a":1}', "PACK_DUPLICATE_KEY"),
        (b'{"x": [', b'{"a":1,"a":1},', b"1]}", "PACK_DUPLICATE_KEY"),
        (b'{"x": [', b"1.5,", b"1]}", "PACK_NUMBER"),
        (b'{"x": [', b"[[[[[[[[[[[[[]]]]]]]]]]]]],", b"1]}", "PACK_TOO_MANY"),
    ):
        count = (MOST - len(before) - len(after)) // len(unit)
        yield f"full of {unit!r} in {before!r}", before + unit * count + after, code
    yield "4,000 keys", _dump({f"k{n}": n for n in range(4_000)}), "PACK_KEY"
    yield "3,500 files", _dump(document(files={f"f{n}.txt": "" for n in range(3_500)})), "PACK_FILE_NAME"
    yield (
        "a name of 30,000",
        _dump(document(metadata={**document()["metadata"], "pack_name": "a" * 30_000 + "!"})),
        "PACK_NAME",
    )
    version = "1.0.0-" + "a." * 15_000 + "!"
    yield (
        "a version of 30,000",
        _dump(document(metadata={**document()["metadata"], "pack_version": version})),
        "PACK_VERSION",
    )
    slow = [("*[!a-z]" * 8 + f"?{n:03d}")[:64] for n in range(126)]
    yield (
        "slow patterns",
        _dump(document(tool_policy={"allow": [*slow[:63], "*"], "deny": slow[63:]})),
        "PACK_DANGEROUS_TOOL",
    )
