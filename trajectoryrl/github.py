"""When a commit was pushed, by the server's clock: GitHub's activity API, then its events.

GitHub is a witness. What it said is archived raw at first sight and stays valid for ever. What it cannot say now (an
outage, a limit, an answer that makes no sense) is taken from the archive, else it is PENDING; it is no miner's fault.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from .archive import Archive
from .clock import Clock, SystemClock
from .errors import CommitmentInvalid
from .faults import reach
from .repository import Host, repository_named

if TYPE_CHECKING:
    import ssl

    import httpx

_MOST_BYTES = 2 << 20
_PAGES = 10
_EVENT_PAGES = 3
_CLIENTS = 4
_ATTEMPTS = 3
_LONGEST_WAIT = 20.0
_GONE_MINUTES = 30
_MOST_TAGGED = 32 << 20
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_NEXT = re.compile(r'<([^<>\s]{1,500})>;\s*rel="next"')


@dataclass(frozen=True, slots=True)
class Repository:
    """A public repository as the host names it now; ``id`` stays through renames and transfers.

    ``stale`` says why it is described from the archive, if it is.
    """

    id: int
    name: str
    default_branch: str
    evidence: tuple[str, ...]
    stale: str = ""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A push of the commit to the default branch: its time in milliseconds, ``None`` if the host shows no such row."""

    ms: int | None
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """The host could not tell; nobody's fault."""

    code: str
    message: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """What the host said counts against the repository's owner."""

    code: str
    message: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    """A response that was read whole: its status, headers and body, and its JSON when it is 200."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    value: Any = None


class _Trouble(Exception):
    """No answer worth reading; ``unknown`` says why."""

    def __init__(self, code: str, message: str, evidence: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.unknown = Unknown(code, message, evidence)


class _NoSuchPage(_Trouble):
    """The host does not have this page."""

    @property
    def page(self) -> int:
        """Which page it was, from 1."""
        return len(self.unknown.evidence) + 1


class Witness:
    """A host's API, asked politely: few connections, ETags, its own wishes about waiting. Close it.

    ``token`` is sent to this host only. ``archive`` keeps every response that proved something.
    """

    def __init__(
        self,
        host: Host,
        archive: Archive,
        *,
        token: str | None = None,
        clock: Clock | None = None,
        seconds: float = 10.0,
    ) -> None:
        import httpx

        self._host = host
        self._archive = archive
        self._clock = clock or SystemClock()
        headers = {"Accept": "application/vnd.github+json", "User-Agent": "trajectoryrl", "Accept-Encoding": "identity"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        limits = httpx.Limits(max_connections=8, max_keepalive_connections=4)
        self._clients = [
            httpx.AsyncClient(
                headers=headers, timeout=seconds, limits=limits, verify=_tls(), trust_env=False, follow_redirects=False
            )
            for _ in range(_CLIENTS)
        ]
        self._busy = [0] * _CLIENTS
        self._tags: dict[str, tuple[str, _Answer]] = {}
        self._tagged = 0
        self._seconds = seconds

    async def close(self) -> None:
        """Closes the connections."""
        await asyncio.gather(*(client.aclose() for client in self._clients))

    async def repository(self, name: str, bound_to: str) -> Repository | Unknown | Refused:
        """The public repository ``owner/repo``; its id is bound to ``bound_to`` (who submits it) at first sight.

        While the host is at fault, and at a first 404, it is what the archive says it was.
        """
        about = bound_name(bound_to, name)
        try:
            answer = await self._ask(f"{self._host.api}/repos/{name}")
            if answer.status == 301:
                place = answer.headers.get("location", "")
                if not re.fullmatch(re.escape(self._host.api) + r"/repositories/[0-9]{1,12}", place):
                    raise _Trouble("GITHUB_REDIRECT", "the host redirects somewhere else than to a repository's number")
                answer = await self._ask(place)
            if answer.status in (404, 410):
                return self._gone(answer, name, about)
            if answer.status == 451:
                said = "the host does not show the repository for legal reasons"
                return Unknown("REPOSITORY_BLOCKED", said, (self._archive.keep(answer.raw),))
            return self._repository_of(answer, name, about)
        except _Trouble as trouble:
            return self._seen(about, trouble.unknown)

    def _gone(self, answer: _Answer, name: str, about: str) -> Repository | Unknown:
        evidence = (self._archive.keep(answer.raw),)
        first = self._archive.establish("gone", about, {"ms": self._clock.now_ms()})
        minutes = (self._clock.now_ms() - int(first["ms"])) // 60_000
        said = f"there is no public repository {name} (for {minutes} min)"
        if minutes >= _GONE_MINUTES:
            return Unknown("REPOSITORY_NOT_PUBLIC", said, evidence)
        return self._seen(about, Unknown("REPOSITORY_GONE", said, evidence))

    def _seen(self, about: str, why: Unknown) -> Repository | Unknown:
        """The repository as it was last seen; ``why`` if it never was."""
        seen = self._archive.fact("seen", about)
        if seen is None:
            return why
        return Repository(
            int(seen["id"]), str(seen["name"]), str(seen["default_branch"]), tuple(seen["evidence"]), why.message
        )

    def _repository_of(self, answer: _Answer, name: str, about: str) -> Repository | Unknown | Refused:
        said = answer.value
        if answer.status != 200 or not isinstance(said, dict):
            raise _Trouble("GITHUB_ANSWER", f"status {answer.status} says nothing about {name}")
        number, called, branch = said.get("id"), said.get("full_name"), said.get("default_branch")
        evidence = (self._archive.keep(answer.raw),)
        if type(number) is not int or not isinstance(called, str) or not isinstance(branch, str):
            raise _Trouble("GITHUB_ANSWER", f"the answer about {name} lacks what it should say", evidence)
        if said.get("private") is True:
            return Unknown("REPOSITORY_NOT_PUBLIC", f"{name} is private: the world cannot see it", evidence)
        try:
            called = repository_named(called)
        except CommitmentInvalid:
            raise _Trouble("GITHUB_ANSWER", f"the host calls {name} by an impossible name", evidence) from None
        bound = self._archive.establish("repository", about, {"id": number})
        if bound["id"] != number:
            message = f"{name} is another repository (number {number}) than it was (number {bound['id']})"
            return Refused("REPOSITORY_REPLACED", message, evidence)
        self._archive.forget("gone", about)
        self._archive.replace(
            "seen", about, {"id": number, "name": called, "default_branch": branch, "evidence": list(evidence)}
        )
        return Repository(number, called, branch, evidence)

    async def pushed(self, repository: Repository, commit: str) -> Pushed | Unknown:
        """The earliest push whose tip is ``commit`` on the default branch."""
        about = f"{repository.id}:{commit}"
        known = self._archive.fact("push", about)
        if known is not None:
            return Pushed(int(known["ms"]), tuple(known["evidence"]))
        ref = f"refs/heads/{repository.default_branch}"
        base = f"{self._host.api}/repos/{repository.name}"
        evidence: tuple[str, ...] = ()
        shown = True
        try:
            try:
                rows, evidence = await self._rows(f"{base}/activity", {"per_page": "100", "ref": ref}, _PAGES)
                seen = [
                    (row.get("timestamp"), page)
                    for row, page in rows
                    if row.get("after") == commit and row.get("ref") == ref
                ]
            except _NoSuchPage as missing:
                if missing.page > 1:
                    raise
                seen, shown = [], False
            if not seen:
                events, more = await self._rows(f"{base}/events", {"per_page": "100"}, _EVENT_PAGES)
                evidence += more
                seen = [(row.get("created_at"), page) for row, page in events if _pushes(row, ref, commit)]
            if not seen and not shown:
                raise _Trouble("GITHUB_ANSWER", "the host shows no activity of the repository", evidence)
            found = [(ms, page) for ms, page in ((_ms(text), page) for text, page in seen) if ms is not None]
            if len(found) < len(seen):
                raise _Trouble("GITHUB_ANSWER", "the host gives a push no time that can be read", evidence)
        except _Trouble as trouble:
            return trouble.unknown
        if not found:
            return Pushed(None, evidence)
        # The branch's name at that time belongs to the proof: the default branch may be another one later. Other pages
        # do not: a repository that is pushed to all day, even this commit, must not fill the disk for good.
        ms, page = min(found)
        proof = all_of([repository.evidence, (page,)])
        fact = self._archive.establish("push", about, {"ms": ms, "evidence": list(proof)})
        return Pushed(int(fact["ms"]), tuple(fact["evidence"]))

    def keep_file(self, repository: Repository, commit: str, raw: bytes, dates: Sequence[int]) -> None:
        """Keeps the file of a commit that was read from the repository, and git's date; it can never be another."""
        fact = {"sha256": self._archive.keep(raw), "committer": list(dates[:1])}
        self._archive.establish("file", f"{repository.id}:{commit}", fact)

    def git_date(self, repository: Repository, commit: str) -> int | None:
        """Git's own date of a commit whose file was kept, in milliseconds; it is worth nothing."""
        fact = self._archive.fact("file", f"{repository.id}:{commit}")
        return next((int(seconds) * 1000 for seconds in fact.get("committer", [])), None) if fact else None

    def kept_file(self, repository: Repository, commit: str) -> bytes | None:
        """The file that was read before, if it was."""
        fact = self._archive.fact("file", f"{repository.id}:{commit}")
        return self._archive.response(str(fact["sha256"])) if fact else None

    async def _rows(
        self, url: str, query: Mapping[str, str], pages: int
    ) -> tuple[list[tuple[dict[str, Any], str]], tuple[str, ...]]:
        """The rows of up to so many pages, each with the sha256 of its page, and all of these."""
        from urllib.parse import urlencode

        rows: list[tuple[dict[str, Any], str]] = []
        evidence: list[str] = []
        following: str | None = f"{url}?{urlencode(query)}"
        while following is not None and len(evidence) < pages:
            answer = await self._ask(following)
            if answer.status != 200 or not isinstance(answer.value, list):
                said = f"status {answer.status} on page {len(evidence) + 1} of what was pushed"
                kind = _NoSuchPage if answer.status in (404, 410, 422) else _Trouble
                raise kind("GITHUB_ANSWER", said, tuple(evidence))
            evidence.append(self._archive.keep(answer.raw))
            rows += [(row, evidence[-1]) for row in answer.value if isinstance(row, dict)]
            found = _NEXT.search(answer.headers.get("link", ""))
            following = found[1] if found and found[1].startswith(f"{self._host.api}/") else None
        return rows, tuple(evidence)

    async def _ask(self, url: str) -> _Answer:
        """One question, repeated as the host wishes; ``_Trouble`` when it gives no usable answer."""
        from tenacity import AsyncRetrying, RetryError, retry_if_result, stop_after_attempt

        retrying = AsyncRetrying(
            sleep=self._clock.sleep,
            stop=stop_after_attempt(_ATTEMPTS),
            wait=lambda state: state.outcome.result()[1] if state.outcome else 1.0,
            retry=retry_if_result(lambda result: result[0] is None),
        )
        try:
            answer: _Answer | None = (await retrying(self._tried, url))[0]
        except RetryError as error:
            trouble: _Trouble = error.last_attempt.result()[2]
            raise trouble from None
        assert answer is not None
        return answer

    async def _tried(self, url: str) -> tuple[_Answer | None, float, _Trouble | None]:
        """An answer to use; or none, the seconds to wait before the next try, and what to say if there is none."""
        try:
            answer = await self._once(url)
        except _Trouble as failed:
            return None, 1.0, failed
        if answer.status in (200, 301, 404, 410, 422, 451):
            return answer, 0.0, None
        wait = _wanted_wait(answer.headers, self._clock.now_ms() // 1000)
        limited = answer.status == 429 or (
            answer.status == 403
            and (
                answer.headers.get("x-ratelimit-remaining") == "0"
                or "retry-after" in answer.headers
                or b"rate limit" in answer.raw[:4000].lower()
            )
        )
        if limited:
            trouble = _Trouble("GITHUB_RATE_LIMITED", "the host limits our requests: set GITHUB_TOKEN")
        elif answer.status in (401, 403):
            trouble = _Trouble("GITHUB_REFUSED", f"the host refuses us (status {answer.status}): check GITHUB_TOKEN")
        else:
            trouble = _Trouble("GITHUB_UNAVAILABLE", f"the host answered with status {answer.status}")
        if (answer.status in (401, 403) and not limited) or wait > _LONGEST_WAIT:
            raise trouble
        return None, wait, trouble

    async def _once(self, url: str) -> _Answer:
        import httpx

        reach("forge.ask.before")
        number = min(range(_CLIENTS), key=self._busy.__getitem__)
        self._busy[number] += 1
        tag = self._tags.get(url)
        headers = {"If-None-Match": tag[0]} if tag else {}
        try:
            async with (
                asyncio.timeout(self._seconds * 2),
                self._clients[number].stream("GET", url, headers=headers) as response,
            ):
                raw = await _bounded(response)
                answer = _Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, raw)
        except TimeoutError:
            raise _Trouble("GITHUB_UNAVAILABLE", "the host did not answer in time") from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as why:
            raise _Trouble("GITHUB_UNAVAILABLE", f"the host cannot be reached: {type(why).__name__}") from None
        finally:
            self._busy[number] -= 1
        reach("forge.ask.after")
        if answer.status == 304:
            if tag is None:
                raise _Trouble("GITHUB_UNAVAILABLE", "the host says that nothing changed, and we never asked")
            return tag[1]
        if answer.status != 200:
            return answer
        try:
            answer = _Answer(200, answer.headers, raw, orjson.loads(raw))
        except orjson.JSONDecodeError:
            raise _Trouble("GITHUB_UNAVAILABLE", "the host's answer is no JSON") from None
        self._remember(url, answer)
        return answer

    def _remember(self, url: str, answer: _Answer) -> None:
        """Keeps an answer to ask only whether it has changed; the oldest ones are forgotten."""
        etag = answer.headers.get("etag", "")
        old = self._tags.pop(url, None)
        self._tagged -= len(old[1].raw) if old else 0
        if not 0 < len(etag) < 200:
            return
        self._tags[url] = (etag, answer)
        self._tagged += len(answer.raw)
        while self._tagged > _MOST_TAGGED or len(self._tags) > 4096:
            self._tagged -= len(self._tags.pop(next(iter(self._tags)))[1].raw)


