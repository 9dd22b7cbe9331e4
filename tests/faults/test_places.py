"""Whatever writes or asks in a validator's epoch has a point before and after it."""

from __future__ import annotations

import ast

from trajectoryrl.faults import POINTS

from .places import AROUND, ELSEWHERE
from .writing import ROOT, _in, writing


def test_every_function_that_writes_or_asks_has_points() -> None:
    bare = {
        f"{module}:{function}"
        for module, functions in writing().items()
        for function, reaches in functions.items()
        if module not in ELSEWHERE and not reaches
    }
    assert bare == set(AROUND), "name a point there, or say in places.py which are around it"


def test_what_is_said_of_places_names_what_there_is() -> None:
    assert {point for points in AROUND.values() for point in points} <= set(POINTS)
    assert all((ROOT / module).is_file() for module in ELSEWHERE)
    assert set(ELSEWHERE) <= set(writing())


def test_writes_are_found_by_their_syntax() -> None:
    text = """
def bare(): os.replace(part, place)
def named():
    reach("a.b")
    with place.open("wb") as file:
        file.write(body)
class Kept:
    async def threaded(self): await asyncio.to_thread(shutil.rmtree, old)
    def moved(self): part.replace(place)
    def text(self): return said.replace("a", "b")
    def read(self): return place.open("rb"), os.open(place, os.O_RDONLY)
    def lock(self):
        def inner(): return os.open(path, os.O_RDWR | os.O_CREAT)
        return inner
"""
    found = {"bare": False, "named": True, "Kept.threaded": False, "Kept.moved": False, "Kept.lock.inner": False}
    assert dict(_in(ast.parse(text), "")) == found
