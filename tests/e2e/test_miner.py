"""A miner's commands as processes, against a chain and a forge that another process serves, with real git."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from trajectoryrl.chain import named_chain
from trajectoryrl.chain.keys import read_key

from .test_localnet import SCRIPT, running

AGENTS = "# Policy\n\nAsk before anything leaves the house.\n"
PACK = """schema_version: 1
metadata: {pack_name: mine, pack_version: 1.0.0, target_suite: clawbench_v1}
tool_policy: {deny: ["admin_*", shell]}
"""


@dataclass
class Miner:
    """A miner's folder and key, and the addresses of the network."""

    net: dict[str, Any]
    key: Path
    folder: Path
    more: tuple[str, ...] = ()

    def __call__(self, *words: str, key: Path | None = None) -> subprocess.CompletedProcess[str]:
        """``trajectoryrl miner WORDS``."""
        network = ("--chain", self.net["chain"], "--forge", self.net["forge"], "--key", str(key or self.key))
        return subprocess.run(
            [str(SCRIPT), "miner", *words, *network, *self.more],
            capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "COLUMNS": "80"},
        )  # fmt: skip

    def git(self, *words: str) -> None:
        who = ["-c", "user.name=m", "-c", "user.email=m@x"]
        subprocess.run(["git", "-C", str(self.folder), *who, *words], check=True, capture_output=True)

    def admin(self, verb: str, **said: str) -> None:
        """What a repository's owner does on the forge's pages."""
        answer = httpx.post(f"{self.net['forge']}/admin/{verb}", json=said, trust_env=False)
        assert answer.status_code == 200

    def published(self) -> tuple[str, str, str]:
        """Publishes; returns repository, commit and hash as they were printed."""
        done = self("publish", str(self.folder), "--repo", "me/pack")
        assert (done.returncode, done.stderr) == (0, "")
        told = dict(re.findall(r"^(\w+) +(.+)$", done.stdout, re.MULTILINE))
        assert told["next"] == f"trajectoryrl miner submit {told['pushed']} {told['commit']} {told['hash']}"
        return told["pushed"], told["commit"], told["hash"]


async def registered(name: str, hotkey: str) -> None:
    """Returns when a final block shows the registration: blocks come by the clock."""
    chain = await named_chain(name, 11)
    async with asyncio.timeout(30):
        while (await chain.metagraph(await chain.finalized())).by_hotkey(hotkey) is None:
            await asyncio.sleep(0.1)
    await chain.close()


@pytest.fixture
def miner(tmp_path: Path) -> Iterator[Miner]:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "AGENTS.md").write_text(AGENTS)
    (folder / "pack.yaml").write_text(PACK)
    with running(tmp_path / "net", "--validators", "1", "--miners", "2") as (_, net):
        asyncio.run(registered(net["chain"], read_key(tmp_path / "net" / "keys" / "miner-2.json").ss58_address))
        yield Miner(net, tmp_path / "net" / "keys" / "miner-1.json", folder)


