"""What is logged can be read, and can do nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import structlog

from trajectoryrl.errors import InvalidInput
from trajectoryrl.logs import configure, escaped


def test_control_characters_are_written_out() -> None:
    assert escaped("a\x1b[31mred\x00\u202eb\n") == "a\\u001b[31mred\\u0000\\u202eb\\u000a"
    assert escaped("x" * 3000).endswith("…")
    assert escaped("café ✓") == "café ✓"


def test_every_line_is_one_json_object_and_no_secret_is_written(tmp_path: Path) -> None:
    stream = io.StringIO()
    sink = configure("info", str(tmp_path / "log.jsonl"), stream)
    assert sink is not None
    log = structlog.get_logger()
    log.info("rejected\x1b[2J", hotkey="5abc", message="two\nlines", github_token="ghp_planted", deep={"k\n": ["\x07"]})
    log.debug("not shown")
    for text in (stream.getvalue(), (tmp_path / "log.jsonl").read_text()):
        (line,) = text.splitlines()
        said = json.loads(line)
        assert said["event"] == "rejected\\u001b[2J"
        assert said["message"] == "two\\u000alines"
        assert said["deep"] == {"k\\u000a": ["\\u0007"]}
        assert "ghp_planted" not in text
    sink.close()
    structlog.reset_defaults()


def test_a_log_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as raised:
        configure("info", str(tmp_path / "no" / "folder" / "log"))
    assert raised.value.code == "LOG_FILE"
