"""What is computed once per World and shared by all its runs: rendered lines, parsed times, names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import cached_property
from typing import TypeVar, cast

from ..world import Record, World

T = TypeVar("T")

_KEPT_WORLDS = 64


class WorldIndex:
    """A World's memory of its own renderings. Holds nothing that a run made."""

    def __init__(self, world: World) -> None:
        self.world = world
        groups = (
            world.mails,
            world.events,
            world.tasks,
            world.messages,
            world.channels,
            world.contacts,
            world.documents,
            world.pulls,
            world.flights,
            *world.searches.values(),
            tuple(world.pages.values()),
        )
        self._own = frozenset(id(record) for group in groups for record in group)
        self._memo: dict[tuple[int, Callable[[Record, World], object]], object] = {}

    @property
    def zone(self) -> tzinfo | None:
        """The persona's UTC offset."""
        return self.world.now.tzinfo

    def once(self, record: Record, build: Callable[[Record, World], T]) -> T:
        """``build(record, world)``, computed once for a record of the World and anew for a run's own record.

        Identity is safe as a key: the World keeps its records alive as long as this index lives.
        """
        key = (id(record), cast("Callable[[Record, World], object]", build))
        found = self._memo.get(key)
        if found is None:
            found = build(record, self.world)
            if key[0] in self._own:
                self._memo[key] = found
        return cast(T, found)

    @cached_property
    def memory(self) -> Mapping[str, str]:
        """Memory files by the path that agents know: ``memory/clients.md``, ``MEMORY.md``."""
        return {
            path if path.startswith("memory/") or path == "MEMORY.md" else f"memory/{path}": text
            for path, text in sorted(self.world.memory.items())
        }

    @cached_property
    def memory_lines(self) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
        """Each memory file as (path, its lines, its lines in lower case), MEMORY.md last."""
        paths = sorted(self.memory, key=lambda path: (path == "MEMORY.md", path))
        return tuple(
            (path, tuple(self.memory[path].split("\n")), tuple(self.memory[path].lower().split("\n"))) for path in paths
        )

    @cached_property
    def channel_names(self) -> Mapping[str, str]:
        """Every spelling of a channel, lower-cased and without ``#``, to its name ``#incidents``."""
        names: dict[str, str] = {}
        for record in self.world.messages:
            name = str(record.data.get("channel", ""))
            for spelling in (name, str(record.data.get("channelId") or "")):
                if name and spelling:
                    names.setdefault(spelling.lstrip("#").lower(), name)
        for record in self.world.channels:
            name = str(record.data.get("name", ""))
            for spelling in (name, str(record.data.get("id", ""))):
                if name and spelling:
                    names[spelling.lstrip("#").lower()] = name
        # policies write C_ENG where a public channel list says ch_eng
        for spelling, name in list(names.items()):
            if spelling.startswith("ch_"):
                names.setdefault("c_" + spelling[3:], name)
        return names

    @cached_property
    def channel_ids(self) -> Mapping[str, str]:
        """A channel's name to its id, where one is known."""
        ids = {
            str(record.data["channel"]): str(record.data["channelId"])
            for record in self.world.messages
            if record.data.get("channel") and record.data.get("channelId")
        }
        ids.update(
            (str(record.data["name"]), str(record.data["id"]))
            for record in self.world.channels
            if record.data.get("name") and record.data.get("id")
        )
        return ids

    @cached_property
    def people(self) -> Mapping[str, Record]:
        """Contacts by every name they go by, lower-cased: id, Slack id, e-mail, handle, full name."""
        people: dict[str, Record] = {}
        for record in self.world.contacts:
            data = record.data
            email = str(data.get("email") or "")
            for key in (
                data.get("name"),
                email.partition("@")[0],
                email,
                data.get("slack"),
                data.get("slack_id"),
            ):
                if key:
                    people.setdefault(str(key).lstrip("@").lower(), record)
            if data.get("id"):
                people[str(data["id"]).lower()] = record
        return people


_indexes: OrderedDict[int, WorldIndex] = OrderedDict()


def index_of(world: World) -> WorldIndex:
    """The index of ``world``; the most recent worlds keep theirs."""
    found = _indexes.get(id(world))
    if found is not None and found.world is world:
        return found
    found = WorldIndex(world)
    _indexes[id(world)] = found
    while len(_indexes) > _KEPT_WORLDS:
        _indexes.popitem(last=False)
    return found


def file_ref(path: str) -> str:
    """How evidence names a readable file: a memory file by its path, any other as ``file/PATH``."""
    return path if path.startswith("memory/") or path == "MEMORY.md" else f"file/{path}"
