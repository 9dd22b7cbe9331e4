"""Reading everything that the sandbox offers, in three turns and few calls, with no idea what for."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .conversation import Act, Call, Seen

_MAIL_ID = re.compile(r'"id": "?([\w.-]+)"?,\s+"(?:sender|from)"')
_PAGE_ID = re.compile(r'"id": "([\w.-]+)",\s+"title"')
_CHANNEL_ID = re.compile(r'"id": "([\w.-]+)",\s+"name": "#')
_CHANNEL = re.compile(r'"channel": "(#[\w.-]+)"')
_PULL = re.compile(r"^#?(\d+)\t", re.MULTILINE)
_URL = re.compile(r'"url": "(https?://[^"]+)"')
_PATH = re.compile(r"^[\w.-]+\.md$", re.MULTILINE)
_NOTION = "https://api.notion.com/v1"
_FOLDERS = ("Sent", "Archive", "Drafts", "Spam", "Trash")
_MOST_CHANNELS = 12
_MOST_PAGES = 5


@dataclass(frozen=True, slots=True)
class Reader:
    """Lists everything, opens everything listed.

    ``tools`` are those it may use, ``typed`` are texts to print with a harmless command on the way.
    """

    tools: frozenset[str]
    typed: tuple[str, ...] = ()

    @property
    def acts(self) -> tuple[Act, ...]:
        """The three turns."""
        return (self.listing, self.opening, self.rest)

    def listing(self, seen: Seen) -> Sequence[Call]:
        """Lists of mails, channels, appointments, tasks, notes."""
        words = " ".join(re.findall(r"\w{4,}", seen.request)[:40]) or "notes"
        calls: list[Call] = [
            ("exec", {"command": "himalaya envelope list --page-size 500"}),
            ("exec", {"command": "; ".join(_lists())}),
            ("slack", {"action": "listChannels"}),
            ("memory_search", {"query": words, "maxResults": 50}),
            ("web_search", {"query": words[:200]}),
        ]
        if self.typed:
            calls.append(("exec", {"command": "; ".join(f"echo {shlex.quote(text)}" for text in self.typed)}))
        return self._offered(calls)

    def opening(self, seen: Seen) -> Sequence[Call]:
        """Every mail, channel, task and note that was listed."""
        listed = "\n".join(shown.text for shown in seen.calls)
        mails = dict.fromkeys(_MAIL_ID.findall(listed))
        tasks = [found for found in dict.fromkeys(_PAGE_ID.findall(listed)) if found not in mails]
        channels = list(dict.fromkeys([*_CHANNEL_ID.findall(listed), *_CHANNEL.findall(listed)]))
        details = [f"curl -s {_NOTION}/blocks/{found}/children" for found in tasks]
        details += [f"gh pr view {number} --comments" for number in dict.fromkeys(_PULL.findall(listed))]
        details += [f"cat memory/{shlex.quote(name)}" for name in dict.fromkeys(_PATH.findall(listed))]
        calls: list[Call] = [
            ("exec", {"command": _read(mails)}),
            ("exec", {"command": "; ".join(details[:120])}),
            *(
                ("slack", {"action": "readMessages", "channelId": channel, "limit": 200})
                for channel in channels[:_MOST_CHANNELS]
            ),
            *(("web_fetch", {"url": url}) for url in list(dict.fromkeys(_URL.findall(listed)))[:_MOST_PAGES]),
        ]
        return self._offered(calls)

    def rest(self, seen: Seen) -> Sequence[Call]:
        """Mails of other folders, if there are any."""
        opened = {found for shown in seen.turns[1] for found in re.findall(r"read ([\w.-]+)", shown.arguments)}
        listed = seen.turns[0][1].text if len(seen.turns[0]) > 1 else ""
        left = [found for found in dict.fromkeys(_MAIL_ID.findall(listed)) if found not in opened]
        return self._offered([("exec", {"command": _read(left)})])

    def _offered(self, calls: Sequence[Call]) -> list[Call]:
        return [(tool, said) for tool, said in calls if tool in self.tools and said.get("command") != ""]


def _lists() -> list[str]:
    folders = [f"himalaya envelope list --folder {folder} --page-size 100" for folder in _FOLDERS]
    return [
        *folders,
        "gcalcli agenda 2025-12-01 2027-01-31",
        f"curl -s -X POST {_NOTION}/databases/tasks/query",
        f"curl -s -X POST {_NOTION}/databases/documents/query",
        f"curl -s {_NOTION}/users",
        "gh pr list --state all",
        "gh issue list --state all",
        "ls memory",
        "cat MEMORY.md USER.md",
    ]


def _read(ids: Iterable[str]) -> str:
    return "; ".join([f"himalaya message read {found}" for found in ids][:100])
