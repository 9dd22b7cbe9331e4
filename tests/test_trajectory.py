import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawbench.archive import compress_bench, compressed, dictionary_of
from clawbench.errors import TrajectoryInvalid
from clawbench.keeping import Keeping
from clawbench.trajectory import (
    PAYLOAD,
    SCHEMA,
    BlobStore,
    TrajectoryWriter,
    parsed_trajectory,
    read_trajectory,
    trajectory_paths,
)

START: dict[str, Any] = {"type": "episode_start", "task_id": "t", PAYLOAD: {"schema": SCHEMA, "unit": "u"}}
STEP: dict[str, Any] = {"type": "step", "step_idx": 0, PAYLOAD: {"text": "é"}}
END: dict[str, Any] = {"type": "episode_end", "final_message": "done", PAYLOAD: {"status": "COMPLETED"}}


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    with TrajectoryWriter(path) as writer:
        for record in records:
            writer.append(record)
        writer.finish()
    return path


def test_a_run_comes_back_as_it_was_written(tmp_path: Path) -> None:
    run = read_trajectory(written(tmp_path / "run-0.jsonl", [START, STEP, END]))
    assert run.start["unit"] == "u"
    assert [step["text"] for step in run.steps] == ["é"]
    assert run.final_message == "done"
    assert run.whole
    assert not run.torn


def test_a_run_that_has_not_ended_stands_under_another_name(tmp_path: Path) -> None:
    with TrajectoryWriter(tmp_path / "run-0.jsonl") as writer:
        writer.append(START)
        assert (tmp_path / "run-0.jsonl.part").read_bytes().endswith(b"\n"), "each line is on disk when it is written"
    assert not (tmp_path / "run-0.jsonl").exists()
    assert list(trajectory_paths([tmp_path])) == []


@pytest.mark.parametrize("durable", [False, True])
def test_what_is_durable_is_on_disk_before_it_has_its_name(
    tmp_path: Path, durable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[str] = []
    replace = os.replace

    def fsync(descriptor: int) -> None:
        did.append(f"sync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")

    def replaced(part: Any, path: Any) -> None:
        did.append(f"name {Path(path).name}")
        replace(part, path)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replaced)
    keeping = Keeping(durable, did.append)
    name = BlobStore(tmp_path / "blobs", keeping).put(b"prompt")
    with TrajectoryWriter(tmp_path / "run-0.jsonl", keeping) as writer:
        writer.append(END)
        writer.finish()
    with TrajectoryWriter(tmp_path / "run-1.jsonl", keeping) as writer:
        writer.finish(tmp_path / "failed-run-1-1.jsonl")
    blob = [
        "blob.written",
        f"sync {name}.{os.getpid()}.part",
        "blob.synced",
        f"name {name}",
        "sync blobs",
        "blob.named",
    ]
    run = ["run.opened", "run.written", "sync run-0.jsonl.part", "run.synced", "name run-0.jsonl"]
    failed = ["run.opened", "failed.written", "sync run-1.jsonl.part", "failed.synced", "name failed-run-1-1.jsonl"]
    wanted = [*blob, *run, f"sync {tmp_path.name}", "run.named", *failed, f"sync {tmp_path.name}", "failed.named"]
    assert did == [step for step in wanted if durable or not step.startswith("sync ")]


def test_a_torn_last_line_is_dropped_and_marked(tmp_path: Path) -> None:
    path = written(tmp_path / "run-0.jsonl", [START, STEP, END])
    whole = path.read_bytes()
    for cut in range(len(whole) - 1, whole.rindex(b"\n", 0, len(whole) - 1) + 1, -7):
        path.write_bytes(whole[:cut])
        run = read_trajectory(path)
        assert run.torn
        assert not run.whole
        assert len(run.steps) == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "TRAJECTORY_EMPTY"),
        (b"[]\n", "TRAJECTORY_RECORD"),
        (b'{"type": "step", "clawbench": {}}\n', "TRAJECTORY_ORDER"),
        (b'{"type": "episode_start", "clawbench": {"schema": "other"}}\n', "TRAJECTORY_SCHEMA"),
        (b'{"type": "episode_start"}\n', "TRAJECTORY_RECORD"),
        (b"nonsense\nnonsense\n", "TRAJECTORY_JSON"),
    ],
)
def test_what_is_not_a_run_says_so(content: bytes, code: str) -> None:
    with pytest.raises(TrajectoryInvalid) as raised:
        parsed_trajectory(content, Path("x.jsonl"))
    assert raised.value.code == code


@given(st.binary(max_size=200))
def test_any_bytes_are_a_run_or_a_trajectory_error(content: bytes) -> None:
    codes: list[str] = []
    try:
        codes.append(parsed_trajectory(content, Path("x")).start["schema"])
    except TrajectoryInvalid as error:
        codes.append(error.code)
    assert codes[0] == SCHEMA or codes[0].startswith("TRAJECTORY")


def test_blobs_are_stored_once_and_checked(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs")
    name = store.put(b"prompt")
    assert store.put(b"prompt") == name
    assert BlobStore(tmp_path / "blobs").get(name) == b"prompt"
    (tmp_path / "blobs" / name).write_bytes(b"other")
    with pytest.raises(TrajectoryInvalid, match="BLOB_CHANGED"):
        store.get(name)
    with pytest.raises(TrajectoryInvalid, match="BLOB_NAME"):
        store.get("../secret")


def test_compressed_runs_read_the_same(tmp_path: Path) -> None:
    paths = [written(tmp_path / "p" / f"run-{n}.jsonl", [START, STEP, END]) for n in range(3) if _made(tmp_path / "p")]
    plain = [path.read_bytes() for path in paths]
    assert compress_bench(tmp_path, paths) > 0
    found = list(trajectory_paths([tmp_path]))
    assert [path.name for path in found] == ["run-0.jsonl.zst", "run-1.jsonl.zst", "run-2.jsonl.zst"]
    assert [read_trajectory(path).final_message for path in found] == ["done"] * 3
    assert len(plain[0]) > found[0].stat().st_size


def _made(folder: Path) -> bool:
    folder.mkdir(exist_ok=True)
    return True


def test_a_compressed_run_without_its_dictionary_says_so(tmp_path: Path) -> None:
    path = tmp_path / "run-0.jsonl.zst"
    path.write_bytes(compressed(b"x" * 1000, dictionary_of([b"x" * 1000])))
    with pytest.raises(TrajectoryInvalid, match="DICTIONARY_MISSING"):
        read_trajectory(path)


def test_a_damaged_compressed_run_says_so(tmp_path: Path) -> None:
    (tmp_path / "dictionary").write_bytes(b"x" * 1000)
    path = tmp_path / "run-0.jsonl.zst"
    path.write_bytes(b"not zstd at all")
    with pytest.raises(TrajectoryInvalid, match="TRAJECTORY_"):
        read_trajectory(path)
