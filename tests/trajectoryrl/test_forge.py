"""The forge answers as GitHub does: pushes by its own clock, pages, tags, renames; and keeps it all."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from trajectoryrl.errors import InvalidInput
from trajectoryrl.forge import Forge, ForgeServer

NOON = 1_780_000_000_000
ZERO = "0" * 40


@dataclass
class World:
    """A forge at a settable time, and a working folder."""

    server: ForgeServer
    folder: Path
    time: list[int]

    def git(self, *words: str) -> str:
        command = ["git", "-c", "user.name=m", "-c", "user.email=m@x", *words]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout.strip()

    def pushed(self, text: str, *refs: str, name: str = "alice/pack") -> str:
        """Commits this text, and pushes it to these refs a second after the last push."""
        (self.folder / "pack.json").write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", text, "--allow-empty")
        self.time[0] += 1000
        self.git("push", "-qf", f"{self.server.url}/{name}.git", *(f"HEAD:{ref}" for ref in refs or ("main",)))
        return self.git("rev-parse", "HEAD")

    def asked(self, path: str, **headers: str) -> httpx.Response:
        with httpx.Client(trust_env=False) as client:
            return client.get(f"{self.server.url}/api{path}", headers=headers)

    def ordered(self, verb: str, **body: str) -> httpx.Response:
        with httpx.Client(trust_env=False) as client:
            return client.post(f"{self.server.url}/admin/{verb}", json=body)

    def rows(self, path: str = "/repos/alice/pack/activity") -> list[dict[str, Any]]:
        answer = self.asked(path)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = [NOON]
    (tmp_path / "work").mkdir()
    with ForgeServer(Forge(tmp_path / "forge", lambda: clock[0])) as server:
        made = World(server, tmp_path / "work", clock)
        made.git("init", "-q", "-b", "main")
        yield made


def test_a_push_is_written_down_before_git_hears_of_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    forge, recorded = world.server.forge, Forge.record_push

    def slowly(*said: Any) -> None:
        time.sleep(0.3)
        recorded(forge, *said)

    monkeypatch.setattr(forge, "record_push", slowly)
    commit = world.pushed("1")
    kept = forge.found("alice/pack")
    assert kept is not None
    assert [row["after"] for row in kept.activity] == [commit]


def test_pushes_are_told_newest_first_with_the_servers_time(world: World) -> None:
    first = world.pushed("1")
    second = world.pushed("2", "main", "side")
    world.git("reset", "-q", "--hard", first)
    third = world.pushed("3")
    world.git("push", "-q", f"{world.server.url}/alice/pack.git", ":side")
    told = [(row["activity_type"], row["ref"], row["before"], row["after"]) for row in world.rows()]
    main, side = "refs/heads/main", "refs/heads/side"
    assert told == [
        ("branch_deletion", side, second, ZERO),
        ("force_push", main, second, third),
        ("branch_creation", side, ZERO, second),
        ("push", main, first, second),
        ("branch_creation", main, ZERO, first),
    ]
    rows = world.rows()
    assert rows[-1]["timestamp"] == "2026-05-28T20:26:41Z"
    assert [row["id"] for row in rows] == [5, 4, 3, 2, 1]
    assert {row["actor"]["login"] for row in rows} == {"alice"}
    assert [row["after"] for row in world.rows("/repos/alice/pack/activity?ref=side")] == [ZERO, second]
    assert world.rows("/repos/alice/pack/activity?ref=refs/heads/none") == []


def test_git_dates_decide_nothing(world: World) -> None:
    world.git("config", "user.useConfigOnly", "true")
    (world.folder / "pack.json").write_text("{}")
    world.git("add", "-A")
    world.git("commit", "-qm", "old", "--date=2000-01-01T00:00:00Z")
    world.git("push", "-q", f"{world.server.url}/alice/pack.git", "HEAD:main")
    assert world.rows()[0]["timestamp"] == "2026-05-28T20:26:40Z"


def test_pages_follow_each_other(world: World) -> None:
    for number in range(5):
        world.pushed(str(number))
    answer = world.asked("/repos/alice/pack/activity?per_page=2&ref=refs/heads/main")
    seen = [row["id"] for row in answer.json()]
    while "link" in answer.headers:
        following = answer.links["next"]["url"]
        answer = world.asked(following.removeprefix(f"{world.server.url}/api"))
        seen += [row["id"] for row in answer.json()]
    assert seen == [5, 4, 3, 2, 1]
    assert len(world.asked("/repos/alice/pack/activity?per_page=x&after=-1").json()) == 5


def test_events_tell_the_same(world: World) -> None:
    commit = world.pushed("1")
    (event,) = world.rows("/repos/alice/pack/events")
    assert (event["type"], event["payload"]["ref"], event["payload"]["head"]) == (
        "PushEvent",
        "refs/heads/main",
        commit,
    )
    assert event["created_at"] == world.rows()[0]["timestamp"]


def test_an_answer_that_did_not_change_is_not_sent_again(world: World) -> None:
    world.pushed("1")
    tag = world.asked("/repos/alice/pack/activity").headers["etag"]
    again = world.asked("/repos/alice/pack/activity", **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    world.pushed("2")
    assert world.asked("/repos/alice/pack/activity", **{"If-None-Match": tag}).status_code == 200


def test_a_repository_keeps_its_number_under_another_name(world: World) -> None:
    commit = world.pushed("1")
    about = world.asked("/repos/Alice/Pack").json()
    assert (about["full_name"], about["private"], about["default_branch"]) == ("alice/pack", False, "main")
    assert world.ordered("rename", repository="alice/pack", to="bob/moved").status_code == 200
    moved = world.asked("/repos/alice/pack/activity")
    assert moved.status_code == 301
    place = moved.headers["location"].removeprefix(f"{world.server.url}/api")
    assert place == f"/repositories/{about['id']}/activity"
    assert world.rows(place)[0]["after"] == commit
    assert world.asked(f"/repositories/{about['id']}").json()["full_name"] == "bob/moved"
    world.pushed("2")
    assert world.asked("/repos/alice/pack").json()["id"] != about["id"]


def test_private_and_deleted_repositories_are_not_there(world: World) -> None:
    world.pushed("1")
    number = world.asked("/repos/alice/pack").json()["id"]
    assert world.ordered("private", repository="alice/pack").status_code == 200
    assert world.asked("/repos/alice/pack").status_code == 404
    assert world.asked("/repos/alice/pack/activity").status_code == 404
    assert world.ordered("public", repository="alice/pack").status_code == 200
    assert len(world.rows()) == 1
    assert world.ordered("delete", repository="alice/pack").status_code == 200
    assert world.asked("/repos/alice/pack").status_code == 404
    world.pushed("2")
    assert world.asked("/repos/alice/pack").json()["id"] != number


def test_the_first_branch_is_the_default_one_until_another_is_chosen(world: World) -> None:
    world.pushed("1", "trunk", name="alice/other")
    assert world.asked("/repos/alice/other").json()["default_branch"] == "trunk"
    world.pushed("2", "main", name="alice/other")
    assert world.asked("/repos/alice/other").json()["default_branch"] == "trunk"
    assert world.ordered("branch", repository="alice/other", to="main").status_code == 200
    assert world.asked("/repos/alice/other").json()["default_branch"] == "main"
    assert world.ordered("branch", repository="alice/other", to="none").status_code == 422


def test_what_makes_no_sense_is_refused(world: World) -> None:
    world.pushed("1")
    for path in ("/", "/repos", "/repos/x", "/repos/no/such", "/repos/alice/pack/else", "/repositories/1"):
        assert world.asked(path).status_code == 404
    assert world.ordered("rename", repository="no/such", to="a/b").status_code == 422
    assert world.ordered("rename", repository="alice/pack", to="../x").status_code == 400
    assert world.ordered("dance", repository="alice/pack").status_code == 404
    assert world.ordered("rename").status_code == 400
    with pytest.raises(subprocess.CalledProcessError):
        world.git("push", "-q", f"{world.server.url}/-alice/pack.git", "HEAD:main")
    assert len(world.rows()) == 1


def test_a_page_in_a_browser_can_order_nothing(world: World) -> None:
    world.pushed("1")
    with httpx.Client(trust_env=False) as client:
        url, origin = f"{world.server.url}/admin/delete", {"Origin": "https://evil.example"}
        answer = client.post(url, content=json.dumps({"repository": "alice/pack"}), headers=origin)
    assert answer.status_code == 403
    assert len(world.rows()) == 1


def test_broken_bodies_are_refused(world: World) -> None:
    def sent(headers: dict[str, str], body: bytes) -> int:
        connection = http.client.HTTPConnection(urlsplit(world.server.url).netloc, timeout=10)
        connection.putrequest("POST", "/admin/delete")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        status = connection.getresponse().status
        connection.close()
        return status

    assert sent({"Transfer-Encoding": "chunked"}, b"zz\r\n") == 400
    assert sent({"Transfer-Encoding": "chunked"}, b"ffffffff\r\n") == 413
    assert sent({"Content-Length": "99999999999"}, b"") == 413
    assert sent({"Content-Length": "-1"}, b"") == 413
    assert sent({"Content-Length": "1"}, b"{") == 400


def test_a_forge_goes_on_where_it_stopped(world: World, tmp_path: Path) -> None:
    commit = world.pushed("1")
    world.ordered("rename", repository="alice/pack", to="alice/new")
    again = Forge(tmp_path / "forge")
    kept = again.found("alice/new")
    assert kept is not None
    assert again.moved("alice/pack") == kept.id
    assert [row["after"] for row in kept.activity] == [commit]
    assert again.refs(kept) == {"refs/heads/main": commit}


def test_a_folder_that_is_no_forges_is_said(tmp_path: Path) -> None:
    (tmp_path / "forge.json").write_text("{")
    with pytest.raises(InvalidInput, match="cannot be a forge's"):
        Forge(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot be a forge's"):
        Forge(tmp_path / "file")


def test_a_port_that_is_taken_is_said(world: World, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="choose another --port"):
        ForgeServer(Forge(tmp_path / "second"), urlsplit(world.server.url).port or 0)
