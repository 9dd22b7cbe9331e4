"""A validator's process before its first epoch."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from trajectoryrl.operating import scratch_emptied


def test_what_a_killed_validator_was_reading_is_removed(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    for _ in range(2):
        scratch_emptied(scratch)
        assert list(scratch.iterdir()) == []
        (scratch / "fetch-1").mkdir()


def test_a_git_that_outlived_its_validator_stops_no_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    removed = shutil.rmtree

    def while_git_writes(folder: Path, **options: bool) -> None:
        removed(folder, **options)
        (folder / "fetch-1").mkdir(parents=True)

    monkeypatch.setattr(shutil, "rmtree", while_git_writes)
    scratch_emptied(scratch)
    assert scratch.is_dir()
