"""Records over HTTP: every file of a record and nothing else; what comes from a stranger is bounded."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as some

from tests import golden
from trajectoryrl.cli import cli
from trajectoryrl.commitment import record_text
from trajectoryrl.errors import ClawbenchError, InvalidInput, RecordInvalid, RecordUnavailable
from trajectoryrl.fetching import Bounds, fetched, record_url
from trajectoryrl.publishing import FILE, RecordServer

RECORD = golden.GOLDEN / "epoch-3"
SECRET = b"the hotkey"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published record as epoch-2, beside things that nobody must get."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copytree(RECORD, folder / "records" / "epoch-2")
    (folder / "secret").write_bytes(SECRET)
    inside = folder / "records"
    (inside / "secret").write_bytes(SECRET)
    (inside / "epoch-2" / "secret").write_bytes(SECRET)
    (inside / "epoch-3").symlink_to(folder)
    (inside / "epoch-4" / "packs").mkdir(parents=True)
    (inside / "epoch-4" / "seal.json").symlink_to(folder / "secret")
    (inside / "epoch-4" / "packs" / f"{'0' * 64}.json").symlink_to(folder / "secret")
    os.mkfifo(inside / "epoch-4" / "times.jsonl")
    (inside / "epoch-5").mkdir()
    (inside / "epoch-5" / "evidence").symlink_to(folder)
    return inside


@pytest.fixture(scope="module")
def server(records: Path) -> Iterator[RecordServer]:
    server = RecordServer(records)
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    server.close()
    thread.join()


def asked(server: RecordServer, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.putrequest(method, path)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_every_file_of_a_record_is_served_and_the_index_names_it(server: RecordServer, records: Path) -> None:
    record = records / "epoch-2"
    names = [str(path.relative_to(record)) for path in record.rglob("*") if path.is_file() and path.name != "secret"]
    assert len(names) > 10
    for name in names:
        assert asked(server, f"/epoch-2/{name}") == (200, (record / name).read_bytes())
    digest = sha256((record / "manifest.json").read_bytes()).hexdigest()
    assert httpx.get(f"{server.url}/", trust_env=False).json() == {"epochs": [{"epoch": 2, "manifest": digest}]}
    assert httpx.get(f"{server.url}/epoch-2/", trust_env=False).json() == {"epoch": 2, "manifest": digest}
    head = httpx.head(f"{server.url}/epoch-2/manifest.json", trust_env=False)
    assert int(head.headers["content-length"]) == (record / "manifest.json").stat().st_size


@pytest.mark.parametrize(
    "path",
    [
        "/secret", "/../secret", "/epoch-2/../secret", "/epoch-2/secret", "/epoch-2/packs/../secret",
        "/epoch-2/packs/..%2f..%2fsecret", "/epoch-2/%73ecret", "/epoch-3/secret", "/epoch-3/seal.json",
        "/epoch-4/seal.json", f"/epoch-4/packs/{'0' * 64}.json", "/epoch-4/times.jsonl", "/epoch-4/",
        f"/epoch-5/evidence/{'0' * 64}", "/epoch-02/seal.json", "//secret", "/epoch-2//secret", "/epoch-2/packs",
        "/epoch-2/packs/", "http://127.0.0.1/secret", "/epoch-99999999999999999/seal.json", "/?x", "*",
        "/epoch-2/" + "a" * 60_000,
    ],
)  # fmt: skip
def test_no_path_leads_anywhere_else(server: RecordServer, path: str) -> None:
    status, body = asked(server, path)
    assert status in (404, 414)
    assert SECRET not in body


@given(some.text(alphabet="./%\\epoch-2packs0af\x00", max_size=40))
def test_only_names_of_a_records_files_match(name: str) -> None:
    found = FILE.fullmatch(name)
    assert found is None or (".." not in name and "\\" not in name and "\x00" not in name)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_it_is_read_only(server: RecordServer, method: str) -> None:
    assert asked(server, "/", method)[0] == 501


def test_a_crowd_is_told_to_come_again_and_the_server_lives(server: RecordServer) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(32)]
    try:
        late = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        assert late.recv(100).startswith(b"HTTP/1.1 503 ")
        late.close()
    finally:
        for one in idle:
            one.close()
    for _ in range(200):
        try:
            if asked(server, "/")[0] == 200:
                break
        except (OSError, http.client.HTTPException):
            continue
    assert asked(server, "/")[0] == 200


def test_an_address_or_a_folder_that_cannot_be_is_said(server: RecordServer, tmp_path: Path) -> None:
    for folder, port in ((tmp_path / "none", 0), (tmp_path, server.port)):
        with pytest.raises(InvalidInput):
            RecordServer(folder, "127.0.0.1", port)


def audit(*words: str) -> Result:
    return CliRunner().invoke(cli, ["audit", *words, "--library", str(golden.LIBRARY)], standalone_mode=False)


def test_a_published_record_is_audited_by_its_url_and_by_its_commitment(server: RecordServer) -> None:
    url = f"{server.url}/epoch-2"
    done = audit(url)
    assert (done.exception, done.return_value) == (None, 0)
    assert ": clean\n" in done.output
    digest = sha256((RECORD / "manifest.json").read_bytes()).hexdigest()
    assert audit(record_text(url, digest)).return_value == 0
    other = audit(record_text(url, "0" * 64))
    assert other.return_value == 1
    assert "RECORD_COMMITMENT" in other.output


def answering(files: dict[str, bytes | int]) -> httpx.MockTransport:
    """A server with these files, or statuses."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = files.get(request.url.path.removeprefix("/epoch-2/"), 404)
        if isinstance(found, int):
            return httpx.Response(found, headers={"Location": "http://127.0.0.1:1/"})
        return httpx.Response(200, stream=httpx.ByteStream(found))

    return httpx.MockTransport(answer)


