"""A folder is a pack or rejected, whatever lies in it, and is written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clawbench.errors import InvalidInput, PackRejected
from clawbench.pack import load_pack, pack_json
from clawbench.packbuild import built_pack, is_written, write_whole
from clawbench.starters import write_pack

Change = Callable[[Path], object]

HOSTILE: dict[str, tuple[Change, str, str]] = {
    "a name that is not UTF-8": (lambda at: (at / os.fsdecode(b"\xff.md")).touch(), "PACK_FILE_NAME", "/files"),
    "a folder called .md": (lambda at: (at / "dir.md").mkdir(), "PACK_MISSING", "dir.md"),
    "a pipe": (lambda at: os.mkfifo(at / "pipe.md"), "PACK_MISSING", "pipe.md"),
    "a link to itself": (lambda at: (at / "loop.md").symlink_to("loop.md"), "PACK_MISSING", "loop.md"),
    "a link to a device": (lambda at: (at / "zero.md").symlink_to("/dev/zero"), "PACK_MISSING", "zero.md"),
    "a link to nothing": (lambda at: (at / "x.md").symlink_to("gone"), "PACK_MISSING", "x.md"),
    "pack.yaml to nothing": (lambda at: _linked(at / "pack.yaml", "gone"), "PACK_MISSING", "pack.yaml"),
    "a byte order mark": (lambda at: (at / "x.md").write_bytes(b"\xef\xbb\xbfx"), "PACK_CHARACTERS", "x.md"),
    "Latin-1": (lambda at: (at / "x.md").write_bytes(b"a\n\xe9"), "PACK_CHARACTERS", "line 2"),
    "a file of 70 kB": (lambda at: (at / "x.md").write_bytes(b"x" * 70_000), "PACK_TOO_LARGE", "x.md"),
    "two of 60 kB": (lambda at: [(at / f"{n}.md").write_bytes(b"x" * 60_000) for n in "ab"], "PACK_TOO_LARGE", "bytes"),
    "70 files": (lambda at: [(at / f"n{n}.md").write_text("x") for n in range(70)], "PACK_TOO_MANY", "/files"),
    "names of one fold": (
        lambda at: [(at / name).write_text("x") for name in ("Ab.md", "aB.md")],
        "PACK_FILE_NAME",
        "aB",
    ),
    "the user's file": (lambda at: (at / "user.md").write_text("x"), "PACK_FILE_NAME", "user.md"),
    "a lone carriage return": (lambda at: (at / "x.md").write_bytes(b"a\rb"), "PACK_CHARACTERS", "U+000D"),
    "an empty pack.yaml": (lambda at: (at / "pack.yaml").write_text("# later\n"), "PACK_EMPTY", "pack.yaml"),
    "files in pack.yaml": (lambda at: (at / "pack.yaml").write_text("a: 1\nfiles: {}\n"), "PACK_KEY", "pack.yaml:2"),
    "a tag": (lambda at: (at / "pack.yaml").write_text("a: !!python/object:os.system x\n"), "YAML_TAG", "pack.yaml:1"),
    "an unquoted version": (
        lambda at: (at / "pack.yaml").write_text("metadata:\n  pack_version: 1.0\n"),
        "PACK_NUMBER",
        "pack.yaml:2: /metadata/pack_version",
    ),
    "a bad hotkey": (
        lambda at: (at / "pack.yaml").write_text("metadata:\n  a: b\n  hotkey: 0x12\n"),
        "PACK_TYPE",
        "pack.yaml:3: /metadata/hotkey",
    ),
}


def _linked(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pack("sample", tmp_path)
    return tmp_path / "sample"


@pytest.mark.parametrize("name", HOSTILE)
def test_what_may_lie_in_a_folder(folder: Path, name: str) -> None:
    change, code, shown = HOSTILE[name]
    assert load_pack(folder).name == "sample"
    change(folder)
    with pytest.raises(PackRejected) as caught:
        built_pack(folder)
    assert any(problem.code == code and shown in str(problem) for problem in caught.value.problems), caught.value


def test_windows_line_ends_are_built_away(folder: Path) -> None:
    before = built_pack(folder)
    text = (folder / "AGENTS.md").read_bytes()
    (folder / "AGENTS.md").write_bytes(text.replace(b"\n", b"\r\n"))
    assert built_pack(folder) == before


def test_a_file_is_replaced_whole(folder: Path) -> None:
    pack = built_pack(folder)
    target = folder / "pack.json"
    outside = folder.parent / "outside"
    outside.write_text("kept")
    target.symlink_to(outside)
    write_whole(target, pack_json(pack))
    assert is_written(target, pack_json(pack))
    assert not target.is_symlink()
    assert outside.read_text() == "kept"
    assert load_pack(target) == pack


def test_what_cannot_be_written_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (folder / "pack.json").write_text("old")
    monkeypatch.setattr("clawbench.packbuild.os.fsync", full)
    with pytest.raises(InvalidInput) as caught:
        write_whole(folder / "pack.json", b"new")
    assert caught.value.code == "PACK_NOT_WRITTEN"
    assert (folder / "pack.json").read_text() == "old"
    assert sorted(path.name for path in folder.iterdir()) == ["AGENTS.md", "pack.json", "pack.yaml"]
