"""An epoch that has its award is not evaluated anew, however well the provider answers by then."""

from __future__ import annotations

from pathlib import Path

from clawbench.errors import ModelUnavailable
from clawbench.models.offline import OfflineModel
from clawbench.models.protocol import Reply, Request
from tests.golden import LIBRARY, inputs, parameters
from tests.simulation.timing import VirtualClock, lived
from trajectoryrl.decision import competing
from trajectoryrl.epoch import plan
from trajectoryrl.ledger import Ledger
from trajectoryrl.ports import Runs

PLAN = plan(11, 4, "4" * 64, parameters())


class Provider(OfflineModel):
    down = True
    asked = 0

    async def reply(self, request: Request) -> Reply:
        self.asked += 1
        if self.down:
            raise ModelUnavailable.of("MODEL_OVERLOADED", "HTTP 529, the provider is overloaded")
        return await super().reply(request)


def test_what_was_undecided_at_the_award_stays_so(tmp_path: Path) -> None:
    entries = competing(inputs(PLAN)[0], PLAN)[0]
    model = Provider()

    async def lives() -> None:
        with Ledger(tmp_path / "ledger.db", inline=True) as ledger:
            runs = Runs(model, parameters(), LIBRARY, tmp_path / "runs", ledger, VirtualClock(), concurrency=1)
            found, keep = await runs(PLAN, entries)
            assert keep
            assert {attempt.place is None for row in found for one in row.scenarios for attempt in one.attempts} == {
                True,
                False,
            }, "some were not begun, for the provider was known to be down"
            await ledger.award(PLAN.number, {"winner": None, "keep": keep})
            model.down, asked = False, model.asked
            again, _ = await runs(PLAN, entries)
            assert list(again) == list(found)
            assert model.asked == asked

    lived(lives())


def test_what_was_decided_is_taken_as_it_is(tmp_path: Path) -> None:
    entries = competing(inputs(PLAN)[0], PLAN)[0]
    model = Provider()
    model.down = False

    async def lives() -> None:
        with Ledger(tmp_path / "ledger.db", inline=True) as ledger:
            runs = Runs(model, parameters(), LIBRARY, tmp_path / "runs", ledger, VirtualClock())
            found, keep = await runs(PLAN, entries)
            await ledger.award(PLAN.number, {"winner": None, "keep": keep})
            model.down = True
            assert await runs(PLAN, entries) == (found, "")
            assert all(row.score is not None for row in found)

    lived(lives())