def record_files() -> dict[str, bytes | int]:
    root = RECORD
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def failing(tmp_path: Path, changes: dict[str, bytes | int], bounds: Bounds | None = None) -> ClawbenchError:
    transport = answering({**record_files(), **changes})
    with pytest.raises(ClawbenchError) as raised:
        asyncio.run(fetched("http://there/epoch-2", tmp_path / "r", bounds=bounds, transport=transport))
    return raised.value


def test_what_a_stranger_sends_is_bounded(tmp_path: Path) -> None:
    assert failing(tmp_path, {"seal.json": b"x" * 4097}).code == "FILE_TOO_LARGE"
    assert failing(tmp_path, {}, Bounds(total_bytes=20_000)).code == "RECORD_TOO_LARGE"
    pack = next(name for name in record_files() if name.startswith("packs/"))
    assert failing(tmp_path, {pack: b"x" * 65_537}).code == "FILE_TOO_LARGE"


def test_a_server_that_never_answers_ends_in_a_sentence(tmp_path: Path) -> None:
    async def silent(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        return httpx.Response(200)

    for bounds in (Bounds(file_seconds=0.01), Bounds(seconds=0.01)):
        with pytest.raises(RecordUnavailable) as raised:
            asyncio.run(fetched("http://there", tmp_path, bounds=bounds, transport=httpx.MockTransport(silent)))
        assert raised.value.code == "RECORD_TIMEOUT"


@pytest.mark.parametrize("status", [301, 302, 307, 403, 429, 500])
def test_nothing_is_followed_and_a_servers_trouble_is_no_verdict(tmp_path: Path, status: int) -> None:
    error = failing(tmp_path, {"manifest.json": status})
    assert isinstance(error, RecordUnavailable)
    assert error.exit_status == 3


def test_what_is_missing_or_of_another_shape_is_left_to_the_audit(tmp_path: Path) -> None:
    trajectory = next(name for name in record_files() if name.endswith(".zst"))
    gone = asyncio.run(
        fetched("http://there/epoch-2/", tmp_path / "a", transport=answering({**record_files(), trajectory: 404}))
    )
    assert gone == (trajectory,)
    odd = {**record_files(), "manifest.json": b'{"schema":"no manifest"}'}
    asyncio.run(fetched("http://there/epoch-2", tmp_path / "b", transport=answering(odd)))
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["manifest.json", "seal.json", "times.jsonl"]
    for folder in ("a", "b"):
        assert audit(str(tmp_path / folder)).return_value == 1


@pytest.mark.parametrize(
    "url",
    ["ftp://a/epoch-1", "http://", "http://u:p@a/epoch-1", "http://a/epoch-1?x=1", "http://a/\x1b[2J", "http://a:99999/",
     "http://[", "http://a/" + "x" * 400],
)  # fmt: skip
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(RecordInvalid):
        record_url(url)