def bound_name(hotkey: str, repository: str) -> str:
    """What the archive's facts about a hotkey's repository are about; those about a commit end in ``:COMMIT``."""
    return f"{hotkey}:{repository.lower()}"


@cache
def _tls() -> ssl.SSLContext:
    """The certificates that every client trusts, read once."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


async def _bounded(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _Trouble("GITHUB_UNAVAILABLE", "the host's answer is compressed, which was not asked for")
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > _MOST_BYTES:
            raise _Trouble("GITHUB_UNAVAILABLE", f"the host's answer has more than {_MOST_BYTES:,} bytes")
        parts.append(part)
    return b"".join(parts)


def _wanted_wait(headers: Mapping[str, str], now: int) -> float:
    """Seconds that the host asks us to wait, else one."""
    said = headers.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,8}", said):
        return float(said)
    if said:
        try:
            return max(0.0, parsedate_to_datetime(said).timestamp() - now)
        except (ValueError, TypeError, OverflowError):
            return 1.0
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and re.fullmatch(r"[0-9]{1,12}", reset):
        return max(1.0, float(int(reset) - now))
    return 1.0


def pushed_in(bodies: Iterable[bytes], commit: str) -> int | None:
    """When ``commit`` was pushed to the default branch, by archived responses alone; ``None`` if they don't tell."""
    values = []
    for body in bodies:
        try:
            values.append(orjson.loads(body))
        except orjson.JSONDecodeError:
            continue
    named = [value.get("default_branch") for value in values if isinstance(value, dict)]
    refs = {f"refs/heads/{branch}" for branch in named if isinstance(branch, str)}
    rows = [row for value in values if isinstance(value, list) for row in value if isinstance(row, dict)]
    active = [_ms(row.get("timestamp")) for row in rows if row.get("after") == commit and row.get("ref") in refs]
    events = [_ms(row.get("created_at")) for row in rows if any(_pushes(row, ref, commit) for ref in refs)]
    found = [ms for ms in active or events if ms is not None]
    return min(found, default=None)


def _ms(text: object) -> int | None:
    """Milliseconds since 1970 of an ISO time, or ``None``."""
    found = _TIME.fullmatch(text) if isinstance(text, str) and len(text) < 64 else None
    if found is None:
        return None
    try:
        moment = datetime(*(int(found[part]) for part in range(1, 7)), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    ms = int(moment.timestamp()) * 1000 + int((found[7] or "0").ljust(3, "0")[:3])
    if found[8] != "Z":
        hours, minutes = int(found[8][1:3]), int(found[8][4:6])
        ms -= (1 if found[8][0] == "+" else -1) * (hours * 60 + minutes) * 60_000
    return ms


def _pushes(row: Mapping[str, Any], ref: str, commit: str) -> bool:
    payload = row.get("payload")
    if row.get("type") != "PushEvent" or not isinstance(payload, dict):
        return False
    return payload.get("ref") == ref and payload.get("head") == commit


def all_of(parts: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Evidence of several steps, each piece once."""
    return tuple(dict.fromkeys(name for part in parts for name in part))
