"""A validator's outside by luck: GitHub behind its API and its git, and a provider behind its model."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx
import orjson

from clawbench.draws import draw
from clawbench.errors import ModelUnavailable
from clawbench.models.faults import AttemptFailed, bad_reply, disconnected, failure_of, timed_out, too_large
from clawbench.models.protocol import Reply, Request, ToolCall, Usage
from trajectoryrl.errors import RepositoryUnavailable

from .world import Luck

API = "https://api.github.com"
GITHUB_FAULTS = (
    *("304", "401", "403", "404", "422", "429", "451", "500", "502"),
    *("secondary limit", "limit", "half an answer", "slow", "disconnected"),
)
UNFETCHED = ("HOST_UNREACHABLE", "REPOSITORY_TIMEOUT", "FETCH_FAILED", "REPOSITORY_GONE")
_REFUSALS: tuple[tuple[int, Mapping[str, str], bytes], ...] = (
    (400, {}, b'{"error": {"message": "bad schema for tool slack"}}'),
    (401, {}, b"{}"),
    (402, {}, b'{"error": {"code": "insufficient_quota"}}'),
    (403, {}, b"{}"),
    (408, {}, b""),
    (413, {}, b"<html>too large</html>"),
    (429, {"retry-after": "7"}, b"{}"),
    (429, {}, b""),
    (500, {}, b"oops"),
    (502, {}, b"<html></html>"),
    (503, {}, b""),
    (529, {}, b"{}"),
)
_ASKED = re.compile(r"^Report: (.*)$", re.MULTILINE)
_VALUES = re.compile(r"berth (\d+), crane (\d+), tide (\d+)")


def _dealt(luck: Luck, label: str, n: int) -> int:
    """One of ``n`` kinds, each in its turn, so that a small world meets them all; luck says which one is first."""
    number = luck.asked[label]
    luck.asked[label] += 1
    return (draw(luck.seed, label, n) + number) % n


@dataclass(frozen=True)
class Repository:
    """A repository that everybody sees: its number, its one commit, what that holds, when it was pushed."""

    number: int
    name: str
    commit: str
    file: bytes
    pushed_ms: int
    flaky: bool = False


@dataclass
class GitHub:
    """GitHub as one validator sees it; ``trouble`` is the percentage of answers that are none, ``met`` counts those."""

    repositories: Mapping[str, Repository]
    luck: Luck
    trouble: int
    met: Counter[str]

    def client(self, real: type[httpx.AsyncClient]) -> Callable[..., httpx.AsyncClient]:
        """What makes clients that reach this GitHub and nothing else."""
        return lambda **given: real(headers=given.get("headers"), transport=httpx.MockTransport(self._answer))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self.luck.draw("api:ms", 700) / 1000)
        parts = request.url.path.strip("/").split("/")
        if parts[0] == "repositories":
            found = next((one for one in self.repositories.values() if str(one.number) == parts[1]), None)
        else:
            found = self.repositories.get("/".join(parts[1:3]))
        if found is None:
            return _said(404, {"message": "Not Found"})
        fault = self._fault(found, request)
        if fault is not None:
            return await fault if asyncio.iscoroutine(fault) else fault
        tag = sha256(request.url.path.encode()).hexdigest()[:16]
        if request.headers.get("if-none-match") == tag:
            return httpx.Response(304, stream=httpx.ByteStream(b""))
        if parts[-1] == "activity":
            return _said(200, [self._push(found)], tag)
        if parts[-1] == "events":
            return _said(200, [], tag)
        if parts[0] == "repos" and self.luck.strikes(f"renamed:{found.name}", self.trouble):
            self.met["GitHub: 301"] += 1
            return _said(301, {}, location=f"{API}/repositories/{found.number}")
        about = {"id": found.number, "full_name": found.name, "default_branch": "main", "private": False}
        return _said(200, about, tag)

    def _push(self, found: Repository) -> dict[str, str]:
        when = datetime.fromtimestamp(found.pushed_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"after": found.commit, "ref": "refs/heads/main", "timestamp": when, "activity_type": "push"}

    def _fault(self, found: Repository, request: httpx.Request) -> Any:
        luck = self.luck
        if not luck.strikes(f"api:{found.name}", 85 if found.flaky and self.trouble else self.trouble):
            return None
        kind = GITHUB_FAULTS[_dealt(luck, "api:how", len(GITHUB_FAULTS))]
        self.met[f"GitHub: {kind}"] += 1
        if kind.isdigit():
            return _said(int(kind), {"message": "no"})
        if kind == "secondary limit":
            return _said(403, {"message": "You have exceeded a secondary rate limit"}, **{"retry-after": "9"})
        if kind == "limit":
            return _said(403, {}, **{"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999999"})
        if kind == "half an answer":
            return httpx.Response(200, stream=httpx.ByteStream(b'{"id": 7, "full_na'))
        if kind == "slow":
            return _slow(request)
        raise httpx.ReadError("the connection broke", request=request)

    async def fetched(self, name: str, known: bytes | None, dated: Callable[[int], None]) -> bytes:
        """The pack of a repository by git. Raises RepositoryUnavailable."""
        await asyncio.sleep(self.luck.draw("git:ms", 4000) / 1000)
        if self.luck.strikes(f"git:{name}", self.trouble):
            code = UNFETCHED[_dealt(self.luck, "git:how", len(UNFETCHED))]
            self.met[f"git: {code}"] += 1
            raise RepositoryUnavailable.of(code, "git got nothing", name)
        found = self.repositories.get(name)
        if found is None:
            raise RepositoryUnavailable.of("REPOSITORY_GONE", "there is no such repository", name)
        dated(found.pushed_ms // 1000 - 60)
        return known if known is not None else found.file


async def _slow(request: httpx.Request) -> httpx.Response:
    await asyncio.sleep(10**6)
    raise httpx.ReadTimeout("never", request=request)


def _said(status: int, value: object, tag: str = "", **headers: str) -> httpx.Response:
    given = {**headers, **({"etag": tag} if tag else {})}
    return httpx.Response(status, headers=given, stream=httpx.ByteStream(orjson.dumps(value)))


def _failures() -> list[AttemptFailed]:
    """One of each fault of a provider that ends an attempt."""
    found = [failure_of(*refusal) for refusal in _REFUSALS]
    found += [timed_out(60), disconnected(ConnectionResetError()), bad_reply("half of it is missing"), too_large()]
    return [one for one in found if isinstance(one, AttemptFailed)]


FAILURES = _failures()


@dataclass
class Scripted:
    """A model that does what a pack's ``Report:`` line says, and whose provider is in trouble.

    Its words depend on the content and the run's seed alone: validators differ only in what their provider refused.
    """

    luck: Luck
    trouble: int
    met: Counter[str]
    _down: float = field(default=0.0)

    name = "scripted"
    version = "1"
    simulated = True
    provider = ""
    hangs = False
    settings: Mapping[str, str] = field(default_factory=dict)

    async def reply(self, request: Request) -> Reply:
        """A call, then the answer. Raises ModelUnavailable, or never answers."""
        await asyncio.sleep(self.luck.draw("model:ms", 1500) / 1000)
        wanted = _wanted(str(request.messages[0]["content"]))
        await self._trouble()
        if "provoke" in wanted and self.hangs:
            await asyncio.sleep(10**6)
        if "provoke" in wanted:
            raise ModelUnavailable.of("MODEL_SERVER", "HTTP 500, the provider has failed")
        if "refuse" in wanted and draw(_policy(request), "refused", 3):
            return Reply(text="No.", finish="refusal", usage=Usage(300, 3))
        if request.turn == 0:
            action = {"action": "readMessages", "channelId": "#harbour"}
            if "post" in wanted:
                action = {"action": "sendMessage", "to": "#harbour", "content": "hello"}
            return Reply(
                calls=(ToolCall("c", "slack", orjson.dumps(action).decode()),), usage=Usage(600, 20), finish="calls"
            )
        return Reply(text=_answer(request, wanted), usage=Usage(900, 40))

    async def _trouble(self) -> None:
        now = asyncio.get_running_loop().time()
        if self.trouble and self.luck.strikes("model:outage", 1) and self.luck.strikes("model:long", self.trouble):
            self._down = now + 20 + self.luck.draw("model:down", 400)
        if now >= self._down and self.luck.draw("model:fault", 1000) >= self.trouble * 2:
            return
        how = _dealt(self.luck, "model:how", len(FAILURES) + 1)
        if how == len(FAILURES):
            self.met["model: never answers"] += 1
            await asyncio.sleep(10**6)
        self.met[f"model: {FAILURES[how].code}"] += 1
        raise ModelUnavailable.of(FAILURES[how].code, FAILURES[how].said)


def _wanted(system: str) -> tuple[str, ...]:
    found = _ASKED.search(system)
    return tuple(found[1].split()) if found else ()


def _policy(request: Request) -> str:
    """What a run's words may depend on: what the agent sees, and the run's seed."""
    return f"{sha256(str(request.messages[0]['content']).encode()).hexdigest()}:{request.seed}"


def _answer(request: Request, wanted: tuple[str, ...]) -> str:
    """The values that the policy asks for; in one run of four the last one is forgotten."""
    found = _VALUES.search(str(request.messages[-1]["content"]))
    if found is None:
        return "I saw nothing."
    names = [name for name in ("berth", "crane", "tide") if name in wanted]
    if len(names) > 1 and not draw(_policy(request), "forgets", 4):
        names = names[:-1]
    values = dict(zip(("berth", "crane", "tide"), found.groups(), strict=True))
    return "".join(f"- {name}: {values[name]}\n" for name in names) or "Nothing to report."