def ended(done: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    """Exit status and, for what is no entry, the code."""
    assert "Traceback" not in done.stderr
    found = re.search(r"^(?:rejected|pending) +([A-Z_]+):", done.stdout, re.MULTILINE)
    return done.returncode, found[1] if found else ""


def test_a_folder_becomes_an_entry_and_every_misfortune_has_its_outcome(miner: Miner, tmp_path: Path) -> None:
    said = miner.published()
    pack = json.loads((miner.folder / "pack.json").read_text())
    assert pack["metadata"]["hotkey"] == read_key(miner.key).ss58_address
    assert miner.published() == said

    checked = miner("check", *said)
    assert ended(checked) == (0, "")
    assert "by its push" in checked.stdout
    assert ended(miner("check", said[0], said[1], "0" * 64)) == (1, "HASH_MISMATCH")
    stranger = miner("check", *said, key=miner.key.with_name("miner-2.json"))
    assert ended(stranger) == (1, "HOTKEY_MISMATCH")
    assert "publish with the key that submits" in stranger.stdout

    submitted = miner("submit", *said)
    assert ended(submitted) == (0, "")
    assert f"trl1:{said[0]}:" in submitted.stdout
    kept = Miner(miner.net, miner.key, miner.folder, ("--evidence", str(tmp_path / "evidence")))
    for _ in range(40):
        status = kept("status")
        if status.returncode != 2:
            break
    assert ended(status) == (0, ""), status.stderr
    names = re.findall(r"^evidence +([0-9a-f]{64})$", status.stdout, re.MULTILINE)
    assert len(names) == 2
    when = re.findall(r"its time is (\S+\s+\S+)", status.stdout)[0]
    assert all((tmp_path / "evidence" / "responses" / name[:2] / name).is_file() for name in names)

    miner.admin("rename", repository="me/pack", to="me/renamed")
    assert ended(miner("status")) == (0, "")
    assert "the repository is now me/renamed" in miner("status").stdout

    miner.git("commit", "-q", "--amend", "-m", "another")
    miner.git("push", "-qf", f"{miner.net['forge']}/me/renamed.git", "HEAD:main")
    assert ended(miner("status")) == (1, "NOT_ON_DEFAULT_BRANCH")
    miner.git("push", "-qf", f"{miner.net['forge']}/me/renamed.git", f"{said[1]}:main")
    back = miner("status")
    assert ended(back) == (0, "")
    assert re.findall(r"valid; its time is \S+\s+\S+", back.stdout) == ["valid; its time is " + when]

    miner.admin("delete", repository="me/renamed")
    assert ended(miner("status")) == (3, "REPOSITORY_GONE")
    seen = kept("status")
    assert ended(seen) == (0, "")
    assert "as it was seen before" in seen.stdout
    assert max(len(line) for done in (checked, stranger) for line in done.stdout.splitlines()) <= 80


def test_what_a_miner_gets_wrong_is_said_in_a_line(miner: Miner, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for words, code in {
        ("status",): "NOTHING_SUBMITTED",
        ("publish", str(empty), "--repo", "me/pack"): "PACK_",
        ("publish", str(miner.folder), "--repo", "https://evil.example/me/pack"): "REPOSITORY_NAME",
        ("check", "me/pack", "HEAD", "0" * 64): "COMMIT_FORMAT",
        ("submit", "--unchecked", "me/pack", "0" * 40, "xyz"): "HASH_FORMAT",
    }.items():
        done = miner(*words)
        assert (done.returncode, done.stdout) == (2, ""), (words, done.stdout, done.stderr)
        assert code in done.stderr
        assert "Traceback" not in done.stderr
    nobody = miner("check", "me/never", "0" * 40, "0" * 64)
    assert ended(nobody) == (3, "REPOSITORY_GONE")
    down = Miner({**miner.net, "forge": "http://127.0.0.1:9"}, miner.key, miner.folder)
    assert ended(down("check", "me/pack", "0" * 40, "0" * 64)) == (3, "GITHUB_UNAVAILABLE")
    push = down("publish", str(miner.folder), "--repo", "me/pack")
    assert (push.returncode, push.stdout) == (3, "")
    assert "GIT_PUSH" in push.stderr
    missing = subprocess.run(
        [str(SCRIPT), "miner", "publish", str(miner.folder), "--repo", "me/pack", "--key", str(miner.key)],
        capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "PATH": str(empty)},
    )  # fmt: skip
    assert (missing.returncode, missing.stdout) == (3, "")
    assert "GIT_MISSING" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_publishing_follows_no_link_and_overwrites_nobody(miner: Miner, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (miner.folder / "pack.json").symlink_to(victim)
    said = miner.published()
    assert victim.read_text() == "precious"
    assert ended(miner("check", *said)) == (0, "")
    other = Miner(miner.net, miner.key, tmp_path / "other")
    shutil.copytree(miner.folder, other.folder, ignore=shutil.ignore_patterns(".git"))
    (other.folder / "AGENTS.md").write_text("# Another\n\nAsk.\n")
    done = other("publish", str(other.folder), "--repo", "me/pack")
    assert (done.returncode, done.stdout) == (3, "")
    assert "pull them first" in done.stderr
    assert ended(miner("check", *said)) == (0, "")
